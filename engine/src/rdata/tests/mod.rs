//! Tests of the room as a whole, through its public face.

mod errors;
mod golden;
mod lookups;
mod properties;
mod wire;

use super::{FieldError, read_text, type_number, write_text, write_type};
use crate::name::Name;
use crate::record::{Record, RecordSink};
use crate::zonefile::token::Token;
use crate::zonefile::{self, NoIncludes, Settings};

/// `example.org.`
const ORIGIN: &[u8] = b"\x07example\x03org\x00";

/// Splits one line into tokens: words, of which those in quotes may hold spaces.
fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let quoted = text[at] == b'"';
        let start = at + usize::from(quoted);
        let end = end_of_token(text, start, quoted);
        if end > at {
            found.push(Token { text: &text[start..end], quoted, start: 0, end: 0 });
        }
        at = end + 1;
    }
    found
}

/// Where the token that begins at `start` ends: at a quote if it is `quoted`, else at a space outside of quotes.
fn end_of_token(text: &[u8], start: usize, quoted: bool) -> usize {
    let mut inside = quoted;
    let mut at = start;
    while at < text.len() && (inside || text[at] != b' ') {
        match text[at] {
            b'\\' => at += 1,
            b'"' if quoted => return at,
            b'"' => inside = !inside,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// RDATA of the text of one record.
fn read(mnemonic: &str, text: &str) -> Result<Vec<u8>, FieldError> {
    let mut out = Vec::new();
    read_text(type_number(mnemonic.as_bytes()).unwrap(), &tokens(text.as_bytes()), ORIGIN, &mut out)?;
    Ok(out)
}

/// Canonical text of RDATA.
fn write(rtype: u16, rdata: &[u8]) -> String {
    let mut text = String::new();
    write_text(rtype, rdata, &mut text);
    text
}

/// RDATA of canonical text as the reader of zone files finds it.
fn reread(rtype: u16, text: &str) -> Option<Vec<u8>> {
    struct Last(Option<Vec<u8>>);
    impl RecordSink for Last {
        fn record(&mut self, record: &Record<'_>) {
            self.0 = Some(record.rdata.to_vec());
        }
    }
    let mut mnemonic = String::new();
    write_type(rtype, &mut mnemonic);
    let line = format!("a.example.net. 1 IN {mnemonic} {text}\n");
    let mut last = Last(None);
    zonefile::read(line.as_bytes(), "test", &Name::root(), Settings::default(), &mut NoIncludes, &mut last);
    last.0
}
