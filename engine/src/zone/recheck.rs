//! Whether a changed zone is still fit to be served, found at the cost of what changed.
//!
//! The rules are those of [`checks`]. Of those that make errors some look at one name; the others look at the servers of
//! the zone itself, which are few, so they are asked each time.

use std::collections::BTreeSet;

use super::checks::{self, Finding, Findings};
use super::page::{Node, Rrset};
use super::staging::Staged;
use super::{Zone, hash};
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

fn staged<'z>(node: &Node<'z>, rrset: Rrset<'z>) -> impl Iterator<Item = Staged<'z>> + use<'z> {
    let (owner, ttl, rtype) = (node.name, rrset.ttl(), rrset.rtype);
    rrset.rdatas().map(move |rdata| Staged { span: NOWHERE, ttl, rtype, owner, rdata })
}
