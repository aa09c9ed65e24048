//! Findings, as Python sees them: with lines and columns.

use pyo3::prelude::*;

use crate::record::{self, Severity, Span};
use crate::zone::checks::{Finding, Focus};
use crate::zonefile::Reading;

/// One finding about zone text.
#[pyclass(frozen, get_all, module = "oakroot._engine")]
pub(super) struct Diagnostic {
    severity: &'static str,
    code: &'static str,
    message: String,
    hint: Option<String>,
    file: String,
    line: u32,
    column: u32,
    end_column: u32,
    source_start: u32,
    source_line: Option<String>,
}

/// Most characters of a line that a finding quotes: a thousand findings may all be about one line of a megabyte.
const LONGEST_QUOTE: usize = 1000;

const START: Span = Span { file: 0, start: 0, end: 0 };

impl Diagnostic {
    /// A finding of the reader of zone text.
    pub(super) fn of_reader(found: &record::Diagnostic, reading: &Reading<'_>) -> Self {
        Self::place(found.severity, found.code, found.message.clone(), found.hint.clone(), found.span, reading)
    }

    /// A finding about the zone that was read.
    pub(super) fn of_zone(found: Finding, reading: &Reading<'_>) -> Self {
        let span = found.span.map_or(START, |record| match found.focus {
            Focus::Type => reading.type_word(record),
            Focus::Owner => reading.owner(record),
            Focus::Field(index) => reading.field(record, index),
        });
        Self::place(found.severity, found.code, found.message, found.hint, span, reading)
    }

    fn place(
        severity: Severity,
        code: &'static str,
        message: String,
        hint: Option<String>,
        span: Span,
        reading: &Reading<'_>,
    ) -> Self {
        let place = reading.locate(span);
        let quoted = place.source_line.map(|line| quote(line, place.column));
        Self {
            severity: match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code,
            message,
            hint,
            file: place.file.to_owned(),
            line: place.line,
            column: place.column,
            end_column: place.end_column,
            source_start: quoted.as_ref().map_or(0, |(start, _)| *start),
            source_line: quoted.map(|(_, text)| text),
        }
    }

    /// What findings are sorted by: file, line, column.
    pub(super) fn position(&self) -> (&str, u32, u32) {
        (&self.file, self.line, self.column)
    }
}

/// The line around a column, and how many characters of it are left out before.
fn quote(line: &[u8], column: u32) -> (u32, String) {
    if line.len() <= LONGEST_QUOTE {
        return (0, String::from_utf8_lossy(line).into_owned());
    }
    let start = (column as usize - 1).saturating_sub(LONGEST_QUOTE / 2);
    // Columns count octets that begin a character, and so does this.
    let mut begins =
        line.iter().enumerate().filter(|&(_, &octet)| octet & 0xc0 != 0x80).map(|(at, _)| at).skip(start);
    let first = begins.next().unwrap_or(line.len());
    let last = begins.nth(LONGEST_QUOTE - 1).unwrap_or(line.len());
    (u32::try_from(start).unwrap_or(u32::MAX), String::from_utf8_lossy(&line[first..last]).into_owned())
}
