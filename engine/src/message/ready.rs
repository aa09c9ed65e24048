//! Records of a zone's apex, composed beforehand: behind a question for any name of the zone they are the same octets,
//! but for where their pointers lead.

use smallvec::SmallVec;

use super::HEADER;
use super::writer::{NameForm, Section, Writer, fixed};
use crate::rdata::Embedded;
use crate::zone::hash::LookupName;

/// TYPE, CLASS, TTL and RDLENGTH.
const FIXED: usize = 10;

/// Composed records.
#[derive(Clone, Debug)]
pub struct Ready {
    octets: Box<[u8]>,
    pointers: SmallVec<[Pointer; 4]>,
    count: u16,
}

/// Where a pointer stands in the octets, and what it points at.
#[derive(Clone, Copy, Debug)]
struct Pointer {
    at: u16,
    to: To,
}

#[derive(Clone, Copy, Debug)]
enum To {
    /// So many octets into the name of the apex, which stands in the question.
    Apex(u16),
    /// So many octets into the records themselves.
    Own(u16),
}

impl Ready {
    /// Composes records that the apex owns: TYPE, TTL and RDATA of each.
    ///
    /// # Panics
    /// Never: there is room for all of them.
    #[must_use]
    pub fn of_apex(apex: &[u8], records: &[(u16, u32, &[u8])]) -> Self {
        let mut name = LookupName::default();
        name.fill(apex);
        let longest: usize = records.iter().map(|(_, _, rdata)| 2 + FIXED + rdata.len()).sum();
        let mut out = vec![0; HEADER + apex.len() + 4 + longest];
        let mut writer = Writer::new(&mut out, 0);
        writer.question(&[apex, &[0; 4]].concat()).expect("a question fits");
        writer.remember_question(&name);
        let start = writer.length();
        for &(rtype, ttl, rdata) in records {
            let (owner, fixed) = (NameForm::At(narrow(HEADER)), fixed(rtype, ttl));
            writer.record(Section::Authority, owner, fixed, rdata, Embedded::of(rtype)).expect("the records fit");
        }
        let end = writer.length();
        let octets: Box<[u8]> = out[start..end].into();
        let pointers = pointers(&octets).map(|at| {
            let target = usize::from(u16::from_be_bytes([octets[at] & 0x3f, octets[at + 1]]));
            let to = if target < start { To::Apex(narrow(target - HEADER)) } else { To::Own(narrow(target - start)) };
            Pointer { at: narrow(at), to }
        });
        Self { pointers: pointers.collect(), count: narrow(records.len()), octets }
    }

    /// The octets, to be copied and then patched.
    #[must_use]
    #[inline]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// How many records.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Puts the pointers into a copy of the octets that stands at octet `start` of a message which has the name of the
    /// apex at octet `apex`. Both are near its beginning: nothing but a question is in front of the copy.
    #[inline]
    pub fn patch(&self, copy: &mut [u8], start: usize, apex: usize) {
        for pointer in &self.pointers {
            let at = usize::from(pointer.at);
            let target = match pointer.to {
                To::Apex(offset) => apex + usize::from(offset),
                To::Own(offset) => start + usize::from(offset),
            };
            copy[at..at + 2].copy_from_slice(&(0xc000 | narrow(target)).to_be_bytes());
        }
    }
}

/// Where pointers stand in records that have one for their owners.
fn pointers(records: &[u8]) -> impl Iterator<Item = usize> {
    let mut found: SmallVec<[usize; 4]> = SmallVec::new();
    let mut at = 0;
    while at < records.len() {
        found.push(at);
        let number = |at: usize| u16::from_be_bytes([records[at], records[at + 1]]);
        let embedded = Embedded::of(number(at + 2));
        let rdata = at + 2 + FIXED;
        at = rdata + embedded.start;
        for _ in 0..embedded.count {
            while matches!(records[at], 1..0xc0) {
                at += 1 + usize::from(records[at]);
            }
            if records[at] == 0 {
                at += 1;
            } else {
                found.push(at);
                at += 2;
            }
        }
        at = rdata + usize::from(number(rdata - 2));
    }
    found.into_iter()
}

#[allow(clippy::cast_possible_truncation, reason = "places in a message, which has at most 65535 octets")]
fn narrow(number: usize) -> u16 {
    number as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::name::read;
    use crate::rdata::types;

    const APEX: &[u8] = b"\x07example\x03org\x00";
    const NUMBERS: [u8; 20] = [7; 20];

    /// The names in a message behind the question for `host.APEX`: the owner, and those of the SOA.
    fn names_behind_a_question(mname: &[u8], rname: &[u8]) -> [Vec<u8>; 3] {
        let soa = [mname, rname, &NUMBERS].concat();
        let ready = Ready::of_apex(APEX, &[(types::SOA, 300, &soa), (types::RRSIG, 300, b"signature")]);
        let mut message = [&[0; HEADER][..], b"\x04host", APEX, b"\0\x01\0\x01"].concat();
        let start = message.len();
        message.extend_from_slice(ready.octets());
        ready.patch(&mut message[start..], start, HEADER + 5);
        assert_eq!(ready.count(), 2);
        let mut names = [const { Vec::new() }; 3];
        let owner_end = read(&message, start, &mut names[0]).unwrap();
        let mname_end = read(&message, owner_end + FIXED, &mut names[1]).unwrap();
        let rname_end = read(&message, mname_end, &mut names[2]).unwrap();
        assert_eq!(message[rname_end..rname_end + 20], NUMBERS);
        let mut second_owner = Vec::new();
        let end = read(&message, rname_end + 20, &mut second_owner).unwrap();
        assert_eq!((second_owner.as_slice(), &message[end + FIXED..]), (APEX, &b"signature"[..]));
        names
    }

    #[test]
    fn pointers_lead_where_they_led() {
        for (mname, rname) in [
            (&b"\x02ns\x07example\x03org\x00"[..], &b"\x04host\x07example\x03org\x00"[..]),
            (b"\x02ns\x03net\x00", b"\x04host\x02ns\x03net\x00"),
            (b"\x01a\x03org\x00", b"\x01b\x01a\x03org\x00"),
            (b"\x00", b"\x00"),
            (APEX, APEX),
        ] {
            assert_eq!(names_behind_a_question(mname, rname), [APEX, mname, rname].map(<[u8]>::to_vec));
        }
    }
}
