//! The set of zones as served: an immutable value, found by apex.
//!
//! Split into shards by the hash of the apex, so that changing one zone copies one shard and a short row of pointers.
//! A zone that is ours but cannot be served stands here too: its names are answered SERVFAIL, not REFUSED.

use std::sync::Arc;

use super::Zone;
use super::hash::{self, LookupName};
use crate::name::{self, Name};

const SHARDS: usize = 256;

type Shard = Arc<[(u64, Entry)]>;

/// What stands for one apex.
#[derive(Clone)]
pub enum Entry {
    /// Served.
    Zone(Arc<Zone>),
    /// Ours, but without data that could be served.
    Unavailable(Arc<Name>),
}

impl Entry {
    fn is_large(&self) -> bool {
        matches!(self, Self::Zone(zone) if zone.is_large())
    }

    /// The apex.
    #[must_use]
    pub fn apex(&self) -> &Name {
        match self {
            Self::Zone(zone) => zone.apex(),
            Self::Unavailable(apex) => apex,
        }
    }
}

/// An immutable set of zones.
#[derive(Clone)]
pub struct Catalogue {
    shards: Arc<[Shard]>,
    /// How many zones have an apex of so many labels; only such suffixes of a name are looked up.
    depths: Arc<[u32; name::MAX_LABELS + 1]>,
    /// Bit n: some apex has n labels.
    depth_bits: u128,
    /// How many zones are large enough to look ahead in.
    large: usize,
}

impl Default for Catalogue {
    fn default() -> Self {
        let empty: Shard = Arc::new([]);
        Self {
            shards: vec![empty; SHARDS].into(),
            depths: Arc::new([0; name::MAX_LABELS + 1]),
            depth_bits: 0,
            large: 0,
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "eight bits are left")]
fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

impl Catalogue {
    /// How many zones there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.depths.iter().map(|&count| count as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.depth_bits == 0
    }

    /// Whether some zone is worth looking ahead in.
    #[must_use]
    pub fn has_large_zones(&self) -> bool {
        self.large > 0
    }

    /// What is served for exactly this apex.
    #[must_use]
    pub fn entry(&self, apex: &Name) -> Option<&Entry> {
        self.entry_of(hash::of_name(apex.as_wire(), hash::root()), apex.as_wire())
    }

    #[inline]
    fn entry_of(&self, hash: u64, apex: &[u8]) -> Option<&Entry> {
        let shard = &self.shards[shard_of(hash)];
        let from = shard.partition_point(|&(other, _)| other < hash);
        shard[from..]
            .iter()
            .take_while(|&&(other, _)| other == hash)
            .map(|(_, entry)| entry)
            .find(|entry| name::same(entry.apex().as_wire(), apex))
    }

    /// The zone nearest above a name, and the label at which its apex begins; `from` 1 leaves out a zone that has the
    /// name itself as its apex (for DS, which lives at the parent side: RFC 4035 §3.1.4.1).
    #[must_use]
    #[inline]
    pub fn nearest<'c>(&'c self, name: &LookupName, from: usize) -> Option<(&'c Entry, usize)> {
        (from..=name.count()).find_map(|index| {
            let labels = name.count() - index;
            if self.depth_bits >> labels & 1 == 0 {
                return None;
            }
            Some((self.entry_of(name.hash(index), name.suffix(index))?, index))
        })
    }

    /// A copy with these entries added or replaced, and entries of `removed` apexes taken out.
    #[must_use]
    pub fn changed(&self, entries: impl IntoIterator<Item = Entry>, removed: &[Name]) -> Self {
        let mut shards: Vec<Vec<(u64, Entry)>> = vec![Vec::new(); SHARDS];
        let mut touched = [false; SHARDS];
        let mut depths = *self.depths;
        let mut large = self.large;
        let mut open = |hash: u64, shards: &mut Vec<Vec<(u64, Entry)>>, apex: &Name| {
            let index = shard_of(hash);
            if !std::mem::replace(&mut touched[index], true) {
                shards[index] = self.shards[index].to_vec();
            }
            let before = shards[index].len();
            shards[index].retain(|(other, entry)| {
                let stays = *other != hash || entry.apex() != apex;
                large -= usize::from(!stays && entry.is_large());
                stays
            });
            (index, before != shards[index].len())
        };
        for apex in removed {
            let hash = hash::of_name(apex.as_wire(), hash::root());
            let (_, was_there) = open(hash, &mut shards, apex);
            depths[apex.label_count()] -= u32::from(was_there);
        }
        let mut added_large = 0;
        for entry in entries {
            let apex = entry.apex().clone();
            let hash = hash::of_name(apex.as_wire(), hash::root());
            let (index, was_there) = open(hash, &mut shards, &apex);
            depths[apex.label_count()] += u32::from(!was_there);
            added_large += usize::from(entry.is_large());
            let at = shards[index].partition_point(|&(other, _)| other < hash);
            shards[index].insert(at, (hash, entry));
        }
        let shards = shards.into_iter().zip(touched).zip(self.shards.iter());
        let shards = shards.map(|((new, touched), old)| if touched { new.into() } else { old.clone() }).collect();
        let depth_bits =
            depths.iter().enumerate().fold(0, |bits, (depth, &count)| bits | u128::from(count > 0) << depth);
        Self { shards, depths: Arc::new(depths), depth_bits, large: large + added_large }
    }

    /// All entries, in no order that means anything.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(_, entry)| entry))
    }
}
