//! What the meaning of a line depends on beside its own text, and how lines change that.

use std::sync::Arc;

use super::pieces::{Kind, Piece};
use crate::name;
use crate::rdata::types;
use crate::record::EntryStart;
use crate::zonefile::reader::{Owner, Reader};
use crate::zonefile::ttl;

/// The TTL of a record that has none written (RFC 2308 §4, RFC 1035 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InheritedTtl {
    /// From `$TTL`, or from the minimum of a SOA. It stays.
    Default(u32),
    /// The one written last.
    Last(u32),
    Nothing,
}

impl InheritedTtl {
    pub(super) fn seconds(self) -> Option<u32> {
        match self {
            Self::Default(seconds) | Self::Last(seconds) => Some(seconds),
            Self::Nothing => None,
        }
    }

    pub(super) fn default(self) -> Option<u32> {
        if let Self::Default(seconds) = self { Some(seconds) } else { None }
    }
}

/// What holds at the start of a line.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Wire form.
    pub(super) origin: Arc<[u8]>,
    pub(super) ttl: InheritedTtl,
    /// Whom a line belongs to that leaves its owner blank; wire form.
    pub(super) owner: Option<Arc<[u8]>>,
}

impl State {
    /// What holds before an entry; `origin` is its origin.
    pub(super) fn of(start: &EntryStart<'_>, origin: &Arc<[u8]>) -> Self {
        Self {
            origin: Arc::clone(origin),
            ttl: inherited(start.default_ttl, start.last_ttl),
            owner: start.owner.map(Arc::from),
        }
    }

    /// Sets a reader to this state.
    pub(super) fn enter(&self, reader: &mut Reader<'_>) {
        reader.origin = self.origin.to_vec();
        (reader.default_ttl, reader.last_ttl) = match self.ttl {
            InheritedTtl::Default(seconds) => (Some(seconds), None),
            InheritedTtl::Last(seconds) => (None, Some(seconds)),
            InheritedTtl::Nothing => (None, None),
        };
        reader.owner_wire.clear();
        reader.owner = Owner::None;
        if let Some(owner) = &self.owner {
            reader.owner_wire.extend_from_slice(owner);
            reader.owner = Owner::Known;
        }
    }

    pub(super) fn has_owner(&self, owner: &[u8]) -> bool {
        self.owner.as_ref().is_some_and(|known| name::same(known, owner))
    }

    pub(super) fn same_owner(&self, other: &Self) -> bool {
        match &other.owner {
            Some(owner) => self.has_owner(owner),
            None => self.owner.is_none(),
        }
    }

    /// The TTL that a record without one would get here: a SOA may give itself its minimum.
    pub(super) fn ttl_for(&self, rtype: u16, rdata: &[u8]) -> Option<u32> {
        self.ttl.seconds().or_else(|| minimum(rtype, rdata))
    }

    /// Goes past a piece.
    pub(super) fn pass(&mut self, piece: &Piece) {
        match &piece.kind {
            Kind::Gap => {}
            Kind::Directive { origin, default_ttl } => {
                self.origin = Arc::clone(origin);
                if let Some(seconds) = *default_ttl {
                    self.ttl = InheritedTtl::Default(seconds);
                }
            }
            Kind::Record(record) => {
                self.owner = Some(Arc::clone(&record.owner));
                let gives_itself = self.ttl == InheritedTtl::Nothing && !piece.has_ttl();
                match minimum(record.rtype, &record.rdata).filter(|_| gives_itself) {
                    Some(seconds) => self.ttl = InheritedTtl::Default(seconds),
                    None => self.pass_ttl(record.ttl),
                }
            }
            Kind::Generated(records) => {
                if let Some(last) = records.last() {
                    self.pass_ttl(last.ttl);
                }
            }
        }
    }

    /// A record without a TTL has the one written last, so either way it is the last one now.
    fn pass_ttl(&mut self, seconds: u32) {
        if self.ttl.default().is_none() {
            self.ttl = InheritedTtl::Last(seconds);
        }
    }
}

pub(super) fn inherited(default_ttl: Option<u32>, last_ttl: Option<u32>) -> InheritedTtl {
    match (default_ttl, last_ttl) {
        (Some(seconds), _) => InheritedTtl::Default(seconds),
        (None, Some(seconds)) => InheritedTtl::Last(seconds),
        (None, None) => InheritedTtl::Nothing,
    }
}

fn minimum(rtype: u16, rdata: &[u8]) -> Option<u32> {
    let octets = rdata.last_chunk().filter(|_| rtype == types::SOA)?;
    Some(u32::from_be_bytes(*octets).min(ttl::LONGEST))
}
