//! Any octets whatever: no panic, no endless work, and every span in its file.
//!
//! The corpus below `tests/corpus/zonefile` is replayed by each run; what a property test finds belongs there.

use std::fs;
use std::path::Path;

use oakroot_engine::record::Severity;
use oakroot_engine::zonefile::Settings;
use proptest::prelude::*;

use crate::support::{Files, read_with};

/// A zone with every construct of the grammar, to mutate.
const SOUND: &str = r#"$TTL 1h
@ IN SOA ns1 host\.master ( 2026112201 ; serial
    7200 3600 1209600 300 )
  NS ns1
$ORIGIN sub
a\.b 60 IN A 192.0.2.1
  AAAA 2001:db8::1
txt TXT "x \" ; ( y" \065 "" ( "z"
  ) ; comment
svc HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1
odd TYPE65280 \# 2 ABCD
n NSEC ( o A NS RRSIG
  TYPE1234 )
$INCLUDE inc deeper
$GENERATE 1-20/2 host-${0,3,d} A 192.0.2.$
"#;

fn check(text: &[u8]) {
    for confidential in [false, true] {
        let settings = Settings { confidential, ..Settings::default() };
        let mut files = Files::of([("inc", "i 1 TXT x\n( 1 TXT y\n$INCLUDE inc\n")]);
        let (reading, kept) = read_with(text, settings, &mut files);
        for span in kept.spans.iter().copied().chain(reading.diagnostics().iter().map(|finding| finding.span)) {
            assert!(span.start <= span.end, "{span:?}");
            assert_eq!(reading.text(span).len(), (span.end - span.start) as usize, "{span:?} is not in its file");
            let place = reading.locate(span);
            assert!(place.line >= 1 && place.column >= 1 && place.end_column > place.column);
        }
        for &span in &kept.spans {
            if !reading.text(span).to_ascii_uppercase().starts_with(b"$GENERATE") {
                assert!(reading.layout(span).is_some(), "a record is not found again: {:?}", reading.text(span));
            }
        }
        if !confidential {
            assert_read_again(&kept.records);
        }
        let errors = reading.diagnostics().iter().filter(|finding| finding.severity == Severity::Error).count();
        assert!(errors <= 1_001);
    }
}

/// What was read and written down is the same when read again.
fn assert_read_again(records: &[String]) {
    let text = records.join("\n");
    let (reading, kept) = read_with(text.as_bytes(), Settings::default(), &mut Files::default());
    assert_eq!(reading.diagnostics(), [], "{text}");
    assert_eq!(kept.records, records);
}

fn zone_octet() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => prop::sample::select(&b"\n\n\n ()\"\\;$\t\r@.a1"[..]),
        1 => any::<u8>(),
    ]
}

const WORDS: &str = r#"( ) " ; \ @ . a b.c. 1 1h IN CH A TXT SOA NS TYPE1 \# 192.0.2.1 ::1 $TTL $ORIGIN $INCLUDE inc
    $GENERATE 1-3 a$ ${0,3,x} \300 1-2/"#;

fn zone_word() -> impl Strategy<Value = &'static str> {
    let words: Vec<&str> = WORDS.split_ascii_whitespace().chain(["\n", "\n", " ", "\t", "\r\n", "\0"]).collect();
    prop::sample::select(words)
}

proptest! {
    #[test]
    fn any_octets_are_read(text in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&text);
    }

    #[test]
    fn any_octets_with_meaning_are_read(text in prop::collection::vec(zone_octet(), 0..400)) {
        check(&text);
    }

    #[test]
    fn any_words_are_read(words in prop::collection::vec(zone_word(), 0..120), glue in prop::sample::select(vec!["", " "])) {
        check(words.join(glue).as_bytes());
    }

    #[test]
    fn mutations_of_a_sound_zone_are_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, zone_octet(), 0..40_usize), 0..12),
    ) {
        let mut text = SOUND.as_bytes().to_vec();
        for (index, kind, octet, length) in changes {
            if text.is_empty() {
                break;
            }
            let at = index.index(text.len());
            let end = (at + length).min(text.len());
            match kind {
                0 => text[at] = octet,
                1 => text.insert(at, octet),
                2 => drop(text.drain(at..end)),
                _ => {
                    let copied = text[at..end].to_vec();
                    text.extend_from_slice(&copied);
                }
            }
        }
        check(&text);
    }

    #[test]
    fn a_record_behind_any_line_is_not_lost(line in r"[ !#%-'*-\[\]-~]{0,60}") {
        // Without parentheses and quotes, which may take the next line in, and directives.
        let text = format!("{line}\nsound 1 TXT x\n");
        let (_, kept) = read_with(text.as_bytes(), Settings::default(), &mut Files::default());
        prop_assert_eq!(kept.records.last().map(|record| record.ends_with("TXT \"x\"")), Some(true));
    }
}

#[test]
fn the_sound_zone_has_no_finding() {
    let mut files = Files::of([("inc", "i 1 TXT x\n")]);
    let (reading, kept) = read_with(SOUND.as_bytes(), Settings::default(), &mut files);
    assert_eq!(reading.diagnostics(), []);
    assert_eq!(kept.records.len(), 19);
}

#[test]
fn the_corpus_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/zonefile");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        check(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 10, "the corpus has {count} files");
}
