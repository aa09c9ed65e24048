//! TCP serving: one thread with one epoll instance for all connections of a worker.
//!
//! Here is the loop: what is ready, whom to let in, whom to close. A connection is closed when its peer has closed it
//! and has got its answers, when it was not active for the time-out, or when it is the one not active for longest and
//! a new one comes at the limit: attackers who hold connections open thus lose them before those who use theirs.

mod connection;
mod dialogue;
mod frames;
pub(super) mod mailbox;
mod session;
mod table;

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libc::epoll_event;

use self::connection::{Connection, Interest};
use self::dialogue::{Desk, Outcome, Ready};
use self::mailbox::{Letter, Mailbox};
use self::session::Session;
use self::table::{Table, Token, Waiting};
use super::counters::{Counter, Tally};
use super::endpoint::Endpoint;
use super::handover::Handover;
use super::{Responder, Settings, Tls, sys};

/// Events taken in one wait.
const EVENTS: usize = 256;
/// Connections accepted before others get their turn.
const ACCEPTS: usize = 16;
/// The longest wait, so that the responder is refreshed and lets go of old data when nobody asks.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

const READABLE: u32 = libc::EPOLLIN as u32;
const WRITABLE: u32 = libc::EPOLLOUT as u32;
const BROKEN: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// How long a connection may be idle once the server has retired, at most.
pub(super) const LAST_IDLE: Duration = Duration::from_secs(2);

/// How long not to accept when descriptors have run out and no connection of ours can go.
const REST: Duration = Duration::from_millis(100);

/// Numbers epoll carries that are no connection's (see [`Token`]).
const MAILBOX: u64 = u64::MAX;
const LISTENERS: u64 = 1 << 63;

/// A socket that connections come to.
pub(super) struct Listener {
    pub(super) socket: Arc<OwnedFd>,
    /// What to speak TLS with; None: nothing but DNS is spoken.
    pub(super) tls: Option<Arc<Tls>>,
}

impl Listener {
    /// What a connection that was just accepted begins with; None, if it cannot be served.
    fn welcome(&self, stream: OwnedFd, peer: Endpoint) -> Option<Connection> {
        let session = match &self.tls {
            None => None,
            Some(tls) => Some(Session::new(tls.config()?)?),
        };
        Some(Connection::new(stream.into(), peer, session))
    }
}

/// How many connections a worker may have, and for how long.
struct Limits {
    connections: usize,
    per_source: usize,
    idle: Duration,
    reply: Duration,
}

impl Limits {
    fn new(settings: &Settings) -> Self {
        let share = |total: usize| total.div_ceil(settings.workers.max(1)).max(1);
        Self {
            connections: share(settings.tcp_connections),
            per_source: share(settings.tcp_connections_per_source),
            idle: settings.tcp_idle,
            reply: settings.tcp_reply,
        }
    }

    /// The time-out when so many connections are open: shorter when room gets scarce (RFC 7766 §6.2.3).
    fn idle_with(&self, open: usize) -> Duration {
        if open * 4 > self.connections * 3 { self.idle / 4 } else { self.idle }
    }
}

/// One TCP thread. See the head of the file.
pub(super) struct Worker {
    epoll: OwnedFd,
    listeners: Vec<Listener>,
    /// No descriptors are left: the listeners are not looked at until then.
    resting: Option<u64>,
    table: Table,
    /// The connection being attended to, to be closed should that panic.
    current: Option<Token>,
    desk: Desk,
    limits: Limits,
    mailbox: Arc<Mailbox>,
    letters: Vec<Letter>,
    stop: Arc<AtomicBool>,
    retire: Arc<AtomicBool>,
    /// How many connections there are, for others to see.
    open: Arc<AtomicUsize>,
    started: Instant,
    now: u64,
}

/// What a worker shares with the rest of the server.
pub(super) struct Surroundings {
    pub(super) tally: Tally,
    pub(super) handover: Arc<Handover>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) retire: Arc<AtomicBool>,
    pub(super) open: Arc<AtomicUsize>,
}

impl Worker {
    /// A worker that accepts from these listeners, which listen and are non-blocking.
    pub(super) fn new(listeners: Vec<Listener>, settings: &Settings, shared: Surroundings) -> io::Result<Self> {
        let Surroundings { tally, handover, mailbox, stop, retire, open } = shared;
        let epoll = sys::epoll()?;
        sys::epoll_control(&epoll, libc::EPOLL_CTL_ADD, mailbox.as_fd(), READABLE, MAILBOX)?;
        for (index, listener) in listeners.iter().enumerate() {
            let token = LISTENERS + index as u64;
            sys::epoll_control(&epoll, libc::EPOLL_CTL_ADD, listener.socket.as_fd(), READABLE, token)?;
        }
        Ok(Self {
            epoll,
            listeners,
            resting: None,
            table: Table::new(),
            current: None,
            desk: Desk::new(tally, handover, Arc::clone(&mailbox)),
            limits: Limits::new(settings),
            mailbox,
            letters: Vec::new(),
            stop,
            retire,
            open,
            started: Instant::now(),
            now: 0,
        })
    }

    /// Serves until told to stop. A responder that panics is a defect: it costs the connection that met it, is
    /// counted, and a new responder takes its place.
    pub(super) fn run<R: Responder>(mut self, make_responder: impl Fn() -> R) {
        while !self.stop.load(Ordering::Acquire) {
            let mut responder = make_responder();
            if catch_unwind(AssertUnwindSafe(|| self.serve(&mut responder))).is_err() {
                self.desk.tally().add(Counter::WorkerPanics, 1);
                if let Some(token) = self.current.take() {
                    self.close(token);
                }
            }
        }
    }

    fn serve<R: Responder>(&mut self, responder: &mut R) {
        let mut events = [epoll_event { events: 0, u64: 0 }; EVENTS];
        loop {
            let count = match sys::epoll_wait(&self.epoll, &mut events, self.next_wait()) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => unreachable!("an epoll instance of this thread cannot fail: {error}"),
            };
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            self.now = milliseconds(self.started.elapsed());
            responder.refresh();
            for event in &events[..count] {
                self.dispatch(*event, responder);
            }
            if self.retire.load(Ordering::Acquire) {
                self.leave_listeners();
            }
            self.meet_deadlines();
            self.open.store(self.table.len(), Ordering::Relaxed);
        }
    }

    /// Accepts nothing more: what waits to be accepted is for another process with the same sockets.
    fn leave_listeners(&mut self) {
        self.limits.idle = self.limits.idle.min(LAST_IDLE);
        self.resting = None;
        for listener in self.listeners.drain(..) {
            // Others have the socket too, so that closing it would not do.
            let left = sys::epoll_control(&self.epoll, libc::EPOLL_CTL_DEL, listener.socket.as_fd(), 0, 0);
            debug_assert!(left.is_ok(), "{left:?}");
        }
    }

    fn dispatch<R: Responder>(&mut self, event: epoll_event, responder: &mut R) {
        let (events, number) = (event.events, event.u64);
        match number {
            MAILBOX => self.deliver(),
            LISTENERS.. => self.accept(usize::try_from(number - LISTENERS).expect("a listener's index"), responder),
            _ => {
                let readable = events & READABLE != 0;
                let ready = Ready { readable, writable: events & WRITABLE != 0, broken: events & BROKEN != 0 };
                self.attend(Token::from_number(number), ready, responder);
            }
        }
    }

    fn attend<R: Responder>(&mut self, token: Token, ready: Ready, responder: &mut R) {
        // A connection closed earlier in this round may still have an event.
        let Some(connection) = self.table.get_mut(token) else { return };
        self.current = Some(token);
        let outcome = self.desk.attend(connection, token, ready, responder);
        self.current = None;
        self.settle(token, outcome);
    }

    /// Sends the replies that others have composed.
    fn deliver(&mut self) {
        let mut letters = std::mem::take(&mut self.letters);
        self.mailbox.collect(&mut letters);
        for letter in letters.drain(..) {
            let (Letter::Send(token, _) | Letter::Finished(token)) = letter;
            let Some(connection) = self.table.get_mut(token) else { continue };
            let outcome = match letter {
                Letter::Send(_, framed) => self.desk.forward(connection, &framed),
                Letter::Finished(_) => {
                    connection.release();
                    if connection.is_finished() { Outcome::Over } else { Outcome::Active }
                }
            };
            self.settle(token, outcome);
        }
        self.letters = letters;
    }

    /// Does what follows from having attended to a connection.
    fn settle(&mut self, token: Token, outcome: Outcome) {
        let Some(connection) = self.table.get_mut(token) else { return };
        if outcome == Outcome::Over {
            return self.close(token);
        }
        let waiting = if connection.is_held() { Waiting::ForReply } else { Waiting::ForPeer };
        if let Some(interest) = connection.changed_interest() {
            let stream = connection.stream().as_fd();
            let changed =
                sys::epoll_control(&self.epoll, libc::EPOLL_CTL_MOD, stream, interest.to_events(), token.to_number());
            // Out of kernel memory: without events the connection would hang, so it goes.
            if changed.is_err() {
                return self.close(token);
            }
        }
        if outcome == Outcome::Active {
            self.table.note_active(token, waiting, self.now);
        }
    }

    /// Closes a connection; the kernel forgets its epoll registration with it.
    fn close(&mut self, token: Token) {
        if let Some(connection) = self.table.remove(token) {
            self.desk.note_end(&connection);
            if !connection.is_established() {
                self.desk.tally().add(Counter::TlsFailures, 1);
            }
        }
    }

    fn accept<R: Responder>(&mut self, listener: usize, responder: &mut R) {
        for _ in 0..ACCEPTS {
            let listener = &self.listeners[listener];
            match sys::accept(&listener.socket) {
                Ok((stream, peer)) => match listener.welcome(stream, peer) {
                    Some(connection) => self.admit(connection, responder),
                    None => self.desk.tally().add(Counter::TcpRefused, 1),
                },
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if is_exhausted(&error) => {
                    if !self.evict() {
                        self.rest();
                        return;
                    }
                }
                // The connection is gone already, or was never good (accept(2)): on to the next.
                Err(_) => {}
            }
        }
    }

    /// Takes a new connection in if the limits allow, and closes another one for it if need be.
    fn admit<R: Responder>(&mut self, connection: Connection, responder: &mut R) {
        let crowded = self.table.count_of_source(&connection) >= self.limits.per_source;
        if crowded || (self.table.len() >= self.limits.connections && !self.evict()) {
            return self.desk.tally().add(Counter::TcpRefused, 1);
        }
        let is_encrypted = connection.is_encrypted();
        let token = self.table.insert(connection, self.now);
        let Some(connection) = self.table.get_mut(token) else { return };
        let stream = connection.stream().as_fd();
        let added = sys::epoll_control(&self.epoll, libc::EPOLL_CTL_ADD, stream, READABLE, token.to_number());
        if added.is_err() {
            self.table.remove(token);
            return self.desk.tally().add(Counter::TcpRefused, 1);
        }
        self.desk.tally().add(Counter::TcpConnections, 1);
        if is_encrypted {
            self.desk.tally().add(Counter::TlsConnections, 1);
        }
        // The first query has mostly come by now, and then need not be waited for.
        self.attend(token, Ready { readable: true, writable: false, broken: false }, responder);
    }

    /// Closes the connection whose peer was not active for longest; says whether there was one.
    fn evict(&mut self) -> bool {
        let Some((token, _)) = self.table.longest(Waiting::ForPeer) else { return false };
        self.desk.tally().add(Counter::TcpEvicted, 1);
        self.close(token);
        true
    }

    /// Stops looking at the listeners for a while: they would be ready all the time.
    fn rest(&mut self) {
        self.resting = Some(self.now + milliseconds(REST));
        self.listen_for(0);
    }

    fn listen_for(&self, events: u32) {
        for (index, listener) in self.listeners.iter().enumerate() {
            let token = LISTENERS + index as u64;
            let changed =
                sys::epoll_control(&self.epoll, libc::EPOLL_CTL_MOD, listener.socket.as_fd(), events, token);
            // Changing what is registered takes no memory, so this cannot fail while both descriptors are ours.
            debug_assert!(changed.is_ok(), "{changed:?}");
        }
    }

    /// Does what is due: closes the connections whose time is over, and ends a rest.
    fn meet_deadlines(&mut self) {
        if self.resting.is_some_and(|end| end <= self.now) {
            self.resting = None;
            self.listen_for(READABLE);
        }
        for waiting in [Waiting::ForPeer, Waiting::ForReply] {
            while let Some((token, 0)) = self.time_left(waiting) {
                // Counted first: whoever sees the end finds it counted.
                self.desk.tally().add(Counter::TcpTimedOut, 1);
                self.close(token);
            }
        }
    }

    /// The connection whose time is over first, and how many milliseconds it has left.
    fn time_left(&self, waiting: Waiting) -> Option<(Token, u64)> {
        let (token, active) = self.table.longest(waiting)?;
        let limit = match waiting {
            Waiting::ForPeer => self.limits.idle_with(self.table.len()),
            Waiting::ForReply => self.limits.reply,
        };
        Some((token, (active + milliseconds(limit)).saturating_sub(self.now)))
    }

    /// How many milliseconds to wait for events at most.
    fn next_wait(&self) -> i32 {
        let connections = [Waiting::ForPeer, Waiting::ForReply].map(|waiting| self.time_left(waiting));
        let lefts = connections.into_iter().flatten().map(|(_, left)| left);
        let rest = self.resting.map(|end| end.saturating_sub(self.now));
        let wait = lefts.chain(rest).min().unwrap_or(u64::MAX).min(milliseconds(LONGEST_WAIT));
        i32::try_from(wait).unwrap_or(i32::MAX)
    }
}

impl Interest {
    fn to_events(self) -> u32 {
        (if self.readable { READABLE } else { 0 }) | (if self.writable { WRITABLE } else { 0 })
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether an error says that descriptors or memory have run out.
fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}
