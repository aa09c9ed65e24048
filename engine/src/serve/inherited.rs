//! Sockets that were opened before this server was made: by systemd, or by the process that it takes the place of.
//!
//! Both processes, or systemd and we, have the same sockets, not sockets on the same port: what waits in them is lost
//! by nobody's end. With `sys` and `memory` the only place with `unsafe`; it decides nothing but what a socket is.

#![allow(unsafe_code)]

use std::io::{self, Error, ErrorKind};
use std::mem::size_of;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use libc::{c_int, socklen_t};

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// UDP.
    Datagrams,
    /// TCP, and TLS above it.
    Connections,
}

/// Sockets that somebody else has bound and that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<(Kind, SocketAddr, OwnedFd)>);

impl Inherited {
    /// Takes copies of these descriptors; the caller's own stay his.
    ///
    /// # Errors
    /// `InvalidInput` names the one that is no socket to serve DNS by.
    pub(super) fn adopt(descriptors: &[RawFd]) -> io::Result<Self> {
        descriptors.iter().map(|&number| adopt(number)).collect::<io::Result<_>>().map(Self)
    }

    /// Those of this kind and address.
    pub(super) fn take(&mut self, kind: Kind, address: SocketAddr) -> Vec<OwnedFd> {
        let all = std::mem::take(&mut self.0);
        let (taken, left) = all.into_iter().partition(|each| each.0 == kind && each.1 == address);
        self.0 = left;
        let taken: Vec<_> = taken;
        taken.into_iter().map(|(.., socket)| socket).collect()
    }
}

fn adopt(number: RawFd) -> io::Result<(Kind, SocketAddr, OwnedFd)> {
    let refuse = |what: &str| Error::new(ErrorKind::InvalidInput, format!("inherited descriptor {number}: {what}"));
    let socket = copy(number).map_err(|error| refuse(&error.to_string()))?;
    let kind = match option(&socket, libc::SOL_SOCKET, libc::SO_TYPE) {
        Ok(libc::SOCK_DGRAM) => Kind::Datagrams,
        Ok(libc::SOCK_STREAM) if option(&socket, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)? != 0 => Kind::Connections,
        Ok(_) => return Err(refuse("neither a UDP socket nor one that listens for TCP")),
        Err(error) => return Err(refuse(&error.to_string())),
    };
    // A UDP thread sleeps in the kernel; a TCP thread never does.
    let (address, socket) = match kind {
        Kind::Datagrams => {
            let socket = UdpSocket::from(socket);
            socket.set_nonblocking(false)?;
            (socket.local_addr(), OwnedFd::from(socket))
        }
        Kind::Connections => {
            let socket = TcpListener::from(socket);
            socket.set_nonblocking(true)?;
            (socket.local_addr(), OwnedFd::from(socket))
        }
    };
    let address = address.map_err(|_| refuse("a socket without an address of IPv4 or IPv6"))?;
    // Such a socket takes IPv4 too, under mapped addresses, which nothing here is made for.
    if address.is_ipv6() && option(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)? == 0 {
        return Err(refuse("it takes IPv6 and IPv4: set BindIPv6Only=ipv6-only in its .socket unit"));
    }
    Ok((kind, address, socket))
}

/// Another descriptor for the same file, closed on exec.
fn copy(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl() with this command takes no pointers.
    let copied = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    if copied < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copied) })
}

/// The value of an option that is an int.
fn option(socket: &OwnedFd, level: c_int, name: c_int) -> io::Result<c_int> {
    let (mut value, size) = (0, size_of::<c_int>());
    let mut length = socklen_t::try_from(size).unwrap_or(0);
    // SAFETY: both pointers are to live values, and the kernel writes no more than the length of an int.
    let result = unsafe {
        let pointer = ptr::from_mut(&mut value).cast();
        libc::getsockopt(socket.as_raw_fd(), level, name, pointer, &raw mut length)
    };
    if result < 0 { Err(Error::last_os_error()) } else { Ok(value) }
}
