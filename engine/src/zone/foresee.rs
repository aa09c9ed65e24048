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
/// Look-ups in all.
const SIGHTS: usize = BATCH * SIGHTS_EACH;

/// A look-up that is going to happen: the zone, and the hash of the name.
type Sight<'z> = (&'z Zone, u64);
type Sights<'z> = SmallVec<[Sight<'z>; SIGHTS]>;

/// The names of a batch, taken apart once for looking ahead and for answering.
#[derive(Default)]
pub struct Foreseen {
    names: Vec<LookupName>,
    /// How many of them are of this batch.
    count: usize,
    /// The first that was not taken yet.
    next: usize,
}

impl Foreseen {
    /// A name of the batch as taken apart. Names are taken in their order, but some may be left out.
    #[inline]
    pub fn take(&mut self, wire: &[u8]) -> Option<&LookupName> {
        let ahead = self.names[self.next..self.count].iter().position(|name| name.wire() == wire)?;
        self.next += ahead + 1;
        Some(&self.names[self.next - 1])
    }
}

/// Looks ahead for the names of a batch, and keeps them for the answers.
pub fn foresee<'q>(catalogue: &Catalogue, foreseen: &mut Foreseen, names: impl Iterator<Item = &'q [u8]>) {
    let (mut count, mut touched) = (0, 0);
    for name in names.take(BATCH) {
        if foreseen.names.len() == count {
            foreseen.names.push(LookupName::default());
        }
        let room = &mut foreseen.names[count];
        room.fill(name);
        touched ^= catalogue.touch(room.hashes());
        count += 1;
    }
    (foreseen.count, foreseen.next) = (count, 0);
    let mut sights = Sights::new();
    for name in &foreseen.names[..count] {
        if let Some((zone, apex)) = catalogue.foreseen(name.hashes()) {
            sights.extend(name.hashes()[..apex.min(SIGHTS_EACH)].iter().map(|&hash| (zone, hash)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&[u8]; 4] = [b"\x01a\x00", b"\x01b\x00", b"\x01c\x00", b"\x01B\x00"];

    #[test]
    fn names_are_taken_in_their_order_and_some_may_be_left_out() {
        let mut foreseen = Foreseen::default();
        for wanted in [&NAMES[..], &NAMES[1..], &[NAMES[0], NAMES[3]]] {
            foresee(&Catalogue::default(), &mut foreseen, NAMES.into_iter());
            for &name in wanted {
                assert_eq!(foreseen.take(name).map(LookupName::wire), Some(name));
            }
            assert!(foreseen.take(b"\x01d\x00").is_none());
        }
        assert!(foreseen.take(NAMES[0]).is_none(), "each is taken once");
    }

    #[test]
    fn a_shorter_batch_forgets_the_names_of_a_longer_one() {
        let mut foreseen = Foreseen::default();
        foresee(&Catalogue::default(), &mut foreseen, NAMES.into_iter());
        foresee(&Catalogue::default(), &mut foreseen, NAMES[..1].iter().copied());
        assert!(foreseen.take(NAMES[1]).is_none());
        assert!(foreseen.take(NAMES[0]).is_some());
    }
}
