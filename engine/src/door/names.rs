//! Names from Python text, with errors that name what was given.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::name::Name;

/// An absolute name; the final dot may be missing.
pub(super) fn parse(text: &str) -> PyResult<Name> {
    Name::from_text(text.as_bytes(), Some(&Name::root()))
        .map_err(|error| PyValueError::new_err(format!("the name {text:?} {}", error.message())))
}
