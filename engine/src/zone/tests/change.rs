//! A changed zone is the zone that would have been built: octet for octet, flags and counts included.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::name::Name;
use crate::rdata::{self, types};
use crate::record::{Record, RecordSink, Span};
use crate::zone::Zone;
use crate::zone::build::ZoneBuilder;
use crate::zone::change::{ChangeError, OwnedRecord};

/// Owners that are parents, children, wildcards, cuts and siblings of each other.
const OWNERS: [&str; 14] =
    ["", "a", "b.a", "c.b.a", "*.a", "x.*.a", "*", "d", "e.d", "f.e.d", "sub", "ns.sub", "deep.ns.sub", "w.x.y.z"];
const RECORDS: [(u16, &[u8]); 7] = [
    (types::A, &[192, 0, 2, 1]),
    (types::A, &[192, 0, 2, 2]),
    (types::TXT, b"\x01t"),
    (types::NS, b"\x02ns\x07example\x00"),
    (types::DNAME, b"\x05other\x00"),
    (types::CNAME, b"\x05other\x00"),
    (types::NSEC3, b"\x01\x00\x00\x00\x00\x01x"),
];

type Choice = (usize, usize);

fn name(owner: &str) -> Name {
    Name::from_text(if owner.is_empty() { b"@" } else { owner.as_bytes() }, Some(&apex())).unwrap()
}

fn apex() -> Name {
    Name::from_text(b"example.", None).unwrap()
}

fn record(rtype: u16, owner: &str, ttl: u32, rdata: &[u8]) -> OwnedRecord {
    OwnedRecord { owner: name(owner).as_wire().into(), ttl, rtype, rdata: rdata.into() }
}

fn chosen(choices: &BTreeSet<Choice>) -> Vec<OwnedRecord> {
    choices.iter().map(|&(owner, kind)| record(RECORDS[kind].0, OWNERS[owner], 60, RECORDS[kind].1)).collect()
}

fn soa(serial: u32) -> OwnedRecord {
    let mut rdata = b"\x02ns\x07example\x00\x02me\x00".to_vec();
    for number in [serial, 1, 2, 3, 4] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    record(types::SOA, "", 60, &rdata)
}

fn built(records: &[OwnedRecord]) -> Zone {
    let mut builder = ZoneBuilder::new(apex());
    for OwnedRecord { owner, ttl, rtype, rdata } in records {
        let span = Span { file: 0, start: 0, end: 0 };
        builder.record(&Record { owner, ttl: *ttl, rtype: *rtype, rdata, span });
    }
    builder.finish_unchecked().0.expect("it has an SOA")
}

fn choices() -> impl Strategy<Value = BTreeSet<Choice>> {
    prop::collection::btree_set((0..OWNERS.len(), 0..RECORDS.len()), 0..30)
}

proptest! {
    #[test]
    fn a_changed_zone_is_the_one_that_would_be_built(before in choices(), after in choices()) {
        let (first, second) = (soa(1), soa(2));
        let old = built(&[chosen(&before), vec![first.clone()]].concat());
        let expected = built(&[chosen(&after), vec![second.clone()]].concat());
        let remove = [chosen(&before.difference(&after).copied().collect()), vec![first]].concat();
        let add = [chosen(&after.difference(&before).copied().collect()), vec![second]].concat();
        let changed = old.changed(&remove, &add).unwrap();
        prop_assert_eq!(changed.record_count(), expected.record_count());
        prop_assert_eq!(changed.name_count, expected.name_count);
        prop_assert_eq!(changed.soa(), expected.soa());
        prop_assert!(changed.pages().eq(expected.pages()));
    }

    #[test]
    fn a_difference_leads_from_one_version_to_the_other(before in choices(), after in choices()) {
        let old = built(&[chosen(&before), vec![soa(1)]].concat());
        let new = built(&[chosen(&after), vec![soa(2)]].concat());
        let difference = old.difference(&new);
        prop_assert_eq!(difference.removed.len(), before.difference(&after).count() + 1);
        prop_assert_eq!(difference.removed[0].rtype, types::SOA);
        let changed = old.changed(&difference.removed, &difference.added).unwrap();
        prop_assert!(changed.pages().eq(new.pages()));
        prop_assert_eq!(old.same_but_serial(&new), before == after);
    }
}

#[test]
fn a_changed_ttl_is_a_difference_and_a_changed_number_of_pages_is_none() {
    let many: Vec<_> = (0..300).map(|number| record(types::A, &format!("h{number}"), 60, &[10, 0, 0, 1])).collect();
    let built_at_once = built(&[many.clone(), vec![soa(1)]].concat());
    let grown = built(&[soa(1)]).changed(&[], &many[..100]).unwrap().changed(&[], &many[100..]).unwrap();
    assert!(built_at_once.same_but_serial(&grown) && grown.same_but_serial(&built_at_once));
    let slower = OwnedRecord { ttl: 61, ..many[0].clone() };
    let changed = grown.changed(&many[..1], std::slice::from_ref(&slower)).unwrap();
    let difference = grown.difference(&changed);
    assert_eq!((difference.removed, difference.added), (vec![many[0].clone()], vec![slower]));
}

#[test]
fn a_zone_that_grows_gets_more_pages_and_keeps_every_name() {
    let mut zone = built(&[soa(1)]);
    for round in 0..20 {
        let add: Vec<_> =
            (0..100).map(|number| record(types::A, &format!("h{round}-{number}"), 60, &[10, 0, 0, 1])).collect();
        zone = zone.changed(&[], &add).unwrap();
    }
    assert_eq!((zone.record_count(), zone.name_count), (2001, 2001));
    assert!(zone.page_count >= 16);
    assert!(zone.node_of(name("H19-99").as_wire()).is_some());
}

#[test]
fn one_record_touches_one_page() {
    let all: Vec<_> = (0..5000).map(|number| record(types::A, &format!("h{number}"), 60, &[10, 0, 0, 1])).collect();
    let zone = built(&[all, vec![soa(1)]].concat());
    let changed = zone.changed(&[], &[record(types::A, "h17", 60, &[10, 0, 0, 2])]).unwrap();
    assert_eq!(zone.pages().zip(changed.pages()).filter(|(old, new)| !old.is(new)).count(), 1);
}

#[test]
fn a_change_that_was_made_for_another_zone_is_refused() {
    let zone = built(&[soa(1), record(types::A, "a", 60, &[10, 0, 0, 1])]);
    let there = record(types::A, "A", 60, &[10, 0, 0, 1]);
    let missing = record(types::A, "b", 60, &[10, 0, 0, 1]);
    let foreign = OwnedRecord { owner: (*b"\x05other\x00").into(), ..missing.clone() };
    assert_eq!(zone.changed(&[], std::slice::from_ref(&there)).err(), Some(ChangeError::AlreadyThere(there)));
    assert_eq!(zone.changed(std::slice::from_ref(&missing), &[]).err(), Some(ChangeError::NotThere(missing)));
    assert_eq!(zone.changed(&[], std::slice::from_ref(&foreign)).err(), Some(ChangeError::OutOfZone(foreign)));
    assert_eq!(zone.changed(&[soa(1)], &[]).err(), Some(ChangeError::NoZone));
    assert!(rdata::same(types::NS, b"\x02NS\x00", b"\x02ns\x00"));
}

#[test]
fn what_differs_within_pages_is_found_wherever_it_stands() {
    let host = |number: usize, octet: u8| record(types::A, &format!("h{number}"), 60, &[10, 0, 0, octet]);
    let many: Vec<_> = (0..1000).map(|number| host(number, 1)).collect();
    let before = built(&[many.clone(), vec![soa(1)]].concat());
    let sorted = |mut records: Vec<OwnedRecord>| {
        records.sort_by(|a, b| (&a.owner, &a.rdata).cmp(&(&b.owner, &b.rdata)));
        records
    };
    // Every so many hosts, and what becomes of them: another address, one more, none, or a host that is new.
    for (step, other, more, gone, new) in [(1, 1, 0, 0, 0), (9, 1, 0, 0, 0), (300, 1, 0, 0, 0), (50, 1, 1, 1, 20)] {
        let every = |first: usize, wanted: usize| (first * wanted..1000 * wanted).step_by(step);
        let removed: Vec<_> = every(0, other).chain(every(1, gone)).map(|number| many[number].clone()).collect();
        let hosts = every(0, other).chain(every(2, more)).map(|number| host(number, 2));
        let added: Vec<_> = hosts.chain((1000..1000 + new).map(|number| host(number, 1))).collect();
        let difference = before.difference(&before.changed(&removed, &added).unwrap());
        assert_eq!(sorted(difference.removed), sorted(removed));
        assert_eq!(sorted(difference.added), sorted(added));
    }
}
