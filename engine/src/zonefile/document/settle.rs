//! The end of an edit: what followed from lines that changed is written out, the lines are read again, and blocks made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::blocks::{Block, BlockKind};
use super::edit::{Draft, Open};
use super::generated;
use super::pieces::{Kind, Piece, PieceRecord, line_ending, read_block};
use super::state::{InheritedTtl, State};
use super::style::{give_owner, put_before};
use super::{Document, EditError, Stretch};
use crate::name;
use crate::record::{Record, RecordSink};

/// What holds behind the blocks settled so far, as far as it may be new to those that follow.
#[derive(Default)]
struct Carried {
    ttl: Option<InheritedTtl>,
    /// By file: an included file's owners are its own.
    owners: BTreeMap<u16, State>,
}

impl Draft<'_> {
    /// The document with all changes made.
    pub(super) fn settle(mut self) -> Result<Document, EditError> {
        let document = self.document;
        let mut carried = Carried::default();
        let mut settled: Vec<(u32, Block, Vec<Piece>)> = Vec::new();
        let mut next = self.first_open();
        while let Some(&number) = next.and_then(|place| document.blocks.order().get(place)) {
            let block = &**document.blocks.get(number);
            let start = carried.enter(block)?;
            if block.kind == BlockKind::Include {
                if let Some(start) = start {
                    carried.leave(document, number, &block.start, &start);
                    settled.push((number, Block { start, ..block.clone() }, Vec::new()));
                }
            } else {
                if start.is_some() {
                    self.open(number)?;
                }
                if let Some(mut open) = self.open.remove(&number) {
                    open.start = start.unwrap_or(open.start);
                    let end = open.write_out();
                    carried.leave(document, number, &open.end, &end);
                    open.finish_lines(document.text(block.file).find_map(line_ending));
                    settled.push((number, read_again(block, &open)?, open.pieces));
                }
            }
            next = if carried.is_spent() { self.first_open() } else { next.map(|place| place + 1) };
        }
        Ok(self.into_document(settled))
    }

    /// The place of the first block that is taken apart.
    fn first_open(&self) -> Option<usize> {
        self.open.keys().map(|&number| self.document.blocks.position(number)).min()
    }

    fn into_document(self, settled: Vec<(u32, Block, Vec<Piece>)>) -> Document {
        let mut document = self.document.clone();
        for (owner, number) in self.added {
            document.index.add(&owner, number);
        }
        for (number, block, pieces) in settled {
            note_stretches(&mut document, number, &block, &pieces);
            let is_large = block.text.len() > 2 * document.block_length;
            document.blocks.set(number, block);
            if is_large {
                document.split(number, &pieces);
            }
        }
        document
    }
}

/// The new block, after its text was read and found to say what it should.
fn read_again(old: &Block, open: &Open) -> Result<Block, EditError> {
    let text: Vec<u8> = open.pieces.iter().flat_map(|piece| piece.text().iter().copied()).collect();
    let block = Block { text: text.into(), start: open.start.clone(), ..old.clone() };
    let wanted = records(&open.pieces);
    let mut comparison = Comparison { wanted: wanted.iter(), odd: None };
    read_block(&block, &mut comparison)?;
    match comparison.odd.or(comparison.wanted.next().map(|record| record.owner.to_vec())) {
        None => Ok(block),
        Some(owner) => {
            Err(EditError::Unreadable(format!("records near {}", super::rdata_words::absolute_name(&owner))))
        }
    }
}

/// Holds records that are read against those wanted.
struct Comparison<'r> {
    wanted: std::slice::Iter<'r, &'r PieceRecord>,
    /// Owner of the first record that is not as wanted.
    odd: Option<Vec<u8>>,
}

impl RecordSink for Comparison<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let is_same = self.wanted.next().is_some_and(|wanted| {
            let found = (record.ttl, record.rtype, record.rdata);
            name::same(&wanted.owner, record.owner) && (wanted.ttl, wanted.rtype, &wanted.rdata[..]) == found
        });
        if !is_same {
            self.odd.get_or_insert_with(|| record.owner.to_vec());
        }
    }
}

impl Carried {
    fn is_spent(&self) -> bool {
        self.ttl.is_none() && self.owners.is_empty()
    }

    /// What holds at the start of a block, if that is not what held before.
    fn enter(&mut self, block: &Block) -> Result<Option<State>, EditError> {
        let mut start = block.start.clone();
        let mut is_new = false;
        if let Some(ttl) = self.ttl.take()
            && ttl != start.ttl
        {
            if ttl.default() != start.ttl.default() {
                return Err(EditError::DefaultTtl);
            }
            start.ttl = ttl;
            is_new = true;
        }
        if let Some(state) = self.owners.remove(&block.file)
            && !state.same_owner(&start)
        {
            start.owner = state.owner;
            is_new = true;
        }
        Ok(is_new.then_some(start))
    }

    fn leave(&mut self, document: &Document, number: u32, old: &State, new: &State) {
        if old.ttl != new.ttl {
            self.ttl = Some(new.ttl);
        }
        let file = document.blocks.get(number).file;
        let is_last = document.blocks.lines_of(file).last() == Some(&number);
        if !is_last && !old.same_owner(new) {
            self.owners.insert(file, new.clone());
        }
    }
}

impl Open {
    /// Writes out owners and TTLs that were left out and no longer come from above; gives what holds at the end.
    fn write_out(&mut self) -> State {
        let mut state = self.start.clone();
        for index in 0..self.pieces.len() {
            self.write_out_owner(index, &state);
            self.write_out_ttl(index, &state);
            state.pass(&self.pieces[index]);
        }
        state
    }

    fn write_out_owner(&mut self, index: usize, state: &State) {
        let piece = &self.pieces[index];
        let Some(record) = piece.record() else { return };
        if piece.leaves_owner_blank() && !state.has_owner(&record.owner) {
            let owner = self.style_at(index).owner(&record.owner);
            let text = give_owner(piece.text(), &owner);
            self.pieces[index].rewrite(text);
        }
    }

    fn write_out_ttl(&mut self, index: usize, state: &State) {
        let piece = &self.pieces[index];
        let text = match &piece.kind {
            Kind::Record(record) if state.ttl_for(record.rtype, &record.rdata) != Some(record.ttl) => {
                let Some(layout) = piece.layout().filter(|layout| layout.ttl.is_none()) else { return };
                let next = layout.class.unwrap_or(layout.type_word).start as usize;
                Some(put_before(piece.text(), next, &self.style_at(index).ttl(record.ttl)))
            }
            Kind::Generated(records) => records
                .first()
                .filter(|record| state.ttl.seconds() != Some(record.ttl) && !piece.has_ttl())
                .and_then(|record| generated::with_ttl(piece.text(), record.ttl)),
            _ => None,
        };
        if let Some(text) = text {
            self.pieces[index].rewrite(text);
        }
    }

    /// Ends each line that others now follow.
    fn finish_lines(&mut self, of_file: Option<&'static [u8]>) {
        let Some(last) = self.pieces.iter().rposition(|piece| !piece.text().is_empty()) else { return };
        for index in 0..last {
            let piece = &self.pieces[index];
            let is_mark = index == 0 && piece.text() == crate::zonefile::scanner::BYTE_ORDER_MARK;
            if piece.text().is_empty() || piece.line_ending().is_some() || is_mark {
                continue;
            }
            let ending = self.pieces.iter().find_map(Piece::line_ending).or(of_file).unwrap_or(b"\n");
            let text = [self.pieces[index].text(), ending].concat();
            self.pieces[index].rewrite(text);
        }
    }
}

impl Document {
    /// Cuts a block that has grown large into several.
    fn split(&mut self, number: u32, pieces: &[Piece]) {
        let whole = Arc::clone(self.blocks.get(number));
        let mut state = whole.start.clone();
        let mut parts: Vec<(State, Vec<u8>, Vec<Piece>)> = Vec::new();
        for piece in pieces {
            if parts.last().is_none_or(|(_, text, _)| text.len() >= self.block_length) {
                parts.push((state.clone(), Vec::new(), Vec::new()));
            }
            if let Some((_, text, inside)) = parts.last_mut() {
                text.extend_from_slice(piece.text());
                inside.push(piece.clone());
            }
            state.pass(piece);
        }
        let mut last = number;
        for (index, (start, text, inside)) in parts.into_iter().enumerate() {
            let kind = if index == 0 { whole.kind } else { BlockKind::Lines };
            let block = Block { file: whole.file, text: text.into(), start, kind };
            if index == 0 {
                self.blocks.set(number, block);
                continue;
            }
            last = self.blocks.insert_after(last, block.clone());
            for record in records(&inside) {
                self.index.add(&record.owner, last);
            }
            note_stretches(self, last, &block, &inside);
        }
    }
}

/// Notes that a block is the last of a stretch, if it is so now.
fn note_stretches(document: &mut Document, number: u32, block: &Block, pieces: &[Piece]) {
    let mut found: HashMap<Arc<[u8]>, bool> = HashMap::new();
    let mut state = block.start.clone();
    for piece in pieces {
        if let Some(record) = piece.record() {
            let beyond_apex = !name::same(&record.owner, document.apex.as_wire());
            *found.entry(Arc::clone(&state.origin)).or_default() |= beyond_apex;
        }
        state.pass(piece);
    }
    for (origin, beyond_apex) in found {
        let key = (block.file, origin);
        let known = document.stretches.get(&key).copied();
        let is_later = |known: Stretch| {
            (beyond_apex, document.blocks.position(number))
                > (known.beyond_apex, document.blocks.position(known.block))
        };
        if known.is_none_or(is_later) {
            Arc::make_mut(&mut document.stretches).insert(key, Stretch { block: number, beyond_apex });
        }
    }
}

fn records(pieces: &[Piece]) -> Vec<&PieceRecord> {
    let of = |piece| match piece {
        &Piece { kind: Kind::Record(ref record), .. } => std::slice::from_ref(record),
        Piece { kind: Kind::Generated(records), .. } => &records[..],
        Piece { .. } => &[],
    };
    pieces.iter().flat_map(of).collect()
}
