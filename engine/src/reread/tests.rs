use std::fmt::Write;

use super::*;
use crate::name::Name;
use crate::zone::build::ZoneBuilder;
use crate::zonefile::{NoIncludes, Settings};

const SPACING: usize = 32 << 10;
const HEAD: &str = "$TTL 3600\n@ SOA ns1 h 1 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n";

fn apex() -> Name {
    Name::from_text(b"example.org.", None).unwrap()
}

fn read(text: &[u8]) -> Option<(Zone, Option<Marks>)> {
    let mut marking = Marking::new(text, &apex(), SPACING);
    let reading = zonefile::read(text, "f", &apex(), Settings::default(), &mut NoIncludes, &mut marking);
    let is_clean = reading.diagnostics().is_empty();
    let (builder, marks) = marking.finish();
    let (zone, findings) = ZoneBuilder::finish(builder);
    let is_clean = is_clean && findings.is_empty();
    let zone = zone?;
    let marks = marks.filter(|(_, records)| is_clean && *records == zone.record_count()).map(|(marks, _)| marks);
    is_clean.then_some((zone, marks))
}

fn long_text(change: impl Fn(usize, &mut String)) -> Vec<u8> {
    let mut text = HEAD.to_owned();
    for number in 0..6 * SPACING / 30 {
        let mut line = format!("host{number} 300 A 10.0.{}.{}\n", number / 250 % 250, number % 250);
        if number % 7 == 0 {
            line.push_str("  TXT ( \"a b\" ; two\n  c )\n");
        }
        if number % 11 == 0 {
            let _ = writeln!(line, "mail{number} MX 10 host{number}");
        }
        change(number, &mut line);
        text.push_str(&line);
    }
    text.into_bytes()
}

/// All of a zone, in an order of its own.
fn told(zone: &Zone) -> Vec<String> {
    let mut nodes: Vec<String> = zone
        .nodes()
        .map(|node| {
            let sets: Vec<_> = node.rrsets().map(|set| (set.rtype, set.covered, set.count, set.image)).collect();
            format!("{:?} {:?} {} {sets:?}", node.name, node.flags, node.children)
        })
        .collect();
    nodes.sort();
    nodes.push(format!("{:?} {} {}", zone.soa(), zone.record_count(), zone.name_count()));
    nodes
}

/// Whether the change was read in parts; panics where that gives another zone than reading all.
fn is_read_in_parts(old: &[u8], new: &[u8]) -> bool {
    let (zone, marks) = read(old).expect("the old text is flawless");
    let Some((changed, moved)) = reread(old, new, &zone, &marks.expect("the old text is plain and long")) else {
        return false;
    };
    let (whole, _) = read(new).expect("a text with findings must not be read in parts");
    assert_eq!(told(&changed), told(&whole));
    // The new marks serve as well as the old ones: back again.
    let back = reread(new, old, &changed, &moved);
    if let Some((back, _)) = back {
        assert_eq!(told(&back), told(&zone));
    }
    true
}

fn replaced(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn nothing_changed() {
    let text = long_text(|_, _| {});
    assert!(is_read_in_parts(&text, &text));
}

#[test]
fn a_serial_and_a_record_far_from_it() {
    let old = long_text(|_, _| {});
    let new = replaced(&replaced(&old, " 1 7200", " 2 7200"), "host5000 300 A 10.0.20.0", "host5000 300 A 10.9.9.9");
    assert!(is_read_in_parts(&old, &new));
}

#[test]
fn lines_added_and_removed_at_both_ends_and_between() {
    let old = long_text(|_, _| {});
    let added = replaced(&old, "host0 300", "first 300 A 192.0.2.7\nfirst AAAA 2001:db8::1\nhost0 300");
    let mut added = replaced(&added, "host3001 300 A 10.0.12.1\n", "");
    added.extend_from_slice(b"last 60 TXT x\n");
    assert!(is_read_in_parts(&old, &added));
    assert!(is_read_in_parts(&added, &old));
}

#[test]
fn a_last_line_without_its_end() {
    let old = long_text(|_, _| {});
    assert!(is_read_in_parts(&old, &old[..old.len() - 1]));
    assert!(is_read_in_parts(&old, &[&old[..], b"; a remark"].concat()));
}

#[test]
fn a_ttl_of_all_a_set_or_of_a_part_of_it() {
    let old = long_text(|number, line| {
        if number == 2001 {
            line.push_str("host2001 300 A 192.0.2.77\n");
        }
    });
    let part = replaced(&old, "host2001 300 A 192.0.2.77", "host2001 60 A 192.0.2.77");
    assert!(!is_read_in_parts(&old, &part));
    let whole = replaced(&part, "host2001 300 A 10", "host2001 60 A 10");
    assert!(is_read_in_parts(&old, &whole));
}

#[test]
fn what_makes_a_finding_is_left_to_a_whole_reading() {
    let old = long_text(|_, _| {});
    for (from, to) in [
        ("host4000 300 A", "host4000 300 A 1.2.3.4.5\nhost4000 300 A"),
        ("host4001 300 A 10.0.16.1", "host4001 CNAME host1\nhost4001 A 192.0.2.1"),
        ("host4004 300 A", "host4004 300 A 192.0.2.9 ( ; open\nhost4004 300 A"),
        ("host22 300 A 10.0.0.22", "host22 TXT \"no address for mail22\""),
        ("host33 300 A 10.0.0.33", "gone33 300 A 10.0.0.33"),
        ("host44 300 A 10.0.0.44", "host44 CNAME host1"),
        ("ns1 A 192.0.2.1", "ns2 A 192.0.2.1"),
        ("@ NS ns1", "@ TXT x"),
        ("host4002 300", "mail MX 10 nobody\nhost4002 300"),
        ("host4003 300", "www.example.org A 192.0.2.3\nhost4003 300"),
    ] {
        assert!(!is_read_in_parts(&old, &replaced(&old, from, to)), "{to}");
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_left_to_a_whole_reading() {
    let old = long_text(|_, _| {});
    for (from, to) in [
        ("host4000 300", "HOST9 300"),
        ("host4000 300", "host4000 300 A 10.0.16.0\nhost4000 300"),
        ("host4000 300", "$TTL 60\nhost4000 300"),
        ("host4000 300", "$ORIGIN sub.example.org.\nhost4000 300"),
        ("host4000 300", "$GENERATE 1-3 g$ A 192.0.2.$\nhost4000 300"),
        ("$TTL 3600", "$TTL 3601"),
    ] {
        assert!(!is_read_in_parts(&old, &replaced(&old, from, to)), "{to}");
    }
}

#[test]
fn delegations_come_and_go() {
    let old = long_text(|_, _| {});
    let without_glue = replaced(&old, "host4000 300", "sub NS ns.example.net.\nhost4000 300");
    assert!(is_read_in_parts(&old, &without_glue));
    assert!(is_read_in_parts(&without_glue, &old));
    let deep = replaced(&old, "host4000 300", "a.b.host4000 A 192.0.2.1\nhost4000 300");
    assert!(is_read_in_parts(&old, &deep));
    assert!(!is_read_in_parts(&deep, &replaced(&deep, "host4000 300", "host4000 NS ns1\nhost4000 300")));
}

#[test]
fn texts_with_includes_duplicates_or_upper_case_have_no_marks() {
    for extra in ["$GENERATE 1-3 g$ A 192.0.2.$\n", "host1 300 A 10.0.0.1\n", "Host A 192.0.2.1\n"] {
        let text = [&long_text(|_, _| {})[..], extra.as_bytes()].concat();
        assert!(read(&text).is_some_and(|(_, marks)| marks.is_none()), "{extra}");
    }
}

#[test]
fn marks_after_a_change_lie_at_the_same_lines() {
    let old = long_text(|_, _| {});
    let (zone, marks) = read(&old).unwrap();
    let new = replaced(&old, "host3000 300", "inserted 300 A 192.0.2.1\nhost3000 300");
    let (_, moved) = reread(&old, &new, &zone, &marks.clone().unwrap()).unwrap();
    for number in 0.. {
        let (Some(at), Some(old_at)) = (moved.at(number), marks.as_ref().unwrap().at(number)) else { break };
        assert_eq!(new[at..at + 20], old[old_at..old_at + 20]);
    }
}
