//! A zone with some records removed and others added: writes the pages it touches and shares all others.
//!
//! The records decide everything else: which names exist, which are empty non-terminals, what the flags say. Whether a
//! change is allowed is decided by those who ask for it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use super::build::MAX_RRSET;
use super::page::{Flags, NODES_PER_PAGE, Node, Page, PageWriter, RECORD_HEADER, is_nsec3, sort_key};
use super::{Chain, Parts, Zone, hash, page_index};
use crate::name;
use crate::rdata::{self, types};

/// A record by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedRecord {
    /// Absolute, uncompressed wire form.
    pub owner: Box<[u8]>,
    /// Seconds.
    pub ttl: u32,
    /// TYPE number.
    pub rtype: u16,
    /// Uncompressed wire form.
    pub rdata: Box<[u8]>,
}

/// Why a change does not fit a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// A record to be removed is not there.
    NotThere(OwnedRecord),
    /// A record to be added is there already.
    AlreadyThere(OwnedRecord),
    /// A record is not of this zone.
    OutOfZone(OwnedRecord),
    /// The zone would have no SOA, or records of one name would be too large.
    NoZone,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, what) = match self {
            Self::NotThere(record) => (record, "cannot be removed: it is not there"),
            Self::AlreadyThere(record) => (record, "cannot be added: it is there already"),
            Self::OutOfZone(record) => (record, "does not belong to the zone"),
            Self::NoZone => {
                return formatter.write_str("the zone would have no SOA, or an RRset too large to be sent");
            }
        };
        let mut text = String::new();
        name::write_text(&record.owner, &mut text);
        text.push(' ');
        rdata::write_type(record.rtype, &mut text);
        text.push(' ');
        rdata::write_text(record.rtype, &record.rdata, &mut text);
        write!(formatter, "{text} {what}")
    }
}

/// Sorts names with more labels first, so that children are settled before their parents.
type Key = (Reverse<usize>, Vec<u8>);

/// A node being changed.
struct Draft {
    name: Vec<u8>,
    hash: u64,
    existed: bool,
    flags: Flags,
    children: u32,
    /// By the key they are sorted by in the node.
    rrsets: BTreeMap<(u16, bool), Vec<DraftRecord>>,
}

/// TTL and RDATA.
type DraftRecord = (u32, Vec<u8>);

impl Draft {
    fn exists(&self) -> bool {
        !self.rrsets.is_empty() || self.children > 0 || self.name.is_empty()
    }

    fn owns(&self, rtype: u16) -> bool {
        self.rrsets.contains_key(&(rtype, false))
    }

    fn record_count(&self) -> usize {
        self.rrsets.values().map(Vec::len).sum()
    }
}

impl Zone {
    /// The zone without the records of `remove` and with those of `add`, in this order.
    ///
    /// # Errors
    /// [`ChangeError`], when the change was not made for this zone.
    pub fn changed(&self, remove: &[OwnedRecord], add: &[OwnedRecord]) -> Result<Self, ChangeError> {
        let mut drafts = Drafts { zone: self, touched: BTreeMap::new(), records_before: 0, names_before: 0 };
        for record in remove {
            drafts.remove(record)?;
        }
        for record in add {
            drafts.add(record)?;
        }
        drafts.settle_existence();
        let hides_others = drafts.settle_flags();
        let mut zone = drafts.into_zone().ok_or(ChangeError::NoZone)?;
        if hides_others {
            zone.settle_occlusion();
        }
        zone.settle_soa().ok_or(ChangeError::NoZone)?;
        if zone.name_count > 2 * NODES_PER_PAGE * zone.page_count {
            zone = zone.with_more_pages().ok_or(ChangeError::NoZone)?;
        } else if self.chain.is_some() || zone.apex_node().rrset(types::NSEC).is_some() {
            zone.chain = Chain::of(&zone).map(Arc::new);
        }
        Ok(zone)
    }

    /// Finds anew which names are hidden, after a cut or DNAME with names below it came or went. This looks at the
    /// whole zone, which such a change is rare enough for.
    fn settle_occlusion(&mut self) {
        for index in 0..self.page_count {
            let page = self.page(index);
            let is_wrong = |node: &Node<'_>| node.flags.any(Flags::OCCLUDED) != self.is_hidden(node.name);
            if page.nodes().any(|(_, node)| is_wrong(&node)) {
                let nodes = page.nodes().map(|(_, node)| {
                    let hidden = self.is_hidden(node.name);
                    (hash::of_name(node.name, self.apex_hash), node.occluded(hidden))
                });
                let mut writer = PageWriter::default();
                nodes.for_each(|(hash, node)| writer.copy_node(hash, &node));
                if let Some(page) = writer.finish() {
                    self.replace_page(index, page);
                }
            }
        }
    }

    /// Whether a cut or a DNAME stands above a name.
    fn is_hidden(&self, relative: &[u8]) -> bool {
        let mut rest = relative;
        while let Some(&length) = rest.first() {
            rest = &rest[1 + usize::from(length)..];
            let above = self.node(hash::of_name(rest, self.apex_hash), rest);
            if above.is_some_and(|node| node.flags.any(Flags::CUT | Flags::DNAME)) {
                return true;
            }
        }
        false
    }

    /// The same zone in as many pages as suit its size.
    fn with_more_pages(&self) -> Option<Self> {
        let page_count = self.name_count.div_ceil(NODES_PER_PAGE).next_power_of_two();
        let mut nodes: Vec<_> = self.nodes().map(|node| (hash::of_name(node.name, self.apex_hash), node)).collect();
        nodes.sort_by_cached_key(|(hash, node)| page_order(*hash, node.name));
        let mut rest = &nodes[..];
        let mut pages = Vec::with_capacity(page_count);
        let mut writer = PageWriter::default();
        for index in 0..page_count {
            let (mine, after) =
                rest.split_at(rest.partition_point(|(hash, _)| page_index(*hash, page_count) <= index));
            rest = after;
            for (hash, node) in mine {
                writer.copy_node(*hash, node);
            }
            pages.push(writer.finish()?);
        }
        let parts = Parts { pages, record_count: self.record_count, name_count: self.name_count };
        Self::assemble(self.apex.clone(), self.apex_hash, &parts)
    }
}

/// The order of nodes in a page: the same as when a zone is built from a file.
fn page_order(hash: u64, name: &[u8]) -> (u64, Vec<u8>) {
    (hash >> 32, name.to_ascii_lowercase())
}

/// All nodes that a change touches.
struct Drafts<'z> {
    zone: &'z Zone,
    touched: BTreeMap<Key, Draft>,
    records_before: usize,
    names_before: usize,
}

impl Drafts<'_> {
    /// The draft of a name; made of the node if this is its first.
    fn open(&mut self, relative: &[u8]) -> &mut Draft {
        let (zone, records, names) = (self.zone, &mut self.records_before, &mut self.names_before);
        self.touched.entry(key(relative)).or_insert_with(|| {
            let hash = hash::of_name(relative, zone.apex_hash);
            let node = zone.node(hash, relative);
            let draft = draft(relative, hash, node.as_ref());
            *records += draft.record_count();
            *names += usize::from(draft.existed);
            draft
        })
    }

    fn relative<'r>(&self, record: &'r OwnedRecord) -> Result<&'r [u8], ChangeError> {
        let apex = self.zone.apex.as_wire();
        if name::is_at_or_below(&record.owner, apex) {
            Ok(&record.owner[..record.owner.len() - apex.len()])
        } else {
            Err(ChangeError::OutOfZone(record.clone()))
        }
    }

    fn remove(&mut self, record: &OwnedRecord) -> Result<(), ChangeError> {
        let relative = self.relative(record)?;
        let key = sort_key(record.rtype, &record.rdata);
        let draft = self.open(relative);
        let records = draft.rrsets.get_mut(&key);
        let found = records.and_then(|records| {
            let at = records.iter().position(|(_, rdata)| rdata::same(record.rtype, rdata, &record.rdata))?;
            records.remove(at);
            Some(records.is_empty())
        });
        match found {
            None => return Err(ChangeError::NotThere(record.clone())),
            Some(true) => _ = draft.rrsets.remove(&key),
            Some(false) => {}
        }
        Ok(())
    }

    fn add(&mut self, record: &OwnedRecord) -> Result<(), ChangeError> {
        let relative = self.relative(record)?;
        let records = self.open(relative).rrsets.entry(sort_key(record.rtype, &record.rdata)).or_default();
        if records.iter().any(|(_, rdata)| rdata::same(record.rtype, rdata, &record.rdata)) {
            return Err(ChangeError::AlreadyThere(record.clone()));
        }
        records.push((record.ttl, record.rdata.to_vec()));
        Ok(())
    }

    /// Tells each parent of names that came or went, up to the apex.
    fn settle_existence(&mut self) {
        let mut next = self.touched.keys().next().cloned();
        while let Some(key) = next {
            let draft = &self.touched[&key];
            let (existed, exists) = (draft.existed, draft.exists());
            let name = draft.name.clone();
            if existed != exists
                && let Some(&length) = name.first()
            {
                let (label, parent) = name.split_at(1 + usize::from(length));
                let parent = self.open(parent);
                if !parent.name.is_empty() {
                    parent.children = if exists { parent.children + 1 } else { parent.children.saturating_sub(1) };
                    parent.flags = parent.flags.with(Flags::PARENT, parent.children > 0);
                }
                if label == b"\x01*" {
                    parent.flags = parent.flags.with(Flags::WILDCARD_CHILD, exists);
                }
            }
            let after = (Bound::Excluded(key), Bound::Unbounded);
            next = self.touched.range(after).next().map(|(key, _)| key.clone());
        }
    }

    /// Sets the flags that follow from records; true if names that are no drafts may be hidden or seen by it.
    fn settle_flags(&mut self) -> bool {
        let mut hides_others = false;
        let mut settled: HashMap<Vec<u8>, Flags> = HashMap::new();
        for draft in self.touched.values_mut().rev() {
            let before = draft.flags;
            let cut = !draft.name.is_empty() && draft.owns(types::NS);
            let flags = before.with(Flags::CUT, cut).with(Flags::DNAME, draft.owns(types::DNAME));
            let hides = Flags::CUT | Flags::DNAME;
            hides_others |= (before.0 ^ flags.0) & hides != 0 && (draft.children > 0 || draft.name.is_empty());
            let above = parent_of(&draft.name).map(|parent| {
                settled.get(&parent.to_ascii_lowercase()).copied().unwrap_or_else(|| {
                    let node = self.zone.node(hash::of_name(parent, self.zone.apex_hash), parent);
                    node.map_or(Flags::default(), |node| node.flags)
                })
            });
            let hidden = above.is_some_and(|above| above.any(hides | Flags::OCCLUDED));
            let only_nsec3 = draft.children == 0 && draft.rrsets.keys().all(|&key| is_nsec3(key));
            draft.flags = flags
                .with(Flags::CNAME, draft.owns(types::CNAME))
                .with(Flags::OCCLUDED, hidden)
                .with(Flags::NSEC3_OWNER, only_nsec3);
            settled.insert(draft.name.to_ascii_lowercase(), draft.flags);
        }
        hides_others
    }

    fn into_zone(self) -> Option<Zone> {
        let mut zone = self.zone.clone();
        zone.record_count -= self.records_before;
        zone.name_count -= self.names_before;
        let mut by_page: BTreeMap<usize, Vec<&Draft>> = BTreeMap::new();
        for draft in self.touched.values() {
            zone.record_count += draft.record_count();
            zone.name_count += usize::from(draft.exists());
            by_page.entry(page_index(draft.hash, zone.page_count)).or_default().push(draft);
        }
        for (index, drafts) in by_page {
            let page = rewritten(self.zone.page(index), &drafts, self.zone.apex_hash)?;
            zone.replace_page(index, page);
        }
        Some(zone)
    }
}

fn key(relative: &[u8]) -> Key {
    (Reverse(name::labels(relative).count()), relative.to_ascii_lowercase())
}

fn parent_of(relative: &[u8]) -> Option<&[u8]> {
    relative.first().map(|&length| &relative[1 + usize::from(length)..])
}

fn draft(relative: &[u8], hash: u64, node: Option<&Node<'_>>) -> Draft {
    let mut draft = Draft {
        name: node.map_or(relative, |node| node.name).to_vec(),
        hash,
        existed: node.is_some(),
        flags: node.map_or(Flags::default(), |node| node.flags),
        children: node.map_or(0, |node| node.children),
        rrsets: BTreeMap::new(),
    };
    for rrset in node.iter().flat_map(|node| node.rrsets()) {
        let ttl = rrset.ttl();
        let records: Vec<_> = rrset.rdatas().map(|rdata| (ttl, rdata.to_vec())).collect();
        if let Some((_, first)) = records.first() {
            draft.rrsets.insert(sort_key(rrset.rtype, first), records);
        }
    }
    draft
}

/// A page with the drafts in the place of the nodes they were made of; None if it gets too large.
fn rewritten(page: &Page, drafts: &[&Draft], apex_hash: u64) -> Option<Page> {
    enum Entry<'e> {
        Kept(Node<'e>),
        Drafted(&'e Draft),
    }
    let is_drafted = |node: &Node<'_>| drafts.iter().any(|draft| name::same(&draft.name, node.name));
    let kept = page.nodes().map(|(_, node)| node).filter(|node| !is_drafted(node));
    let mut entries: Vec<(u64, Entry<'_>)> =
        kept.map(|node| (hash::of_name(node.name, apex_hash), Entry::Kept(node))).collect();
    let existing = drafts.iter().filter(|draft| draft.exists());
    entries.extend(existing.map(|draft| (draft.hash, Entry::Drafted(draft))));
    entries.sort_by_cached_key(|(hash, entry)| match entry {
        Entry::Kept(node) => page_order(*hash, node.name),
        Entry::Drafted(draft) => page_order(*hash, &draft.name),
    });
    let mut writer = PageWriter::default();
    for (hash, entry) in entries {
        match entry {
            Entry::Kept(node) => writer.copy_node(hash, &node),
            Entry::Drafted(draft) => write_draft(&mut writer, draft)?,
        }
    }
    writer.finish()
}

fn write_draft(writer: &mut PageWriter, draft: &Draft) -> Option<()> {
    writer.node(draft.hash, draft.flags, &draft.name, draft.children);
    for (&(rtype, signature), records) in &draft.rrsets {
        let (rtype, covered) = if signature { (types::RRSIG, rtype) } else { (rtype, 0) };
        let size: usize = records.iter().map(|(_, rdata)| RECORD_HEADER + rdata.len()).sum();
        if size > MAX_RRSET {
            return None;
        }
        let ttl = records.iter().map(|(ttl, _)| *ttl).min()?;
        let mut rdatas: Vec<&[u8]> = records.iter().map(|(_, rdata)| &rdata[..]).collect();
        rdatas.sort_unstable();
        writer.rrset(rtype, covered);
        for rdata in rdatas {
            writer.record(rtype, ttl, rdata);
        }
    }
    Some(())
}
