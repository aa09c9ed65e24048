//! Sockets that outlive their server.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use oakroot_engine::serve::{Server, Settings, Socket};

use crate::harness::{ECHO, HAND_OVER, Running, ask_tcp, ask_udp, echo, expect_end, query, udp_to, until};

fn two_workers() -> Settings {
    Settings { workers: 2, ..Settings::default() }
}

/// A server with the sockets of another one.
fn successor(of: &mut Server, settings: Settings) -> Server {
    let address = of.addresses()[0];
    let numbers: Vec<RawFd> = of.share().iter().map(Socket::number).collect();
    Server::take_over(&[address], &[], &numbers, settings).unwrap()
}

#[test]
fn what_waits_in_a_socket_is_answered_by_the_next_server() {
    let mut first = Server::bind(&["127.0.0.1:0".parse().unwrap()], &[], two_workers()).unwrap();
    let clients: Vec<_> = (0..20).map(|_| udp_to(first.addresses()[0])).collect();
    for (id, client) in (0..).zip(&clients) {
        client.send(&query(id, ECHO)).unwrap();
    }
    let second = successor(&mut first, two_workers());
    first.stop();
    let running = Running::with(second);
    for (id, client) in (0..).zip(&clients) {
        let mut answer = [0; 64];
        let length = client.recv(&mut answer).unwrap();
        assert_eq!(answer[..length], echo(query(id, ECHO)));
    }
    assert_eq!(running.counter("udp_queries"), 20);
}

#[test]
fn no_query_is_lost_while_servers_take_each_others_place() {
    let mut running = Running::start(two_workers());
    let (address, done) = (running.address, AtomicBool::new(false));
    let asked: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let socket = udp_to(address);
                    let mut asked = 0;
                    while !done.load(Ordering::Relaxed) {
                        // Times out, and so fails, if one is lost: none is sent twice.
                        ask_udp(&socket, &query(7, ECHO));
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        for _ in 0..3 {
            let next = Running::with(successor(&mut running.server, two_workers()));
            running.server.stop();
            running = next;
            running.until_counter("udp_queries", 100);
        }
        done.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert!(asked >= 300, "{asked}");
}

#[test]
fn connections_go_on_until_they_are_idle_and_new_ones_reach_the_next_server() {
    let mut first = Running::start(Settings::default());
    let mut old = first.tcp();
    ask_tcp(&mut old, &query(1, ECHO));
    let second = Running::with(successor(&mut first.server, Settings::default()));
    first.server.retire();
    assert_eq!(ask_tcp(&mut old, &query(2, ECHO)), echo(query(2, ECHO)));
    expect_end(&mut old);
    until("the first has no connection", || first.server.connections() == 0);
    let mut new = second.tcp();
    ask_tcp(&mut new, &query(3, ECHO));
    assert_eq!(second.counter("tcp_queries"), 1);
    until("the second has one", || second.server.connections() == 1);
}

#[test]
fn a_request_handed_over_is_answered_after_retiring() {
    let mut first = Running::start(Settings::default());
    let client = first.udp();
    client.send(&query(1, HAND_OVER)).unwrap();
    let request = first.take();
    let _second = Running::with(successor(&mut first.server, Settings::default()));
    first.server.retire();
    first.server.handover().reply(&request, b"late").unwrap();
    let mut answer = [0; 16];
    let length = client.recv(&mut answer).unwrap();
    assert_eq!(&answer[..length], b"late");
}

/// A UDP socket and a listener at one address, as systemd makes them: nobody else may bind it.
fn foreign() -> (SocketAddr, UdpSocket, TcpListener) {
    loop {
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = datagrams.local_addr().unwrap();
        if let Ok(listener) = TcpListener::bind(address) {
            return (address, datagrams, listener);
        }
    }
}

#[test]
fn workers_share_a_socket_when_there_are_fewer() {
    let (address, datagrams, listener) = foreign();
    datagrams.set_nonblocking(true).unwrap();
    let numbers = [datagrams.as_raw_fd(), listener.as_raw_fd()];
    let server = Server::take_over(&[address], &[], &numbers, two_workers()).unwrap();
    let running = Running::with(server);
    assert_eq!(ask_udp(&running.udp(), &query(1, ECHO)), echo(query(1, ECHO)));
    assert_eq!(ask_tcp(&mut running.tcp(), &query(2, ECHO)), echo(query(2, ECHO)));
}

#[test]
fn more_sockets_than_workers_are_all_served() {
    let mut first = Server::bind(&["127.0.0.1:0".parse().unwrap()], &[], two_workers()).unwrap();
    let running = Running::with(successor(&mut first, Settings::default()));
    first.stop();
    for id in 0..32 {
        assert_eq!(ask_udp(&running.udp(), &query(id, ECHO)), echo(query(id, ECHO)));
        ask_tcp(&mut running.tcp(), &query(id, ECHO));
    }
}

#[test]
fn a_socket_for_an_address_nobody_asked_for_is_let_go() {
    let (address, datagrams, listener) = foreign();
    let numbers = [datagrams.as_raw_fd(), listener.as_raw_fd()];
    let server = Server::take_over(&["127.0.0.1:0".parse().unwrap()], &[], &numbers, Settings::default()).unwrap();
    drop((datagrams, listener));
    UdpSocket::bind(address).unwrap();
    drop(server);
}

#[test]
fn a_socket_stays_good_for_others_when_its_server_stops() {
    let (address, datagrams, listener) = foreign();
    let numbers = [datagrams.as_raw_fd(), listener.as_raw_fd()];
    let server = Server::take_over(&[address], &[], &numbers, Settings::default()).unwrap();
    let mut running = Running::with(server);
    ask_udp(&running.udp(), &query(1, ECHO));
    running.server.stop();
    udp_to(address).send(b"hello").unwrap();
    datagrams.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(datagrams.recv(&mut [0; 16]).unwrap(), 5);
}

#[test]
fn what_cannot_serve_is_refused_by_number() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let dual = TcpListener::bind("[::]:0").unwrap();
    let connected = std::net::TcpStream::connect(("::1", dual.local_addr().unwrap().port())).unwrap();
    for (number, hint) in
        [(file.as_raw_fd(), "socket"), (dual.as_raw_fd(), "BindIPv6Only"), (connected.as_raw_fd(), "listens")]
    {
        let error = Server::take_over(&[], &[], &[number], Settings::default()).unwrap_err().to_string();
        assert!(error.contains(&number.to_string()) && error.contains(hint), "{error}");
    }
}
