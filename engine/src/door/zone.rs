//! Zones for Python.

use std::fmt::Write;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::name::{self, Name};
use crate::rdata::{self, types};
use crate::record::{Record, RecordSink};
use crate::zone;
use crate::zone::change::OwnedRecord;
use crate::zonefile::{self, NoIncludes, Settings};

/// Owner, TTL, type and RDATA.
type TextRecord = (String, u32, String, String);

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

    fn difference(&self, py: Python<'_>, newer: &Self) -> (Vec<TextRecord>, Vec<TextRecord>) {
        let difference = py.detach(|| self.0.difference(&newer.0));
        let text = |records: Vec<OwnedRecord>| records.iter().map(text_of).collect();
        (text(difference.removed), text(difference.added))
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

fn text_of(record: &OwnedRecord) -> TextRecord {
    let (mut owner, mut rtype, mut rdata) = (String::new(), String::new(), String::new());
    name::write_text(&record.owner, &mut owner);
    rdata::write_type(record.rtype, &mut rtype);
    rdata::write_text(record.rtype, &record.rdata, &mut rdata);
    (owner, record.ttl, rtype, rdata)
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
fn parse(records: &[TextRecord]) -> PyResult<Vec<OwnedRecord>> {
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
                let (mut rtype, mut text) = (String::new(), String::new());
                rdata::write_type(rrset.rtype, &mut rtype);
                rdata::write_text(rrset.rtype, rdata, &mut text);
                all.push((owner.clone(), rrset.ttl(), rtype, text));
            }
        }
    }
    all
}
