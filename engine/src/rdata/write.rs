//! RDATA to text, field by field.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::field::Form;
use super::{strings, types, wire};
use crate::name;

/// Writes RDATA in its canonical text form: one line, names absolute, strings quoted. What has no such form, or does
/// not pass [`super::check_wire`], is written as RFC 3597 §5 has it (`\# 4 C0000201`).
pub fn write_text(rtype: u16, rdata: &[u8], out: &mut String) {
    match types::row(rtype) {
        Some(row) if !row.fields.is_empty() && wire::check_wire(rtype, rdata).is_ok() => {
            let mut at = 0;
            for field in row.fields {
                let Ok(end) = wire::end_of(field.form, rdata, at) else { return };
                if at > 0 && end > at {
                    out.push(' ');
                }
                write_field(field.form, &rdata[at..end], out);
                at = end;
            }
        }
        _ => write_generic(rdata, out),
    }
}

fn write_generic(rdata: &[u8], out: &mut String) {
    out.push_str(r"\# ");
    decimal(rdata.len() as u64, out);
    if !rdata.is_empty() {
        out.push(' ');
        data_encoding::HEXUPPER.encode_append(rdata, out);
    }
}

/// Writes one field that `wire::end_of` has checked.
fn write_field(form: Form, octets: &[u8], out: &mut String) {
    match form {
        Form::CompressibleName | Form::Name => name::write_text(octets, out),
        Form::U8 | Form::U16 | Form::U32 | Form::Period => decimal(number(octets), out),
        Form::Ipv4 => ipv4(octets, out),
        Form::Ipv6 => ipv6(octets, out),
        Form::OptionalString if octets.is_empty() => {}
        Form::String | Form::OptionalString => strings::write_quoted(&octets[1..], out),
        Form::Hex => data_encoding::HEXUPPER.encode_append(octets, out),
        Form::Strings => separated(strings::each(octets), out, strings::write_quoted),
    }
}

/// Writes each of `items`, with a space between.
fn separated<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    for (count, item) in items.enumerate() {
        if count > 0 {
            out.push(' ');
        }
        write(item, out);
    }
}

/// Writes a number.
pub(super) fn decimal(value: u64, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// The number that up to eight octets spell.
pub(super) fn number(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet))
}

fn ipv4(octets: &[u8], out: &mut String) {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        let _ = write!(out, "{}", Ipv4Addr::from(octets));
    }
}

fn ipv6(octets: &[u8], out: &mut String) {
    if let Ok(octets) = <[u8; 16]>::try_from(octets) {
        let _ = write!(out, "{}", Ipv6Addr::from(octets));
    }
}
