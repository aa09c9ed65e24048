//! Addresses that go along: glue of referrals (RFC 9471) and addresses of names that an answer points at.

use smallvec::SmallVec;

use super::{Answer, Data, Item, Owner};
use crate::message::writer::Section;
use crate::name;
use crate::rdata::{self, types};
use crate::zone::Zone;
use crate::zone::hash::{self, LookupName};
use crate::zone::page::{Node, Rrset};

/// Glue for the servers of a delegation. Addresses of servers inside the delegated zone must be there, or the
/// response is truncated (RFC 9471 §3); others may be left out.
pub(super) fn for_referral<'z>(
    zone: &'z Zone,
    cut: &Node<'z>,
    name: &LookupName,
    at: usize,
    dnssec_ok: bool,
    answer: &mut Answer<'z>,
) {
    let Some(ns) = cut.rrset(types::NS) else { return };
    let (cut_name, apex) = (name.suffix(at), zone.apex().as_wire());
    let mut others: SmallVec<[&[u8]; 16]> = SmallVec::new();
    for target in ns.rdatas() {
        if name::is_at_or_below(target, cut_name) {
            let hash = hash::of_name(&target[..target.len() - cut_name.len()], name.hash(at));
            addresses(zone, target, hash, true, dnssec_ok, answer);
        } else if name::is_at_or_below(target, apex) {
            others.push(target);
        }
    }
    for target in others {
        addresses(zone, target, hash_within(zone, target), false, dnssec_ok, answer);
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
            if let Some(target) = rdata::additional_target(rrset.rtype, record)
                && name::is_at_or_below(target, zone.apex().as_wire())
            {
                addresses(zone, target, hash_within(zone, target), false, dnssec_ok, answer);
            }
        }
    }
}

/// The hash of a name of the zone.
fn hash_within(zone: &Zone, target: &[u8]) -> u64 {
    hash::of_name(&target[..target.len() - zone.apex().as_wire().len()], zone.apex_hash())
}

/// Addresses of a name of the zone, whose hash is at hand.
fn addresses<'z>(
    zone: &'z Zone,
    target: &'z [u8],
    hash: u64,
    required: bool,
    dnssec_ok: bool,
    answer: &mut Answer<'z>,
) {
    let relative = &target[..target.len() - zone.apex().as_wire().len()];
    let Some(node) = zone.node(hash, relative) else { return };
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
