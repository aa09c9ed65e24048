//! From the messages of a transfer to a zone: AXFR (RFC 5936), IXFR (RFC 1995), and IXFR answered in the style of AXFR.
//!
//! Nothing of a transfer is used before its end has come and the whole is sound. Messages arrive with their signatures
//! verified and taken off.

use std::sync::Arc;

use crate::message::{HEADER, flag, name as message_name, rcode};
use crate::name::{self, Name};
use crate::rdata::{self, types};
use crate::record::{Record, RecordSink, Span};
use crate::zone::Zone;
use crate::zone::build::ZoneBuilder;
use crate::zone::change::OwnedRecord;
use crate::zone::checks::Finding;

/// Why a transfer is of no use. The text says what the primary did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// The primary answered with this code.
    Refused(u16),
    /// A message that breaks the rules.
    Malformed(String),
    /// Differences that do not fit the version they were asked for: a whole transfer is in order.
    DoesNotFit(String),
    /// More than was allowed for.
    TooLarge,
}

fn malformed(what: impl Into<String>) -> TransferError {
    TransferError::Malformed(what.into())
}

/// What came of a complete transfer.
pub enum Outcome {
    /// There is nothing newer.
    UpToDate,
    /// The new version, if it is good, and what is to be said about it.
    Zone(Option<Zone>, Vec<Finding>),
}

/// How far the records have come.
enum State {
    /// Nothing yet.
    Begin,
    /// The SOA that opens every transfer was there.
    Opened,
    /// All records of a zone follow.
    Whole(Box<ZoneBuilder>),
    /// Steps follow: within one, first what is removed, then what is added.
    Steps { zone: Arc<Zone>, remove: Vec<OwnedRecord>, add: Vec<OwnedRecord>, adding: bool },
    /// Complete.
    Done(Outcome),
}

/// A transfer being received.
pub struct Incoming {
    apex: Name,
    base: Option<Arc<Zone>>,
    opening: Option<OwnedRecord>,
    state: State,
    /// Octets of messages that may still come.
    allowance: usize,
    scratch: Vec<u8>,
}

impl Incoming {
    /// Begins to receive the zone `apex`; `base` is the version that differences were asked for (none for AXFR).
    /// No more than `allowance` octets of messages are taken.
    #[must_use]
    pub fn new(apex: Name, base: Option<Arc<Zone>>, allowance: usize) -> Self {
        Self { apex, base, opening: None, state: State::Begin, allowance, scratch: Vec::new() }
    }

    /// Takes the next message; true when the transfer is complete.
    ///
    /// # Errors
    /// [`TransferError`]; the transfer is then of no use.
    pub fn feed(&mut self, message: &[u8]) -> Result<bool, TransferError> {
        self.allowance = self.allowance.checked_sub(message.len()).ok_or(TransferError::TooLarge)?;
        let (count, mut at) = read_head(message)?;
        for _ in 0..count {
            if matches!(self.state, State::Done(_)) {
                return Err(malformed("records follow after the end of the transfer"));
            }
            at = self.read_record(message, at)?;
        }
        if count == 1 && matches!(self.state, State::Opened) && self.is_up_to_date() {
            self.state = State::Done(Outcome::UpToDate);
        }
        Ok(matches!(self.state, State::Done(_)))
    }

    /// A single SOA in reply to a question for differences means that there is no newer version (RFC 1995 §2). If its
    /// serial is newer all the same, a primary began with a very short message, and more follow.
    fn is_up_to_date(&self) -> bool {
        let (Some(base), Some(opening)) = (&self.base, &self.opening) else { return false };
        serial_of_rdata(&opening.rdata).is_some_and(|serial| !is_newer(serial, base.soa().serial))
    }

    /// What came of the transfer, once [`Self::feed`] has said that it is complete.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self.state {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    fn read_record(&mut self, message: &[u8], at: usize) -> Result<usize, TransferError> {
        let mut octets = std::mem::take(&mut self.scratch);
        octets.clear();
        let at = message_name::read(message, at, &mut octets).ok_or_else(|| malformed("an owner is malformed"))?;
        let owner_length = octets.len();
        let fixed: &[u8; 10] =
            message.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(|| malformed("a record ends too early"))?;
        let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
        let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let end = at + 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        if end > message.len() {
            return Err(malformed("a record ends too early"));
        }
        if fixed[2..4] != [0, 1] || rdata::is_meta(rtype) {
            return Err(malformed("a record is of another class, or of a type that no zone holds"));
        }
        rdata::expand(rtype, message, at + 10..end, &mut octets)
            .map_err(|reason| malformed(describe(&octets[..owner_length], rtype, reason)))?;
        let (owner, rdata) = octets.split_at(owner_length);
        if !name::is_at_or_below(owner, self.apex.as_wire()) {
            return Err(malformed(describe(owner, rtype, "is not in the zone")));
        }
        // RFC 2181 §8: a TTL with the first bit set counts as zero.
        let ttl = if ttl >> 31 == 1 { 0 } else { ttl };
        self.take(&Record { owner, ttl, rtype, rdata, span: Span { file: 0, start: 0, end: 0 } })?;
        self.scratch = octets;
        Ok(end)
    }

    fn take(&mut self, record: &Record<'_>) -> Result<(), TransferError> {
        let serial = serial_of(record, &self.apex);
        match (&mut self.state, serial) {
            (State::Begin, None) => return Err(malformed("a transfer begins with the SOA, this one does not")),
            (State::Begin, Some(_)) => {
                self.opening = Some(owned(record));
                self.state = State::Opened;
            }
            (State::Opened, serial) => self.choose_style(record, serial),
            (State::Whole(_), Some(_)) => self.end_whole(record)?,
            (State::Whole(builder), None) => builder.record(record),
            (State::Steps { .. }, Some(serial)) => self.next_step(record, serial)?,
            (State::Steps { remove, add, adding, .. }, None) => {
                if *adding { add } else { remove }.push(owned(record));
            }
            (State::Done(_), _) => return Err(malformed("records follow after the end of the transfer")),
        }
        Ok(())
    }

    /// The second record tells whether steps follow or all of the zone (RFC 1995 §4).
    fn choose_style(&mut self, record: &Record<'_>, serial: Option<u32>) {
        let opening = self.opening.as_ref().and_then(|soa| serial_of_rdata(&soa.rdata));
        match (&self.base, serial) {
            (Some(base), Some(serial)) if serial == base.soa().serial && opening != Some(serial) => {
                let (zone, remove) = (base.clone(), vec![owned(record)]);
                self.state = State::Steps { zone, remove, add: Vec::new(), adding: false };
            }
            _ => {
                let mut builder = Box::new(ZoneBuilder::new(self.apex.clone()));
                if let Some(soa) = &self.opening {
                    let span = record.span;
                    builder.record(&Record {
                        owner: &soa.owner,
                        ttl: soa.ttl,
                        rtype: soa.rtype,
                        rdata: &soa.rdata,
                        span,
                    });
                }
                if serial.is_some() && opening == serial {
                    // Nothing but the SOA twice: an empty zone, which the checks will judge.
                    self.finish_whole(builder);
                } else {
                    builder.record(record);
                    self.state = State::Whole(builder);
                }
            }
        }
    }

    fn end_whole(&mut self, record: &Record<'_>) -> Result<(), TransferError> {
        if self.opening.as_ref().is_none_or(|soa| !rdata::same(types::SOA, &soa.rdata, record.rdata)) {
            return Err(malformed("the SOA at the end is not that of the beginning"));
        }
        if let State::Whole(builder) = std::mem::replace(&mut self.state, State::Begin) {
            self.finish_whole(builder);
        }
        Ok(())
    }

    fn finish_whole(&mut self, builder: Box<ZoneBuilder>) {
        let (zone, findings) = builder.finish();
        self.state = State::Done(Outcome::Zone(zone, findings));
    }

    /// An SOA within steps: from removing to adding, to the next step, or the end.
    fn next_step(&mut self, record: &Record<'_>, serial: u32) -> Result<(), TransferError> {
        let State::Steps { zone, remove, add, adding } = &mut self.state else { return Ok(()) };
        if !*adding {
            add.push(owned(record));
            *adding = true;
            return Ok(());
        }
        let reached = add.first().and_then(|soa| serial_of_rdata(&soa.rdata));
        if reached != Some(serial) {
            return Err(malformed(format!("a step from serial {serial} follows one to {}", reached.unwrap_or(0))));
        }
        let changed = zone.changed(remove, add).map_err(|error| TransferError::DoesNotFit(error.to_string()))?;
        let newest = self.opening.as_ref().and_then(|soa| serial_of_rdata(&soa.rdata));
        if newest == Some(serial) {
            self.state = State::Done(Outcome::Zone(Some(changed), Vec::new()));
        } else {
            *zone = Arc::new(changed);
            *remove = vec![owned(record)];
            add.clear();
            *adding = false;
        }
        Ok(())
    }
}

/// Whether serial `left` is forward of `right` (RFC 1982 §3.2).
fn is_newer(left: u32, right: u32) -> bool {
    let distance = left.wrapping_sub(right);
    distance != 0 && distance < 1 << 31
}

/// How many answer records there are, and where they begin.
fn read_head(message: &[u8]) -> Result<(u16, usize), TransferError> {
    let head: &[u8; HEADER] = message.first_chunk().ok_or_else(|| malformed("a message is shorter than a header"))?;
    let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let flags = number(2);
    if flags & flag::QR == 0 || flags & flag::TC != 0 || flags >> 11 & 0x0f != 0 {
        return Err(malformed("a message is no whole response to a query"));
    }
    if flags & 0x0f != rcode::NOERROR {
        return Err(TransferError::Refused(flags & 0x0f));
    }
    let mut at = HEADER;
    let mut name = Vec::new();
    for _ in 0..number(4) {
        at = message_name::read(message, at, &mut name).ok_or_else(|| malformed("the question is malformed"))? + 4;
    }
    Ok((number(6), at))
}

fn owned(record: &Record<'_>) -> OwnedRecord {
    OwnedRecord { owner: record.owner.into(), ttl: record.ttl, rtype: record.rtype, rdata: record.rdata.into() }
}

/// The serial, if the record is the SOA of the apex.
fn serial_of(record: &Record<'_>, apex: &Name) -> Option<u32> {
    if record.rtype != types::SOA || !name::same(record.owner, apex.as_wire()) {
        return None;
    }
    serial_of_rdata(record.rdata)
}

fn serial_of_rdata(rdata: &[u8]) -> Option<u32> {
    rdata.get(rdata.len().checked_sub(20)?..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

fn describe(owner: &[u8], rtype: u16, reason: &str) -> String {
    let mut text = String::new();
    name::write_text(owner, &mut text);
    text.push(' ');
    rdata::write_type(rtype, &mut text);
    format!("{text} {reason}")
}
