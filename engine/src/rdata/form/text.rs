//! Character strings (RFC 1035 §3.3, §5.1) and their kin: octets that text holds in quotes, with escapes.

use super::{EMPTY, Reason, TOO_SHORT, rest, write_list};
use crate::name::{unescape, write_decimal_escape};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// How a field holds strings. A character string has a length octet, then up to 255 octets.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Text {
    /// One character string.
    One,
    /// To the end of the RDATA: one character string or none.
    Optional,
    /// To the end of the RDATA: one character string or more.
    Many,
    /// A character string of four digits or more (RFC 1183 §3.1).
    X25Address,
    /// A character string with a decimal number, at most so large on either side of zero (RFC 1712 §3).
    Decimal(f64),
    /// A character string of letters and digits, written without quotes (RFC 8659 §4.1).
    Tag,
    /// A character string that is empty or a substitution `!pattern!replacement!` (RFC 3402 §3.2).
    Substitution,
    /// To the end of the RDATA: at least so many octets without a length, one string in text.
    Long(usize),
}

/// Longest character string.
const MAX_STRING: usize = 255;

const ESCAPE_HINT: &str = r"a backslash takes one character, or three digits up to 255; a backslash itself is \\";

impl Text {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Optional if reader.is_done() => Ok(()),
            Self::Many => {
                self.read_one(reader)?;
                reader.each(|reader| self.read_one(reader))
            }
            Self::Long(least) => read_long(reader, least),
            _ => self.read_one(reader),
        }
    }

    fn read_one(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        let text = reader.next()?;
        let length_at = reader.out.len();
        reader.out.push(0);
        append_decoded(text, reader.out).ok_or_else(|| bad_escape(reader))?;
        let length = reader.out.len() - length_at - 1;
        reader.out[length_at] = u8::try_from(length).map_err(|_| {
            reader
                .fault(&format!("is a string of {length} octets; a string holds at most {MAX_STRING}"))
                .with_hint("split it into several quoted strings")
        })?;
        self.check(&reader.out[length_at + 1..]).map_err(|reason| reader.fault(reason))
    }

    /// Checks what is in one string.
    fn check(self, octets: &[u8]) -> Result<(), Reason> {
        match self {
            Self::X25Address if octets.len() < 4 || !octets.iter().all(u8::is_ascii_digit) => {
                Err("must have four digits or more")
            }
            Self::Decimal(limit) => check_decimal(octets, limit),
            Self::Substitution => check_substitution(octets),
            Self::Tag if octets.is_empty() || !octets.iter().all(u8::is_ascii_alphanumeric) => {
                Err("must have only letters and digits, like issue")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        if let Self::Long(least) = self {
            return rest(rdata, at, least);
        }
        if matches!(self, Self::Optional) && at == rdata.len() {
            return Ok(at);
        }
        let mut last = end(rdata, at)?;
        self.check(&rdata[at + 1..last])?;
        while matches!(self, Self::Many) && last < rdata.len() {
            last = end(rdata, last)?;
        }
        Ok(last)
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Tag => out.extend(octets[1..].iter().map(|&octet| char::from(octet))),
            Self::Long(_) => write_quoted(octets, out),
            _ => write_list(each(octets), ' ', out, write_quoted),
        }
    }
}

fn read_long(reader: &mut Reader<'_>, least: usize) -> Result<(), FieldError> {
    let text = reader.next()?;
    let start = reader.out.len();
    append_decoded(text, reader.out).ok_or_else(|| bad_escape(reader))?;
    if reader.out.len() - start < least { Err(reader.fault(EMPTY)) } else { Ok(()) }
}

fn bad_escape(reader: &Reader<'_>) -> FieldError {
    reader.fault("has a bad escape").with_hint(ESCAPE_HINT)
}

/// Decodes the escapes of `text` and appends the octets; `None` when an escape is broken.
pub(super) fn append_decoded(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(plain) = rest.iter().position(|&octet| octet == b'\\') {
        out.extend_from_slice(&rest[..plain]);
        let (octet, used) = unescape(&rest[plain..])?;
        out.push(octet);
        rest = &rest[plain + used..];
    }
    out.extend_from_slice(rest);
    Some(())
}

/// A decimal number is an optional minus, digits, and at most one dot.
fn check_decimal(octets: &[u8], limit: f64) -> Result<(), Reason> {
    let plain = octets.iter().all(|octet| octet.is_ascii_digit() || b"-.".contains(octet));
    let value = std::str::from_utf8(octets).ok().filter(|_| plain).and_then(|text| text.parse::<f64>().ok());
    match value {
        None => Err("must be a number like -23.5"),
        Some(value) if value.abs() > limit => Err("is too large: angles end at 180 degrees"),
        Some(_) => Ok(()),
    }
}

/// A substitution is two parts with a delimiter before, between and behind them, then the flag `i` or nothing. The
/// delimiter is none of the characters that mean something in it.
fn check_substitution(octets: &[u8]) -> Result<(), Reason> {
    let Some((&delimiter, rest)) = octets.split_first() else { return Ok(()) };
    let mut delimiters_left = 2;
    let mut escaped = false;
    for (at, &octet) in rest.iter().enumerate() {
        if octet == delimiter && !escaped {
            delimiters_left -= 1;
        }
        escaped = octet == b'\\' && !escaped;
        if delimiters_left == 0 && !b"\\i0123456789".contains(&delimiter) {
            return if matches!(&rest[at + 1..], b"" | b"i") { Ok(()) } else { Err(NO_SUBSTITUTION) };
        }
    }
    Err(NO_SUBSTITUTION)
}

const NO_SUBSTITUTION: Reason =
    "must be empty or like !^.*$!sip:info@example.org!, with the same delimiter three times";

/// Where the character string at `at` ends.
pub(in crate::rdata) fn end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    let end = at + 1 + usize::from(*rdata.get(at).ok_or(TOO_SHORT)?);
    if end > rdata.len() { Err(TOO_SHORT) } else { Ok(end) }
}

/// The strings of a run, without their length octets.
fn each(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at = end(octets, start).ok()?;
        Some(&octets[start + 1..at])
    })
}

/// Writes octets in double quotes, escaped where needed.
pub(super) fn write_quoted(octets: &[u8], out: &mut String) {
    out.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            b' '..=b'~' => out.push(char::from(octet)),
            _ => write_decimal_escape(octet, out),
        }
    }
    out.push('"');
}
