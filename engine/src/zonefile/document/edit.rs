//! An edit: `RRset` by `RRset`, lines are mended, removed and added.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generated;
use super::group::{self, RrsetChange, RrsetType};
use super::line::Line;
use super::pieces::{Kind, Piece, PieceRecord, line_ending, range, take_apart};
use super::rdata_words;
use super::state::State;
use super::style::{Style, exchange, put_before, write_ttl};
use super::{BlockKind, Document, EditError};
use crate::name;
use crate::rdata::{self, types};
use crate::zone::change::OwnedRecord;

/// How far examples of style are searched for, in pieces on either side.
pub(super) const NEIGHBOURHOOD: usize = 32;
/// How many examples are enough.
const NEIGHBOURS: usize = 12;

impl Document {
    /// The same files without the records of `remove` and with those of `add`. Of a SOA only what is added counts.
    ///
    /// Files whose numbers are in `shared` do not change, but for the serial. A record that stands in `like` is written as
    /// it is there, comments included, if it reads the same here.
    ///
    /// # Errors
    /// [`EditError`]; where lines cannot be written so that they read as they should, nothing is.
    pub fn changed(
        &self,
        remove: &[OwnedRecord],
        add: &[OwnedRecord],
        shared: &[u16],
        like: Option<&Self>,
    ) -> Result<Self, EditError> {
        let mut draft = Draft::new(self, shared);
        draft.like = like.map(|like| Box::new(Draft::new(like, &[])));
        for change in group::by_rrset(remove, add) {
            if change.kind.rtype == types::SOA { draft.soa(&change)? } else { draft.rrset(&change)? }
        }
        draft.settle()
    }
}

/// Index of the serial among the words of a SOA; what follows are times, which may have units.
const SERIAL_AT: usize = 2;

/// An edit under way.
pub(super) struct Draft<'d> {
    pub(super) document: &'d Document,
    pub(super) shared: &'d [u16],
    /// The blocks taken apart so far, by number.
    pub(super) open: BTreeMap<u32, Open>,
    /// Owners of new lines, and their blocks.
    pub(super) added: Vec<(Arc<[u8]>, u32)>,
    /// Another document, not to be changed: examples of how to write records that stand there.
    pub(super) like: Option<Box<Draft<'d>>>,
}

/// A block taken apart.
pub(super) struct Open {
    pub(super) start: State,
    pub(super) pieces: Vec<Piece>,
    /// What held behind it before the edit.
    pub(super) end: State,
}

impl Open {
    /// What holds before a piece.
    pub(super) fn state_at(&self, index: usize) -> State {
        let mut state = self.start.clone();
        self.pieces[..index].iter().for_each(|piece| state.pass(piece));
        state
    }

    /// Examples of style around a piece, and what holds there.
    pub(super) fn style_at(&self, index: usize) -> Style<'_> {
        let mut neighbours = Vec::new();
        for distance in 0..NEIGHBOURHOOD {
            let above = index.checked_sub(distance + 1).and_then(|at| self.pieces.get(at));
            let below = self.pieces.get(index + distance);
            neighbours.extend(above.into_iter().chain(below).filter_map(Line::of));
            if neighbours.len() >= NEIGHBOURS {
                break;
            }
        }
        Style { neighbours, state: self.state_at(index) }
    }
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) block: u32,
    pub(super) piece: usize,
    pub(super) record: PieceRecord,
    /// Index among the records of a `$GENERATE`.
    pub(super) generated: Option<usize>,
}

impl<'d> Draft<'d> {
    fn new(document: &'d Document, shared: &'d [u16]) -> Self {
        Self { document, shared, open: BTreeMap::new(), added: Vec::new(), like: None }
    }

    pub(super) fn open(&mut self, number: u32) -> Result<&mut Open, EditError> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.open.entry(number) {
            let block = self.document.blocks.get(number);
            let (pieces, end) = take_apart(block)?;
            vacant.insert(Open { start: block.start.clone(), pieces, end });
        }
        self.open.get_mut(&number).ok_or_else(|| EditError::DoesNotFit("a block is missing".to_owned()))
    }

    /// The records of a name, or of one `RRset`, in the order of reading.
    pub(super) fn find(&mut self, owner: &[u8], kind: Option<RrsetType>) -> Result<Vec<Place>, EditError> {
        let mut blocks = self.document.index.blocks(owner);
        blocks.extend(self.added.iter().filter(|(added, _)| name::same(added, owner)).map(|(_, block)| *block));
        blocks.retain(|&block| self.document.blocks.get(block).kind != BlockKind::Include);
        blocks.sort_unstable_by_key(|&block| self.document.blocks.position(block));
        blocks.dedup();
        let wanted = |record: &PieceRecord| {
            kind.is_none_or(|kind| kind == RrsetType::of(record.rtype, &record.rdata))
                && name::same(&record.owner, owner)
        };
        let mut places = Vec::new();
        for block in blocks {
            for (piece, here) in self.open(block)?.pieces.iter().enumerate() {
                let mut add = |record: &PieceRecord, generated| {
                    places.push(Place { block, piece, record: record.clone(), generated });
                };
                match &here.kind {
                    Kind::Record(record) if wanted(record) => add(record, None),
                    Kind::Generated(records) => {
                        let found = records.iter().enumerate().filter(|(_, record)| wanted(record));
                        found.for_each(|(index, record)| add(record, Some(index)));
                    }
                    _ => {}
                }
            }
        }
        Ok(places)
    }

    pub(super) fn is_shared(&self, block: u32) -> bool {
        self.shared.contains(&self.document.blocks.get(block).file)
    }

    fn check_not_shared(&self, place: &Place) -> Result<(), EditError> {
        if !self.is_shared(place.block) {
            return Ok(());
        }
        let file = self.document.files[usize::from(self.document.blocks.get(place.block).file)].clone();
        Err(EditError::SharedFile { file, record: described(&place.record) })
    }

    fn rrset(&mut self, change: &RrsetChange) -> Result<(), EditError> {
        let places = self.find(&change.owner, Some(change.kind))?;
        let stands =
            |rdata: &[u8]| places.iter().any(|place| rdata::same(change.kind.rtype, &place.record.rdata, rdata));
        check_fit(change, stands)?;
        let Some(ttl) = change.ttl.or_else(|| places.iter().map(|place| place.record.ttl).min()) else {
            return Ok(());
        };
        let (mut leaving, mut staying): (Vec<Place>, Vec<Place>) = places
            .iter()
            .cloned()
            .partition(|place| change.removes(&place.record.rdata) && !change.adds(&place.record.rdata));
        let mut arriving: Vec<Box<[u8]>> = change.added.iter().filter(|rdata| !stands(rdata)).cloned().collect();
        if must_set_ttl(change, &staying, !arriving.is_empty(), ttl) {
            staying.retain(|place| place.record.ttl != ttl);
            for place in staying {
                if place.generated.is_some() {
                    arriving.push(place.record.rdata.clone());
                    leaving.push(place);
                } else {
                    self.set_ttl(&place, ttl)?;
                }
            }
        }
        let arriving = self.exchange_or_clear(&leaving, arriving, ttl)?;
        for place in leaving.iter().filter(|place| place.generated.is_some()) {
            self.split_out(place)?;
        }
        for rdata in arriving {
            let owner = change.owner.as_ref().into();
            self.insert(PieceRecord { owner, ttl, rtype: change.kind.rtype, rdata }, change.kind)?;
        }
        Ok(())
    }

    /// Writes what arrives over what leaves, as long as there is both, and clears the other lines that leave. What is
    /// left of what arrives is given back.
    fn exchange_or_clear(
        &mut self,
        leaving: &[Place],
        arriving: Vec<Box<[u8]>>,
        ttl: u32,
    ) -> Result<Vec<Box<[u8]>>, EditError> {
        let mut arriving = std::collections::VecDeque::from(arriving);
        for place in leaving.iter().filter(|place| place.generated.is_none()) {
            self.check_not_shared(place)?;
            if let Some(rdata) = arriving.front()
                && self.exchange_data(place, rdata)?
            {
                arriving.pop_front();
                self.set_ttl(place, ttl)?;
            } else {
                self.open(place.block)?.pieces[place.piece].clear();
            }
        }
        Ok(arriving.into())
    }

    /// Gives a record another TTL, on its line.
    fn set_ttl(&mut self, place: &Place, ttl: u32) -> Result<(), EditError> {
        if place.record.ttl == ttl {
            return Ok(());
        }
        self.check_not_shared(place)?;
        let open = self.open(place.block)?;
        let style = open.style_at(place.piece);
        let piece = &open.pieces[place.piece];
        let (Some(layout), Some(record)) = (piece.layout(), piece.record()) else { return Ok(()) };
        let text = match layout.ttl.map(range) {
            Some(written) => {
                let word = write_ttl(ttl, &piece.text()[written.clone()]);
                Some(exchange(piece.text(), written, word.as_bytes()))
            }
            None if style.state.ttl_for(record.rtype, &record.rdata) == Some(ttl) => None,
            None => {
                let next = layout.class.unwrap_or(layout.type_word);
                Some(put_before(piece.text(), next.start as usize, &style.ttl(ttl)))
            }
        };
        let piece = &mut open.pieces[place.piece];
        if let Some(text) = text {
            piece.rewrite(text);
        }
        if let Kind::Record(record) = &mut piece.kind {
            record.ttl = ttl;
        }
        Ok(())
    }

    /// Writes other RDATA over that of a record, if its layout allows: word by word where there are as many, else as a
    /// whole on a line without parentheses.
    fn exchange_data(&mut self, place: &Place, rdata: &[u8]) -> Result<bool, EditError> {
        let rtype = place.record.rtype;
        let open = self.open(place.block)?;
        let words = open.style_at(place.piece).data_words(rtype, rdata);
        let piece = &open.pieces[place.piece];
        let (old, new) = (rdata_words::absolute(rtype, &place.record.rdata), rdata_words::absolute(rtype, rdata));
        let fields = piece.layout().map(|layout| layout.fields).unwrap_or_default();
        let mut text = piece.text().to_vec();
        if [old.len(), new.len(), words.len()] == [fields.len(); 3] {
            for index in (0..fields.len()).rev().filter(|&index| old[index] != new[index]) {
                let written = &text[range(fields[index])];
                let word = if rdata_words::ends_in_dot(written) {
                    new[index].clone()
                } else if rtype == types::SOA && index > SERIAL_AT {
                    write_ttl(new[index].parse().unwrap_or_default(), written)
                } else {
                    words[index].clone()
                };
                text = exchange(&text, range(fields[index]), word.as_bytes());
            }
        } else if let Some(data) = Line::of(piece).and_then(|line| line.data()) {
            text = exchange(&text, data, words.join(" ").as_bytes());
        } else {
            return Ok(false);
        }
        let piece = &mut open.pieces[place.piece];
        piece.rewrite(text);
        if let Kind::Record(record) = &mut piece.kind {
            record.rdata = rdata.into();
        }
        Ok(true)
    }

    /// Takes one record out of a `$GENERATE`.
    fn split_out(&mut self, place: &Place) -> Result<(), EditError> {
        self.check_not_shared(place)?;
        let open = self.open(place.block)?;
        for at in 0..open.pieces.len() {
            let Kind::Generated(records) = &open.pieces[at].kind else { continue };
            let Some(index) = records.iter().position(|record| *record == place.record) else { continue };
            let parts = generated::without(&open.pieces[at], records, index);
            let parts = parts.ok_or_else(|| EditError::Unreadable("a $GENERATE line".to_owned()))?;
            open.pieces.splice(at..=at, parts);
            return Ok(());
        }
        Ok(())
    }

    /// The one SOA: its words change where it stands.
    fn soa(&mut self, change: &RrsetChange) -> Result<(), EditError> {
        let (Some(rdata), Some(ttl)) = (change.added.first(), change.ttl) else {
            return Err(EditError::DoesNotFit("a zone cannot lose its SOA".to_owned()));
        };
        let places = self.find(&change.owner, Some(change.kind))?;
        let place =
            places.first().ok_or_else(|| EditError::DoesNotFit("the SOA is not in these files".to_owned()))?;
        let words = |rdata| rdata_words::absolute(types::SOA, rdata);
        let (old, new) = (words(&place.record.rdata), words(rdata));
        let others_change =
            old.iter().zip(&new).enumerate().any(|(index, (old, new))| index != SERIAL_AT && old != new);
        if others_change || place.record.ttl != ttl {
            self.check_not_shared(place)?;
        }
        if old != new && !self.exchange_data(place, rdata)? {
            self.rewrite_data(place, rdata)?;
        }
        self.set_ttl(place, ttl)
    }

    /// Writes other RDATA in the place of whatever stands behind the type.
    fn rewrite_data(&mut self, place: &Place, rdata: &[u8]) -> Result<(), EditError> {
        let open = self.open(place.block)?;
        let words = open.style_at(place.piece).data_words(place.record.rtype, rdata).join(" ");
        let piece = &mut open.pieces[place.piece];
        let Some(layout) = piece.layout() else { return Ok(()) };
        let before = &piece.text()[..layout.type_word.end as usize];
        let ending = line_ending(piece.text()).unwrap_or_default();
        let text = [before, b" ", words.as_bytes(), ending].concat();
        piece.rewrite(text);
        if let Kind::Record(record) = &mut piece.kind {
            record.rdata = rdata.into();
        }
        Ok(())
    }
}

fn must_set_ttl(change: &RrsetChange, staying: &[Place], some_arrive: bool, ttl: u32) -> bool {
    let arriving = some_arrive.then_some(ttl);
    let lowest = staying.iter().map(|place| place.record.ttl).chain(arriving).min();
    let is_named = |place: &Place| change.adds(&place.record.rdata) && place.record.ttl != ttl;
    lowest.is_some_and(|lowest| lowest != ttl) || staying.iter().any(is_named)
}

fn check_fit(change: &RrsetChange, stands: impl Fn(&[u8]) -> bool) -> Result<(), EditError> {
    let complain = |rdata: &[u8], what: &str| {
        let record = PieceRecord {
            owner: change.owner.as_ref().into(),
            ttl: 0,
            rtype: change.kind.rtype,
            rdata: rdata.into(),
        };
        Err(EditError::DoesNotFit(format!("{} {what} in these files", described(&record))))
    };
    if let Some(missing) = change.removed.iter().find(|rdata| !stands(rdata)) {
        return complain(missing, "is not");
    }
    match change.added.iter().find(|rdata| stands(rdata) && !change.removes(rdata)) {
        Some(surplus) => complain(surplus, "is already"),
        None => Ok(()),
    }
}

/// Owner, type and RDATA, cut short.
fn described(record: &PieceRecord) -> String {
    let mut text = rdata_words::absolute_name(&record.owner);
    text.push(' ');
    rdata::write_type(record.rtype, &mut text);
    text.push(' ');
    text.push_str(&rdata_words::absolute(record.rtype, &record.rdata).join(" "));
    if text.chars().count() > 100 { text.chars().take(99).chain(['…']).collect() } else { text }
}
