//! The hand-over: a bounded queue of what the responders do not decide, and the way back for the replies.
//!
//! Off the fast path, so a mutex is fine here. A full queue refuses, which the worker counts: who floods with
//! requests that are expensive to decide must not fill the memory.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Transport;
use super::endpoint::Endpoint;
use super::event::Event;
use super::packet_info::PacketInfo;
use super::sys;
use super::tap::{Seen, Stage, Taps};
use super::tcp::mailbox::{HIGH_BACKLOG, ReplyPath};

/// The longest message: its length is told in 16 bits on TCP.
const MAX_MESSAGE: usize = u16::MAX as usize;

/// The queue of requests that wait for somebody to decide them.
#[derive(Debug)]
pub struct Handover {
    waiting: Mutex<VecDeque<Request>>,
    limit: usize,
    event: Event,
    send_errors: AtomicU64,
    /// Whether a connection that requests came by has ended since this was last asked.
    lost: AtomicBool,
    taps: Arc<Taps>,
}

impl Handover {
    pub(super) fn new(limit: usize) -> io::Result<Self> {
        let (waiting, send_errors, lost) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(false));
        let taps = Arc::new(Taps::new());
        Ok(Self { waiting, limit, event: Event::new()?, send_errors, lost, taps })
    }

    /// Where what is asked and answered can be seen.
    #[must_use]
    pub fn taps(&self) -> &Arc<Taps> {
        &self.taps
    }

    /// Queues the request that `make` gives, unless the queue is full; says whether it did.
    pub(super) fn offer(&self, make: impl FnOnce() -> Request) -> bool {
        let mut waiting = self.waiting();
        if waiting.len() >= self.limit {
            return false;
        }
        waiting.push_back(make());
        self.event.raise();
        true
    }

    /// Takes the requests that wait longest, at most `limit`.
    #[must_use]
    pub fn take(&self, limit: usize) -> Vec<Request> {
        let mut waiting = self.waiting();
        let count = limit.min(waiting.len());
        let taken = waiting.drain(..count).collect();
        if waiting.is_empty() {
            self.event.lower();
        }
        taken
    }

    /// Sends a message to where a request came from. There may be several for one request, as in a zone transfer, and
    /// messages that answer none. A peer that is gone is no error.
    ///
    /// # Errors
    /// `InvalidInput` for a message longer than 65535 octets.
    pub fn reply(&self, request: &Request, wire: &[u8]) -> io::Result<()> {
        if wire.len() > MAX_MESSAGE {
            let fault = format!("a DNS message has at most {MAX_MESSAGE} octets, this one has {}", wire.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
        }
        request.show(wire, &self.taps);
        match &request.path {
            Path::Udp { socket, source } => {
                let sent = socket.upgrade().map(|socket| sys::send_to(&socket, wire, &request.peer, source.as_ref()));
                if let Some(Err(_)) = sent {
                    self.send_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
            Path::Tcp(path) => path.send(wire),
        }
        Ok(())
    }

    /// Replies over UDP that the kernel did not take.
    pub(super) fn send_errors(&self) -> u64 {
        self.send_errors.load(Ordering::Relaxed)
    }

    /// Tells whoever polls the descriptor to look at [`Request::unsent`] again.
    pub(super) fn announce_room(&self) {
        self.event.raise();
    }

    /// Tells that a connection which requests came by has ended; see [`Request::has_ended`].
    pub(super) fn announce_end(&self) {
        self.lost.store(true, Ordering::Release);
        self.event.raise();
    }

    /// Whether such a connection has ended since the last call. To be asked after [`Self::take`].
    #[must_use]
    pub fn take_ends(&self) -> bool {
        self.lost.swap(false, Ordering::Acquire)
    }

    /// A panic while the lock was held cannot have left the queue half changed, so the lock is good for ever.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readable while requests wait, once when [`Request::unsent`] of some connection falls below
/// [`Request::HIGH_BACKLOG`], and once when a connection that requests came by ends. A [`Handover::take`] that leaves the queue empty makes it unreadable again.
impl AsFd for Handover {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// A message that waits for a reply, and the way to send it. Its TCP connection stays open as long as it lives, but no
/// longer than `Settings::tcp_reply` without a reply.
#[derive(Debug)]
pub struct Request {
    wire: Box<[u8]>,
    peer: Endpoint,
    local: SocketAddr,
    transport: Transport,
    path: Path,
    /// When it came, if it and its replies are to be put down.
    asked: Option<NonZeroU64>,
    is_answered: AtomicBool,
}

#[derive(Debug)]
enum Path {
    Udp { socket: Weak<OwnedFd>, source: Option<PacketInfo> },
    Tcp(ReplyPath),
}

impl Request {
    /// A request that came over UDP. `source`: the local address as the kernel told it, on a socket for all
    /// addresses.
    pub(super) fn udp(
        wire: &[u8],
        peer: Endpoint,
        bound: SocketAddr,
        socket: &Arc<OwnedFd>,
        source: Option<PacketInfo>,
    ) -> Self {
        let mut local = bound;
        if let Some(source) = &source {
            local.set_ip(source.address());
        }
        let path = Path::Udp { socket: Arc::downgrade(socket), source };
        Self::new(wire, peer, local, Transport::Udp, path)
    }

    /// A request that came over TCP, or TLS.
    pub(super) fn tcp(wire: &[u8], peer: Endpoint, local: SocketAddr, transport: Transport, path: ReplyPath) -> Self {
        Self::new(wire, peer, local, transport, Path::Tcp(path))
    }

    fn new(wire: &[u8], peer: Endpoint, local: SocketAddr, transport: Transport, path: Path) -> Self {
        Self { wire: wire.into(), peer, local, transport, path, asked: None, is_answered: AtomicBool::new(false) }
    }

    /// The same, whose replies are put down if it was.
    pub(super) fn noted(self, asked: Option<NonZeroU64>) -> Self {
        Self { asked, ..self }
    }

    /// Shows a reply to who listens.
    fn show(&self, wire: &[u8], taps: &Taps) {
        let Some(asked) = self.asked else { return };
        let is_first = !self.is_answered.swap(true, Ordering::Relaxed);
        let stage = if is_first { Stage::Answered } else { Stage::Continued };
        let (peer, local, transport) = (&self.peer, self.local, self.transport);
        taps.reply(&Seen { stage, transport, asked, peer, local, query: &self.wire, answer: Some(wire) });
    }

    /// The message as it came.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// How it came.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Who sent it.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer.socket_address()
    }

    /// The address of ours that it was sent to.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// From so many octets of [`Self::unsent`] on, who has more to send does well to wait.
    pub const HIGH_BACKLOG: usize = HIGH_BACKLOG;

    /// Octets that the peer's connection has not taken yet; 0 when it is gone. When this falls below
    /// [`Self::HIGH_BACKLOG`], the hand-over's descriptor becomes readable.
    #[must_use]
    pub fn unsent(&self) -> usize {
        match &self.path {
            Path::Udp { .. } => 0,
            Path::Tcp(path) => path.unsent(),
        }
    }

    /// Whether the peer will send nothing more by the connection that this came by: it has closed its side, or all of
    /// it is gone. When that happens the hand-over's descriptor becomes readable.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match &self.path {
            Path::Udp { socket, .. } => socket.strong_count() == 0,
            Path::Tcp(path) => path.has_ended(),
        }
    }

    /// Whether the peer can no longer be reached, so that further replies are wasted work.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match &self.path {
            Path::Udp { socket, .. } => socket.strong_count() == 0,
            Path::Tcp(path) => path.is_gone(),
        }
    }
}
