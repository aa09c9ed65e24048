//! Reading the files of many zones for Python, in a thread of the engine: meanwhile Python fetches the next ones.

use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::names;
use super::reading::{self, Read};
use crate::name::Name;
use crate::zonefile::Includes;

/// Text, apex and name of a zone file.
type File = (PyBackedBytes, Name, String);

/// What became of the files, which are let go of where Python is attached.
type Outcome = (Vec<Option<Read>>, Vec<File>);

/// Zone files that are being read.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct ReadingZones(Mutex<Option<JoinHandle<Outcome>>>);

#[pymethods]
impl ReadingZones {
    /// Begins to read these files: text, apex, and name for findings.
    #[new]
    fn new(files: Vec<(PyBackedBytes, String, String)>) -> PyResult<Self> {
        let files: Vec<File> = files
            .into_iter()
            .map(|(text, apex, file)| Ok((text, names::parse(&apex)?, file)))
            .collect::<PyResult<_>>()?;
        let thread = thread::Builder::new().name("reading".to_owned()).spawn(move || {
            let read = files.iter().map(|(text, apex, file)| read(text, file, apex)).collect();
            (read, files)
        })?;
        Ok(Self(Mutex::new(Some(thread))))
    }

    /// What each file says, once all are read; nothing a second time.
    fn take(&self, py: Python<'_>) -> Vec<Option<Read>> {
        let thread = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let outcome = thread.map(|thread| py.detach(|| thread.join()));
        match outcome {
            Some(Ok((read, _files))) => read,
            // As if it had been read by the thread that asks.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Vec::new(),
        }
    }
}

/// Notices that another file is asked for, which only Python has.
#[derive(Default)]
struct Asked(bool);

impl Includes for Asked {
    fn open(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        self.0 = true;
        Err(String::new())
    }
}

fn read(text: &[u8], file: &str, apex: &Name) -> Option<Read> {
    let mut asked = Asked::default();
    let read = reading::read_one(text, file, apex, reading::SPACING, &mut asked);
    (!asked.0).then_some(read)
}
