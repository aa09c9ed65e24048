//! `$GENERATE`. What the placeholders make was compared with BIND 9.18.

use oakroot_engine::record::{Record, RecordSink};
use oakroot_engine::zonefile::{self, NoIncludes, Settings};

use crate::support::{assert_findings, assert_records, findings, origin, read};

#[test]
fn each_number_of_the_range_gives_a_record() {
    let text = "$GENERATE 1-3 host-$ 60 IN A 192.0.2.$\n";
    let expected = [
        "host-1.example.org. 60 A 192.0.2.1",
        "host-2.example.org. 60 A 192.0.2.2",
        "host-3.example.org. 60 A 192.0.2.3",
    ];
    assert_records(text, &expected);
}

#[test]
fn ranges_have_steps_and_may_hold_one_number() {
    let text = "$TTL 1\n$GENERATE 0-10/5 a$ TXT $\n$GENERATE 7-7 b$ IN TXT x\n";
    let expected = [
        "a0.example.org. 1 TXT \"0\"",
        "a5.example.org. 1 TXT \"5\"",
        "a10.example.org. 1 TXT \"10\"",
        "b7.example.org. 1 TXT \"x\"",
    ];
    assert_records(text, &expected);
}

#[test]
fn placeholders_take_offset_width_and_base() {
    for (template, owner) in [
        ("$", "171"),
        ("${5}", "176"),
        ("${-1,5}", "00170"),
        ("${-181,5}", "-0010"),
        ("${0,3,d}b$", "171b171"),
        ("${1,4,o}", "0254"),
        ("${0,3,x}", "0ab"),
        ("${0,5,X}", "000AB"),
        ("${0,0,n}", "b.a"),
        ("${0,3,n}", "b.a"),
        ("${0,7,N}", "B.A.0.0"),
        ("$$a", r"\$a"),
        (r"a\$b$", r"a\$b171"),
        (r"\\$", r"\\171"),
    ] {
        let text = format!("$GENERATE 171-171 {template}.q 1 A 192.0.2.1\n");
        assert_records(&text, &[&format!("{owner}.q.example.org. 1 A 192.0.2.1")]);
    }
}

#[test]
fn quotes_around_the_data_only_hold_it_together() {
    let text = "$GENERATE 1-1 a$ 1 MX \"$ mail\"\n$GENERATE 1-1 b$ 1 TXT \"\\\"x y\\\" $ ; z\"\n";
    assert_records(text, &["a1.example.org. 1 MX 1 mail.example.org.", "b1.example.org. 1 TXT \"x y\" \"1\""]);
}

#[test]
fn the_data_may_be_several_words() {
    let text = "$GENERATE 1-1 a$ 1 MX 10 mail$\n$GENERATE 1-1 b$ 1 TXT \"x $\" y\n";
    assert_records(text, &["a1.example.org. 1 MX 10 mail1.example.org.", "b1.example.org. 1 TXT \"x 1\" \"y\""]);
}

#[test]
fn parameters_of_services_keep_their_quotes() {
    let text = "$GENERATE 1-1 a 1 SVCB $ . alpn=\"h2,h3\"\n$GENERATE 1-1 b 1 SVCB \"$ . alpn=\\\"h2,h3\\\"\"\n";
    assert_records(text, &["a.example.org. 1 SVCB 1 . alpn=h2,h3", "b.example.org. 1 SVCB 1 . alpn=h2,h3"]);
}

#[test]
fn names_are_relative_to_the_origin_and_the_owner_above_stays() {
    let text = "$TTL 1\na TXT x\n$ORIGIN sub\n$GENERATE 1-1 $ CNAME b$\n TXT y\n";
    let expected = [
        "a.example.org. 1 TXT \"x\"",
        "1.sub.example.org. 1 CNAME b1.sub.example.org.",
        "a.example.org. 1 TXT \"y\"",
    ];
    assert_records(text, &expected);
}

#[test]
fn mistakes_are_found_at_their_words() {
    for (text, expected) in [
        ("$GENERATE 1-2 a$ A", "1:1-10 bad-directive"),
        ("$GENERATE 1-2 a$", "1:1-10 bad-directive"),
        ("$GENERATE 3-1 a$ A 192.0.2.$", "1:11-14 bad-generate"),
        ("$GENERATE 1 a$ A 192.0.2.$", "1:11-12 bad-generate"),
        ("$GENERATE 1-2/ a$ A 192.0.2.$", "1:11-15 bad-generate"),
        ("$GENERATE 1-2/0 a$ A 192.0.2.$", "1:11-16 bad-generate"),
        ("$GENERATE 0-65536 a$ A 192.0.2.1", "1:11-18 bad-generate"),
        ("$GENERATE 0-2147483648/65536 a$ A 192.0.2.1", "1:11-29 bad-generate"),
        ("$GENERATE 1-2 a$ AA 192.0.2.1", "1:18-20 unknown-type"),
        ("$GENERATE 1-2 a$ 5x A 192.0.2.1", "1:18-20 bad-ttl"),
        ("$GENERATE 1-2 a${x} A 192.0.2.1", "1:15-20 bad-generate"),
        ("$GENERATE 1-2 a${1 A 192.0.2.1", "1:15-19 bad-generate"),
        ("$GENERATE 1-2 a${1,2,q} A 192.0.2.1", "1:15-24 bad-generate"),
        ("$GENERATE 1-2 a${1,256} A 192.0.2.1", "1:15-24 bad-generate"),
        ("$GENERATE 1-2 a${1,2,d,} A 192.0.2.1", "1:15-25 bad-generate"),
        ("$GENERATE 1-2 a${-2,2,x} A 192.0.2.1", "1:15-25 bad-generate"),
        ("$GENERATE 1-2 a..$ A 192.0.2.1", "1:15-19 bad-generate"),
        ("$GENERATE 255-256 a$ 1 A 192.0.2.$", "1:26-35 bad-generate"),
        ("$GENERATE 1-2 a$ TXT x \"y $", "1:24-28 unclosed-quote"),
        ("$GENERATE 1-2 a$ TXT \"\\\"x $\"", "1:22-29 bad-generate"),
    ] {
        assert_findings(&format!("{text}\n"), &[expected]);
    }
}

#[test]
fn both_templates_are_looked_at() {
    assert_findings("$GENERATE 1-2 a${ A ${\n", &["1:15-18 bad-generate", "1:21-23 bad-generate"]);
}

#[test]
fn a_mistake_that_comes_late_in_the_range_names_its_number() {
    let (reading, kept) = read("$GENERATE 254-300 a$ 1 A 192.0.2.$\n");
    assert_eq!(kept.records.len(), 2);
    assert!(reading.diagnostics()[0].message.starts_with("for number 256: "));
    assert_eq!(reading.diagnostics().len(), 1);
}

#[test]
fn a_whole_slash_16_fits_in_one_directive() {
    let (reading, kept) = read("$GENERATE 0-65535 $ 1 PTR a$\n");
    assert_eq!(findings(&reading), [""; 0]);
    assert_eq!(kept.records.len(), 65_536);
    assert_eq!(kept.records[65_535], "65535.example.org. 1 PTR a65535.example.org.");
}

/// Counts, since the records themselves would fill the memory.
#[derive(Default)]
struct Count(usize);

impl RecordSink for Count {
    fn record(&mut self, _record: &Record<'_>) {
        self.0 += 1;
    }
}

#[test]
fn what_all_directives_make_together_is_bounded() {
    let text = format!("$GENERATE 0-65535 $ 1 TXT \"x ; {}\"\n", "a comment ".repeat(20_000));
    let mut count = Count::default();
    let reading =
        zonefile::read(text.as_bytes(), "zone", &origin(), Settings::default(), &mut NoIncludes, &mut count);
    assert_eq!(findings(&reading).len(), 1);
    assert!(findings(&reading)[0].ends_with("generate-size"), "{:?}", findings(&reading));
    assert!((1_000..10_000).contains(&count.0), "{}", count.0);
}
