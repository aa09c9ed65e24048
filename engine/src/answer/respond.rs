//! From packet to packet: the one path that every query takes, in the serving threads and when Python asks.

use std::net::{IpAddr, Ipv4Addr};

use super::chaos;
pub use super::chaos::Identity;
use super::decide::{self, Question};
use super::{Answer, Kind, encode};
use crate::message::cookie::CookieSecrets;
use crate::message::edns::{Edns, ExtendedError, Options, Reply};
use crate::message::query::{self, Packet, Query};
use crate::message::writer::Writer;
use crate::message::{HEADER, flag, rcode};
use crate::rdata::types;
use crate::zone::catalogue::Catalogue;
use crate::zone::foresee::Foreseen;
use crate::zone::hash::LookupName;

const CLASS_IN: u16 = 1;
const CLASS_CH: u16 = 3;
const CLASS_ANY: u16 = 255;
/// UDP payload of a requestor without EDNS (RFC 1035 §4.2.1).
const CLASSIC_PAYLOAD: usize = 512;

/// The largest UDP response by default: no fragments on any path seen today (RFC 9715 §3.1).
pub const UDP_PAYLOAD: u16 = 1232;

/// What is the same for all answers.
#[derive(Clone)]
pub struct Settings {
    /// Largest UDP response, and what our OPT record says.
    pub udp_payload: u16,
    /// Idle time-out over TCP in units of 100 ms, told to those who ask (RFC 7828).
    pub keepalive: u16,
    /// What the operator tells about the server.
    pub identity: Identity,
    /// For cookies.
    pub secrets: CookieSecrets,
}

/// Where a packet came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The source address.
    pub address: IpAddr,
    /// By TCP, so that the address is proved and the size no matter.
    pub tcp: bool,
}

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send so many octets of the buffer.
    Answer {
        /// Octets written.
        length: usize,
        /// Kind of answer, for rate limiting.
        kind: Kind,
        /// What the answer is about, for rate limiting.
        subject: u64,
        /// The client has proved its address by a cookie.
        proved: bool,
        /// What to count it as.
        facts: Facts,
    },
    /// Send nothing.
    Silence,
    /// Python decides.
    HandOver,
}

/// What is counted of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The type asked for; 0 where there was no question.
    pub qtype: u16,
    /// RCODE, with what of it stands in the OPT record.
    pub rcode: u16,
    /// Whether it has the TC bit.
    pub truncated: bool,
    /// Whether the query had a cookie, of whatever worth.
    pub cookie: bool,
}

/// Room for names, kept from packet to packet.
#[derive(Default)]
pub struct Scratch {
    /// The names of a batch that was looked ahead for.
    pub foreseen: Foreseen,
    question: LookupName,
    chain: LookupName,
}

/// Where a response is written.
pub struct Room<'o> {
    /// At least 512 octets.
    pub out: &'o mut [u8],
    /// How many octets of the largest response to leave free behind it, for what is added later (TSIG).
    pub reserve: usize,
}

/// The parts of a response that depend on its query alone.
struct Frame<'a> {
    query: &'a Query<'a>,
    reply: Option<Reply<'a>>,
    proved: bool,
}

/// Answers one packet into `out`. `now` is in seconds since 1970.
#[must_use]
#[inline]
pub fn respond(
    catalogue: &Catalogue,
    settings: &Settings,
    scratch: &mut Scratch,
    packet: &[u8],
    peer: Peer,
    now: u32,
    room: Room<'_>,
) -> Outcome {
    let (query, error) = match query::read(packet) {
        Packet::Query(query) => (query, None),
        Packet::Error(code, query) => (query, Some(code)),
        Packet::HandOver => return Outcome::HandOver,
        Packet::Silence => return Outcome::Silence,
    };
    let mut cookie = [0; 24];
    let mut frame = Frame::new(&query, settings, peer, now, &mut cookie);
    let out = limit(room, &frame, settings, peer);
    match error.or_else(|| refusal(&query)) {
        Some(code) => bare(&frame, code, None, out),
        None if query.qclass == CLASS_CH => about_the_server(&frame, &settings.identity, out),
        None if !matches!(query.qclass, CLASS_IN | CLASS_ANY) => bare(&frame, rcode::REFUSED, None, out),
        None => {
            let name = if let Some(name) = scratch.foreseen.take(query.name) {
                name
            } else {
                scratch.question.fill(query.name);
                &scratch.question
            };
            let question = Question {
                qtype: query.qtype,
                dnssec_ok: query.edns.is_some_and(|edns| edns.dnssec_ok),
                any_in_full: peer.tcp,
            };
            let mut answer = Answer::empty();
            decide::decide(catalogue, name, &mut scratch.chain, question, &mut answer);
            write(&mut frame, name, &answer, out)
        }
    }
}

/// Makes a response without records that says "ask over TCP", for the slip of rate limiting. It has no cookie: the
/// client did not prove its address, and over TCP it will get one.
#[must_use]
pub fn truncated(settings: &Settings, packet: &[u8], out: &mut [u8]) -> usize {
    let Packet::Query(mut query) = query::read(packet) else { return 0 };
    if let Some(edns) = &mut query.edns {
        edns.cookie = None;
    }
    let mut cookie = [0; 24];
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), tcp: false };
    let mut frame = Frame::new(&query, settings, peer, 0, &mut cookie);
    let mut writer = frame.writer(out);
    frame.finish(&mut writer, flag::TC, rcode::NOERROR)
}

/// Codes that follow from the query alone.
#[inline]
fn refusal(query: &Query<'_>) -> Option<u16> {
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Some(rcode::BADVERS);
    }
    if query.name.is_empty() {
        return Some(rcode::NOERROR);
    }
    match query.qtype {
        types::OPT | types::TSIG | types::TKEY => Some(rcode::FORMERR),
        types::MAILA | types::MAILB => Some(rcode::NOTIMP),
        _ => None,
    }
}

fn limit<'o>(room: Room<'o>, frame: &Frame<'_>, settings: &Settings, peer: Peer) -> &'o mut [u8] {
    let most = if peer.tcp {
        usize::from(u16::MAX)
    } else {
        let theirs = frame.query.edns.map_or(CLASSIC_PAYLOAD, |edns| usize::from(edns.payload));
        theirs.min(usize::from(settings.udp_payload))
    };
    let Room { out, reserve } = room;
    // The question always fits, whatever is kept free.
    let least = HEADER + frame.query.name.len() + 4 + frame.reply.as_ref().map_or(0, Reply::length);
    let most = most.saturating_sub(reserve).max(least).min(out.len());
    &mut out[..most]
}

impl<'a> Frame<'a> {
    #[inline]
    fn new(query: &'a Query<'a>, settings: &'a Settings, peer: Peer, now: u32, room: &'a mut [u8; 24]) -> Self {
        let mut frame = Self { query, reply: None, proved: false };
        if let Some(edns) = &query.edns {
            let (payload, dnssec_ok) = (settings.udp_payload, edns.dnssec_ok);
            let options = edns.has_options().then(|| frame.options(edns, settings, peer, now, room));
            frame.reply = Some(Reply { payload, extended_rcode: 0, dnssec_ok, options });
        }
        frame
    }

    fn options(
        &mut self,
        edns: &Edns<'_>,
        settings: &'a Settings,
        peer: Peer,
        now: u32,
        room: &'a mut [u8; 24],
    ) -> Options<'a> {
        let cookie = edns.cookie.map(|received| {
            (*room, self.proved) = settings.secrets.answer(received, peer.address, now);
            &*room
        });
        Options {
            cookie,
            nsid: settings.identity.identity.as_deref().filter(|_| edns.nsid),
            keepalive: (edns.keepalive && peer.tcp).then_some(settings.keepalive),
            error: None,
        }
    }

    /// Says why, where the client speaks EDNS.
    fn explain(&mut self, error: ExtendedError) {
        if let Some(reply) = &mut self.reply {
            reply.options.get_or_insert_default().error = Some(error);
        }
    }

    #[inline]
    fn facts(&self, rcode: u16, flags: u16) -> Facts {
        Facts {
            qtype: self.query.qtype,
            rcode,
            truncated: flags & flag::TC != 0,
            cookie: self.query.edns.is_some_and(|edns| edns.cookie.is_some()),
        }
    }

    /// A writer with the question written and room for OPT kept.
    #[inline]
    fn writer<'o, 'n>(&self, out: &'o mut [u8]) -> Writer<'o, 'n> {
        let mut writer = Writer::new(out, self.reply.as_ref().map_or(0, Reply::length));
        if !self.query.name.is_empty() {
            let _ = writer.question(&self.query.message[HEADER..HEADER + self.query.name.len() + 4]);
        }
        writer
    }

    #[inline]
    fn finish(&mut self, writer: &mut Writer<'_, '_>, flags: u16, code: u16) -> usize {
        let message = self.query.message;
        let received = u16::from_be_bytes([message[2], message[3]]);
        // Opcode and RD come back as they were (RFC 1035 §4.1.1); CD is for resolvers (RFC 4035 §3.1.6).
        let echoed = received & (0x7800 | flag::RD);
        if let Some(reply) = &mut self.reply {
            reply.extended_rcode = u8::try_from(code >> 4).unwrap_or_default();
        }
        let flags = flag::QR | echoed | flags | code & 0x0f;
        writer.finish([message[0], message[1]], flags, !self.query.name.is_empty(), self.reply.as_ref())
    }
}

/// A response without records.
#[cold]
fn bare(frame: &Frame<'_>, code: u16, error: Option<ExtendedError>, out: &mut [u8]) -> Outcome {
    let mut frame = Frame { ..*frame };
    if let Some(error) = error {
        frame.explain(error);
    }
    let (proved, facts) = (frame.proved, frame.facts(code, 0));
    let mut writer = frame.writer(out);
    Outcome::Answer { length: frame.finish(&mut writer, 0, code), kind: Kind::Error, subject: 0, proved, facts }
}

#[cold]
fn about_the_server(frame: &Frame<'_>, identity: &Identity, out: &mut [u8]) -> Outcome {
    let mut frame = Frame { ..*frame };
    let Some(text) = identity.text(frame.query.name, frame.query.qtype) else {
        return bare(&frame, rcode::REFUSED, None, out);
    };
    let mut writer = frame.writer(out);
    let flags = if chaos::answer(&mut writer, text).is_ok() { flag::AA } else { flag::AA | flag::TC };
    let (proved, facts) = (frame.proved, frame.facts(rcode::NOERROR, flags));
    Outcome::Answer {
        length: frame.finish(&mut writer, flags, rcode::NOERROR),
        kind: Kind::Positive,
        subject: 1,
        proved,
        facts,
    }
}

#[inline]
fn write(frame: &mut Frame<'_>, name: &LookupName, answer: &Answer<'_>, out: &mut [u8]) -> Outcome {
    if let Some(error) = answer.error {
        frame.explain(error);
    }
    let mut writer = frame.writer(out);
    // What covers all classes cannot be authoritative (RFC 1034 §3.7.1).
    let authoritative = answer.authoritative && frame.query.qclass != CLASS_ANY;
    let mut flags = if authoritative { flag::AA } else { 0 };
    if encode::items(&mut writer, name, answer) {
        flags |= flag::TC;
    }
    let (proved, facts) = (frame.proved, frame.facts(answer.rcode, flags));
    let length = frame.finish(&mut writer, flags, answer.rcode);
    Outcome::Answer { length, kind: answer.kind, subject: answer.subject, proved, facts }
}
