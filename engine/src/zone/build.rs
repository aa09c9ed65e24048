//! From records to a zone: grouping, empty non-terminals, cuts, and the findings that come to light on the way.
//!
//! Checks that look at one name stand here, where its records lie together; checks that need the finished zone
//! (targets of NS, MX, SRV) stand in `checks`.

use std::collections::{HashMap, HashSet};

use super::checks::{self, Finding, Findings, Focus};
use super::hash;
use super::page::{Flags, NODES_PER_PAGE, Page, PageWriter, RECORD_HEADER, is_nsec3, sort_key};
use super::staging::{Bucket, MARK, Staged, Staging};
use super::{Parts, Zone, page_index};
use crate::name::{self, MAX_LABELS, Name};
use crate::rdata::{self, types};
use crate::record::{Record, RecordSink, Severity};

/// An `RRset` larger than this fits no message (65535 octets, less header, question, owner, OPT and TSIG).
pub(super) const MAX_RRSET: usize = 64_000;

/// Collects the records of one zone.
pub struct ZoneBuilder {
    apex: Name,
    apex_hash: u64,
    staging: Staging,
    last_owner: Vec<u8>,
    last_hash: u64,
    cuts: HashSet<u64>,
    dnames: HashSet<u64>,
    ancestors: HashSet<u64>,
    wildcard_parents: HashSet<u64>,
    /// Records whose targets are checked when the zone is there: copies, so that all others can be let go before.
    pointing: Bucket,
    findings: Findings,
}

impl RecordSink for ZoneBuilder {
    fn record(&mut self, record: &Record<'_>) {
        if record.owner != self.last_owner || self.last_owner.is_empty() {
            if !name::is_at_or_below(record.owner, self.apex.as_wire()) {
                self.findings.push(checks::out_of_zone(record, &self.apex));
                return;
            }
            self.begin_owner(record);
        }
        let relative_length = record.owner.len() - self.apex.as_wire().len();
        let relative = &record.owner[..relative_length];
        match record.rtype {
            types::NS if !relative.is_empty() => _ = self.cuts.insert(self.last_hash),
            types::DNAME => _ = self.dnames.insert(self.last_hash),
            _ => {}
        }
        if self.staging.push(self.last_hash, relative, record).is_none() {
            self.findings.push(checks::too_large(record));
        } else if checks::has_checked_target(record, &self.apex) {
            let _there_are_fewer_than_records = self.pointing.push(self.last_hash, relative, record);
        }
    }
}

impl ZoneBuilder {
    /// Begins a zone of a size that nobody knows.
    #[must_use]
    pub fn new(apex: Name) -> Self {
        Self::for_text(apex, usize::MAX)
    }

    /// Begins a zone whose text has about so many octets.
    #[must_use]
    pub fn for_text(apex: Name, octets: usize) -> Self {
        let apex_hash = hash::of_name(apex.as_wire(), hash::root());
        Self {
            apex,
            apex_hash,
            staging: Staging::for_text(octets),
            last_owner: Vec::new(),
            last_hash: apex_hash,
            cuts: HashSet::new(),
            dnames: HashSet::new(),
            ancestors: HashSet::new(),
            wildcard_parents: HashSet::new(),
            pointing: Bucket::default(),
            findings: Findings::default(),
        }
    }

    /// The zone, unless a finding is an error, and all findings.
    #[must_use]
    pub fn finish(self) -> (Option<Zone>, Vec<Finding>) {
        let (zone, findings) = self.finish_unchecked();
        let good = findings.iter().all(|finding| finding.severity == Severity::Warning);
        (zone.filter(|_| good), findings)
    }

    /// The zone whatever is found, as long as it has an SOA, and all findings.
    #[must_use]
    pub fn finish_unchecked(mut self) -> (Option<Zone>, Vec<Finding>) {
        let parts = self.write_pages();
        let zone = Zone::assemble(self.apex.clone(), self.apex_hash, &parts);
        match &zone {
            Some(zone) => {
                checks::apex(zone, &mut self.findings);
                for staged in self.pointing.records() {
                    checks::target(zone, &staged, &mut self.findings);
                }
            }
            None => self.findings.push(checks::missing_soa(&self.apex)),
        }
        (zone, self.findings.into_vec())
    }

    /// Hashes a new owner and marks that its ancestors exist.
    fn begin_owner(&mut self, record: &Record<'_>) {
        self.last_owner.clear();
        self.last_owner.extend_from_slice(record.owner);
        let relative = &record.owner[..record.owner.len() - self.apex.as_wire().len()];
        let mut starts = [0; MAX_LABELS + 1];
        let count = name::label_starts(relative, &mut starts);
        let mut above = self.apex_hash;
        for index in (0..count).rev() {
            let start = usize::from(starts[index]);
            let label = &relative[start + 1..start + 1 + usize::from(relative[start])];
            let here = hash::extend(above, label);
            if label == b"*" {
                self.wildcard_parents.insert(above);
            }
            if index > 0 && self.ancestors.insert(here) {
                let mark = Record { rtype: MARK, rdata: &[], ..*record };
                self.staging.push(here, &relative[start..], &mark);
            }
            above = here;
        }
        self.last_hash = above;
    }

    fn write_pages(&mut self) -> Parts {
        let mut staging = std::mem::take(&mut self.staging);
        let page_count = staging.sort().div_ceil(NODES_PER_PAGE).next_power_of_two();
        let mut writer = NodeWriter::new(self, page_count);
        staging.drain(|bucket| writer.bucket(bucket));
        let (parts, findings) = writer.finish();
        self.findings.append(findings);
        parts
    }
}

/// Writes nodes from groups of staged records, page after page.
struct NodeWriter<'b> {
    builder: &'b ZoneBuilder,
    page_count: usize,
    page: PageWriter,
    pages: Vec<Page>,
    findings: Findings,
    record_count: usize,
    name_count: usize,
    /// By the hash of the parent, the apex left out.
    children: HashMap<u64, u32>,
}

impl<'b> NodeWriter<'b> {
    fn new(builder: &'b ZoneBuilder, page_count: usize) -> Self {
        let pages = Vec::with_capacity(page_count);
        Self {
            builder,
            page_count,
            page: PageWriter::default(),
            pages,
            findings: Findings::default(),
            record_count: 0,
            name_count: 0,
            children: HashMap::new(),
        }
    }

    fn finish(mut self) -> (Parts, Findings) {
        self.finish_pages_before(self.page_count);
        // A parent may have been written before its last child was seen.
        for (parent, children) in self.children {
            let page = &mut self.pages[page_index(parent, self.page_count)];
            if let Some(offset) = page.find_hash(parent, self.builder.apex_hash) {
                page.count_children(offset, children);
            }
        }
        let parts = Parts { pages: self.pages, record_count: self.record_count, name_count: self.name_count };
        (parts, self.findings)
    }

    fn count_child(&mut self, owner: &[u8]) {
        self.name_count += 1;
        if let Some(&length) = owner.first() {
            let parent = &owner[1 + usize::from(length)..];
            if !parent.is_empty() {
                *self.children.entry(hash::of_name(parent, self.builder.apex_hash)).or_default() += 1;
            }
        }
    }

    fn finish_pages_before(&mut self, index: usize) {
        while self.pages.len() < index {
            let page = self.page.finish().unwrap_or_else(|| {
                self.findings.push(checks::names_too_large());
                PageWriter::default().finish().expect("an empty page has room")
            });
            self.pages.push(page);
        }
    }

    /// Two names can share the half of a hash that the keys are sorted by; then they are told apart here.
    fn bucket(&mut self, bucket: &Bucket) {
        let mut group: Vec<Staged<'_>> = Vec::new();
        for keys in bucket.groups() {
            group.clear();
            group.extend(keys.iter().map(|&key| bucket.at_key(key)));
            self.finish_pages_before(page_index(keys[0], self.page_count));
            let first = group[0].owner;
            if group.iter().any(|staged| !name::same(staged.owner, first)) {
                group.sort_by_cached_key(|staged| staged.owner.to_ascii_lowercase());
            }
            for same_name in group.chunk_by_mut(|a, b| name::same(a.owner, b.owner)) {
                self.node(same_name);
            }
        }
    }

    fn node(&mut self, group: &mut [Staged<'_>]) {
        let owner = group[0].owner;
        let full_hash = hash::of_name(owner, self.builder.apex_hash);
        let flags = self.flags(owner, full_hash, group);
        checks::owner(&self.builder.apex, group, flags, &mut self.findings);
        self.page.node(full_hash, flags, owner, 0);
        self.count_child(owner);
        group.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.rdata.cmp(b.rdata)));
        let first_record = group.iter().take_while(|staged| staged.rtype == MARK).count();
        for rrset in group[first_record..].chunk_by(|a, b| order(a) == order(b)) {
            self.rrset(rrset);
        }
    }

    fn flags(&self, owner: &[u8], full_hash: u64, group: &[Staged<'_>]) -> Flags {
        let mut bits = 0;
        if self.builder.cuts.contains(&full_hash) {
            bits |= Flags::CUT;
        }
        if self.builder.dnames.contains(&full_hash) {
            bits |= Flags::DNAME;
        }
        if self.builder.wildcard_parents.contains(&full_hash) {
            bits |= Flags::WILDCARD_CHILD;
        }
        if self.builder.ancestors.contains(&full_hash) {
            bits |= Flags::PARENT;
        } else if group.iter().all(|staged| is_nsec3(order(staged))) {
            bits |= Flags::NSEC3_OWNER;
        }
        if group.iter().any(|staged| staged.rtype == types::CNAME) {
            bits |= Flags::CNAME;
        }
        if self.is_occluded(owner) {
            bits |= Flags::OCCLUDED;
        }
        Flags(bits)
    }

    fn is_occluded(&self, owner: &[u8]) -> bool {
        let (cuts, dnames) = (&self.builder.cuts, &self.builder.dnames);
        if owner.is_empty() || (cuts.is_empty() && dnames.is_empty()) {
            return false;
        }
        let mut starts = [0; MAX_LABELS + 1];
        let count = name::label_starts(owner, &mut starts);
        let mut above = self.builder.apex_hash;
        if dnames.contains(&above) {
            return true;
        }
        starts[1..count].iter().rev().any(|&start| {
            let start = usize::from(start);
            above = hash::extend(above, &owner[start + 1..start + 1 + usize::from(owner[start])]);
            cuts.contains(&above) || dnames.contains(&above)
        })
    }

    fn rrset(&mut self, records: &[Staged<'_>]) {
        let first = records[0];
        let ttl = records.iter().map(|staged| staged.ttl).min().unwrap_or(0);
        if let Some(finding) = checks::ttl_mismatch(records, ttl) {
            self.findings.push(finding);
        }
        let covered = if first.rtype == types::RRSIG { order(&first).0 } else { 0 };
        self.page.rrset(first.rtype, covered);
        let mut size = 0;
        for (index, staged) in records.iter().enumerate() {
            if index > 0 && rdata::same(first.rtype, records[index - 1].rdata, staged.rdata) {
                continue;
            }
            size += RECORD_HEADER + staged.rdata.len();
            if size <= MAX_RRSET {
                self.page.record(first.rtype, ttl, staged.rdata);
                self.record_count += 1;
            }
        }
        if size > MAX_RRSET {
            self.findings.push(Finding::error(
                "rrset-too-large",
                format!("this RRset has {size} octets; no DNS message could carry it"),
                first.span,
                Focus::Owner,
            ));
        }
    }
}

/// What the records of a node are sorted by: see [`sort_key`]; marks come first.
fn order(staged: &Staged<'_>) -> (u16, bool) {
    sort_key(staged.rtype, staged.rdata)
}
