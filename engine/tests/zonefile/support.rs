//! Reads zone text and writes the outcome down as tests like to compare it.

use std::collections::HashMap;
use std::fmt::Write as _;

use oakroot_engine::name::{self, Name};
use oakroot_engine::rdata;
use oakroot_engine::record::{Diagnostic, Record, RecordSink, Severity, Span};
use oakroot_engine::zonefile::{self, Includes, Reading, Settings};

/// Keeps records as text: `owner ttl type rdata`.
#[derive(Default)]
pub struct Kept {
    pub records: Vec<String>,
    pub spans: Vec<Span>,
}

impl RecordSink for Kept {
    fn record(&mut self, record: &Record<'_>) {
        let mut text = String::new();
        name::write_text(record.owner, &mut text);
        write!(text, " {} ", record.ttl).unwrap();
        rdata::write_type(record.rtype, &mut text);
        text.push(' ');
        rdata::write_text(record.rtype, record.rdata, &mut text);
        self.records.push(text);
        self.spans.push(record.span);
    }
}

/// Files for `$INCLUDE`, from (path, text).
#[derive(Default)]
pub struct Files(pub HashMap<String, Vec<u8>>);

impl Files {
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect())
    }
}

impl Includes for Files {
    fn open(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }
}

pub fn origin() -> Name {
    Name::from_text(b"example.org.", None).unwrap()
}

/// Reads `text` as the zone file `zone` with origin `example.org.`.
pub fn read_with<'t>(text: &'t [u8], settings: Settings, files: &mut Files) -> (Reading<'t>, Kept) {
    let mut kept = Kept::default();
    let reading = zonefile::read(text, "zone", &origin(), settings, files, &mut kept);
    (reading, kept)
}

pub fn read(text: &str) -> (Reading<'_>, Kept) {
    read_with(text.as_bytes(), Settings::default(), &mut Files::default())
}

/// `line:column-end_column code`, with `warning` before the code and `file:` before it all where needed.
pub fn place_and_code(reading: &Reading<'_>, diagnostic: &Diagnostic) -> String {
    let place = reading.locate(diagnostic.span);
    let file = if place.file == "zone" { String::new() } else { format!("{}:", place.file) };
    let severity = if diagnostic.severity == Severity::Warning { "warning " } else { "" };
    format!("{file}{}:{}-{} {severity}{}", place.line, place.column, place.end_column, diagnostic.code)
}

pub fn findings(reading: &Reading<'_>) -> Vec<String> {
    reading.diagnostics().iter().map(|diagnostic| place_and_code(reading, diagnostic)).collect()
}

/// Holds that the text gives exactly these records and no finding.
#[track_caller]
pub fn assert_records(text: &str, expected: &[&str]) {
    let (reading, kept) = read(text);
    assert_eq!(findings(&reading), [""; 0], "{text}");
    assert_eq!(kept.records, expected, "{text}");
}

/// Holds that the text gives exactly these findings, as `place_and_code` writes them.
#[track_caller]
pub fn assert_findings(text: &str, expected: &[&str]) {
    let (reading, _) = read(text);
    assert_eq!(findings(&reading), expected, "{text}");
}
