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

/// All records of a zone, in buckets by the hashes of their owners.
#[derive(Default)]
pub struct Staging {
    buckets: Buckets,
    /// Bit n: records of bucket n are asked for after the pages are written.
    pinned: u64,
}

struct Buckets(Vec<Bucket>);

/// Where a record is staged.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    bucket: u8,
    offset: u32,
}

impl Default for Buckets {
    fn default() -> Self {
        Self((0..1 << BUCKET_BITS).map(|_| Bucket::default()).collect())
    }
}

impl Staging {
    /// Adds a record; None when its bucket's 4 GiB are full.
    #[allow(clippy::cast_possible_truncation, reason = "BUCKET_BITS are left")]
    pub fn push(&mut self, hash: u64, relative_owner: &[u8], record: &Record<'_>) -> Option<Place> {
        let bucket = (hash >> (64 - BUCKET_BITS)) as u8;
        let offset = self.buckets.0[usize::from(bucket)].push(hash, relative_owner, record)?;
        Some(Place { bucket, offset })
    }

    /// Sorts, and gives the number of different names; names whose hashes agree in the upper half count as one, which
    /// is near enough.
    pub fn sort(&mut self) -> usize {
        self.buckets
            .0
            .iter_mut()
            .map(|bucket| {
                bucket.keys.sort_unstable();
                bucket.groups().count()
            })
            .sum()
    }

    /// Keeps the records around a place for [`Self::at`].
    pub fn pin(&mut self, place: Place) {
        self.pinned |= 1 << place.bucket;
    }

    /// Calls `use_bucket` for each bucket in the order of the hashes, and lets go of the records that nobody asks for
    /// again, so that two copies of all records never exist at once.
    pub fn drain(&mut self, mut use_bucket: impl FnMut(&Bucket)) {
        for (number, bucket) in self.buckets.0.iter_mut().enumerate() {
            use_bucket(bucket);
            if self.pinned >> number & 1 == 0 {
                *bucket = Bucket::default();
            }
        }
    }

    /// The record at a place.
    pub fn at(&self, place: Place) -> Staged<'_> {
        self.buckets.0[usize::from(place.bucket)].at(place.offset)
    }
}

/// Packed records and, for sorting, one number for each: the upper half of the owner's hash, then the offset.
#[derive(Default)]
pub struct Bucket {
    octets: Vec<u8>,
    keys: Vec<u64>,
}

impl Bucket {
    fn push(&mut self, hash: u64, relative_owner: &[u8], record: &Record<'_>) -> Option<u32> {
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
        Some(offset)
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
