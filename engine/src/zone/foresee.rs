//! Brings the memory that a batch of look-ups will need into the processor's caches, all look-ups at the same time.
//!
//! Looking a name up among many waits for memory four times and more, each time for what the last one told. One name after
//! the other, that is most of the cost of an answer; here the names of a batch take each of the steps together, and the
//! processor waits for many of them at once. Nothing is decided here, and nothing depends on it.

use std::hint::black_box;

use smallvec::SmallVec;

use super::Zone;
use super::catalogue::Catalogue;
use super::hash::{self, LookupName};
use super::page::{Flags, Page};
use crate::name;
use crate::rdata::types;

/// Names in a batch that are looked ahead for.
pub const BATCH: usize = 64;
/// Look-ups for each of them: the name itself and, for what does not exist or is delegated, the name above it.
const SIGHTS_EACH: usize = 2;
/// Suffixes of the names of a batch; a batch of long names is not looked ahead for to its end.
const HASHES: usize = BATCH * 8;
/// Look-ups in all.
const SIGHTS: usize = BATCH * SIGHTS_EACH;

/// A look-up that is going to happen: the zone, and the hash of the name.
type Sight<'z> = (&'z Zone, u64);
type Sights<'z> = SmallVec<[Sight<'z>; SIGHTS]>;

/// Looks ahead for the names of a batch; `room` is to take them apart in.
pub fn foresee<'q>(catalogue: &Catalogue, room: &mut LookupName, names: impl Iterator<Item = &'q [u8]>) {
    let mut hashes: SmallVec<[u64; HASHES]> = SmallVec::new();
    let mut ends: SmallVec<[usize; BATCH]> = SmallVec::new();
    let mut touched = 0;
    for name in names.take(BATCH) {
        room.fill(name);
        if hashes.len() + room.hashes().len() <= HASHES {
            hashes.extend_from_slice(room.hashes());
            ends.push(hashes.len());
            touched ^= catalogue.touch(room.hashes());
        }
    }
    let (mut sights, mut start) = (Sights::new(), 0);
    for end in ends {
        let of_name = &hashes[start..end];
        if let Some((zone, apex)) = catalogue.foreseen(of_name) {
            sights.extend(of_name[..apex.min(SIGHTS_EACH)].iter().map(|&hash| (zone, hash)));
        }
        start = end;
    }
    touched ^= sights.iter().fold(0, |sum, (zone, _)| sum ^ zone.touch());
    let pointed_at = visit(&sights);
    visit(&pointed_at);
    black_box(touched);
}

/// Takes look-ups to their nodes; gives those that follow from what is there: glue of delegations, targets of aliases.
fn visit<'z>(sights: &[Sight<'z>]) -> Sights<'z> {
    let rows = sights.iter().fold(0, |sum, &(zone, hash)| sum ^ zone.row_of(hash).len());
    let pages: SmallVec<[(&Page, u64); SIGHTS]> =
        sights.iter().map(|&(zone, hash)| (zone.page_of(hash), hash)).collect();
    let masks: SmallVec<[u32; SIGHTS]> = pages.iter().map(|(page, _)| page.slot_mask()).collect();
    let steps = pages.iter().zip(&masks);
    let entries: SmallVec<[Option<u32>; SIGHTS]> =
        steps.map(|(&(page, hash), &mask)| page.first_entry(hash, mask)).collect();
    black_box(rows);
    let nodes = sights.iter().zip(&pages).zip(&entries).filter_map(|((sight, (page, _)), &entry)| {
        let offset = entry?;
        page.flags_at(offset).any(Flags::CUT | Flags::CNAME).then_some((sight.0, *page, offset))
    });
    let pointing: SmallVec<[(&Zone, &Page, u32); BATCH]> = nodes.collect();
    let mut targets = Sights::new();
    for (zone, page, offset) in pointing {
        targets.extend(pointed_at(zone, page, offset));
    }
    targets
}

/// The first name in the zone that a delegation or an alias points at.
fn pointed_at<'z>(zone: &'z Zone, page: &'z Page, offset: u32) -> Option<Sight<'z>> {
    let node = page.node_at(offset);
    let rtype = if node.flags.any(Flags::CUT) { types::NS } else { types::CNAME };
    let apex = zone.apex().as_wire();
    let target = node.rrset(rtype)?.rdatas().find(|target| name::is_at_or_below(target, apex))?;
    Some((zone, hash::of_name(&target[..target.len() - apex.len()], zone.apex_hash())))
}
