//! What two versions of a zone do not have in common. Pages that both hold, or that are equal, are not looked into.

use std::sync::Arc;

use super::Zone;
use super::change::OwnedRecord;
use super::hash;
use super::page::{Node, Page, Rrset};
use crate::rdata::{self, types};

/// Records to remove from the older zone and to add to it, to have the newer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The older's SOA first, if the SOA differs.
    pub removed: Vec<OwnedRecord>,
    /// The newer's SOA first, if the SOA differs.
    pub added: Vec<OwnedRecord>,
}

impl Zone {
    /// What leads from this version to `newer`. Records whose TTL changed are removed and added (RFC 1995 §4).
    #[must_use]
    pub fn difference(&self, newer: &Self) -> Difference {
        let mut difference = Difference::default();
        if self.page_count == newer.page_count {
            for (old, new) in self.unlike_pages(newer) {
                self.compare_pages(newer, old, new, &mut difference);
            }
        } else {
            self.compare(newer, self.nodes(), newer.nodes(), &mut difference);
        }
        for records in [&mut difference.removed, &mut difference.added] {
            if let Some(at) = records.iter().position(|record| record.rtype == types::SOA) {
                records[..=at].rotate_right(1);
            }
        }
        difference
    }

    /// How many records this version has more than `newer`, set by set: those that go without another in their
    /// place.
    #[must_use]
    pub fn records_lost(&self, newer: &Self) -> usize {
        let lost_of = |node: Node<'_>| -> usize {
            let other = newer.node(hash::of_name(node.name, newer.apex_hash), node.name);
            let left = |rrset: &Rrset<'_>| {
                other.and_then(|other| counterpart(&other, rrset)).map_or(0, |same| same.rdatas().count())
            };
            node.rrsets().map(|rrset| rrset.rdatas().count().saturating_sub(left(&rrset))).sum()
        };
        if self.page_count == newer.page_count {
            self.unlike_pages(newer).flat_map(|(old, _)| old.nodes()).map(|(_, node)| lost_of(node)).sum()
        } else {
            self.nodes().map(lost_of).sum()
        }
    }

    /// The pages that hold different things, of two versions with equally many.
    fn unlike_pages<'z>(&'z self, newer: &'z Self) -> impl Iterator<Item = (&'z Page, &'z Page)> {
        let rows = self.rows.iter().zip(newer.rows.iter()).filter(|(old, new)| !Arc::ptr_eq(old, new));
        let pages = rows.flat_map(|(old, new)| old.iter().zip(new.iter()));
        pages.filter(|(old, new)| !old.is(new) && old != new)
    }

    /// What two pages of the same place differ by. Mostly they hold the same names, which then come in the same order.
    fn compare_pages(&self, newer: &Self, old: &Page, new: &Page, difference: &mut Difference) {
        let place = old.place_of_difference(new);
        let (mut olds, mut news) = (old.nodes_in(&place), new.nodes_in(&place));
        loop {
            match (olds.next(), news.next()) {
                (Some((_, old)), Some((_, new))) if old.name == new.name => {
                    self.compare_nodes(&old, &new, difference);
                }
                (None, None) => return,
                (old, new) => {
                    let olds = old.into_iter().chain(olds).map(|(_, node)| node);
                    let news = new.into_iter().chain(news).map(|(_, node)| node);
                    return self.compare(newer, olds, news, difference);
                }
            }
        }
    }

    fn compare_nodes(&self, old: &Node<'_>, new: &Node<'_>, difference: &mut Difference) {
        for rrset in old.rrsets() {
            self.only_in_first(old, &rrset, counterpart(new, &rrset).as_ref(), &mut difference.removed);
        }
        for rrset in new.rrsets() {
            self.only_in_first(new, &rrset, counterpart(old, &rrset).as_ref(), &mut difference.added);
        }
    }

    fn compare<'z>(
        &'z self,
        newer: &'z Self,
        old: impl Iterator<Item = Node<'z>>,
        new: impl Iterator<Item = Node<'z>>,
        difference: &mut Difference,
    ) {
        for node in old {
            let other = newer.node(hash::of_name(node.name, newer.apex_hash), node.name);
            for rrset in node.rrsets() {
                let same = other.and_then(|other| counterpart(&other, &rrset));
                self.only_in_first(&node, &rrset, same.as_ref(), &mut difference.removed);
            }
        }
        for node in new {
            let other = self.node(hash::of_name(node.name, self.apex_hash), node.name);
            for rrset in node.rrsets() {
                let same = other.and_then(|other| counterpart(&other, &rrset));
                self.only_in_first(&node, &rrset, same.as_ref(), &mut difference.added);
            }
        }
    }

    /// Adds to `records` what of `rrset` is not in `other`.
    fn only_in_first(
        &self,
        node: &Node<'_>,
        rrset: &Rrset<'_>,
        other: Option<&Rrset<'_>>,
        records: &mut Vec<OwnedRecord>,
    ) {
        let ttl = rrset.ttl();
        if other.is_some_and(|other| other.image == rrset.image) {
            return;
        }
        let known = other.filter(|other| other.ttl() == ttl);
        let is_known = |rdata: &[u8]| {
            known.is_some_and(|known| known.rdatas().any(|other| rdata::same(rrset.rtype, other, rdata)))
        };
        for rdata in rrset.rdatas().filter(|rdata| !is_known(rdata)) {
            let owner = self.absolute(node.name).into();
            records.push(OwnedRecord { owner, ttl, rtype: rrset.rtype, rdata: rdata.into() });
        }
    }
}

fn counterpart<'z>(node: &Node<'z>, rrset: &Rrset<'_>) -> Option<Rrset<'z>> {
    node.rrsets().find(|other| (other.rtype, other.covered) == (rrset.rtype, rrset.covered))
}
