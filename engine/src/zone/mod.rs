//! Zones as immutable values.
//!
//! A zone is a table of pages, found by the leading bits of a name's hash, in two levels of shared pointers: a change
//! writes one page and copies two short rows of pointers, whatever the size of the zone, and every version that anyone
//! still holds stays whole. What special a name is (cut, occluded, empty non-terminal, wildcard below) is stored in its
//! node. How answers follow from that is `answer`'s business; where zones come from is the readers'.

pub mod build;
pub mod catalogue;
mod chain;
pub mod change;
pub mod checks;
pub mod difference;
pub mod foresee;
pub mod hash;
pub mod lookup;
mod negative;
pub mod page;
mod recheck;
mod signatures;
mod staging;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::message::ready::Ready;
use crate::name::{self, Name};
use crate::rdata::types;
use chain::Chain;
pub use chain::{Denial, Nsec3Parameters};
use negative::Negative;
use page::{Node, Page, Rrset};

/// Pages in one row of the second level.
const ROW: usize = 64;

type Row = Arc<[Page]>;

/// One version of one zone.
#[derive(Clone)]
pub struct Zone {
    apex: Name,
    apex_hash: u64,
    /// A power of two.
    page_count: usize,
    rows: Arc<[Row]>,
    record_count: usize,
    name_count: usize,
    soa: SoaFacts,
    negative: Option<Arc<Negative>>,
    chain: Option<Arc<Chain>>,
}

/// What a zone is assembled of.
struct Parts {
    pages: Vec<Page>,
    record_count: usize,
    /// Names with records and empty non-terminals.
    name_count: usize,
}

/// What of the SOA is asked for all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoaFacts {
    /// SERIAL, to be compared by RFC 1982.
    pub serial: u32,
    /// TTL of negative answers: the smaller of the SOA's TTL and its MINIMUM (RFC 2308 §5).
    pub negative_ttl: u32,
}

impl Zone {
    fn assemble(apex: Name, apex_hash: u64, parts: &Parts) -> Option<Self> {
        let Parts { pages, record_count, name_count } = parts;
        let rows = pages.chunks(ROW).map(Row::from).collect();
        let mut zone = Self {
            apex,
            apex_hash,
            page_count: pages.len(),
            rows,
            record_count: *record_count,
            name_count: *name_count,
            soa: SoaFacts { serial: 0, negative_ttl: 0 },
            negative: None,
            chain: None,
        };
        zone.settle_soa()?;
        zone.chain = Chain::of(&zone).map(Arc::new);
        Some(zone)
    }

    /// The name of the zone, in the case it was configured with.
    #[must_use]
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// The hash of the apex.
    #[must_use]
    pub fn apex_hash(&self) -> u64 {
        self.apex_hash
    }

    /// How many records it holds.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.record_count
    }

    /// How many names it holds, empty non-terminals included.
    #[must_use]
    pub fn name_count(&self) -> usize {
        self.name_count
    }

    /// Serial and negative TTL.
    #[must_use]
    pub fn soa(&self) -> SoaFacts {
        self.soa
    }

    /// The SOA as negative answers carry it, with signatures if they are wanted and there.
    ///
    /// # Panics
    /// Never: a zone without SOA cannot be built.
    #[must_use]
    #[inline]
    pub fn negative_soa(&self, dnssec_ok: bool) -> &Ready {
        self.negative.as_ref().expect("a zone is built with its SOA").records(dnssec_ok)
    }

    /// The node at the apex.
    ///
    /// # Panics
    /// Never: a zone without an apex node cannot be built.
    #[must_use]
    pub fn apex_node(&self) -> Node<'_> {
        self.node(self.apex_hash, &[]).expect("a zone is built with its SOA")
    }

    /// The node with this hash and this name relative to the apex, whatever its kind.
    #[must_use]
    #[inline]
    pub fn node(&self, hash: u64, relative: &[u8]) -> Option<Node<'_>> {
        self.page_of(hash).find(hash, relative)
    }

    #[inline]
    fn page_of(&self, hash: u64) -> &Page {
        self.page(page_index(hash, self.page_count))
    }

    /// The row in which the page of a hash stands.
    #[inline]
    fn row_of(&self, hash: u64) -> &Row {
        &self.rows[page_index(hash, self.page_count) / ROW]
    }

    /// Reads what is read first of a zone, and where that leads.
    #[inline]
    fn touch(&self) -> u64 {
        u64::from(self.apex.as_wire()[0]) ^ self.apex_hash
    }

    /// The node of an absolute wire name, whatever its kind; None also for names outside the zone.
    #[must_use]
    pub fn node_of(&self, absolute: &[u8]) -> Option<Node<'_>> {
        let apex = self.apex.as_wire();
        if !name::is_at_or_below(absolute, apex) {
            return None;
        }
        let relative = &absolute[..absolute.len() - apex.len()];
        self.node(hash::of_name(relative, self.apex_hash), relative)
    }

    #[inline]
    fn page(&self, index: usize) -> &Page {
        &self.rows[index / ROW][index % ROW]
    }

    fn pages(&self) -> impl Iterator<Item = &Page> {
        self.rows.iter().flat_map(|row| row.iter())
    }

    /// The pages from number `index` on, for walking a zone piece by piece.
    pub fn pages_from(&self, index: usize) -> impl Iterator<Item = &Page> {
        (index..self.page_count).map(|index| self.page(index))
    }

    /// All nodes, in no order that means anything.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.pages().flat_map(|page| page.nodes().map(|(_, node)| node))
    }

    /// The absolute wire name of a node.
    #[must_use]
    pub fn absolute(&self, relative: &[u8]) -> Vec<u8> {
        [relative, self.apex.as_wire()].concat()
    }

    /// What proves the absence of names, if the zone is signed.
    #[must_use]
    pub fn denial(&self) -> Option<Denial<'_>> {
        self.chain.as_deref().map(|chain| Denial::new(self, chain))
    }

    /// Notes what of the SOA is kept apart, after it changed; None if there is none.
    fn settle_soa(&mut self) -> Option<()> {
        self.soa = self.read_soa()?;
        self.negative = Some(Arc::new(Negative::of(self, self.soa)?));
        Some(())
    }

    fn read_soa(&self) -> Option<SoaFacts> {
        let soa = self.node(self.apex_hash, &[])?.rrset(types::SOA)?;
        let rdata = soa.rdatas().next()?;
        let minimum = u32::from_be_bytes(*rdata.last_chunk()?);
        Some(SoaFacts { serial: serial_of(rdata)?, negative_ttl: minimum.min(soa.ttl()) })
    }

    /// Whether a signature or a digest (RFC 8976) covers the SOA: another serial would make it a wrong one.
    #[must_use]
    pub fn serial_is_sealed(&self) -> bool {
        let apex = self.apex_node();
        let is_signed = apex.signed_rrset(types::SOA).is_some_and(|(_, signatures)| signatures.is_some());
        is_signed || apex.rrset(types::ZONEMD).is_some()
    }

    /// The same zone with another serial; every page but the apex's is shared.
    #[must_use]
    pub fn with_serial(&self, serial: u32) -> Self {
        let index = page_index(self.apex_hash, self.page_count);
        let page = self.page(index);
        let patched = self.apex_node().rrset(types::SOA).map(|soa: Rrset<'_>| {
            page.patched(page.offset_of(soa.image) + soa.image.len() - 20, &serial.to_be_bytes())
        });
        let mut changed = self.clone();
        if let Some(patched) = patched {
            changed.replace_page(index, patched);
            changed.settle_soa();
        }
        changed
    }

    fn replace_page(&mut self, index: usize, page: Page) {
        let mut row: Vec<Page> = self.rows[index / ROW].to_vec();
        row[index % ROW] = page;
        let mut rows: Vec<Row> = self.rows.to_vec();
        rows[index / ROW] = row.into();
        self.rows = rows.into();
    }

    /// Whether both hold the same records, the serial left aside.
    #[must_use]
    pub fn same_but_serial(&self, other: &Self) -> bool {
        self.apex == other.apex
            && self.record_count == other.record_count
            && self.difference(&other.with_serial(self.soa.serial)) == difference::Difference::default()
    }

    /// The same zone, holding the pages of `other` wherever they are equal, so that two versions cost little more
    /// than one.
    #[must_use]
    pub fn sharing(mut self, other: &Self) -> Self {
        if self.page_count == other.page_count && self.apex_hash == other.apex_hash {
            let rows = self.rows.iter().zip(other.rows.iter()).map(|(mine, theirs)| {
                if mine == theirs {
                    return theirs.clone();
                }
                mine.iter().zip(theirs.iter()).map(|(a, b)| if a == b { b.clone() } else { a.clone() }).collect()
            });
            self.rows = rows.collect();
        }
        self
    }

    /// Octets held in pages.
    #[must_use]
    pub fn size(&self) -> usize {
        self.pages().map(Page::size).sum()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "zone {} {}", self.apex, self.soa.serial)
    }
}

/// The SERIAL in SOA RDATA: the first of the five numbers behind the two names.
fn serial_of(rdata: &[u8]) -> Option<u32> {
    let at = rdata.len().checked_sub(20)?;
    rdata[at..].first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

/// The page of a hash: its leading bits, as many as number the pages.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the product's upper half is below the number of pages")]
fn page_index(hash: u64, page_count: usize) -> usize {
    ((u128::from(hash) * page_count as u128) >> 64) as usize
}
