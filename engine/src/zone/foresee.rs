//! Brings the memory that a batch of look-ups will need into the processor's caches, all look-ups at the same time.
//!
//! Looking a name up among many waits for memory four times and more, each time for what the last one told. One name after
//! the other, that is most of the cost of an answer; here the names of a batch take each of the four steps together,
//! and the processor waits for many of them at once. Nothing is decided here, and nothing depends on it.

use std::hint::black_box;

use smallvec::SmallVec;

use super::Zone;
use super::page::Page;

/// Names in a batch that are looked ahead for.
pub const BATCH: usize = 64;
/// Look-ups for each of them.
pub const SIGHTS_EACH: usize = 2;
/// Look-ups in all.
pub const SIGHTS: usize = BATCH * SIGHTS_EACH;

/// A look-up that is going to happen: the zone, and the hash of the name.
pub type Sight<'z> = (&'z Zone, u64);

/// Looks ahead.
pub fn foresee(sights: &[Sight<'_>]) {
    let pages: SmallVec<[(&Page, u64); SIGHTS]> =
        sights.iter().map(|&(zone, hash)| (zone.page_of(hash), hash)).collect();
    let masks: SmallVec<[u32; SIGHTS]> = pages.iter().map(|(page, _)| page.slot_mask()).collect();
    let steps = pages.iter().zip(&masks);
    let entries: SmallVec<[u32; SIGHTS]> = steps.map(|(&(page, hash), &mask)| page.first_entry(hash, mask)).collect();
    let touched = pages.iter().zip(&entries).fold(0, |sum, ((page, _), &entry)| sum ^ page.touch(entry));
    black_box(touched);
}
