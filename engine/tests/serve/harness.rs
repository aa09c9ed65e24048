//! A responder that obeys its clients, a server around it, and clients.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use oakroot_engine::serve::{
    Endpoint, Labels, Request, Responder, ResponseClass, Server, Settings, Transport, Verdict,
};

/// Longer than anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);
const HEADER: usize = 12;

/// What a query asks of the toy: the octet after the header.
pub const ECHO: u8 = b'e';
pub const ECHO_EXEMPT: u8 = b'x';
pub const SILENCE: u8 = b's';
pub const HAND_OVER: u8 = b'h';
pub const PANIC: u8 = b'p';
/// As many octets as the room has, for as long as the query is.
pub const FILL: u8 = b'f';

/// See the head of the file.
pub struct Toy {
    refreshed: Arc<AtomicU64>,
}

impl Responder for Toy {
    fn refresh(&mut self) {
        self.refreshed.fetch_add(1, Ordering::Relaxed);
    }

    fn respond(&mut self, query: &[u8], _: Transport, _: &Endpoint, room: &mut [u8]) -> Verdict {
        let class = ResponseClass { kind: 0, key: 0 };
        match query.get(HEADER) {
            None | Some(&SILENCE) => Verdict::Silence,
            Some(&HAND_OVER) => Verdict::HandOver,
            Some(&PANIC) => panic!("as the client wished"),
            Some(&FILL) => {
                room[..query.len()].copy_from_slice(query);
                room[query.len()..].fill(b'-');
                Verdict::Answer { length: room.len(), class, exempt: true, labels: Labels::default() }
            }
            Some(&order) => {
                room[..query.len()].copy_from_slice(query);
                room[2] |= 0x80;
                Verdict::Answer {
                    length: query.len(),
                    class,
                    exempt: order == ECHO_EXEMPT,
                    labels: Labels::default(),
                }
            }
        }
    }

    fn truncate(&mut self, query: &[u8], room: &mut [u8]) -> usize {
        room[..HEADER].copy_from_slice(&query[..HEADER]);
        room[2] |= 0x82;
        HEADER
    }
}

/// A query with this number that asks for something.
pub fn query(id: u16, order: u8) -> Vec<u8> {
    let mut query = vec![0; HEADER + 1];
    query[..2].copy_from_slice(&id.to_be_bytes());
    query[HEADER] = order;
    query
}

/// What the toy echoes to a query.
pub fn echo(mut query: Vec<u8>) -> Vec<u8> {
    query[2] |= 0x80;
    query
}

/// A message with its length in front.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes()[..], message].concat()
}

/// A running server on a port of its own.
pub struct Running {
    pub server: Server,
    pub address: SocketAddr,
    pub refreshed: Arc<AtomicU64>,
}

impl Running {
    pub fn start(settings: Settings) -> Self {
        Self::at("127.0.0.1:0", settings)
    }

    pub fn at(address: &str, settings: Settings) -> Self {
        Self::with(Server::bind(&[address.parse().unwrap()], &[], settings).unwrap())
    }

    /// Starts a server that is bound.
    pub fn with(mut server: Server) -> Self {
        let (address, refreshed) = (server.addresses()[0], Arc::new(AtomicU64::new(0)));
        let toys = Arc::clone(&refreshed);
        server.start(move || Toy { refreshed: Arc::clone(&toys) }).unwrap();
        Self { server, address, refreshed }
    }

    pub fn counter(&self, name: &str) -> u64 {
        self.server.counters().into_iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Waits until a counter has reached a value.
    pub fn until_counter(&self, name: &str, value: u64) {
        until(name, || self.counter(name) >= value);
    }

    /// A UDP socket connected to the server, so that answers from elsewhere do not reach it.
    pub fn udp(&self) -> UdpSocket {
        udp_to(self.address)
    }

    /// The same, to another address of the server than the one it is bound to.
    pub fn udp_by(&self, address: &str) -> UdpSocket {
        udp_to(SocketAddr::new(address.parse().unwrap(), self.address.port()))
    }

    pub fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// The next request handed over.
    pub fn take(&self) -> Request {
        let mut taken = Vec::new();
        until("a request is handed over", || {
            taken = self.server.handover().take(1);
            !taken.is_empty()
        });
        taken.remove(0)
    }
}

pub fn udp_to(address: SocketAddr) -> UdpSocket {
    let any: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Waits for a condition, up to the deadline.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Sends a query and gives the answer.
pub fn ask_udp(socket: &UdpSocket, query: &[u8]) -> Vec<u8> {
    socket.send(query).unwrap();
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer).unwrap();
    answer[..length].to_vec()
}

/// Sends a query and gives the answer.
pub fn ask_tcp(stream: &mut TcpStream, query: &[u8]) -> Vec<u8> {
    stream.write_all(&framed(query)).unwrap();
    read_message(stream)
}

/// The next message on a stream.
pub fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut message).unwrap();
    message
}

/// Waits until the server has closed the connection; nothing more must come before.
pub fn expect_end(stream: &mut TcpStream) {
    match stream.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => panic!("more came instead of the end"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}
