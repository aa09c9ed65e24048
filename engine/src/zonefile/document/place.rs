//! Where a new record goes: beside its `RRset`, else beside its name, else near the name it hangs below, else in order among
//! its siblings, else behind the last of them.

use std::cmp::Ordering;

use super::EditError;
use super::blocks::BlockKind;
use super::edit::{Draft, Open, Place};
use super::group::{self, RrsetType};
use super::pieces::{Kind, Piece, PieceRecord, line_ending};
use crate::name;

/// So many names must stand in order before that is taken for a habit.
const ORDERED: usize = 3;

/// A place between two pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) block: u32,
    /// Index of the piece it is before.
    pub(super) at: usize,
}

type Order = fn(&[u8], &[u8]) -> Ordering;

impl Draft<'_> {
    /// The place for a new record, never in a shared file unless there is no other.
    pub(super) fn spot(&mut self, record: &PieceRecord, kind: RrsetType) -> Result<Spot, EditError> {
        let owner = &record.owner[..];
        let spot = match self.spot_beside(owner, kind)? {
            Some(spot) => spot,
            None => match self.spot_among_siblings(record)? {
                Some(spot) => spot,
                None => self.spot_at_end()?,
            },
        };
        let at = past_blank_owners(self.open(spot.block)?, spot.at, owner);
        Ok(Spot { at, ..spot })
    }

    /// Behind the `RRset`, the name, or the nearest ancestor with all that hangs below it.
    fn spot_beside(&mut self, owner: &[u8], kind: RrsetType) -> Result<Option<Spot>, EditError> {
        for wanted in [Some(kind), None] {
            let places = self.find(owner, wanted)?;
            if let Some(place) = self.last_own(&places) {
                return Ok(Some(Spot { block: place.block, at: place.piece + 1 }));
            }
        }
        let document = self.document;
        for ancestor in group::ancestors(owner, document.apex.as_wire()) {
            let places = self.find(ancestor, None)?;
            let Some(place) = self.last_own(&places).cloned() else { continue };
            let open = self.open(place.block)?;
            let mut at = place.piece + 1;
            let of_family = |piece: &Piece| match piece.record() {
                Some(record) => name::is_at_or_below(&record.owner, ancestor),
                None => piece.text().is_empty(),
            };
            while open.pieces.get(at).is_some_and(of_family) {
                at += 1;
            }
            return Ok(Some(Spot { block: place.block, at }));
        }
        Ok(None)
    }

    /// The last place in a file that may change; one made by `$GENERATE` only where there is no other.
    fn last_own<'p>(&self, places: &'p [Place]) -> Option<&'p Place> {
        let own = || places.iter().rev().filter(|place| !self.is_shared(place.block));
        own().find(|place| place.generated.is_none()).or_else(|| own().next())
    }

    /// Among the records that stand under the origin nearest to the name: in order, if they are, else behind the last.
    fn spot_among_siblings(&mut self, record: &PieceRecord) -> Result<Option<Spot>, EditError> {
        let owner = &record.owner[..];
        let document = self.document;
        let mut stretches: Vec<_> = document
            .stretches
            .iter()
            .filter(|((file, origin), _)| !self.shared.contains(file) && name::is_at_or_below(owner, origin))
            .map(|((file, origin), stretch)| {
                (origin.len(), stretch.beyond_apex, std::cmp::Reverse(*file), origin, stretch.block)
            })
            .collect();
        stretches.sort_unstable();
        for (_, beyond_apex, _, origin, block) in stretches.into_iter().rev() {
            let open = self.open(block)?;
            let Some(last) = siblings(open, origin, document.apex.as_wire(), beyond_apex).pop() else { continue };
            if let Some(spot) = self.spot_in_order(block, origin, record)? {
                return Ok(Some(spot));
            }
            return Ok(Some(Spot { block, at: last + 1 }));
        }
        Ok(None)
    }

    /// The place among names that stand in order, from this block backwards.
    fn spot_in_order(&mut self, last: u32, origin: &[u8], record: &PieceRecord) -> Result<Option<Spot>, EditError> {
        let owner = &record.owner[..];
        let document = self.document;
        let apex = document.apex.as_wire();
        let orders: [Order; 2] = [name::canonical_order, natural_order];
        // A block that has just begun shows no habit yet.
        let witness = if siblings(self.open(last)?, origin, apex, true).len() < ORDERED {
            document.blocks.lines_before(last).next().unwrap_or(last)
        } else {
            last
        };
        for order in orders {
            if !is_ordered(self.open(witness)?, origin, apex, order, ORDERED) {
                continue;
            }
            let lines = document.blocks.lines_of(document.blocks.get(last).file);
            let place = document.blocks.position(last);
            let run = &lines[..=lines.partition_point(|&number| document.blocks.position(number) < place)];
            // The owner in force where a block begins is the last one of the block before.
            let comes_before = |number: &u32| {
                document.blocks.get(*number).start.owner.as_ref().is_none_or(|before| order(before, owner).is_lt())
            };
            let block = run[run.partition_point(comes_before).saturating_sub(1)];
            let open = self.open(block)?;
            if !is_ordered(open, origin, apex, order, 0) {
                continue;
            }
            let among = siblings(open, origin, apex, true);
            let is_greater =
                |&&at: &&usize| open.pieces[at].record().is_some_and(|other| order(&other.owner, owner).is_gt());
            let at = match among.iter().position(|at| is_greater(&at)) {
                Some(next) => between(open, next.checked_sub(1).map(|before| among[before]), among[next], record),
                None => among.last().map_or(open.pieces.len(), |last| last + 1),
            };
            return Ok(Some(Spot { block, at }));
        }
        Ok(None)
    }

    /// Behind the last line of the zone file that is more than a comment.
    fn spot_at_end(&mut self) -> Result<Spot, EditError> {
        let document = self.document;
        let block = document.blocks.lines_of(0).last().copied().unwrap_or(0);
        let pieces = &self.open(block)?.pieces;
        let last = pieces.iter().rposition(|piece| !matches!(piece.kind, Kind::Gap));
        // Comments at the head of the file stay there, those behind an $INCLUDE at the foot.
        let without = if document.blocks.get(block).kind == BlockKind::First { pieces.len() } else { 0 };
        Ok(Spot { block, at: last.map_or(without, |last| last + 1) })
    }

    /// Whether what stands before a place, in its file, ends without a line end.
    pub(super) fn ends_without_line_end(&mut self, spot: &Spot) -> Result<bool, EditError> {
        let before = self.open(spot.block)?.pieces[..spot.at].iter().rev().find(|piece| !piece.text().is_empty());
        if let Some(piece) = before {
            return Ok(is_open(piece.text()));
        }
        let blocks = &self.document.blocks;
        let place = blocks.position(spot.block);
        let mut earlier = blocks.order()[..place].iter().rev().map(|&number| blocks.get(number));
        let file = blocks.get(spot.block).file;
        let last = earlier.find(|block| block.file == file && !block.text.is_empty());
        Ok(last.is_some_and(|block| is_open(&block.text)))
    }

    /// How lines end around a place.
    pub(super) fn line_ending(&mut self, spot: &Spot) -> Result<&'static [u8], EditError> {
        let pieces = &self.open(spot.block)?.pieces;
        let above = pieces[..spot.at].iter().rev().find_map(Piece::line_ending);
        let found = above.or_else(|| pieces[spot.at..].iter().find_map(Piece::line_ending));
        let file = self.document.blocks.get(spot.block).file;
        let of_file = || self.document.text(file).find_map(line_ending);
        Ok(found.or_else(of_file).unwrap_or(b"\n"))
    }
}

/// Whether a line is begun: behind a byte order mark none is.
fn is_open(text: &[u8]) -> bool {
    line_ending(text).is_none() && text != crate::zonefile::scanner::BYTE_ORDER_MARK
}

/// Steps over records whose line leaves the owner blank: a line before them would take them from their owner.
fn past_blank_owners(open: &Open, at: usize, owner: &[u8]) -> usize {
    let mut at = at;
    while let Some(next) = (at..open.pieces.len()).find(|&index| open.pieces[index].record().is_some()) {
        let piece = &open.pieces[next];
        let goes_on =
            piece.record().is_some_and(|record| piece.leaves_owner_blank() && !name::same(&record.owner, owner));
        if !goes_on {
            break;
        }
        at = next + 1;
    }
    at
}

/// The pieces whose records were read under an origin; those of the apex left out where others are wanted.
fn siblings(open: &Open, origin: &[u8], apex: &[u8], beyond_apex: bool) -> Vec<usize> {
    let mut state = open.start.clone();
    let mut found = Vec::new();
    for (index, piece) in open.pieces.iter().enumerate() {
        let is_wanted = |owner: &[u8]| name::same(&state.origin, origin) && !(beyond_apex && name::same(owner, apex));
        if piece.record().is_some_and(|record| is_wanted(&record.owner)) {
            found.push(index);
        }
        state.pass(piece);
    }
    found
}

/// Whether names stand in order, and there are enough of them to tell.
fn is_ordered(open: &Open, origin: &[u8], apex: &[u8], order: Order, enough: usize) -> bool {
    let among = siblings(open, origin, apex, true);
    let owners: Vec<&[u8]> =
        among.iter().filter_map(|&at| open.pieces[at].record()).map(|record| &*record.owner).collect();
    let changes = owners.windows(2).filter(|pair| !name::same(pair[0], pair[1]));
    let (mut names, mut rising) = (1, true);
    for pair in changes {
        names += 1;
        rising &= order(pair[0], pair[1]).is_lt();
    }
    rising && names >= enough
}

/// A place between two records that follow each other: behind the first, so that comments above the second stay with
/// it; but behind a directive between them where the TTL is right only there.
fn between(open: &Open, first: Option<usize>, second: usize, record: &PieceRecord) -> usize {
    let nearer =
        open.pieces[..second].iter().rposition(|piece| !matches!(piece.kind, Kind::Gap)).map_or(second, |at| at + 1);
    let Some(first) = first else { return nearer };
    let is_right = |at| open.state_at(at).ttl_for(record.rtype, &record.rdata) == Some(record.ttl);
    if !is_right(first + 1) && is_right(nearer) { nearer } else { first + 1 }
}

/// Canonical order, but for numbers: 10 follows 9.
fn natural_order(left: &[u8], right: &[u8]) -> Ordering {
    let labels = |name| -> Vec<Vec<u8>> {
        let mut labels: Vec<_> = name::labels(name).map(<[u8]>::to_ascii_lowercase).collect();
        labels.reverse();
        labels
    };
    let is_number = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let (left, right) = (labels(left), labels(right));
    for (a, b) in left.iter().zip(&right) {
        let by_size = if is_number(a) && is_number(b) { a.len().cmp(&b.len()) } else { Ordering::Equal };
        let order = by_size.then_with(|| a.cmp(b));
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}
