//! Writes a response into a buffer: header, question, records with compressed names (RFC 1035 §4.1.4), OPT.
//!
//! Nothing is allocated. A record that does not fit leaves the message as it was before it.

use super::compress::{Names, Parts};
use super::ready::Ready;
use super::{HEADER, edns};
use crate::name;
use crate::rdata::Embedded;
use crate::zone::hash::LookupName;

/// A message being written.
pub struct Writer<'o, 'n> {
    out: &'o mut [u8],
    at: usize,
    limit: usize,
    names: Names<'n>,
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
    names: usize,
    counts: [u16; 3],
}

impl<'o, 'n> Writer<'o, 'n> {
    /// Begins a message that leaves `reserve` octets of `out` free at its end.
    #[must_use]
    #[inline]
    pub fn new(out: &'o mut [u8], reserve: usize) -> Self {
        let limit = out.len().min(usize::from(u16::MAX)).saturating_sub(reserve);
        Self { out, at: HEADER, limit, names: Names::default(), counts: [0; 3] }
    }

    /// Copies the question of a query: QNAME, QTYPE, QCLASS.
    ///
    /// # Errors
    /// [`Full`], when even that does not fit.
    #[inline]
    pub fn question(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.put(octets)
    }

    /// Lets later names point at the question's name and its ancestors.
    pub fn remember_question(&mut self, name: &'n LookupName) {
        let wire = name.wire();
        self.names.remember(Parts { first: &[], second: wire }, HEADER, wire.len() - 1);
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
        Mark { at: self.at, names: self.names.len(), counts: self.counts }
    }

    /// Goes back to a mark.
    pub fn back_to(&mut self, mark: Mark) {
        self.at = mark.at;
        self.names.truncate(mark.names);
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

    /// Writes records composed beforehand; the name of their apex stands at octet `apex` of the message.
    ///
    /// # Errors
    /// [`Full`].
    #[inline]
    pub fn ready(&mut self, section: Section, ready: &Ready, apex: usize) -> Result<(), Full> {
        let start = self.at;
        self.put(ready.octets())?;
        ready.patch(&mut self.out[start..self.at], start, apex);
        self.counts[section as usize] += ready.count();
        Ok(())
    }

    /// Writes one record; `embedded` tells which names in `rdata` are compressed.
    ///
    /// # Errors
    /// [`Full`]; the caller goes back to a mark.
    #[inline]
    pub fn record(
        &mut self,
        section: Section,
        owner: NameForm<'n>,
        fixed: [u8; 8],
        rdata: &'n [u8],
        embedded: Embedded,
    ) -> Result<(), Full> {
        let length_at = self.begin_record(owner, fixed)?;
        let (before, mut rest) = rdata.split_at(embedded.start.min(rdata.len()));
        if !before.is_empty() {
            self.put(before)?;
        }
        for further in (0..embedded.count).rev() {
            // The last name takes what is there for it: RDATA of zones is sound.
            let most = rest.len().saturating_sub(embedded.behind);
            let length = if further == 0 { most } else { name::wire_length(rest).unwrap_or(most) };
            let (name, after) = rest.split_at(length);
            self.compressed(Parts { first: &[], second: name })?;
            rest = after;
        }
        if !rest.is_empty() {
            self.put(rest)?;
        }
        self.end_record(section, length_at);
        Ok(())
    }

    /// Copies a record of an image, which has no names in its RDATA, but for its owner.
    ///
    /// # Errors
    /// [`Full`]; the caller goes back to a mark.
    #[inline]
    pub fn copy(&mut self, section: Section, owner: NameForm<'n>, record: &[u8]) -> Result<(), Full> {
        let at = self.at;
        match self.place(owner) {
            // The pointer of the image is written over.
            Ok(offset) => {
                self.put(record)?;
                self.out[at..at + 2].copy_from_slice(&pointer(offset));
            }
            Err(name) => {
                self.compressed(name)?;
                self.put(&record[2..])?;
            }
        }
        self.counts[section as usize] += 1;
        Ok(())
    }

    /// Writes one record as it is.
    ///
    /// # Errors
    /// [`Full`]; the caller goes back to a mark.
    pub fn opaque_record(
        &mut self,
        section: Section,
        owner: NameForm<'n>,
        fixed: [u8; 8],
        rdata: &[u8],
    ) -> Result<(), Full> {
        let length_at = self.begin_record(owner, fixed)?;
        self.put(rdata)?;
        self.end_record(section, length_at);
        Ok(())
    }

    /// Writes what comes before RDATA; gives where its length is to stand.
    #[inline]
    fn begin_record(&mut self, owner: NameForm<'n>, fixed: [u8; 8]) -> Result<usize, Full> {
        match self.place(owner) {
            Ok(offset) => self.put(&pointer(offset))?,
            Err(name) => self.compressed(name)?,
        }
        let [t0, t1, c0, c1, l0, l1, l2, l3] = fixed;
        self.put(&[t0, t1, c0, c1, l0, l1, l2, l3, 0, 0])?;
        Ok(self.at - 2)
    }

    #[inline]
    fn end_record(&mut self, section: Section, length_at: usize) {
        let length = self.at - length_at - 2;
        #[allow(clippy::cast_possible_truncation, reason = "a message has at most 65535 octets")]
        self.out[length_at..length_at + 2].copy_from_slice(&(length as u16).to_be_bytes());
        self.counts[section as usize] += 1;
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

    /// Where an owner stands already, if that can be told without looking into it.
    #[inline]
    fn place(&self, owner: NameForm<'n>) -> Result<usize, Parts<'n>> {
        match owner {
            NameForm::At(offset) => Ok(usize::from(offset)),
            NameForm::Parts(first, second) => {
                let name = Parts { first, second };
                self.names.place(name).ok_or(name)
            }
        }
    }

    /// Writes a name, pointing at the longest suffix of it that is in the message already.
    fn compressed(&mut self, name: Parts<'n>) -> Result<(), Full> {
        let plan = self.names.plan(name);
        let at = self.at;
        if plan.literal > 0 {
            let (first, second) = plan
                .literal
                .checked_sub(name.first.len())
                .map_or_else(|| (&name.first[..plan.literal], &[][..]), |rest| (name.first, &name.second[..rest]));
            for part in [first, second] {
                if !part.is_empty() {
                    self.put(part)?;
                }
            }
            self.names.remember(name, at, plan.literal);
        }
        match plan.pointer {
            Some(offset) => self.put(&pointer(offset)),
            None => self.put(&[0]),
        }
    }

    /// Ends the message: header, and the OPT record in the octets that were reserved for it.
    #[inline]
    #[must_use]
    pub fn finish(&mut self, id: [u8; 2], flags: u16, question: bool, reply: Option<&edns::Reply<'_>>) -> usize {
        let Self { out, at, counts, .. } = self;
        let mut at = *at;
        let additional = counts[2] + u16::from(reply.is_some());
        if let Some(reply) = reply {
            at += reply.write(&mut out[at..]);
        }
        let words = [flags, u16::from(question), counts[0], counts[1], additional].map(u16::to_be_bytes);
        let [[f0, f1], [q0, q1], [a0, a1], [n0, n1], [d0, d1]] = words;
        out[..HEADER].copy_from_slice(&[id[0], id[1], f0, f1, q0, q1, a0, a1, n0, n1, d0, d1]);
        at
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "pointers have 14 bits")]
fn pointer(offset: usize) -> [u8; 2] {
    (0xc000 | offset as u16).to_be_bytes()
}

/// TYPE, CLASS IN, TTL.
#[inline]
pub(crate) fn fixed(rtype: u16, ttl: u32) -> [u8; 8] {
    let mut octets = [0, 0, 0, 1, 0, 0, 0, 0];
    octets[..2].copy_from_slice(&rtype.to_be_bytes());
    octets[4..].copy_from_slice(&ttl.to_be_bytes());
    octets
}
