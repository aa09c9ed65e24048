//! Pages: the leaves a zone is made of, each an immutable run of octets with a few dozen nodes.
//!
//! ```text
//! page  = slot count (u32) · slots (u32 each) · nodes
//! slot  = 0, or tag (8 bits of the hash) · offset of the node (24 bits)
//! node  = flags (u8) · name length (u8) · RRset count (u16) · name · [child count (u32)] · RRsets
//! RRset = type (u16) · type covered (u16) · record count (u16) · image length (u32) · image
//! image = per record: C0 0C · TYPE · CLASS · TTL · RDLENGTH · RDATA      (ready to be copied behind a question)
//! ```
//!
//! The integers around an image are little endian; the image is wire form. Names are relative to the apex. The octets
//! are a pure function of what the page holds, so equal pages are equal octets and need be kept only once. Which page
//! a node belongs to, and what its flags mean for an answer, is not decided here.

mod writer;

use std::ops::Range;
use std::sync::Arc;

pub use writer::PageWriter;

use super::hash;
use crate::name;

/// Octets of the number of children, in nodes that have any.
const CHILD_COUNT: usize = 4;
/// Nodes a page holds on average at most when it is new. Fewer make changes cheaper, more make the rows shorter.
pub const NODES_PER_PAGE: usize = 64;
/// Octets of a record in an image before its RDATA.
pub const RECORD_HEADER: usize = 12;
const RRSET_HEADER: usize = 10;
/// Octets of two pages that are compared at once.
const STRETCH: usize = 64;
const NODE_HEADER: usize = 4;
const RRSIG: u16 = 46;
const NSEC3: u16 = 50;

/// What is special about a node; stored when the zone is built, so that no query has to find it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// A zone cut: NS records below the apex.
    pub const CUT: u8 = 1;
    /// Owns a DNAME.
    pub const DNAME: u8 = 2;
    /// Below a zone cut or a DNAME: no authoritative data (glue, or never seen).
    pub const OCCLUDED: u8 = 4;
    /// Owns a CNAME.
    pub const CNAME: u8 = 8;
    /// Has a child `*`.
    pub const WILDCARD_CHILD: u8 = 16;
    /// Owns nothing but NSEC3 records and their signatures: for queries it does not exist (RFC 5155 §7.2.8).
    pub const NSEC3_OWNER: u8 = 64;
    /// Is not the apex and has children; only such nodes hold their number.
    pub const PARENT: u8 = 32;

    /// Whether any of `bits` is set.
    #[must_use]
    #[inline]
    pub fn any(self, bits: u8) -> bool {
        self.0 & bits != 0
    }

    /// The same flags with some bits set or cleared.
    #[must_use]
    pub fn with(self, bits: u8, set: bool) -> Self {
        Self(if set { self.0 | bits } else { self.0 & !bits })
    }

    fn child_count_length(self) -> usize {
        if self.any(Self::PARENT) { CHILD_COUNT } else { 0 }
    }
}

/// A page's octets, shared by all zone versions that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page(Arc<[u8]>);

/// A node as it stands in its page.
#[derive(Clone, Copy, Debug)]
pub struct Node<'z> {
    /// What is special about it.
    pub flags: Flags,
    /// Its name relative to the apex, in wire form without a final zero; empty for the apex.
    pub name: &'z [u8],
    /// How many names have one label more than this one. Not counted for the apex, which cannot go away.
    pub children: u32,
    rrset_count: u16,
    body: &'z [u8],
}

/// An `RRset` as it stands in its node.
#[derive(Clone, Copy, Debug)]
pub struct Rrset<'z> {
    /// TYPE number.
    pub rtype: u16,
    /// For RRSIG the type it covers, else 0.
    pub covered: u16,
    /// How many records.
    pub count: u16,
    /// The records, ready to be copied behind a question.
    pub image: &'z [u8],
}

impl Page {
    /// The node of this hash and relative name.
    #[must_use]
    #[inline]
    pub fn find(&self, hash: u64, relative: &[u8]) -> Option<Node<'_>> {
        self.find_offset(hash, relative).map(|offset| self.node_at(offset))
    }

    /// Where the node of this hash and relative name begins.
    #[must_use]
    #[inline]
    pub fn find_offset(&self, hash: u64, relative: &[u8]) -> Option<u32> {
        let octets = &self.0[..];
        let mask = self.slot_mask();
        let (mut slot, tag) = slot_and_tag(hash, mask);
        loop {
            let entry = read_u32(octets, 4 + 4 * slot as usize);
            if entry == 0 {
                return None;
            }
            if entry >> 24 == tag {
                let offset = entry & 0x00ff_ffff;
                let at = offset as usize;
                let length = usize::from(octets[at + 1]);
                if length == relative.len()
                    && name::same(&octets[at + NODE_HEADER..at + NODE_HEADER + length], relative)
                {
                    return Some(offset);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// What a hash is masked with to find its slot: the first thing read of a page.
    #[inline]
    pub(super) fn slot_mask(&self) -> u32 {
        read_u32(&self.0, 0) - 1
    }

    /// Where the slot that a search for this hash looks at first leads, if it may lead to the name.
    #[inline]
    pub(super) fn first_entry(&self, hash: u64, mask: u32) -> Option<u32> {
        let (slot, tag) = slot_and_tag(hash, mask);
        let entry = read_u32(&self.0, 4 + 4 * slot as usize);
        (entry != 0 && entry >> 24 == tag).then_some(entry & 0x00ff_ffff)
    }

    /// What is special about the node that begins at `offset`.
    #[inline]
    pub(super) fn flags_at(&self, offset: u32) -> Flags {
        Flags(self.0[offset as usize])
    }

    /// Where the node of this hash begins, its name not being at hand.
    #[must_use]
    pub fn find_hash(&self, hash: u64, apex_hash: u64) -> Option<u32> {
        let mask = self.slot_mask();
        let (first, tag) = slot_and_tag(hash, mask);
        let entries = (0..=mask).map(|step| read_u32(&self.0, 4 + 4 * ((first + step) & mask) as usize));
        entries
            .take_while(|&entry| entry != 0)
            .filter(|entry| entry >> 24 == tag)
            .map(|entry| entry & 0x00ff_ffff)
            .find(|&offset| hash::of_name(self.node_at(offset).name, apex_hash) == hash)
    }

    /// The node that begins at `offset`, which must come from this page.
    #[must_use]
    #[inline]
    pub fn node_at(&self, offset: u32) -> Node<'_> {
        let octets = &self.0[offset as usize..];
        let flags = Flags(octets[0]);
        let (name, rest) = octets[NODE_HEADER..].split_at(usize::from(octets[1]));
        let (children, body) =
            if flags.any(Flags::PARENT) { (read_u32(rest, 0), &rest[CHILD_COUNT..]) } else { (0, rest) };
        Node { flags, name, children, rrset_count: read_u16(octets, 2), body }
    }

    /// All nodes with their offsets, in the order of the page.
    pub fn nodes(&self) -> impl Iterator<Item = (u32, Node<'_>)> {
        self.nodes_in(&(0..usize::MAX))
    }

    /// Those that begin in a range of offsets, which begins with one of them or before all.
    pub fn nodes_in(&self, place: &Range<usize>) -> impl Iterator<Item = (u32, Node<'_>)> + use<'_> {
        let (mut at, end) = (place.start.max(self.head()), place.end.min(self.0.len()));
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let offset = u32::try_from(at).ok()?;
            let node = self.node_at(offset);
            let used: usize = node.rrsets().map(|rrset| RRSET_HEADER + rrset.image.len()).sum();
            at += NODE_HEADER + node.name.len() + node.flags.child_count_length() + used;
            Some((offset, node))
        })
    }

    /// Where nodes begin that `other` has not, or has otherwise: some more, never fewer.
    #[must_use]
    pub fn place_of_difference(&self, other: &Self) -> Range<usize> {
        let (own, others) = (&self.0[..], &other.0[..]);
        let head = self.head();
        // With other slots, nodes begin elsewhere.
        if others.get(..head) != Some(&own[..head]) {
            return 0..usize::MAX;
        }
        let stretches = || own[head..].chunks(STRETCH).zip(others[head..].chunks(STRETCH));
        let first = head + STRETCH * stretches().take_while(|(own, others)| own == others).count();
        let slots = own[4..head].chunks_exact(4).map(|slot| (read_u32(slot, 0) & 0x00ff_ffff) as usize);
        let start = slots.filter(|&at| at != 0 && at <= first).max().unwrap_or(head);
        if own.len() != others.len() {
            return start..usize::MAX;
        }
        let last = stretches().rposition(|(own, others)| own != others).map_or(0, |at| at + 1);
        start..head + STRETCH * last
    }

    /// Where the nodes begin.
    fn head(&self) -> usize {
        4 + 4 * read_u32(&self.0, 0) as usize
    }

    /// A copy in which the octets from `offset` on are `octets`.
    #[must_use]
    pub fn patched(&self, offset: usize, octets: &[u8]) -> Self {
        let mut copy = self.0.to_vec();
        copy[offset..offset + octets.len()].copy_from_slice(octets);
        Self(copy.into())
    }

    /// Where in this page a slice that was borrowed from it begins.
    #[must_use]
    pub fn offset_of(&self, part: &[u8]) -> usize {
        part.as_ptr() as usize - self.0.as_ptr() as usize
    }

    /// Whether both are one and the same piece of memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sets the number of children of the node at `offset`, a page that nobody else holds yet.
    pub fn count_children(&mut self, offset: u32, children: u32) {
        if let Some(octets) = Arc::get_mut(&mut self.0) {
            let at = offset as usize + NODE_HEADER + usize::from(octets[offset as usize + 1]);
            octets[at..at + CHILD_COUNT].copy_from_slice(&children.to_le_bytes());
        }
    }

    /// Octets held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl<'z> Node<'z> {
    /// The `RRset`s: by type, each RRSIG set behind the type it covers.
    #[inline]
    pub fn rrsets(&self) -> impl Iterator<Item = Rrset<'z>> + use<'z> {
        let mut rest = self.body;
        (0..self.rrset_count).map(move |_| {
            let (rrset, after) = split_rrset(rest);
            rest = after;
            rrset
        })
    }

    /// The `RRset` of one type (not RRSIG).
    #[must_use]
    #[inline]
    pub fn rrset(&self, rtype: u16) -> Option<Rrset<'z>> {
        self.rrsets().find(|rrset| rrset.rtype == rtype)
    }

    /// The `RRset` of one type and the signatures over it.
    #[must_use]
    pub fn signed_rrset(&self, rtype: u16) -> Option<(Rrset<'z>, Option<Rrset<'z>>)> {
        let mut rrsets = self.rrsets();
        let rrset = rrsets.find(|rrset| rrset.rtype == rtype)?;
        let signatures = rrsets.next().filter(|next| next.rtype == RRSIG && next.covered == rtype);
        Some((rrset, signatures))
    }

    /// The same node, occluded or not.
    #[must_use]
    pub fn occluded(self, occluded: bool) -> Self {
        Self { flags: self.flags.with(Flags::OCCLUDED, occluded), ..self }
    }

    /// Whether it owns no records: an empty non-terminal (RFC 8499 §7), always with descendants.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rrset_count == 0
    }
}

impl<'z> Rrset<'z> {
    /// Seconds; all records of an `RRset` have one TTL (RFC 2181 §5.2).
    #[must_use]
    #[inline]
    pub fn ttl(&self) -> u32 {
        u32::from_be_bytes([self.image[6], self.image[7], self.image[8], self.image[9]])
    }

    /// Each record of the image.
    #[inline]
    pub fn records(&self) -> impl Iterator<Item = &'z [u8]> + use<'z> {
        let mut rest = self.image;
        std::iter::from_fn(move || {
            let length = usize::from(u16::from_be_bytes([*rest.get(10)?, *rest.get(11)?]));
            let (record, after) = rest.split_at(RECORD_HEADER + length);
            rest = after;
            Some(record)
        })
    }

    /// The RDATA of each record.
    #[inline]
    pub fn rdatas(&self) -> impl Iterator<Item = &'z [u8]> + use<'z> {
        self.records().map(|record| &record[RECORD_HEADER..])
    }
}

/// What the `RRset`s of a node are sorted by: type, signatures behind the type that they cover.
#[must_use]
pub fn sort_key(rtype: u16, rdata: &[u8]) -> (u16, bool) {
    match (rtype, rdata) {
        (RRSIG, [high, low, ..]) => (u16::from_be_bytes([*high, *low]), true),
        _ => (rtype, false),
    }
}

/// Whether records with this sort key are part of an NSEC3 chain, not of what the zone tells.
#[must_use]
pub fn is_nsec3((rtype, _): (u16, bool)) -> bool {
    rtype == NSEC3
}

fn split_rrset(octets: &[u8]) -> (Rrset<'_>, &[u8]) {
    let length = read_u32(octets, 6) as usize;
    let (image, rest) = octets[RRSET_HEADER..].split_at(length);
    (Rrset { rtype: read_u16(octets, 0), covered: read_u16(octets, 2), count: read_u16(octets, 4), image }, rest)
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "parts of the hash are meant")]
fn slot_and_tag(hash: u64, mask: u32) -> (u32, u32) {
    (hash as u32 & mask, (hash >> 24) as u32 & 0xff)
}

#[inline]
fn read_u16(octets: &[u8], at: usize) -> u16 {
    octets[at..].first_chunk().copied().map_or(0, u16::from_le_bytes)
}

#[inline]
fn read_u32(octets: &[u8], at: usize) -> u32 {
    octets[at..].first_chunk().copied().map_or(0, u32::from_le_bytes)
}
