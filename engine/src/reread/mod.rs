//! Reads a new version of a zone's text at the cost of what differs from the version before.
//!
//! ```text
//! text --read--> zone, and marks: places where reading can begin, each with what its lines depend on
//! old text, new text --hunks--> stretches that differ, from mark to mark
//! each stretch --read, old and new--> records that went and came --change--> the new zone
//! ```
//!
//! What comes of it is what reading the whole new text would give, or None: where anything is out of the ordinary
//! (findings of any kind, directives, records written twice, upper case in owners), the whole text is read. What a zone
//! file means is `zonefile`'s business, and what a zone must be `zone`'s.

mod hunks;
mod marks;
#[cfg(test)]
mod tests;

pub use marks::{Marking, Marks};

use std::collections::HashMap;

use crate::record::{EntryStart, Record, RecordSink};
use crate::zone::Zone;
use crate::zone::change::OwnedRecord;
use crate::zonefile;
use hunks::Hunk;

/// The zone of the text `new`, made from `zone`, which is that of `old`, and the marks of the new text.
#[must_use]
pub fn reread(old: &[u8], new: &[u8], zone: &Zone, marks: &Marks) -> Option<(Zone, Marks)> {
    if marks.text_length() != old.len() || u32::try_from(new.len()).is_err() {
        return None;
    }
    let hunks = hunks::between(old, new, marks)?;
    let mut counts: HashMap<OwnedRecord, i64> = HashMap::new();
    for hunk in &hunks {
        for record in records(&old[..hunk.old.end], hunk, hunk.old.start, marks)? {
            *counts.entry(record).or_default() -= 1;
        }
        for record in records(&new[..hunk.new.end], hunk, hunk.new.start, marks)? {
            *counts.entry(record).or_default() += 1;
        }
    }
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (record, count) in counts {
        match count {
            0 => {}
            -1 => removed.push(record),
            1 => added.push(record),
            _ => return None,
        }
    }
    let changed = zone.changed(&removed, &added).ok()?;
    changed.is_flawless_after(zone, &removed, &added).then(|| (changed, marks.moved(&hunks, new.len())))
}

/// The records of a stretch, as they are read from its mark on; None where that is not all there is to it.
fn records(text: &[u8], hunk: &Hunk, start: usize, marks: &Marks) -> Option<Vec<OwnedRecord>> {
    let mut collector = Collector { apex_length: marks.apex_length(), records: Vec::new(), is_plain: true };
    let after = zonefile::read_from(text, start, &marks.get(hunk.first)?.inherited, &mut collector)?;
    let is_followed = match hunk.last {
        Some(last) => marks.get(last)?.inherited == after,
        None => true,
    };
    (collector.is_plain && is_followed).then_some(collector.records)
}

/// Collects records, and notes what makes a text no plain one.
struct Collector {
    apex_length: usize,
    records: Vec<OwnedRecord>,
    is_plain: bool,
}

impl RecordSink for Collector {
    fn record(&mut self, record: &Record<'_>) {
        let Record { owner, ttl, rtype, rdata, .. } = *record;
        self.is_plain &= is_plain_owner(owner, self.apex_length);
        self.records.push(OwnedRecord { owner: owner.into(), ttl, rtype, rdata: rdata.into() });
    }

    fn entry(&mut self, start: &EntryStart<'_>) {
        self.is_plain &= start.directive.is_none_or(marks::is_plain_directive);
    }
}

/// Whether an owner's labels below the apex have no upper case: which spelling of a name is kept depends on the order of
/// the whole text.
fn is_plain_owner(owner: &[u8], apex_length: usize) -> bool {
    let relative = &owner[..owner.len().saturating_sub(apex_length)];
    !relative.iter().any(u8::is_ascii_uppercase)
}

/// Whether reading may begin at an entry: its owner is written, and its line begins with it.
fn begins_line(text: &[u8], start: usize) -> bool {
    let is_start = start == 0 || text[start - 1] == b'\n';
    is_start && !matches!(text.get(start), None | Some(b' ' | b'\t' | b'$' | b'(' | b')' | b';'))
}
