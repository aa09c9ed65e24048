//! What the serving threads count. Each thread writes cells of its own; whoever asks adds them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The things counted. Names and meanings stand in [`Counter::TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(missing_docs, reason = "TABLE tells the meaning of each, in one place")]
pub enum Counter {
    UdpQueries,
    UdpAnswers,
    UdpOversized,
    UdpReceiveErrors,
    UdpSendErrors,
    TcpConnections,
    TcpRefused,
    TcpEvicted,
    TcpTimedOut,
    TcpEmptyFrames,
    TcpQueries,
    TcpAnswers,
    TlsConnections,
    TlsFailures,
    TlsQueries,
    MalformedSilent,
    RateLimitedDropped,
    RateLimitedSlipped,
    HandedOver,
    HandoverDropped,
    WorkerPanics,
}

impl Counter {
    const COUNT: usize = Self::TABLE.len();

    /// Each counter with its name and meaning, in the order of the enum.
    pub const TABLE: [(Self, &'static str, &'static str); 21] = [
        (Self::UdpQueries, "udp_queries", "datagrams received"),
        (Self::UdpAnswers, "udp_answers", "datagrams sent by the serving threads"),
        (Self::UdpOversized, "udp_oversized", "datagrams longer than any query over UDP; dropped"),
        (Self::UdpReceiveErrors, "udp_receive_errors", "receiving calls that failed"),
        (Self::UdpSendErrors, "udp_send_errors", "answers the kernel did not take: no route, filtered, buffer full"),
        (Self::TcpConnections, "tcp_connections", "connections accepted"),
        (Self::TcpRefused, "tcp_refused", "connections closed at once: a limit was reached and none could go for it"),
        (Self::TcpEvicted, "tcp_evicted", "connections closed to make room for a new one"),
        (Self::TcpTimedOut, "tcp_timed_out", "connections closed after the time-out"),
        (Self::TcpEmptyFrames, "tcp_empty_frames", "connections closed because of a message of length zero"),
        (Self::TcpQueries, "tcp_queries", "messages received over TCP"),
        (Self::TcpAnswers, "tcp_answers", "messages sent over TCP by the serving threads"),
        (Self::TlsConnections, "tls_connections", "those of tcp_connections where TLS is spoken"),
        (Self::TlsFailures, "tls_failures", "those of tls_connections that ended before their handshake did"),
        (Self::TlsQueries, "tls_queries", "those of tcp_queries that came over TLS"),
        (Self::MalformedSilent, "malformed_silent", "queries that deserve no answer, over UDP or TCP"),
        (Self::RateLimitedDropped, "rate_limited_dropped", "answers suppressed by rate limiting"),
        (Self::RateLimitedSlipped, "rate_limited_slipped", "answers sent truncated by rate limiting"),
        (Self::HandedOver, "handed_over", "requests put into the hand-over queue"),
        (Self::HandoverDropped, "handover_dropped", "requests dropped because the hand-over queue was full"),
        (Self::WorkerPanics, "worker_panics", "defects met while answering; the thread went on"),
    ];
}

/// The cells of one thread, on cache lines of their own (two, since processors fetch lines in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Cells([AtomicU64; Counter::COUNT]);

/// The only writer of some cells. Not `Clone`: with one writer, load and store do without a locked instruction.
#[derive(Debug)]
pub(super) struct Tally(Arc<Cells>);

impl Tally {
    /// Cells at zero with their writer.
    pub(super) fn new() -> (Self, Arc<Cells>) {
        let cells = Arc::new(Cells::default());
        (Self(Arc::clone(&cells)), cells)
    }

    #[inline]
    pub(super) fn add(&mut self, counter: Counter, amount: u64) {
        let cell = &self.0.0[counter as usize];
        cell.store(cell.load(Ordering::Relaxed) + amount, Ordering::Relaxed);
    }
}

/// The sums over all cells, by name.
pub(super) fn totals<'cells>(all: impl Iterator<Item = &'cells Cells>) -> Vec<(&'static str, u64)> {
    let mut sums: Vec<_> = Counter::TABLE.iter().map(|&(_, name, _)| (name, 0)).collect();
    for cells in all {
        for (sum, cell) in sums.iter_mut().zip(&cells.0) {
            sum.1 += cell.load(Ordering::Relaxed);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (counter, ..)) in Counter::TABLE.iter().enumerate() {
            assert_eq!(*counter as usize, index);
        }
    }

    #[test]
    fn totals_add_up_the_threads() {
        let (mut first, first_cells) = Tally::new();
        let (mut second, second_cells) = Tally::new();
        first.add(Counter::UdpQueries, 2);
        second.add(Counter::UdpQueries, 3);
        let sums = totals([&*first_cells, &*second_cells].into_iter());
        assert!(sums.contains(&("udp_queries", 5)));
        assert!(sums.contains(&("udp_answers", 0)));
    }
}
