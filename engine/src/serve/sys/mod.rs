//! The one folder with `unsafe`: thin, safe wrappers around the system calls that serving needs.
//!
//! Nothing here decides anything: a function is one system call with its errors as `io::Error`; `batch` is the memory
//! that `recvmmsg` and `sendmmsg` share with the kernel, and `signals` what interrupts a call.

#![allow(unsafe_code)]

mod batch;
mod signals;

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{c_int, c_void, iovec, msghdr, socklen_t};

use super::endpoint::Endpoint;
use super::packet_info::PacketInfo;

pub(super) use batch::Batch;
pub(super) use signals::{allow_interruption, block_signals, interrupt};

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
