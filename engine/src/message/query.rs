//! Reading a query: only what an answer depends on, in one pass, without allocating.

use super::HEADER;
use super::edns::{self, Edns};
use super::name;
use crate::name::{MAX_LABEL, MAX_WIRE};

const OPCODE_QUERY: u8 = 0;
const OPCODE_NOTIFY: u8 = 4;
const OPCODE_UPDATE: u8 = 5;
const OPT: u8 = 41;
const TYPE_OPT: u16 = OPT as u16;
const TYPE_TSIG: u16 = 250;
const TYPE_IXFR: u16 = 251;
const TYPE_AXFR: u16 = 252;

/// A query as read.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The whole message.
    pub message: &'a [u8],
    /// The QNAME: uncompressed wire form, case as sent. Empty if there is no question.
    pub name: &'a [u8],
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
    /// What the OPT record says, if there is one.
    pub edns: Option<Edns<'a>>,
}

/// What a packet turns out to be.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A query that the engine answers.
    Query(Query<'a>),
    /// Something Python decides: NOTIFY, UPDATE, transfers, TSIG.
    HandOver,
    /// To be answered with this code alone; the query holds what could be read of the question.
    Error(u16, Query<'a>),
    /// No request at all: too short, or a response. Answering could start a war of packets.
    Silence,
}

/// Reads a packet (RFC 1035 §4.1, RFC 6891 §6.1, RFC 8906 §3).
#[must_use]
#[inline]
pub fn read(message: &[u8]) -> Packet<'_> {
    let mut query = Query { message, name: &[], qtype: 0, qclass: 0, edns: None };
    let Some(header) = message.first_chunk::<HEADER>() else { return Packet::Silence };
    if header[2] & 0x80 != 0 {
        return Packet::Silence;
    }
    match header[2] >> 3 & 0x0f {
        OPCODE_QUERY => {}
        OPCODE_NOTIFY | OPCODE_UPDATE => return Packet::HandOver,
        _ => return Packet::Error(super::rcode::NOTIMP, query),
    }
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let formerr = super::rcode::FORMERR;
    let mut at = HEADER;
    match count(4) {
        0 => {}
        1 => match read_question(message, &mut query) {
            Some(end) => at = end,
            None => return Packet::Error(formerr, query),
        },
        _ => return Packet::Error(formerr, query),
    }
    match read_behind(message, at, [count(6), count(8), count(10)], &mut query.edns) {
        Some(Rest::Plain) => {}
        Some(Rest::HandOver) => return Packet::HandOver,
        None => return Packet::Error(formerr, query),
    }
    match query.qtype {
        TYPE_AXFR | TYPE_IXFR => Packet::HandOver,
        // A question may be missing only where a cookie is all that is asked for (RFC 7873 §5.4).
        _ if query.name.is_empty() && query.edns.is_none_or(|edns| edns.cookie.is_none()) => {
            Packet::Error(formerr, query)
        }
        _ => Packet::Query(query),
    }
}

/// QNAME and QTYPE of a message that has a question.
#[must_use]
pub fn question(message: &[u8]) -> Option<(&[u8], u16)> {
    let mut query = Query { message, name: &[], qtype: 0, qclass: 0, edns: None };
    read_question(message, &mut query)?;
    Some((query.name, query.qtype))
}

/// Reads the question and returns where it ends. A question cannot be compressed: there is nothing before it.
#[inline]
fn read_question<'a>(message: &'a [u8], query: &mut Query<'a>) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1 + length;
        if length > MAX_LABEL || at - HEADER > MAX_WIRE {
            return None;
        }
        if length == 0 {
            break;
        }
    }
    let rest = message.get(at..at + 4)?;
    query.name = &message[HEADER..at];
    query.qtype = u16::from_be_bytes([rest[0], rest[1]]);
    query.qclass = u16::from_be_bytes([rest[2], rest[3]]);
    Some(at + 4)
}

/// Reads what comes behind the question. None when it is malformed; OPT may have been found even then.
#[inline]
fn read_behind<'a>(message: &'a [u8], at: usize, counts: [u16; 3], edns: &mut Option<Edns<'a>>) -> Option<Rest> {
    *edns = sole_opt(counts, &message[at..]);
    if edns.is_some() || counts == [0; 3] {
        return Some(Rest::Plain);
    }
    // Walked into a place of its own, so that what is mostly not walked for may stay in registers.
    let mut walked = None;
    let rest = read_records(message, at, counts, &mut walked);
    *edns = walked;
    rest
}

/// The OPT record, if it is all that comes behind the question and has no options: that of most queries, which need no
/// walk.
#[inline]
fn sole_opt(counts: [u16; 3], rest: &[u8]) -> Option<Edns<'static>> {
    let &[0, 0, OPT, p0, p1, t0, t1, t2, t3, 0, 0] = rest else { return None };
    (counts == [0, 0, 1]).then(|| Edns::without_options([p0, p1], [t0, t1, t2, t3]))
}

enum Rest {
    Plain,
    HandOver,
}

/// Walks the records behind the question, for OPT and TSIG. None when they are malformed.
fn read_records<'a>(message: &'a [u8], mut at: usize, counts: [u16; 3], edns: &mut Option<Edns<'a>>) -> Option<Rest> {
    let mut rest = Rest::Plain;
    for (section, &count) in counts.iter().enumerate() {
        for _ in 0..count {
            let owner = at;
            at = name::skip(message, at)?;
            let fixed = message.get(at..at + 10)?;
            let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
            let rdata_end = at + 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
            let rdata = message.get(at + 10..rdata_end)?;
            match rtype {
                TYPE_OPT => {
                    // One OPT, in the additional section, owned by the root (RFC 6891 §6.1.1).
                    if section != 2 || edns.is_some() || message[owner] != 0 {
                        return None;
                    }
                    *edns = Some(edns::read([fixed[2], fixed[3]], [fixed[4], fixed[5], fixed[6], fixed[7]], rdata)?);
                }
                TYPE_TSIG => rest = Rest::HandOver,
                _ => {}
            }
            at = rdata_end;
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::rcode;
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01";

    fn changed(at: usize, octets: &[u8]) -> Vec<u8> {
        let mut copy = PLAIN.to_vec();
        copy[at..at + octets.len()].copy_from_slice(octets);
        copy
    }

    fn error(message: &[u8]) -> Option<u16> {
        match read(message) {
            Packet::Error(code, _) => Some(code),
            _ => None,
        }
    }

    #[test]
    fn a_plain_query_is_read() {
        let Packet::Query(query) = read(PLAIN) else { panic!("a query") };
        assert_eq!((query.name, query.qtype, query.qclass), (&b"\x03www\x07example\x03org\x00"[..], 1, 1));
        assert!(query.edns.is_none());
    }

    #[test]
    fn responses_and_scraps_get_silence() {
        assert!(matches!(read(&changed(2, b"\x81")), Packet::Silence));
        assert!(matches!(read(&PLAIN[..11]), Packet::Silence));
    }

    #[test]
    fn wrong_counts_are_format_errors() {
        assert_eq!(error(&changed(4, b"\x00\x00")), Some(rcode::FORMERR), "no question");
        assert_eq!(error(&changed(4, b"\x00\x02")), Some(rcode::FORMERR), "two questions");
        assert_eq!(error(&changed(10, b"\x00\x01")), Some(rcode::FORMERR), "a record that is not there");
        assert_eq!(error(&PLAIN[..20]), Some(rcode::FORMERR), "cut off in the name");
        assert_eq!(error(&changed(12, b"\xc0\x0c")), Some(rcode::FORMERR), "a question that points at itself");
    }

    #[test]
    fn opcodes_are_told_apart() {
        assert_eq!(error(&changed(2, b"\x10")), Some(rcode::NOTIMP), "STATUS");
        assert!(matches!(read(&changed(2, b"\x20")), Packet::HandOver), "NOTIFY");
        assert!(matches!(read(&changed(2, b"\x28")), Packet::HandOver), "UPDATE");
    }

    #[test]
    fn a_second_opt_is_a_format_error() {
        let opt = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";
        let one = [&changed(10, b"\x00\x01"), &opt[..]].concat();
        let Packet::Query(query) = read(&one) else { panic!("a query") };
        assert!(query.edns.is_some_and(|edns| edns.dnssec_ok && edns.payload == 1232));
        let two = [&changed(10, b"\x00\x02"), &opt[..], &opt[..]].concat();
        assert_eq!(error(&two), Some(rcode::FORMERR));
    }

    proptest! {
        #[test]
        fn an_opt_by_itself_is_read_as_a_walk_reads_it(fields in any::<[u8; 6]>(), length in 0_u8..2) {
            let record = [&[0, 0, OPT], &fields[..], &[0, length]].concat();
            let mut walked = None;
            let _ = read_records(&record, 0, [0, 0, 1], &mut walked);
            prop_assert_eq!(sole_opt([0, 0, 1], &record), walked);
            prop_assert_eq!(sole_opt([0, 1, 0], &record), None, "no OPT stands in another section");
        }

        #[test]
        fn no_octets_break_the_reader(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&octets);
        }
    }
}
