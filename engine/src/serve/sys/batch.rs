//! The memory that `recvmmsg` and `sendmmsg` share with the kernel, and those two calls.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use libc::{iovec, mmsghdr, socklen_t};

use super::super::endpoint::Endpoint;
use super::super::packet_info::PacketInfo;
use super::{checked, socket_length};

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
pub(in crate::serve) const SLOTS: usize = 64;
/// The longest query taken over UDP: what resolvers and updaters send with EDNS fits.
pub(in crate::serve) const QUERY_ROOM: usize = 4096;

/// Lines from one slot to the next. An odd number, so that the starts of the slots, the octets mostly used, fall
/// into different sets of the first-level cache.
const fn stride(room: usize) -> usize {
    room.div_ceil(LINE) | 1
}

/// One received datagram, and the room for its answer.
pub(in crate::serve) struct Datagram<'batch> {
    /// The octets that came; the first [`QUERY_ROOM`] of them if `cut`.
    pub(in crate::serve) query: &'batch [u8],
    /// Whether the datagram was longer than a slot.
    pub(in crate::serve) cut: bool,
    /// Who sent it.
    pub(in crate::serve) peer: &'batch Endpoint,
    /// Where to compose the answer.
    pub(in crate::serve) room: &'batch mut [u8],
}

/// The memory of a UDP worker: slots for queries, slots for answers, and the headers that describe both.
///
/// Headers point to the same slots for ever. An answer's header takes the query's peer (and local address) by
/// pointer, so nothing is copied between the two calls.
pub(in crate::serve) struct Batch {
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
    pub(in crate::serve) fn new(answer_room: usize, local: &Endpoint, any_address: bool) -> Self {
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
    pub(in crate::serve) fn receive(&mut self, socket: &OwnedFd) -> io::Result<usize> {
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
    pub(in crate::serve) fn datagram(&mut self, slot: usize) -> Datagram<'_> {
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
    pub(in crate::serve) fn queries(&self) -> impl Iterator<Item = &[u8]> {
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
    pub(in crate::serve) fn source(&self, slot: usize) -> Option<PacketInfo> {
        let sources = self.sources.as_ref()?;
        // SAFETY: `at` gives a pointer to a live element, and no mutable reference to it exists.
        let (header, source) = unsafe { (&(*self.incoming.at(slot)).msg_hdr, *sources.at(slot)) };
        (slot < self.received && header.msg_controllen >= source.length()).then_some(source.for_answer())
    }

    /// Takes the first `length` octets of the room of [`Self::datagram`]`(slot)` as the answer to it.
    #[inline]
    pub(in crate::serve) fn answer(&mut self, slot: usize, length: usize) {
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
    pub(in crate::serve) fn send(&mut self, socket: &OwnedFd) -> usize {
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
    pub(in crate::serve) fn composed(&self) -> usize {
        self.composed
    }
}
