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
    source_line: Option<String>,
}

const START: Span = Span { file: 0, start: 0, end: 0 };

impl Diagnostic {
    /// A finding of the reader of zone text.
    pub(super) fn of_reader(found: &record::Diagnostic, reading: &Reading<'_>) -> Self {
        Self::place(found.severity, found.code, found.message.clone(), found.hint.clone(), found.span, reading)
    }

    /// A finding about the zone that was read.
    pub(super) fn of_zone(found: Finding, reading: &Reading<'_>) -> Self {
        let span = found.span.map_or(START, |record| match found.focus {
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
            source_line: place.source_line.map(|line| String::from_utf8_lossy(line).into_owned()),
        }
    }

    /// What findings are sorted by: file, line, column.
    pub(super) fn position(&self) -> (&str, u32, u32) {
        (&self.file, self.line, self.column)
    }
}
