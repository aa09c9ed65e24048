//! `$GENERATE` lines in edits: one of their records is split out by splitting the range.

use super::pieces::{Kind, Piece, PieceRecord, line_ending};
use super::style::put_before;
use crate::zonefile::generate::{HEADER_AT, parse_range};
use crate::zonefile::header::{self, Header};
use crate::zonefile::scanner::Scanner;
use crate::zonefile::token::Token;

/// Index of the range.
const RANGE_AT: usize = 1;

/// Whether the directive has a TTL.
pub(super) fn has_ttl(text: &[u8]) -> bool {
    read(text).is_some_and(|(_, header, _)| header.ttl.is_some())
}

/// The directive with a TTL, which it lacks.
pub(super) fn with_ttl(text: &[u8], ttl: u32) -> Option<Vec<u8>> {
    let (tokens, _, _) = read(text)?;
    Some(put_before(text, tokens.get(HEADER_AT)?.start as usize, &ttl.to_string()))
}

/// The directives that make the records of this one but the one with this index.
pub(super) fn without(piece: &Piece, records: &[PieceRecord], index: usize) -> Option<Vec<Piece>> {
    let text = piece.text();
    let (tokens, _, end) = read(text)?;
    let word = tokens.get(RANGE_AT)?;
    let range = parse_range(word.text)?;
    let number = |index: usize| range.first + range.step * u32::try_from(index).unwrap_or(u32::MAX);
    let step = word.text.iter().position(|&octet| octet == b'/').map_or(&[][..], |slash| &word.text[slash..]);
    let mut pieces = Vec::new();
    for (from, to) in [(0, index), (index + 1, records.len())] {
        if from >= to {
            continue;
        }
        let written = [format!("{}-{}", number(from), number(to - 1)).as_bytes(), step].concat();
        let (before, after) = (&text[..word.start as usize], &text[word.end as usize..]);
        // A comment stays with the first part.
        let after = if pieces.is_empty() { after } else { &text[word.end as usize..end] };
        let mut line = [before, &written, after].concat();
        if !pieces.is_empty() {
            line.extend_from_slice(line_ending(text).unwrap_or_default());
        }
        pieces.push(Piece::written(line, Kind::Generated(records[from..to].to_vec())));
    }
    Some(pieces)
}

/// Words and header of a directive, and where it ends.
fn read(text: &[u8]) -> Option<(Vec<Token<'_>>, Header, usize)> {
    let mut tokens = Vec::new();
    let entry = Scanner::new(text, 0).next_entry(&mut tokens)?;
    let header = header::parse(&tokens, HEADER_AT).ok()?;
    Some((tokens, header, entry.end as usize))
}
