//! Zones as values: sharing, serials, and what the checks find.

mod change;
mod recheck;

use super::catalogue::{Catalogue, Entry};
use super::*;
use crate::record::Severity;
use crate::testing::{zone, zone_and_findings};
use proptest::prelude::*;

const HEAD: &str = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";

fn with_names(count: usize) -> String {
    (0..count).fold(HEAD.to_owned(), |text, number| format!("{text}h{number} A 192.0.2.1\n"))
}

#[test]
fn another_serial_touches_one_page() {
    let before = zone("example.", &with_names(5000));
    let after = before.with_serial(7);
    assert_eq!((before.soa().serial, after.soa().serial), (1, 7));
    let changed = before.pages().zip(after.pages()).filter(|(old, new)| !old.is(new)).count();
    assert_eq!(changed, 1);
    assert!(before.same_but_serial(&after));
}

#[test]
fn a_signature_or_a_digest_seals_the_serial() {
    let sealed = |lines: &str| zone("example.", &format!("{HEAD}{lines}")).serial_is_sealed();
    assert!(!sealed("ns RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AA==\n"));
    assert!(sealed("@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. AA==\n"));
    let digest = "00".repeat(48);
    assert!(sealed(&format!("@ ZONEMD 1 1 1 {digest}\n")));
}

#[test]
fn the_signature_that_expires_first_counts() {
    let expiration = |now, moments: &[(&str, &str)]| {
        let lines = moments
            .iter()
            .map(|(owner, moment)| format!("{owner} RRSIG SOA 13 1 60 {moment} 20200101000000 1 example. AA==\n"));
        zone("example.", &format!("{HEAD}{}", lines.collect::<String>())).earliest_expiration(now)
    };
    let now = 1_900_000_000;
    assert_eq!(expiration(now, &[]), None);
    assert_eq!(expiration(now, &[("ns", "1900000009")]), None, "the zone itself is not signed");
    assert_eq!(expiration(now, &[("@", "1900000009"), ("ns", "1900000005"), ("ns", "1900000007")]), Some(now + 5));
    assert_eq!(expiration(now, &[("@", "1899999999")]), Some(now - 1), "what has expired is told");
    assert_eq!(expiration((1 << 32) - 5, &[("@", "5"), ("ns", "4294967295")]), Some((1 << 32) - 1));
    assert_eq!(expiration((1 << 32) - 5, &[("@", "5")]), Some((1 << 32) + 5), "in 2106 moments begin anew");
}

#[test]
fn every_name_is_found_whatever_the_number_of_names() {
    for count in [0, 1, 63, 64, 65, 1000] {
        let zone = zone("example.", &with_names(count));
        assert_eq!(zone.nodes().count(), count + 2, "apex, ns and the names");
        for number in 0..count {
            let label = format!("H{number}");
            let wire = [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), b"\x07EXAMPLE\x00"].concat();
            assert!(zone.node_of(&wire).is_some(), "{label}");
        }
    }
}

#[test]
fn a_new_reading_shares_the_pages_that_are_equal() {
    let old = zone("example.", &with_names(5000));
    let text = with_names(5000).replace("h17 A 192.0.2.1", "h17 A 192.0.2.2");
    let new = zone("example.", &text).sharing(&old);
    assert!(!new.same_but_serial(&old));
    assert_eq!(old.pages().zip(new.pages()).filter(|(a, b)| !a.is(b)).count(), 1);
}

#[test]
fn order_and_repetition_in_the_file_do_not_count() {
    let one = zone("example.", &format!("{HEAD}a A 192.0.2.1\na A 192.0.2.2\nb MX 1 NS\n"));
    let two = zone("example.", &format!("{HEAD}b MX 1 ns\nb MX 1 NS\na A 192.0.2.2\na A 192.0.2.1\n"));
    assert_eq!(one.record_count(), two.record_count());
}

fn finds(text: &str, code: &str, severity: Severity) {
    let (zone, findings) = zone_and_findings("example.org.", text);
    let codes: Vec<_> = findings.iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(codes, [(code, severity)], "{text}");
    assert_eq!(zone.is_none(), severity == Severity::Error);
}

#[test]
fn each_rule_finds_what_breaks_it_and_nothing_else() {
    let error = |lines: &str, code| finds(&format!("{HEAD}{lines}"), code, Severity::Error);
    let warning = |lines: &str, code| finds(&format!("{HEAD}{lines}"), code, Severity::Warning);
    error("www.example.com. A 192.0.2.1\n", "out-of-zone");
    error("@ SOA ns hostmaster 2 2 3 4 5\n", "multiple-soa");
    error("a SOA ns hostmaster 2 2 3 4 5\n", "soa-below-apex");
    error("a CNAME ns\na A 192.0.2.1\n", "cname-and-other-data");
    error("a CNAME ns\na CNAME b\n", "multiple-cname");
    error("a DNAME b\na DNAME c\n", "multiple-dname");
    error("@ NS alias\nalias CNAME ns\n", "target-is-cname");
    error("@ NS nowhere\n", "target-without-address");
    warning("sub NS ns.sub\n", "missing-glue");
    warning("sub NS alias\nalias CNAME ns\n", "target-is-cname");
    warning("sub NS nowhere\n", "target-without-address");
    warning("@ MX 10 nowhere\n", "target-without-address");
    warning("@ MX 10 alias\nalias CNAME ns\n", "target-is-cname");
    warning("_x._tcp SRV 0 0 1 nowhere\n", "target-without-address");
    warning("www.example.org A 192.0.2.1\n", "forgotten-dot");
    warning("a CNAME ns.example.org\n", "forgotten-dot");
    warning("a 60 A 192.0.2.1\na 61 A 192.0.2.2\n", "ttl-mismatch");
    warning("sub NS ns\nx.sub TXT hidden\n", "occluded");
    finds("@ 60 NS ns\nns 60 A 192.0.2.1\n", "missing-soa", Severity::Error);
    finds("@ 60 SOA ns hostmaster 1 2 3 4 5\n", "missing-ns", Severity::Error);
}

#[test]
fn many_warnings_do_not_hide_an_error() {
    let warnings = (0..3000).fold(String::new(), |text, number| format!("{text}h{number}.example.org A 192.0.2.1\n"));
    for error in ["a CNAME ns\na A 192.0.2.1\n", "@ NS nowhere\n"] {
        let (zone, findings) = zone_and_findings("example.org.", &format!("{HEAD}{warnings}{error}"));
        assert!(zone.is_none(), "{error}");
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        assert_eq!((errors, findings.len()), (1, 1 + 1000 + 1), "one error, the warnings shown, and their number");
    }
}

#[test]
fn a_generated_mistake_is_reported_a_thousand_times_at_most() {
    let text = format!("{HEAD}$GENERATE 1-65536 a$.example.com. A 192.0.2.1\n");
    let (_, findings) = zone_and_findings("example.org.", &text);
    assert_eq!(findings.len(), 1000 + 1);
    assert!(findings[1000].message.starts_with("the zone has 65536 errors"), "{}", findings[1000].message);
}

#[test]
fn what_is_lawful_is_not_found_wanting() {
    let lines = "sub NS ns.sub\nns.sub A 192.0.2.9\nother NS ns.sub\nfar NS ns.example.com.\n@ MX 10 x.wild\n*.wild A 192.0.2.3\n";
    let (_, findings) = zone_and_findings("example.org.", &format!("{HEAD}{lines}@ MX 20 mail.far\n"));
    assert_eq!(findings, []);
}

proptest! {
    #[test]
    fn a_catalogue_finds_the_zones_that_were_put_in(numbers in prop::collection::vec(0_u32..40, 1..60)) {
        let mut catalogue = Catalogue::default();
        let mut expected = std::collections::BTreeSet::new();
        for number in numbers {
            let apex = Name::from_text(format!("z{}.example.", number % 20).as_bytes(), None).unwrap();
            if number < 20 {
                catalogue = catalogue.changed([Entry::Unavailable(Arc::new(apex))], &[]);
                expected.insert(number);
            } else {
                catalogue = catalogue.changed([], &[apex]);
                expected.remove(&(number % 20));
            }
        }
        prop_assert_eq!(catalogue.len(), expected.len());
        for number in 0..20 {
            let apex = Name::from_text(format!("Z{number}.example.").as_bytes(), None).unwrap();
            prop_assert_eq!(catalogue.entry(&apex).is_some(), expected.contains(&number));
        }
    }
}
