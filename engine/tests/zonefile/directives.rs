//! `$ORIGIN`, `$TTL` and what is no directive.

use crate::support::{assert_findings, assert_records, findings, read};

#[test]
fn origin_completes_the_names_below_it() {
    let text =
        "$TTL 1\n$ORIGIN sub\na TXT x\n$ORIGIN deep\n@ TXT y\n$ORIGIN .\na.b TXT z\n@ NS a\n$ORIGIN Net.\nc TXT @\n";
    let expected = [
        "a.sub.example.org. 1 TXT \"x\"",
        "deep.sub.example.org. 1 TXT \"y\"",
        "a.b. 1 TXT \"z\"",
        ". 1 NS a.",
        "c.Net. 1 TXT \"@\"",
    ];
    assert_records(text, &expected);
}

#[test]
fn the_same_word_is_another_owner_under_another_origin() {
    let text = "a 1 TXT x\n$ORIGIN sub\na 1 TXT y\n";
    assert_records(text, &["a.example.org. 1 TXT \"x\"", "a.sub.example.org. 1 TXT \"y\""]);
}

#[test]
fn ttl_takes_units_and_holds_from_its_line_on() {
    let text = "$TTL 1h30m ; comment\na TXT x\n$TTL 2D\nb TXT y\n";
    assert_records(text, &["a.example.org. 5400 TXT \"x\"", "b.example.org. 172800 TXT \"y\""]);
}

#[test]
fn directives_are_known_in_any_case_and_over_several_lines() {
    assert_records("$ttl ( \n 5 )\n$Origin sub\na TXT x\n", &["a.sub.example.org. 5 TXT \"x\""]);
}

#[test]
fn mistakes_in_directives_are_found_at_their_words() {
    for (text, expected) in [
        ("$TTL\n", "1:1-5 bad-directive"),
        ("$TTL 1x\n", "1:6-8 bad-ttl"),
        ("$TTL -1\n", "1:6-8 bad-ttl"),
        ("$TTL 1h30\n", "1:6-10 bad-ttl"),
        ("$TTL 2147483648\n", "1:6-16 bad-ttl"),
        ("$TTL 1 2\n", "1:8-9 bad-directive"),
        ("$ORIGIN\n", "1:1-8 bad-directive"),
        ("$ORIGIN a..b\n", "1:9-13 bad-name"),
        ("$ORIGIN a b\n", "1:11-12 bad-directive"),
        ("$ORIGN a\n", "1:1-7 unknown-directive"),
        ("$\n", "1:1-2 unknown-directive"),
        ("a 1 TXT x\n $TTL 5\n", "2:2-6 indented-directive"),
        ("a 1 TXT x\n $foo 5\n", "2:2-6 unknown-directive"),
        ("$INCLUDE\n", "1:1-9 bad-directive"),
        ("$INCLUDE a b c\n", "1:14-15 bad-directive"),
    ] {
        assert_findings(text, &[expected]);
    }
}

#[test]
fn a_mistaken_ttl_directive_is_one_error() {
    assert_findings("$TTL x\na TXT x\nb TXT y\n", &["1:6-7 bad-ttl"]);
}

#[test]
fn an_indented_directive_still_works_so_that_nothing_follows_from_it() {
    let (reading, kept) = read(" $TTL 5\n\t$ORIGIN sub\na TXT x\n");
    assert_eq!(kept.records, ["a.sub.example.org. 5 TXT \"x\""]);
    assert_eq!(findings(&reading), ["1:2-6 indented-directive", "2:2-9 indented-directive"]);
}
