//! The one file with `unsafe`: thin, safe wrappers around the system calls that serving needs.
//!
//! Nothing here decides anything: a function is one system call with its errors as `io::Error`, and [`Batch`] is the
//! memory that `recvmmsg` and `sendmmsg` share with the kernel.

#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::time::Duration;

use libc::{c_int, c_void, iovec, mmsghdr, msghdr, socklen_t};

use super::endpoint::Endpoint;
use super::packet_info::PacketInfo;

/// The result of a call that says -1 and sets errno when it fails.
fn checked(result: c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_negative| io::Error::last_os_error())
}

/// The descriptor that a call has just made, or its error.
fn owned(result: c_int) -> io::Result<OwnedFd> {
    checked(result)?;
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

/// The octets of a length, as the socket calls want it. Lengths here are those of small fixed structures.
#[allow(clippy::cast_possible_truncation)]
const fn socket_length(length: usize) -> socklen_t {
    length as socklen_t
}

/// A new socket, closed on exec.
pub(super) fn socket(family: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: socket() takes no pointers.
    owned(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) })
}

/// Sets an option whose value is an int.
pub(super) fn set_option(socket: &OwnedFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let length = socket_length(size_of::<c_int>());
    // SAFETY: the pointer is to a live int, and the length is that of an int.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&value).cast::<c_void>(), length) };
    checked(result).map(drop)
}

/// Lets a receiving call on this socket end with `WouldBlock` after `limit` without a packet.
pub(super) fn set_receive_timeout(socket: &OwnedFd, limit: Duration) -> io::Result<()> {
    let seconds = libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX);
    let value = libc::timeval { tv_sec: seconds, tv_usec: libc::suseconds_t::from(limit.subsec_micros()) };
    let length = socket_length(size_of::<libc::timeval>());
    let pointer = ptr::from_ref(&value).cast::<c_void>();
    // SAFETY: the pointer is to a live timeval, and the length is that of a timeval.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVTIMEO, pointer, length) };
    checked(result).map(drop)
}

/// Gives the socket its address.
pub(super) fn bind(socket: &OwnedFd, address: &Endpoint) -> io::Result<()> {
    let length = socket_length(address.length());
    // SAFETY: an Endpoint is laid out as a sockaddr of its family, and `length` is that family's.
    checked(unsafe { libc::bind(socket.as_raw_fd(), ptr::from_ref(address).cast(), length) }).map(drop)
}

/// Lets the socket accept connections.
pub(super) fn listen(socket: &OwnedFd, backlog: c_int) -> io::Result<()> {
    // SAFETY: listen() takes no pointers.
    checked(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// The address a socket is bound to.
pub(super) fn local_address(socket: BorrowedFd<'_>) -> io::Result<Endpoint> {
    let mut address = Endpoint::EMPTY;
    let mut length = socket_length(size_of::<Endpoint>());
    let pointer = ptr::from_mut(&mut address).cast();
    // SAFETY: the kernel writes at most `length` octets, which is the size of an Endpoint.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), pointer, &raw mut length) })?;
    Ok(address)
}

/// The next connection that waits, non-blocking and closed on exec; `WouldBlock` when none does.
pub(super) fn accept(listener: &OwnedFd) -> io::Result<(OwnedFd, Endpoint)> {
    let mut peer = Endpoint::EMPTY;
    let mut length = socket_length(size_of::<Endpoint>());
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let pointer = ptr::from_mut(&mut peer).cast();
    // SAFETY: the kernel writes at most `length` octets, which is the size of an Endpoint.
    let stream = owned(unsafe { libc::accept4(listener.as_raw_fd(), pointer, &raw mut length, flags) })?;
    Ok((stream, peer))
}

/// Wakes whoever is blocked receiving on this datagram socket, now and ever after.
pub(super) fn end_receiving(socket: &OwnedFd) {
    // The kernel says ENOTCONN for an unconnected datagram socket, but marks it and wakes the receivers all the
    // same (inet_shutdown), and should it ever stop doing so, the receive time-out ends the wait: nothing to report.
    // SAFETY: shutdown() takes no pointers.
    let _not_connected = unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RD) };
}

/// Keeps signals away from the calling thread, so that they interrupt the one that handles them.
pub(super) fn block_signals() {
    // SAFETY: a zeroed sigset_t is valid memory for sigfillset, which fills it before pthread_sigmask reads it;
    // neither can fail with these arguments.
    unsafe {
        let mut all: libc::sigset_t = zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, ptr::null_mut());
    }
}

/// A new event counter at 0, non-blocking: readable, as an 8-octet number, once something was written to it.
pub(super) fn event_counter() -> io::Result<OwnedFd> {
    // SAFETY: eventfd() takes no pointers.
    owned(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })
}

/// A new epoll instance.
pub(super) fn epoll() -> io::Result<OwnedFd> {
    // SAFETY: epoll_create1() takes no pointers.
    owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// Adds (`EPOLL_CTL_ADD`) or changes (`EPOLL_CTL_MOD`) what to hear of a descriptor.
pub(super) fn epoll_control(
    epoll: &OwnedFd,
    operation: c_int,
    descriptor: BorrowedFd<'_>,
    events: u32,
    token: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event { events, u64: token };
    // SAFETY: the pointer is to a live epoll_event, which the kernel only reads.
    let result = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, descriptor.as_raw_fd(), &raw mut event) };
    checked(result).map(drop)
}

/// Waits for events, at most `limit` milliseconds; gives how many stand in `events`.
pub(super) fn epoll_wait(epoll: &OwnedFd, events: &mut [libc::epoll_event], limit: c_int) -> io::Result<usize> {
    let room = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
    // SAFETY: the kernel writes at most `room` events, and the slice has that many.
    checked(unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, limit) })
}

/// Sends one datagram to `peer`, from the local address in `source` where there is one.
pub(super) fn send_to(socket: &OwnedFd, wire: &[u8], peer: &Endpoint, source: Option<&PacketInfo>) -> io::Result<()> {
    let mut vector = iovec { iov_base: wire.as_ptr().cast_mut().cast(), iov_len: wire.len() };
    // SAFETY: a zeroed msghdr is a valid one that names nothing.
    let mut header: msghdr = unsafe { zeroed() };
    header.msg_name = ptr::from_ref(peer).cast_mut().cast();
    header.msg_namelen = socket_length(peer.length());
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if let Some(source) = source {
        header.msg_control = ptr::from_ref(source).cast_mut().cast();
        header.msg_controllen = source.length();
    }
    // SAFETY: every pointer in the header is to a live value of the length given beside it; sendmsg only reads them.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An array on the heap that is reached only through raw pointers, because the headers that the kernel reads hold
/// pointers into it: a reference to the whole would make those invalid.
struct Shared<T>(NonNull<[T]>);

impl<T: Clone> Shared<T> {
    fn new(value: T, length: usize) -> Self {
        let array = Box::leak(vec![value; length].into_boxed_slice());
        Self(NonNull::from(array))
    }

    fn at(&self, index: usize) -> *mut T {
        assert!(index < self.0.len(), "a batch slot is inside the batch");
        // SAFETY: just checked to be inside the allocation.
        unsafe { self.0.as_ptr().cast::<T>().add(index) }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a leaked box of this type in `new`, and is given back only here.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// One cache line of packet memory.
#[derive(Clone)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "reached through pointers only")] [u8; LINE]);

const LINE: usize = 64;
/// Most datagrams received or sent by one system call.
pub(super) const SLOTS: usize = 64;
/// The longest query taken over UDP: what resolvers and updaters send with EDNS fits.
pub(super) const QUERY_ROOM: usize = 4096;

/// Lines from one slot to the next. An odd number, so that the starts of the slots, the octets mostly used, fall
/// into different sets of the first-level cache.
const fn stride(room: usize) -> usize {
    room.div_ceil(LINE) | 1
}

/// One received datagram, and the room for its answer.
pub(super) struct Datagram<'batch> {
    /// The octets that came; the first [`QUERY_ROOM`] of them if `cut`.
    pub(super) query: &'batch [u8],
    /// Whether the datagram was longer than a slot.
    pub(super) cut: bool,
    /// Who sent it.
    pub(super) peer: &'batch Endpoint,
    /// Where to compose the answer.
    pub(super) room: &'batch mut [u8],
}

/// The memory of a UDP worker: slots for queries, slots for answers, and the headers that describe both.
///
/// Headers point to the same slots for ever. An answer's header takes the query's peer (and local address) by
/// pointer, so nothing is copied between the two calls.
pub(super) struct Batch {
    queries: Shared<Line>,
    answers: Shared<Line>,
    answer_room: usize,
    peers: Shared<Endpoint>,
    sources: Option<Shared<PacketInfo>>,
    query_vectors: Shared<iovec>,
    answer_vectors: Shared<iovec>,
    incoming: Shared<mmsghdr>,
    outgoing: Shared<mmsghdr>,
    received: usize,
    composed: usize,
    name_length: socklen_t,
}

impl Batch {
    /// Memory for answers of up to `answer_room` octets on a socket bound to `local`. `any_address`: the socket is
    /// bound to the unspecified address and tells the local address of each query.
    pub(super) fn new(answer_room: usize, local: &Endpoint, any_address: bool) -> Self {
        // SAFETY: iovec and mmsghdr are plain data for which all zeroes mean "nothing".
        let (vector, header): (iovec, mmsghdr) = unsafe { (zeroed(), zeroed()) };
        let mut batch = Self {
            queries: Shared::new(Line([0; LINE]), SLOTS * stride(QUERY_ROOM)),
            answers: Shared::new(Line([0; LINE]), SLOTS * stride(answer_room)),
            answer_room,
            peers: Shared::new(Endpoint::EMPTY, SLOTS),
            sources: any_address.then(|| Shared::new(PacketInfo::EMPTY, SLOTS)),
            query_vectors: Shared::new(vector, SLOTS),
            answer_vectors: Shared::new(vector, SLOTS),
            incoming: Shared::new(header, SLOTS),
            outgoing: Shared::new(header, SLOTS),
            received: 0,
            composed: 0,
            name_length: socket_length(local.length()),
        };
        for slot in 0..SLOTS {
            batch.describe(slot);
        }
        batch
    }

    /// Points the headers of a slot to its memory.
    fn describe(&mut self, slot: usize) {
        let query = iovec { iov_base: self.queries.at(slot * stride(QUERY_ROOM)).cast(), iov_len: QUERY_ROOM };
        let answer = iovec { iov_base: self.answers.at(slot * stride(self.answer_room)).cast(), iov_len: 0 };
        // SAFETY: `at` gives pointers to live elements, and no reference to any of them exists.
        unsafe {
            self.query_vectors.at(slot).write(query);
            self.answer_vectors.at(slot).write(answer);
            let incoming = &mut (*self.incoming.at(slot)).msg_hdr;
            incoming.msg_name = self.peers.at(slot).cast();
            incoming.msg_iov = self.query_vectors.at(slot);
            incoming.msg_iovlen = 1;
            let outgoing = &mut (*self.outgoing.at(slot)).msg_hdr;
            outgoing.msg_namelen = self.name_length;
            outgoing.msg_iov = self.answer_vectors.at(slot);
            outgoing.msg_iovlen = 1;
        }
        self.expect_in(slot);
    }

    /// Tells the kernel how much room a slot has for address and control data: it overwrites both with what it used.
    fn expect_in(&mut self, slot: usize) {
        // SAFETY: `at` gives a pointer to a live element, and no reference to it exists.
        let header = unsafe { &mut (*self.incoming.at(slot)).msg_hdr };
        header.msg_namelen = self.name_length;
        if let Some(sources) = &self.sources {
            header.msg_control = sources.at(slot).cast();
            header.msg_controllen = size_of::<PacketInfo>();
        }
    }

    /// Blocks until a datagram comes, then takes all that wait, up to [`SLOTS`]; gives their number. Forgets what was
    /// received and composed before.
    pub(super) fn receive(&mut self, socket: &OwnedFd) -> io::Result<usize> {
        for slot in 0..self.received {
            self.expect_in(slot);
        }
        (self.received, self.composed) = (0, 0);
        let (first, flags) = (self.incoming.at(0), libc::MSG_WAITFORONE);
        let descriptor = socket.as_raw_fd();
        // SAFETY: the SLOTS headers from `first` on are live and describe live memory that no reference points to.
        let result = unsafe { libc::recvmmsg(descriptor, first, socket_length(SLOTS), flags, ptr::null_mut()) };
        self.received = checked(result)?;
        Ok(self.received)
    }

    /// A datagram of the last [`Self::receive`], with the room of the next answer.
    #[allow(clippy::inline_always, reason = "part of the path of every query, and used elsewhere too")]
    #[inline(always)]
    pub(super) fn datagram(&mut self, slot: usize) -> Datagram<'_> {
        assert!(slot < self.received && self.composed < SLOTS, "the datagram was received");
        let room = self.answers.at(self.composed * stride(self.answer_room)).cast::<u8>();
        let start = self.queries.at(slot * stride(QUERY_ROOM)).cast::<u8>();
        // SAFETY: the slots are live, apart from each other, and as long as said (the kernel writes no more than the
        // vector allows); the borrow of self keeps the kernel and other callers away while these references live.
        unsafe {
            let header = &*self.incoming.at(slot);
            let length = (header.msg_len as usize).min(QUERY_ROOM);
            Datagram {
                query: std::slice::from_raw_parts(start, length),
                cut: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
                peer: &*self.peers.at(slot),
                room: std::slice::from_raw_parts_mut(room, self.answer_room),
            }
        }
    }

    /// The datagrams received.
    pub(super) fn queries(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.received).map(|slot| {
            let start = self.queries.at(slot * stride(QUERY_ROOM)).cast::<u8>();
            // SAFETY: the slot is live and as long as said; the borrow of self keeps the kernel away, and nobody
            // writes to queries but the kernel.
            unsafe {
                let length = ((*self.incoming.at(slot)).msg_len as usize).min(QUERY_ROOM);
                std::slice::from_raw_parts(start, length)
            }
        })
    }

    /// The local address a datagram came to; `None` when the socket is bound to one.
    pub(super) fn source(&self, slot: usize) -> Option<PacketInfo> {
        let sources = self.sources.as_ref()?;
        // SAFETY: `at` gives a pointer to a live element, and no mutable reference to it exists.
        let (header, source) = unsafe { (&(*self.incoming.at(slot)).msg_hdr, *sources.at(slot)) };
        (slot < self.received && header.msg_controllen >= source.length()).then_some(source.for_answer())
    }

    /// Takes the first `length` octets of the room of [`Self::datagram`]`(slot)` as the answer to it.
    #[inline]
    pub(super) fn answer(&mut self, slot: usize, length: usize) {
        assert!(slot < self.received && self.composed < SLOTS, "the datagram was received");
        let source = self.source(slot);
        // SAFETY: `at` gives pointers to live elements, and no reference to any of them exists.
        unsafe {
            (*self.answer_vectors.at(self.composed)).iov_len = length.min(self.answer_room);
            let header = &mut (*self.outgoing.at(self.composed)).msg_hdr;
            header.msg_name = self.peers.at(slot).cast();
            header.msg_controllen = 0;
            if let (Some(sources), Some(source)) = (&self.sources, source) {
                sources.at(slot).write(source);
                header.msg_control = sources.at(slot).cast();
                header.msg_controllen = source.length();
            }
        }
        self.composed += 1;
    }

    /// Sends what was composed; gives how many the kernel did not take.
    pub(super) fn send(&mut self, socket: &OwnedFd) -> usize {
        let (mut done, mut failed) = (0, 0);
        while done < self.composed {
            let (first, count) = (self.outgoing.at(done), socket_length(self.composed - done));
            // SAFETY: `count` headers from `first` on are live and describe live memory; sendmmsg reads it.
            let result = unsafe { libc::sendmmsg(socket.as_raw_fd(), first, count, libc::MSG_DONTWAIT) };
            match checked(result) {
                Ok(sent) => done += sent,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The error belongs to the first datagram alone (no route, a filter, a full buffer): pass over it.
                Err(_) => (done, failed) = (done + 1, failed + 1),
            }
        }
        self.composed = 0;
        failed
    }

    /// How many answers were composed since the last receive.
    pub(super) fn composed(&self) -> usize {
        self.composed
    }
}
