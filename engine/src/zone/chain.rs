//! The order in which a signed zone denies names: its NSEC or NSEC3 records by canonical order of their owners.
//!
//! Kept as places of nodes, eight octets each. What is denied for which answer is decided in `answer::denial`.

use std::cmp::Ordering;
use std::sync::LazyLock;

use data_encoding::{BASE32HEX_NOPAD, BitOrder, Encoding, Specification};
use sha1::{Digest, Sha1};

use super::Zone;
use super::page::{Node, Rrset};
use crate::name::{self, MAX_LABELS};
use crate::rdata::types;

/// Octets of the label that an NSEC3 hash makes, its length octet included.
const HASH_LABEL: usize = 33;
/// The wildcard below the apex, relative to it.
const APEX_WILDCARD: &[u8] = b"\x01*";

/// The lower-case alphabet of owner names (RFC 5155 §3, RFC 4648 §7).
static BASE32HEX: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
    specification.bit_order = BitOrder::MostSignificantFirst;
    specification.encoding().unwrap_or(BASE32HEX_NOPAD)
});

/// Hash parameters of an NSEC3 chain (RFC 5155 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nsec3Parameters {
    /// Additional iterations.
    pub iterations: u16,
    /// Salt, at most 255 octets.
    pub salt: Box<[u8]>,
}

/// Places of the nodes that own NSEC or NSEC3 records, in canonical order.
pub(super) struct Chain {
    places: Vec<(u32, u32)>,
    /// The beginning of each place's name, so that a search looks at few nodes.
    keys: Vec<u64>,
    nsec3: Option<Nsec3Parameters>,
    /// What names that do not exist are mostly denied with.
    at_apex: Option<AtApex>,
}

/// The positions in the chain of the records for the apex and for the wildcard below it, so that nobody has to hash
/// or search them again, and whether they match.
#[derive(Clone, Copy)]
struct AtApex {
    apex: (usize, bool),
    wildcard: (usize, bool),
}

impl Chain {
    pub(super) fn of(zone: &Zone) -> Option<Self> {
        let apex = zone.apex_node();
        let nsec3 = apex.rrset(types::NSEC3PARAM).and_then(|rrset| rrset.rdatas().find_map(parameters));
        if nsec3.is_none() && apex.rrset(types::NSEC).is_none() {
            return None;
        }
        let mut places = Vec::new();
        for (page_index, page) in zone.pages().enumerate() {
            for (offset, node) in page.nodes() {
                if belongs(&node, nsec3.as_ref()) {
                    places.push((u32::try_from(page_index).ok()?, offset));
                }
            }
        }
        let at = |&(page, offset): &(u32, u32)| zone.page(page as usize).node_at(offset);
        places.sort_by(|left, right| name::canonical_order(at(left).name, at(right).name));
        let keys = places.iter().map(|place| key(at(place).name)).collect();
        let mut chain = Self { places, keys, nsec3, at_apex: None };
        chain.at_apex = Denial::new(zone, &chain).at_apex();
        Some(chain)
    }
}

/// Algorithm (1 octet), flags (1), iterations (2), salt length (1), salt: the start of NSEC3 and NSEC3PARAM alike.
fn parameters(rdata: &[u8]) -> Option<Nsec3Parameters> {
    let [1, _, high, low, length, rest @ ..] = rdata else { return None };
    let salt = rest.get(..usize::from(*length))?;
    Some(Nsec3Parameters { iterations: u16::from_be_bytes([*high, *low]), salt: salt.into() })
}

fn belongs(node: &Node<'_>, nsec3: Option<&Nsec3Parameters>) -> bool {
    match nsec3 {
        None => node.rrset(types::NSEC).is_some(),
        Some(wanted) => node
            .rrset(types::NSEC3)
            .is_some_and(|rrset| rrset.rdatas().any(|rdata| parameters(rdata).as_ref() == Some(wanted))),
    }
}

/// The chain of a zone, ready to be searched.
#[derive(Clone, Copy)]
pub struct Denial<'z> {
    zone: &'z Zone,
    chain: &'z Chain,
}

impl<'z> Denial<'z> {
    pub(super) fn new(zone: &'z Zone, chain: &'z Chain) -> Self {
        Self { zone, chain }
    }

    /// The parameters to hash names with; None for an NSEC chain.
    #[must_use]
    pub fn nsec3(&self) -> Option<&'z Nsec3Parameters> {
        self.chain.nsec3.as_ref()
    }

    fn node(&self, index: usize) -> Node<'z> {
        let (page, offset) = self.chain.places[index];
        self.zone.page(page as usize).node_at(offset)
    }

    /// The denial records of a node of this chain and their signatures.
    #[must_use]
    pub fn records(&self, node: &Node<'z>) -> Option<(Rrset<'z>, Option<Rrset<'z>>)> {
        node.signed_rrset(if self.chain.nsec3.is_some() { types::NSEC3 } else { types::NSEC })
    }

    /// The node whose record matches or covers a relative name, and whether it matches: the last in order that is not
    /// after it; the first name in order is covered by the last node.
    #[must_use]
    pub fn at_or_before(&self, relative: &[u8]) -> Option<(Node<'z>, bool)> {
        let (index, matches) = self.known(relative).or_else(|| self.position(relative))?;
        Some((self.node(index), matches))
    }

    /// The same for the hash of a relative name (RFC 5155 §5).
    #[must_use]
    pub fn hashed_at_or_before(&self, parameters: &Nsec3Parameters, relative: &[u8]) -> Option<(Node<'z>, bool)> {
        let position = || self.position(&parameters.hashed(self.zone, relative));
        let (index, matches) = self.known(relative).or_else(position)?;
        Some((self.node(index), matches))
    }

    /// The position of a record that is asked for all the time.
    fn known(&self, relative: &[u8]) -> Option<(usize, bool)> {
        let known = self.chain.at_apex?;
        match relative {
            [] => Some(known.apex),
            APEX_WILDCARD => Some(known.wildcard),
            _ => None,
        }
    }

    fn at_apex(&self) -> Option<AtApex> {
        let position = |relative: &[u8]| match self.nsec3() {
            None => self.position(relative),
            Some(parameters) => self.position(&parameters.hashed(self.zone, relative)),
        };
        Some(AtApex { apex: position(&[])?, wildcard: position(APEX_WILDCARD)? })
    }

    fn position(&self, relative: &[u8]) -> Option<(usize, bool)> {
        let (keys, wanted) = (&self.chain.keys, key(relative));
        let first = keys.partition_point(|&key| key < wanted);
        let equal = keys[first..].partition_point(|&key| key == wanted);
        let after = first
            + partition_point(equal, |index| {
                name::canonical_order(self.node(first + index).name, relative) != Ordering::Greater
            });
        let index = if after == 0 { keys.len().checked_sub(1)? } else { after - 1 };
        Some((index, name::same(self.node(index).name, relative)))
    }
}

impl Nsec3Parameters {
    /// The name, relative to the apex, that owns the NSEC3 record of a relative name (RFC 5155 §5).
    fn hashed(&self, zone: &Zone, relative: &[u8]) -> [u8; HASH_LABEL] {
        let apex = zone.apex().as_wire();
        let mut name = [0; name::MAX_WIRE + 2];
        let length = relative.len() + apex.len();
        name[..relative.len()].copy_from_slice(relative);
        name[relative.len()..length].copy_from_slice(apex);
        name[..length].make_ascii_lowercase();
        let mut digest = Sha1::new().chain_update(&name[..length]).chain_update(&self.salt).finalize();
        for _ in 0..self.iterations {
            digest = Sha1::new().chain_update(digest).chain_update(&self.salt).finalize();
        }
        let mut label = [0; HASH_LABEL];
        label[0] = 32;
        BASE32HEX.encode_mut(&digest, &mut label[1..]);
        label
    }
}

/// The first eight octets of a name as it is ordered (RFC 4034 §6.1): its labels from the right, in lower case, each
/// with an end that comes before any octet. Names are in the order of their keys; whether names of one key are, only
/// the names themselves tell.
fn key(relative: &[u8]) -> u64 {
    let mut starts = [0; MAX_LABELS + 1];
    let count = name::label_starts(relative, &mut starts);
    let (mut key, mut room) = (0, 8);
    for &start in starts[..count].iter().rev() {
        let start = usize::from(start);
        for octet in &relative[start + 1..start + 1 + usize::from(relative[start])] {
            if room == 0 {
                return key;
            }
            room -= 1;
            let octet = octet.to_ascii_lowercase();
            key |= u64::from(octet.saturating_add(1)) << (8 * room);
            // The two highest octets have one form, so that nothing behind them may count.
            if octet >= 0xfe {
                return key;
            }
        }
        if room == 0 {
            return key;
        }
        room -= 1;
    }
    key
}

fn partition_point(count: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![Just(0), Just(1), Just(b'a'), Just(b'B'), Just(0xfd), Just(0xfe), Just(0xff)];
        let label = prop::collection::vec(octet, 1..5);
        prop::collection::vec(label, 0..4).prop_map(|labels| {
            labels.iter().flat_map(|label| [&[u8::try_from(label.len()).unwrap()], &label[..]].concat()).collect()
        })
    }

    proptest! {
        #[test]
        fn keys_are_never_against_the_order_of_names(left in names(), right in names()) {
            let order = name::canonical_order(&left, &right);
            prop_assert!(key(&left).cmp(&key(&right)) == order || key(&left) == key(&right), "{left:?} {right:?}");
        }
    }
}
