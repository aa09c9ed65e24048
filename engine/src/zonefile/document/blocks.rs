//! The blocks of a document, by number and in the order of reading: a value whose changed copies share nearly all.

use std::sync::Arc;

use super::state::State;

/// Blocks in one row. A change writes the rows it touches, and copies a pointer to each of the others.
const ROW: usize = 64;

/// A run of lines of one file.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) file: u16,
    pub(super) text: Arc<[u8]>,
    /// What holds before its first line.
    pub(super) start: State,
    pub(super) kind: BlockKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// The first lines of a file: a byte order mark may stand here.
    First,
    Lines,
    /// One `$INCLUDE`.
    Include,
}

/// All blocks. Numbers stay when others are added.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    rows: Vec<Arc<[Arc<Block>]>>,
    sequence: Arc<Sequence>,
}

#[derive(Clone, Debug, Default)]
struct Sequence {
    /// Numbers in the order of reading: an included file's come after the line that includes it.
    order: Vec<u32>,
    /// By number, the place in `order`.
    places: Vec<u32>,
    /// By file, the numbers of its blocks that are no `$INCLUDE`, in order.
    lines: Vec<Vec<u32>>,
}

impl Blocks {
    /// Numbers blocks in their order.
    pub(super) fn new(blocks: Vec<Block>, files: usize) -> Self {
        let order: Vec<u32> = (0..).take(blocks.len()).collect();
        let mut lines = vec![Vec::new(); files];
        for (block, &number) in blocks.iter().zip(&order).filter(|(block, _)| block.kind != BlockKind::Include) {
            lines[usize::from(block.file)].push(number);
        }
        let blocks: Vec<_> = blocks.into_iter().map(Arc::new).collect();
        let rows = blocks.chunks(ROW).map(Arc::from).collect();
        Self { rows, sequence: Arc::new(Sequence { places: order.clone(), order, lines }) }
    }

    pub(super) fn get(&self, number: u32) -> &Arc<Block> {
        &self.rows[number as usize / ROW][number as usize % ROW]
    }

    /// Numbers in the order of reading.
    pub(super) fn order(&self) -> &[u32] {
        &self.sequence.order
    }

    /// Where a block stands in the order of reading.
    pub(super) fn position(&self, number: u32) -> usize {
        self.sequence.places[number as usize] as usize
    }

    /// The blocks of a file, its `$INCLUDE`s left out, in order.
    pub(super) fn lines_of(&self, file: u16) -> &[u32] {
        &self.sequence.lines[usize::from(file)]
    }

    /// The blocks of a file before another one of its blocks, the nearest first.
    pub(super) fn lines_before(&self, number: u32) -> impl Iterator<Item = u32> {
        let lines = self.lines_of(self.get(number).file);
        let place = self.position(number);
        lines[..lines.partition_point(|&other| self.position(other) < place)].iter().rev().copied()
    }

    pub(super) fn set(&mut self, number: u32, block: Block) {
        let row = &mut self.rows[number as usize / ROW];
        let mut changed = row.to_vec();
        changed[number as usize % ROW] = Arc::new(block);
        *row = changed.into();
    }

    /// Puts a block behind another one of its file, and gives its number.
    #[allow(clippy::cast_possible_truncation, reason = "a block stands for a part of at most 5 GiB")]
    pub(super) fn insert_after(&mut self, before: u32, block: Block) -> u32 {
        let sequence = Arc::make_mut(&mut self.sequence);
        let number = sequence.places.len() as u32;
        let place = sequence.places[before as usize] as usize + 1;
        let lines = &mut sequence.lines[usize::from(block.file)];
        let among = lines.iter().position(|&other| other == before).map_or(lines.len(), |at| at + 1);
        lines.insert(among, number);
        sequence.order.insert(place, number);
        sequence.places.push(0);
        for (at, &other) in sequence.order.iter().enumerate().skip(place) {
            sequence.places[other as usize] = at as u32;
        }
        let block = Arc::new(block);
        match self.rows.last_mut().filter(|row| row.len() < ROW) {
            Some(row) => *row = row.iter().cloned().chain([block]).collect(),
            None => self.rows.push(Arc::new([block])),
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::InheritedTtl;
    use super::*;

    fn block(text: &str, kind: BlockKind) -> Block {
        let start = State { origin: [0].into(), ttl: InheritedTtl::Nothing, owner: None };
        Block { file: 0, text: text.as_bytes().into(), start, kind }
    }

    #[test]
    fn blocks_stay_in_order_and_keep_their_numbers() {
        let first = (0..200).map(|number| block(&number.to_string(), BlockKind::Lines)).collect();
        let old = Blocks::new(first, 1);
        let mut new = old.clone();
        let inside = new.insert_after(70, block("70b", BlockKind::Lines));
        let last = new.insert_after(199, block("199b", BlockKind::Lines));
        new.set(3, block("three", BlockKind::Lines));
        assert_eq!((inside, last), (200, 201));
        assert_eq!(new.position(inside), 71);
        assert_eq!(new.position(199), 200);
        assert_eq!(
            new.order().iter().map(|&number| new.position(number)).collect::<Vec<_>>(),
            (0..202).collect::<Vec<_>>()
        );
        assert_eq!(new.lines_before(inside).take(2).collect::<Vec<_>>(), [70, 69]);
        assert_eq!((&*old.get(3).text, &*new.get(3).text), (&b"3"[..], &b"three"[..]));
        assert_eq!(old.order().len(), 200);
    }
}
