//! A block taken apart for an edit: gaps, directives and records, each with its own whole lines.

use std::ops::Range;
use std::sync::Arc;

use super::EditError;
use super::blocks::{Block, BlockKind};
use super::state::State;
use crate::name::Name;
use crate::record::{EntryStart, Record, RecordSink, Severity, Span};
use crate::zonefile::layout::Layout;
use crate::zonefile::reader::Reader;
use crate::zonefile::scanner::{BYTE_ORDER_MARK, Scanner, line_end};
use crate::zonefile::{NoIncludes, Settings};

/// A record as it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PieceRecord {
    /// Wire form.
    pub(super) owner: Arc<[u8]>,
    pub(super) ttl: u32,
    pub(super) rtype: u16,
    /// Wire form.
    pub(super) rdata: Box<[u8]>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Comments and empty lines; also what is left of a record that was removed.
    Gap,
    /// `$ORIGIN` or `$TTL`, with what holds behind it.
    Directive {
        origin: Arc<[u8]>,
        default_ttl: Option<u32>,
    },
    Record(PieceRecord),
    /// The records of one `$GENERATE`, one for each of its numbers.
    Generated(Vec<PieceRecord>),
}

/// Some whole lines.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    text: Text,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
enum Text {
    Kept(Arc<[u8]>, Range<usize>),
    Written(Vec<u8>),
}

impl Piece {
    pub(super) fn written(text: Vec<u8>, kind: Kind) -> Self {
        Self { text: Text::Written(text), kind }
    }

    pub(super) fn text(&self) -> &[u8] {
        match &self.text {
            Text::Kept(block, range) => &block[range.clone()],
            Text::Written(text) => text,
        }
    }

    pub(super) fn rewrite(&mut self, text: Vec<u8>) {
        self.text = Text::Written(text);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::written(Vec::new(), Kind::Gap);
    }

    pub(super) fn record(&self) -> Option<&PieceRecord> {
        if let Kind::Record(record) = &self.kind { Some(record) } else { None }
    }

    /// Whether it is a record that leaves its owner blank.
    pub(super) fn leaves_owner_blank(&self) -> bool {
        self.record().is_some() && matches!(self.text().first(), Some(b' ' | b'\t'))
    }

    /// Whether it is a record or `$GENERATE` with a TTL written.
    pub(super) fn has_ttl(&self) -> bool {
        match &self.kind {
            Kind::Record(_) => self.layout().is_some_and(|layout| layout.ttl.is_some()),
            Kind::Generated(_) => super::generated::has_ttl(self.text()),
            Kind::Gap | Kind::Directive { .. } => false,
        }
    }

    /// The parts of a record, as offsets into [`Self::text`].
    pub(super) fn layout(&self) -> Option<Layout> {
        layout(self.text())
    }

    /// What ends its lines, if any of them ends.
    pub(super) fn line_ending(&self) -> Option<&'static [u8]> {
        line_ending(self.text())
    }
}

/// The parts of the one record in `text`.
pub(super) fn layout(text: &[u8]) -> Option<Layout> {
    let entry = Scanner::new(text, 0).next_entry(&mut Vec::new())?;
    Layout::of(text, Span { file: 0, start: entry.start, end: entry.end })
}

pub(super) fn line_ending(text: &[u8]) -> Option<&'static [u8]> {
    match text {
        [.., b'\r', b'\n'] => Some(b"\r\n"),
        [.., b'\n'] => Some(b"\n"),
        _ => None,
    }
}

pub(super) fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Takes a block apart, and gives what holds behind it.
pub(super) fn take_apart(block: &Block) -> Result<(Vec<Piece>, State), EditError> {
    let mut collector = Collector { entries: Vec::new(), origin: Arc::clone(&block.start.origin), owner: None };
    let (origin, default_ttl) = read_block(block, &mut collector)?;
    collector.leave(&origin, default_ttl);
    let pieces = collector.into_pieces(&block.text, mark_length(block));
    let mut end = block.start.clone();
    for piece in &pieces {
        end.pass(piece);
    }
    Ok((pieces, end))
}

/// Reads a block, and gives the origin and the default TTL behind it.
pub(super) fn read_block(block: &Block, sink: &mut impl RecordSink) -> Result<(Vec<u8>, Option<u32>), EditError> {
    let mut includes = NoIncludes;
    let mut reader = Reader::new("", &Name::root(), Settings::default(), &mut includes, sink);
    block.start.enter(&mut reader);
    reader.read_entries(0, &block.text, mark_length(block));
    let behind = (std::mem::take(&mut reader.origin), reader.default_ttl);
    match reader.report.into_diagnostics().into_iter().find(|found| found.severity == Severity::Error) {
        Some(error) => Err(EditError::Unreadable(error.message)),
        None => Ok(behind),
    }
}

/// Octets of a byte order mark at the head of a file.
fn mark_length(block: &Block) -> usize {
    if block.kind == BlockKind::First && block.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// Collects the entries of a block.
struct Collector {
    entries: Vec<Collected>,
    origin: Arc<[u8]>,
    owner: Option<Arc<[u8]>>,
}

struct Collected {
    span: Span,
    directive: Option<Directive>,
    records: Vec<PieceRecord>,
    /// Origin and default TTL behind it.
    after: Option<(Arc<[u8]>, Option<u32>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Generate,
    Other,
}

impl RecordSink for Collector {
    fn entry(&mut self, start: &EntryStart<'_>) {
        self.leave(start.origin, start.default_ttl);
        let directive = start
            .directive
            .map(|word| if word.eq_ignore_ascii_case(b"$GENERATE") { Directive::Generate } else { Directive::Other });
        self.entries.push(Collected { span: start.span, directive, records: Vec::new(), after: None });
    }

    fn record(&mut self, record: &Record<'_>) {
        let known = self.owner.take().filter(|owner| **owner == *record.owner);
        let owner = known.unwrap_or_else(|| record.owner.into());
        self.owner = Some(Arc::clone(&owner));
        let Record { ttl, rtype, rdata, .. } = *record;
        if let Some(entry) = self.entries.last_mut() {
            entry.records.push(PieceRecord { owner, ttl, rtype, rdata: rdata.into() });
        }
    }
}

impl Collector {
    /// Notes what holds behind the last entry.
    fn leave(&mut self, origin: &[u8], default_ttl: Option<u32>) {
        if *self.origin != *origin {
            self.origin = origin.into();
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.after = Some((Arc::clone(&self.origin), default_ttl));
        }
    }

    fn into_pieces(self, text: &Arc<[u8]>, first: usize) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(self.entries.len() + 4);
        let keep = |range| Text::Kept(Arc::clone(text), range);
        let mut done = 0;
        let gap = |pieces: &mut Vec<Piece>, from, to| {
            if from < to {
                pieces.push(Piece { text: keep(from..to), kind: Kind::Gap });
            }
        };
        gap(&mut pieces, 0, first);
        done += first;
        for entry in self.entries {
            let before = text[done..entry.span.start as usize].iter().rposition(|&octet| octet == b'\n');
            let start = before.map_or(done, |line_feed| done + line_feed + 1);
            gap(&mut pieces, done, start);
            done = (line_end(text, entry.span.end as usize) + 1).min(text.len());
            let mut records = entry.records;
            let kind = match (entry.directive, entry.after) {
                (Some(Directive::Generate), _) => Kind::Generated(records),
                (Some(Directive::Other), Some((origin, default_ttl))) => Kind::Directive { origin, default_ttl },
                _ => records.pop().map_or(Kind::Gap, Kind::Record),
            };
            pieces.push(Piece { text: keep(start..done), kind });
        }
        gap(&mut pieces, done, text.len());
        pieces
    }
}
