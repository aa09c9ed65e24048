//! Writes a response into a buffer: header, question, records with compressed names (RFC 1035 §4.1.4), OPT.
//!
//! Nothing is allocated. A record that does not fit leaves the message as it was before it.

use smallvec::SmallVec;

use super::{HEADER, edns};
use crate::name;
use crate::zone::hash::{self, LookupName};

/// How many names can be remembered as targets of pointers. More names than that are written in full.
const REMEMBERED: usize = 32;
/// Pointers have 14 bits.
const MAX_POINTER: usize = 0x3fff;

/// The names already in the message: half the hash of each suffix, and where it stands. The hash only leads there; the
/// octets decide.
type Remembered = SmallVec<[(u32, u16); REMEMBERED]>;

/// A message being written.
pub struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
    limit: usize,
    remembered: Remembered,
    counts: [u16; 3],
}

/// The sections behind the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Answer.
    Answer = 0,
    /// Authority.
    Authority = 1,
    /// Additional, the OPT record aside.
    Additional = 2,
}

/// Where a name stands, for writing it.
#[derive(Clone, Copy, Debug)]
pub enum NameForm<'n> {
    /// At this offset of the message.
    At(u16),
    /// These labels (no final zero), then the second part, which ends in the root.
    Parts(&'n [u8], &'n [u8]),
}

/// The message is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What has been written, to return to.
#[derive(Clone, Copy)]
pub struct Mark {
    at: usize,
    remembered: usize,
    counts: [u16; 3],
}

impl<'o> Writer<'o> {
    /// Begins a message that leaves `reserve` octets of `out` free at its end.
    #[must_use]
    #[inline]
    pub fn new(out: &'o mut [u8], reserve: usize) -> Self {
        let limit = out.len().min(usize::from(u16::MAX)).saturating_sub(reserve);
        Self { out, at: HEADER, limit, remembered: SmallVec::new(), counts: [0; 3] }
    }

    /// Copies the question of a query.
    ///
    /// # Errors
    /// [`Full`], when even that does not fit.
    #[inline]
    pub fn question(&mut self, wire: &[u8], qtype: u16, qclass: u16) -> Result<(), Full> {
        self.put(wire)?;
        self.put(&qtype.to_be_bytes())?;
        self.put(&qclass.to_be_bytes())
    }

    /// Lets later names point at the question's name and its ancestors.
    pub fn remember_question(&mut self, name: &LookupName) {
        for index in 0..name.count() {
            self.remember(name.hash(index), HEADER + name.start(index));
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "half the hash is enough to look; octets decide")]
    fn remember(&mut self, hash: u64, offset: usize) {
        if self.remembered.len() < REMEMBERED && offset <= MAX_POINTER {
            self.remembered.push((hash as u32, offset as u16));
        }
    }

    /// Octets written.
    #[must_use]
    #[inline]
    pub fn length(&self) -> usize {
        self.at
    }

    /// Where the message stands now.
    #[must_use]
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { at: self.at, remembered: self.remembered.len(), counts: self.counts }
    }

    /// Goes back to a mark.
    pub fn back_to(&mut self, mark: Mark) {
        self.at = mark.at;
        self.remembered.truncate(mark.remembered);
        self.counts = mark.counts;
    }

    /// Copies records whose owner is the name at offset 12, all at once.
    ///
    /// # Errors
    /// [`Full`].
    #[inline]
    pub fn image(&mut self, section: Section, image: &[u8], count: u16) -> Result<(), Full> {
        self.put(image)?;
        self.counts[section as usize] += count;
        Ok(())
    }

    /// Writes one record; `names` are the places of the compressible names in `rdata`.
    ///
    /// # Errors
    /// [`Full`]; the caller goes back to a mark.
    pub fn record(
        &mut self,
        section: Section,
        owner: NameForm<'_>,
        fixed: [u8; 8],
        rdata: &[u8],
        names: impl Iterator<Item = (usize, usize)>,
    ) -> Result<(), Full> {
        self.name(owner)?;
        self.put(&fixed)?;
        let length_at = self.at;
        self.put(&[0, 0])?;
        let mut done = 0;
        for (start, end) in names {
            self.put(&rdata[done..start])?;
            self.name(NameForm::Parts(&[], &rdata[start..end]))?;
            done = end;
        }
        self.put(&rdata[done..])?;
        let length = self.at - length_at - 2;
        #[allow(clippy::cast_possible_truncation, reason = "a message has at most 65535 octets")]
        self.out[length_at..length_at + 2].copy_from_slice(&(length as u16).to_be_bytes());
        self.counts[section as usize] += 1;
        Ok(())
    }

    #[inline]
    fn put(&mut self, octets: &[u8]) -> Result<(), Full> {
        let end = self.at + octets.len();
        if end > self.limit {
            return Err(Full);
        }
        self.out[self.at..end].copy_from_slice(octets);
        self.at = end;
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, reason = "pointers have 14 bits")]
    fn pointer(&mut self, offset: usize) -> Result<(), Full> {
        self.put(&(0xc000 | offset as u16).to_be_bytes())
    }

    fn name(&mut self, name: NameForm<'_>) -> Result<(), Full> {
        let (first, second) = match name {
            NameForm::At(offset) => return self.pointer(usize::from(offset)),
            NameForm::Parts(first, second) => (first, second),
        };
        let mut whole = [0; name::MAX_WIRE];
        let length = first.len() + second.len();
        whole[..first.len()].copy_from_slice(first);
        whole[first.len()..length].copy_from_slice(second);
        self.compressed(&whole[..length])
    }

    /// Writes a name, pointing at the longest suffix of it that is in the message already.
    fn compressed(&mut self, wire: &[u8]) -> Result<(), Full> {
        let mut starts = [0; name::MAX_LABELS + 1];
        let count = name::label_starts(wire, &mut starts);
        let mut known = None;
        // Suffixes that are new to the message, the shortest first.
        let mut fresh: SmallVec<[(u64, usize); 16]> = SmallVec::new();
        let mut above = hash::root();
        for &start in starts[..count].iter().rev() {
            let start = usize::from(start);
            above = hash::extend(above, &wire[start + 1..start + 1 + usize::from(wire[start])]);
            // Whatever is in the message with a name is there with the name's ancestors too.
            match self.offset_of(above, &wire[start..]).filter(|_| fresh.is_empty()) {
                Some(offset) => known = Some(offset),
                None => fresh.push((above, start)),
            }
        }
        let base = self.at;
        let end = fresh.first().map_or(0, |&(_, start)| start + 1 + usize::from(wire[start]));
        self.put(&wire[..end])?;
        for (hash, start) in fresh {
            self.remember(hash, base + start);
        }
        match known {
            Some(offset) => self.pointer(offset),
            None => self.put(&[0]),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "half the hash is enough to look; octets decide")]
    fn offset_of(&self, hash: u64, wire: &[u8]) -> Option<usize> {
        self.remembered
            .iter()
            .filter(|&&(known, _)| known == hash as u32)
            .map(|&(_, offset)| usize::from(offset))
            .find(|&offset| self.stands_at(offset, wire))
    }

    /// Whether the name at `offset` of the message is `wire`. Our own pointers only ever lead backwards.
    fn stands_at(&self, mut offset: usize, wire: &[u8]) -> bool {
        let mut rest = wire;
        loop {
            let length = self.out[offset];
            if length >= 0xc0 {
                offset = usize::from(u16::from_be_bytes([length & 0x3f, self.out[offset + 1]]));
                continue;
            }
            let end = 1 + usize::from(length);
            if rest.len() < end || !name::same(&self.out[offset..offset + end], &rest[..end]) {
                return false;
            }
            if length == 0 {
                return true;
            }
            offset += end;
            rest = &rest[end..];
        }
    }

    /// Ends the message: header, and the OPT record in the octets that were reserved for it.
    #[inline]
    #[must_use]
    pub fn finish(self, id: [u8; 2], flags: u16, question: bool, reply: Option<&edns::Reply<'_>>) -> usize {
        let Self { out, mut at, counts, .. } = self;
        let additional = counts[2] + u16::from(reply.is_some());
        if let Some(reply) = reply {
            at += reply.write(&mut out[at..]);
        }
        out[..2].copy_from_slice(&id);
        out[2..4].copy_from_slice(&flags.to_be_bytes());
        for (index, count) in [u16::from(question), counts[0], counts[1], additional].into_iter().enumerate() {
            out[4 + 2 * index..6 + 2 * index].copy_from_slice(&count.to_be_bytes());
        }
        at
    }
}
