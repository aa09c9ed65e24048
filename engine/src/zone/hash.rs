//! Hashes of names: of a whole name and, in the same pass, of each of its ancestors.
//!
//! The hash of a name is that of its parent extended by one label, so one walk from the root towards the owner gives
//! all that a search for the zone, the node and its closest encloser needs. Case does not count (RFC 4343). The seed
//! is drawn once per process: strangers cannot aim at one page.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use crate::name::{MAX_LABELS, MAX_WIRE, label_starts, lower_case, pack};

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("oakroot"));

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const LENGTH_MULTIPLIER: u64 = 0xd6e8_feb8_6659_fd93;

/// The hash of the root.
#[must_use]
pub fn root() -> u64 {
    *SEED
}

/// The hash of the name that has `label` (without its length octet, any case) below the name of hash `parent`.
#[must_use]
#[inline]
pub fn extend(parent: u64, label: &[u8]) -> u64 {
    let mut hash = parent ^ (label.len() as u64).wrapping_mul(LENGTH_MULTIPLIER);
    let mut rest = label;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        rest = after;
    }
    if rest.is_empty() { hash } else { mix(hash, pack(rest)) }
}

/// Folds eight octets, made lower case, into the hash.
#[inline]
fn mix(hash: u64, octets: u64) -> u64 {
    let product = u128::from(hash ^ lower_case(octets)).wrapping_mul(u128::from(MULTIPLIER));
    #[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
    {
        (product as u64) ^ ((product >> 64) as u64)
    }
}

/// The hash of a whole wire name (with or without its final zero) below the name of hash `above`.
#[must_use]
pub fn of_name(wire: &[u8], above: u64) -> u64 {
    let mut starts = [0; MAX_LABELS + 1];
    let count = label_starts(wire, &mut starts);
    starts[..count].iter().rev().fold(above, |hash, &start| {
        let start = usize::from(start);
        extend(hash, &wire[start + 1..start + 1 + usize::from(wire[start])])
    })
}

/// A name taken apart for looking up: where its labels begin and the hash of each suffix. Kept and refilled, since
/// clearing it would cost as much as an answer.
pub struct LookupName {
    /// Longer than any name, so that eight octets can be read from any place in it.
    wire: [u8; MAX_WIRE + 8],
    length: usize,
    starts: [u8; MAX_LABELS + 1],
    hashes: [u64; MAX_LABELS + 1],
    count: usize,
}

impl Default for LookupName {
    fn default() -> Self {
        let mut made = Self {
            wire: [0; MAX_WIRE + 8],
            length: 1,
            starts: [0; MAX_LABELS + 1],
            hashes: [0; MAX_LABELS + 1],
            count: 0,
        };
        made.fill(&[0]);
        made
    }
}

impl LookupName {
    /// Takes an uncompressed wire name of at most 255 octets.
    #[inline]
    pub fn fill(&mut self, wire: &[u8]) {
        self.length = wire.len().min(MAX_WIRE);
        self.wire[..self.length].copy_from_slice(&wire[..self.length]);
        self.count = label_starts(&self.wire[..self.length], &mut self.starts);
        #[allow(clippy::cast_possible_truncation, reason = "a name has at most 255 octets")]
        {
            self.starts[self.count] = (self.length - 1) as u8;
        }
        let mut hash = root();
        self.hashes[self.count] = hash;
        for index in (0..self.count).rev() {
            hash = self.extend(hash, self.start(index));
            self.hashes[index] = hash;
        }
    }

    /// The same as `extend` for the label that begins at octet `start`, most of which have at most eight octets.
    #[inline]
    fn extend(&self, parent: u64, start: usize) -> u64 {
        let length = usize::from(self.wire[start]);
        match self.wire[start + 1..].first_chunk::<8>() {
            Some(octets) if length <= 8 => {
                let hash = parent ^ (length as u64).wrapping_mul(LENGTH_MULTIPLIER);
                mix(hash, u64::from_le_bytes(*octets) & u64::MAX >> (64 - 8 * length))
            }
            _ => extend(parent, &self.wire[start + 1..start + 1 + length]),
        }
    }

    /// The whole name.
    #[must_use]
    #[inline]
    pub fn wire(&self) -> &[u8] {
        &self.wire[..self.length]
    }

    /// How many labels, the root not counted. Index `count()` below stands for the root itself.
    #[must_use]
    #[inline]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The label at `index` from the left, without its length octet.
    #[must_use]
    #[inline]
    pub fn label(&self, index: usize) -> &[u8] {
        let start = usize::from(self.starts[index]);
        &self.wire[start + 1..start + 1 + usize::from(self.wire[start])]
    }

    /// Where the label at `index` begins.
    #[must_use]
    #[inline]
    pub fn start(&self, index: usize) -> usize {
        usize::from(self.starts[index])
    }

    /// The hash of the suffix that begins at label `index`.
    #[must_use]
    #[inline]
    pub fn hash(&self, index: usize) -> u64 {
        self.hashes[index]
    }

    /// The hashes of all suffixes, the root's last.
    #[must_use]
    #[inline]
    pub fn hashes(&self) -> &[u64] {
        &self.hashes[..=self.count]
    }

    /// The suffix that begins at label `index`.
    #[must_use]
    #[inline]
    pub fn suffix(&self, index: usize) -> &[u8] {
        &self.wire[self.start(index)..self.length]
    }

    /// The labels from `index` up to (not including) label `end`.
    #[must_use]
    #[inline]
    pub fn between(&self, index: usize, end: usize) -> &[u8] {
        &self.wire[self.start(index)..self.start(end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn case_does_not_count(label in prop::collection::vec(any::<u8>(), 1..64)) {
            prop_assert_eq!(extend(7, &label), extend(7, &label.to_ascii_uppercase()));
        }
    }

    #[test]
    fn every_suffix_has_the_hash_it_has_alone() {
        let mut whole = LookupName::default();
        whole.fill(b"\x03www\x07example\x03org\x00");
        assert_eq!(whole.count(), 3);
        for (index, alone) in
            [&b"\x03www\x07EXAMPLE\x03org\x00"[..], b"\x07example\x03org\x00", b"\x03org\x00", b"\x00"]
                .into_iter()
                .enumerate()
        {
            assert_eq!(whole.hash(index), of_name(alone, root()), "{index}");
            assert!(crate::name::same(whole.suffix(index), alone));
        }
        assert_eq!(whole.between(0, 1), b"\x03www");
    }
}
