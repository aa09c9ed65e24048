//! Zones for Python.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::names;
use crate::name::{self, Name};
use crate::rdata::{self, types};
use crate::record::{Record, RecordSink};
use crate::zone;
use crate::zone::change::OwnedRecord;
use crate::zonefile::{self, NoIncludes, Settings};

/// Owner, TTL, type and RDATA.
pub(super) type TextRecord = (String, u32, String, String);

/// An immutable zone.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Zone(pub(super) Arc<zone::Zone>);

impl From<zone::Zone> for Zone {
    fn from(zone: zone::Zone) -> Self {
        Self(Arc::new(zone))
    }
}

#[pymethods]
impl Zone {
    #[getter]
    fn apex(&self) -> String {
        self.0.apex().to_string()
    }

    #[getter]
    fn serial(&self) -> u32 {
        self.0.soa().serial
    }

    #[getter]
    fn record_count(&self) -> usize {
        self.0.record_count()
    }

    #[getter]
    fn serial_is_sealed(&self) -> bool {
        self.0.serial_is_sealed()
    }

    fn earliest_expiration(&self, py: Python<'_>, now: i64) -> Option<i64> {
        py.detach(|| self.0.earliest_expiration(now))
    }

    fn with_serial(&self, serial: u32) -> Self {
        Self::from(self.0.with_serial(serial))
    }

    fn same_but_serial(&self, py: Python<'_>, other: &Self) -> bool {
        py.detach(|| self.0.same_but_serial(&other.0))
    }

    fn sharing(&self, py: Python<'_>, other: &Self) -> Self {
        py.detach(|| Self::from(zone::Zone::clone(&self.0).sharing(&other.0)))
    }

    fn records(&self, py: Python<'_>) -> Vec<TextRecord> {
        py.detach(|| records(&self.0))
    }

    fn types_of(&self, py: Python<'_>, owner: &str) -> PyResult<Vec<String>> {
        let owner = names::parse(owner)?;
        Ok(py.detach(|| {
            let node = self.0.node_of(owner.as_wire());
            let rrsets = node.iter().flat_map(super::super::zone::page::Node::rrsets);
            let mut seen = HashSet::new();
            rrsets.map(|rrset| rrset.rtype).filter(|&rtype| seen.insert(rtype)).map(type_text).collect()
        }))
    }

    fn records_of(&self, owner: &str, rtype: &str) -> PyResult<Vec<TextRecord>> {
        let owner = names::parse(owner)?;
        let Some(wanted) = rdata::type_number(rtype.as_bytes()) else { return Ok(Vec::new()) };
        let node = self.0.node_of(owner.as_wire());
        let rrsets =
            node.iter().flat_map(super::super::zone::page::Node::rrsets).filter(|rrset| rrset.rtype == wanted);
        let records = rrsets.flat_map(|rrset| rrset.rdatas().map(move |rdata| (rrset.ttl(), rdata)));
        let owner = node.map_or_else(String::new, |node| self.absolute(node.name));
        Ok(records.map(|(ttl, rdata)| (owner.clone(), ttl, type_text(wanted), rdata_text(wanted, rdata))).collect())
    }

    fn faults_since(&self, py: Python<'_>, older: &Self) -> Vec<String> {
        py.detach(|| self.0.faults_since(&older.0).into_iter().map(|finding| finding.message).collect())
    }

    fn difference(&self, py: Python<'_>, newer: &Self) -> (Vec<TextRecord>, Vec<TextRecord>) {
        let difference = py.detach(|| self.0.difference(&newer.0));
        let text = |records: Vec<OwnedRecord>| records.iter().map(text_of).collect();
        (text(difference.removed), text(difference.added))
    }

    fn records_lost(&self, py: Python<'_>, newer: &Self) -> usize {
        py.detach(|| self.0.records_lost(&newer.0))
    }

    fn changed(&self, py: Python<'_>, remove: Vec<TextRecord>, add: Vec<TextRecord>) -> PyResult<Self> {
        let (remove, add) = (parse(&remove)?, parse(&add)?);
        py.detach(|| self.0.changed(&remove, &add))
            .map(Self::from)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn __repr__(&self) -> String {
        format!("Zone({}, serial {}, {} records)", self.0.apex(), self.0.soa().serial, self.0.record_count())
    }
}

impl Zone {
    fn absolute(&self, relative: &[u8]) -> String {
        let mut text = String::new();
        name::write_text(&self.0.absolute(relative), &mut text);
        text
    }
}

fn type_text(rtype: u16) -> String {
    let mut text = String::new();
    rdata::write_type(rtype, &mut text);
    text
}

fn rdata_text(rtype: u16, rdata: &[u8]) -> String {
    let mut text = String::new();
    rdata::write_text(rtype, rdata, &mut text);
    text
}

fn text_of(record: &OwnedRecord) -> TextRecord {
    let mut owner = String::new();
    name::write_text(&record.owner, &mut owner);
    (owner, record.ttl, type_text(record.rtype), rdata_text(record.rtype, &record.rdata))
}

/// Collects records as octets.
#[derive(Default)]
struct Collector(Vec<OwnedRecord>);

impl RecordSink for Collector {
    fn record(&mut self, record: &Record<'_>) {
        let Record { owner, ttl, rtype, rdata, .. } = *record;
        self.0.push(OwnedRecord { owner: owner.into(), ttl, rtype, rdata: rdata.into() });
    }
}

/// Records as text are lines of a master file: one reader for all.
pub(super) fn parse(records: &[TextRecord]) -> PyResult<Vec<OwnedRecord>> {
    let mut text = String::new();
    for (owner, ttl, rtype, rdata) in records {
        let _ = writeln!(text, "{owner} {ttl} {rtype} {rdata}");
    }
    let mut collector = Collector::default();
    let reading = zonefile::read(
        text.as_bytes(),
        "records",
        &Name::root(),
        Settings::default(),
        &mut NoIncludes,
        &mut collector,
    );
    match reading.diagnostics().first() {
        Some(found) => Err(PyValueError::new_err(found.message.clone())),
        None => Ok(collector.0),
    }
}

fn records(zone: &zone::Zone) -> Vec<TextRecord> {
    let mut nodes: Vec<_> = zone.nodes().collect();
    nodes.sort_by(|left, right| name::canonical_order(left.name, right.name));
    let mut all = Vec::with_capacity(zone.record_count());
    for node in nodes {
        let mut owner = String::new();
        name::write_text(&zone.absolute(node.name), &mut owner);
        let mut rrsets: Vec<_> = node.rrsets().collect();
        rrsets.sort_by_key(|rrset| rrset.rtype != types::SOA);
        for rrset in rrsets {
            for rdata in rrset.rdatas() {
                all.push((owner.clone(), rrset.ttl(), type_text(rrset.rtype), rdata_text(rrset.rtype, rdata)));
            }
        }
    }
    all
}
