//! Addresses that go along: glue of referrals (RFC 9471) and addresses of names that an answer points at.

use smallvec::SmallVec;

use super::{Answer, Data, Item, stored};
use crate::message::writer::Section;
use crate::name;
use crate::rdata::{self, types};
use crate::zone::Zone;
use crate::zone::page::{Node, Rrset};

/// Glue for the servers of a delegation. Addresses of servers inside the delegated zone must be there, or the
/// response is truncated (RFC 9471 §3); others may be left out.
pub(super) fn for_referral<'z>(
    zone: &'z Zone,
    cut: &Node<'z>,
    cut_name: &[u8],
    dnssec_ok: bool,
    answer: &mut Answer<'z>,
) {
    let Some(ns) = cut.rrset(types::NS) else { return };
    for required in [true, false] {
        for target in ns.rdatas().filter(|target| name::is_at_or_below(target, cut_name) == required) {
            addresses(zone, target, required, dnssec_ok, answer);
        }
    }
}

/// Addresses of the targets of the `RRset`s answered since item `from`.
#[inline]
pub(super) fn for_answer<'z>(zone: &'z Zone, from: usize, dnssec_ok: bool, answer: &mut Answer<'z>) {
    let pointing: SmallVec<[Rrset<'z>; 4]> = answer.items[from..]
        .iter()
        .filter_map(|item| match item.data {
            Data::Stored(rrset) if item.section == Section::Answer && rdata::has_names(rrset.rtype) => Some(rrset),
            _ => None,
        })
        .collect();
    for rrset in pointing {
        for record in rrset.rdatas() {
            if let Some(target) = rdata::additional_target(rrset.rtype, record) {
                addresses(zone, target, false, dnssec_ok, answer);
            }
        }
    }
}

fn addresses<'z>(zone: &'z Zone, target: &[u8], required: bool, dnssec_ok: bool, answer: &mut Answer<'z>) {
    let Some(node) = zone.node_of(target) else { return };
    for rtype in [types::A, types::AAAA] {
        let Some((rrset, signatures)) = node.signed_rrset(rtype) else { continue };
        if answer.holds(&rrset, &[Section::Answer, Section::Additional]) {
            continue;
        }
        let mut push = |rrset: Rrset<'z>, required: bool| {
            let owner = stored(zone, &node);
            let data = Data::Stored(rrset);
            answer.items.push(Item { section: Section::Additional, owner, data, ttl: None, required });
        };
        push(rrset, required);
        if let Some(signatures) = signatures.filter(|_| dnssec_ok) {
            push(signatures, false);
        }
    }
}
