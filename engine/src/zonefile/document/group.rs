//! A change, `RRset` by `RRset`.

use crate::name;
use crate::rdata::{self, types};
use crate::zone::change::OwnedRecord;

/// Type of an `RRset`; signatures form one for each type they cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RrsetType {
    pub(super) rtype: u16,
    covered: u16,
}

impl RrsetType {
    pub(super) fn of(rtype: u16, rdata: &[u8]) -> Self {
        let covered = rdata.first_chunk().filter(|_| rtype == types::RRSIG);
        Self { rtype, covered: covered.map_or(0, |octets| u16::from_be_bytes(*octets)) }
    }
}

/// What becomes of one `RRset`.
#[derive(Debug)]
pub(super) struct RrsetChange {
    /// Wire form.
    pub(super) owner: Box<[u8]>,
    pub(super) kind: RrsetType,
    pub(super) removed: Vec<Box<[u8]>>,
    pub(super) added: Vec<Box<[u8]>>,
    /// The TTL of what is added, which is that of all.
    pub(super) ttl: Option<u32>,
}

impl RrsetChange {
    pub(super) fn removes(&self, rdata: &[u8]) -> bool {
        self.removed.iter().any(|other| rdata::same(self.kind.rtype, other, rdata))
    }

    pub(super) fn adds(&self, rdata: &[u8]) -> bool {
        self.added.iter().any(|other| rdata::same(self.kind.rtype, other, rdata))
    }
}

/// The `RRsets` of a change in the order of their first mention.
pub(super) fn by_rrset(remove: &[OwnedRecord], add: &[OwnedRecord]) -> Vec<RrsetChange> {
    let mut changes: Vec<RrsetChange> = Vec::new();
    let mut known = std::collections::HashMap::new();
    let removed = remove.iter().map(|record| (record, false));
    for (record, is_added) in removed.chain(add.iter().map(|record| (record, true))) {
        let kind = RrsetType::of(record.rtype, &record.rdata);
        let key = (record.owner.to_ascii_lowercase(), kind.rtype, kind.covered);
        let at = *known.entry(key).or_insert_with(|| {
            let owner = record.owner.clone();
            changes.push(RrsetChange { owner, kind, removed: Vec::new(), added: Vec::new(), ttl: None });
            changes.len() - 1
        });
        let change = &mut changes[at];
        if is_added {
            change.added.push(record.rdata.clone());
            change.ttl = Some(change.ttl.map_or(record.ttl, |ttl| ttl.min(record.ttl)));
        } else {
            change.removed.push(record.rdata.clone());
        }
    }
    changes
}

/// The ancestors of a name that lie below the apex, the nearest first.
pub(super) fn ancestors<'n>(owner: &'n [u8], apex: &'n [u8]) -> impl Iterator<Item = &'n [u8]> {
    let parent = |name: &'n [u8]| name.first().map(|&length| &name[1 + usize::from(length)..]);
    std::iter::successors(parent(owner), move |name| parent(name))
        .take_while(move |name| name.len() > apex.len() && name::is_at_or_below(name, apex))
}
