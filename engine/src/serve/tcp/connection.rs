//! One TCP connection: its socket, and what has come in or must go out but could not yet.
//!
//! A connection owns memory only for a message that is not whole yet and for answers the peer has not read; an idle
//! one owns none, but for the state of its TLS. What it does not know: epoll, time-outs, limits, what a message means.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::mailbox::Backlog;
use super::session::Session;
use crate::serve::Transport;
use crate::serve::endpoint::Endpoint;

/// From so many unread octets on, a peer gets no further answers until it reads some.
pub(super) const CONGESTED: usize = 64 * 1024;

/// What trying to read or write came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// So many octets; 0 read is the end of what the peer sends.
    Octets(usize),
    /// None: the kernel has none, or no room.
    Blocked,
    /// The connection is broken.
    Broken,
}

impl From<io::Result<usize>> for Moved {
    fn from(result: io::Result<usize>) -> Self {
        match result {
            Ok(count) => Self::Octets(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Self::Blocked,
            // Reset, timed out, unreachable: a peer that is gone is nobody's error.
            Err(_) => Self::Broken,
        }
    }
}

/// See the head of the file.
pub(super) struct Connection {
    stream: TcpStream,
    peer: Endpoint,
    /// Where the octets of the stream are those of TLS. Plain connections pay for this with a look at it.
    session: Option<Box<Session>>,
    /// Received, but not answered: part of a message, or whole messages while the connection is congested.
    unanswered: Vec<u8>,
    /// Answers with their lengths, encrypted where there is TLS; those before `sent` are with the kernel.
    output: Vec<u8>,
    sent: usize,
    /// The peer has sent all it will.
    ended: bool,
    /// Requests handed over that may still get a reply.
    held: u32,
    backlog: Option<Arc<Backlog>>,
    /// How much of what is unsent the backlog knows of.
    told: usize,
    /// What epoll was last asked for.
    interest: Interest,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interest {
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: Endpoint, session: Option<Session>) -> Self {
        Self {
            stream,
            peer,
            session: session.map(Box::new),
            unanswered: Vec::new(),
            output: Vec::new(),
            sent: 0,
            ended: false,
            held: 0,
            backlog: None,
            told: 0,
            interest: Interest { readable: true, writable: false },
        }
    }

    /// How its messages come. TLS without an agreement to speak DNS is no better than none.
    pub(super) fn transport(&self) -> Transport {
        match &self.session {
            Some(session) if session.is_for_dns() => Transport::Tls,
            _ => Transport::Tcp,
        }
    }

    /// Whether it was accepted where TLS is spoken.
    pub(super) fn is_encrypted(&self) -> bool {
        self.session.is_some()
    }

    /// Whether messages can be exchanged: at once on plain connections, and after the handshake of TLS.
    pub(super) fn is_established(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.is_established())
    }

    pub(super) fn peer(&self) -> &Endpoint {
        &self.peer
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The address of ours the peer has connected to; the unspecified one if the connection is broken.
    pub(super) fn local(&self) -> SocketAddr {
        let unknown = if self.peer.is_v4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
        self.stream.local_addr().unwrap_or(unknown)
    }

    /// Reads once.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Moved {
        let moved = match &mut self.session {
            None => (&self.stream).read(into).into(),
            Some(session) => {
                let moved = session.read(&self.stream, into, &mut self.output);
                // What TLS itself has to say. Should that fail, so will the next read.
                if self.unsent() > 0 {
                    self.send_waiting();
                }
                moved
            }
        };
        self.ended |= moved == Moved::Octets(0);
        moved
    }

    /// Takes what was received before and is not answered.
    pub(super) fn take_unanswered(&mut self) -> Vec<u8> {
        mem::take(&mut self.unanswered)
    }

    /// Keeps what cannot be answered yet.
    pub(super) fn keep_unanswered(&mut self, octets: Vec<u8>) {
        self.unanswered = octets;
    }

    pub(super) fn has_unanswered(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// Sends octets of messages, now as far as the kernel takes them, the rest later.
    pub(super) fn send(&mut self, octets: &[u8]) -> Moved {
        let waits = self.unsent() > 0;
        if let Some(session) = &mut self.session {
            session.seal(octets, &mut self.output);
            return if waits { Moved::Blocked } else { self.send_waiting() };
        }
        let moved = if waits { Moved::Blocked } else { (&self.stream).write(octets).into() };
        let written = if let Moved::Octets(count) = moved { count } else { 0 };
        self.output.extend_from_slice(&octets[written..]);
        moved
    }

    /// Sends what waits, as far as the kernel takes it.
    pub(super) fn send_waiting(&mut self) -> Moved {
        let moved = (&self.stream).write(&self.output[self.sent..]).into();
        if let Moved::Octets(count) = moved {
            self.sent += count;
            self.forget_sent();
        }
        moved
    }

    /// Gives back the memory of what is sent: all of it at the end, and now and then before, so that a queue which
    /// never runs empty does not grow.
    fn forget_sent(&mut self) {
        if self.sent == self.output.len() {
            (self.output, self.sent) = (Vec::new(), 0);
        } else if self.sent >= CONGESTED {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Octets that wait for the peer to read.
    pub(super) fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }

    pub(super) fn is_congested(&self) -> bool {
        self.unsent() >= CONGESTED
    }

    /// Whether to take more from the peer.
    pub(super) fn may_read(&self) -> bool {
        !self.ended && !self.is_congested()
    }

    /// Whether nothing more can happen here: the peer has sent all, and has got all.
    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.unsent() == 0 && self.held == 0
    }

    /// Notes that a request was handed over; gives what its replies report to.
    pub(super) fn hold(&mut self) -> Arc<Backlog> {
        self.held += 1;
        if let Some(backlog) = &self.backlog {
            return Arc::clone(backlog);
        }
        self.told = self.unsent();
        Arc::clone(self.backlog.insert(Arc::new(Backlog::new(self.told))))
    }

    pub(super) fn backlog(&self) -> Option<&Backlog> {
        self.backlog.as_deref()
    }

    /// Tells those who reply over this connection how much waits now, `posted` octets of theirs having been taken
    /// over; says whether that is little again.
    pub(super) fn settle(&mut self, posted: usize) -> bool {
        let unsent = self.unsent();
        let before = mem::replace(&mut self.told, unsent);
        self.backlog.as_ref().is_some_and(|backlog| backlog.change(before + posted, unsent))
    }

    /// Notes that one request will get no further reply.
    pub(super) fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    pub(super) fn is_held(&self) -> bool {
        self.held > 0
    }

    /// What to ask epoll for now, if that is not what it was asked for last.
    pub(super) fn changed_interest(&mut self) -> Option<Interest> {
        let wanted = Interest { readable: self.may_read(), writable: self.unsent() > 0 };
        (wanted != mem::replace(&mut self.interest, wanted)).then_some(wanted)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take()
            && session.is_established()
            && self.unsent() == 0
        {
            session.close(&mut self.output);
            // A courtesy: whoever cannot take it now learns it from TCP.
            self.send_waiting();
        }
        if let Some(backlog) = &self.backlog {
            backlog.close();
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A connection and its peer's end.
    pub(in super::super) fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        (Connection::new(stream, peer.into(), None), client)
    }

    #[test]
    fn what_the_peer_has_read_takes_no_memory() {
        let (mut connection, mut client) = pair();
        let octets = vec![7; 1 << 20];
        let mut total = 0;
        while !connection.is_congested() {
            assert_ne!(connection.send(&octets), Moved::Broken);
            total += octets.len();
        }
        let mut room = vec![0; 1 << 16];
        while total > 0 {
            total -= client.read(&mut room).unwrap();
            if connection.unsent() > 0 {
                assert_ne!(connection.send_waiting(), Moved::Broken);
            }
        }
        assert_eq!((connection.unsent(), connection.output.capacity()), (0, 0));
    }

    #[test]
    fn a_queue_that_never_runs_empty_does_not_grow() {
        let (mut connection, mut client) = pair();
        let octets = vec![7; CONGESTED];
        while !connection.is_congested() {
            connection.send(&octets);
        }
        let mut room = vec![0; 1 << 20];
        for _ in 0..1000 {
            while connection.unsent() > 2 * CONGESTED {
                assert!(client.read(&mut room).unwrap() > 0);
                connection.send_waiting();
            }
            connection.send(&octets);
        }
        assert!(connection.output.len() < 8 * CONGESTED, "{}", connection.output.len());
    }

    #[test]
    fn interest_is_told_once_when_it_changes() {
        let (mut connection, _client) = pair();
        assert_eq!(connection.changed_interest(), None);
        while !connection.is_congested() {
            connection.send(&vec![7; 1 << 20]);
        }
        assert_eq!(connection.changed_interest(), Some(Interest { readable: false, writable: true }));
        assert_eq!(connection.changed_interest(), None);
    }
}
