//! The algorithm of RFC 1034 §4.3.2, as wildcards (RFC 4592), DNAME (RFC 6672) and DNSSEC (RFC 4035 §3.1) refine it.

use smallvec::SmallVec;

use super::{Answer, Data, Item, Kind, Owner, additional, denial, stored};
use crate::message::edns::ExtendedError;
use crate::message::rcode;
use crate::message::writer::Section;
use crate::name::{self, MAX_WIRE};
use crate::rdata::{self, types};
use crate::zone::Zone;
use crate::zone::catalogue::{Catalogue, Entry};
use crate::zone::hash::LookupName;
use crate::zone::lookup::Found;
use crate::zone::page::{Flags, Node};

/// Links of a chain of CNAMEs and DNAMEs that are followed. Longer chains are cut: the resolver asks on.
const LONGEST_CHAIN: usize = 16;

const NOT_AUTHORITATIVE: ExtendedError = ExtendedError { code: 20, text: "not a zone of this server" };
const NOT_READY: ExtendedError = ExtendedError { code: 14, text: "this zone is ours, but it cannot be served now" };

/// What is asked, the name aside.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// QTYPE.
    pub qtype: u16,
    /// Signatures and proofs are wanted.
    pub dnssec_ok: bool,
    /// All that ANY could mean is given (RFC 8482 §4.4: over TCP).
    pub any_in_full: bool,
}

/// The name searched for; a chain makes it another than the question's.
pub(super) struct Search<'n, 'z> {
    pub name: &'n LookupName,
    /// The same as an owner: as the question or the link of the chain that led here has it.
    pub whole: Owner<'z>,
    /// How many links of a chain led here; 0 means `name` is the question's.
    pub links: usize,
    /// Where the zone's apex begins in the name.
    pub apex: usize,
}

impl<'z> Search<'_, 'z> {
    /// The owner name that begins at label `index` of the name searched for, which is `relative` to the zone's apex.
    pub fn owner(&self, zone: &'z Zone, relative: &'z [u8], index: usize) -> Owner<'z> {
        match u8::try_from(self.name.start(index)) {
            Ok(start) if self.links == 0 => Owner::Question(start),
            _ => stored(zone, relative),
        }
    }
}

/// Decides the answer to a question for `name` into `answer`, which is empty and stays where it is: moving it would
/// cost as much as deciding. `chain_name` is room for the names of a chain.
#[inline]
pub fn decide<'c>(
    catalogue: &'c Catalogue,
    name: &LookupName,
    chain_name: &mut LookupName,
    question: Question,
    answer: &mut Answer<'c>,
) {
    match zone_for(catalogue, name, question.qtype) {
        None => answer.refuse(rcode::REFUSED, NOT_AUTHORITATIVE),
        Some((Entry::Unavailable(_), _)) => answer.refuse(rcode::SERVFAIL, NOT_READY),
        Some((Entry::Zone(zone), apex)) => {
            answer.authoritative = true;
            answer.subject = name.hash(0);
            let next = in_zone(zone, &Search { name, whole: Owner::Question(0), links: 0, apex }, question, answer);
            if let Some(target) = next {
                follow(catalogue, name, chain_name, target, question, answer);
                // Each link may have brought a proof; messages are written section by section.
                answer.items.sort_by_key(|item| item.section);
            }
        }
    }
}

/// The zone to ask. DS lives at the parent side of a cut, if we serve that too (RFC 4035 §3.1.4.1).
#[inline]
fn zone_for<'c>(catalogue: &'c Catalogue, name: &LookupName, qtype: u16) -> Option<(&'c Entry, usize)> {
    if qtype == types::DS && name.count() > 0 {
        return catalogue.nearest(name, 1).or_else(|| catalogue.nearest(name, 0));
    }
    catalogue.nearest(name, 0)
}

/// A target to go on with: in a zone's memory or made.
enum Target<'z> {
    Stored(&'z [u8]),
    Made(usize),
}

/// Follows a chain as long as it stays in our zones and does not come back to where it was.
fn follow<'c>(
    catalogue: &'c Catalogue,
    question_name: &LookupName,
    current: &mut LookupName,
    mut target: Target<'c>,
    question: Question,
    answer: &mut Answer<'c>,
) {
    let mut visited: SmallVec<[u64; LONGEST_CHAIN]> = SmallVec::new();
    visited.push(question_name.hash(0));
    for links in 1..=LONGEST_CHAIN {
        let whole = match target {
            Target::Stored(wire) => {
                current.fill(wire);
                Owner::Stored(&[], wire)
            }
            Target::Made(number) => {
                current.fill(&answer.made[number]);
                Owner::Made(number)
            }
        };
        if visited.contains(&current.hash(0)) {
            return;
        }
        visited.push(current.hash(0));
        let Some((Entry::Zone(zone), apex)) = zone_for(catalogue, current, question.qtype) else { return };
        let search = Search { name: current, whole, links, apex };
        match in_zone(zone, &search, question, answer) {
            Some(next) => target = next,
            None => return,
        }
    }
}

/// Step 3: what this zone says of the name. Returns the name to go on with, if the answer is a link of a chain.
#[inline]
fn in_zone<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    question: Question,
    answer: &mut Answer<'z>,
) -> Option<Target<'z>> {
    match zone.find(search.name, search.apex) {
        Found::Node(node) => at_node(zone, search, &node, None, question, answer),
        Found::Wildcard { node, encloser } => at_node(zone, search, &node, Some(encloser), question, answer),
        Found::Delegation { cut, at } => {
            if at == 0 && question.qtype == types::DS {
                if !answer.push_signed(Section::Answer, search.whole, &cut, types::DS, question.dnssec_ok) {
                    no_data(zone, search, &cut, None, question, answer);
                }
            } else {
                referral(zone, search, &cut, at, question, answer);
            }
            None
        }
        Found::Dname { node, at } => below_dname(zone, search, &node, at, question, answer),
        Found::Missing { encloser } => {
            answer.rcode = rcode::NXDOMAIN;
            answer.kind = Kind::NameError;
            answer.subject = zone.apex_hash();
            negative_soa(zone, search, question, answer);
            if question.dnssec_ok {
                denial::no_such_name(zone, search, encloser, answer);
            }
            None
        }
    }
}

/// The name exists, or a wildcard (whose closest encloser is given) stands in for it.
#[inline]
fn at_node<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    node: &Node<'z>,
    encloser: Option<usize>,
    question: Question,
    answer: &mut Answer<'z>,
) -> Option<Target<'z>> {
    let (owner, before) = (search.whole, answer.items.len());
    match question.qtype {
        types::ANY => any(node, owner, question, answer),
        types::RRSIG => {
            node.rrsets().filter(|rrset| rrset.rtype == types::RRSIG).for_each(|rrset| {
                answer.push(Section::Answer, owner, rrset);
            });
        }
        rtype => _ = answer.push_signed(Section::Answer, owner, node, rtype, question.dnssec_ok),
    }
    let mut next = None;
    if answer.items.len() == before {
        if !node.flags.any(Flags::CNAME) {
            no_data(zone, search, node, encloser, question, answer);
            return None;
        }
        answer.push_signed(Section::Answer, owner, node, types::CNAME, question.dnssec_ok);
        next = node.rrset(types::CNAME).and_then(|rrset| rrset.rdatas().next()).map(Target::Stored);
    }
    if let Some(encloser) = encloser.filter(|_| question.dnssec_ok) {
        denial::wildcard_expanded(zone, search, encloser, answer);
    }
    if next.is_none() && (question.qtype == types::ANY || rdata::points_at_host(question.qtype)) {
        additional::for_answer(zone, before, question.dnssec_ok, answer);
    }
    next
}

/// ANY: everything over TCP, one `RRset` over UDP (RFC 8482 §4.1).
fn any<'z>(node: &Node<'z>, owner: Owner<'z>, question: Question, answer: &mut Answer<'z>) {
    if question.any_in_full {
        for rrset in node.rrsets().filter(|rrset| rrset.covered == 0 || question.dnssec_ok) {
            answer.push(Section::Answer, owner, rrset);
        }
    } else if let Some(first) = node.rrsets().find(|rrset| rrset.covered == 0) {
        answer.push_signed(Section::Answer, owner, node, first.rtype, question.dnssec_ok);
    }
}

fn no_data<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    node: &Node<'z>,
    encloser: Option<usize>,
    question: Question,
    answer: &mut Answer<'z>,
) {
    answer.kind = Kind::NoData;
    negative_soa(zone, search, question, answer);
    if question.dnssec_ok {
        match encloser {
            None => denial::no_such_type(zone, search, node, answer),
            Some(encloser) => denial::wildcard_without_type(zone, search, node, encloser, answer),
        }
    }
}

/// The SOA of a negative answer, with the TTL that the answer may be cached for (RFC 2308 §3).
fn negative_soa<'z>(zone: &'z Zone, search: &Search<'_, 'z>, question: Question, answer: &mut Answer<'z>) {
    let owner = search.owner(zone, &[], search.apex);
    let data = Data::NegativeSoa(zone, question.dnssec_ok);
    answer.items.push(Item { section: Section::Authority, owner, data, required: true });
}

fn referral<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    cut: &Node<'z>,
    at: usize,
    question: Question,
    answer: &mut Answer<'z>,
) {
    if search.links == 0 {
        answer.authoritative = false;
        answer.kind = Kind::Referral;
        answer.subject = search.name.hash(at);
    }
    let owner = search.owner(zone, cut.name, at);
    if let Some(ns) = cut.rrset(types::NS) {
        answer.push(Section::Authority, owner, ns);
    }
    if question.dnssec_ok {
        match cut.signed_rrset(types::DS) {
            Some((ds, Some(signatures))) => {
                answer.push(Section::Authority, owner, ds);
                answer.push(Section::Authority, owner, signatures);
            }
            // A DS that nothing signs proves nothing: it is left out, as by everybody.
            Some((_, None)) => {}
            None => denial::no_ds(zone, search, cut, at, answer),
        }
    }
    additional::for_referral(zone, cut, search.name, at, question.dnssec_ok, answer);
}

/// RFC 6672 §3.2: the DNAME, and the CNAME that follows from it.
fn below_dname<'z>(
    zone: &'z Zone,
    search: &Search<'_, 'z>,
    node: &Node<'z>,
    at: usize,
    question: Question,
    answer: &mut Answer<'z>,
) -> Option<Target<'z>> {
    let owner = search.owner(zone, node.name, at);
    answer.push_signed(Section::Answer, owner, node, types::DNAME, question.dnssec_ok);
    let dname = node.rrset(types::DNAME)?;
    let prefix = search.name.between(0, at);
    let target = [prefix, dname.rdatas().next()?].concat();
    if target.len() > MAX_WIRE {
        answer.rcode = rcode::YXDOMAIN;
        return None;
    }
    answer.made.push(target.into());
    let number = answer.made.len() - 1;
    let data = Data::Synthesized(number, dname.ttl());
    answer.items.push(Item { section: Section::Answer, owner: search.whole, data, required: true });
    // Who asks for the CNAME itself has it now (RFC 6672 §3.2 step 3c).
    (question.qtype != types::CNAME && question.qtype != types::ANY).then_some(Target::Made(number))
}

/// The name of the wildcard below `encloser`.
pub(super) fn wildcard_name(encloser: &[u8]) -> SmallVec<[u8; 256]> {
    debug_assert!(name::labels(encloser).count() < name::MAX_LABELS);
    let mut name = SmallVec::from_slice(b"\x01*");
    name.extend_from_slice(encloser);
    name
}
