//! Character strings (RFC 1035 §3.3, §5.1): octets behind a length octet, escapes decoded from text.

use crate::name::{unescape, write_decimal_escape};

/// Longest character string.
pub(super) const MAX_STRING: usize = 255;

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

/// Where the character string at `at` ends.
pub(super) fn end(rdata: &[u8], at: usize) -> Result<usize, &'static str> {
    let length = usize::from(*rdata.get(at).ok_or("a character string is missing")?);
    let end = at + 1 + length;
    if end > rdata.len() { Err("a character string ends too early") } else { Ok(end) }
}

/// The strings of valid RDATA from `at` on.
pub(super) fn each(rdata: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = rdata;
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        let (string, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        Some(string)
    })
}
