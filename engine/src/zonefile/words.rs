//! Quotes inside a word: where they are part of it, and where they begin a new string.
//!
//! The parameters of SVCB and HTTPS are words like `alpn="h2,h3"` (RFC 9460 §2.1). For all other types `x"y"` is what
//! BIND makes of it, the string `x` and the string `y`. Only the type tells, and the scanner does not know types.

use super::header;
use super::token::Token;
mod types {
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
}

/// The tokens of an entry in which a word holds quotes, as its type wants them. `first` is where the header begins.
pub(super) fn settle<'t>(tokens: &[Token<'t>], first: usize) -> Vec<Token<'t>> {
    let (before, rtype) = match header::parse(tokens, first) {
        Ok(header) => (header.type_at + 1, header.rtype),
        Err(_) => (tokens.len(), 0),
    };
    let mut settled: Vec<Token<'t>> = tokens[..before].iter().flat_map(|&token| split(token)).collect();
    settled.extend(settle_fields(&tokens[before..], rtype));
    settled
}

/// As [`settle`], for the tokens behind a type.
pub(super) fn settle_fields<'t>(tokens: &[Token<'t>], rtype: u16) -> Vec<Token<'t>> {
    if matches!(rtype, types::SVCB | types::HTTPS) {
        return tokens.to_vec();
    }
    tokens.iter().flat_map(|&token| split(token)).collect()
}

/// The words and quoted strings that stand in `token` without white space between.
fn split(token: Token<'_>) -> Vec<Token<'_>> {
    let mut parts = Vec::new();
    let mut rest = token;
    while let Some((part, after)) = split_first(rest) {
        parts.push(part);
        rest = after;
    }
    parts
}

/// The first part and what is left; None when nothing is left.
fn split_first(token: Token<'_>) -> Option<(Token<'_>, Token<'_>)> {
    if token.quoted {
        let nothing = Token { text: &[], quoted: false, start: token.end, end: token.end };
        return Some((token, nothing));
    }
    let text = token.text;
    let (inside, length, quoted) = match text {
        [] => return None,
        [b'"', inside @ ..] => {
            let length = until_quote(inside);
            (&inside[..length], (length + 2).min(text.len()), true)
        }
        _ => {
            let length = until_quote(text);
            (&text[..length], length, false)
        }
    };
    let middle = token.start + u32::try_from(length).unwrap_or(u32::MAX - token.start);
    let part = Token { text: inside, quoted, start: token.start, end: middle };
    Some((part, Token { text: &text[length..], quoted: false, start: middle, end: token.end }))
}

/// How many octets stand before the first quote that is not escaped.
fn until_quote(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at.min(text.len())
}
