//! The shape of the table: a record type is a row of fields, and a field is a label and a form.

use super::form::Form;

/// One field of a record type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// What it is called in messages, after "the".
    pub(super) label: &'static str,
    /// How it looks in text and on the wire.
    pub(super) form: Form,
}

/// Where RDATA names a host whose addresses go into the additional section.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Nowhere.
    None,
    /// The name that begins at this octet.
    At(usize),
    /// The last name, if the flags (the first character string) say that it is a host (RFC 3404 §4.3).
    Replacement,
}

/// One record type.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeRow {
    /// The TYPE number.
    pub(super) number: u16,
    /// The name in the IANA registry.
    pub(super) mnemonic: &'static str,
    /// Its fields in the order of text; empty when the type has no form but that of RFC 3597.
    pub(super) fields: &'static [Field],
    /// The host it points at.
    pub(super) target: Target,
    /// Whether a name can own only one record of it.
    pub(super) singleton: bool,
}

impl TypeRow {
    /// A type that points at no host and may stand several times.
    pub(super) const fn new(number: u16, mnemonic: &'static str, fields: &'static [Field]) -> Self {
        Self { number, mnemonic, fields, target: Target::None, singleton: false }
    }

    /// The same, with at most one record at a name.
    pub(super) const fn singleton(self) -> Self {
        Self { singleton: true, ..self }
    }

    /// The same, pointing at a host.
    pub(super) const fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }
}
