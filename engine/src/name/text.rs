//! Names as text (RFC 1035 §5.1, RFC 4343 §2.1).

use super::{MAX_LABEL, MAX_WIRE, NameError, labels};

/// Reads presentation form and appends the wire form to `out`; on an error `out` is as it was.
///
/// # Errors
/// As [`Name::from_text`].
pub fn append_text(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    let outcome = append_text_unchecked(text, origin, out);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn append_text_unchecked(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    match text {
        b"@" => out.extend_from_slice(origin.ok_or(NameError::NotAbsolute)?),
        b"." => out.push(0),
        b"" => return Err(NameError::EmptyLabel),
        _ if append_labels(text, out)? => out.push(0),
        _ => out.extend_from_slice(origin.ok_or(NameError::NotAbsolute)?),
    }
    if out.len() - start > MAX_WIRE { Err(NameError::NameTooLong) } else { Ok(()) }
}

/// Appends the labels of `text`; true if it ends in a dot.
fn append_labels(text: &[u8], out: &mut Vec<u8>) -> Result<bool, NameError> {
    let mut rest = text;
    loop {
        let length_at = out.len();
        out.push(0);
        let ended_by_dot = loop {
            match rest {
                [] => break false,
                [b'.', after @ ..] => {
                    rest = after;
                    break true;
                }
                [b'\\', ..] => {
                    let (octet, used) = unescape(rest).ok_or(NameError::BadEscape)?;
                    out.push(octet);
                    rest = &rest[used..];
                }
                [octet, after @ ..] => {
                    out.push(*octet);
                    rest = after;
                }
            }
        };
        close_label(out, length_at)?;
        if rest.is_empty() {
            return Ok(ended_by_dot);
        }
    }
}

fn close_label(out: &mut [u8], length_at: usize) -> Result<(), NameError> {
    match out.len() - length_at - 1 {
        0 => Err(NameError::EmptyLabel),
        #[allow(clippy::cast_possible_truncation, reason = "the pattern bounds it")]
        length @ 1..=MAX_LABEL => {
            out[length_at] = length as u8;
            Ok(())
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// The octet that the escape at the start of `text` stands for, and how many characters the escape takes.
#[must_use]
pub fn unescape(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
            let value = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
            Some((u8::try_from(value).ok()?, 4))
        }
        [b'\\', b'0'..=b'9', ..] => None,
        [b'\\', octet, ..] => Some((*octet, 2)),
        _ => None,
    }
}

/// Writes a wire name in presentation form, always with its final dot.
pub fn write_text(wire: &[u8], out: &mut String) {
    let before = out.len();
    for label in labels(wire) {
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                    out.push('\\');
                    out.push(char::from(octet));
                }
                b'!'..=b'~' => out.push(char::from(octet)),
                _ => write_decimal_escape(octet, out),
            }
        }
        out.push('.');
    }
    if out.len() == before {
        out.push('.');
    }
}

/// Writes `\DDD` (RFC 1035 §5.1).
pub fn write_decimal_escape(octet: u8, out: &mut String) {
    out.push('\\');
    for divisor in [100, 10, 1] {
        out.push(char::from(b'0' + octet / divisor % 10));
    }
}
