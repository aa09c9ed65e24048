//! A record on one line as an example: its parts, and the columns they stand in.

use std::ops::Range;

use super::pieces::{Piece, PieceRecord, range};
use super::rdata_words::{ends_in_dot, is_relative, relative_name};
use crate::record::Span;

/// Columns between tab stops.
const TAB: usize = 8;

/// A part of a record's line, each followed by white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Ttl,
    Class,
    Type,
    Data,
}

/// A record that stands on one line.
#[derive(Debug)]
pub(super) struct Line<'p> {
    text: &'p [u8],
    pub(super) record: &'p PieceRecord,
    owner: Option<Range<usize>>,
    /// What follows the owner, in its order.
    parts: Vec<(Part, Range<usize>)>,
    fields: Vec<Range<usize>>,
}

impl<'p> Line<'p> {
    /// The line of a piece, if it is a record on one line, with nothing but white space between its parts.
    pub(super) fn of(piece: &'p Piece) -> Option<Self> {
        let record = piece.record()?;
        let (text, layout) = (piece.text(), piece.layout()?);
        let fields: Vec<_> = layout.fields.iter().copied().map(range).collect();
        let mut parts = vec![(Part::Type, range(layout.type_word))];
        let optional = |part, span: Option<Span>| span.map(|span| (part, range(span)));
        parts.extend(optional(Part::Ttl, layout.ttl));
        parts.extend(optional(Part::Class, layout.class));
        parts.sort_by_key(|(_, place)| place.start);
        if let (Some(first), Some(last)) = (fields.first(), fields.last()) {
            parts.push((Part::Data, first.start..last.end));
        }
        let line = Self { text, record, owner: layout.owner.map(range), parts, fields };
        let between_parts = (0..line.parts.len()).all(|index| is_blank(&text[line.gap(index)]));
        let between_fields = line.fields.windows(2).all(|pair| is_blank(&text[pair[0].end..pair[1].start]));
        (between_parts && between_fields).then_some(line)
    }

    pub(super) fn word(&self, part: Part) -> Option<&'p [u8]> {
        self.find(part).map(|index| &self.text[self.parts[index].1.clone()])
    }

    pub(super) fn order(&self) -> impl Iterator<Item = Part> {
        self.parts.iter().map(|(part, _)| *part)
    }

    /// White space before a part, the column it ends in, and the column it begins in.
    pub(super) fn spacing(&self, part: Part) -> Option<Spacing<'p>> {
        let gap = self.gap(self.find(part)?);
        let (from, to) = (column(&self.text[..gap.start]), column(&self.text[..gap.end]));
        Some(Spacing { text: &self.text[gap], from, to })
    }

    /// The white space at the start of the line, where the owner is left blank.
    pub(super) fn leading(&self) -> Option<&'p [u8]> {
        if self.owner.is_none() { Some(&self.text[self.gap(0)]) } else { None }
    }

    /// Whether the owner is written relative to `origin`; None if it is blank or has no relative form.
    pub(super) fn has_relative_owner(&self, origin: &[u8]) -> Option<bool> {
        relative_name(&self.record.owner, origin)?;
        let owner = self.owner.clone()?;
        Some(!ends_in_dot(&self.text[owner]))
    }

    /// Whether a name in the RDATA is written relative to `origin`; None if none could be.
    pub(super) fn has_relative_data(&self, origin: &[u8]) -> Option<bool> {
        let written: Vec<&[u8]> = self.fields.iter().map(|field| &self.text[field.clone()]).collect();
        is_relative(self.record.rtype, &self.record.rdata, &written, origin)
    }

    /// Where the RDATA stands.
    pub(super) fn data(&self) -> Option<Range<usize>> {
        self.find(Part::Data).map(|index| self.parts[index].1.clone())
    }

    fn find(&self, part: Part) -> Option<usize> {
        self.parts.iter().position(|(other, _)| *other == part)
    }

    /// What stands between a part and the one before it.
    fn gap(&self, index: usize) -> Range<usize> {
        let before = match index.checked_sub(1) {
            Some(before) => self.parts[before].1.end,
            None => self.owner.as_ref().map_or(0, |owner| owner.end),
        };
        before..self.parts[index].1.start
    }
}

/// The white space before a part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spacing<'p> {
    pub(super) text: &'p [u8],
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Spacing<'_> {
    pub(super) fn has_tabs(&self) -> bool {
        self.text.contains(&b'\t')
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|octet| matches!(octet, b' ' | b'\t'))
}

/// The column in which a line stands behind `text`, from 0.
pub(super) fn column(text: &[u8]) -> usize {
    text.iter().fold(0, |column, octet| match octet {
        b'\t' => next_stop(column),
        // Only the first octet of a character in UTF-8 moves on.
        0x80..=0xbf => column,
        _ => column + 1,
    })
}

fn next_stop(column: usize) -> usize {
    (column / TAB + 1) * TAB
}

/// Goes on to a column of a line, by one character at least.
pub(super) fn pad(line: &mut Vec<u8>, target: usize, tabs: bool) {
    let mut at = column(line);
    if at >= target {
        line.push(if tabs { b'\t' } else { b' ' });
        return;
    }
    while tabs && next_stop(at) <= target {
        line.push(b'\t');
        at = next_stop(at);
    }
    line.resize(line.len() + (target - at), b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_know_tabs_and_characters() {
        assert_eq!(column(b"www"), 3);
        assert_eq!(column(b"www\t"), 8);
        assert_eq!(column(b"12345678\tx"), 17);
        assert_eq!(column("ü".as_bytes()), 1);
    }

    #[test]
    fn padding_goes_to_the_column_or_at_least_one_on() {
        for (line, target, tabs, padded) in [
            ("www", 8, false, "www     "),
            ("www", 8, true, "www\t"),
            ("www", 18, true, "www\t\t  "),
            ("www", 3, false, "www "),
            ("long-name", 8, true, "long-name\t"),
        ] {
            let mut text = line.as_bytes().to_vec();
            pad(&mut text, target, tabs);
            assert_eq!(text, padded.as_bytes());
        }
    }
}
