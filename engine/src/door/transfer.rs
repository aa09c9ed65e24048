//! Zone transfers for Python: messages out of zones, zones out of messages.

use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::names;
use super::zone::Zone;
use crate::message::query::{self, Packet};
use crate::transfer::incoming::{self, Outcome};
use crate::transfer::outgoing::{self, LEAST_ROOM, Question};

create_exception!(oakroot._engine, TransferError, PyValueError, "A transfer that is of no use: (kind, text).");

/// The messages of a transfer, to be sent in this order.
#[pyclass(module = "oakroot._engine")]
pub(super) struct Outgoing {
    outgoing: outgoing::Outgoing,
    room: Vec<u8>,
}

impl Outgoing {
    fn new(outgoing: outgoing::Outgoing, reserve: usize) -> Self {
        let room = usize::from(u16::MAX).saturating_sub(reserve).max(LEAST_ROOM);
        Self { outgoing, room: vec![0; room] }
    }
}

#[pymethods]
impl Outgoing {
    #[staticmethod]
    #[pyo3(signature = (query, zone, *, reserve = 0))]
    fn whole(query: &[u8], zone: &Zone, reserve: usize) -> PyResult<Self> {
        Ok(Self::new(outgoing::Outgoing::whole(question(query)?, zone.0.clone()), reserve))
    }

    #[staticmethod]
    #[pyo3(signature = (query, versions, *, reserve = 0))]
    fn steps(py: Python<'_>, query: &[u8], versions: Vec<PyRef<'_, Zone>>, reserve: usize) -> PyResult<Self> {
        let versions: Vec<_> = versions.iter().map(|zone| zone.0.clone()).collect();
        let newest = versions.last().cloned().ok_or_else(|| PyValueError::new_err("there is no version to send"))?;
        let question = question(query)?;
        Ok(py.detach(|| Self::new(outgoing::Outgoing::steps(question, &versions, newest), reserve)))
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let Self { outgoing, room } = self;
        let length = py.detach(|| outgoing.next_message(room))?;
        Some(PyBytes::new(py, &room[..length]))
    }
}

/// What of a query its transfer repeats. The query has been judged by Python; here it only has to be one.
fn question(message: &[u8]) -> PyResult<Question> {
    let no_query = || PyValueError::new_err("this is not a query for a transfer");
    let (name, qtype) = match query::question(message) {
        Some((name, qtype)) if !matches!(query::read(message), Packet::Silence) => (name, qtype),
        _ => return Err(no_query()),
    };
    Ok(Question {
        id: [message[0], message[1]],
        flags: u16::from_be_bytes([message[2], message[3]]),
        name: name.into(),
        qtype,
    })
}

/// A transfer being received.
#[pyclass(module = "oakroot._engine")]
pub(super) struct Incoming(Option<incoming::Incoming>);

#[pymethods]
impl Incoming {
    #[new]
    #[pyo3(signature = (apex, base = None, *, allowance = 4_294_967_296))]
    fn new(apex: &str, base: Option<PyRef<'_, Zone>>, allowance: usize) -> PyResult<Self> {
        let base = base.map(|zone| zone.0.clone());
        Ok(Self(Some(incoming::Incoming::new(names::parse(apex)?, base, allowance))))
    }

    fn feed(&mut self, py: Python<'_>, message: &[u8]) -> PyResult<bool> {
        let incoming = self.0.as_mut().ok_or_else(over)?;
        py.detach(|| incoming.feed(message)).map_err(|error| {
            let (kind, text) = match error {
                incoming::TransferError::Refused(code) => {
                    ("refused", format!("the primary answered with code {code}"))
                }
                incoming::TransferError::Malformed(text) => ("malformed", text),
                incoming::TransferError::DoesNotFit(text) => ("does-not-fit", text),
                incoming::TransferError::TooLarge => ("too-large", "the transfer is larger than allowed".to_owned()),
            };
            TransferError::new_err((kind, text))
        })
    }

    /// The zone (None: up to date), or the reasons why it cannot be served.
    fn outcome(&mut self) -> PyResult<(Option<Zone>, Vec<String>)> {
        match self.0.take().and_then(incoming::Incoming::outcome).ok_or_else(over)? {
            Outcome::UpToDate => Ok((None, Vec::new())),
            Outcome::Zone(zone, findings) => {
                let errors = findings.into_iter().map(|finding| finding.message);
                let errors = if zone.is_some() { Vec::new() } else { errors.collect() };
                Ok((zone.map(|zone| Zone(Arc::new(zone))), errors))
            }
        }
    }
}

fn over() -> PyErr {
    PyValueError::new_err("the transfer is not complete, or its outcome was taken already")
}
