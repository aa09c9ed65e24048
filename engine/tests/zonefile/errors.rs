//! Mistakes: each is found, at its line and column, and reading goes on behind it.

use oakroot_engine::zonefile::Settings;

use crate::support::{Files, assert_findings, findings, read, read_with};

/// Text that follows each mistake, to see that reading goes on.
const SOUND: &str = "sound 1 TXT x\n";

#[track_caller]
fn assert_found_and_gone_on(text: &str, expected: &[&str]) {
    let all = format!("{text}\n{SOUND}");
    let (reading, kept) = read(&all);
    assert_eq!(findings(&reading), expected, "{text}");
    assert_eq!(kept.records.last().map(String::as_str), Some("sound.example.org. 1 TXT \"x\""), "{text}");
}

#[test]
fn mistakes_in_headers_are_found() {
    for (text, expected) in [
        ("a 1 AAAAA ::1", "1:5-10 unknown-type"),
        ("a 1 TYPE65536 \\# 0", "1:5-14 unknown-type"),
        ("a 1 \"A\" 192.0.2.1", "1:5-8 unknown-type"),
        ("a 1 192.0.2.1", "1:5-14 unknown-type"),
        ("a 1", "1:3-4 no-type"),
        ("a", "1:1-2 no-type"),
        ("a IN", "1:3-5 no-type"),
        ("a 1 ANY x", "1:5-8 meta-type"),
        ("a 1 OPT x", "1:5-8 meta-type"),
        ("a 1 AXFR", "1:5-9 meta-type"),
        ("a CH TXT x", "1:3-5 bad-class"),
        ("a 1 hs TXT x", "1:5-7 bad-class"),
        ("a CLASS3 TXT x", "1:3-9 bad-class"),
        ("a IN IN TXT x", "1:6-8 class-twice"),
        ("a 1 2 TXT x", "1:5-6 ttl-twice"),
        ("a 2147483648 TXT x", "1:3-13 bad-ttl"),
        ("a 1y TXT x", "1:3-5 bad-ttl"),
        (" 1 TXT x", "1:2-3 no-owner"),
        ("a..b 1 TXT x", "1:1-5 bad-name"),
        ("\\256 1 TXT x", "1:1-5 bad-name"),
    ] {
        assert_found_and_gone_on(text, &[expected]);
    }
}

#[test]
fn mistakes_in_data_are_found_at_the_token_that_has_them() {
    for (text, expected) in [
        ("a 1 A 192.0.2.256", "1:7-18 bad-rdata"),
        ("a 1 MX 10 a..b", "1:11-15 bad-rdata"),
        ("a 1 MX mail", "1:8-12 bad-rdata"),
        ("a 1 MX 10", "1:8-10 bad-rdata"),
        ("a 1 MX", "1:5-7 bad-rdata"),
        ("a 1 A 192.0.2.1 192.0.2.2", "1:17-26 bad-rdata"),
        ("a 1 TXT ( x\n  \"y\\300\" )", "2:3-10 bad-rdata"),
    ] {
        assert_found_and_gone_on(text, &[expected]);
    }
}

#[test]
fn lexical_mistakes_are_found() {
    for (text, expected) in [
        ("a 1 TXT \"x y", "1:9-13 unclosed-quote"),
        ("a 1 TXT \"x y\\", "1:9-14 unclosed-quote"),
        ("a 1 SVCB 1 . alpn=\"h2", "1:19-22 unclosed-quote"),
        ("a 1 TXT \"x\\\" y", "1:9-15 unclosed-quote"),
        ("a 1 TXT x )", "1:11-12 stray-parenthesis"),
        (")", "1:1-2 stray-parenthesis"),
        ("a 1 TXT x\\", "1:10-11 bad-escape"),
        ("a 1 TXT x\\\r", "1:10-11 bad-escape"),
        ("a 1 TXT x\u{1}\u{2}", "1:10-11 control-character"),
        ("a 1 TXT \u{7f}", "1:9-10 control-character"),
        ("a 1 TXT x\ry", "1:10-11 control-character"),
    ] {
        assert_found_and_gone_on(text, &[expected]);
    }
}

#[test]
fn one_entry_may_have_several_mistakes() {
    assert_findings("a..b 1 A x\n", &["1:1-5 bad-name", "1:10-11 bad-rdata"]);
    assert_findings(
        "a 1 TXT ( \"x\n \"y\n) )\n",
        &["1:11-13 unclosed-quote", "2:2-4 unclosed-quote", "3:3-4 stray-parenthesis"],
    );
    assert_findings("a A x\n", &["1:3-4 no-ttl", "1:5-6 bad-rdata"]);
}

#[test]
fn every_mistake_of_a_file_is_found() {
    let text = "$TTL 1\na A 1\nb AAAA 2\nc TXT \"\nd ORGIN\n$FOO\ne A 192.0.2.1\nf MX 1\n";
    let expected = [
        "2:5-6 bad-rdata",
        "3:8-9 bad-rdata",
        "4:7-8 unclosed-quote",
        "5:3-8 unknown-type",
        "6:1-5 unknown-directive",
        "8:6-7 bad-rdata",
    ];
    assert_findings(text, &expected);
}

#[test]
fn lines_that_go_on_with_a_bad_owner_are_not_blamed_for_it() {
    let text = "a..b 1 TXT x\n 1 TXT y\n 1 A z\n";
    assert_findings(text, &["1:1-5 bad-name", "3:6-7 bad-rdata"]);
    let (_, kept) = read(text);
    assert_eq!(kept.records, [""; 0]);
}

#[test]
fn lines_may_go_on_with_the_owner_of_a_line_with_mistakes() {
    for text in ["a 1 AA\n 1 TXT y\n", "a 1 TXT \"x\n 1 TXT y\n", "a 1 TXT )\n 1 TXT y\n"] {
        let (reading, kept) = read(text);
        assert_eq!(reading.diagnostics().len(), 1, "{text}");
        assert_eq!(kept.records, ["a.example.org. 1 TXT \"y\""], "{text}");
    }
}

#[test]
fn an_open_parenthesis_is_reported_where_it_opens_and_the_next_record_is_read() {
    for (text, expected) in [
        ("a 1 TXT ( x\n  y", "1:9-10 unclosed-parenthesis"),
        ("a 1 TXT (x) (", "1:13-14 unclosed-parenthesis"),
        ("a 1 SOA ns host ( 1 ; serial )\n 2 3\n 4 5", "1:17-18 unclosed-parenthesis"),
        ("a 1 TXT (\nx\n;\n", "1:9-10 unclosed-parenthesis"),
    ] {
        assert_found_and_gone_on(text, &[expected]);
    }
}

#[test]
fn behind_an_open_parenthesis_a_record_or_directive_is_found_in_many_forms() {
    for (next, records) in [
        ("b 1 TXT y", 1),
        ("b IN TXT y", 1),
        ("b TXT y", 1),
        ("$TTL 5", 0),
        ("  IN TXT y", 1),
        ("  5 TXT y", 1),
        ("b 1 TXT ( y\n )", 1),
    ] {
        let text = format!("$TTL 1\na TXT ( x\n  y\n{next}\n");
        let (reading, kept) = read(&text);
        assert_eq!(findings(&reading), ["2:7-8 unclosed-parenthesis"], "{next}");
        assert_eq!(kept.records.len(), records, "{next}");
    }
}

#[test]
fn a_parenthesis_closed_only_in_a_later_record_is_reported_where_it_opens() {
    let text = "$TTL 1\n@ SOA ns host ( 1 2 3 4\n 5\n IN NS ns\na A 192.0.2.1\nb TXT (\n x )\nc A 1\n";
    let (reading, kept) = read(text);
    assert_eq!(findings(&reading), ["2:15-16 unclosed-parenthesis", "8:5-6 bad-rdata"]);
    assert_eq!(kept.records.len(), 3);
}

#[test]
fn mistakes_before_an_open_parenthesis_are_kept() {
    let text = "$TTL 1\na..b SOA ns host ( 1 2 3\nc A 192.0.2.1\nd TXT ( x )\n) )\n";
    assert_findings(
        text,
        &["2:1-5 bad-name", "2:18-19 unclosed-parenthesis", "5:1-2 stray-parenthesis", "5:3-4 stray-parenthesis"],
    );
}

#[test]
fn values_that_look_like_owner_and_type_do_not_end_their_record() {
    let text = "a 1 NSEC ( b\n A NS SOA\nA NS\n AAB )\n";
    assert_findings(text, &["4:2-5 bad-rdata"]);
}

#[test]
fn an_open_quote_that_swallows_a_parenthesis_is_the_only_mistake() {
    let text = "a 1 TXT ( \"x )\nb 1 TXT y\n 1 TXT (\n z )\n";
    let (reading, kept) = read(text);
    assert_eq!(findings(&reading), ["1:11-15 unclosed-quote"]);
    assert_eq!(kept.records, ["b.example.org. 1 TXT \"y\"", "b.example.org. 1 TXT \"z\""]);
}

#[test]
fn an_entry_without_end_is_given_up() {
    let text = format!("a 1 TXT (\n{}b 1 TXT y\n", "; filler\n".repeat(100_000));
    let (reading, kept) = read(&text);
    assert_eq!(findings(&reading), ["1:9-10 unclosed-parenthesis"]);
    assert_eq!(kept.records, ["b.example.org. 1 TXT \"y\""]);
}

#[test]
fn a_line_with_too_many_words_is_given_up() {
    let text = format!("a 1 TXT {}\n{SOUND}", "x ".repeat(300_000));
    let (reading, kept) = read(&text);
    assert_eq!(reading.diagnostics().iter().map(|finding| finding.code).collect::<Vec<_>>(), ["entry-too-long"]);
    assert_eq!(kept.records.len(), 1);
}

#[test]
fn a_class_that_begins_the_line_is_an_owner_with_a_warning() {
    assert_findings("IN 1 A 192.0.2.1\n", &["1:1-3 warning class-as-owner"]);
    assert_findings("IN 1 IN A 192.0.2.1\n", &[]);
}

#[test]
fn utf_16_is_recognised() {
    let text = "\u{feff}a 1 TXT x\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for octets in [little, big] {
        let (reading, kept) = read_with(&octets, Settings::default(), &mut Files::default());
        assert_eq!(reading.diagnostics().iter().map(|finding| finding.code).collect::<Vec<_>>(), ["not-text"]);
        assert_eq!(kept.records.len(), 0);
    }
}

#[test]
fn after_a_thousand_errors_the_last_one_says_so() {
    let text = "a 1 A x\n".repeat(2_000);
    let (reading, _) = read(&text);
    assert_eq!(reading.diagnostics().len(), 1_001);
    assert_eq!(findings(&reading)[1_000], "1000:7-8 too-many-errors");
}

#[test]
fn warnings_beyond_a_thousand_hide_no_error() {
    let text = format!("{}b 1 A x\n", "IN 1 A 192.0.2.1\nb 1 TXT x\n".repeat(1_500));
    let (reading, kept) = read(&text);
    assert_eq!(findings(&reading)[1_000], "2001:1-3 warning too-many-warnings");
    assert_eq!(findings(&reading)[1_001..], ["3001:7-8 bad-rdata"]);
    assert_eq!(kept.records.len(), 3_000);
}
