//! Places in a text where reading can begin, kept for the next version of it.

use std::sync::Arc;

use super::hunks::Hunk;
use super::{begins_line, is_plain_owner};
use crate::name::Name;
use crate::record::{EntryStart, Record, RecordSink};
use crate::zone::build::ZoneBuilder;
use crate::zonefile::Inherited;

/// The start of a line, and what the meaning of the lines from there on depends on.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) at: u32,
    pub(super) inherited: Inherited,
}

/// The marks of a text, the first at its start.
#[derive(Clone, Debug)]
pub struct Marks {
    apex_length: usize,
    text_length: usize,
    places: Vec<Mark>,
}

impl Marks {
    pub(super) fn apex_length(&self) -> usize {
        self.apex_length
    }

    pub(super) fn text_length(&self) -> usize {
        self.text_length
    }

    pub(super) fn get(&self, number: usize) -> Option<&Mark> {
        self.places.get(number)
    }

    pub(super) fn at(&self, number: usize) -> Option<usize> {
        self.places.get(number).map(|mark| mark.at as usize)
    }

    /// The last mark at or before a place.
    pub(super) fn last_before(&self, place: usize) -> usize {
        self.places.partition_point(|mark| mark.at as usize <= place).saturating_sub(1)
    }

    /// The marks of the text after these changes: those inside of them are gone, those behind have moved.
    #[allow(clippy::cast_possible_truncation, reason = "texts are shorter than 4 GiB")]
    pub(super) fn moved(&self, hunks: &[Hunk], text_length: usize) -> Self {
        let mut hunks = hunks.iter().peekable();
        let mut places: Vec<Mark> = Vec::with_capacity(self.places.len());
        let (mut old_end, mut new_end) = (0, 0);
        let mut inside_until = None;
        for (number, mark) in self.places.iter().enumerate() {
            if inside_until.is_some_and(|last: Option<usize>| last.is_none_or(|last| number < last)) {
                continue;
            }
            inside_until = None;
            let at = mark.at as usize - old_end + new_end;
            places.push(Mark { at: at as u32, inherited: mark.inherited.clone() });
            if let Some(hunk) = hunks.next_if(|hunk| hunk.first == number) {
                (old_end, new_end) = (hunk.old.end, hunk.new.end);
                inside_until = Some(hunk.last);
            }
        }
        Self { apex_length: self.apex_length, text_length, places }
    }
}

/// A zone being built, with the marks of its text.
pub struct Marking<'t> {
    text: &'t [u8],
    builder: ZoneBuilder,
    apex_length: usize,
    spacing: usize,
    marks: Vec<Mark>,
    origin: Arc<[u8]>,
    records: usize,
    is_plain: bool,
}

impl<'t> Marking<'t> {
    /// Begins a zone whose file has this text; about `spacing` octets are to lie between two marks.
    #[must_use]
    pub fn new(text: &'t [u8], apex: &Name, spacing: usize) -> Self {
        let origin: Arc<[u8]> = apex.as_wire().into();
        let start = Inherited::new(Arc::clone(&origin), None, None);
        Self {
            text,
            builder: ZoneBuilder::for_text(apex.clone(), text.len()),
            apex_length: origin.len(),
            spacing,
            marks: vec![Mark { at: 0, inherited: start }],
            origin,
            records: 0,
            is_plain: text.len() / 2 >= spacing,
        }
    }

    /// The zone being built, and the marks if the text is of a kind that can be read in parts and has more than one.
    #[must_use]
    pub fn finish(self) -> (ZoneBuilder, Option<(Marks, usize)>) {
        let marks = Marks { apex_length: self.apex_length, text_length: self.text.len(), places: self.marks };
        let is_useful = self.is_plain && marks.places.len() > 1;
        (self.builder, is_useful.then_some((marks, self.records)))
    }
}

impl RecordSink for Marking<'_> {
    #[inline]
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.is_plain = self.is_plain && is_plain_owner(record.owner, self.apex_length);
        self.builder.record(record);
    }

    #[inline]
    fn entry(&mut self, start: &EntryStart<'_>) {
        if !self.is_plain {
            return;
        }
        if let Some(directive) = start.directive {
            self.is_plain = is_plain_directive(directive);
            return;
        }
        let last = self.marks.last().map_or(0, |mark| mark.at as usize);
        let at = start.span.start as usize;
        if at >= last + self.spacing && begins_line(self.text, at) {
            if *self.origin != *start.origin {
                self.origin = start.origin.into();
            }
            let inherited = Inherited::new(Arc::clone(&self.origin), start.default_ttl, start.last_ttl);
            self.marks.push(Mark { at: start.span.start, inherited });
        }
    }
}

/// Whether a directive does no more than change what later lines inherit.
pub(super) fn is_plain_directive(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"$ORIGIN") || word.eq_ignore_ascii_case(b"$TTL")
}
