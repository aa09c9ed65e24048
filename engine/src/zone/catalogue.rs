//! The set of zones as served: an immutable value, found by apex.
//!
//! Split into shards by the hash of the apex, so that changing one zone copies one shard and a short row of pointers.
//! A zone that is ours but cannot be served stands here too: its names are answered SERVFAIL, not REFUSED.

use std::sync::Arc;

use super::Zone;
use super::hash::{self, LookupName};
use crate::name::{self, Name};

const SHARDS: usize = 256;
/// With fewer names than this all of them stay in the caches.
const LARGE: usize = 20_000;

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
    fn name_count(&self) -> usize {
        match self {
            Self::Zone(zone) => zone.name_count(),
            Self::Unavailable(_) => 0,
        }
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
    /// Names in all zones.
    names: usize,
}

impl Default for Catalogue {
    fn default() -> Self {
        let empty: Shard = Arc::new([]);
        Self { shards: vec![empty; SHARDS].into(), depths: Arc::new([0; name::MAX_LABELS + 1]), names: 0 }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "eight bits are left")]
fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize
}

/// Where in a shard a hash should stand: hashes are spread evenly.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the product's upper half is below the length")]
fn guess(shard: &[(u64, Entry)], hash: u64) -> usize {
    ((u128::from(hash << 8) * shard.len() as u128) >> 64) as usize
}

/// Where in a shard the first hash stands that is not below this one: close to where it should.
#[inline]
fn first_at_least(shard: &[(u64, Entry)], hash: u64) -> usize {
    let mut at = guess(shard, hash);
    while at > 0 && shard[at - 1].0 >= hash {
        at -= 1;
    }
    while at < shard.len() && shard[at].0 < hash {
        at += 1;
    }
    at
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
        self.depths.iter().all(|&count| count == 0)
    }

    /// Whether there are more names than the processor's caches hold anyway, so that it pays to look ahead.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.names > LARGE
    }

    /// What is served for exactly this apex.
    #[must_use]
    pub fn entry(&self, apex: &Name) -> Option<&Entry> {
        self.entry_of(hash::of_name(apex.as_wire(), hash::root()), apex.as_wire())
    }

    #[inline]
    fn entry_of(&self, hash: u64, apex: &[u8]) -> Option<&Entry> {
        let shard = &self.shards[shard_of(hash)];
        shard[first_at_least(shard, hash)..]
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
        self.candidates(name.count(), from)
            .find_map(|index| Some((self.entry_of(name.hash(index), name.suffix(index))?, index)))
    }

    /// The labels, none before `from`, at which an apex could begin in a name of `count` labels, the longest first.
    #[inline]
    fn candidates(&self, count: usize, from: usize) -> impl Iterator<Item = usize> {
        (from..=count).filter(move |&index| self.depths[count - index] > 0)
    }

    /// Reads what the search for the zone of a name reads first. `hashes` are those of its suffixes, the root's last.
    #[inline]
    pub(super) fn touch(&self, hashes: &[u64]) -> u64 {
        self.candidates(hashes.len() - 1, 0).take(2).fold(0, |sum, index| {
            let shard = &self.shards[shard_of(hashes[index])];
            sum ^ shard.get(guess(shard, hashes[index])).map_or(0, |entry| entry.0)
        })
    }

    /// The zone that `nearest` will find, told by hashes alone, and the label at which its apex begins.
    #[inline]
    pub(super) fn foreseen<'c>(&'c self, hashes: &[u64]) -> Option<(&'c Zone, usize)> {
        self.candidates(hashes.len() - 1, 0).find_map(|index| {
            let shard = &self.shards[shard_of(hashes[index])];
            match shard.get(first_at_least(shard, hashes[index])) {
                Some((other, Entry::Zone(zone))) if *other == hashes[index] => Some((&**zone, index)),
                _ => None,
            }
        })
    }

    /// A copy with these entries added or replaced, and entries of `removed` apexes taken out.
    #[must_use]
    pub fn changed(&self, entries: impl IntoIterator<Item = Entry>, removed: &[Name]) -> Self {
        let mut shards: Vec<Vec<(u64, Entry)>> = vec![Vec::new(); SHARDS];
        let mut touched = [false; SHARDS];
        let mut depths = *self.depths;
        let mut names = self.names;
        let mut open = |hash: u64, shards: &mut Vec<Vec<(u64, Entry)>>, apex: &Name| {
            let index = shard_of(hash);
            if !std::mem::replace(&mut touched[index], true) {
                shards[index] = self.shards[index].to_vec();
            }
            let before = shards[index].len();
            shards[index].retain(|(other, entry)| {
                let stays = *other != hash || entry.apex() != apex;
                names -= if stays { 0 } else { entry.name_count() };
                stays
            });
            (index, before != shards[index].len())
        };
        for apex in removed {
            let hash = hash::of_name(apex.as_wire(), hash::root());
            let (_, was_there) = open(hash, &mut shards, apex);
            depths[apex.label_count()] -= u32::from(was_there);
        }
        let mut added = 0;
        for entry in entries {
            let apex = entry.apex().clone();
            let hash = hash::of_name(apex.as_wire(), hash::root());
            let (index, was_there) = open(hash, &mut shards, &apex);
            depths[apex.label_count()] += u32::from(!was_there);
            added += entry.name_count();
            let at = shards[index].partition_point(|&(other, _)| other < hash);
            shards[index].insert(at, (hash, entry));
        }
        let shards = shards.into_iter().zip(touched).zip(self.shards.iter());
        let shards = shards.map(|((new, touched), old)| if touched { new.into() } else { old.clone() }).collect();
        Self { shards, depths: Arc::new(depths), names: names + added }
    }

    /// All entries, in no order that means anything.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(_, entry)| entry))
    }
}
