//! Writing pages: see the parent for their form.

use super::{Flags, Node, Page, RRSET_HEADER, Rrset, read_u16, read_u32, slot_and_tag};

/// Writes one page, node by node and record by record, then its slots.
#[derive(Default)]
pub struct PageWriter {
    nodes: Vec<u8>,
    starts: Vec<(u64, u32)>,
    rrset_at: usize,
}

/// A page may hold this many octets of nodes: offsets have 24 bits.
const MAX_PAGE: usize = (1 << 24) - 1;

impl PageWriter {
    /// Begins a node. Nodes come in one order whatever the order in the file was. `children` counts only where `flags`
    /// say that there are any.
    ///
    /// # Panics
    /// Never for a name of at most 255 octets.
    pub fn node(&mut self, hash: u64, flags: Flags, relative: &[u8], children: u32) {
        self.starts.push((hash, u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)));
        let length = u8::try_from(relative.len()).expect("names are checked before they come here");
        self.nodes.extend_from_slice(&[flags.0, length, 0, 0]);
        self.nodes.extend_from_slice(relative);
        self.nodes.extend_from_slice(&children.to_le_bytes()[..flags.child_count_length()]);
    }

    /// Copies a node as it stands in another page.
    pub fn copy_node(&mut self, hash: u64, node: &Node<'_>) {
        self.node(hash, node.flags, node.name, node.children);
        node.rrsets().for_each(|rrset| self.copy_rrset(&rrset));
    }

    fn copy_rrset(&mut self, rrset: &Rrset<'_>) {
        self.rrset(rrset.rtype, rrset.covered);
        let at = self.rrset_at;
        self.nodes.extend_from_slice(rrset.image);
        self.nodes[at + 4..at + 6].copy_from_slice(&rrset.count.to_le_bytes());
        #[allow(clippy::cast_possible_truncation, reason = "it fitted there")]
        self.nodes[at + 6..at + 10].copy_from_slice(&(rrset.image.len() as u32).to_le_bytes());
    }

    /// Begins an `RRset` of the last node.
    pub fn rrset(&mut self, rtype: u16, covered: u16) {
        let node = self.starts.last().map_or(0, |&(_, start)| start as usize);
        let count = read_u16(&self.nodes, node + 2) + 1;
        self.nodes[node + 2..node + 4].copy_from_slice(&count.to_le_bytes());
        self.rrset_at = self.nodes.len();
        self.nodes.extend_from_slice(&rtype.to_le_bytes());
        self.nodes.extend_from_slice(&covered.to_le_bytes());
        self.nodes.extend_from_slice(&[0; 6]);
    }

    /// Adds a record to the last `RRset`.
    pub fn record(&mut self, rtype: u16, ttl: u32, rdata: &[u8]) {
        let count = read_u16(&self.nodes, self.rrset_at + 4).saturating_add(1);
        self.nodes[self.rrset_at + 4..self.rrset_at + 6].copy_from_slice(&count.to_le_bytes());
        self.nodes.extend_from_slice(&[0xc0, 0x0c]);
        self.nodes.extend_from_slice(&rtype.to_be_bytes());
        self.nodes.extend_from_slice(&1_u16.to_be_bytes());
        self.nodes.extend_from_slice(&ttl.to_be_bytes());
        #[allow(clippy::cast_possible_truncation, reason = "the readers bound RDATA to 65535 octets")]
        self.nodes.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        self.nodes.extend_from_slice(rdata);
        #[allow(clippy::cast_possible_truncation, reason = "a page is far below 4 GiB")]
        let length = (self.nodes.len() - self.rrset_at - RRSET_HEADER) as u32;
        self.nodes[self.rrset_at + 6..self.rrset_at + 10].copy_from_slice(&length.to_le_bytes());
    }

    /// Ends the page and is ready for the next; None when its nodes do not fit.
    pub fn finish(&mut self) -> Option<Page> {
        let slots = (self.starts.len() * 3 / 2 + 1).next_power_of_two();
        let head = 4 + 4 * slots;
        if head + self.nodes.len() > MAX_PAGE {
            return None;
        }
        let mut octets = vec![0_u8; head];
        octets.reserve_exact(self.nodes.len());
        #[allow(clippy::cast_possible_truncation, reason = "bounded by MAX_PAGE")]
        let (slot_count, head) = (slots as u32, head as u32);
        octets[..4].copy_from_slice(&slot_count.to_le_bytes());
        let mask = slot_count - 1;
        for &(hash, start) in &self.starts {
            let (mut slot, tag) = slot_and_tag(hash, mask);
            while read_u32(&octets, 4 + 4 * slot as usize) != 0 {
                slot = (slot + 1) & mask;
            }
            let at = 4 + 4 * slot as usize;
            octets[at..at + 4].copy_from_slice(&(tag << 24 | (start + head)).to_le_bytes());
        }
        octets.extend_from_slice(&self.nodes);
        self.nodes.clear();
        self.starts.clear();
        Some(Page(octets.into()))
    }
}
