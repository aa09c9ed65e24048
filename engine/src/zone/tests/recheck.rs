//! A changed zone is held to the rules of the file it will be written to.

use std::fmt::Write;

use super::*;
use crate::name::Name;
use crate::record::{Record, RecordSink};
use crate::testing::zone_and_findings;
use crate::zone::change::OwnedRecord;
use crate::zonefile::{NoIncludes, Settings, read};

const TEXT: &str = "\
    $TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\n@ NS host.sub\n@ NS x.wild\n\
    ns A 192.0.2.1\nns AAAA 2001:db8::1\nsub NS ns.other.\nhost.sub A 192.0.2.2\n\
    alias CNAME ns\nwww A 192.0.2.3\n*.wild A 192.0.2.4\n";

fn changed(remove: &str, add: &str) -> (Zone, Vec<&'static str>) {
    let before = zone("example.", TEXT);
    let after = before.changed(&records(remove), &records(add)).unwrap();
    let codes = after.faults_since(&before).iter().map(|finding| finding.code).collect();
    (after, codes)
}

#[derive(Default)]
struct Kept(Vec<OwnedRecord>);

impl RecordSink for Kept {
    fn record(&mut self, record: &Record<'_>) {
        let Record { owner, ttl, rtype, rdata, .. } = *record;
        self.0.push(OwnedRecord { owner: owner.into(), ttl, rtype, rdata: rdata.into() });
    }
}

fn records(text: &str) -> Vec<OwnedRecord> {
    let (apex, text) = (Name::from_text(b"example.", None).unwrap(), format!("$TTL 60\n{text}"));
    let mut kept = Kept::default();
    read(text.as_bytes(), "change", &apex, Settings::default(), &mut NoIncludes, &mut kept);
    kept.0
}

/// The codes of the errors that the whole text would have.
fn of_text(after: &Zone) -> Vec<&'static str> {
    let mut text = String::from("$TTL 60\n");
    for node in after.nodes() {
        for rrset in node.rrsets() {
            for rdata in rrset.rdatas() {
                let owner = Name::from_wire(&after.absolute(node.name)).unwrap();
                let _ = write!(text, "{owner} {} ", rrset.ttl());
                crate::rdata::write_type(rrset.rtype, &mut text);
                text.push(' ');
                crate::rdata::write_text(rrset.rtype, rdata, &mut text);
                text.push('\n');
            }
        }
    }
    let (_, findings) = zone_and_findings("example.", &text);
    findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code).collect()
}

#[test]
fn faults_of_a_change_are_those_of_the_text_it_makes() {
    for (remove, add, codes) in [
        ("www A 192.0.2.3", "www A 192.0.2.4", &[][..]),
        ("", "www CNAME ns", &["cname-and-other-data"]),
        ("", "alias CNAME www", &["multiple-cname"]),
        ("", "new NS nowhere", &[]),
        ("", "@ NS nowhere", &["target-without-address"]),
        ("", "@ NS alias", &["target-is-cname"]),
        ("ns A 192.0.2.1", "", &[]),
        ("ns A 192.0.2.1\nns AAAA 2001:db8::1", "", &["target-without-address"]),
        ("ns A 192.0.2.1\nns AAAA 2001:db8::1", "ns CNAME www", &["target-is-cname"]),
        ("host.sub A 192.0.2.2", "", &[]),
        ("sub NS ns.other.", "", &[]),
        ("host.sub A 192.0.2.2\nsub NS ns.other.", "", &["target-without-address"]),
        ("*.wild A 192.0.2.4", "", &["target-without-address"]),
        ("", "x.wild TXT a", &["target-without-address"]),
        ("@ NS ns\n@ NS host.sub\n@ NS x.wild", "", &["missing-ns"]),
        ("", "www SOA a b 1 2 3 4 5", &["soa-below-apex"]),
        ("", "www DNAME a.\nwww DNAME b.", &["multiple-dname"]),
        ("alias CNAME ns", "alias CNAME www", &[]),
    ] {
        let (after, found) = changed(remove, add);
        assert_eq!(found, codes, "- {remove}, + {add}");
        assert_eq!(of_text(&after), codes, "the whole text: - {remove}, + {add}");
    }
}
