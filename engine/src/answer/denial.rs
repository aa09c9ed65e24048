//! Proofs that something does not exist: which NSEC (RFC 4035 §3.1.3) or NSEC3 records (RFC 5155 §7.2) go along.

use super::decide::{Search, wildcard_name};
use super::{Answer, stored};
use crate::message::writer::Section;
use crate::zone::page::Node;
use crate::zone::{Denial, Nsec3Parameters, Zone};

/// The name does not exist, nor does a wildcard (RFC 4035 §3.1.3.2, RFC 5155 §7.2.2).
pub(super) fn no_such_name<'z>(zone: &'z Zone, search: &Search<'_, 'z>, encloser: usize, answer: &mut Answer<'z>) {
    let Some(prover) = Prover::of(zone, search) else { return };
    let wildcard = wildcard_name(prover.relative(encloser));
    match prover.denial.nsec3() {
        None => {
            prover.add_at_or_before(prover.relative(0), answer);
            prover.add_at_or_before(&wildcard, answer);
        }
        Some(parameters) => {
            prover.closest_encloser(parameters, encloser, answer);
            prover.add_hashed(parameters, &wildcard, answer);
        }
    }
}

/// The name exists without the type (RFC 4035 §3.1.3.1, RFC 5155 §7.2.3 and §7.2.4).
pub(super) fn no_such_type<'z>(zone: &'z Zone, search: &Search<'_, 'z>, node: &Node<'z>, answer: &mut Answer<'z>) {
    let Some(prover) = Prover::of(zone, search) else { return };
    match prover.denial.nsec3() {
        // An empty non-terminal has no NSEC; the one before it covers it.
        None => prover.add_own_or_before(node, answer),
        Some(parameters) => {
            if !prover.add_matching(parameters, prover.relative(0), answer) {
                prover.closest_provable_encloser(parameters, 1, answer);
            }
        }
    }
}

/// A wildcard answered: the name itself does not exist (RFC 4035 §3.1.3.3, RFC 5155 §7.2.6).
pub(super) fn wildcard_expanded<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    encloser: usize,
    answer: &mut Answer<'z>,
) {
    let Some(prover) = Prover::of(zone, search) else { return };
    match prover.denial.nsec3() {
        None => prover.add_at_or_before(prover.relative(0), answer),
        Some(parameters) => prover.add_hashed(parameters, prover.relative(encloser - 1), answer),
    }
}

/// A wildcard stands in for the name, without the type (RFC 4035 §3.1.3.4, RFC 5155 §7.2.5).
pub(super) fn wildcard_without_type<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    wildcard: &Node<'z>,
    encloser: usize,
    answer: &mut Answer<'z>,
) {
    let Some(prover) = Prover::of(zone, search) else { return };
    match prover.denial.nsec3() {
        None => {
            prover.add_own_or_before(wildcard, answer);
            prover.add_at_or_before(prover.relative(0), answer);
        }
        Some(parameters) => {
            prover.closest_encloser(parameters, encloser, answer);
            prover.add_hashed(parameters, wildcard.name, answer);
        }
    }
}

/// A delegation without DS (RFC 4035 §3.1.4.1, RFC 5155 §7.2.7).
pub(super) fn no_ds<'z>(zone: &'z Zone, search: &Search<'_, 'z>, cut: &Node<'z>, at: usize, answer: &mut Answer<'z>) {
    let Some(prover) = Prover::of(zone, search) else { return };
    match prover.denial.nsec3() {
        None => prover.add_own_or_before(cut, answer),
        Some(parameters) => {
            if !prover.add_matching(parameters, cut.name, answer) {
                prover.closest_provable_encloser(parameters, at + 1, answer);
            }
        }
    }
}

/// A search in a signed zone.
struct Prover<'z, 's> {
    zone: &'z Zone,
    denial: Denial<'z>,
    search: &'s Search<'s, 'z>,
}

impl<'z, 's> Prover<'z, 's> {
    fn of(zone: &'z Zone, search: &'s Search<'_, 'z>) -> Option<Self> {
        Some(Self { zone, denial: zone.denial()?, search })
    }

    /// The name searched for, from label `index` on, relative to the apex.
    fn relative(&self, index: usize) -> &'s [u8] {
        self.search.name.between(index, self.search.apex)
    }

    fn add(&self, node: &Node<'z>, answer: &mut Answer<'z>) {
        let Some((rrset, signatures)) = self.denial.records(node) else { return };
        // A proof stands in the authority section even if the same record was asked for.
        if !answer.holds(&rrset, &[Section::Authority]) {
            answer.push(Section::Authority, stored(self.zone, node.name), rrset);
            if let Some(signatures) = signatures {
                answer.push(Section::Authority, stored(self.zone, node.name), signatures);
            }
        }
    }

    /// The record that matches or covers the name of a node, which mostly owns it.
    fn add_own_or_before(&self, node: &Node<'z>, answer: &mut Answer<'z>) {
        if self.denial.records(node).is_some() {
            self.add(node, answer);
        } else {
            self.add_at_or_before(node.name, answer);
        }
    }

    /// The record that matches or covers a name.
    fn add_at_or_before(&self, relative: &[u8], answer: &mut Answer<'z>) {
        if let Some((node, _)) = self.denial.at_or_before(relative) {
            self.add(&node, answer);
        }
    }

    fn add_hashed(&self, parameters: &Nsec3Parameters, relative: &[u8], answer: &mut Answer<'z>) {
        if let Some((node, _)) = self.denial.hashed_at_or_before(parameters, relative) {
            self.add(&node, answer);
        }
    }

    /// The NSEC3 record whose owner is the hash of the name; false if there is none (opt-out: RFC 5155 §6).
    fn add_matching(&self, parameters: &Nsec3Parameters, relative: &[u8], answer: &mut Answer<'z>) -> bool {
        match self.denial.hashed_at_or_before(parameters, relative) {
            Some((node, true)) => {
                self.add(&node, answer);
                true
            }
            _ => false,
        }
    }

    /// The closest encloser exists, the next closer name does not (RFC 5155 §7.2.1).
    fn closest_encloser(&self, parameters: &Nsec3Parameters, encloser: usize, answer: &mut Answer<'z>) {
        self.closest_provable_encloser(parameters, encloser, answer);
    }

    /// The lowest ancestor from label `from` on that has an NSEC3 record, and the record that covers the name below.
    fn closest_provable_encloser(&self, parameters: &Nsec3Parameters, from: usize, answer: &mut Answer<'z>) {
        for index in from..=self.search.apex {
            if self.add_matching(parameters, self.relative(index), answer) {
                self.add_hashed(parameters, self.relative(index - 1), answer);
                return;
            }
        }
    }
}
