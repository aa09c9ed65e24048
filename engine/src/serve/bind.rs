//! The sockets: one UDP socket and one TCP listener per worker for every address.
//!
//! The workers' sockets share a port by `SO_REUSEPORT`, so that the kernel spreads packets over them. The first
//! socket of each is bound without that option and gets it only afterwards: were it set from the start, a second
//! process of the same user could bind the port as well, and would silently take half of the queries.
//!
//! Sockets that we have inherited come first. Where they are fewer than the workers and nobody but their maker may
//! share their port, workers share the sockets themselves. Where they are more, all of them are served.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use libc::c_int;

use super::endpoint::Endpoint;
use super::inherited::{Inherited, Kind};
use super::sys;

/// Octets of queries and answers that may wait in the kernel: bursts of some thousand packets.
const SOCKET_BUFFER: c_int = 4 * 1024 * 1024;
/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: c_int = 4096;
/// How often to look for a port that is free for both UDP and TCP, when any will do.
const PORT_ATTEMPTS: usize = 64;

/// The sockets for one address, at least one of each kind per worker.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) address: SocketAddr,
    pub(super) udp: Vec<OwnedFd>,
    pub(super) tcp: Vec<OwnedFd>,
}

/// Sockets of both kinds for an address: `workers` of each, or as many as were inherited. With port 0, UDP and TCP get
/// the same free port.
pub(super) fn bind(address: SocketAddr, workers: usize, inherited: &mut Inherited) -> io::Result<Sockets> {
    let attempts = if address.port() == 0 { PORT_ATTEMPTS } else { 1 };
    let mut last = None;
    for _ in 0..attempts {
        match bind_once(address, workers, inherited) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => last = Some(error),
            result => return result,
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AddrInUse.into()))
}

/// Listeners for TLS at an address, as `bind` has them; gives it with the port filled in.
pub(super) fn bind_tls(
    mut address: SocketAddr,
    workers: usize,
    inherited: &mut Inherited,
) -> io::Result<(SocketAddr, Vec<OwnedFd>)> {
    let held = inherited.take(Kind::Connections, address);
    let listeners = complete(held, workers, |worker| {
        let listener = named(tcp_listener(&address.into(), worker), "TLS", address)?;
        address = named(sys::local_address(listener.as_fd()), "TLS", address)?.socket_address();
        Ok(listener)
    })?;
    Ok((address, listeners))
}

fn bind_once(mut address: SocketAddr, workers: usize, inherited: &mut Inherited) -> io::Result<Sockets> {
    let held = inherited.take(Kind::Datagrams, address);
    for socket in &held {
        set_up_udp(socket, &address.into())?;
    }
    let udp = complete(held, workers, |worker| {
        let socket = named(udp_socket(&address.into(), worker), "UDP", address)?;
        address = named(sys::local_address(socket.as_fd()), "UDP", address)?.socket_address();
        Ok(socket)
    })?;
    let held = inherited.take(Kind::Connections, address);
    let tcp = complete(held, workers, |worker| named(tcp_listener(&address.into(), worker), "TCP", address))?;
    Ok(Sockets { address, udp, tcp })
}

/// Adds sockets until there is one for each worker, or shares the inherited ones among them.
fn complete(
    mut sockets: Vec<OwnedFd>,
    workers: usize,
    mut make: impl FnMut(usize) -> io::Result<OwnedFd>,
) -> io::Result<Vec<OwnedFd>> {
    let inherited = sockets.len();
    for worker in inherited..workers {
        let socket = match make(worker) {
            Err(_) if inherited > 0 => sockets[worker % inherited].try_clone()?,
            socket => socket?,
        };
        sockets.push(socket);
    }
    Ok(sockets)
}

fn udp_socket(address: &Endpoint, worker: usize) -> io::Result<OwnedFd> {
    let socket = sys::socket(address.family(), libc::SOCK_DGRAM)?;
    set_up_udp(&socket, address)?;
    bind_shared(socket, address, worker)
}

fn set_up_udp(socket: &OwnedFd, address: &Endpoint) -> io::Result<()> {
    for direction in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        let (force, ask) = direction;
        // Only the administrator may pass the system's limit; others get as much as that allows.
        sys::set_option(socket, libc::SOL_SOCKET, force, SOCKET_BUFFER)
            .or_else(|_| sys::set_option(socket, libc::SOL_SOCKET, ask, SOCKET_BUFFER))?;
    }
    // Path MTU discovery lets anybody who forges ICMP shrink what we believe about the path to a resolver, and so
    // make us send the fragments that cache poisoning needs. Answers are short enough to need none.
    let wildcard = address.address().is_unspecified();
    if address.is_v4() {
        sys::set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)?;
        if wildcard {
            sys::set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        }
    } else {
        sys::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)?;
        if wildcard {
            sys::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
    }
    Ok(())
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
