//! How other threads reach a connection: letters to the TCP thread that owns it.
//!
//! A letter names the connection by a token that is never used twice, so one that comes too late meets nobody.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::frames;
use super::table::Token;
use crate::serve::event::Event;

/// From here on a backlog is high: whoever has more to send waits until it is not.
pub(in crate::serve) const HIGH_BACKLOG: usize = 64 * 1024;

/// What other threads want of a connection.
#[derive(Debug)]
pub(super) enum Letter {
    /// Send this message; its length stands in front.
    Send(Token, Vec<u8>),
    /// One of the requests handed over from this connection will get no further reply.
    Finished(Token),
}

/// The letters that wait for one TCP thread.
#[derive(Debug)]
pub(in crate::serve) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    event: Event,
}

impl Mailbox {
    pub(in crate::serve) fn new() -> io::Result<Self> {
        Ok(Self { letters: Mutex::default(), event: Event::new()? })
    }

    /// Makes the thread look up: for letters, or whether it is to stop.
    pub(in crate::serve) fn wake(&self) {
        self.event.raise();
    }

    fn post(&self, letter: Letter) {
        // A panic cannot leave a vector half pushed to, so a poisoned lock is as good as any.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        self.wake();
    }

    /// Swaps the letters that came for an empty vector.
    pub(super) fn collect(&self, into: &mut Vec<Letter>) {
        self.event.lower();
        std::mem::swap(into, &mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// How many octets are on their way to a peer: posted here, or queued in its connection. Shared by a connection and
/// the requests handed over from it.
#[derive(Debug)]
pub(super) struct Backlog {
    unsent: AtomicUsize,
    /// The peer sends nothing more.
    ended: AtomicBool,
    gone: AtomicBool,
}

impl Backlog {
    pub(super) fn new(queued: usize) -> Self {
        Self { unsent: AtomicUsize::new(queued), ended: AtomicBool::new(false), gone: AtomicBool::new(false) }
    }

    /// So many octets more wait.
    fn grow(&self, octets: usize) {
        self.unsent.fetch_add(octets, Ordering::Relaxed);
    }

    /// Where `before` octets of those counted were, there are `after`; says whether that was when the backlog stopped
    /// being high.
    pub(super) fn change(&self, before: usize, after: usize) -> bool {
        if after >= before {
            self.grow(after - before);
            return false;
        }
        let taken = before - after;
        let total = self.unsent.fetch_sub(taken, Ordering::Relaxed);
        total >= HIGH_BACKLOG && total - taken < HIGH_BACKLOG
    }

    /// The peer has closed its side: it may still read.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// The connection is closed.
    pub(super) fn close(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// The way back to the connection a request came from. Dropping it tells the connection that the request is done.
#[derive(Debug)]
pub(in crate::serve) struct ReplyPath {
    mailbox: Arc<Mailbox>,
    token: Token,
    backlog: Arc<Backlog>,
}

impl ReplyPath {
    pub(super) fn new(mailbox: Arc<Mailbox>, token: Token, backlog: Arc<Backlog>) -> Self {
        Self { mailbox, token, backlog }
    }

    /// Sends a message of at most 65535 octets.
    pub(in crate::serve) fn send(&self, wire: &[u8]) {
        if self.is_gone() {
            return;
        }
        let framed = frames::framed(wire);
        self.backlog.grow(framed.len());
        self.mailbox.post(Letter::Send(self.token, framed));
    }

    pub(in crate::serve) fn unsent(&self) -> usize {
        if self.is_gone() { 0 } else { self.backlog.unsent.load(Ordering::Relaxed) }
    }

    pub(in crate::serve) fn has_ended(&self) -> bool {
        self.is_gone() || self.backlog.ended.load(Ordering::Relaxed)
    }

    pub(in crate::serve) fn is_gone(&self) -> bool {
        self.backlog.gone.load(Ordering::Relaxed)
    }
}

impl Drop for ReplyPath {
    fn drop(&mut self) {
        if !self.is_gone() {
            self.mailbox.post(Letter::Finished(self.token));
        }
    }
}
