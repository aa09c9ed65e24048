//! Zones for Python.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::name;
use crate::rdata::{self, types};
use crate::zone;

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

    fn with_serial(&self, serial: u32) -> Self {
        Self::from(self.0.with_serial(serial))
    }

    fn same_but_serial(&self, py: Python<'_>, other: &Self) -> bool {
        py.detach(|| self.0.same_but_serial(&other.0))
    }

    fn sharing(&self, py: Python<'_>, other: &Self) -> Self {
        py.detach(|| Self::from(zone::Zone::clone(&self.0).sharing(&other.0)))
    }

    fn records(&self, py: Python<'_>) -> Vec<(String, u32, String, String)> {
        py.detach(|| records(&self.0))
    }

    fn __repr__(&self) -> String {
        format!("Zone({}, serial {}, {} records)", self.0.apex(), self.0.soa().serial, self.0.record_count())
    }
}

fn records(zone: &zone::Zone) -> Vec<(String, u32, String, String)> {
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
