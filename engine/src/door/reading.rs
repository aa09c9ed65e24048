//! Reading zone text for Python.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::findings::Diagnostic;
use super::names;
use super::zone::Zone;
use crate::memory;
use crate::name::{self, Name};
use crate::rdata::{self, types};
use crate::record::{self, RecordSink, Span};
use crate::reread::{self, Marking};
use crate::zonefile::{self, Includes, NoIncludes, Reading, Settings};

/// One record in text form, with its place in the file.
#[pyclass(frozen, get_all, module = "oakroot._engine")]
pub(super) struct Record {
    owner: String,
    ttl: u32,
    r#type: String,
    rdata: String,
    file: String,
    line: u32,
}

/// Opens included files by asking a Python callable.
pub(super) struct PythonIncludes {
    callable: Option<Py<PyAny>>,
    /// What the callable raised that is no fault of the zone text.
    failure: Option<PyErr>,
}

impl Includes for PythonIncludes {
    fn open(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let Some(callable) = &self.callable else { return NoIncludes.open(path) };
        Python::attach(|py| match callable.call1(py, (path,)).and_then(|content| content.extract::<Vec<u8>>(py)) {
            Ok(content) => Ok(content),
            Err(error) if error.is_instance_of::<PyOSError>(py) || error.is_instance_of::<PyValueError>(py) => {
                Err(error.value(py).to_string())
            }
            Err(error) => {
                let message = "it could not be read".to_owned();
                self.failure = Some(error);
                Err(message)
            }
        })
    }
}

impl PythonIncludes {
    pub(super) fn new(callable: Option<Py<PyAny>>) -> Self {
        Self { callable, failure: None }
    }

    pub(super) fn outcome(self) -> PyResult<()> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// Reads and checks a zone file.
#[pyfunction]
#[pyo3(signature = (text, apex, file, include = None))]
pub(super) fn read_zone(
    py: Python<'_>,
    text: &[u8],
    apex: &str,
    file: &str,
    include: Option<Py<PyAny>>,
) -> PyResult<(Option<Zone>, Vec<Diagnostic>)> {
    read_zone_with_marks(py, text, apex, file, include, usize::MAX).map(|(zone, diagnostics, _)| (zone, diagnostics))
}

/// About so many octets lie between two marks, unless it is said otherwise.
pub(super) const SPACING: usize = 32768;

/// Places in the text of a zone where reading can begin.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Marks(reread::Marks);

/// Reads and checks a zone file, and marks its text if that can be read in parts.
#[pyfunction]
#[pyo3(signature = (text, apex, file, include = None, *, spacing = SPACING))]
pub(super) fn read_zone_with_marks(
    py: Python<'_>,
    text: &[u8],
    apex: &str,
    file: &str,
    include: Option<Py<PyAny>>,
    spacing: usize,
) -> PyResult<Read> {
    let apex = names::parse(apex)?;
    let mut includes = PythonIncludes::new(include);
    let read = py.detach(|| read_one(text, file, &apex, spacing, &mut includes));
    includes.outcome()?;
    Ok(read)
}

/// What a zone file says: the zone, unless there is an error among the findings, and its marks.
pub(super) type Read = (Option<Zone>, Vec<Diagnostic>, Option<Marks>);

/// Reads and checks a zone file. About so many octets as `spacing` lie between two marks.
pub(super) fn read_one(text: &[u8], file: &str, apex: &Name, spacing: usize, includes: &mut dyn Includes) -> Read {
    let mut marking = Marking::new(text, apex, spacing);
    let reading = zonefile::read(text, file, apex, Settings::default(), includes, &mut marking);
    let unreadable = reading.diagnostics().iter().any(|found| found.severity == record::Severity::Error);
    let (builder, marks) = marking.finish();
    let (zone, findings) = builder.finish();
    let zone = zone.filter(|_| !unreadable);
    let diagnostics = diagnostics(&reading, findings, unreadable);
    // A record that is written twice is one record: removing one of its lines would change nothing.
    let is_once_each = |records| zone.as_ref().is_some_and(|zone| zone.record_count() == records);
    let marks = marks.filter(|(_, records)| diagnostics.is_empty() && is_once_each(*records));
    (zone.map(Zone::from), diagnostics, marks.map(|(marks, _)| Marks(marks)))
}

/// Gives memory that is free back to the system.
#[pyfunction]
pub(super) fn give_back_memory(py: Python<'_>) {
    py.detach(memory::give_back);
}

/// Reads only what changed in the text of a zone.
#[pyfunction]
pub(super) fn reread_zone(
    py: Python<'_>,
    old: &[u8],
    new: &[u8],
    zone: &Zone,
    marks: &Marks,
) -> Option<(Zone, Marks)> {
    let (zone, marks) = py.detach(|| reread::reread(old, new, &zone.0, &marks.0))?;
    Some((Zone::from(zone), Marks(marks)))
}

/// All findings by place. What a zone lacks is not reported while parts of it could not be read.
fn diagnostics(
    reading: &Reading<'_>,
    findings: Vec<crate::zone::checks::Finding>,
    unreadable: bool,
) -> Vec<Diagnostic> {
    let mut all: Vec<_> = reading.diagnostics().iter().map(|found| Diagnostic::of_reader(found, reading)).collect();
    let findings = findings.into_iter().filter(|found| !(unreadable && found.depends_on_the_whole()));
    all.extend(findings.map(|found| Diagnostic::of_zone(found, reading)));
    all.sort_by(|a, b| a.position().cmp(&b.position()));
    all
}

/// Collects records as text.
#[derive(Default)]
struct Collector(Vec<(Record, Span)>);

impl RecordSink for Collector {
    fn record(&mut self, record: &record::Record<'_>) {
        let mut text = Record {
            owner: String::new(),
            ttl: record.ttl,
            r#type: String::new(),
            rdata: String::new(),
            file: String::new(),
            line: 0,
        };
        name::write_text(record.owner, &mut text.owner);
        rdata::write_type(record.rtype, &mut text.r#type);
        rdata::write_text(record.rtype, record.rdata, &mut text.rdata);
        self.0.push((text, record.span));
    }
}

/// Reads master-file text as mere records.
#[pyfunction]
#[pyo3(signature = (text, origin, file, include = None, *, default_ttl = Some(0), confidential = false))]
pub(super) fn read_records(
    py: Python<'_>,
    text: &[u8],
    origin: &str,
    file: &str,
    include: Option<Py<PyAny>>,
    default_ttl: Option<u32>,
    confidential: bool,
) -> PyResult<(Vec<Record>, Vec<Diagnostic>)> {
    let origin = names::parse(origin)?;
    let mut includes = PythonIncludes::new(include);
    let read = py.detach(|| {
        let mut collector = Collector::default();
        let settings = Settings { confidential, default_ttl };
        let reading = zonefile::read(text, file, &origin, settings, &mut includes, &mut collector);
        let records = collector.0.into_iter().map(|(mut record, span)| {
            let place = reading.locate(span);
            (record.file, record.line) = (place.file.to_owned(), place.line);
            record
        });
        let found = reading.diagnostics().iter().map(|found| Diagnostic::of_reader(found, &reading));
        (records.collect(), found.collect())
    });
    includes.outcome()?;
    Ok(read)
}

/// Remembers where the SOA of the apex stands.
struct SoaFinder<'a> {
    apex: &'a Name,
    span: Option<Span>,
}

impl RecordSink for SoaFinder<'_> {
    fn record(&mut self, record: &record::Record<'_>) {
        if record.rtype == types::SOA && name::same(record.owner, self.apex.as_wire()) {
            self.span.get_or_insert(record.span);
        }
    }
}

/// The file the SOA stands in, and the octets of its serial there.
#[pyfunction]
#[pyo3(signature = (text, apex, file, include = None))]
pub(super) fn find_serial(
    py: Python<'_>,
    text: &[u8],
    apex: &str,
    file: &str,
    include: Option<Py<PyAny>>,
) -> PyResult<Option<(String, u32, u32)>> {
    let apex = names::parse(apex)?;
    let mut includes = PythonIncludes::new(include);
    let place = py.detach(|| {
        let mut finder = SoaFinder { apex: &apex, span: None };
        let reading = zonefile::read(text, file, &apex, Settings::default(), &mut includes, &mut finder);
        let serial = reading.soa_serial(finder.span?)?;
        Some((reading.file(serial).to_owned(), serial.start, serial.end))
    });
    includes.outcome()?;
    Ok(place)
}
