//! Gathers diagnostics in reading order, with a limit, and quotes the text only where that is allowed.

use crate::name::write_decimal_escape;
use crate::record::{Diagnostic, Severity, Span};

/// Most errors, and most warnings, that one reading reports.
const LIMIT: usize = 1_000;
/// Most characters of the text that a message quotes.
const LONGEST_QUOTE: usize = 60;

/// The findings of one reading.
pub(super) struct Report {
    confidential: bool,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// A state of the report to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    length: usize,
    errors: usize,
    warnings: usize,
}

impl Report {
    pub(super) fn new(confidential: bool) -> Self {
        Self { confidential, diagnostics: Vec::new(), errors: 0, warnings: 0 }
    }

    /// Whether reading on makes no sense, since no further error would be reported.
    pub(super) fn is_full(&self) -> bool {
        self.errors >= LIMIT
    }

    pub(super) fn is_confidential(&self) -> bool {
        self.confidential
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.diagnostics.len(), errors: self.errors, warnings: self.warnings }
    }

    /// Forgets the findings after `mark` that stand at `place` or behind it, because one better finding explains them.
    pub(super) fn forget_since(&mut self, mark: Mark, place: u32) {
        let findings = self.diagnostics.split_off(mark.length);
        (self.errors, self.warnings) = (mark.errors, mark.warnings);
        for finding in findings.into_iter().filter(|finding| finding.span.start < place) {
            match finding.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
            self.diagnostics.push(finding);
        }
    }

    /// Puts the findings about one entry, all those after `mark`, in the order of their places.
    pub(super) fn sort_since(&mut self, mark: Mark) {
        if let Some(findings) = self.diagnostics.get_mut(mark.length..) {
            findings.sort_by_key(|finding| finding.span.start);
        }
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, hint: Option<String>) {
        if self.is_full() {
            return;
        }
        self.push(Severity::Error, code, span, message.into(), hint);
        self.errors += 1;
    }

    pub(super) fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        if self.warnings > LIMIT {
            return;
        }
        if self.warnings == LIMIT {
            let message = format!("there are more than {LIMIT} warnings; the others are not shown");
            self.push(Severity::Warning, "too-many-warnings", span, message, None);
        } else {
            self.push(Severity::Warning, code, span, message.into(), hint);
        }
        self.warnings += 1;
    }

    fn push(&mut self, severity: Severity, code: &'static str, span: Span, message: String, hint: Option<String>) {
        self.diagnostics.push(Diagnostic { severity, code, message, hint, span });
    }

    /// `word` in backticks, printable and not too long; in confidential text `instead`.
    pub(super) fn quote(&self, word: &[u8], instead: &str) -> String {
        if self.confidential {
            return instead.to_owned();
        }
        let mut quoted = String::from("`");
        for (count, character) in Characters(word).enumerate() {
            if count == LONGEST_QUOTE {
                quoted.push('…');
                break;
            }
            match character {
                Ok(character) if is_fit_to_print(character) => quoted.push(character),
                Ok(character) => {
                    for &octet in character.encode_utf8(&mut [0; 4]).as_bytes() {
                        write_decimal_escape(octet, &mut quoted);
                    }
                }
                Err(octet) => write_decimal_escape(octet, &mut quoted),
            }
        }
        quoted.push('`');
        quoted
    }

    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        if let (true, Some(last)) = (self.is_full(), self.diagnostics.last()) {
            let message = format!("there are {LIMIT} errors; the rest of the text was not read");
            self.push(Severity::Error, "too-many-errors", last.span, message, None);
        }
        self.diagnostics
    }
}

/// Whether a terminal shows `character` as itself; controls and invisible format characters could make a message lie.
fn is_fit_to_print(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        _ => character.escape_debug().count() == 1,
    }
}

/// Characters of UTF-8 text, and the octets that are none.
struct Characters<'a>(&'a [u8]);

impl Iterator for Characters<'_> {
    type Item = Result<char, u8>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&first, after_first) = self.0.split_first()?;
        let longest = &self.0[..self.0.len().min(4)];
        let valid = match std::str::from_utf8(longest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default(),
        };
        if let Some(character) = valid.chars().next() {
            self.0 = &self.0[character.len_utf8()..];
            return Some(Ok(character));
        }
        self.0 = after_first;
        Some(Err(first))
    }
}
