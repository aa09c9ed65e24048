//! The one room with sockets and threads: moves queries to a [`Responder`] and its answers back.
//!
//! Each worker is one core's worth of serving: for every address a UDP thread with a socket of its own
//! (`SO_REUSEPORT`), and one TCP thread for all addresses. The threads share nothing they write to, so a query costs
//! no lock, no allocation and no locked instruction. What a responder does not decide goes through [`Handover`] to
//! whoever takes requests there.
//!
//! What does not belong here: any knowledge of what is in a message, but for its length in front of it on TCP.
//!
//! ```text
//!  bind ─ sockets ─┬─ udp (thread per worker and address) ─┬─ Responder      sys: the system calls
//!  inherited ──────┤                                       │
//!                  └─ tcp (thread per worker) ─────────────┤                 counters: what is counted
//!                       listener · connection · table      └─ Handover       limits: response rate limiting
//!                       session · tls: certificate         tap · ring: what is shown
//! ```

mod bind;
mod counters;
mod endpoint;
mod event;
mod handover;
mod inherited;
mod limits;
mod packet_info;
mod ring;
mod server;
mod sleepers;
mod sys;
mod tap;
mod tcp;
mod tls;
mod udp;

use std::time::Duration;

pub use counters::{Counter, Labels};
pub use endpoint::Endpoint;
pub use handover::{Handover, Request};
pub use server::{Server, Socket};
pub use tap::{Exchange, Stage, Taps};
pub use tls::{Tls, UnusableCertificate};

/// How a message came, and so how its answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One message per datagram.
    Udp,
    /// Messages with their length in front (RFC 1035 §4.2.2, RFC 7766).
    Tcp,
    /// The same over TLS, where both sides have agreed to speak DNS (RFC 7858, RFC 9103 §7.1).
    Tls,
}

/// What rate limiting takes for "the same answer": an attacker must not get fresh accounts by asking for random
/// names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponseClass {
    /// The kind of answer: positive, NODATA, NXDOMAIN, referral, error.
    pub kind: u8,
    /// A hash of what was answered: of the name for positives, of the zone or delegation for the others.
    pub key: u32,
}

/// What a responder made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first `length` octets of the room hold the answer.
    Answer {
        /// How long the answer is.
        length: usize,
        /// What to count it as for rate limiting.
        class: ResponseClass,
        /// The peer has proved its address (RFC 7873), so it is not limited.
        exempt: bool,
        /// What else to count it as.
        labels: Labels,
    },
    /// The message deserves no answer.
    Silence,
    /// Somebody else decides: see [`Handover`].
    HandOver,
}

/// Decides answers. Every serving thread has one of its own, so it may keep memory to work in.
pub trait Responder: Send + 'static {
    /// Called before each batch of messages, and at least about once a second: a chance to turn to newer data.
    fn refresh(&mut self);

    /// Called with all messages of a batch before the first of them: a chance to look ahead. Most need no such thing.
    fn foresee<'q>(&mut self, queries: impl Iterator<Item = &'q [u8]>) {
        let _ = queries;
    }

    /// Composes the answer to `query` in `room`, which is as long as the transport allows an answer to be.
    fn respond(&mut self, query: &[u8], transport: Transport, peer: &Endpoint, room: &mut [u8]) -> Verdict;

    /// Composes the shortest answer to `query` that is truncated (TC), for the slip of rate limiting; gives its
    /// length.
    fn truncate(&mut self, query: &[u8], room: &mut [u8]) -> usize;
}

/// How to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Cores to use.
    pub workers: usize,
    /// Most TCP connections open. Each worker has its share, rounded up, since the kernel spreads connections.
    pub tcp_connections: usize,
    /// Most of them from one IPv4 address or IPv6 /64, shared out in the same way.
    pub tcp_connections_per_source: usize,
    /// How long a connection may be idle, a message incomplete or an answer unread. A quarter of it when three
    /// quarters of the connections are open.
    pub tcp_idle: Duration,
    /// How long a connection is kept for a reply to a request that was handed over, or for the next of several.
    pub tcp_reply: Duration,
    /// Most requests that wait to be taken from the hand-over.
    pub handover_queue: usize,
    /// Identical answers over UDP to one network (/24, /56) in a second; 0 does not limit. Each worker has its share,
    /// rounded up.
    pub rate_limit: u32,
    /// Most octets of an answer over UDP, at least 512.
    pub udp_payload: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            tcp_connections: 1000,
            tcp_connections_per_source: 250,
            tcp_idle: Duration::from_secs(10),
            tcp_reply: Duration::from_secs(60),
            handover_queue: 1024,
            rate_limit: 0,
            udp_payload: 1232,
        }
    }
}
