//! RDATA and names as text that suits its surroundings: names relative to the origin where others are.

use std::ops::Range;

use crate::name;
use crate::rdata;
use crate::zonefile::scanner::Scanner;
use crate::zonefile::token::Token;
use crate::zonefile::words;

/// A name as it is written under `origin`, if it is at or below it.
pub(super) fn relative_name(wire: &[u8], origin: &[u8]) -> Option<String> {
    if !name::is_at_or_below(wire, origin) {
        return None;
    }
    let labels = &wire[..wire.len() - origin.len()];
    if labels.is_empty() {
        return Some("@".to_owned());
    }
    let mut text = absolute_name(labels);
    text.pop();
    Some(text)
}

/// A name with its final dot.
pub(super) fn absolute_name(wire: &[u8]) -> String {
    let mut text = String::new();
    name::write_text(wire, &mut text);
    text
}

/// The words of RDATA, absolute.
pub(super) fn absolute(rtype: u16, rdata: &[u8]) -> Vec<String> {
    let mut text = String::new();
    rdata::write_text(rtype, rdata, &mut text);
    tokens(rtype, text.as_bytes()).iter().map(|token| text[place(token)].to_owned()).collect()
}

/// The words of RDATA with its names relative to `origin`.
pub(super) fn relative(rtype: u16, rdata: &[u8], origin: &[u8]) -> Vec<String> {
    let plain = absolute(rtype, rdata);
    let names: Vec<_> = rdata::names(rtype, rdata)
        .filter_map(|field| {
            let wire = &rdata[field.start..field.end];
            Some((absolute_name(wire), relative_name(wire, origin)?))
        })
        .collect();
    let shorter = |word: &String| names.iter().find(|(long, _)| long == word).map(|(_, short)| short.clone());
    let words: Vec<String> = plain.iter().map(|word| shorter(word).unwrap_or_else(|| word.clone())).collect();
    // A word that only looks like a name must not become another one.
    if reads_as(rtype, rdata, &words, origin) { words } else { plain }
}

fn reads_as(rtype: u16, rdata: &[u8], words: &[String], origin: &[u8]) -> bool {
    let text = words.join(" ");
    let mut read = Vec::new();
    rdata::read_text(rtype, &tokens(rtype, text.as_bytes()), origin, &mut read).is_ok() && read == rdata
}

/// Whether a word of RDATA is a name, and how it is written: `Some(true)` if it is relative to the origin, `Some(false)`
/// if it is absolute although it could be relative.
pub(super) fn is_relative(rtype: u16, rdata: &[u8], written: &[&[u8]], origin: &[u8]) -> Option<bool> {
    let plain = absolute(rtype, rdata);
    if plain.len() != written.len() {
        return None;
    }
    rdata::names(rtype, rdata).find_map(|field| {
        let wire = &rdata[field.start..field.end];
        relative_name(wire, origin)?;
        let long = absolute_name(wire);
        let at = plain.iter().position(|word| *word == long)?;
        Some(!ends_in_dot(written[at]))
    })
}

/// Whether a written name is absolute.
pub(super) fn ends_in_dot(written: &[u8]) -> bool {
    written.ends_with(b".") && !written.ends_with(b"\\.")
}

fn tokens(rtype: u16, text: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    Scanner::new(text, 0).next_entry(&mut tokens);
    words::settle_fields(&tokens, rtype)
}

fn place(token: &Token<'_>) -> Range<usize> {
    token.start as usize..token.end as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::rdata::types;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn names_are_written_relative_to_their_origin() {
        let origin = name("example.org.");
        for (text, written) in [
            ("www.example.org.", Some("www")),
            ("example.org.", Some("@")),
            ("a\\.b.example.org.", Some("a\\.b")),
            ("www.example.com.", None),
        ] {
            assert_eq!(relative_name(name(text).as_wire(), origin.as_wire()).as_deref(), written);
        }
        assert_eq!(relative_name(name("org.").as_wire(), &[0]).as_deref(), Some("org"));
    }

    #[test]
    fn words_that_only_look_like_names_stay() {
        let origin = name("example.org.");
        let rdata = b"\x00\x0a\x04mail\x07example\x03org\x00";
        assert_eq!(relative(types::MX, rdata, origin.as_wire()), ["10", "mail"]);
        let txt = b"\x11mail.example.org.";
        assert_eq!(relative(types::TXT, txt, origin.as_wire()), ["\"mail.example.org.\""]);
    }

    #[test]
    fn how_others_write_names_is_seen() {
        let origin = name("example.org.");
        let rdata = b"\x00\x0a\x04mail\x07example\x03org\x00";
        let seen = |words: &[&[u8]]| is_relative(types::MX, rdata, words, origin.as_wire());
        assert_eq!(seen(&[b"10", b"mail"]), Some(true));
        assert_eq!(seen(&[b"10", b"mail.example.org."]), Some(false));
        assert_eq!(is_relative(types::A, &[192, 0, 2, 1], &[b"192.0.2.1"], origin.as_wire()), None);
    }
}
