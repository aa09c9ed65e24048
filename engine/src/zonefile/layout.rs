//! The parts of a record that was read before, found again from its span.
//!
//! Nothing is kept per record while reading; a diagnostic or an edit pays for its own record instead.

use super::header;
use super::scanner::{BYTE_ORDER_MARK, Scanner};
use super::token::Token;
use super::words;
use crate::rdata::types;
use crate::record::Span;

/// Where the parts of one record stand. Spans of quoted strings include the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// None where the line begins with white space.
    pub owner: Option<Span>,
    /// The TTL, if written.
    pub ttl: Option<Span>,
    /// The class, if written.
    pub class: Option<Span>,
    /// The TYPE number.
    pub rtype: u16,
    /// The type.
    pub type_word: Span,
    /// The tokens of the RDATA.
    pub fields: Vec<Span>,
}

impl Layout {
    /// Reads the record that stands at `record` in `text`; None if there is no such record, as in a directive.
    #[must_use]
    pub fn of(text: &[u8], record: Span) -> Option<Self> {
        let (start, end) = (record.start as usize, record.end as usize);
        let entry = text.get(..end)?;
        if start > end {
            return None;
        }
        let mut tokens = Vec::new();
        let has_inner_quote = Scanner::new(entry, start).next_entry(&mut tokens)?.has_inner_quote;
        let first = usize::from(is_line_start(text, start));
        if has_inner_quote {
            tokens = words::settle(&tokens, first);
        }
        let owner = if first == 1 { Some(tokens.first()?) } else { None };
        if owner.is_some_and(|token| token.text.starts_with(b"$") && !token.quoted) {
            return None;
        }
        let header = header::parse(&tokens, first).ok()?;
        let span = |token: &Token<'_>| Span { file: record.file, start: token.start, end: token.end };
        Some(Self {
            owner: owner.map(span),
            ttl: header.ttl_at.map(|at| span(&tokens[at])),
            class: header.class_at.map(|at| span(&tokens[at])),
            rtype: header.rtype,
            type_word: span(&tokens[header.type_at]),
            fields: tokens[header.type_at + 1..].iter().map(span).collect(),
        })
    }

    /// The serial, if this is a SOA in its own text form (RFC 1035 §3.3.13), not in that of RFC 3597.
    #[must_use]
    pub fn soa_serial(&self) -> Option<Span> {
        if self.rtype == types::SOA && self.fields.len() == 7 { self.fields.get(2).copied() } else { None }
    }
}

fn is_line_start(text: &[u8], at: usize) -> bool {
    match &text[..at] {
        [] | [.., b'\n'] => true,
        before => before == BYTE_ORDER_MARK,
    }
}
