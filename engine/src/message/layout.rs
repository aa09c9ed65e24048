//! Where the parts of a message lie in its octets (RFC 1035 §4.1). Names are stepped over, RDATA is not looked at.

use std::ops::Range;

use super::{HEADER, name};
use crate::name::MAX_WIRE;

/// The octets of a record between owner and RDATA.
const FIELDS: usize = 10;

/// A record: its fixed fields, and where its parts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// 1 to 3: answer, authority, additional; in an UPDATE prerequisite, update, additional.
    pub section: u8,
    /// Where its owner begins.
    pub start: usize,
    /// Its type.
    pub rtype: u16,
    /// Its class.
    pub class: u16,
    /// Its TTL.
    pub ttl: u32,
    /// Where its RDATA is.
    pub rdata: Range<usize>,
}

/// A whole message: where its questions end, and its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Where the records begin.
    pub question_end: usize,
    /// All records.
    pub records: Vec<Place>,
}

/// Walks a message to its last octet.
///
/// # Errors
///
/// Octets are missing, or left over.
pub fn read(message: &[u8]) -> Result<Layout, &'static str> {
    const MALFORMED: &str = "the message is cut off or malformed";
    let Some(header) = message.first_chunk::<HEADER>() else { return Err(MALFORMED) };
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let mut at = HEADER;
    for _ in 0..count(4) {
        at = owner(message, at).ok_or(MALFORMED)? + 4;
    }
    let question_end = at;
    let mut records = Vec::new();
    for section in 1..=3 {
        for _ in 0..count(4 + 2 * usize::from(section)) {
            let place = record(message, at, section).ok_or(MALFORMED)?;
            at = place.rdata.end;
            records.push(place);
        }
    }
    match at.cmp(&message.len()) {
        std::cmp::Ordering::Less => Err("octets are left over behind the last record"),
        std::cmp::Ordering::Equal => Ok(Layout { question_end, records }),
        std::cmp::Ordering::Greater => Err(MALFORMED),
    }
}

fn owner(message: &[u8], at: usize) -> Option<usize> {
    name::skip(message, at).filter(|end| end - at <= MAX_WIRE)
}

fn record(message: &[u8], start: usize, section: u8) -> Option<Place> {
    let at = owner(message, start)?;
    let [t0, t1, c0, c1, l0, l1, l2, l3, n0, n1] = *message.get(at..)?.first_chunk::<FIELDS>()?;
    let rdata = at + FIELDS..at + FIELDS + usize::from(u16::from_be_bytes([n0, n1]));
    (rdata.end <= message.len()).then(|| Place {
        section,
        start,
        rtype: u16::from_be_bytes([t0, t1]),
        class: u16::from_be_bytes([c0, c1]),
        ttl: u32::from_be_bytes([l0, l1, l2, l3]),
        rdata,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A question, and a TXT record of two octets that points to its name.
    const MESSAGE: &[u8] =
        b"\0\x01\0\0\0\x01\0\0\0\0\0\x01\x03org\0\0\x10\0\x01\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x02\x01a";

    #[test]
    fn a_message_is_walked_to_its_end() {
        let place = Place { section: 3, start: 21, rtype: 16, class: 1, ttl: 60, rdata: 33..35 };
        assert_eq!(read(MESSAGE), Ok(Layout { question_end: 21, records: vec![place] }));
    }

    #[test]
    fn what_is_cut_off_or_left_over_is_malformed() {
        for length in 0..MESSAGE.len() {
            assert!(read(&MESSAGE[..length]).is_err(), "{length}");
        }
        assert!(read(&[MESSAGE, b"\0"].concat()).is_err());
    }

    proptest! {
        #[test]
        fn no_octets_lead_beyond_the_message(message in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(layout) = read(&message) {
                prop_assert!(layout.records.iter().all(|place| place.rdata.end <= message.len()));
            }
        }
    }
}
