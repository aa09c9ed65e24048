//! Joins answers and sockets: what each serving thread asks, and how a new catalogue reaches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::answer::respond::{self, Outcome, Peer, Room, Scratch, Settings};
use crate::message::query;
use crate::serve::{Endpoint, Labels, Responder, ResponseClass, Transport, Verdict};
use crate::zone::catalogue::Catalogue;
use crate::zone::foresee::foresee;

/// The catalogue that is served now. Publishing swaps the whole; a thread looks at one number per batch to see
/// whether it is still up to date, and takes the lock only when it is not.
#[derive(Default)]
pub struct Publication {
    generation: AtomicU64,
    current: Mutex<Arc<Catalogue>>,
}

impl Publication {
    /// Serves `catalogue` from the next batch of every thread on.
    pub fn publish(&self, catalogue: Arc<Catalogue>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = catalogue;
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// Answers for one serving thread.
pub struct CatalogueResponder {
    publication: Arc<Publication>,
    generation: u64,
    catalogue: Arc<Catalogue>,
    settings: Settings,
    scratch: Scratch,
    /// Whether it pays to look ahead.
    looks_ahead: bool,
    now: u32,
}

impl CatalogueResponder {
    /// A responder that serves what is published there.
    #[must_use]
    pub fn new(publication: Arc<Publication>, settings: Settings) -> Self {
        // A generation that never was, so that the first refresh takes what is there.
        let generation = u64::MAX;
        let catalogue = Arc::default();
        Self { publication, generation, catalogue, settings, scratch: Scratch::default(), looks_ahead: false, now: 0 }
    }
}

impl Responder for CatalogueResponder {
    fn refresh(&mut self) {
        self.now = seconds_since_1970();
        let generation = self.publication.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            let newest = self.publication.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.looks_ahead = newest.is_large();
            self.catalogue = newest;
        }
    }

    fn foresee<'q>(&mut self, queries: impl Iterator<Item = &'q [u8]>) {
        if !self.looks_ahead {
            return;
        }
        let names = queries.filter_map(query::question).map(|(name, _)| name);
        foresee(&self.catalogue, &mut self.scratch.foreseen, names);
    }

    #[inline]
    fn respond(&mut self, query: &[u8], transport: Transport, peer: &Endpoint, room: &mut [u8]) -> Verdict {
        let peer = Peer { address: peer.address(), tcp: transport != Transport::Udp };
        let room = Room { out: room, reserve: 0 };
        match respond::respond(&self.catalogue, &self.settings, &mut self.scratch, query, peer, self.now, room) {
            Outcome::Answer { length, kind, subject, proved, facts } => Verdict::Answer {
                length,
                #[allow(clippy::cast_possible_truncation, reason = "half a hash is enough to count by")]
                class: ResponseClass { kind: kind as u8, key: subject as u32 },
                exempt: proved,
                labels: Labels {
                    question: facts.qtype,
                    code: facts.rcode,
                    truncated: facts.truncated,
                    cookie: facts.cookie,
                },
            },
            Outcome::Silence => Verdict::Silence,
            Outcome::HandOver => Verdict::HandOver,
        }
    }

    fn truncate(&mut self, query: &[u8], room: &mut [u8]) -> usize {
        respond::truncated(&self.settings, query, room)
    }
}

/// Modulo 2³², as cookies count (RFC 9018 §4.3).
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "the modulus is meant")]
pub fn seconds_since_1970() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}
