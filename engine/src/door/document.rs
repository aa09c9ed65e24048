//! Zone files as text, for Python to have edited.

use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::names;
use super::reading::PythonIncludes;
use super::zone::{self, TextRecord};
use crate::zonefile::document::{self, EditError as Fault};

create_exception!(oakroot._engine, EditError, PyValueError, "A change that cannot be written: (kind, text).");

/// The files of one zone as text.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Document(Arc<document::Document>);

#[pymethods]
impl Document {
    #[staticmethod]
    #[pyo3(signature = (text, apex, file, include = None, *, block_length = 1024))]
    fn read(
        py: Python<'_>,
        text: &[u8],
        apex: &str,
        file: &str,
        include: Option<Py<PyAny>>,
        block_length: usize,
    ) -> PyResult<Self> {
        let apex = names::parse(apex)?;
        let mut includes = PythonIncludes::new(include);
        let read = py.detach(|| document::Document::read(text, file, &apex, &mut includes, block_length));
        includes.outcome()?;
        read.map(|document| Self(Arc::new(document))).map_err(|error| PyValueError::new_err(error.message))
    }

    #[getter]
    fn files(&self) -> Vec<String> {
        self.0.files().to_vec()
    }

    fn content<'py>(&self, py: Python<'py>, number: u16) -> PyResult<Bound<'py, PyBytes>> {
        self.check_number(number)?;
        let length = self.0.text(number).map(<[u8]>::len).sum();
        PyBytes::new_with(py, length, |content| {
            let mut rest = content;
            for part in self.0.text(number) {
                let (here, after) = rest.split_at_mut(part.len());
                here.copy_from_slice(part);
                rest = after;
            }
            Ok(())
        })
    }

    #[pyo3(signature = (remove, add, *, shared = None, like = None))]
    fn changed(
        &self,
        py: Python<'_>,
        remove: Vec<TextRecord>,
        add: Vec<TextRecord>,
        shared: Option<Vec<u16>>,
        like: Option<&Self>,
    ) -> PyResult<Self> {
        let (remove, add) = (zone::parse(&remove)?, zone::parse(&add)?);
        let like = like.map(|other| &*other.0);
        py.detach(|| self.0.changed(&remove, &add, shared.as_deref().unwrap_or_default(), like))
            .map(|changed| Self(Arc::new(changed)))
            .map_err(raised)
    }

    fn changed_files(&self, older: &Self) -> Vec<u16> {
        let numbers = 0..u16::try_from(self.0.files().len()).unwrap_or(u16::MAX);
        numbers.filter(|&number| self.0.has_changed(&older.0, number)).collect()
    }

    fn __repr__(&self) -> String {
        format!("Document({})", self.0.files().join(", "))
    }
}

impl Document {
    fn check_number(&self, number: u16) -> PyResult<()> {
        if usize::from(number) < self.0.files().len() {
            Ok(())
        } else {
            Err(PyIndexError::new_err(format!("there is no file {number}")))
        }
    }
}

fn raised(fault: Fault) -> PyErr {
    EditError::new_err((fault.kind(), fault.to_string()))
}
