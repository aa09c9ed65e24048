//! What a reading leaves behind: its texts and diagnostics, and the way from a span to line and column.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::layout::Layout;
use super::reader::Reader;
use super::scanner::BYTE_ORDER_MARK;
use crate::record::{Diagnostic, Span};

/// The texts and diagnostics of one reading.
#[derive(Debug)]
pub struct Reading<'t> {
    sources: Vec<Source<'t>>,
    diagnostics: Vec<Diagnostic>,
    confidential: bool,
}

#[derive(Debug)]
struct Source<'t> {
    name: String,
    text: Cow<'t, [u8]>,
    /// Where each line begins; found when first asked for, since most readings have nothing to locate.
    line_starts: OnceLock<Vec<u32>>,
}

/// A place in terms of an editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// Name of the file; for an included one the path as written.
    pub file: &'a str,
    /// From 1.
    pub line: u32,
    /// Counted in characters from 1; a tab is one.
    pub column: u32,
    /// One past the last column to underline in this line, greater than `column`.
    pub end_column: u32,
    /// The line without its end; None when the text is confidential.
    pub source_line: Option<&'a [u8]>,
}

impl<'t> Reading<'t> {
    pub(super) fn new(file: &str, text: &'t [u8], reader: Reader<'_>, confidential: bool) -> Self {
        let source = |name: String, text| Source { name, text, line_starts: OnceLock::new() };
        let mut sources = vec![source(file.to_owned(), Cow::Borrowed(text))];
        sources.extend(reader.included.into_iter().map(|file| source(file.name, Cow::Owned(file.text))));
        Self { sources, diagnostics: reader.report.into_diagnostics(), confidential }
    }

    /// The findings, in the order of reading.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Name of the file that `span` lies in; for an included one the path as written.
    #[must_use]
    pub fn file(&self, span: Span) -> &str {
        self.sources.get(usize::from(span.file)).map_or("", |source| &source.name)
    }

    /// The text of `span`; empty if the span is not of this reading.
    #[must_use]
    pub fn text(&self, span: Span) -> &[u8] {
        self.source_text(span.file).get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Where `span` begins, and how far it goes in its first line.
    #[must_use]
    pub fn locate(&self, span: Span) -> Location<'_> {
        let Some(source) = self.sources.get(usize::from(span.file)) else {
            return Location { file: "", line: 1, column: 1, end_column: 2, source_line: None };
        };
        let (number, line_start, line) = source.line_at(span.start);
        let column_at = |at: u32| {
            let before = (at as usize).saturating_sub(line_start).min(line.len());
            u32::try_from(characters(&line[..before])).unwrap_or(u32::MAX - 2) + 1
        };
        let column = column_at(span.start);
        let end_column = column_at(span.end).max(column + 1);
        let source_line = if self.confidential { None } else { Some(line) };
        Location { file: &source.name, line: number, column, end_column, source_line }
    }

    /// The parts of the record that the reading gave `record` for its span; None for one made by `$GENERATE`.
    #[must_use]
    pub fn layout(&self, record: Span) -> Option<Layout> {
        Layout::of(self.source_text(record.file), record)
    }

    /// The owner of a record; the whole record where the owner is left blank.
    #[must_use]
    pub fn owner(&self, record: Span) -> Span {
        self.layout(record).and_then(|layout| layout.owner).unwrap_or(record)
    }

    /// The TTL of a record; the whole record where none is written.
    #[must_use]
    pub fn ttl(&self, record: Span) -> Span {
        self.layout(record).and_then(|layout| layout.ttl).unwrap_or(record)
    }

    /// The type of a record; the whole record where it was made by `$GENERATE`.
    #[must_use]
    pub fn type_word(&self, record: Span) -> Span {
        self.layout(record).map_or(record, |layout| layout.type_word)
    }

    /// The token of the RDATA with this index, from 0; the whole record where there is none.
    #[must_use]
    pub fn field(&self, record: Span, index: usize) -> Span {
        self.layout(record).and_then(|layout| layout.fields.get(index).copied()).unwrap_or(record)
    }

    /// The serial of a SOA record, for edits in place.
    #[must_use]
    pub fn soa_serial(&self, record: Span) -> Option<Span> {
        self.layout(record).and_then(|layout| layout.soa_serial())
    }

    fn source_text(&self, file: u16) -> &[u8] {
        self.sources.get(usize::from(file)).map_or(&[], |source| &source.text)
    }
}

impl Source<'_> {
    /// Number, start and content of the line around `at`. A byte order mark is no part of the first line.
    fn line_at(&self, at: u32) -> (u32, usize, &[u8]) {
        let starts = self.line_starts.get_or_init(|| line_starts(&self.text));
        let index = starts.partition_point(|&start| start <= at).saturating_sub(1);
        let start = starts[index] as usize;
        let line = match starts.get(index + 1) {
            Some(&next) => &self.text[start..next as usize - 1],
            None => &self.text[start..],
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (u32::try_from(index + 1).unwrap_or(u32::MAX), start, line)
    }
}

/// Never empty.
fn line_starts(text: &[u8]) -> Vec<u32> {
    let mut starts = vec![if text.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 }];
    let line_feeds = text.iter().enumerate().filter(|&(_, &octet)| octet == b'\n');
    starts.extend(line_feeds.map_while(|(at, _)| u32::try_from(at + 1).ok()));
    starts
}

/// How many characters a lenient reader of UTF-8 sees: octets that do not continue another.
fn characters(octets: &[u8]) -> usize {
    octets.iter().filter(|&&octet| octet & 0xc0 != 0x80).count()
}
