//! Asking over UDP, in batches, so that the asking costs less than the answering.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, UdpSocket};
use std::time::Instant;

use crate::options::Options;
use crate::pace::Pace;
use crate::queries::Queries;
use crate::report::Report;
use crate::sys::{self, BATCH, Inbox, Watch};
use crate::window::Window;

/// One socket with its window.
struct Lane {
    socket: UdpSocket,
    window: Window,
}

/// Asks until the pace says that all was asked, then waits for the answers outstanding.
pub fn run(options: &Options, queries: &mut Queries, pace: &Pace, report: &mut Report) -> io::Result<()> {
    let mut lanes = (0..options.sockets).map(|_| Lane::open(options)).collect::<io::Result<Vec<_>>>()?;
    let mut inbox = Inbox::new();
    let mut asking = true;
    while asking || lanes.iter().any(|lane| !lane.window.is_empty()) {
        let mut moved = false;
        for lane in &mut lanes {
            moved |= lane.receive(&mut inbox, report)?;
            let now = Instant::now();
            lane.window.expire(now, options.timeout, report);
            let allowance = pace.allowance(now, report.sent);
            asking &= allowance.is_some();
            moved |= lane.send(allowance.unwrap_or(0), queries, now, report)?;
        }
        if !moved {
            let mut watches: Vec<_> = lanes.iter().map(|lane| Watch::new(&lane.socket, false)).collect();
            sys::wait(&mut watches, pace.nap());
        }
    }
    Ok(())
}

impl Lane {
    fn open(options: &Options) -> io::Result<Self> {
        let any: IpAddr = if options.server.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(options.server)?;
        Ok(Self { socket, window: Window::new(options.per_socket()) })
    }

    /// Counts the answers that wait; says whether there were any.
    fn receive(&mut self, inbox: &mut Inbox, report: &mut Report) -> io::Result<bool> {
        match inbox.receive(&self.socket) {
            Ok(count) => {
                let now = Instant::now();
                inbox.messages().for_each(|message| self.window.answer(message, now, report));
                Ok(count > 0)
            }
            Err(error) if is_passing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks as many queries as fit the window and one batch; says whether any.
    fn send(&mut self, allowance: u64, queries: &mut Queries, now: Instant, report: &mut Report) -> io::Result<bool> {
        let count = self.window.room().min(BATCH).min(usize::try_from(allowance).unwrap_or(usize::MAX));
        if count == 0 {
            return Ok(false);
        }
        let (mut octets, mut ends) = (Vec::with_capacity(count * 64), [0; BATCH]);
        for end in &mut ends[..count] {
            octets.extend_from_slice(&self.window.ask(now).to_be_bytes());
            octets.extend_from_slice(&queries.next()[2..]);
            *end = octets.len();
        }
        let (mut start, mut messages) = (0, [&[][..]; BATCH]);
        for (message, end) in messages.iter_mut().zip(&ends[..count]) {
            *message = &octets[start..*end];
            start = *end;
        }
        let sent = match sys::send_batch(&self.socket, &messages[..count]) {
            Ok(sent) => sent,
            Err(error) if is_passing(&error) => 0,
            Err(error) => return Err(error),
        };
        report.sent += count as u64;
        report.failed += (count - sent) as u64;
        Ok(true)
    }
}

/// Errors that pass: nothing there, no room, or a server that is not there at the moment.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionRefused)
}
