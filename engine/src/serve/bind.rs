//! The sockets: one UDP socket and one TCP listener per worker for every address.
//!
//! The workers' sockets share a port by `SO_REUSEPORT`, so that the kernel spreads packets over them. The first
//! socket of each is bound without that option and gets it only afterwards: were it set from the start, a second
//! process of the same user could bind the port as well, and would silently take half of the queries.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use libc::c_int;

use super::endpoint::Endpoint;
use super::sys;

/// Octets of queries and answers that may wait in the kernel: bursts of some thousand packets.
const SOCKET_BUFFER: c_int = 4 * 1024 * 1024;
/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: c_int = 4096;
/// How often to look for a port that is free for both UDP and TCP, when any will do.
const PORT_ATTEMPTS: usize = 64;
/// How long a UDP thread may sleep before its responder is refreshed, so that old data does not stay for want of
/// queries.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The sockets for one address, one of each kind per worker.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) address: SocketAddr,
    pub(super) udp: Vec<OwnedFd>,
    pub(super) tcp: Vec<OwnedFd>,
}

/// Binds `workers` sockets of both kinds to an address. With port 0, UDP and TCP get the same free port.
pub(super) fn bind(address: SocketAddr, workers: usize) -> io::Result<Sockets> {
    let attempts = if address.port() == 0 { PORT_ATTEMPTS } else { 1 };
    let mut last = None;
    for _ in 0..attempts {
        match bind_once(address, workers) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => last = Some(error),
            result => return result,
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AddrInUse.into()))
}

/// Binds `workers` listeners for TLS to an address; gives it with the port filled in.
pub(super) fn bind_tls(mut address: SocketAddr, workers: usize) -> io::Result<(SocketAddr, Vec<OwnedFd>)> {
    let mut listeners = Vec::new();
    for worker in 0..workers {
        let listener = named(tcp_listener(&address.into(), worker), "TLS", address)?;
        address = named(sys::local_address(listener.as_fd()), "TLS", address)?.socket_address();
        listeners.push(listener);
    }
    Ok((address, listeners))
}

fn bind_once(mut address: SocketAddr, workers: usize) -> io::Result<Sockets> {
    let (mut udp, mut tcp) = (Vec::new(), Vec::new());
    for worker in 0..workers {
        let socket = named(udp_socket(&address.into(), worker), "UDP", address)?;
        address = named(sys::local_address(socket.as_fd()), "UDP", address)?.socket_address();
        udp.push(socket);
    }
    for worker in 0..workers {
        tcp.push(named(tcp_listener(&address.into(), worker), "TCP", address)?);
    }
    Ok(Sockets { address, udp, tcp })
}

fn udp_socket(address: &Endpoint, worker: usize) -> io::Result<OwnedFd> {
    let socket = sys::socket(address.family(), libc::SOCK_DGRAM)?;
    for direction in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        let (force, ask) = direction;
        // Only the administrator may pass the system's limit; others get as much as that allows.
        sys::set_option(&socket, libc::SOL_SOCKET, force, SOCKET_BUFFER)
            .or_else(|_| sys::set_option(&socket, libc::SOL_SOCKET, ask, SOCKET_BUFFER))?;
    }
    sys::set_receive_timeout(&socket, LONGEST_WAIT)?;
    // Path MTU discovery lets anybody who forges ICMP shrink what we believe about the path to a resolver, and so
    // make us send the fragments that cache poisoning needs. Answers are short enough to need none.
    let wildcard = address.address().is_unspecified();
    if address.is_v4() {
        sys::set_option(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)?;
        if wildcard {
            sys::set_option(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        }
    } else {
        sys::set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)?;
        if wildcard {
            sys::set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
    }
    bind_shared(socket, address, worker)
}

fn tcp_listener(address: &Endpoint, worker: usize) -> io::Result<OwnedFd> {
    let socket = sys::socket(address.family(), libc::SOCK_STREAM | libc::SOCK_NONBLOCK)?;
    // A restart must not wait for the connections of the last run to leave TIME_WAIT. Two listeners still exclude
    // each other.
    sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    // Accepted connections inherit it. Answers are sent together as it is.
    sys::set_option(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    let socket = bind_shared(socket, address, worker)?;
    sys::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Binds, and shares the port among the workers only: see the head of the file.
fn bind_shared(socket: OwnedFd, address: &Endpoint, worker: usize) -> io::Result<OwnedFd> {
    let share = |socket: &OwnedFd| sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1);
    if !address.is_v4() {
        // IPv4 has sockets of its own; mapped addresses would only confuse.
        sys::set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    if worker == 0 {
        sys::bind(&socket, address)?;
        share(&socket)?;
    } else {
        share(&socket)?;
        sys::bind(&socket, address)?;
    }
    Ok(socket)
}

/// Puts the address into an error, and how to mend it.
fn named<T>(result: io::Result<T>, transport: &str, address: SocketAddr) -> io::Result<T> {
    result.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrInUse => " (another socket holds this port: is a name server running already?)",
            ErrorKind::PermissionDenied => {
                " (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; or choose a higher one)"
            }
            ErrorKind::AddrNotAvailable => " (no interface of this machine has this address)",
            _ => "",
        };
        io::Error::new(error.kind(), format!("cannot listen on {address} ({transport}): {error}{hint}"))
    })
}
