//! Streams: framing, pipelining, time-outs, limits, and peers that do not behave.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use oakroot_engine::serve::Settings;

use crate::harness::{
    ECHO, FILL, PANIC, Running, SILENCE, ask_tcp, echo, expect_end, framed, query, read_message, until,
};

fn with_idle(milliseconds: u64) -> Settings {
    Settings { tcp_idle: Duration::from_millis(milliseconds), ..Settings::default() }
}

#[test]
fn a_connection_carries_many_queries() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    for id in 0..100 {
        assert_eq!(ask_tcp(&mut stream, &query(id, ECHO)), echo(query(id, ECHO)));
    }
    assert_eq!((running.counter("tcp_connections"), running.counter("tcp_queries")), (1, 100));
}

#[test]
fn queries_sent_together_are_all_answered() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    let together: Vec<u8> = (0..5000).flat_map(|id| framed(&query(id, ECHO))).collect();
    stream.write_all(&together).unwrap();
    for id in 0..5000 {
        assert_eq!(read_message(&mut stream), echo(query(id, ECHO)));
    }
}

#[test]
fn a_query_may_come_octet_by_octet() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.set_nodelay(true).unwrap();
    for id in 0..3 {
        for octet in framed(&query(id, ECHO)) {
            stream.write_all(&[octet]).unwrap();
        }
        assert_eq!(read_message(&mut stream), echo(query(id, ECHO)));
    }
}

#[test]
fn the_longest_message_passes_both_ways() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    let mut long = query(1, ECHO);
    long.resize(65535, b'.');
    assert_eq!(ask_tcp(&mut stream, &long), echo(long));
    assert_eq!(ask_tcp(&mut stream, &query(1, FILL)).len(), 65535);
}

#[test]
fn a_message_of_length_zero_ends_the_connection_after_earlier_answers() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&[&framed(&query(1, ECHO))[..], &[0, 0]].concat()).unwrap();
    assert_eq!(read_message(&mut stream), echo(query(1, ECHO)));
    expect_end(&mut stream);
    running.until_counter("tcp_empty_frames", 1);
}

#[test]
fn what_deserves_no_answer_leaves_the_connection_open() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, SILENCE))).unwrap();
    assert_eq!(ask_tcp(&mut stream, &query(2, ECHO)), echo(query(2, ECHO)));
    assert_eq!(running.counter("malformed_silent"), 1);
}

#[test]
fn an_idle_connection_is_closed() {
    let running = Running::start(with_idle(100));
    let mut stream = running.tcp();
    ask_tcp(&mut stream, &query(1, ECHO));
    expect_end(&mut stream);
    running.until_counter("tcp_timed_out", 1);
}

#[test]
fn a_connection_in_use_is_not_closed() {
    let running = Running::start(with_idle(1000));
    let (start, mut stream) = (Instant::now(), running.tcp());
    while start.elapsed() < Duration::from_millis(2500) {
        ask_tcp(&mut stream, &query(1, ECHO));
        std::thread::park_timeout(Duration::from_millis(10));
    }
    assert_eq!(running.counter("tcp_timed_out"), 0);
}

#[test]
fn a_message_that_never_ends_is_cut_off() {
    let running = Running::start(with_idle(300));
    let mut stream = running.tcp();
    stream.write_all(&[0xff, 0xff]).unwrap();
    // Octets that keep coming are no activity.
    until("the connection is closed", || stream.write_all(b".").is_err());
    running.until_counter("tcp_timed_out", 1);
}

#[test]
fn who_has_sent_all_still_gets_all_answers() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    let together: Vec<u8> = (0..3).flat_map(|id| framed(&query(id, ECHO))).collect();
    stream.write_all(&together).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    for id in 0..3 {
        assert_eq!(read_message(&mut stream), echo(query(id, ECHO)));
    }
    expect_end(&mut stream);
}

#[test]
fn who_reads_only_after_sending_all_gets_everything_and_the_end() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    // 30 MB of answers, more than the kernel buffers, to 16 kB of queries that one read takes.
    let together: Vec<u8> = (0..500).flat_map(|id| framed(&query(id, FILL))).collect();
    stream.write_all(&together).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    running.until_counter("tcp_queries", 1);
    for id in 0..500u16 {
        let answer = read_message(&mut stream);
        assert_eq!((answer.len(), &answer[..2]), (65535, &id.to_be_bytes()[..]));
    }
    expect_end(&mut stream);
}

#[test]
fn who_does_not_read_is_not_read_from_and_gets_everything_later() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    let mut long = query(1, ECHO);
    long.resize(60_000, b'.');
    let message = framed(&long);
    let total = 1000 * message.len();
    let before = resident_octets();
    let mut sent = write_until_blocked(&mut stream, &message, total);
    assert!(sent < total, "the server takes {sent} octets and more of answers nobody reads");
    assert!(resident_octets() < before + 16 * 1024 * 1024);
    let mut writer = stream.try_clone().unwrap();
    let rest = std::thread::spawn({
        let message = message.clone();
        move || {
            while sent < total {
                let at = sent % message.len();
                writer.write_all(&message[at..]).unwrap();
                sent += message.len() - at;
            }
        }
    });
    for _ in 0..1000 {
        assert_eq!(read_message(&mut stream), echo(long.clone()));
    }
    rest.join().unwrap();
}

/// Writes one message over and over until nothing goes for a while; gives how many octets went.
fn write_until_blocked(stream: &mut TcpStream, message: &[u8], total: usize) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut sent = 0;
    while sent < total {
        match stream.write(&message[sent % message.len()..]) {
            Ok(count) => sent += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                break;
            }
        }
    }
    stream.set_write_timeout(None).unwrap();
    sent
}

#[test]
fn at_the_limit_the_connection_longest_unused_goes() {
    let running = Running::start(Settings { tcp_connections: 3, ..Settings::default() });
    let mut streams: Vec<_> = (0..3).map(|_| running.tcp()).collect();
    for index in [0, 1, 2, 0] {
        ask_tcp(&mut streams[index], &query(1, ECHO));
    }
    let mut latest = running.tcp();
    ask_tcp(&mut latest, &query(1, ECHO));
    expect_end(&mut streams[1]);
    for index in [0, 2] {
        ask_tcp(&mut streams[index], &query(1, ECHO));
    }
    assert_eq!(running.counter("tcp_evicted"), 1);
}

#[test]
fn one_source_cannot_take_all_connections() {
    let running = Running::start(Settings { tcp_connections_per_source: 2, ..Settings::default() });
    let mut streams: Vec<_> = (0..3).map(|_| running.tcp()).collect();
    expect_end(&mut streams[2]);
    for stream in &mut streams[..2] {
        ask_tcp(stream, &query(1, ECHO));
    }
    assert_eq!(running.counter("tcp_refused"), 1);
    drop(streams);
    until("the places are free again", || {
        let mut stream = running.tcp();
        let asked = stream.write_all(&framed(&query(1, ECHO)));
        asked.is_ok() && matches!(stream.peek(&mut [0]), Ok(1))
    });
}

#[test]
fn time_outs_are_shorter_when_connections_get_scarce() {
    let running = Running::start(Settings { tcp_connections: 4, ..with_idle(4000) });
    let start = Instant::now();
    let mut streams: Vec<_> = (0..4).map(|_| running.tcp()).collect();
    ask_tcp(&mut streams[3], &query(1, ECHO));
    expect_end(&mut streams[0]);
    assert!(start.elapsed() < Duration::from_millis(3500), "{:?}", start.elapsed());
}

#[test]
fn thousands_of_idle_connections_cost_little_and_hinder_nobody() {
    const IDLE: usize = 2000;
    let limits = Settings { tcp_connections: 3000, tcp_connections_per_source: 3000, ..with_idle(60_000) };
    let running = Running::start(limits);
    let mut busy = running.tcp();
    ask_tcp(&mut busy, &query(1, ECHO));
    let mut idle = Vec::with_capacity(IDLE);
    let before = resident_octets();
    for id in 0..IDLE {
        idle.push(running.tcp());
        if id % 10 == 0 {
            ask_tcp(idle.last_mut().unwrap(), &query(1, ECHO));
        }
        assert_eq!(ask_tcp(&mut busy, &query(2, ECHO)), echo(query(2, ECHO)));
    }
    running.until_counter("tcp_connections", IDLE as u64 + 1);
    let grown = resident_octets().saturating_sub(before);
    // Other tests run beside this one in the same process, hence the allowance on top of the 1 KiB each.
    assert!(grown < IDLE * 1024 + 32 * 1024 * 1024, "{grown} octets for {IDLE} connections");
    assert_eq!((running.counter("tcp_refused"), running.counter("tcp_evicted")), (0, 0));
}

/// Octets of this process that are in memory.
fn resident_octets() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_panic_costs_the_connection_that_caused_it() {
    let running = Running::start(Settings::default());
    let (mut bystander, mut culprit) = (running.tcp(), running.tcp());
    ask_tcp(&mut bystander, &query(1, ECHO));
    culprit.write_all(&framed(&query(1, PANIC))).unwrap();
    expect_end(&mut culprit);
    assert_eq!(ask_tcp(&mut bystander, &query(2, ECHO)), echo(query(2, ECHO)));
    assert_eq!(running.counter("worker_panics"), 1);
}

#[test]
fn workers_share_the_listening_port() {
    let running = Running::start(Settings { workers: 3, ..Settings::default() });
    for id in 0..30 {
        assert_eq!(ask_tcp(&mut running.tcp(), &query(id, ECHO)), echo(query(id, ECHO)));
    }
}
