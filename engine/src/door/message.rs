//! Records of a message for Python: where they are, and what UPDATE is made of.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::message::{self, layout};
use crate::name;
use crate::rdata;
use crate::zonefile::canonical;

/// Section, owner, type, class, TTL, and the RDATA if there is any.
type MessageRecord = (u8, String, String, u16, u32, Option<String>);

/// Section, start, type, class, TTL, and where the RDATA begins and ends.
type RecordPlace = (u8, usize, u16, u16, u32, usize, usize);

/// Where the questions of a message end, and where its records are.
#[pyfunction]
pub(super) fn message_layout(message: &[u8]) -> PyResult<(usize, Vec<RecordPlace>)> {
    let layout = layout::read(message).map_err(PyValueError::new_err)?;
    let place = |of: layout::Place| (of.section, of.start, of.rtype, of.class, of.ttl, of.rdata.start, of.rdata.end);
    Ok((layout.question_end, layout.records.into_iter().map(place).collect()))
}

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
    let mut owner = Vec::new();
    let mut read = |place: layout::Place| {
        owner.clear();
        message::name::read(message, place.start, &mut owner).ok_or("a name in the message is malformed")?;
        let rdata = text(message, place.rtype, place.rdata).map_err(|error| describe(&owner, place.rtype, error))?;
        let (mut name, mut kind) = (String::new(), String::new());
        name::write_text(&owner, &mut name);
        rdata::write_type(place.rtype, &mut kind);
        Ok((place.section, name, kind, place.class, place.ttl, rdata))
    };
    layout::read(message)?.records.into_iter().map(&mut read).collect()
}

fn text(message: &[u8], rtype: u16, range: std::ops::Range<usize>) -> Result<Option<String>, &'static str> {
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
