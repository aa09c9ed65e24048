//! The files of a zone as they are written, to be edited as a person would: only the lines of records that change.
//!
//! ```text
//! texts --survey--> blocks, an index of owners          (once; a block is a run of a few lines)
//! block --pieces--> gaps, directives, records           (when an edit touches it)
//! edit:  find the RRset's lines, mend, remove, insert   (edit, place, style, generated, rdata_words)
//!        settle what follows: owners left blank, TTLs left out, then read the block again and compare
//! ```
//!
//! Texts are those of a zone without errors. A block knows what its first line's meaning depends on, so it can be read
//! by itself, and an edit costs what it touches. Documents are values: an edit gives another one that shares all blocks
//! but a few. What a zone may contain is not decided here; nor is which serial is next.

mod blocks;
mod edit;
mod error;
mod generated;
mod group;
mod index;
mod insert;
mod line;
mod pieces;
mod place;
mod rdata_words;
mod settle;
mod state;
mod style;
mod survey;

use std::collections::HashMap;
use std::sync::Arc;

pub use error::EditError;

use super::Includes;
use crate::name::Name;
use crate::record::Diagnostic;
use blocks::{Block, BlockKind, Blocks};
use index::Index;

/// Octets of a block when it is made, unless something else is asked for. Shorter ones make edits cheaper, and the list
/// of blocks longer.
pub const BLOCK_LENGTH: usize = 1 << 10;

/// The files of one zone.
#[derive(Clone, Debug)]
pub struct Document {
    apex: Name,
    /// By number, in the order of opening; names as written, the zone file first.
    files: Arc<[String]>,
    blocks: Blocks,
    index: Index,
    stretches: Stretches,
    block_length: usize,
}

/// For each file and origin, where the last record stands that was read under it.
type Stretches = Arc<HashMap<(u16, Arc<[u8]>), Stretch>>;

#[derive(Clone, Copy, Debug)]
struct Stretch {
    block: u32,
    /// Whether it has records below the apex; then `block` is the last one with such a record.
    beyond_apex: bool,
}

impl Document {
    /// Reads the texts of a zone: `text` is the content of `file`, the others are opened as it says.
    ///
    /// # Errors
    /// The first error of the text; texts with errors cannot be edited.
    pub fn read(
        text: &[u8],
        file: &str,
        apex: &Name,
        includes: &mut dyn Includes,
        block_length: usize,
    ) -> Result<Self, Diagnostic> {
        survey::read(text, file, apex, includes, block_length)
    }

    /// The files in the order of opening, named as written; the zone file comes first. One that is included twice is
    /// here twice.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The parts of a file's text, in order.
    pub fn text(&self, file: u16) -> impl Iterator<Item = &[u8]> {
        self.blocks_of(file).map(|block| &block.text[..])
    }

    /// Whether a file reads otherwise than in `older`, a version of the same document.
    #[must_use]
    pub fn has_changed(&self, older: &Self, file: u16) -> bool {
        let has_as_many = self.blocks_of(file).count() == older.blocks_of(file).count();
        let mut pairs = self.blocks_of(file).zip(older.blocks_of(file));
        !has_as_many || pairs.any(|(new, old)| !Arc::ptr_eq(new, old) && new.text != old.text)
    }

    fn blocks_of(&self, file: u16) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.order().iter().map(|&number| self.blocks.get(number)).filter(move |block| block.file == file)
    }
}
