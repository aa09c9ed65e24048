//! What diagnostics say, and what they keep to themselves.

use oakroot_engine::zonefile::Settings;

use crate::support::{Files, read, read_with};

/// Message and hint of the first finding.
fn said(text: &str) -> (String, String) {
    let (reading, _) = read(text);
    let first = reading.diagnostics().first().unwrap_or_else(|| panic!("nothing found: {text}"));
    (first.message.clone(), first.hint.clone().unwrap_or_default())
}

#[test]
fn messages_name_what_is_wrong_and_hints_mend_it() {
    for (text, message, hint) in [
        ("a 1 AAAAA ::1", "`AAAAA` is not a record type", "did you mean AAAA?"),
        ("a 1 cnmae b", "`cnmae` is not a record type", "did you mean CNAME?"),
        ("a 1 192.0.2.1", "`192.0.2.1` is not a record type", "write the type A before an IPv4 address"),
        ("a 2001:db8::1", "`2001:db8::1` is not a record type", "write the type AAAA before an IPv6 address"),
        (
            "a 1 nothing.like.it",
            "`nothing.like.it` is not a record type",
            "a record is OWNER [TTL] [CLASS] TYPE DATA",
        ),
        ("$ORIGON a", "`$ORIGON` is not a directive", "did you mean $ORIGIN?"),
        ("a 1 TXT \"x", "this quoted string is not closed", "add a \" at its end; a string ends on its own line"),
        ("a 1 TXT (x", "this parenthesis is not closed", "add a ) behind the last value of the record"),
        (
            "MX 10 mail",
            "`mail` is not a record type",
            "the first word of a line is its owner; to go on with the owner above, put white space before it",
        ),
        (
            "a 1y A 192.0.2.1",
            "`1y` is neither a TTL nor a record type",
            "a TTL is a number of seconds, or numbers with the units w, d, h, m, s: 1h30m",
        ),
        (
            "a CH TXT x",
            "`CH` is a class that is not served",
            "the only class is IN; write IN, or leave the class out",
        ),
        (
            "a A 192.0.2.1",
            "the record has no TTL, and there is no $TTL above",
            "put a line like `$TTL 3600` before the first record",
        ),
        (
            "a..b 1 A 192.0.2.1",
            "`a..b` has an empty label (two dots in a row, or a dot at its start)",
            r"remove the dot that is too many; a dot inside a label is written \.",
        ),
        (
            r"a\999 1 A 192.0.2.1",
            r"`a\999` has a bad escape (a backslash takes one character, or three digits up to 255)",
            r"for a backslash itself write \\",
        ),
    ] {
        assert_eq!(said(text), (message.to_owned(), hint.to_owned()), "{text}");
    }
}

#[test]
fn an_indented_owner_is_recognised() {
    let (reading, _) = read("a 1 TXT x\n www 1 A 192.0.2.1\n");
    assert_eq!(reading.diagnostics()[0].message, "`www` is not a record type");
    let hint = "if this is the owner, remove the white space before it";
    assert_eq!(reading.diagnostics()[0].hint.as_deref(), Some(hint));
}

#[test]
fn quotations_are_short_and_print_safely() {
    let (message, _) = said(&format!("a 1 {} x", "y".repeat(100)));
    assert_eq!(message, format!("`{}…` is not a record type", "y".repeat(60)));
    let (message, _) = said("a 1 \u{202e}gr\u{fc}n x");
    assert_eq!(message, r"`\226\128\174grün` is not a record type");
    let (reading, _) = read_with(b"a 1 x\xff\xc3\x1b", Settings::default(), &mut Files::default());
    assert_eq!(reading.diagnostics()[0].code, "control-character");
    let (reading, _) = read_with(b"a 1 x\xff\xc3", Settings::default(), &mut Files::default());
    assert_eq!(reading.diagnostics()[0].message, r"`x\255\195` is not a record type");
}

#[test]
fn diagnostics_about_confidential_text_quote_nothing_of_it() {
    const SECRET: &str = "s3cr3tAAA";
    let settings = Settings { confidential: true, default_ttl: Some(0) };
    for line in [
        "SECRET",
        "a SECRET",
        "a 1SECRET",
        "a..SECRET A 1",
        "a DNSKEY 0 3 163 SECRET SECRET!",
        "a A SECRET",
        "$SECRET",
        "$TTL SECRET",
        "$ORIGIN ..SECRET",
        "$INCLUDE SECRET",
        "a TXT \"SECRET",
        "a (SECRET",
        " SECRET",
        "$GENERATE SECRET a A 192.0.2.1",
        "$GENERATE 1-2 SECRET..a A 192.0.2.1",
        "$GENERATE 1-2 a A SECRET",
        "$GENERATE 1-2 a${SECRET} A 192.0.2.1",
        "$GENERATE 1-2 a SECRET 192.0.2.1",
        "a CLASS3 SECRET",
        "a TXT SECRET)",
    ] {
        let text = line.replace("SECRET", SECRET);
        let (reading, _) = read_with(text.as_bytes(), settings, &mut Files::default());
        assert!(!reading.diagnostics().is_empty(), "{line}");
        for diagnostic in reading.diagnostics() {
            let said = format!("{} {:?}", diagnostic.message, diagnostic.hint);
            assert!(!said.to_lowercase().contains("s3cr3t"), "{line}: {said}");
            assert_eq!(reading.locate(diagnostic.span).source_line, None);
        }
    }
}

#[test]
fn a_near_miss_of_a_secret_is_not_hinted_at() {
    let settings = Settings { confidential: true, default_ttl: Some(0) };
    let (reading, _) = read_with(b"a DNSKEYY x\n$TTLL 3\n", settings, &mut Files::default());
    assert_eq!(reading.diagnostics()[0].hint, None);
    assert!(!reading.diagnostics()[1].hint.as_deref().unwrap().contains("did you mean"));
}
