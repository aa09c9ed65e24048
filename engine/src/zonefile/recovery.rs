//! Where to go on after a parenthesis that was not closed.

use super::directive;
use super::header;
use super::scanner::{Scanner, line_end};
use super::token::Token;
use crate::rdata;

/// Start of the first line behind `opening` and before `limit` that looks like the start of a record or directive.
///
/// With `in_closed_group` the parentheses do close somewhere, so that only a line that is a whole record by itself
/// counts. Otherwise a line that begins with an owner, then something that is a header, is enough.
pub(super) fn next_record(
    text: &[u8],
    opening: u32,
    limit: usize,
    in_closed_group: bool,
    origin: &[u8],
) -> Option<usize> {
    let mut tokens = Vec::new();
    let mut rdata = Vec::new();
    let mut line = line_end(text, opening as usize) + 1;
    while line < limit {
        let end = line_end(text, line);
        let mut scanner = Scanner::new(&text[..end], line);
        if let Some(entry) = scanner.next_entry(&mut tokens) {
            let is_open = entry.opening.is_some();
            let strict = in_closed_group || entry.owner_left_blank;
            let begins = if !strict {
                begins_loosely(&tokens)
            } else if scanner.faults().is_empty() || is_open {
                begins_strictly(&tokens, entry.owner_left_blank, is_open, origin, &mut rdata)
            } else {
                false
            };
            if begins {
                return Some(line);
            }
        }
        line = end + 1;
    }
    None
}

fn begins_loosely(tokens: &[Token<'_>]) -> bool {
    directive::is_known(tokens) || starts_with_word(tokens) && header::parse(tokens, 1).is_ok()
}

/// Whether the line can hardly be anything but a record: values of a long record can look like owner and type.
fn begins_strictly(
    tokens: &[Token<'_>],
    owner_left_blank: bool,
    is_open: bool,
    origin: &[u8],
    rdata: &mut Vec<u8>,
) -> bool {
    if !owner_left_blank && directive::is_known(tokens) {
        return true;
    }
    if !starts_with_word(tokens) {
        return false;
    }
    let Ok(header) = header::parse(tokens, usize::from(!owner_left_blank)) else { return false };
    if owner_left_blank && header.ttl.is_none() && header.class_at.is_none() {
        return false;
    }
    rdata.clear();
    is_open || rdata::read_text(header.rtype, &tokens[header.type_at + 1..], origin, rdata).is_ok()
}

fn starts_with_word(tokens: &[Token<'_>]) -> bool {
    tokens.first().is_some_and(|token| !token.quoted)
}
