//! Which blocks hold records of a name. An answer may name a block too many, never one too few.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::name::MAX_WIRE;

/// After so many additions they are sorted in among the others.
const MOST_ADDED: usize = 1 << 12;

/// Hash of an owner, number of a block.
type Entry = (u32, u32);

/// An immutable index; copies share what they have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    hasher: RandomState,
    /// Sorted.
    base: Arc<[Entry]>,
    added: Vec<Entry>,
}

impl Index {
    pub(super) fn new(hasher: RandomState, mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self { hasher, base: entries.into(), added: Vec::new() }
    }

    /// The blocks that may hold records of `owner`, in no order that means anything.
    pub(super) fn blocks(&self, owner: &[u8]) -> Vec<u32> {
        let hash = hash(&self.hasher, owner);
        let first = self.base.partition_point(|entry| entry.0 < hash);
        let base = self.base[first..].iter().take_while(|entry| entry.0 == hash);
        let added = self.added.iter().filter(|entry| entry.0 == hash);
        let mut blocks: Vec<u32> = base.chain(added).map(|entry| entry.1).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }

    pub(super) fn add(&mut self, owner: &[u8], block: u32) {
        let entry = (hash(&self.hasher, owner), block);
        if self.added.contains(&entry) || self.base.binary_search(&entry).is_ok() {
            return;
        }
        self.added.push(entry);
        if self.added.len() > MOST_ADDED {
            let all = self.base.iter().copied().chain(self.added.drain(..)).collect();
            *self = Self::new(self.hasher.clone(), all);
        }
    }
}

/// Of an owner in wire form, whatever its case. The seed is random, so that nobody can aim at one block.
#[allow(clippy::cast_possible_truncation, reason = "half of the hash is enough to tell names apart")]
pub(super) fn hash(hasher: &RandomState, owner: &[u8]) -> u32 {
    let mut lower = [0; MAX_WIRE];
    let lower = &mut lower[..owner.len().min(MAX_WIRE)];
    lower.copy_from_slice(&owner[..lower.len()]);
    lower.make_ascii_lowercase();
    hasher.hash_one(&*lower) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_whatever_the_case_also_after_sorting_in() {
        let hasher = RandomState::new();
        let mut index = Index::new(hasher.clone(), vec![(hash(&hasher, b"\x01a\x00"), 7)]);
        for block in 0..10_000 {
            index.add(format!("\u{1}{block}").as_bytes(), block);
        }
        index.add(b"\x01A\x00", 9);
        assert!([7, 9].iter().all(|block| index.blocks(b"\x01a\x00").contains(block)));
        assert!(index.blocks(b"\x0177").contains(&77));
        assert!(index.added.len() <= MOST_ADDED);
    }
}
