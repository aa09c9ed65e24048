//! Tests of the room as a whole.

mod golden;

use super::{FieldError, read_text, type_number};
use crate::zonefile::token::Token;

/// Splits one line into tokens, as the scanner of zone files does.
fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b' ' {
            at += 1;
            continue;
        }
        let start = at;
        let quoted = text[at] == b'"';
        let mut inside = quoted;
        at += 1;
        while at < text.len() && (inside || text[at] != b' ') {
            match text[at] {
                b'\\' => at += 1,
                b'"' if quoted => {
                    break;
                }
                b'"' => inside = !inside,
                _ => {}
            }
            at += 1;
        }
        let end = at.min(text.len());
        let inner = if quoted { &text[start + 1..end] } else { &text[start..end] };
        at = end + usize::from(quoted);
        let offset = |place: usize| u32::try_from(place).unwrap();
        found.push(Token { text: inner, quoted, start: offset(start), end: offset(at) });
    }
    found
}

/// RDATA of the text of one record, with `example.org.` as origin.
fn read(mnemonic: &str, text: &str) -> Result<Vec<u8>, FieldError> {
    let mut out = Vec::new();
    let rtype = type_number(mnemonic.as_bytes()).unwrap();
    read_text(rtype, &tokens(text.as_bytes()), b"\x07example\x03org\x00", &mut out)?;
    Ok(out)
}
