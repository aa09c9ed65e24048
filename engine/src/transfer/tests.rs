//! What one end writes, the other reads: whole zones and steps, in messages of any size.

use std::sync::Arc;

use proptest::prelude::*;

use super::incoming::{Incoming, Outcome, TransferError};
use super::outgoing::{LEAST_ROOM, Outgoing, Question};
use crate::name::Name;
use crate::testing::zone;
use crate::zone::Zone;

const APEX: &str = "example.org.";

fn apex() -> Name {
    Name::from_text(APEX.as_bytes(), None).unwrap()
}

fn text(serial: u32, lines: &str) -> String {
    format!("$TTL 60\n@ SOA ns hostmaster {serial} 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n{lines}")
}

fn question(qtype: u16) -> Question {
    Question { id: [1, 2], flags: 0x0100, name: apex().as_wire().into(), qtype }
}

fn messages(mut outgoing: Outgoing, size: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut out = vec![0; size];
    while let Some(length) = outgoing.next_message(&mut out) {
        all.push(out[..length].to_vec());
        assert!(all.len() < 10_000, "a transfer ends");
    }
    all
}

fn receive(base: Option<Arc<Zone>>, messages: &[Vec<u8>]) -> Result<Outcome, TransferError> {
    let mut incoming = Incoming::new(apex(), base, 1 << 30);
    for (number, message) in messages.iter().enumerate() {
        assert_eq!(incoming.feed(message)?, number + 1 == messages.len(), "only the last message is the end");
    }
    Ok(incoming.outcome().expect("the transfer is complete"))
}

fn received_zone(base: Option<Arc<Zone>>, messages: &[Vec<u8>]) -> Zone {
    match receive(base, messages) {
        Ok(Outcome::Zone(Some(zone), _)) => zone,
        Ok(_) => panic!("no zone"),
        Err(error) => panic!("{error:?}"),
    }
}

fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
    let line = |n| {
        format!(
            "h{n} A 192.0.2.{}\nsub{n} NS ns.sub{n}\nns.sub{n} A 192.0.2.9\n*.w{n} MX 1 mail.example.com.\n",
            n % 250
        )
    };
    numbers.into_iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_whole_zone_arrives_in_messages_of_any_size(count in 0_u32..60, size in 300_usize..4000) {
        let sent = Arc::new(zone(APEX, &text(7, &lines(0..count))));
        let all = messages(Outgoing::whole(question(252), sent.clone()), size);
        prop_assert!(all.iter().all(|message| message.len() <= size));
        let received = received_zone(None, &all);
        prop_assert_eq!(received.soa(), sent.soa());
        prop_assert!(received.same_but_serial(&sent));
    }

    #[test]
    fn steps_lead_to_the_newest_version(sets in prop::collection::vec(prop::collection::btree_set(0_u32..30, 0..10), 2..5), size in 300_usize..4000) {
        let versions: Vec<_> = sets
            .iter()
            .zip(1..)
            .map(|(set, serial)| Arc::new(zone(APEX, &text(serial, &lines(set.iter().copied())))))
            .collect();
        let newest = versions.last().unwrap().clone();
        let all = messages(Outgoing::steps(question(251), &versions, newest.clone()), size);
        let received = received_zone(Some(versions[0].clone()), &all);
        prop_assert_eq!(received.soa(), newest.soa());
        prop_assert!(received.same_but_serial(&newest));
    }

    #[test]
    fn no_octets_break_the_receiver(start in 0_usize..4, junk in prop::collection::vec(any::<u8>(), 0..200), at in 12_usize..150) {
        let sent = Arc::new(zone(APEX, &text(7, &lines(0..5))));
        let mut all = messages(Outgoing::whole(question(252), sent), 300);
        let start = start % all.len();
        let message = &mut all[start];
        let end = message.len().min(at + junk.len());
        if at < end {
            message[at..end].copy_from_slice(&junk[..end - at]);
        }
        let mut incoming = Incoming::new(apex(), None, 1 << 30);
        for message in &all {
            if !matches!(incoming.feed(message), Ok(false)) {
                break;
            }
        }
    }
}

#[test]
fn who_is_up_to_date_gets_one_soa() {
    let current = Arc::new(zone(APEX, &text(7, "")));
    let all = messages(Outgoing::steps(question(251), std::slice::from_ref(&current), current.clone()), LEAST_ROOM);
    assert_eq!(all.len(), 1);
    assert!(matches!(receive(Some(current), &all), Ok(Outcome::UpToDate)));
}

#[test]
fn all_of_a_zone_is_understood_where_steps_were_asked_for() {
    let old = Arc::new(zone(APEX, &text(6, "")));
    let sent = Arc::new(zone(APEX, &text(7, &lines(0..20))));
    let all = messages(Outgoing::whole(question(251), sent.clone()), 400);
    assert!(received_zone(Some(old), &all).same_but_serial(&sent));
}

#[test]
fn steps_from_a_version_that_differs_are_refused() {
    let mine = Arc::new(zone(APEX, &text(1, "a A 192.0.2.7\n")));
    let theirs = [Arc::new(zone(APEX, &text(1, "b A 192.0.2.7\n"))), Arc::new(zone(APEX, &text(2, "")))];
    let all = messages(Outgoing::steps(question(251), &theirs, theirs[1].clone()), LEAST_ROOM);
    assert!(matches!(receive(Some(mine), &all).err(), Some(TransferError::DoesNotFit(_))));
}

#[test]
fn a_transfer_that_is_larger_than_allowed_ends() {
    let sent = Arc::new(zone(APEX, &text(7, &lines(0..50))));
    let all = messages(Outgoing::whole(question(252), sent), 400);
    let mut incoming = Incoming::new(apex(), None, 1000);
    let outcome = all.iter().map(|message| incoming.feed(message)).find(Result::is_err);
    assert_eq!(outcome, Some(Err(TransferError::TooLarge)));
}

#[test]
fn records_behind_the_end_and_records_of_others_are_refused() {
    let sent = Arc::new(zone(APEX, &text(7, "")));
    let all = messages(Outgoing::whole(question(252), sent), LEAST_ROOM);
    let mut incoming = Incoming::new(apex(), None, 1 << 20);
    assert_eq!(incoming.feed(&all[0]), Ok(true));
    assert!(matches!(incoming.feed(&all[0]), Err(TransferError::Malformed(_))));
    let other = Name::from_text(b"other.example.", None).unwrap();
    let mut incoming = Incoming::new(other, None, 1 << 20);
    assert!(matches!(incoming.feed(&all[0]), Err(TransferError::Malformed(_))));
}
