//! Finding a name in a zone: RFC 1034 §4.3.2 step 3, as RFC 4592 and RFC 6672 refine it.
//!
//! Facts stored in the nodes carry it: every ancestor of a name exists as a node, so the closest encloser is found by
//! halving, and whether a name lies below a cut is a flag. What is answered from a finding is `answer`'s business.

use super::Zone;
use super::hash::{self, LookupName};
use super::page::{Flags, Node};
use crate::name::{self, MAX_LABELS};

/// What a zone has for a name. Indices count labels of the name searched for, from the left.
#[derive(Clone, Copy, Debug)]
pub enum Found<'z> {
    /// The name itself, authoritative; it may be an empty non-terminal.
    Node(Node<'z>),
    /// The name is at or below this zone cut.
    Delegation {
        /// The node with the NS records.
        cut: Node<'z>,
        /// Where the cut's name begins in the name.
        at: usize,
    },
    /// The name is below this DNAME's owner.
    Dname {
        /// The node with the DNAME.
        node: Node<'z>,
        /// Where its name begins in the name.
        at: usize,
    },
    /// The name does not exist, but a wildcard covers it.
    Wildcard {
        /// The wildcard's node.
        node: Node<'z>,
        /// Where the closest encloser begins in the name.
        encloser: usize,
    },
    /// The name does not exist.
    Missing {
        /// Where the closest encloser begins in the name.
        encloser: usize,
    },
}

impl Zone {
    /// Looks for a name whose suffix from label `apex` on is the apex of this zone.
    #[must_use]
    #[inline]
    pub fn find<'z>(&'z self, name: &LookupName, apex: usize) -> Found<'z> {
        if let Some(node) = self.node(name.hash(0), name.between(0, apex)) {
            if !node.flags.any(Flags::CUT | Flags::OCCLUDED | Flags::NSEC3_OWNER) {
                return Found::Node(node);
            }
            if !node.flags.any(Flags::NSEC3_OWNER) {
                return self.hidden(name, apex, 0, node).unwrap_or(Found::Node(node));
            }
        }
        self.find_missing(name, apex)
    }

    fn find_missing<'z>(&'z self, name: &LookupName, apex: usize) -> Found<'z> {
        let (encloser, node) = self.closest_encloser(name, apex);
        if let Some(found) = self.hidden(name, apex, encloser, node) {
            return found;
        }
        let flags = node.flags;
        if flags.any(Flags::WILDCARD_CHILD) {
            let relative = name.between(encloser, apex);
            let mut wildcard = [0; name::MAX_WIRE + 2];
            wildcard[..2].copy_from_slice(b"\x01*");
            wildcard[2..2 + relative.len()].copy_from_slice(relative);
            let hash = hash::extend(name.hash(encloser), b"*");
            if let Some(node) = self.node(hash, &wildcard[..2 + relative.len()]) {
                return Found::Wildcard { node, encloser };
            }
        }
        Found::Missing { encloser }
    }

    /// The lowest existing ancestor. Existence is monotonous along a name, since empty non-terminals are nodes: halve.
    fn closest_encloser<'z>(&'z self, name: &LookupName, apex: usize) -> (usize, Node<'z>) {
        let (mut missing, mut exists, mut found) = (0, apex, None);
        while exists - missing > 1 {
            let middle = missing.midpoint(exists);
            match self.node(name.hash(middle), name.between(middle, apex)) {
                Some(node) if !node.flags.any(Flags::NSEC3_OWNER) => (exists, found) = (middle, Some(node)),
                _ => missing = middle,
            }
        }
        (exists, found.unwrap_or_else(|| self.apex_node()))
    }

    /// What hides the names below the node at label `at`, or this name itself: most often the node.
    fn hidden<'z>(&'z self, name: &LookupName, apex: usize, at: usize, node: Node<'z>) -> Option<Found<'z>> {
        if node.flags.any(Flags::OCCLUDED) {
            self.above(name, apex, at)
        } else if node.flags.any(Flags::CUT) {
            Some(Found::Delegation { cut: node, at })
        } else if node.flags.any(Flags::DNAME) && at > 0 {
            Some(Found::Dname { node, at })
        } else {
            None
        }
    }

    /// The highest cut or DNAME that hides what lies at label `from`; a DNAME does not hide its own owner.
    fn above<'z>(&'z self, name: &LookupName, apex: usize, from: usize) -> Option<Found<'z>> {
        (from..=apex).rev().find_map(|at| {
            let node = self.node(name.hash(at), name.between(at, apex))?;
            if node.flags.any(Flags::CUT) {
                Some(Found::Delegation { cut: node, at })
            } else if node.flags.any(Flags::DNAME) && at > 0 {
                Some(Found::Dname { node, at })
            } else {
                None
            }
        })
    }

    /// The node whose addresses a resolver would get for a target: the name itself, else the wildcard over it.
    pub(super) fn node_for_target(&self, target: &[u8]) -> Option<Node<'_>> {
        let (name, apex) = self.taken_apart(target)?;
        match self.find(&name, apex) {
            Found::Node(node) | Found::Wildcard { node, .. } => Some(node),
            Found::Delegation { .. } => self.node(name.hash(0), name.between(0, apex)),
            Found::Dname { .. } | Found::Missing { .. } => None,
        }
    }

    /// Whether `target` lies in a delegated zone other than the one that is cut at `owner` (relative).
    pub(super) fn is_delegated_elsewhere(&self, target: &[u8], owner: &[u8]) -> bool {
        let Some((name, apex)) = self.taken_apart(target) else { return false };
        match self.find(&name, apex) {
            Found::Delegation { cut, .. } => !name::same(cut.name, owner),
            Found::Dname { .. } => true,
            _ => false,
        }
    }

    fn taken_apart(&self, target: &[u8]) -> Option<(LookupName, usize)> {
        if !name::is_at_or_below(target, self.apex().as_wire()) {
            return None;
        }
        let mut name = LookupName::default();
        name.fill(target);
        let apex = name.count() - self.apex().label_count();
        Some((name, apex))
    }
}

/// A cut is never deeper than a name has labels.
const _: () = assert!(MAX_LABELS < 128);
