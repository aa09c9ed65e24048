//! Catalogues for Python.

use std::net::IpAddr;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::names;
use super::zone::Zone;
use crate::answer::respond::{self, Identity, Outcome, Peer, Scratch, Settings};
use crate::message::cookie::CookieSecrets;
use crate::responder::seconds_since_1970;
use crate::zone::catalogue::{self, Entry};

/// An immutable set of zones, as served.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Catalogue(pub(super) Arc<catalogue::Catalogue>);

impl Catalogue {
    fn changed(&self, entries: impl IntoIterator<Item = Entry>, removed: &[crate::name::Name]) -> Self {
        Self(Arc::new(self.0.changed(entries, removed)))
    }
}

#[pymethods]
impl Catalogue {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn with_zones(&self, zones: Vec<PyRef<'_, Zone>>) -> Self {
        self.changed(zones.iter().map(|zone| Entry::Zone(zone.0.clone())), &[])
    }

    fn with_unavailable(&self, apexes: Vec<String>) -> PyResult<Self> {
        let entries: Vec<_> = apexes
            .iter()
            .map(|apex| Ok(Entry::Unavailable(Arc::new(names::parse(apex)?))))
            .collect::<PyResult<_>>()?;
        Ok(self.changed(entries, &[]))
    }

    fn without(&self, apexes: Vec<String>) -> PyResult<Self> {
        let removed: Vec<_> = apexes.iter().map(|apex| names::parse(apex)).collect::<PyResult<_>>()?;
        Ok(self.changed([], &removed))
    }

    fn zone(&self, apex: &str) -> PyResult<Option<Zone>> {
        Ok(match self.0.entry(&names::parse(apex)?) {
            Some(Entry::Zone(zone)) => Some(Zone(zone.clone())),
            _ => None,
        })
    }

    #[pyo3(signature = (query, *, transport = "udp", source = "127.0.0.1", reserve = 0))]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        query: &[u8],
        transport: &str,
        source: &str,
        reserve: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let peer = Peer { address: source_address(source)?, tcp: is_tcp(transport)? };
        let settings = Settings {
            udp_payload: respond::UDP_PAYLOAD,
            keepalive: 0,
            identity: Identity::default(),
            secrets: CookieSecrets::of_process(),
        };
        let mut out = vec![0; usize::from(u16::MAX).saturating_sub(reserve)];
        let room = respond::Room { out: &mut out, reserve };
        Ok(
            match respond::respond(
                &self.0,
                &settings,
                &mut Scratch::default(),
                query,
                peer,
                seconds_since_1970(),
                room,
            ) {
                Outcome::Answer { length, .. } => Some(PyBytes::new(py, &out[..length])),
                Outcome::Silence | Outcome::HandOver => None,
            },
        )
    }
}

fn source_address(source: &str) -> PyResult<IpAddr> {
    source.parse().map_err(|_| PyValueError::new_err(format!("{source:?} is not an IP address")))
}

/// Whether a transport is TCP.
fn is_tcp(transport: &str) -> PyResult<bool> {
    match transport {
        "udp" => Ok(false),
        "tcp" | "tls" => Ok(true),
        _ => Err(PyValueError::new_err(format!("the transport {transport:?} is none of \"udp\", \"tcp\", \"tls\""))),
    }
}
