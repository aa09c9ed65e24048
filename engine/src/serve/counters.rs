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
    TruncatedAnswers,
    Cookies,
    CookiesGood,
}

/// What an answer is counted under, beside the counters that are named. Numbers of the protocol, which mean nothing here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The type asked for.
    pub question: u16,
    /// The response code.
    pub code: u16,
    /// Whether the answer says that it is not whole.
    pub truncated: bool,
    /// Whether the query had a cookie.
    pub cookie: bool,
}

/// Types of questions up to here have a cell of their own: all that are in use. The rest share the one behind them.
const QUESTIONS: usize = 261;
/// The same for response codes.
const CODES: usize = 24;

impl Counter {
    const COUNT: usize = Self::TABLE.len();

    /// Each counter with its name and meaning, in the order of the enum.
    pub const TABLE: [(Self, &'static str, &'static str); 24] = [
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
        (Self::TruncatedAnswers, "truncated_answers", "answers sent with the TC bit, but for those of rate limiting"),
        (Self::Cookies, "cookies", "queries with a DNS cookie"),
        (Self::CookiesGood, "cookies_good", "those of cookies that had been given out by us and were still good"),
    ];
}

/// The cells of one thread, on cache lines of their own (two, since processors fetch lines in pairs).
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Cells {
    named: [AtomicU64; Counter::COUNT],
    codes: [AtomicU64; CODES + 1],
    questions: [AtomicU64; QUESTIONS + 1],
}

/// The only writer of some cells. Not `Clone`: with one writer, load and store do without a locked instruction.
#[derive(Debug)]
pub(super) struct Tally(Arc<Cells>);

impl Tally {
    /// Cells at zero with their writer.
    pub(super) fn new() -> (Self, Arc<Cells>) {
        let cells = Arc::new(Cells {
            named: [const { AtomicU64::new(0) }; Counter::COUNT],
            codes: [const { AtomicU64::new(0) }; CODES + 1],
            questions: [const { AtomicU64::new(0) }; QUESTIONS + 1],
        });
        (Self(Arc::clone(&cells)), cells)
    }

    #[inline]
    pub(super) fn add(&mut self, counter: Counter, amount: u64) {
        add(&self.0.named[counter as usize], amount);
    }

    /// Counts a question that has an answer, sent or not. `proved`: its cookie was good.
    #[inline]
    pub(super) fn asked(&mut self, labels: Labels, proved: bool) {
        add(&self.0.questions[usize::from(labels.question).min(QUESTIONS)], 1);
        if labels.cookie {
            self.add(Counter::Cookies, 1);
            self.add(Counter::CookiesGood, u64::from(proved));
        }
    }

    /// Counts an answer that is sent.
    #[inline]
    pub(super) fn answered(&mut self, labels: Labels) {
        add(&self.0.codes[usize::from(labels.code).min(CODES)], 1);
        if labels.truncated {
            self.add(Counter::TruncatedAnswers, 1);
        }
    }
}

#[inline]
fn add(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Ordering::Relaxed) + amount, Ordering::Relaxed);
}

/// The sums over all cells, by name; of questions and codes those that there were, by number. Whatever has no cell
/// of its own is `question_other` and `code_other`.
pub(super) fn totals<'cells>(all: &(impl Iterator<Item = &'cells Cells> + Clone)) -> Vec<(String, u64)> {
    let sum = |cell: &dyn Fn(&'cells Cells) -> &'cells AtomicU64| {
        all.clone().map(|cells| cell(cells).load(Ordering::Relaxed)).sum::<u64>()
    };
    let named = Counter::TABLE.iter();
    let named = named.map(|&(counter, name, _)| (name.to_owned(), sum(&|cells| &cells.named[counter as usize])));
    let questions =
        (0..=QUESTIONS).map(|index| (numbered("question", index, QUESTIONS), sum(&|cells| &cells.questions[index])));
    let codes = (0..=CODES).map(|index| (numbered("code", index, CODES), sum(&|cells| &cells.codes[index])));
    named.chain(questions.chain(codes).filter(|&(_, count)| count > 0)).collect()
}

fn numbered(what: &str, index: usize, other: usize) -> String {
    if index == other { format!("{what}_other") } else { format!("{what}_{index}") }
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
        let sums = totals(&[&*first_cells, &*second_cells].into_iter());
        assert!(sums.contains(&("udp_queries".to_owned(), 5)));
        assert!(sums.contains(&("udp_answers".to_owned(), 0)));
    }

    #[test]
    fn questions_and_codes_are_counted_by_number_and_odd_ones_together() {
        let (mut tally, cells) = Tally::new();
        for question in [28, 28, 65000, 65001] {
            tally.asked(Labels { question, code: 3, truncated: false, cookie: false }, false);
            tally.answered(Labels { question, code: 3, truncated: true, cookie: false });
        }
        let sums = totals(&[&*cells].into_iter());
        for (name, count) in [("question_28", 2), ("question_other", 2), ("code_3", 4), ("truncated_answers", 4)] {
            assert!(sums.contains(&(name.to_owned(), count)), "{name}");
        }
        assert!(!sums.iter().any(|(name, _)| name == "question_1"), "what there was none of is left out");
    }

    #[test]
    fn cookies_are_counted_and_the_good_ones_among_them() {
        let (mut tally, cells) = Tally::new();
        let labels = Labels { cookie: true, ..Labels::default() };
        tally.asked(labels, false);
        tally.asked(labels, true);
        let sums = totals(&[&*cells].into_iter());
        assert!(sums.contains(&("cookies".to_owned(), 2)));
        assert!(sums.contains(&("cookies_good".to_owned(), 1)));
    }
}
