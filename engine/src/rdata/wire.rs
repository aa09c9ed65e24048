//! RDATA on the wire: where each field ends and whether it is sound; the names it holds.

use super::field::{Field, Form, Target};
use super::{strings, types};
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

/// Checks uncompressed RDATA from outside. Types without a known form take any octets.
///
/// # Errors
/// What is wrong, as a sentence without subject matter of the record.
pub fn check_wire(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    if rdata.len() > super::MAX_RDATA {
        return Err("more than 65535 octets");
    }
    let Some(row) = types::row(rtype) else { return Ok(()) };
    if row.fields.is_empty() {
        return Ok(());
    }
    let mut at = 0;
    for field in row.fields {
        at = end_of(field.form, rdata, at)?;
    }
    if at == rdata.len() { Ok(()) } else { Err("octets are left over after the last value") }
}

/// Checks the field that begins at `at` and tells where it ends.
pub(super) fn end_of(form: Form, rdata: &[u8], at: usize) -> Result<usize, &'static str> {
    match form {
        Form::CompressibleName | Form::Name => name_end(rdata, at),
        Form::U8 => fixed(rdata, at, 1),
        Form::U16 => fixed(rdata, at, 2),
        Form::U32 | Form::Period | Form::Ipv4 => fixed(rdata, at, 4),
        Form::Ipv6 => fixed(rdata, at, 16),
        Form::OptionalString if at == rdata.len() => Ok(at),
        Form::String | Form::OptionalString => strings::end(rdata, at),
        Form::Hex => Ok(rdata.len()),
        Form::Strings => strings_end(rdata, at),
    }
}

fn fixed(rdata: &[u8], at: usize, length: usize) -> Result<usize, &'static str> {
    if rdata.len() - at < length { Err("it ends too early") } else { Ok(at + length) }
}

fn name_end(rdata: &[u8], at: usize) -> Result<usize, &'static str> {
    match name::wire_length(&rdata[at..]) {
        Ok(length) => Ok(at + length),
        Err(name::NameError::NameTooLong) => Err("a name is longer than 255 octets"),
        Err(_) => Err("a name is broken or compressed"),
    }
}

fn strings_end(rdata: &[u8], at: usize) -> Result<usize, &'static str> {
    let mut at = strings::end(rdata, at)?;
    while at < rdata.len() {
        at = strings::end(rdata, at)?;
    }
    Ok(at)
}

/// The names inside RDATA, in order. Broken RDATA gives the names before the break.
pub fn names(rtype: u16, rdata: &[u8]) -> impl Iterator<Item = NameField> {
    let mut fields: &'static [Field] = types::row(rtype).map_or(&[], |row| row.fields);
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some((field, rest)) = fields.split_first() {
            let start = at;
            at = end_of(field.form, rdata, start).ok()?;
            fields = rest;
            if matches!(field.form, Form::Name | Form::CompressibleName) {
                let compressible = field.form == Form::CompressibleName;
                return Some(NameField { start, end: at, compressible });
            }
        }
        None
    })
}

/// Whether RDATA of this type can hold names.
#[must_use]
pub fn has_names(rtype: u16) -> bool {
    let fields = types::row(rtype).map_or(&[][..], |row| row.fields);
    fields.iter().any(|field| matches!(field.form, Form::Name | Form::CompressibleName))
}

/// The wire name whose addresses belong in the additional section. The root, which stands for "no such host" (RFC
/// 2782, RFC 7505) or for the owner itself (RFC 9460 §2.5), is never one.
#[must_use]
pub fn additional_target(rtype: u16, rdata: &[u8]) -> Option<&[u8]> {
    let target = match types::row(rtype)?.target {
        Target::None => return None,
        Target::At(at) => rdata.get(at..)?,
    };
    let length = name::wire_length(target).ok()?;
    if length == 1 { None } else { Some(&target[..length]) }
}

/// Whether a name can own only one record of this type.
#[must_use]
pub fn is_singleton(rtype: u16) -> bool {
    types::row(rtype).is_some_and(|row| row.singleton)
}

/// Whether this type is a question or a part of messages, never data of a zone (RFC 6895 §3.1).
#[must_use]
pub fn is_meta(rtype: u16) -> bool {
    matches!(rtype, 0 | types::OPT | 128..=255)
}
