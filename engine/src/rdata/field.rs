//! What RDATA is made of: the forms a field can take, and the row that describes one record type.
//!
//! Only descriptions live here. How a form is read, written and checked is told in the sibling modules.

/// The form of one field, in text and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A domain name that may be compressed in messages: only in the types of RFC 1035 (RFC 3597 §4).
    CompressibleName,
    /// A domain name that is never compressed.
    Name,
    /// One octet.
    U8,
    /// Two octets.
    U16,
    /// Four octets.
    U32,
    /// Seconds in four octets; text also takes units (`1h30m`).
    Period,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A character string: one length octet, then up to 255 octets (RFC 1035 §3.3).
    String,
    /// A character string that may be left out at the end.
    OptionalString,
    /// One or more character strings up to the end.
    Strings,
    /// Octets up to the end, in hexadecimal.
    Hex,
}

impl Form {
    /// How many values of text this form needs at least.
    pub(super) const fn values(self) -> usize {
        match self {
            Self::OptionalString => 0,
            _ => 1,
        }
    }

    /// Whether this form takes all values that are left.
    pub(super) const fn is_rest(self) -> bool {
        matches!(self, Self::OptionalString | Self::Strings | Self::Hex)
    }
}

/// One field of a record type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// What it is called in messages, after "the".
    pub(super) label: &'static str,
    /// How it looks.
    pub(super) form: Form,
}

/// Shorthand for the table.
pub(super) const fn field(label: &'static str, form: Form) -> Field {
    Field { label, form }
}

/// Whether and where RDATA names a host whose addresses go into the additional section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Nowhere.
    None,
    /// The name that begins at this octet.
    At(usize),
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
    /// A type of data.
    pub(super) const fn new(number: u16, mnemonic: &'static str, fields: &'static [Field]) -> Self {
        Self { number, mnemonic, fields, target: Target::None, singleton: false }
    }

    /// A type without a text form of its own.
    pub(super) const fn opaque(number: u16, mnemonic: &'static str) -> Self {
        Self::new(number, mnemonic, &[])
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
