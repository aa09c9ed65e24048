//! Addresses that go along: glue of referrals (RFC 9471) and addresses of names that an answer points at.

use smallvec::SmallVec;

use super::{Answer, Data, Item, Owner};
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
    let mut others: SmallVec<[&[u8]; 16]> = SmallVec::new();
    for target in ns.rdatas() {
        if name::is_at_or_below(target, cut_name) {
            addresses(zone, target, true, dnssec_ok, answer);
        } else {
            others.push(target);
        }
    }
    for target in others {
        addresses(zone, target, false, dnssec_ok, answer);
    }
}

/// Addresses of the targets of the `RRset`s answered since item `from`.
#[inline]
pub(super) fn for_answer<'z>(zone: &'z Zone, from: usize, dnssec_ok: bool, answer: &mut Answer<'z>) {
    for index in from..answer.items.len() {
        let Item { section: Section::Answer, data: Data::Stored(rrset), .. } = answer.items[index] else { continue };
        if !rdata::points_at_host(rrset.rtype) {
            continue;
        }
        for record in rrset.rdatas() {
            if let Some(target) = rdata::additional_target(rrset.rtype, record) {
                addresses(zone, target, false, dnssec_ok, answer);
            }
        }
    }
}

fn addresses<'z>(zone: &'z Zone, target: &'z [u8], required: bool, dnssec_ok: bool, answer: &mut Answer<'z>) {
    let Some(node) = zone.node_of(target) else { return };
    // Named as it is pointed at: that name is in the message already.
    let owner = Owner::Stored(&[], target);
    for rtype in [types::A, types::AAAA] {
        let Some((rrset, signatures)) = node.signed_rrset(rtype) else { continue };
        if answer.holds(&rrset, &[Section::Answer, Section::Additional]) {
            continue;
        }
        let mut push = |rrset: Rrset<'z>, required: bool| {
            let data = Data::Stored(rrset);
            answer.items.push(Item { section: Section::Additional, owner, data, required });
        };
        push(rrset, required);
        if let Some(signatures) = signatures.filter(|_| dnssec_ok) {
            push(signatures, false);
        }
    }
}
