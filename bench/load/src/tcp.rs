//! Asking over TCP: on connections that stay, or on one for each query.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Instant;

use crate::options::{Options, Transport};
use crate::pace::Pace;
use crate::queries::Queries;
use crate::report::Report;
use crate::sys::{self, Watch};
use crate::window::Window;

/// Source addresses to use in turn towards a server on this machine: a connection that was closed keeps its ports for a
/// while, and one address has but some ten thousand of them.
const LOOPBACK_SOURCES: u8 = 200;
/// Octets of one read.
const INPUT: usize = 64 * 1024;

/// One connection after the other, with its window.
struct Lane {
    stream: Option<TcpStream>,
    window: Window,
    /// Octets to send, and to take messages from.
    output: Vec<u8>,
    input: Vec<u8>,
}

/// What all lanes use.
struct Common<'run> {
    options: &'run Options,
    queries: &'run mut Queries,
    report: &'run mut Report,
    room: Vec<u8>,
    connections: u64,
}

/// Asks until the pace says that all was asked, then waits for the answers outstanding.
pub fn run(options: &Options, queries: &mut Queries, pace: &Pace, report: &mut Report) {
    let once = options.transport == Transport::TcpOnce;
    let size = if once { 1 } else { options.per_socket() };
    let mut lanes: Vec<_> = (0..options.sockets).map(|_| Lane::new(size)).collect();
    let mut common = Common { options, queries, report, room: vec![0; INPUT], connections: 0 };
    let mut asking = true;
    while asking || lanes.iter().any(|lane| !lane.window.is_empty()) {
        let now = Instant::now();
        for lane in &mut lanes {
            lane.expire(now, &mut common);
            let allowance = pace.allowance(now, common.report.sent);
            asking &= allowance.is_some();
            lane.ask(allowance.unwrap_or(0), now, &mut common);
        }
        let mut watches: Vec<_> = lanes.iter().map(Lane::watch).collect();
        sys::wait(&mut watches, pace.nap());
        for (lane, _) in lanes.iter_mut().zip(&watches).filter(|(_, watch)| watch.is_ready()) {
            lane.exchange(&mut common);
        }
    }
}

impl Common<'_> {
    fn connect(&mut self) -> io::Result<TcpStream> {
        let source = match self.options.server.ip() {
            IpAddr::V4(server) if server.is_loopback() => {
                let host = u8::try_from(self.connections % u64::from(LOOPBACK_SOURCES)).unwrap_or(0);
                Some(Ipv4Addr::new(127, 0, 0, 1 + host))
            }
            _ => None,
        };
        self.connections += 1;
        sys::connect(self.options.server, source)
    }
}

impl Lane {
    fn new(size: usize) -> Self {
        Self { stream: None, window: Window::new(size), output: Vec::new(), input: Vec::new() }
    }

    fn watch(&self) -> Watch {
        self.stream.as_ref().map_or_else(Watch::nothing, |stream| Watch::new(stream, !self.output.is_empty()))
    }

    /// Gives up what takes too long, and in the one-query manner the connection with it.
    fn expire(&mut self, now: Instant, common: &mut Common) {
        let before = common.report.lost;
        self.window.expire(now, common.options.timeout, common.report);
        if common.report.lost > before && common.options.transport == Transport::TcpOnce {
            self.close(common.report);
        }
    }

    /// Asks as many queries as fit the window.
    fn ask(&mut self, allowance: u64, now: Instant, common: &mut Common) {
        let count = self.window.room().min(usize::try_from(allowance).unwrap_or(usize::MAX));
        if count == 0 {
            return;
        }
        if self.stream.is_none() {
            let Ok(stream) = common.connect() else {
                common.report.failed += 1;
                return;
            };
            self.stream = Some(stream);
        }
        for _ in 0..count {
            let query = common.queries.next();
            let length = u16::try_from(query.len()).expect("a query is at most 65535 octets");
            self.output.extend_from_slice(&length.to_be_bytes());
            self.output.extend_from_slice(&self.window.ask(now).to_be_bytes());
            self.output.extend_from_slice(&query[2..]);
        }
        common.report.sent += count as u64;
        self.write(common.report);
    }

    /// Does what the connection is ready for.
    fn exchange(&mut self, common: &mut Common) {
        self.write(common.report);
        let Some(stream) = &mut self.stream else { return };
        match stream.read(&mut common.room) {
            Ok(0) => self.close(common.report),
            Ok(count) => {
                self.input.extend_from_slice(&common.room[..count]);
                self.take_answers(common.report);
                if common.options.transport == Transport::TcpOnce && self.window.is_empty() {
                    self.close(common.report);
                }
            }
            Err(error) => self.bear(&error, common.report),
        }
    }

    fn write(&mut self, report: &mut Report) {
        let Some(stream) = &mut self.stream else { return };
        if self.output.is_empty() {
            return;
        }
        match stream.write(&self.output) {
            Ok(count) => drop(self.output.drain(..count)),
            Err(error) => self.bear(&error, report),
        }
    }

    fn bear(&mut self, error: &io::Error, report: &mut Report) {
        // NotConnected: the handshake is under way.
        if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected) {
            report.failed += 1;
            self.close(report);
        }
    }

    fn take_answers(&mut self, report: &mut Report) {
        let (now, mut start) = (Instant::now(), 0);
        while let Some((prefix, rest)) = self.input[start..].split_first_chunk::<2>() {
            let Some(message) = rest.get(..usize::from(u16::from_be_bytes(*prefix))) else { break };
            self.window.answer(message, now, report);
            start += 2 + message.len();
        }
        self.input.drain(..start);
    }

    /// Closes the connection; what was asked on it is lost.
    fn close(&mut self, report: &mut Report) {
        self.stream = None;
        self.output.clear();
        self.input.clear();
        self.window.lose_all(report);
    }
}
