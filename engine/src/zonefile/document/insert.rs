//! Writing the line of a new record: as it stands elsewhere if there is such an example, else as its neighbours stand.

use super::edit::{Draft, NEIGHBOURHOOD, Open, Place};
use super::group::RrsetType;
use super::line::Line;
use super::pieces::{Kind, Piece, PieceRecord, line_ending, take_apart};
use super::place::Spot;
use super::style::{Style, give_owner};
use super::{Block, BlockKind, EditError};
use crate::name;

impl Draft<'_> {
    /// The line of a record in the document that was given for an example.
    fn example(&mut self, record: &PieceRecord, kind: RrsetType) -> Result<Option<Piece>, EditError> {
        let Some(like) = self.like.as_mut() else { return Ok(None) };
        let places = like.find(&record.owner, Some(kind))?;
        let is_it = |place: &&Place| place.generated.is_none() && place.record.rdata == record.rdata;
        let Some(place) = places.iter().find(is_it) else { return Ok(None) };
        Ok(like.open(place.block)?.pieces.get(place.piece).cloned())
    }

    /// The records nearest to a place in other blocks of its file, for places with none around them.
    fn lines_elsewhere(&mut self, spot: &Spot) -> Result<Vec<Piece>, EditError> {
        let has_lines = self.open(spot.block)?.pieces.iter().any(|piece| Line::of(piece).is_some());
        let document = self.document;
        let before = document.blocks.lines_before(spot.block);
        let all = before.chain(document.blocks.lines_of(document.blocks.get(spot.block).file).iter().copied());
        for number in all.filter(|&number| number != spot.block).take(if has_lines { 0 } else { 2 }) {
            let pieces = self.open(number)?.pieces.iter().filter(|piece| piece.record().is_some());
            let last: Vec<Piece> = pieces.rev().take(NEIGHBOURHOOD).cloned().collect();
            if !last.is_empty() {
                return Ok(last.into_iter().rev().collect());
            }
        }
        Ok(Vec::new())
    }

    /// Writes a new line where it belongs.
    pub(super) fn insert(&mut self, record: PieceRecord, kind: RrsetType) -> Result<(), EditError> {
        let spot = self.spot(&record, kind)?;
        let ends_open = self.ends_without_line_end(&spot)?;
        let ending = self.line_ending(&spot)?;
        let example = self.example(&record, kind)?;
        let elsewhere = self.lines_elsewhere(&spot)?;
        let open = self.open(spot.block)?;
        let mut style = open.style_at(spot.at);
        if style.neighbours.is_empty() {
            style.neighbours.extend(elsewhere.iter().rev().filter_map(Line::of));
        }
        let copied = example.and_then(|example| copied(&example, &record, &style));
        let mut line = copied.unwrap_or_else(|| style.line(&record, leaves_blank(open, spot.at, &record, &style)));
        if !ends_open {
            line.extend_from_slice(ending);
        }
        let is_first = open.pieces[..spot.at].iter().all(|piece| piece.text().is_empty());
        let mut new = vec![Piece::written(line, Kind::Record(record.clone()))];
        if ends_open && is_first {
            new.insert(0, Piece::written(ending.to_vec(), Kind::Gap));
        }
        open.pieces.splice(spot.at..spot.at, new);
        self.added.push((record.owner, spot.block));
        Ok(())
    }
}

/// The lines of a piece, without the last line end, if they say here what they say there: this record.
fn copied(example: &Piece, record: &PieceRecord, style: &Style<'_>) -> Option<Vec<u8>> {
    let mut text = example.text().to_vec();
    if example.leaves_owner_blank() {
        text = give_owner(&text, &style.owner(&record.owner));
    }
    text.truncate(text.len() - line_ending(&text).map_or(0, <[u8]>::len));
    let kind = BlockKind::Lines;
    let block = Block { file: 0, text: text.as_slice().into(), start: style.state.clone(), kind };
    let (pieces, _) = take_apart(&block).ok()?;
    let [piece] = &pieces[..] else { return None };
    let reads_so = piece.record().is_some_and(|read| {
        name::same(&read.owner, &record.owner) && (read.ttl, &read.rdata) == (record.ttl, &record.rdata)
    });
    reads_so.then_some(text)
}

/// Whether a record goes on with the owner above, as others do here.
fn leaves_blank(open: &Open, at: usize, record: &PieceRecord, style: &Style<'_>) -> bool {
    if !style.state.has_owner(&record.owner) {
        return false;
    }
    let above = open.pieces[..at].iter().rev().filter(|piece| piece.record().is_some());
    let below = open.pieces[at..].iter().filter(|piece| piece.record().is_some());
    let is_mate = |piece: &&Piece| piece.record().is_some_and(|other| name::same(&other.owner, &record.owner));
    let beside = above.clone().take_while(is_mate).chain(below.take_while(is_mate));
    let mut mates = beside.peekable();
    if mates.clone().any(Piece::leaves_owner_blank) {
        return true;
    }
    // A mate that says the owner although the line above it has the same: that is how it is done here.
    if mates.by_ref().count() > 1 {
        return false;
    }
    above.take(NEIGHBOURHOOD).any(Piece::leaves_owner_blank)
}
