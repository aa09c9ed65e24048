//! Datagrams: answered, in batches, from the right address; odd ones dropped and counted.

use oakroot_engine::serve::Settings;

use crate::harness::{DEADLINE, ECHO, FILL, PANIC, Running, SILENCE, ask_udp, echo, query};

#[test]
fn a_query_is_answered() {
    let running = Running::start(Settings::default());
    assert_eq!(ask_udp(&running.udp(), &query(7, ECHO)), echo(query(7, ECHO)));
    running.until_counter("udp_answers", 1);
    assert_eq!(running.counter("udp_queries"), 1);
}

#[test]
fn a_query_over_ipv6_is_answered() {
    let running = Running::at("[::1]:0", Settings::default());
    assert_eq!(ask_udp(&running.udp(), &query(7, ECHO)), echo(query(7, ECHO)));
}

#[test]
fn a_burst_is_answered_whole_and_to_whom_it_belongs() {
    let running = Running::start(Settings::default());
    let sockets: Vec<_> = (0..10).map(|_| running.udp()).collect();
    for round in 0..50u16 {
        for (client, socket) in (0..).zip(&sockets) {
            socket.send(&query(round * 10 + client, ECHO)).unwrap();
        }
    }
    for (client, socket) in (0..).zip(&sockets) {
        let mut ids: Vec<_> = (0..50)
            .map(|_| {
                let mut answer = [0; 64];
                socket.recv(&mut answer).unwrap();
                u16::from_be_bytes([answer[0], answer[1]])
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..50).map(|round| round * 10 + client).collect::<Vec<_>>());
    }
}

#[test]
fn answers_leave_from_the_address_that_was_asked() {
    let running = Running::at("0.0.0.0:0", Settings::default());
    for address in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
        // The client's socket is connected, so it would not see an answer from another address.
        assert_eq!(ask_udp(&running.udp_by(address), &query(1, ECHO)), echo(query(1, ECHO)));
    }
    let running = Running::at("[::]:0", Settings::default());
    assert_eq!(ask_udp(&running.udp_by("::1"), &query(1, ECHO)), echo(query(1, ECHO)));
}

#[test]
fn the_room_is_the_configured_payload() {
    for (udp_payload, expected) in [(1232, 1232), (1, 512), (1_000_000, 4096)] {
        let running = Running::start(Settings { udp_payload, ..Settings::default() });
        assert_eq!(ask_udp(&running.udp(), &query(1, FILL)).len(), expected);
    }
}

#[test]
fn the_longest_query_is_taken_and_a_longer_one_dropped() {
    let running = Running::start(Settings { udp_payload: 4096, ..Settings::default() });
    let (socket, mut long) = (running.udp(), query(1, ECHO));
    long.resize(4097, 0);
    socket.send(&long).unwrap();
    running.until_counter("udp_oversized", 1);
    long.truncate(4096);
    assert_eq!(ask_udp(&socket, &long), echo(long));
}

#[test]
fn what_deserves_no_answer_gets_none() {
    let running = Running::start(Settings::default());
    let socket = running.udp();
    for nothing in [&query(1, SILENCE)[..], b"short", b""] {
        socket.send(nothing).unwrap();
    }
    assert_eq!(ask_udp(&socket, &query(2, ECHO)), echo(query(2, ECHO)));
    running.until_counter("malformed_silent", 3);
    running.until_counter("udp_answers", 1);
}

#[test]
fn a_panic_costs_no_more_than_its_batch() {
    let running = Running::start(Settings::default());
    let socket = running.udp();
    socket.send(&query(1, PANIC)).unwrap();
    running.until_counter("worker_panics", 1);
    assert_eq!(ask_udp(&socket, &query(2, ECHO)), echo(query(2, ECHO)));
}

#[test]
fn workers_share_the_port() {
    let running = Running::start(Settings { workers: 3, ..Settings::default() });
    for id in 0..30 {
        assert_eq!(ask_udp(&running.udp(), &query(id, ECHO)), echo(query(id, ECHO)));
    }
    running.until_counter("udp_answers", 30);
}

#[test]
fn a_peer_that_is_gone_does_no_harm() {
    let running = Running::start(Settings::default());
    for id in 0..10 {
        running.udp().send(&query(id, ECHO)).unwrap();
    }
    running.until_counter("udp_queries", 10);
    let socket = running.udp();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(ask_udp(&socket, &query(99, ECHO)), echo(query(99, ECHO)));
}
