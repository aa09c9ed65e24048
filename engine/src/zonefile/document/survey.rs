//! Reads the texts of a zone once, and cuts them into blocks.
//!
//! `$INCLUDE` and `$GENERATE` lines are blocks of their own: the one leads to other blocks, the other may stand for many
//! records, and edits of lines around them should not have to look at either.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;

use super::blocks::{Block, BlockKind, Blocks};
use super::index::{self, Index};
use super::state::{InheritedTtl, State, inherited};
use super::{Document, Stretch};
use crate::name::{self, Name};
use crate::record::{Diagnostic, EntryStart, Record, RecordSink, Severity, Span};
use crate::zonefile::reader::Reader;
use crate::zonefile::scanner::{BYTE_ORDER_MARK, line_end};
use crate::zonefile::{Includes, Settings};

/// See [`Document::read`].
pub(super) fn read(
    text: &[u8],
    file: &str,
    apex: &Name,
    includes: &mut dyn Includes,
    block_length: usize,
) -> Result<Document, Diagnostic> {
    let mut survey = Survey::new(apex, block_length);
    let mut reader = Reader::new(file, apex, Settings::default(), includes, &mut survey);
    reader.read_file(0, text);
    let end = inherited(reader.default_ttl, reader.last_ttl);
    let (opened, report) = (reader.included, reader.report);
    if let Some(error) = report.into_diagnostics().into_iter().find(|found| found.severity == Severity::Error) {
        return Err(error);
    }
    let mut files = vec![file.to_owned()];
    files.extend(opened.iter().map(|file| file.name.clone()));
    let mut texts = vec![text];
    texts.extend(opened.iter().map(|file| &file.text[..]));
    let marks = std::mem::take(&mut survey.marks);
    let mut cutter = Cutter::new(&marks, &texts, end);
    cutter.file(0, &State { origin: apex.as_wire().into(), ttl: InheritedTtl::Nothing, owner: None });
    Ok(survey.into_document(apex, files, cutter))
}

/// Where a block begins, in the order of reading.
struct Mark {
    /// Of the block's first entry.
    span: Span,
    state: State,
    kind: MarkKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    Lines,
    Generate,
    Include,
}

struct Survey<'a> {
    apex: &'a Name,
    block_length: usize,
    marks: Vec<Mark>,
    hasher: RandomState,
    /// Hash of an owner, number of a mark.
    owners: Vec<(u32, u32)>,
    last_owner: Vec<u8>,
    stretches: HashMap<(u16, Arc<[u8]>), Stretch>,
    /// Origin of the last entry.
    origin: Arc<[u8]>,
    /// Mark of the last owner, and whether its stretch was noted.
    noted: Option<(u32, Arc<[u8]>)>,
}

impl<'a> Survey<'a> {
    fn new(apex: &'a Name, block_length: usize) -> Self {
        Self {
            apex,
            block_length,
            marks: Vec::new(),
            hasher: RandomState::new(),
            owners: Vec::new(),
            last_owner: Vec::new(),
            stretches: HashMap::new(),
            origin: apex.as_wire().into(),
            noted: None,
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a mark stands for kilobytes of at most 5 GiB")]
    fn last_mark(&self) -> u32 {
        self.marks.len().saturating_sub(1) as u32
    }

    fn note_stretch(&mut self, file: u16, owner: &[u8]) {
        let block = self.last_mark();
        let beyond_apex = !name::same(owner, self.apex.as_wire());
        let known =
            self.noted.as_ref().is_some_and(|(mark, origin)| *mark == block && Arc::ptr_eq(origin, &self.origin));
        if known {
            return;
        }
        let stretch =
            self.stretches.entry((file, Arc::clone(&self.origin))).or_insert(Stretch { block, beyond_apex });
        if beyond_apex || !stretch.beyond_apex {
            *stretch = Stretch { block, beyond_apex };
        }
        if beyond_apex {
            self.noted = Some((block, Arc::clone(&self.origin)));
        }
    }

    fn into_document(self, apex: &Name, files: Vec<String>, cutter: Cutter<'_>) -> Document {
        let Cutter { blocks, of_marks, .. } = cutter;
        let owners = self.owners.iter().map(|&(hash, mark)| (hash, of_marks[mark as usize])).collect();
        let mut stretches = self.stretches;
        for stretch in stretches.values_mut() {
            stretch.block = of_marks[stretch.block as usize];
        }
        Document {
            apex: apex.clone(),
            blocks: Blocks::new(blocks, files.len()),
            files: files.into(),
            index: Index::new(self.hasher, owners),
            stretches: Arc::new(stretches),
            block_length: self.block_length,
        }
    }
}

impl RecordSink for Survey<'_> {
    fn entry(&mut self, start: &EntryStart<'_>) {
        if *self.origin != *start.origin {
            self.origin = start.origin.into();
        }
        let is = |word: &[u8]| start.directive.is_some_and(|directive| directive.eq_ignore_ascii_case(word));
        let kind = if is(b"$INCLUDE") {
            MarkKind::Include
        } else if is(b"$GENERATE") {
            MarkKind::Generate
        } else {
            MarkKind::Lines
        };
        let goes_on = self.marks.last().is_some_and(|last| {
            last.span.file == start.span.file
                && last.kind == MarkKind::Lines
                && ((start.span.start - last.span.start) as usize) < self.block_length
        });
        if !goes_on || kind != MarkKind::Lines {
            self.marks.push(Mark { span: start.span, state: State::of(start, &self.origin), kind });
            self.last_owner.clear();
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        // New records should go among written ones, not among those that one line makes.
        if self.marks.last().is_none_or(|mark| mark.kind == MarkKind::Lines) {
            self.note_stretch(record.span.file, record.owner);
        }
        if record.owner != self.last_owner {
            self.owners.push((index::hash(&self.hasher, record.owner), self.last_mark()));
            self.last_owner.clear();
            self.last_owner.extend_from_slice(record.owner);
        }
    }
}

/// Makes blocks of marks, file within file.
struct Cutter<'a> {
    marks: &'a [Mark],
    texts: &'a [&'a [u8]],
    /// What holds behind the last line of all.
    end: InheritedTtl,
    /// How many marks are behind us.
    passed: usize,
    /// How many files have been begun.
    opened: u16,
    blocks: Vec<Block>,
    /// The block of each mark.
    of_marks: Vec<u32>,
}

impl<'a> Cutter<'a> {
    fn new(marks: &'a [Mark], texts: &'a [&'a [u8]], end: InheritedTtl) -> Self {
        Self { marks, texts, end, passed: 0, opened: 0, blocks: Vec::new(), of_marks: Vec::new() }
    }

    /// Cuts the file opened next, which is entered with `outer` in force.
    fn file(&mut self, number: u16, outer: &State) {
        self.opened += 1;
        let text = self.texts[usize::from(number)];
        let mut done = 0;
        let mut state = State { owner: None, ..outer.clone() };
        while let Some(mark) = self.marks.get(self.passed).filter(|mark| mark.span.file == number) {
            if mark.kind == MarkKind::Lines {
                self.passed += 1;
                let next = self.marks.get(self.passed).filter(|next| next.span.file == number);
                let end = next.map_or(text.len(), |next| line_start(text, next.span.start));
                self.mark_block();
                self.push(number, &text[done..end], mark.state.clone());
                (done, state) = (end, mark.state.clone());
                continue;
            }
            let line = line_start(text, mark.span.start);
            if line > done || done == 0 {
                self.push(number, &text[done..line], mark.state.clone());
            }
            done = (line_end(text, mark.span.end as usize) + 1).min(text.len());
            state = mark.state.clone();
            self.mark_block();
            self.push(number, &text[line..done], mark.state.clone());
            self.passed += 1;
            if mark.kind == MarkKind::Include {
                let last = self.blocks.len() - 1;
                self.blocks[last].kind = BlockKind::Include;
                self.file(self.opened, &mark.state);
            }
        }
        // So each file ends in lines that can be added to.
        let ends_in_lines =
            self.blocks.last().is_some_and(|last| last.file == number && last.kind != BlockKind::Include);
        if done < text.len() || !ends_in_lines {
            let ttl = self.marks.get(self.passed).map_or(self.end, |next| next.state.ttl);
            self.push(number, &text[done..], State { ttl, ..state });
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a block stands for kilobytes of at most 5 GiB")]
    fn mark_block(&mut self) {
        self.of_marks.push(self.blocks.len() as u32);
    }

    fn push(&mut self, file: u16, text: &[u8], start: State) {
        let is_first = !self.blocks.iter().rev().any(|block| block.file == file);
        let kind = if is_first { BlockKind::First } else { BlockKind::Lines };
        self.blocks.push(Block { file, text: text.into(), start, kind });
    }
}

/// Where the line of this octet begins; a byte order mark is not part of it.
fn line_start(text: &[u8], at: u32) -> usize {
    let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    text[..at as usize].iter().rposition(|&octet| octet == b'\n').map_or(mark, |line_feed| line_feed + 1)
}
