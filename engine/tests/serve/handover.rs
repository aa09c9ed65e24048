//! The hand-over: requests taken, replies sent back, and what becomes of both when one side is gone.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;

use oakroot_engine::serve::{Request, Settings, Transport};

use crate::harness::{
    ECHO, FILL, HAND_OVER, Running, SILENCE, ask_tcp, ask_udp, echo, expect_end, framed, query, read_message, until,
};

/// Whether the hand-over's descriptor was readable; it is not afterwards.
fn was_readable(running: &Running) -> bool {
    let mut event = File::from(running.server.handover().as_fd().try_clone_to_owned().unwrap());
    match event.read_exact(&mut [0; 8]) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    }
}

#[test]
fn a_request_over_udp_tells_its_circumstances_and_is_replied_to() {
    let running = Running::start(Settings::default());
    let socket = running.udp();
    socket.send(&query(1, HAND_OVER)).unwrap();
    let request = running.take();
    assert_eq!(request.wire(), query(1, HAND_OVER));
    assert_eq!(request.transport(), Transport::Udp);
    assert_eq!(request.peer(), std::net::SocketAddr::from(([127, 0, 0, 1], socket.local_addr().unwrap().port())));
    assert_eq!(request.local(), running.address);
    running.server.handover().reply(&request, b"done").unwrap();
    let mut reply = [0; 16];
    assert_eq!(socket.recv(&mut reply).unwrap(), 4);
    running.until_counter("handed_over", 1);
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    for (bound, asked) in [("0.0.0.0:0", "127.0.0.2"), ("[::]:0", "::1")] {
        let running = Running::at(bound, Settings::default());
        let socket = running.udp_by(asked);
        socket.send(&query(1, HAND_OVER)).unwrap();
        let request = running.take();
        assert_eq!(request.local().ip().to_string(), asked);
        running.server.handover().reply(&request, b"done").unwrap();
        assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 4);
    }
}

#[test]
fn a_request_over_tcp_does_not_hold_up_those_behind_it() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    assert_eq!(ask_tcp(&mut stream, &query(2, ECHO)), echo(query(2, ECHO)));
    let request = running.take();
    assert_eq!((request.transport(), request.peer()), (Transport::Tcp, stream.local_addr().unwrap()));
    assert_eq!(request.local(), running.address);
    running.server.handover().reply(&request, b"done").unwrap();
    assert_eq!(read_message(&mut stream), b"done");
}

#[test]
fn one_request_may_get_many_replies_in_order() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    for number in 0..100u8 {
        running.server.handover().reply(&request, &[number; 1000]).unwrap();
    }
    for number in 0..100u8 {
        assert_eq!(read_message(&mut stream), [number; 1000]);
    }
    until("all is sent", || request.unsent() == 0);
}

#[test]
fn a_replier_sees_that_the_peer_does_not_read_and_is_told_when_it_does() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    // More than the kernel buffers.
    let (message, count) = (vec![7; 60_000], 500);
    for _ in 0..count {
        running.server.handover().reply(&request, &message).unwrap();
    }
    assert!(request.unsent() >= Request::HIGH_BACKLOG);
    assert!(running.server.handover().take(1).is_empty());
    for _ in 0..count {
        assert_eq!(read_message(&mut stream), message);
    }
    until("the descriptor is readable", || was_readable(&running));
    assert!(request.unsent() < Request::HIGH_BACKLOG);
}

#[test]
fn a_replier_sees_all_that_its_connection_has_to_send() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    let (asked, count) = ([framed(&query(1, HAND_OVER)), framed(&query(2, FILL)).repeat(500)].concat(), 500);
    stream.write_all(&asked).unwrap();
    let request = running.take();
    until("answers wait to be read", || request.unsent() >= Request::HIGH_BACKLOG);
    for _ in 0..count {
        assert_eq!(read_message(&mut stream).len(), 65535);
    }
    until("all is sent", || request.unsent() == 0);
    assert!(!request.is_gone());
}

#[test]
fn a_full_queue_drops_and_counts_and_connections_stay() {
    let running = Running::start(Settings { handover_queue: 2, ..Settings::default() });
    let (socket, mut stream) = (running.udp(), running.tcp());
    for id in 0..5 {
        socket.send(&query(id, HAND_OVER)).unwrap();
    }
    running.until_counter("handover_dropped", 3);
    stream.write_all(&framed(&query(5, HAND_OVER))).unwrap();
    assert_eq!(ask_tcp(&mut stream, &query(6, ECHO)), echo(query(6, ECHO)));
    assert_eq!(ask_udp(&socket, &query(7, ECHO)), echo(query(7, ECHO)));
    assert_eq!((running.counter("handed_over"), running.counter("handover_dropped")), (2, 4));
    let taken = running.server.handover().take(64);
    assert_eq!(taken.iter().map(Request::wire).collect::<Vec<_>>(), [query(0, HAND_OVER), query(1, HAND_OVER)]);
}

#[test]
fn the_descriptor_is_readable_while_requests_wait() {
    let running = Running::start(Settings::default());
    assert!(!was_readable(&running));
    for id in 0..2 {
        running.udp().send(&query(id, HAND_OVER)).unwrap();
    }
    running.until_counter("handed_over", 2);
    drop(running.server.handover().take(1));
    assert!(was_readable(&running));
    running.udp().send(&query(3, HAND_OVER)).unwrap();
    running.until_counter("handed_over", 3);
    drop(running.server.handover().take(64));
    assert!(!was_readable(&running));
}

#[test]
fn a_reply_to_a_connection_that_is_gone_is_no_error() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    // Closing with an unread answer resets the connection.
    stream.write_all(&framed(&query(2, ECHO))).unwrap();
    stream.peek(&mut [0]).unwrap();
    drop(stream);
    until("the connection is gone", || request.is_gone());
    running.server.handover().reply(&request, b"too late").unwrap();
    assert_eq!(request.unsent(), 0);
    assert_eq!(ask_tcp(&mut running.tcp(), &query(3, ECHO)), echo(query(3, ECHO)));
}

#[test]
fn a_late_reply_does_not_reach_another_connection() {
    let running = Running::start(Settings::default());
    let mut first = running.tcp();
    first.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    first.write_all(&[0, 0]).unwrap();
    expect_end(&mut first);
    let mut second = running.tcp();
    ask_tcp(&mut second, &query(2, ECHO));
    running.server.handover().reply(&request, b"for the first").unwrap();
    assert_eq!(ask_tcp(&mut second, &query(3, ECHO)), echo(query(3, ECHO)));
}

#[test]
fn a_request_keeps_its_connection_until_it_is_done() {
    let running = Running::start(Settings { tcp_idle: Duration::from_millis(100), ..Settings::default() });
    let (mut waiting, mut idle) = (running.tcp(), running.tcp());
    waiting.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    ask_tcp(&mut idle, &query(2, ECHO));
    expect_end(&mut idle);
    running.server.handover().reply(&request, b"done").unwrap();
    assert_eq!(read_message(&mut waiting), b"done");
    drop(request);
    expect_end(&mut waiting);
}

#[test]
fn a_connection_is_not_kept_for_ever_for_a_reply() {
    let running = Running::start(Settings { tcp_reply: Duration::from_millis(100), ..Settings::default() });
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    expect_end(&mut stream);
    until("the connection is gone", || request.is_gone());
}

#[test]
fn who_has_sent_all_waits_for_the_reply() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let request = running.take();
    running.server.handover().reply(&request, b"done").unwrap();
    assert_eq!(read_message(&mut stream), b"done");
    drop(request);
    expect_end(&mut stream);
}

#[test]
fn who_has_sent_all_gets_a_long_reply_whole() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let request = running.take();
    // More than the kernel buffers, so that some still waits when the request is done.
    let (message, count) = (vec![7; 60_000], 500);
    for _ in 0..count {
        running.server.handover().reply(&request, &message).unwrap();
    }
    drop(request);
    for _ in 0..count {
        assert_eq!(read_message(&mut stream), message);
    }
    expect_end(&mut stream);
}

#[test]
fn what_deserves_no_answer_is_handed_over_where_a_request_keeps_the_connection() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, SILENCE))).unwrap();
    stream.write_all(&framed(&query(2, HAND_OVER))).unwrap();
    let request = running.take();
    assert_eq!(request.wire(), query(2, HAND_OVER));
    running.server.handover().reply(&request, b"a question of ours").unwrap();
    assert_eq!(read_message(&mut stream), b"a question of ours");
    stream.write_all(&framed(&query(3, SILENCE))).unwrap();
    assert_eq!(running.take().wire(), query(3, SILENCE));
    running.until_counter("malformed_silent", 1);
    drop(request);
    assert_eq!(ask_tcp(&mut stream, &query(4, ECHO)), echo(query(4, ECHO)));
    stream.write_all(&framed(&query(5, SILENCE))).unwrap();
    running.until_counter("malformed_silent", 2);
    assert!(running.server.handover().take(1).is_empty());
}

#[test]
fn the_end_of_a_kept_connection_is_told() {
    let running = Running::start(Settings::default());
    let mut half_closed = running.tcp();
    half_closed.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    assert!(!request.has_ended() && !running.server.handover().take_ends());
    half_closed.shutdown(Shutdown::Write).unwrap();
    until("the descriptor is readable", || was_readable(&running));
    assert!(running.server.handover().take_ends() && !running.server.handover().take_ends());
    assert!(request.has_ended() && !request.is_gone());

    let mut reset = running.tcp();
    reset.write_all(&framed(&query(2, HAND_OVER))).unwrap();
    let request = running.take();
    // Closing with an unread answer resets the connection.
    reset.write_all(&framed(&query(3, ECHO))).unwrap();
    reset.peek(&mut [0]).unwrap();
    drop(reset);
    until("the end is told", || running.server.handover().take_ends());
    assert!(request.has_ended());
}

#[test]
fn connections_that_nobody_keeps_end_without_a_word() {
    let running = Running::start(Settings::default());
    let mut stream = running.tcp();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    drop(running.take());
    assert_eq!(ask_tcp(&mut stream, &query(2, ECHO)), echo(query(2, ECHO)));
    stream.shutdown(Shutdown::Write).unwrap();
    expect_end(&mut stream);
    assert!(!running.server.handover().take_ends());
}

#[test]
fn requests_outlive_the_server() {
    let mut running = Running::start(Settings::default());
    let (socket, mut stream) = (running.udp(), running.tcp());
    socket.send(&query(1, HAND_OVER)).unwrap();
    stream.write_all(&framed(&query(1, HAND_OVER))).unwrap();
    running.until_counter("handed_over", 2);
    running.server.stop();
    let requests = running.server.handover().take(64);
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert!(request.is_gone());
        running.server.handover().reply(request, b"too late").unwrap();
    }
}

#[test]
fn a_reply_too_long_for_dns_is_an_error() {
    let running = Running::start(Settings::default());
    running.udp().send(&query(1, HAND_OVER)).unwrap();
    let error = running.server.handover().reply(&running.take(), &vec![0; 65536]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
