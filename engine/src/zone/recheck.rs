//! Whether a changed zone is still fit to be served, found at the cost of what changed.
//!
//! The rules are those of [`checks`]. Of those that make errors some look at one name; the others look at the servers of
//! the zone itself, which are few, so they are asked each time.

use std::collections::BTreeSet;

use super::change::OwnedRecord;
use super::checks::{self, Finding, Findings};
use super::page::{Flags, Node, Rrset, sort_key};
use super::staging::Staged;
use super::{Zone, hash};
use crate::name;
use crate::rdata::types;
use crate::record::{Severity, Span};

/// Records of a zone have no place in a text.
const NOWHERE: Span = Span { file: 0, start: 0, end: 0 };

impl Zone {
    /// The errors that a file of this version would have, if `older`, of which it was made by a change, has none.
    #[must_use]
    pub fn faults_since(&self, older: &Self) -> Vec<Finding> {
        let mut findings = Findings::default();
        for relative in self.touched_since(older) {
            let Some(node) = self.node(hash::of_name(&relative, self.apex_hash), &relative) else { continue };
            let group: Vec<Staged<'_>> = node.rrsets().flat_map(|rrset| staged(&node, rrset)).collect();
            checks::owner(&self.apex, &group, node.flags, &mut findings);
        }
        checks::apex(self, &mut findings);
        let apex = self.apex_node();
        for record in apex.rrset(types::NS).into_iter().flat_map(|servers| staged(&apex, servers)) {
            checks::target(self, &record, &mut findings);
        }
        findings.into_vec().into_iter().filter(|finding| finding.severity == Severity::Error).collect()
    }

    /// The names whose records differ, relative to the apex and in lower case.
    fn touched_since(&self, older: &Self) -> BTreeSet<Vec<u8>> {
        let difference = older.difference(self);
        let relative = |owner: &[u8]| owner[..owner.len() - self.apex.as_wire().len()].to_ascii_lowercase();
        difference.removed.iter().chain(&difference.added).map(|record| relative(&record.owner)).collect()
    }
}

impl Zone {
    /// Whether a file of this version would be without any finding. `older`, of which it was made by this change, is the
    /// zone of a file without any. False also where that is not found out at the cost of the change.
    #[must_use]
    pub fn is_flawless_after(&self, older: &Self, removed: &[OwnedRecord], added: &[OwnedRecord]) -> bool {
        let mut findings = Findings::default();
        let mut targets_may_differ = false;
        let apex_length = self.apex.as_wire().len();
        let relative = |record: &OwnedRecord| record.owner[..record.owner.len() - apex_length].to_ascii_lowercase();
        let touched: BTreeSet<Vec<u8>> = removed.iter().chain(added).map(relative).collect();
        for name in &touched {
            let hash = hash::of_name(name, self.apex_hash);
            let (before, after) = (older.node(hash, name), self.node(hash, name));
            let hiding = |node: &Option<Node<'_>>| node.map_or(0, |node| node.flags.0 & (Flags::CUT | Flags::DNAME));
            let has_children = |node: &Option<Node<'_>>| node.is_some_and(|node| node.children > 0);
            if hiding(&before) != hiding(&after) && (has_children(&before) || has_children(&after)) {
                // What lies below comes into view or out of it, and may be worth a finding.
                return false;
            }
            targets_may_differ |= as_target(before.as_ref()) != as_target(after.as_ref());
            let Some(node) = after else { continue };
            let group: Vec<Staged<'_>> = node.rrsets().flat_map(|rrset| staged(&node, rrset)).collect();
            checks::owner(&self.apex, &group, node.flags, &mut findings);
        }
        // Empty non-terminals that came or went can be targets, too, or keep a wildcard from being one.
        targets_may_differ |= self.name_count != older.name_count;
        checks::apex(self, &mut findings);
        if targets_may_differ {
            let nodes = self.nodes().filter(|node| !node.is_empty());
            nodes.for_each(|node| self.check_targets(&node, &mut findings));
        } else {
            let nodes = touched.iter().filter_map(|name| self.node(hash::of_name(name, self.apex_hash), name));
            nodes.for_each(|node| self.check_targets(&node, &mut findings));
        }
        findings.into_vec().is_empty() && added.iter().all(|record| self.keeps_ttl(older, record, removed))
    }

    fn check_targets(&self, node: &Node<'_>, findings: &mut Findings) {
        let pointing = node.rrsets().filter(|rrset| checks::may_have_checked_target(rrset.rtype));
        for record in pointing.flat_map(|rrset| staged(node, rrset)) {
            checks::target(self, &record, findings);
        }
    }

    /// Whether all records of the set that this one was added to have its TTL.
    fn keeps_ttl(&self, older: &Self, record: &OwnedRecord, removed: &[OwnedRecord]) -> bool {
        let key = sort_key(record.rtype, &record.rdata);
        let set_of = |zone: &Self| {
            let node = zone.node_of(&record.owner)?;
            let mut sets = node.rrsets();
            sets.find(|set| set.rdatas().next().is_some_and(|rdata| sort_key(set.rtype, rdata) == key))
                .map(|set| (set.ttl(), usize::from(set.count)))
        };
        let is_of_set = |other: &&OwnedRecord| {
            name::same(&other.owner, &record.owner) && sort_key(other.rtype, &other.rdata) == key
        };
        let gone = removed.iter().filter(is_of_set).count();
        let stayed_alike = set_of(older).is_none_or(|(ttl, count)| count <= gone || ttl == record.ttl);
        stayed_alike && set_of(self).is_some_and(|(ttl, _)| ttl == record.ttl)
    }
}

/// What of a name is asked for when others point at it: whether it is there, has an address, or is an alias.
fn as_target(node: Option<&Node<'_>>) -> Option<(bool, u8)> {
    let bits = Flags::CUT | Flags::DNAME | Flags::CNAME | Flags::OCCLUDED;
    node.map(|node| (node.rrset(types::A).is_some() || node.rrset(types::AAAA).is_some(), node.flags.0 & bits))
}

fn staged<'z>(node: &Node<'z>, rrset: Rrset<'z>) -> impl Iterator<Item = Staged<'z>> + use<'z> {
    let (owner, ttl, rtype) = (node.name, rrset.ttl(), rrset.rtype);
    rrset.rdatas().map(move |rdata| Staged { span: NOWHERE, ttl, rtype, owner, rdata })
}
