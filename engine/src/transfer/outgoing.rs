//! From zones to the messages of a transfer, one message after the other, as large as they may be.

use std::sync::Arc;

use crate::message::HEADER;
use crate::message::flag;
use crate::name;
use crate::rdata::{self, types};
use crate::zone::Zone;
use crate::zone::change::OwnedRecord;

/// Room that a message needs at least: the largest `RRset` that a zone can hold, with owner and question.
pub const LEAST_ROOM: usize = 64_600;

const CLASS_IN: [u8; 2] = [0, 1];
const POINTER: u16 = 0xc000;
const MAX_POINTER: u16 = 0x3fff;

/// What of a query comes back in its response.
#[derive(Clone, Debug)]
pub struct Question {
    /// Message id.
    pub id: [u8; 2],
    /// Flags of the query; RD comes back.
    pub flags: u16,
    /// QNAME as sent; the apex of the zone.
    pub name: Box<[u8]>,
    /// AXFR or IXFR.
    pub qtype: u16,
}

/// A transfer under way.
pub struct Outgoing {
    question: Question,
    zone: Arc<Zone>,
    /// Records that stand in no one zone in this order; sent before the zone itself.
    records: std::vec::IntoIter<OwnedRecord>,
    next_record: Option<OwnedRecord>,
    /// The place in the zone, if all of it is sent.
    cursor: Option<Cursor>,
    first: bool,
    finished: bool,
}

/// A place among the records of a zone.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    page: usize,
    node: usize,
    rrset: usize,
    record: usize,
}

impl Outgoing {
    /// All of a zone: its SOA, everything else, its SOA again (RFC 5936 §2.2).
    #[must_use]
    pub fn whole(question: Question, zone: Arc<Zone>) -> Self {
        let records = vec![soa_of(&zone)];
        Self::new(question, zone, records, Some(Cursor::default()))
    }

    /// The steps from the first of `versions` to the last (RFC 1995 §4). With one version, that one's SOA alone: the
    /// client is up to date.
    #[must_use]
    pub fn steps(question: Question, versions: &[Arc<Zone>], newest: Arc<Zone>) -> Self {
        let mut records = vec![soa_of(&newest)];
        for pair in versions.windows(2) {
            let difference = pair[0].difference(&pair[1]);
            records.extend(difference.removed);
            records.extend(difference.added);
        }
        if versions.len() > 1 {
            records.push(soa_of(&newest));
        }
        Self::new(question, newest, records, None)
    }

    fn new(question: Question, zone: Arc<Zone>, records: Vec<OwnedRecord>, cursor: Option<Cursor>) -> Self {
        let mut records = records.into_iter();
        let next_record = records.next();
        Self { question, zone, records, next_record, cursor, first: true, finished: false }
    }

    /// Writes the next message into `out` and gives its length; None when the transfer is complete.
    ///
    /// `out` has at least [`LEAST_ROOM`] octets, so that no record is too large for a message.
    pub fn next_message(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.finished {
            return None;
        }
        // The question stands in the first message only (RFC 5936 §2.2.1).
        let with_question = std::mem::take(&mut self.first);
        let (zone, question) = (self.zone.clone(), self.question.clone());
        let mut message = Message::begin(out, zone.apex().as_wire(), with_question.then_some(&question))?;
        self.fill(&mut message);
        Some(message.finish(&question))
    }

    /// Writes records until the message is full or nothing is left.
    fn fill(&mut self, message: &mut Message<'_>) {
        loop {
            while let Some(record) = self.next_record.take() {
                let relative = &record.owner[..record.owner.len() - message.apex.len()];
                if message.record(relative, record.rtype, record.ttl, &record.rdata).is_none() {
                    self.next_record = Some(record);
                    return;
                }
                self.next_record = self.records.next();
            }
            let Some(cursor) = &mut self.cursor else {
                self.finished = true;
                return;
            };
            if !fill_from_zone(message, &self.zone, cursor) {
                return;
            }
            // The SOA that ends the transfer; in a message of its own, if this one is full.
            self.cursor = None;
            self.next_record = Some(soa_of(&self.zone));
        }
    }
}

/// Writes records of a zone from a place on; false when the message is full.
fn fill_from_zone(message: &mut Message<'_>, zone: &Zone, cursor: &mut Cursor) -> bool {
    for page in zone.pages_from(cursor.page) {
        for (_, node) in page.nodes().skip(cursor.node) {
            for rrset in node.rrsets().skip(cursor.rrset) {
                let is_apex_soa = rrset.rtype == types::SOA && node.name.is_empty();
                let ttl = rrset.ttl();
                for rdata in rrset.rdatas().skip(cursor.record).filter(|_| !is_apex_soa) {
                    if message.record(node.name, rrset.rtype, ttl, rdata).is_none() {
                        return false;
                    }
                    cursor.record += 1;
                }
                cursor.record = 0;
                cursor.rrset += 1;
            }
            cursor.rrset = 0;
            cursor.node += 1;
        }
        cursor.node = 0;
        cursor.page += 1;
    }
    true
}

/// A message being written. Names in the zone end in a pointer to its apex, other names are written in full: that
/// costs few octets and saves looking for suffixes.
struct Message<'o> {
    out: &'o mut [u8],
    at: usize,
    count: u16,
    apex: &'o [u8],
    /// Where the apex stands in the message. The root is never pointed at: a pointer would be longer.
    apex_at: Option<u16>,
    questions: u16,
}

impl<'o> Message<'o> {
    fn begin(out: &'o mut [u8], apex: &'o [u8], question: Option<&Question>) -> Option<Self> {
        let mut message = Self { out, at: HEADER, count: 0, apex, apex_at: None, questions: 0 };
        if let Some(question) = question {
            message.note_apex(0);
            message.put(&question.name)?;
            message.put(&question.qtype.to_be_bytes())?;
            message.put(&CLASS_IN)?;
            message.questions = 1;
        }
        Some(message)
    }

    /// The apex will be written `ahead` octets from here.
    fn note_apex(&mut self, ahead: usize) {
        if self.apex_at.is_none() && self.apex.len() > 1 {
            self.apex_at = u16::try_from(self.at + ahead).ok().filter(|&at| at <= MAX_POINTER);
        }
    }

    /// Adds a record; None and nothing written, if it does not fit.
    fn record(&mut self, relative: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) -> Option<()> {
        let (at, apex_at) = (self.at, self.apex_at);
        let outcome = self.try_record(relative, rtype, ttl, rdata);
        if outcome.is_none() {
            (self.at, self.apex_at) = (at, apex_at);
        }
        outcome
    }

    fn try_record(&mut self, relative: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) -> Option<()> {
        self.name_in_zone(relative)?;
        self.put(&rtype.to_be_bytes())?;
        self.put(&CLASS_IN)?;
        self.put(&ttl.to_be_bytes())?;
        let length_at = self.at;
        self.put(&[0, 0])?;
        let mut done = 0;
        for field in rdata::names(rtype, rdata).filter(|field| field.compressible) {
            let name = &rdata[field.start..field.end];
            if name::is_at_or_below(name, self.apex) {
                self.put(&rdata[done..field.start])?;
                self.name_in_zone(&name[..name.len() - self.apex.len()])?;
                done = field.end;
            }
        }
        self.put(&rdata[done..])?;
        let length = u16::try_from(self.at - length_at - 2).ok()?;
        self.out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.count = self.count.checked_add(1)?;
        Some(())
    }

    fn name_in_zone(&mut self, relative: &[u8]) -> Option<()> {
        if let Some(apex_at) = self.apex_at {
            self.put(relative)?;
            return self.put(&(POINTER | apex_at).to_be_bytes());
        }
        self.note_apex(relative.len());
        self.put(relative)?;
        self.put(self.apex)
    }

    fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at + octets.len();
        self.out.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }

    fn finish(self, question: &Question) -> usize {
        let flags = flag::QR | flag::AA | question.flags & flag::RD;
        self.out[..2].copy_from_slice(&question.id);
        for (index, number) in [flags, self.questions, self.count, 0, 0].into_iter().enumerate() {
            self.out[2 + 2 * index..4 + 2 * index].copy_from_slice(&number.to_be_bytes());
        }
        self.at
    }
}

fn soa_of(zone: &Zone) -> OwnedRecord {
    let soa = zone.apex_node().rrset(types::SOA);
    let rdata = soa.and_then(|rrset| rrset.rdatas().next()).unwrap_or_default();
    let ttl = soa.map_or(0, |rrset| rrset.ttl());
    OwnedRecord { owner: zone.apex().as_wire().into(), ttl, rtype: types::SOA, rdata: rdata.into() }
}
