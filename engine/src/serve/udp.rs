//! UDP serving: one thread with one socket. Takes what waits in one call, answers it in place, sends it in another.
//!
//! This is the path that everything is measured against: no allocation, no lock and no system call but those two.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::counters::{Counter, Tally};
use super::endpoint::Endpoint;
use super::handover::{Handover, Request};
use super::limits::{Judgement, Limiter};
use super::sys::Batch;
use super::tap::{Seen, Stage, Tap};
use super::{Responder, ResponseClass, Settings, Transport, Verdict};

/// The least an answer may be limited to: every client must take so much (RFC 1035 §4.2.1).
const LEAST_PAYLOAD: usize = 512;
/// The most, since longer ones are fragmented on any network.
const MOST_PAYLOAD: usize = 4096;

/// One UDP thread. See the head of the file.
pub(super) struct Worker {
    socket: Arc<OwnedFd>,
    address: SocketAddr,
    batch: Batch,
    rates: Option<Rates>,
    tally: Tally,
    tap: Tap,
    handover: Arc<Handover>,
    ending: Ending,
}

/// What was made of a datagram.
#[derive(Clone, Copy)]
enum Made {
    /// An answer of this length, in its room.
    Answer(usize),
    /// Nothing: it gets no answer.
    Silence,
    /// A request, which somebody else has now.
    Request,
}

/// What makes a thread end.
pub(super) struct Ending {
    /// At once: what was received is lost.
    pub(super) stop: Arc<AtomicBool>,
    /// When what was received is answered: what waits in the socket is for another process.
    pub(super) retire: Arc<AtomicBool>,
}

/// Rate limiting with its clock, which is looked at once a batch.
struct Rates {
    limiter: Limiter,
    started: Instant,
    second: u32,
}

impl Rates {
    /// The limiter of one worker, or none if answers are not limited.
    fn new(settings: &Settings) -> Option<Self> {
        let workers = u32::try_from(settings.workers.max(1)).unwrap_or(u32::MAX);
        let rate = settings.rate_limit.div_ceil(workers);
        (rate > 0).then(|| Self { limiter: Limiter::new(rate), started: Instant::now(), second: 1 })
    }

    #[inline]
    fn judge(&mut self, peer: &Endpoint, class: ResponseClass) -> Judgement {
        self.limiter.judge(peer, class, self.second)
    }

    fn look_at_clock(&mut self) {
        self.second = u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    }
}

impl Worker {
    /// A worker for a socket bound to `address`.
    pub(super) fn new(
        socket: Arc<OwnedFd>,
        address: SocketAddr,
        settings: &Settings,
        tally: Tally,
        handover: Arc<Handover>,
        ending: Ending,
    ) -> Self {
        let tap = handover.taps().tap();
        let payload = settings.udp_payload.clamp(LEAST_PAYLOAD, MOST_PAYLOAD);
        let batch = Batch::new(payload, &Endpoint::from(address), address.ip().is_unspecified());
        Self { socket, address, batch, rates: Rates::new(settings), tally, tap, handover, ending }
    }

    /// Serves until told to end. A responder that panics is a defect: it costs the batch that met it, is counted,
    /// and a new responder takes its place.
    pub(super) fn run<R: Responder>(mut self, make_responder: impl Fn() -> R) {
        while !self.ending.retire.load(Ordering::Acquire) {
            let mut responder = make_responder();
            if catch_unwind(AssertUnwindSafe(|| self.serve(&mut responder))).is_err() {
                self.tally.add(Counter::WorkerPanics, 1);
            }
        }
    }

    fn serve<R: Responder>(&mut self, responder: &mut R) {
        while !self.ending.retire.load(Ordering::Acquire) {
            let received = self.receive();
            if self.ending.stop.load(Ordering::Acquire) {
                return;
            }
            responder.refresh();
            if received > 0 {
                self.answer_batch(received, responder);
            }
        }
    }

    /// Waits for datagrams; 0 when none came for a while.
    fn receive(&mut self) -> usize {
        match self.batch.receive(&self.socket) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(_) => {
                self.tally.add(Counter::UdpReceiveErrors, 1);
                0
            }
        }
    }

    fn answer_batch<R: Responder>(&mut self, received: usize, responder: &mut R) {
        self.tally.add(Counter::UdpQueries, received as u64);
        if let Some(rates) = &mut self.rates {
            rates.look_at_clock();
        }
        responder.foresee(self.batch.queries());
        for slot in 0..received {
            let asked = self.tap.asked();
            let made = self.compose(slot, asked, responder);
            if let Some(asked) = asked {
                self.put_down(slot, asked, made);
            }
            if let Made::Answer(length) = made {
                self.batch.answer(slot, length);
            }
        }
        let composed = self.batch.composed();
        let failed = self.batch.send(&self.socket);
        self.tally.add(Counter::UdpAnswers, (composed - failed) as u64);
        self.tally.add(Counter::UdpSendErrors, failed as u64);
    }

    /// Composes the answer to a datagram in its room. `asked`: when it came, if it is to be put down.
    #[allow(clippy::inline_always, reason = "the path of every query: a call costs it 50 instructions")]
    #[inline(always)]
    fn compose<R: Responder>(&mut self, slot: usize, asked: Option<NonZeroU64>, responder: &mut R) -> Made {
        let datagram = self.batch.datagram(slot);
        if datagram.cut {
            self.tally.add(Counter::UdpOversized, 1);
            return Made::Silence;
        }
        // Nobody listens at port 0: the packet is forged.
        if datagram.peer.port() == 0 {
            self.tally.add(Counter::MalformedSilent, 1);
            return Made::Silence;
        }
        match responder.respond(datagram.query, Transport::Udp, datagram.peer, datagram.room) {
            Verdict::Answer { length, class, exempt, labels } => {
                self.tally.asked(labels, exempt);
                let judgement = match &mut self.rates {
                    Some(rates) if !exempt => rates.judge(datagram.peer, class),
                    _ => Judgement::Pass,
                };
                match judgement {
                    Judgement::Pass => {
                        self.tally.answered(labels);
                        Made::Answer(length)
                    }
                    Judgement::Drop => {
                        self.tally.add(Counter::RateLimitedDropped, 1);
                        Made::Silence
                    }
                    Judgement::Slip => {
                        self.tally.add(Counter::RateLimitedSlipped, 1);
                        Made::Answer(responder.truncate(datagram.query, datagram.room))
                    }
                }
            }
            Verdict::Silence => {
                self.tally.add(Counter::MalformedSilent, 1);
                Made::Silence
            }
            Verdict::HandOver => self.hand_over(slot, asked),
        }
    }

    fn hand_over(&mut self, slot: usize, asked: Option<NonZeroU64>) -> Made {
        let source = self.batch.source(slot);
        let datagram = self.batch.datagram(slot);
        let queued = self
            .handover
            .offer(|| Request::udp(datagram.query, *datagram.peer, self.address, &self.socket, source).noted(asked));
        self.tally.add(if queued { Counter::HandedOver } else { Counter::HandoverDropped }, 1);
        if queued { Made::Request } else { Made::Silence }
    }

    /// Shows a query, with its answer, to who listens.
    #[cold]
    fn put_down(&mut self, slot: usize, asked: NonZeroU64, made: Made) {
        let mut local = self.address;
        if let Some(source) = self.batch.source(slot) {
            local.set_ip(source.address());
        }
        let datagram = self.batch.datagram(slot);
        let (stage, answer) = match made {
            Made::Answer(length) => (Stage::Settled, Some(&datagram.room[..length])),
            Made::Silence => (Stage::Settled, None),
            Made::Request => (Stage::HandedOver, None),
        };
        let (peer, query) = (datagram.peer, datagram.query);
        self.tap.put(&Seen { stage, transport: Transport::Udp, asked, peer, local, query, answer });
    }
}
