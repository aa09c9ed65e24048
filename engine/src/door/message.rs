//! Records of a message for Python: what UPDATE is made of.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::message::{self, HEADER};
use crate::name;
use crate::rdata;
use crate::zonefile::canonical;

/// Section, owner, type, class, TTL, and the RDATA if there is any.
type MessageRecord = (u8, String, String, u16, u32, Option<String>);

/// The octets of a record between owner and RDATA.
const FIELDS: usize = 10;

/// The records of a message.
#[pyfunction]
pub(super) fn read_message_records(message: &[u8]) -> PyResult<Vec<MessageRecord>> {
    read(message).map_err(PyValueError::new_err)
}

/// RDATA as text, the same for all that is equal.
#[pyfunction]
pub(super) fn canonical_rdata(rtype: &str, rdata: &str) -> PyResult<String> {
    canonical::rdata(type_number(rtype)?, rdata.as_bytes()).map_err(|error| PyValueError::new_err(error.message))
}

/// RDATA as octets.
#[pyfunction]
pub(super) fn wire_rdata<'py>(py: Python<'py>, rtype: &str, rdata: &str) -> PyResult<Bound<'py, PyBytes>> {
    canonical::octets(type_number(rtype)?, rdata.as_bytes())
        .map(|wire| PyBytes::new(py, &wire))
        .map_err(|error| PyValueError::new_err(error.message))
}

/// The number of a type.
#[pyfunction]
pub(super) fn type_number(rtype: &str) -> PyResult<u16> {
    rdata::type_number(rtype.as_bytes()).ok_or_else(|| PyValueError::new_err(format!("{rtype} is no type of record")))
}

fn read(message: &[u8]) -> Result<Vec<MessageRecord>, String> {
    const MALFORMED: &str = "the message is cut off or malformed";
    let count = |at: usize| message.get(at..at + 2).map(|octets| u16::from_be_bytes([octets[0], octets[1]]));
    let mut at = HEADER;
    let mut owner = Vec::new();
    for _ in 0..count(4).ok_or(MALFORMED)? {
        owner.clear();
        at = message::name::read(message, at, &mut owner).ok_or(MALFORMED)? + 4;
    }
    let mut records = Vec::new();
    for section in 1..=3 {
        for _ in 0..count(4 + 2 * usize::from(section)).ok_or(MALFORMED)? {
            owner.clear();
            at = message::name::read(message, at, &mut owner).ok_or(MALFORMED)?;
            let fields: &[u8; FIELDS] = message.get(at..).and_then(<[u8]>::first_chunk).ok_or(MALFORMED)?;
            let [t0, t1, c0, c1, l0, l1, l2, l3, n0, n1] = *fields;
            at += FIELDS;
            let end = at + usize::from(u16::from_be_bytes([n0, n1]));
            let (rtype, class) = (u16::from_be_bytes([t0, t1]), u16::from_be_bytes([c0, c1]));
            let ttl = u32::from_be_bytes([l0, l1, l2, l3]);
            let rdata = text(message, rtype, at..end).map_err(|error| describe(&owner, rtype, error))?;
            let (mut name, mut kind) = (String::new(), String::new());
            name::write_text(&owner, &mut name);
            rdata::write_type(rtype, &mut kind);
            records.push((section, name, kind, class, ttl, rdata));
            at = end;
        }
    }
    if at == message.len() { Ok(records) } else { Err("octets are left over behind the last record".to_owned()) }
}

fn text(message: &[u8], rtype: u16, range: std::ops::Range<usize>) -> Result<Option<String>, &'static str> {
    if range.end > message.len() {
        return Err("is cut off");
    }
    if range.is_empty() {
        return Ok(None);
    }
    let (mut wire, mut text) = (Vec::new(), String::new());
    rdata::expand(rtype, message, range, &mut wire)?;
    rdata::write_text(rtype, &wire, &mut text);
    Ok(Some(text))
}

fn describe(owner: &[u8], rtype: u16, reason: &str) -> String {
    let mut text = String::new();
    name::write_text(owner, &mut text);
    text.push(' ');
    rdata::write_type(rtype, &mut text);
    format!("{text} {reason}")
}
