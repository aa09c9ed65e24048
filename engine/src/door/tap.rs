//! What was asked and answered, for Python.

use std::net::{IpAddr, SocketAddr};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::server::word;
use crate::serve::{self, Stage};

/// A query and its answer.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Exchange(pub(super) serve::Exchange);

#[pymethods]
impl Exchange {
    #[getter]
    fn stage(&self) -> &'static str {
        match self.0.stage {
            Stage::Settled => "settled",
            Stage::HandedOver => "handed-over",
            Stage::Answered => "answered",
            Stage::Continued => "continued",
        }
    }

    #[getter]
    fn transport(&self) -> &'static str {
        word(self.0.transport)
    }

    #[getter]
    fn asked(&self) -> u64 {
        self.0.asked
    }

    #[getter]
    fn told(&self) -> u64 {
        self.0.told
    }

    #[getter]
    fn peer<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, u16) {
        place(py, self.0.peer)
    }

    #[getter]
    fn local<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, u16) {
        place(py, self.0.local)
    }

    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.query)
    }

    #[getter]
    fn answer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.answer.as_ref().map(|answer| PyBytes::new(py, answer))
    }
}

fn place(py: Python<'_>, address: SocketAddr) -> (Bound<'_, PyBytes>, u16) {
    let octets = match address.ip() {
        IpAddr::V4(v4) => PyBytes::new(py, &v4.octets()),
        IpAddr::V6(v6) => PyBytes::new(py, &v6.octets()),
    };
    (octets, address.port())
}
