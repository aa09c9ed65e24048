//! The one file with `unsafe`: batches of datagrams, polling, and connecting from a chosen address.

#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, iovec, mmsghdr, socklen_t};

/// Most datagrams in one call.
pub const BATCH: usize = 64;
/// Longest answer taken.
pub const ROOM: usize = 4096;

fn checked(result: c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_negative| io::Error::last_os_error())
}

/// Headers that describe nothing.
fn blank() -> ([iovec; BATCH], [mmsghdr; BATCH]) {
    // SAFETY: both are plain data for which all zeroes mean "nothing".
    unsafe { (zeroed(), zeroed()) }
}

#[allow(clippy::cast_possible_truncation, reason = "a batch and a socket address are small")]
const fn small(length: usize) -> u32 {
    length as u32
}

/// Sends messages, at most [`BATCH`], on a connected socket; gives how many the kernel took.
pub fn send_batch(socket: &UdpSocket, messages: &[&[u8]]) -> io::Result<usize> {
    let (mut vectors, mut headers) = blank();
    for ((message, vector), header) in messages.iter().zip(&mut vectors).zip(&mut headers) {
        *vector = iovec { iov_base: message.as_ptr().cast_mut().cast(), iov_len: message.len() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
    let count = small(messages.len().min(BATCH));
    // SAFETY: the first `count` headers describe the messages, which are alive and only read.
    checked(unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_DONTWAIT) })
}

/// Rooms for a batch of answers.
pub struct Inbox {
    rooms: Box<[[u8; ROOM]]>,
    lengths: [usize; BATCH],
    count: usize,
}

impl Inbox {
    pub fn new() -> Self {
        Self { rooms: vec![[0; ROOM]; BATCH].into_boxed_slice(), lengths: [0; BATCH], count: 0 }
    }

    /// Takes the datagrams that wait, at most [`BATCH`]; `WouldBlock` when there are none.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.count = 0;
        let (mut vectors, mut headers) = blank();
        for ((room, vector), header) in self.rooms.iter_mut().zip(&mut vectors).zip(&mut headers) {
            *vector = iovec { iov_base: room.as_mut_ptr().cast(), iov_len: ROOM };
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
        }
        let (first, flags) = (headers.as_mut_ptr(), libc::MSG_DONTWAIT);
        // SAFETY: the headers describe the rooms, which are alive, apart, and borrowed by nobody else.
        let result = unsafe { libc::recvmmsg(socket.as_raw_fd(), first, small(BATCH), flags, ptr::null_mut()) };
        self.count = checked(result)?;
        for (length, header) in self.lengths.iter_mut().zip(&headers[..self.count]) {
            *length = header.msg_len as usize;
        }
        Ok(self.count)
    }

    /// What the last call has brought.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.rooms.iter().zip(self.lengths).take(self.count).map(|(room, length)| &room[..length.min(ROOM)])
    }
}

/// A descriptor to wait for.
#[repr(transparent)]
pub struct Watch(libc::pollfd);

impl Watch {
    pub fn new(descriptor: &impl AsRawFd, writable: bool) -> Self {
        let events = libc::POLLIN | if writable { libc::POLLOUT } else { 0 };
        Self(libc::pollfd { fd: descriptor.as_raw_fd(), events, revents: 0 })
    }

    /// A place that waits for nothing.
    pub fn nothing() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until one of the descriptors is ready or the time is over. A signal ends the wait early.
pub fn wait(watches: &mut [Watch], limit: Duration) {
    let limit = libc::timespec {
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: i32::try_from(limit.subsec_nanos()).expect("less than a second").into(),
    };
    let (first, count) = (watches.as_mut_ptr().cast::<libc::pollfd>(), watches.len() as libc::nfds_t);
    // SAFETY: a Watch is a pollfd, and there are `count` of them from `first` on; the other pointers are to a live
    // timespec and to nothing.
    let result = unsafe { libc::ppoll(first, count, &raw const limit, ptr::null()) };
    debug_assert!(result >= 0 || io::Error::last_os_error().kind() == io::ErrorKind::Interrupted);
}

/// A non-blocking connection, perhaps not yet established, from `source` where it is given.
pub fn connect(server: SocketAddr, source: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let family = if server.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: socket() takes no pointers.
    let descriptor = unsafe { libc::socket(family, kind, 0) };
    checked(descriptor)?;
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    set_option(descriptor, libc::IPPROTO_TCP, libc::TCP_NODELAY)?;
    if let Some(source) = source {
        // The port is chosen when connecting, so that one port serves many connections.
        set_option(descriptor, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT)?;
        let (address, length) = raw_address((source, 0).into());
        // SAFETY: the address is alive and of the length given.
        checked(unsafe { libc::bind(descriptor, (&raw const address).cast(), length) })?;
    }
    let (address, length) = raw_address(server);
    // SAFETY: the address is alive and of the length given.
    match checked(unsafe { libc::connect(descriptor, (&raw const address).cast(), length) }) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket.into()),
    }
}

fn set_option(descriptor: RawFd, level: c_int, name: c_int) -> io::Result<()> {
    let on: c_int = 1;
    // SAFETY: the pointer is to a live int of the length given.
    checked(unsafe { libc::setsockopt(descriptor, level, name, (&raw const on).cast(), small(size_of::<c_int>())) })
        .map(drop)
}

/// The octets of a `sockaddr_in` or `sockaddr_in6`, and how many count.
fn raw_address(address: SocketAddr) -> ([u8; 28], socklen_t) {
    let mut octets = [0; 28];
    octets[2..4].copy_from_slice(&address.port().to_be_bytes());
    let (family, length) = match address {
        SocketAddr::V4(v4) => {
            octets[4..8].copy_from_slice(&v4.ip().octets());
            (libc::AF_INET, 16)
        }
        SocketAddr::V6(v6) => {
            octets[8..24].copy_from_slice(&v6.ip().octets());
            octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
            (libc::AF_INET6, 28)
        }
    };
    let family = libc::sa_family_t::try_from(family).expect("families are small numbers");
    octets[..2].copy_from_slice(&family.to_ne_bytes());
    (octets, length)
}
