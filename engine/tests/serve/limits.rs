//! Rate limiting on the wire. The arithmetic is tested where it stands; here a stall of the machine may let more
//! pass.

use std::net::UdpSocket;

use oakroot_engine::serve::Settings;

use crate::harness::{ECHO, ECHO_EXEMPT, Running, ask_tcp, ask_udp, echo, query, until};

const RATE: u64 = 5;
const ASKED: u64 = 60;

fn limited() -> Running {
    Running::start(Settings { rate_limit: 5, ..Settings::default() })
}

fn send_many(socket: &UdpSocket, order: u8) {
    for _ in 0..ASKED {
        socket.send(&query(1, order)).unwrap();
    }
}

#[test]
fn a_flood_gets_the_rate_and_then_every_second_answer_truncated() {
    let running = limited();
    let socket = running.udp();
    send_many(&socket, ECHO);
    // Queries are counted when they come in, the rest when they have been judged.
    until("all are judged", || running.counter("udp_answers") + running.counter("rate_limited_dropped") == ASKED);
    let (dropped, slipped) = (running.counter("rate_limited_dropped"), running.counter("rate_limited_slipped"));
    assert!(dropped > 0 && (slipped == dropped || slipped + 1 == dropped), "{dropped} dropped, {slipped} slipped");
    let answers: Vec<_> = (0..ASKED - dropped)
        .map(|_| {
            let mut answer = [0; 64];
            let length = socket.recv(&mut answer).unwrap();
            answer[..length].to_vec()
        })
        .collect();
    let whole = answers.iter().filter(|&answer| *answer == echo(query(1, ECHO))).count() as u64;
    let truncated = answers.iter().filter(|answer| answer.len() == 12 && answer[2] & 0x02 != 0).count() as u64;
    assert_eq!((whole, truncated), (ASKED - dropped - slipped, slipped));
    assert!(whole >= RATE);
}

#[test]
fn who_has_proved_its_address_is_not_limited() {
    let running = limited();
    let socket = running.udp();
    for _ in 0..ASKED {
        assert_eq!(ask_udp(&socket, &query(1, ECHO_EXEMPT)), echo(query(1, ECHO_EXEMPT)));
    }
    assert_eq!(running.counter("rate_limited_dropped"), 0);
}

#[test]
fn tcp_is_not_limited() {
    let running = limited();
    let mut stream = running.tcp();
    for _ in 0..ASKED {
        assert_eq!(ask_tcp(&mut stream, &query(1, ECHO)), echo(query(1, ECHO)));
    }
}

#[test]
fn no_rate_is_no_limit() {
    let running = Running::start(Settings::default());
    let socket = running.udp();
    for _ in 0..ASKED {
        ask_udp(&socket, &query(1, ECHO));
    }
    assert_eq!(running.counter("rate_limited_dropped"), 0);
}
