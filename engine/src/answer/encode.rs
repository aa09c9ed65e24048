//! From an answer to a message. What does not fit is truncated whole `RRset`s at a time (RFC 2181 §9).

use super::{Answer, Data, Item, Owner};
use crate::message::HEADER;
use crate::message::writer::{Full, NameForm, Section, Writer};
use crate::rdata::{Embedded, types};
use crate::zone::hash::LookupName;

/// Writes the items of an answer behind the question; true if the response must be marked as truncated, and then it
/// holds no items at all, since the client asks again over TCP.
#[inline]
pub(super) fn items<'n>(writer: &mut Writer<'_, 'n>, name: &'n LookupName, answer: &'n Answer<'_>) -> bool {
    let start = writer.mark();
    let mut remembered = false;
    for item in &answer.items {
        let mark = writer.mark();
        let outcome = if let Some((image, count)) = ready(item) {
            writer.image(item.section, image, count)
        } else {
            if !remembered {
                writer.remember_question(name);
                remembered = true;
            }
            records(writer, item, &answer.made)
        };
        if outcome.is_err() {
            if item.section != Section::Additional || item.required {
                writer.back_to(start);
                return true;
            }
            writer.back_to(mark);
        }
    }
    false
}

/// The octets of an item that can be copied as they are.
#[inline]
fn ready<'z>(item: &Item<'z>) -> Option<(&'z [u8], u16)> {
    match (item.owner, item.data, item.ttl) {
        (Owner::Question(0), Data::Stored(rrset), None) if Embedded::of(rrset.rtype) == Embedded::NONE => {
            Some((rrset.image, rrset.count))
        }
        _ => None,
    }
}

fn records<'n>(writer: &mut Writer<'_, 'n>, item: &Item<'n>, made: &'n [Box<[u8]>]) -> Result<(), Full> {
    let owner = owner(item.owner, made);
    match item.data {
        Data::Stored(rrset) => {
            let ttl = item.ttl.unwrap_or_else(|| rrset.ttl());
            let fixed = fixed(rrset.rtype, ttl);
            let embedded = Embedded::of(rrset.rtype);
            for rdata in rrset.rdatas() {
                writer.record(item.section, owner, fixed, rdata, embedded)?;
            }
            Ok(())
        }
        Data::Synthesized(target, ttl) => {
            let rdata = &made[target];
            writer.record(item.section, owner, fixed(types::CNAME, ttl), rdata, Embedded::of(types::CNAME))
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the question begins at octet 12 and has at most 255")]
fn owner<'a>(owner: Owner<'a>, made: &'a [Box<[u8]>]) -> NameForm<'a> {
    match owner {
        Owner::Question(start) => NameForm::At(HEADER as u16 + u16::from(start)),
        Owner::Stored(relative, apex) => NameForm::Parts(relative, apex),
        Owner::Made(number) => NameForm::Parts(&[], &made[number]),
    }
}

/// TYPE, CLASS IN, TTL.
fn fixed(rtype: u16, ttl: u32) -> [u8; 8] {
    let mut octets = [0, 0, 0, 1, 0, 0, 0, 0];
    octets[..2].copy_from_slice(&rtype.to_be_bytes());
    octets[4..].copy_from_slice(&ttl.to_be_bytes());
    octets
}
