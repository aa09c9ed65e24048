//! The floor under every UDP server: takes datagrams with `recvmmsg` and sends them back with `sendmmsg`.
//!
//! It does nothing with a packet but to say that it is a response (QR), so that DNS clients take it. What a name server
//! costs beyond this is its own doing. Written apart from the engine and without its care, so that the engine cannot
//! make its own measure easier: `floor ADDRESS:PORT [WORKERS]`. Each worker is a thread with a socket of its own on the
//! address (`SO_REUSEPORT`), as those of name servers are.

use std::error::Error;
use std::io;
use std::mem::size_of;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::{ptr, thread};

const BATCH: usize = 64;
const ROOM: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddrV4 = arguments.next().ok_or("usage: floor ADDRESS:PORT [WORKERS]")?.parse()?;
    let workers: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let bound = |_| bind(address).map_err(|error| format!("cannot bind {address}: {error}"));
    let sockets = (0..workers).map(bound).collect::<Result<Vec<_>, _>>()?;
    println!("{address}");
    let threads: Vec<_> = sockets.into_iter().map(|socket| thread::spawn(move || serve(&socket))).collect();
    for thread in threads {
        thread.join().map_err(|_| "a worker panicked")??;
    }
    Ok(())
}

/// A socket that shares its port.
fn bind(address: SocketAddrV4) -> io::Result<UdpSocket> {
    // SAFETY: socket() takes no pointers; the descriptor it gives belongs to nobody else.
    let socket = unsafe {
        let descriptor = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        UdpSocket::from_raw_fd(descriptor)
    };
    let share: libc::c_int = 1;
    let name = libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default(),
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
        sin_zero: [0; 8],
    };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).unwrap_or_default();
    // SAFETY: the pointers are to live values of the lengths given.
    let result = unsafe {
        let option = ptr::from_ref(&share).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_REUSEPORT, option, 4)
            | libc::bind(socket.as_raw_fd(), ptr::from_ref(&name).cast(), length)
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    enlarge_buffers(&socket);
    Ok(socket)
}

/// The same queue lengths as a real server asks for, so that neither loses more than the other.
fn enlarge_buffers(socket: &UdpSocket) {
    let size: libc::c_int = 4 * 1024 * 1024;
    for option in [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE] {
        // SAFETY: the pointer is to a live int of the length given.
        let result =
            unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, ptr::from_ref(&size).cast(), 4) };
        if result < 0 {
            eprintln!("floor: not allowed to enlarge the socket buffers; bursts may be lost");
        }
    }
}

fn serve(socket: &UdpSocket) -> Result<(), String> {
    let mut rooms = vec![[0u8; ROOM]; BATCH];
    // SAFETY: these are plain data for which all zeroes mean "nothing".
    let mut peers: [libc::sockaddr_in6; BATCH] = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let mut vectors: [libc::iovec; BATCH] = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
    for slot in 0..BATCH {
        vectors[slot].iov_base = rooms[slot].as_mut_ptr().cast();
        headers[slot].msg_hdr.msg_name = (&raw mut peers[slot]).cast();
        headers[slot].msg_hdr.msg_iov = &raw mut vectors[slot];
        headers[slot].msg_hdr.msg_iovlen = 1;
    }
    let (descriptor, first) = (socket.as_raw_fd(), headers.as_mut_ptr());
    loop {
        for slot in 0..BATCH {
            vectors[slot].iov_len = ROOM;
            headers[slot].msg_hdr.msg_namelen = 28;
        }
        // SAFETY: the headers describe live memory of the lengths they tell.
        let received = unsafe { libc::recvmmsg(descriptor, first, 64, libc::MSG_WAITFORONE, ptr::null_mut()) };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error().to_string())?;
        for slot in 0..received {
            vectors[slot].iov_len = headers[slot].msg_len as usize;
            rooms[slot][2] |= 0x80;
        }
        let mut sent = 0;
        while sent < received {
            let count = u32::try_from(received - sent).unwrap_or(1);
            // SAFETY: `count` headers from there on describe live memory of the lengths they tell.
            let result = unsafe { libc::sendmmsg(descriptor, first.add(sent), count, 0) };
            // One that cannot be sent is passed over.
            sent += usize::try_from(result).unwrap_or(1);
        }
    }
}
