//! RDATA of every record type: text and wire form, from one table of fields.
//!
//! ```text
//! text --read---> reader, a walk over tokens --\
//! text <-write----------------------------------- form: one module for each family of forms
//! wire --wire, names---------------------------/   ^
//!                                                  table: for each type a row of fields, each with its form
//! ```
//!
//! A record type is a row of fields; the code works on fields, never on types. So a new type is a new row, and only
//! one that looks like none before needs a new form. Names inside RDATA are always uncompressed here. What records
//! mean to each other is for `zone` to say.

mod expand;
mod field;
mod form;
mod names;
mod read;
mod reader;
mod table;
#[cfg(test)]
mod tests;
pub mod types;
mod wire;
mod write;

pub use expand::expand;
pub use names::{Embedded, NameField, additional_target, has_names, is_singleton, names, points_at_host, same};
pub use read::read_text;
pub use types::{is_meta, mnemonics, type_number, write_type};
pub use wire::check_wire;
pub use write::write_text;

/// Most octets RDATA can have: its length stands in two octets.
pub const MAX_RDATA: usize = 65_535;

/// What is wrong with the text of a record, for its author to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// One sentence without a final dot. It never quotes the text, which may be confidential.
    pub message: String,
    /// Which token is at fault; `None` when tokens are missing at the end, or the record as a whole is at fault.
    pub token: Option<usize>,
    /// How to mend it, if that can be said.
    pub hint: Option<String>,
}

impl FieldError {
    fn whole(message: impl Into<String>) -> Self {
        Self { message: message.into(), token: None, hint: None }
    }

    fn at(token: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), token: Some(token), hint: None }
    }

    fn with_hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }
}
