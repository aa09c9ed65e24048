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

/// The packed records and, for sorting, one number for each: the upper half of the owner's hash, then the place.
#[derive(Default)]
pub struct Staging {
    octets: Vec<u8>,
    pub keys: Vec<u64>,
}

impl Staging {
    /// Adds a record; false when 4 GiB are full.
    pub fn push(&mut self, hash: u64, relative_owner: &[u8], record: &Record<'_>) -> bool {
        let Ok(at) = u32::try_from(self.octets.len()) else { return false };
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
        self.keys.push(hash & 0xffff_ffff_0000_0000 | u64::from(at));
        true
    }

    /// Where the next record will be.
    pub fn next_place(&self) -> u32 {
        u32::try_from(self.octets.len()).unwrap_or(u32::MAX)
    }

    /// The record a key stands for.
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is the place")]
    pub fn at_key(&self, key: u64) -> Staged<'_> {
        self.at(key as u32)
    }

    /// The record at a place.
    pub fn at(&self, place: u32) -> Staged<'_> {
        let octets = &self.octets[place as usize..];
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
