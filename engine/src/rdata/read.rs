//! Text to RDATA: by the fields of the type, or in the form that fits every type.

use super::form::{Hex, decimal};
use super::reader::Reader;
use super::{FieldError, MAX_RDATA, types, wire};
use crate::zonefile::token::Token;

/// Reads the values of one record and appends their RDATA to `out`, which stays as it was on an error.
///
/// `origin`, a wire name, completes relative names. Every type takes the form of RFC 3597 §5 (`\# 4 C0000201`) too.
///
/// # Errors
/// [`FieldError`], ready to be shown to the author of the text.
pub fn read_text(rtype: u16, tokens: &[Token<'_>], origin: &[u8], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    let outcome = read_into(rtype, tokens, origin, out);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn read_into(rtype: u16, tokens: &[Token<'_>], origin: &[u8], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    if types::is_meta(rtype) {
        return Err(FieldError::whole("this type stands only in messages, never in a zone"));
    }
    let known = types::row(rtype).filter(|row| !row.fields.is_empty());
    match (tokens.first(), known) {
        (Some(Token { text: br"\#", quoted: false, .. }), _) => read_generic(rtype, tokens, out)?,
        (_, Some(row)) => Reader::new(row, tokens, origin, out).read_fields()?,
        (first, None) => {
            let error = FieldError::whole("this type has no text form of its own")
                .with_hint(r"write \#, the number of octets, and the octets in hexadecimal (RFC 3597)");
            return Err(FieldError { token: first.map(|_| 0), ..error });
        }
    }
    let length = out.len() - start;
    if length > MAX_RDATA {
        return Err(FieldError::whole(format!("the record has {length} octets of data; it can have at most 65535")));
    }
    Ok(())
}

/// Reads `\# LENGTH HEX...`; the octets of known types must be what the type wants.
fn read_generic(rtype: u16, tokens: &[Token<'_>], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    let Some(length) = tokens.get(1) else {
        return Err(FieldError::whole(r"after \# the number of octets is missing"));
    };
    let Some(length) = decimal(length.text, MAX_RDATA as u64) else {
        return Err(FieldError::at(1, r"after \# comes the number of octets, from 0 to 65535"));
    };
    let mut hex = Hex::default();
    for (at, token) in tokens.iter().enumerate().skip(2) {
        hex.feed(token.text, out).ok_or_else(|| FieldError::at(at, "the octets are written in hexadecimal"))?;
    }
    let last = tokens.len() - 1;
    hex.finish().ok_or_else(|| FieldError::at(last, "the octets have an odd number of hexadecimal digits"))?;
    let found = out.len() - start;
    if found as u64 != length {
        return Err(FieldError::at(1, format!("{length} octets are announced, but {found} follow")));
    }
    wire::find_fault(rtype, &out[start..]).map_err(|(label, reason)| {
        FieldError::at(last, format!("these octets do not fit the type: the {label} {reason}"))
    })
}
