//! From an answer to a message. What does not fit is truncated whole `RRset`s at a time (RFC 2181 §9).

use super::{Answer, Data, Item, Owner};
use crate::message::HEADER;
use crate::message::writer::{Full, NameForm, Section, Writer, fixed};
use crate::rdata::{Embedded, types};
use crate::zone::hash::LookupName;
use crate::zone::page::Rrset;

/// Writes the items of an answer behind the question; true if the response must be marked as truncated, and then it
/// holds no items at all, since the client asks again over TCP.
#[inline]
pub(super) fn items<'n>(writer: &mut Writer<'_, 'n>, name: &'n LookupName, answer: &'n Answer<'_>) -> bool {
    let start = writer.mark();
    let mut remembered = false;
    for item in &answer.items {
        let mark = writer.mark();
        let outcome = match (item.owner, item.data) {
            (Owner::Question(0), Data::Stored(rrset)) if Embedded::of(rrset.rtype) == Embedded::NONE => {
                writer.image(item.section, rrset.image, rrset.count)
            }
            (Owner::Question(start), Data::NegativeSoa(zone, dnssec_ok)) => {
                writer.ready(item.section, zone.negative_soa(dnssec_ok), HEADER + usize::from(start))
            }
            _ => {
                if !remembered {
                    writer.remember_question(name);
                    remembered = true;
                }
                records(writer, item, &answer.made)
            }
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

fn records<'n>(writer: &mut Writer<'_, 'n>, item: &Item<'n>, made: &'n [Box<[u8]>]) -> Result<(), Full> {
    let owner = owner(item.owner, made);
    match item.data {
        Data::Stored(rrset) if Embedded::of(rrset.rtype) == Embedded::NONE => {
            rrset.records().try_for_each(|record| writer.copy(item.section, owner, record))
        }
        Data::Stored(rrset) => stored(writer, item.section, owner, rrset, rrset.ttl()),
        Data::Synthesized(target, ttl) => {
            let rdata = &made[target];
            writer.record(item.section, owner, fixed(types::CNAME, ttl), rdata, Embedded::of(types::CNAME))
        }
        Data::NegativeSoa(zone, dnssec_ok) => {
            let Some((soa, signatures)) = zone.apex_node().signed_rrset(types::SOA) else { return Ok(()) };
            let mut rrsets = std::iter::once(soa).chain(signatures.filter(|_| dnssec_ok));
            rrsets.try_for_each(|rrset| stored(writer, item.section, owner, rrset, zone.soa().negative_ttl))
        }
    }
}

fn stored<'n>(
    writer: &mut Writer<'_, 'n>,
    section: Section,
    owner: NameForm<'n>,
    rrset: Rrset<'n>,
    ttl: u32,
) -> Result<(), Full> {
    let (fixed, embedded) = (fixed(rrset.rtype, ttl), Embedded::of(rrset.rtype));
    rrset.rdatas().try_for_each(|rdata| writer.record(section, owner, fixed, rdata, embedded))
}

#[allow(clippy::cast_possible_truncation, reason = "the question begins at octet 12 and has at most 255")]
fn owner<'a>(owner: Owner<'a>, made: &'a [Box<[u8]>]) -> NameForm<'a> {
    match owner {
        Owner::Question(start) => NameForm::At(HEADER as u16 + u16::from(start)),
        Owner::Stored(relative, apex) => NameForm::Parts(relative, apex),
        Owner::Made(number) => NameForm::Parts(&[], &made[number]),
    }
}
