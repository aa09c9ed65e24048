//! Binding, starting and stopping.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use oakroot_engine::serve::{Server, Settings};

use crate::harness::{ECHO, Running, ask_tcp, ask_udp, echo, query, until};

#[test]
fn udp_and_tcp_get_the_same_free_port() {
    let running = Running::start(Settings::default());
    assert_ne!(running.address.port(), 0);
    assert_eq!(ask_udp(&running.udp(), &query(1, ECHO)), echo(query(1, ECHO)));
    assert_eq!(ask_tcp(&mut running.tcp(), &query(1, ECHO)), echo(query(1, ECHO)));
}

#[test]
fn several_addresses_are_served() {
    let listen = ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"].map(|text| text.parse().unwrap());
    let server = Server::bind(&listen, &[], Settings::default()).unwrap();
    let bound: Vec<_> = server.addresses().iter().map(|address| address.ip().to_string()).collect();
    assert_eq!(bound, ["127.0.0.1", "127.0.0.2", "::1"]);
}

#[test]
fn a_second_server_on_the_port_is_refused_and_told_where() {
    let running = Running::start(Settings { workers: 2, ..Settings::default() });
    let error = Server::bind(&[running.address], &[], Settings::default()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&running.address.to_string()), "{error}");
}

#[test]
fn a_port_taken_for_tcp_alone_is_refused_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Server::bind(&[taken.local_addr().unwrap()], &[], Settings::default()).unwrap_err();
    assert!(error.to_string().contains("TCP"), "{error}");
}

#[test]
fn an_address_of_nobody_here_is_refused_with_a_hint() {
    let error = Server::bind(&["192.0.2.77:0".parse().unwrap()], &[], Settings::default()).unwrap_err();
    assert!(error.to_string().contains("192.0.2.77:0") && error.to_string().contains("interface"), "{error}");
}

#[test]
fn stopping_is_quick_and_frees_the_port() {
    let mut running = Running::start(Settings { workers: 2, ..Settings::default() });
    let mut stream = running.tcp();
    ask_tcp(&mut stream, &query(1, ECHO));
    let start = Instant::now();
    running.server.stop();
    // Were the threads woken by nothing but their time-outs, this would take a second at least.
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    running.server.stop();
    UdpSocket::bind(running.address).unwrap();
    Server::bind(&[running.address], &[], Settings::default()).unwrap();
}

#[test]
fn a_server_that_never_started_stops() {
    let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], &[], Settings::default()).unwrap();
    server.stop();
    UdpSocket::bind(server.addresses()[0]).unwrap();
}

#[test]
fn counters_survive_stopping() {
    let mut running = Running::start(Settings::default());
    ask_udp(&running.udp(), &query(1, ECHO));
    running.server.stop();
    assert_eq!(running.counter("udp_queries"), 1);
}

#[test]
fn responders_are_refreshed_when_nobody_asks() {
    let running = Running::start(Settings::default());
    until("responders are refreshed", || running.refreshed.load(Ordering::Relaxed) >= 2);
}
