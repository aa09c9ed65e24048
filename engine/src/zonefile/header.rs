//! What stands between owner and RDATA: `[TTL] [class] type`, the first two in either order (RFC 1035 §5.1).

use super::token::Token;
use super::ttl::{self, TtlError};
use crate::rdata;

/// The part of a record that has the same form for every type. Positions are indices into the entry's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) ttl: Option<u32>,
    pub(super) ttl_at: Option<usize>,
    pub(super) class_at: Option<usize>,
    pub(super) rtype: u16,
    pub(super) type_at: usize,
}

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The entry ends before a type.
    TypeMissing,
    /// A word where a type must stand.
    NotAType,
    /// A type that only a query or a message can have.
    MetaType,
    /// A class that is not IN.
    OtherClass,
    /// A second class.
    ClassTwice,
    /// A second TTL.
    TtlTwice,
    /// A number that is no TTL.
    BadTtl(TtlError),
}

/// A flaw and the index of the token to underline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeaderError {
    pub(super) flaw: Flaw,
    pub(super) at: usize,
}

/// Reads the header that begins at token `first`.
pub(super) fn parse(tokens: &[Token<'_>], first: usize) -> Result<Header, HeaderError> {
    let mut header = Header { ttl: None, ttl_at: None, class_at: None, rtype: 0, type_at: first };
    let mut at = first;
    loop {
        let fail = |flaw| Err(HeaderError { flaw, at });
        let Some(token) = tokens.get(at) else {
            return Err(HeaderError { flaw: Flaw::TypeMissing, at: tokens.len().saturating_sub(1) });
        };
        if token.quoted {
            return fail(Flaw::NotAType);
        }
        if token.text.first().is_some_and(u8::is_ascii_digit) {
            match ttl::parse(token.text) {
                Ok(_) if header.ttl.is_some() => return fail(Flaw::TtlTwice),
                Ok(seconds) => header.ttl = Some(seconds),
                Err(error) => return fail(Flaw::BadTtl(error)),
            }
            header.ttl_at = Some(at);
        } else if is_internet_class(token.text) {
            if header.class_at.is_some() {
                return fail(Flaw::ClassTwice);
            }
            header.class_at = Some(at);
        } else if let Some(rtype) = rdata::type_number(token.text) {
            header.rtype = rtype;
            header.type_at = at;
            return if rdata::is_meta(rtype) { fail(Flaw::MetaType) } else { Ok(header) };
        } else {
            return fail(if is_other_class(token.text) { Flaw::OtherClass } else { Flaw::NotAType });
        }
        at += 1;
    }
}

/// Whether `word` is the class IN, which RFC 3597 §5 also lets be written `CLASS1`.
pub(super) fn is_internet_class(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"IN") || word.eq_ignore_ascii_case(b"CLASS1")
}

fn is_other_class(word: &[u8]) -> bool {
    let named: [&[u8]; 5] = [b"CH", b"CHAOS", b"HS", b"HESIOD", b"CS"];
    if named.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return true;
    }
    let Some((prefix, number)) = word.split_at_checked(5) else { return false };
    prefix.eq_ignore_ascii_case(b"CLASS") && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}
