//! What holds for any text and any octets.

use proptest::prelude::*;

use super::super::table::TYPES;
use super::super::{FieldError, additional_target, check_wire, is_meta, names, read_text};
use super::{ORIGIN, golden, reread, tokens, write};
use crate::name;
use crate::zonefile::token::Token;

/// What is in `out` before; errors must leave it.
const BEFORE: &[u8] = b"before";

/// Reads tokens and checks all that must hold of the outcome.
fn check_text(rtype: u16, tokens: &[Token<'_>]) -> Result<(), FieldError> {
    let mut out = BEFORE.to_vec();
    let outcome = read_text(rtype, tokens, ORIGIN, &mut out);
    assert!(out.starts_with(BEFORE));
    match &outcome {
        Ok(()) => {
            assert_eq!(check_wire(rtype, &out[BEFORE.len()..]), Ok(()), "{rtype} {tokens:?}");
            check_octets(rtype, &out[BEFORE.len()..]);
        }
        Err(error) => {
            assert_eq!(out, BEFORE);
            assert!(error.token.is_none_or(|token| token < tokens.len()), "{error:?} {tokens:?}");
        }
    }
    outcome
}

/// Checks all that must hold of octets from outside.
fn check_octets(rtype: u16, rdata: &[u8]) {
    let mut last = 0;
    for field in names(rtype, rdata) {
        assert!(last <= field.start, "names overlap");
        assert_eq!(name::wire_length(&rdata[field.start..field.end]), Ok(field.end - field.start));
        last = field.end;
    }
    if let Some(target) = additional_target(rtype, rdata) {
        assert_eq!(name::wire_length(target), Ok(target.len()));
    }
    let text = write(rtype, rdata);
    if check_wire(rtype, rdata).is_ok() && !is_meta(rtype) {
        assert_eq!(reread(rtype, &text).as_deref(), Some(rdata), "{rtype} {text}");
    }
}

fn any_type() -> impl Strategy<Value = u16> {
    prop_oneof![9 => (0..TYPES.len()).prop_map(|row| TYPES[row].number), 1 => any::<u16>()]
}

/// Octets that mean something to one form or another, and some that do not.
fn any_word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        r#"[0-9]{1,5}|[0-9a-f.:]{1,20}|[A-Za-z0-9+/=]{1,12}|[a-z0-9.\\-]{1,12}|[a-z0-9]{1,6}=[a-z0-9,"\\]{0,6}"#
            .prop_map(String::into_bytes),
    ]
}

/// One change to a sequence: an element taken away, put in or exchanged.
fn change<T: Clone>(sequence: &mut Vec<T>, at: prop::sample::Index, kind: u8, element: T) {
    match kind {
        0 if !sequence.is_empty() => drop(sequence.remove(at.index(sequence.len()))),
        1 if !sequence.is_empty() => *at.get_mut(sequence) = element,
        _ => sequence.insert(at.index(sequence.len() + 1), element),
    }
}

proptest! {
    #[test]
    fn any_tokens_give_rdata_or_an_error(
        rtype in any_type(),
        words in prop::collection::vec((any_word(), any::<bool>()), 0..8),
    ) {
        let tokens: Vec<_> =
            words.iter().map(|(text, quoted)| Token { text, quoted: *quoted, start: 0, end: 0 }).collect();
        let _ = check_text(rtype, &tokens);
    }

    #[test]
    fn good_records_with_another_word_give_rdata_or_an_error(
        record in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        kind in 0_u8..3,
        word in any_word(),
        quoted in any::<bool>(),
    ) {
        let texts = golden::texts();
        let (rtype, text) = record.get(&texts);
        let mut tokens = tokens(text.as_bytes());
        change(&mut tokens, at, kind, Token { text: &word, quoted, start: 0, end: 0 });
        let _ = check_text(*rtype, &tokens);
    }

    #[test]
    fn good_records_with_other_characters_give_rdata_or_an_error(
        record in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, b' '..=b'~'), 1..3),
    ) {
        let texts = golden::texts();
        let (rtype, text) = record.get(&texts);
        let mut text = text.as_bytes().to_vec();
        for (at, kind, octet) in changes {
            change(&mut text, at, kind, octet);
        }
        let _ = check_text(*rtype, &tokens(&text));
    }

    #[test]
    fn any_octets_are_judged_and_written(
        rtype in any_type(),
        rdata in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        check_octets(rtype, &rdata);
    }

    #[test]
    fn good_octets_with_changes_are_judged_and_written(
        record in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, any::<u8>()), 1..4),
    ) {
        let records = golden::records();
        let (rtype, rdata) = record.get(&records);
        let mut rdata = rdata.clone();
        for (at, kind, octet) in changes {
            change(&mut rdata, at, kind, octet);
        }
        check_octets(*rtype, &rdata);
    }

    #[test]
    fn text_that_was_written_is_written_alike_again(record in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let records = golden::records();
        let (rtype, rdata) = record.get(&records);
        let mut rdata = rdata.clone();
        if let Some(last) = rdata.last_mut() {
            *last = octet;
        }
        let text = write(*rtype, &rdata);
        if let Some(again) = reread(*rtype, &text) {
            prop_assert_eq!(write(*rtype, &again), text);
        }
    }
}
