//! What others ask about RDATA without reading it whole: the names in it, and the host it points at.

use super::field::{Field, Target, TypeRow};
use super::form::{Form, Name, Number, name_end, string_end};
use super::table::TYPES;
use super::types;
use crate::name;

/// A domain name inside RDATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameField {
    /// Its first octet.
    pub start: usize,
    /// One past its last octet.
    pub end: usize,
    /// Whether it may be compressed in a message (RFC 3597 §4).
    pub compressible: bool,
}

/// The names inside RDATA, in order. Broken RDATA gives the names before the break.
pub fn names(rtype: u16, rdata: &[u8]) -> impl Iterator<Item = NameField> {
    let mut fields = fields_with_names(types::row(rtype));
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some((field, rest)) = fields.split_first() {
            let start = at;
            if let Form::Name(Name::Many) = field.form {
                at = name_end(rdata, start).ok()?;
                return Some(NameField { start, end: at, compressible: false });
            }
            at = field.form.end(rdata, start).ok()?;
            fields = rest;
            if at > start && is_name(field.form, rdata) {
                let compressible = matches!(field.form, Form::Name(Name::Compressible));
                return Some(NameField { start, end: at, compressible });
            }
        }
        None
    })
}

/// The names in RDATA of a type that may be compressed: `count` of them, one after the other from octet `start` on, with
/// `behind` octets after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Where the first begins.
    pub start: usize,
    /// How many there are.
    pub count: usize,
    /// How many octets come behind them.
    pub behind: usize,
}

impl Embedded {
    /// None.
    pub const NONE: Self = Self { start: 0, count: 0, behind: 0 };

    /// Those of a type.
    #[must_use]
    #[inline]
    pub fn of(rtype: u16) -> Self {
        EMBEDDED.get(usize::from(rtype)).copied().unwrap_or(Self::NONE)
    }
}

/// Types above this hold no names that may be compressed (RFC 3597 §4).
const LAST_COMPRESSED: usize = types::MX as usize;
static EMBEDDED: [Embedded; LAST_COMPRESSED + 1] = embedded();

const fn embedded() -> [Embedded; LAST_COMPRESSED + 1] {
    let mut found = [Embedded::NONE; LAST_COMPRESSED + 1];
    let mut row = 0;
    while row < TYPES.len() {
        let (number, fields) = (TYPES[row].number as usize, TYPES[row].fields);
        let (mut start, mut count, mut behind, mut field) = (0, 0, 0, 0);
        while field < fields.len() {
            match fields[field].form {
                Form::Name(Name::Compressible) => count += 1,
                // In RFC 1035 only the preference of MX stands before a name, only the numbers of SOA behind one, and
                // nothing between two.
                Form::Number(Number::U16) if count == 0 => start += 2,
                Form::Number(Number::U32 | Number::Period) if count > 0 => behind += 4,
                _ => {}
            }
            field += 1;
        }
        if count > 0 {
            found[number] = Embedded { start, count, behind };
        }
        row += 1;
    }
    found
}

/// The fields up to the last that may hold a name, so that the walk does not go on into signatures and the like.
pub(super) fn fields_with_names(row: Option<&TypeRow>) -> &[Field] {
    let fields = row.map_or(&[][..], |row| row.fields);
    let count = fields.iter().rposition(|field| field.form.may_hold_name()).map_or(0, |last| last + 1);
    &fields[..count]
}

/// Whether a field of this form, which is not empty, is a name.
fn is_name(form: Form, rdata: &[u8]) -> bool {
    match form {
        Form::Name(_) => true,
        Form::Dependent(form) => form.is_name(rdata),
        _ => false,
    }
}

/// Whether RDATA of this type can hold names.
#[must_use]
pub fn has_names(rtype: u16) -> bool {
    !fields_with_names(types::row(rtype)).is_empty()
}

/// Whether RDATA of this type can point at a host whose addresses belong in the additional section.
#[must_use]
#[inline]
pub fn points_at_host(rtype: u16) -> bool {
    types::row(rtype).is_some_and(|row| !matches!(row.target, Target::None))
}

/// The wire name whose addresses belong in the additional section. The root, which stands for "no such host" (RFC
/// 2782, RFC 7505 §3) or for the owner itself (RFC 9460 §2.5), is never one.
#[must_use]
pub fn additional_target(rtype: u16, rdata: &[u8]) -> Option<&[u8]> {
    let target = match types::row(rtype)?.target {
        Target::None => return None,
        Target::At(at) => rdata.get(at..)?,
        Target::Replacement => replacement(rtype, rdata)?,
    };
    let length = name::wire_length(target).ok()?;
    if length == 1 { None } else { Some(&target[..length]) }
}

/// The replacement of a NAPTR whose flags say that the next look-up is for addresses (RFC 3404 §4.3).
fn replacement(rtype: u16, rdata: &[u8]) -> Option<&[u8]> {
    /// The flags follow order and preference.
    const FLAGS_AT: usize = 4;
    let flags = rdata.get(FLAGS_AT + 1..string_end(rdata, FLAGS_AT).ok()?)?;
    if !flags.eq_ignore_ascii_case(b"a") {
        return None;
    }
    names(rtype, rdata).next().map(|name| &rdata[name.start..])
}

/// Whether a name can own only one record of this type.
#[must_use]
pub fn is_singleton(rtype: u16) -> bool {
    types::row(rtype).is_some_and(|row| row.singleton)
}

/// Whether two RDATAs of one type are the same: octet for octet, but for case in names (RFC 4343 §3).
#[must_use]
pub fn same(rtype: u16, left: &[u8], right: &[u8]) -> bool {
    left == right
        || left.eq_ignore_ascii_case(right) && has_names(rtype) && {
            let (mut a, mut b) = (left.to_vec(), right.to_vec());
            for copy in [&mut a, &mut b] {
                let fields: Vec<_> = names(rtype, copy).collect();
                for field in &fields {
                    copy[field.start..field.end].make_ascii_lowercase();
                }
            }
            a == b
        }
}
