//! RDATA as it stands in a message: names that may be compressed are written out.

use std::ops::Range;

use super::form::{Form, Name};
use super::names::fields_with_names;
use super::{check_wire, types};
use crate::message;

/// Appends the RDATA at `range` of a message in uncompressed form.
///
/// All names are expanded, also those of types that no sender may compress (RFC 3597 §4 asks receivers for it).
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the record; `out` may have grown.
pub fn expand(rtype: u16, message: &[u8], range: Range<usize>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let start = out.len();
    let mut at = range.start;
    for field in fields_with_names(types::row(rtype)) {
        match field.form {
            Form::Name(form) => loop {
                at = message::name::read(&message[..range.end], at, out).ok_or("has a name that is malformed")?;
                if !matches!(form, Name::Many) || at >= range.end {
                    break;
                }
            },
            form => {
                // The form looks at what comes before it, in uncompressed form.
                let before = out.len() - start;
                let raw = message.get(at..range.end).ok_or("ends too early")?;
                let whole = [&out[start..], raw].concat();
                let length = form.end(&whole, before)? - before;
                out.extend_from_slice(&raw[..length]);
                at += length;
            }
        }
    }
    out.extend_from_slice(message.get(at..range.end).ok_or("ends too early")?);
    check_wire(rtype, &out[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_out_and_the_rest_is_kept() {
        let message = b"\x07example\x00\x00\x0a\x04mail\xc0\x00";
        let mut out = Vec::new();
        assert_eq!(expand(types::MX, message, 9..18, &mut out), Ok(()));
        assert_eq!(out, b"\x00\x0a\x04mail\x07example\x00");
    }

    #[test]
    fn what_is_too_short_or_too_long_is_refused() {
        let message = b"\x07example\x00\x00\x0a\xc0\x00\xff";
        for (range, what) in [(9..10, "cut off"), (9..12, "half a pointer"), (9..14, "an octet too many")] {
            assert!(expand(types::MX, message, range, &mut Vec::new()).is_err(), "{what}");
        }
    }
}
