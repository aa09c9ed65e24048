//! The tap: what was asked and answered, for somebody who writes it down.
//!
//! Each serving thread puts one of every so many queries, with its answer, into a ring of its own; replies to what was
//! handed over share one more. The writer takes no lock and allocates nothing; what finds no room is counted and gone.
//! While nobody listens, a query pays for one look at a number, and the rings have no memory.
//!
//! What does not belong here: any knowledge of what is in a message, and where it is written to.

use std::iter;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Transport;
use super::endpoint::Endpoint;
use super::ring::Ring;

/// What a query came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was answered at once, or will not be.
    Settled,
    /// It was handed over: if there is an answer, it comes as [`Stage::Answered`].
    HandedOver,
    /// One that was handed over has its first answer.
    Answered,
    /// One that was handed over has a further answer, as in a transfer.
    Continued,
}

/// A query and its answer, as somebody outside of the server may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the query came to.
    pub stage: Stage,
    /// How the query came.
    pub transport: Transport,
    /// When the query was received, in nanoseconds since 1970.
    pub asked: u64,
    /// When this was put down: the time of the answer where there is one.
    pub told: u64,
    /// Who asked.
    pub peer: SocketAddr,
    /// The address of ours that was asked.
    pub local: SocketAddr,
    /// The message that was asked.
    pub query: Box<[u8]>,
    /// The message that was sent, if one was.
    pub answer: Option<Box<[u8]>>,
}

/// The same as the writer has it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'octets> {
    pub(super) stage: Stage,
    pub(super) transport: Transport,
    pub(super) asked: NonZeroU64,
    pub(super) peer: &'octets Endpoint,
    pub(super) local: SocketAddr,
    pub(super) query: &'octets [u8],
    pub(super) answer: Option<&'octets [u8]>,
}

/// All rings of a server, for whoever reads them.
#[derive(Debug)]
pub struct Taps {
    /// One query of so many is put down; 0: none.
    every: AtomicU32,
    rings: Mutex<Vec<Arc<Ring>>>,
    replies: Mutex<Arc<Ring>>,
}

impl Taps {
    pub(super) fn new() -> Self {
        let replies = Arc::<Ring>::default();
        let rings = Mutex::new(vec![Arc::clone(&replies)]);
        Self { every: AtomicU32::new(0), rings, replies: Mutex::new(replies) }
    }

    /// Has one of `every` queries of each thread put down from now on; 0: none.
    pub fn listen(&self, every: u32) {
        let rings = self.rings();
        if every > 0 {
            rings.iter().for_each(|ring| ring.allocate());
        }
        self.every.store(every, Ordering::Release);
    }

    /// Takes what was put down, at most `limit` exchanges of each ring, the oldest first.
    #[must_use]
    pub fn take(&self, limit: usize) -> Vec<Exchange> {
        // The lock makes this the one reader.
        let rings = self.rings();
        rings.iter().flat_map(|ring| iter::from_fn(|| ring.take()).take(limit)).collect()
    }

    /// How many were put down, and how many were lost for want of room.
    pub(super) fn counts(&self) -> (u64, u64) {
        let rings = self.rings();
        rings.iter().map(|ring| ring.counts()).fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1))
    }

    /// The writer of one more ring.
    pub(super) fn tap(self: &Arc<Self>) -> Tap {
        let ring = Arc::<Ring>::default();
        let mut rings = self.rings();
        if self.every.load(Ordering::Relaxed) > 0 {
            ring.allocate();
        }
        rings.push(Arc::clone(&ring));
        Tap { taps: Arc::clone(self), ring, left: 0 }
    }

    /// Puts down a reply to something that was handed over; off the fast path, so a mutex is fine here.
    pub(super) fn reply(&self, seen: &Seen<'_>) {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner).put(seen, now().get());
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn rings(&self) -> MutexGuard<'_, Vec<Arc<Ring>>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one writer of a ring.
#[derive(Debug)]
pub(super) struct Tap {
    taps: Arc<Taps>,
    ring: Arc<Ring>,
    /// Queries until the next that is put down.
    left: u32,
}

impl Tap {
    /// Counts a query; gives the time if it is one to put down.
    #[inline]
    pub(super) fn asked(&mut self) -> Option<NonZeroU64> {
        match self.taps.every.load(Ordering::Relaxed) {
            0 => None,
            every => self.count(every),
        }
    }

    #[cold]
    fn count(&mut self, every: u32) -> Option<NonZeroU64> {
        // Should somebody have asked for more of them meanwhile, the next comes soon enough.
        self.left = self.left.min(every).saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        self.left = every;
        Some(now())
    }

    /// Puts it down, if there is room.
    #[cold]
    pub(super) fn put(&mut self, seen: &Seen<'_>) {
        self.ring.put(seen, now().get());
    }
}

/// Nanoseconds since 1970.
fn now() -> NonZeroU64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).ok().and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN)
}
