//! Spans of records, lines and columns, and the parts of a record found again.

use oakroot_engine::record::Span;
use oakroot_engine::zonefile::{Reading, Settings};

use crate::support::{Files, read, read_with};

fn text<'a>(reading: &'a Reading<'_>, span: Span) -> &'a str {
    std::str::from_utf8(reading.text(span)).unwrap()
}

#[test]
fn a_record_spans_from_its_first_to_its_last_token() {
    let zone = "$TTL 1\na 1 TXT x ; c\n  TXT \"y\"\t\n\nb TXT ( z\n ) ; c\n c( TXT\nx)y(\n)\n(d TXT x)";
    let (reading, kept) = read(zone);
    let spans: Vec<&str> = kept.spans.iter().map(|&span| text(&reading, span)).collect();
    assert_eq!(spans, ["a 1 TXT x", "TXT \"y\"", "b TXT ( z\n )", "(d TXT x)"]);
    assert_eq!(reading.diagnostics().len(), 1);
}

#[test]
fn generated_records_span_their_directive() {
    let (reading, kept) = read("$GENERATE 1-2 a$ 1 TXT $ ; c\n");
    assert!(kept.spans.iter().all(|&span| text(&reading, span) == "$GENERATE 1-2 a$ 1 TXT $"));
    assert_eq!(reading.layout(kept.spans[0]), None);
    assert_eq!(reading.field(kept.spans[0], 0), kept.spans[0]);
    assert_eq!(reading.owner(kept.spans[0]), kept.spans[0]);
}

#[test]
fn the_parts_of_a_record_are_found_again() {
    for (zone, owner, ttl, type_word, fields) in [
        ("a 1 IN MX 10 b", "a", "1", "MX", &["10", "b"][..]),
        ("a IN 1h MX ( 10 ; c\n b )", "a", "1h", "MX", &["10", "b"]),
        ("(\n\"a b\" 1 TXT \"x (\" y\\) )", "\"a b\"", "1", "TXT", &["\"x (\"", "y\\)"]),
        ("\u{feff}a 1 TXT x", "a", "1", "TXT", &["x"]),
        ("a 1 TXT x\"y z\"", "a", "1", "TXT", &["x", "\"y z\""]),
        ("a 1 HTTPS 1 . alpn=\"h 2\"", "a", "1", "HTTPS", &["1", ".", "alpn=\"h 2\""]),
        ("\\$a 1 TXT x", "\\$a", "1", "TXT", &["x"]),
    ] {
        let (reading, kept) = read(zone);
        let record = kept.spans[0];
        assert_eq!(text(&reading, reading.owner(record)), owner, "{zone}");
        assert_eq!(text(&reading, reading.ttl(record)), ttl, "{zone}");
        assert_eq!(text(&reading, reading.type_word(record)), type_word, "{zone}");
        let found: Vec<&str> = (0..fields.len()).map(|index| text(&reading, reading.field(record, index))).collect();
        assert_eq!(found, fields, "{zone}");
    }
}

#[test]
fn what_is_not_written_gives_the_whole_record() {
    let (reading, kept) = read("$TTL 1\na TXT x\n\tIN TXT y\n");
    let record = kept.spans[1];
    for span in [reading.owner(record), reading.ttl(record), reading.field(record, 1)] {
        assert_eq!(text(&reading, span), "IN TXT y");
    }
    let layout = reading.layout(record).unwrap();
    assert_eq!((layout.owner, layout.ttl), (None, None));
    assert_eq!(text(&reading, layout.class.unwrap()), "IN");
}

#[test]
fn the_serial_of_a_soa_is_found_in_any_layout() {
    for zone in [
        "@ 1 SOA ns host 77 2 3 4 5",
        "@ 1 SOA ns host ( 77 2 3 4 5 )",
        "@ 1 IN SOA ns host (\r\n\t\t77 ; serial 88\r\n\t\t2 3 4 5 )\r\n",
        "( @ 1 SOA\nns ; a \"comment\" (99\nhost\n\n77) ( 2 3 4 5 )",
        "@ 1 SOA n\\ s h\\(ost 77 1w 2d 3h 4m",
        "\"@\" 1 SOA \\\"ns 1\\;2 77 2 3 4 5",
    ] {
        let (reading, kept) = read(zone);
        let serial = reading.soa_serial(kept.spans[0]).unwrap_or_else(|| panic!("no serial: {zone}"));
        assert_eq!(text(&reading, serial), "77", "{zone}");
    }
}

#[test]
fn only_a_soa_in_its_own_form_has_a_serial() {
    for zone in [
        "@ 1 TXT ns host 77 2 3 4 5",
        "@ 1 SOA \\# 22 00 00 00000001 00000002 00000003 00000004 00000005",
        "$GENERATE 77-77 @ 1 SOA ns host $ 2 3 4 5",
    ] {
        let (reading, kept) = read(zone);
        assert_eq!(reading.soa_serial(kept.spans[0]), None, "{zone}");
    }
}

#[test]
fn the_serial_may_stand_in_an_included_file() {
    let mut files = Files::of([("soa", "\n@ 1 SOA ns host 77 2 3 4 5\n")]);
    let (reading, kept) = read_with(b"$INCLUDE soa\n", Settings::default(), &mut files);
    let serial = reading.soa_serial(kept.spans[0]).unwrap();
    assert_eq!(reading.file(serial), "soa");
    assert_eq!((serial.start, serial.end), (17, 19));
}

#[test]
fn columns_count_characters() {
    let (reading, _) = read("gr\u{fc}n\t1 A x\u{20ac}y z\n");
    let place = reading.locate(reading.diagnostics()[0].span);
    assert_eq!((place.line, place.column, place.end_column), (1, 10, 13));
    assert_eq!(place.source_line, Some("gr\u{fc}n\t1 A x\u{20ac}y z".as_bytes()));
}

#[test]
fn a_span_over_several_lines_ends_with_its_first_line() {
    let (reading, kept) = read("\na 1 TXT ( x\r\n y )\n");
    let place = reading.locate(kept.spans[0]);
    assert_eq!((place.line, place.column, place.end_column), (2, 1, 12));
    assert_eq!(place.source_line, Some(&b"a 1 TXT ( x"[..]));
}

#[test]
fn places_at_the_edges_are_places() {
    let (reading, _) = read("a 1 TXT x");
    for (start, end) in [(0, 0), (9, 9), (9, 20), (100, 100), (5, 2)] {
        let place = reading.locate(Span { file: 0, start, end });
        assert_eq!(place.line, 1);
        assert!(place.end_column > place.column);
    }
    let place = reading.locate(Span { file: 7, start: 0, end: 1 });
    assert_eq!((place.file, place.line, place.column), ("", 1, 1));
    assert_eq!(reading.text(Span { file: 0, start: 5, end: 2 }), b"");
    assert_eq!(reading.layout(Span { file: 0, start: 5, end: 2 }), None);
}
