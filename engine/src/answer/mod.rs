//! Answers as values: what a response will hold, decided before a single octet of it is written.
//!
//! `decide` walks RFC 1034 §4.3.2, `denial` adds the proofs of DNSSEC, `additional` the addresses that go along,
//! `encode` turns the value into a message, and `respond` is all of it together, from packet to packet.

mod additional;
mod chaos;
pub mod decide;
mod denial;
mod encode;
pub mod respond;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use crate::message::edns::ExtendedError;
use crate::message::rcode;
use crate::message::writer::Section;
use crate::zone::Zone;
use crate::zone::page::{Node, Rrset};

/// The owner of the records of an item.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'z> {
    /// The suffix of the question's name that begins at this octet of it.
    Question(u8),
    /// A name of a zone: its labels below the apex, and the apex.
    Stored(&'z [u8], &'z [u8]),
    /// A name made for this answer, by its number in [`Answer::made`].
    Made(usize),
}

/// The records of an item.
#[derive(Clone, Copy, Debug)]
pub enum Data<'z> {
    /// An `RRset` of a zone.
    Stored(Rrset<'z>),
    /// A CNAME that follows from a DNAME (RFC 6672 §3.1): the number of its target in [`Answer::made`], and its TTL.
    Synthesized(usize, u32),
    /// The SOA of a zone as negative answers have it, and its signatures if they are wanted (RFC 2308 §3).
    NegativeSoa(&'z Zone, bool),
}

/// One `RRset` in one section.
#[derive(Clone, Copy, Debug)]
pub struct Item<'z> {
    /// Where it goes.
    pub section: Section,
    /// Whose it is.
    pub owner: Owner<'z>,
    /// What it is.
    pub data: Data<'z>,
    /// Whether the response is truncated if it does not fit (else it is left out).
    pub required: bool,
}

/// What kind of answer it is; rate limiting counts each kind by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Data.
    Positive = 0,
    /// The name exists, the type does not.
    NoData = 1,
    /// The name does not exist.
    NameError = 2,
    /// A referral.
    Referral = 3,
    /// An error code.
    Error = 4,
}

/// A decided answer.
#[derive(Debug)]
pub struct Answer<'z> {
    /// RCODE.
    pub rcode: u16,
    /// The AA bit.
    pub authoritative: bool,
    /// `RRset`s, in the order in which they are written.
    pub items: SmallVec<[Item<'z>; 8]>,
    /// Names that stand in no zone: targets of DNAMEs.
    pub made: Vec<Box<[u8]>>,
    /// Why, in the words of RFC 8914.
    pub error: Option<ExtendedError>,
    /// What kind of answer it is.
    pub kind: Kind,
    /// Hash of the name that rate limiting counts it under.
    pub subject: u64,
}

impl<'z> Answer<'z> {
    #[inline]
    pub(crate) fn empty() -> Self {
        Self {
            rcode: rcode::NOERROR,
            authoritative: false,
            items: SmallVec::new(),
            made: Vec::new(),
            error: None,
            kind: Kind::Positive,
            subject: 0,
        }
    }

    fn refuse(&mut self, code: u16, error: ExtendedError) {
        (self.rcode, self.error, self.kind) = (code, Some(error), Kind::Error);
    }

    #[inline]
    fn push(&mut self, section: Section, owner: Owner<'z>, rrset: Rrset<'z>) {
        self.items.push(Item { section, owner, data: Data::Stored(rrset), required: true });
    }

    /// Adds an `RRset` and, if wanted, its signatures.
    #[inline]
    fn push_signed(
        &mut self,
        section: Section,
        owner: Owner<'z>,
        node: &Node<'z>,
        rtype: u16,
        dnssec_ok: bool,
    ) -> bool {
        if !dnssec_ok {
            return node.rrset(rtype).inspect(|&rrset| self.push(section, owner, rrset)).is_some();
        }
        let Some((rrset, signatures)) = node.signed_rrset(rtype) else { return false };
        self.push(section, owner, rrset);
        if let Some(signatures) = signatures {
            self.push(section, owner, signatures);
        }
        true
    }

    /// Whether these very records are in one of the sections already.
    fn holds(&self, rrset: &Rrset<'_>, sections: &[Section]) -> bool {
        self.items.iter().any(|item| match item.data {
            Data::Stored(other) => sections.contains(&item.section) && std::ptr::eq(other.image, rrset.image),
            Data::Synthesized(..) | Data::NegativeSoa(..) => false,
        })
    }
}

/// An owner by its name relative to the apex, when it is not to be written as part of the question.
fn stored<'z>(zone: &'z Zone, relative: &'z [u8]) -> Owner<'z> {
    Owner::Stored(relative, zone.apex().as_wire())
}
