//! Where records wait, packed one behind the other, until all of a zone are known.

use crate::record::{Record, Span};

/// Octets of a staged record before its owner: span (10), TTL (4), TYPE (2), owner length (1), RDATA length (2).
const HEADER: usize = 19;
/// TYPE of the mark that says only "this name exists": an ancestor of some owner (RFC 4592 §2.2.2).
pub const MARK: u16 = 0;

/// A record as staged.
#[derive(Clone, Copy, Debug)]
pub struct Staged<'a> {
    /// Where it was written.
    pub span: Span,
    /// Seconds.
    pub ttl: u32,
    /// TYPE, or [`MARK`].
    pub rtype: u16,
    /// Owner relative to the apex, without a final zero.
    pub owner: &'a [u8],
    /// RDATA.
    pub rdata: &'a [u8],
}

/// How many leading bits of a hash choose the bucket: a bucket of a million names fits the caches of a processor, so
/// that gathering the records of a name does not wait for memory.
const BUCKET_BITS: u32 = 6;
/// The records of so many octets of text fit the caches as they are.
const ONE_BUCKET: usize = 1 << 18;

/// All records of a zone, in buckets by the hashes of their owners.
#[derive(Default)]
pub struct Staging {
    /// Of the hash.
    bits: u32,
    buckets: Vec<Bucket>,
}

impl Staging {
    /// Room for the records of a text of about so many octets.
    pub fn for_text(octets: usize) -> Self {
        let bits = if octets < ONE_BUCKET { 0 } else { BUCKET_BITS };
        Self { bits, buckets: (0..1 << bits).map(|_| Bucket::default()).collect() }
    }

    /// Adds a record; None when its bucket's 4 GiB are full.
    #[allow(clippy::cast_possible_truncation, reason = "BUCKET_BITS are left")]
    pub fn push(&mut self, hash: u64, relative_owner: &[u8], record: &Record<'_>) -> Option<()> {
        let bucket = hash.checked_shr(64 - self.bits).unwrap_or(0) as usize;
        self.buckets[bucket].push(hash, relative_owner, record)
    }

    /// Sorts, and gives the number of different names; names whose hashes agree in the upper half count as one, which
    /// is near enough.
    pub fn sort(&mut self) -> usize {
        self.buckets
            .iter_mut()
            .map(|bucket| {
                bucket.keys.sort_unstable();
                bucket.groups().count()
            })
            .sum()
    }

    /// Calls `use_bucket` for each bucket in the order of the hashes, and lets go of it then, so that two copies of all
    /// records never exist at once.
    pub fn drain(self, mut use_bucket: impl FnMut(&Bucket)) {
        self.buckets.into_iter().for_each(|bucket| use_bucket(&bucket));
    }
}

/// Packed records and, for sorting, one number for each: the upper half of the owner's hash, then the offset.
#[derive(Default)]
pub struct Bucket {
    octets: Vec<u8>,
    keys: Vec<u64>,
}

impl Bucket {
    /// Adds a record; None when its 4 GiB are full.
    pub fn push(&mut self, hash: u64, relative_owner: &[u8], record: &Record<'_>) -> Option<()> {
        let offset = u32::try_from(self.octets.len()).ok()?;
        self.octets.reserve(HEADER + relative_owner.len() + record.rdata.len());
        self.octets.extend_from_slice(&record.span.file.to_le_bytes());
        self.octets.extend_from_slice(&record.span.start.to_le_bytes());
        self.octets.extend_from_slice(&record.span.end.to_le_bytes());
        self.octets.extend_from_slice(&record.ttl.to_le_bytes());
        self.octets.extend_from_slice(&record.rtype.to_le_bytes());
        #[allow(clippy::cast_possible_truncation, reason = "a name has at most 255 octets, RDATA at most 65535")]
        {
            self.octets.push(relative_owner.len() as u8);
            self.octets.extend_from_slice(&(record.rdata.len() as u16).to_le_bytes());
        }
        self.octets.extend_from_slice(relative_owner);
        self.octets.extend_from_slice(record.rdata);
        self.keys.push(hash & 0xffff_ffff_0000_0000 | u64::from(offset));
        Some(())
    }

    /// All records: as they came, or, once sorted, by their hashes.
    pub fn records(&self) -> impl Iterator<Item = Staged<'_>> {
        self.keys.iter().map(|&key| self.at_key(key))
    }

    /// Runs of keys that agree in the half of the hash they hold, once sorted.
    pub fn groups(&self) -> impl Iterator<Item = &[u64]> {
        self.keys.chunk_by(|a, b| a >> 32 == b >> 32)
    }

    /// The record a key stands for.
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is the offset")]
    pub fn at_key(&self, key: u64) -> Staged<'_> {
        self.at(key as u32)
    }

    fn at(&self, offset: u32) -> Staged<'_> {
        let octets = &self.octets[offset as usize..];
        let u16_at = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
        let u32_at = |at: usize| u32::from_le_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
        let (owner, rdata) = (usize::from(octets[16]), usize::from(u16_at(17)));
        Staged {
            span: Span { file: u16_at(0), start: u32_at(2), end: u32_at(6) },
            ttl: u32_at(10),
            rtype: u16_at(14),
            owner: &octets[HEADER..HEADER + owner],
            rdata: &octets[HEADER + owner..HEADER + owner + rdata],
        }
    }
}
