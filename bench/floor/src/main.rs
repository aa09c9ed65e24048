//! The floor under every UDP server: takes datagrams with `recvmmsg` and sends them back with `sendmmsg`.
//!
//! It does nothing with a packet but to say that it is a response (QR), so that DNS clients take it. What a name server
//! costs beyond this is its own doing. Written apart from the engine and without its care, so that the engine cannot
//! make its own measure easier: `floor ADDRESS:PORT`.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr;

const BATCH: usize = 64;
const ROOM: usize = 2048;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("usage: floor ADDRESS:PORT")?;
    let socket = UdpSocket::bind(&address).map_err(|error| format!("cannot bind {address}: {error}"))?;
    enlarge_buffers(&socket);
    println!("{}", socket.local_addr()?);
    serve(&socket)
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

fn serve(socket: &UdpSocket) -> Result<(), Box<dyn std::error::Error>> {
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
        let received = usize::try_from(received).map_err(|_| std::io::Error::last_os_error())?;
        for slot in 0..received {
            vectors[slot].iov_len = headers[slot].msg_len as usize;
            rooms[slot][2] |= 0x80;
        }
        let mut sent = 0;
        while sent < received {
            let count = u32::try_from(received - sent)?;
            // SAFETY: `count` headers from there on describe live memory of the lengths they tell.
            let result = unsafe { libc::sendmmsg(descriptor, first.add(sent), count, 0) };
            // One that cannot be sent is passed over.
            sent += usize::try_from(result).unwrap_or(1);
        }
    }
}
