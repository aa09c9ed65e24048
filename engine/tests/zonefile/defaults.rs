//! Owner, TTL and class where they are left out (RFC 1035 §5.1, RFC 2308 §4).

use oakroot_engine::zonefile::Settings;

use crate::support::{Files, assert_findings, assert_records, findings, read, read_with};

#[test]
fn white_space_at_the_start_repeats_the_owner() {
    let text = "a 1 A 192.0.2.1\n  2 A 192.0.2.2\n\n; comment\n\t3 A 192.0.2.3\n";
    let expected = ["a.example.org. 1 A 192.0.2.1", "a.example.org. 2 A 192.0.2.2", "a.example.org. 3 A 192.0.2.3"];
    assert_records(text, &expected);
}

#[test]
fn a_repeated_owner_stays_when_the_origin_changes() {
    let text = "a 1 TXT x\n$ORIGIN b\n 1 TXT y\na 1 TXT z\n";
    let expected = ["a.example.org. 1 TXT \"x\"", "a.example.org. 1 TXT \"y\"", "a.b.example.org. 1 TXT \"z\""];
    assert_records(text, &expected);
}

#[test]
fn owners_keep_their_case() {
    assert_records("WwW 1 A 192.0.2.1\n", &["WwW.example.org. 1 A 192.0.2.1"]);
}

#[test]
fn ttl_and_class_come_in_either_order_or_not_at_all() {
    for header in ["60 IN A", "IN 60 A", "60 A", "1m in a", "CLASS1 60 TYPE1", "1M class1 a"] {
        assert_records(&format!("a {header} 192.0.2.1\n"), &["a.example.org. 60 A 192.0.2.1"]);
    }
    assert_records(
        "$TTL 60\na A 192.0.2.1\nb IN A 192.0.2.2\n",
        &["a.example.org. 60 A 192.0.2.1", "b.example.org. 60 A 192.0.2.2"],
    );
}

#[test]
fn a_word_that_begins_the_line_is_the_owner_even_if_it_looks_like_a_ttl_or_type() {
    let text = "$TTL 1\n3600 IN A 192.0.2.1\nMX MX 10 a\nA A 192.0.2.2\n";
    let expected =
        ["3600.example.org. 1 A 192.0.2.1", "MX.example.org. 1 MX 10 a.example.org.", "A.example.org. 1 A 192.0.2.2"];
    assert_records(text, &expected);
}

#[test]
fn a_written_ttl_counts_for_its_record_only_under_a_default() {
    let text = "$TTL 60\na 5 TXT x\nb TXT y\n";
    assert_records(text, &["a.example.org. 5 TXT \"x\"", "b.example.org. 60 TXT \"y\""]);
}

#[test]
fn without_default_the_ttl_written_last_goes_on_with_one_warning() {
    let text = "a 5 TXT x\nb TXT y\nc 6 TXT z\nd TXT z\n";
    let (reading, kept) = read(text);
    let expected = [
        "a.example.org. 5 TXT \"x\"",
        "b.example.org. 5 TXT \"y\"",
        "c.example.org. 6 TXT \"z\"",
        "d.example.org. 6 TXT \"z\"",
    ];
    assert_eq!(kept.records, expected);
    assert_eq!(findings(&reading), ["2:3-6 warning no-ttl"]);
}

#[test]
fn the_minimum_of_a_soa_without_ttl_becomes_the_default() {
    let text = "@ SOA ns host 1 2 3 4 300\n 5 NS ns\n TXT x\n";
    let (reading, kept) = read(text);
    let expected = [
        "example.org. 300 SOA ns.example.org. host.example.org. 1 2 3 4 300",
        "example.org. 5 NS ns.example.org.",
        "example.org. 300 TXT \"x\"",
    ];
    assert_eq!(kept.records, expected);
    assert_eq!(findings(&reading), ["1:3-6 warning no-ttl"]);
}

#[test]
fn a_minimum_beyond_31_bits_is_cut_to_the_longest_ttl() {
    let (_, kept) = read("@ SOA ns host 1 2 3 4 4294967295\n");
    assert_eq!(kept.records, ["example.org. 2147483647 SOA ns.example.org. host.example.org. 1 2 3 4 4294967295"]);
}

#[test]
fn no_ttl_at_all_is_one_error() {
    assert_findings("a TXT x\nb TXT y\n", &["1:3-6 no-ttl"]);
}

#[test]
fn a_broken_soa_is_not_also_blamed_for_its_ttl() {
    assert_findings("@ SOA ns host 1 2 3 4\n NS ns\n", &["1:7-22 bad-rdata"]);
}

#[test]
fn settings_may_give_the_default_ttl() {
    let settings = Settings { default_ttl: Some(7), ..Settings::default() };
    let (reading, kept) = read_with(b"a TXT x\n$TTL 8\nb TXT y\n", settings, &mut Files::default());
    assert_eq!(kept.records, ["a.example.org. 7 TXT \"x\"", "b.example.org. 8 TXT \"y\""]);
    assert_eq!(findings(&reading), [""; 0]);
}

#[test]
fn data_is_relative_to_the_origin() {
    assert_records(
        "a 1 MX 10 @\nb 1 NS c\nd 1 NS c.\n",
        &["a.example.org. 1 MX 10 example.org.", "b.example.org. 1 NS c.example.org.", "d.example.org. 1 NS c."],
    );
}

#[test]
fn types_without_name_are_read() {
    let text = "a 1 TYPE65280 \\# 3 ab cd ef\nb 1 A \\# 4 c0000201\n";
    assert_records(text, &["a.example.org. 1 TYPE65280 \\# 3 ABCDEF", "b.example.org. 1 A 192.0.2.1"]);
}
