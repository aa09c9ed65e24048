//! Where two texts differ, in stretches that begin and end at marks of the old one.
//!
//! Nothing depends on finding the shortest stretches: whatever they are, all that lies between them is equal.

use std::ops::Range;

use super::marks::Marks;

/// Octets behind a mark that are looked for in the new text.
const ANCHOR: usize = 64;
/// How much longer than in the old text a stretch may be in the new one.
const SLACK: usize = 64 << 10;
/// Most marks that are tried as the end of a stretch.
const TRIES: usize = 32;
const BLOCK: usize = 4096;

/// A stretch of the old text and what stands in the new text instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
    /// The number of the mark at its start.
    pub(super) first: usize,
    /// The number of the mark at its end; None at the end of the text.
    pub(super) last: Option<usize>,
}

/// All stretches that differ; None when so much differs that reading all is as good.
pub(super) fn between(old: &[u8], new: &[u8], marks: &Marks) -> Option<Vec<Hunk>> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old_at, mut new_at, mut octets) = (0, 0, 0);
    loop {
        let same = common_prefix(&old[old_at..], &new[new_at..]);
        (old_at, new_at) = (old_at + same, new_at + same);
        if old_at == old.len() && new_at == new.len() {
            return Some(hunks);
        }
        let first = marks.last_before(old_at);
        let start = marks.at(first)?;
        let back = old_at - start;
        let end = end_of(old, new, (old_at, new_at), first, marks)?;
        let hunk = Hunk { old: start..end.old, new: new_at - back..end.new, first, last: end.mark };
        (old_at, new_at) = (end.old, end.new);
        octets += hunk.old.len().max(hunk.new.len());
        if octets > old.len() / 2 {
            return None;
        }
        hunks.push(hunk);
    }
}

struct End {
    old: usize,
    new: usize,
    mark: Option<usize>,
}

/// Where the texts go on alike: at the next mark whose line is found again in the new text.
fn end_of(old: &[u8], new: &[u8], (old_at, new_at): (usize, usize), first: usize, marks: &Marks) -> Option<End> {
    for number in first + 1..=first + TRIES {
        let Some(mark) = marks.at(number) else {
            return Some(End { old: old.len(), new: new.len(), mark: None });
        };
        // The line feed before the mark belongs to what is looked for: the line must begin there.
        let anchor = &old[mark - 1..old.len().min(mark + ANCHOR)];
        let distance = mark - old_at;
        let search_end = new.len().min(new_at + distance + SLACK + ANCHOR);
        // The difference may begin just behind that line feed.
        let search = &new[new_at.saturating_sub(1)..search_end];
        if let Some(found) = search.windows(anchor.len()).position(|window| window == anchor) {
            return Some(End { old: mark, new: new_at.saturating_sub(1) + found + 1, mark: Some(number) });
        }
    }
    None
}

fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let blocks = left.chunks(BLOCK).zip(right.chunks(BLOCK)).take_while(|(a, b)| a == b);
    let same: usize = blocks.map(|(a, _)| a.len()).sum();
    same + left[same..].iter().zip(&right[same..]).take_while(|(a, b)| a == b).count()
}
