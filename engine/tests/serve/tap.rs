//! What a server shows of its queries and answers to who listens.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use oakroot_engine::serve::{Exchange, Settings, Stage, Transport};

use crate::harness::{ECHO, HAND_OVER, Running, SILENCE, ask_tcp, ask_udp, echo, query, read_message, until};

fn listening(every: u32) -> Running {
    let running = Running::start(Settings::default());
    running.server.handover().taps().listen(every);
    running
}

/// The next exchanges, once there are so many.
fn exchanges(running: &Running, count: usize) -> Vec<Exchange> {
    let mut taken = Vec::new();
    until("exchanges are shown", || {
        taken.extend(running.server.handover().taps().take(100));
        taken.len() >= count
    });
    taken
}

#[test]
fn nobody_listens_and_nothing_is_kept() {
    let running = Running::start(Settings::default());
    ask_udp(&running.udp(), &query(1, ECHO));
    assert_eq!(running.server.handover().taps().take(1), []);
    assert_eq!(running.counter("tapped"), 0);
}

#[test]
fn a_query_over_udp_is_shown_with_its_answer() {
    let running = listening(1);
    let socket = running.udp();
    ask_udp(&socket, &query(1, ECHO));
    let shown = exchanges(&running, 1).remove(0);
    assert_eq!((shown.stage, shown.transport), (Stage::Settled, Transport::Udp));
    assert_eq!((shown.peer, shown.local), (socket.local_addr().unwrap(), running.address));
    assert_eq!((&*shown.query, shown.answer.as_deref()), (&*query(1, ECHO), Some(&*echo(query(1, ECHO)))));
    assert!(shown.asked <= shown.told && shown.asked > 1 << 60, "nanoseconds since 1970");
}

#[test]
fn the_address_that_was_asked_is_shown_where_all_are_served() {
    let running = Running::at("0.0.0.0:0", Settings::default());
    running.server.handover().taps().listen(1);
    ask_udp(&running.udp_by("127.0.0.2"), &query(1, ECHO));
    let asked = SocketAddr::new("127.0.0.2".parse().unwrap(), running.address.port());
    assert_eq!(exchanges(&running, 1)[0].local, asked);
}

#[test]
fn queries_over_tcp_are_shown_each_with_its_own_answer() {
    let running = listening(1);
    let mut stream = running.tcp();
    for id in [1, 2] {
        ask_tcp(&mut stream, &query(id, ECHO));
    }
    let shown = exchanges(&running, 2);
    for (exchange, id) in shown.iter().zip([1, 2]) {
        assert_eq!((exchange.stage, exchange.transport), (Stage::Settled, Transport::Tcp));
        assert_eq!((exchange.peer, exchange.local), (stream.local_addr().unwrap(), running.address));
        assert_eq!(exchange.answer.as_deref(), Some(&*echo(query(id, ECHO))));
    }
}

#[test]
fn what_gets_no_answer_is_shown_without() {
    let running = listening(1);
    running.udp().send(&query(1, SILENCE)).unwrap();
    let shown = exchanges(&running, 1).remove(0);
    assert_eq!((shown.stage, shown.answer), (Stage::Settled, None));
}

#[test]
fn a_request_is_shown_when_it_comes_and_with_each_reply() {
    let running = listening(1);
    let socket = running.udp();
    socket.send(&query(1, HAND_OVER)).unwrap();
    let request = running.take();
    for reply in [b"first", b"later"] {
        running.server.handover().reply(&request, reply).unwrap();
    }
    let mut shown = BTreeMap::new();
    for exchange in exchanges(&running, 3) {
        assert_eq!((&*exchange.query, exchange.peer), (&*query(1, HAND_OVER), socket.local_addr().unwrap()));
        shown.insert(format!("{:?}", exchange.stage), exchange.answer.map(Vec::from));
    }
    let [none, first, later] = [None, Some(b"first".to_vec()), Some(b"later".to_vec())];
    let expected = [("Answered", first), ("Continued", later), ("HandedOver", none)];
    assert!(shown.iter().map(|(stage, answer)| (stage.as_str(), answer.clone())).eq(expected), "{shown:?}");
}

#[test]
fn a_request_over_tcp_is_shown_too() {
    let running = listening(1);
    let mut stream = running.tcp();
    std::io::Write::write_all(&mut stream, &crate::harness::framed(&query(1, HAND_OVER))).unwrap();
    let request = running.take();
    running.server.handover().reply(&request, b"reply").unwrap();
    assert_eq!(read_message(&mut stream), b"reply");
    let stages = exchanges(&running, 2).into_iter().map(|exchange| exchange.stage);
    assert_eq!(stages.filter(|stage| *stage == Stage::Answered).count(), 1);
}

#[test]
fn one_of_so_many_is_shown() {
    let running = listening(5);
    let socket = running.udp();
    for id in 0..20 {
        ask_udp(&socket, &query(id, ECHO));
    }
    let shown = exchanges(&running, 4);
    let numbers: Vec<_> = shown.iter().map(|exchange| exchange.query[1]).collect();
    assert_eq!(numbers, [0, 5, 10, 15]);
}

#[test]
fn what_nobody_takes_is_lost_and_counted_while_serving_goes_on() {
    let running = listening(1);
    let socket = running.udp();
    let long = [query(1, ECHO), vec![0; 1000]].concat();
    for _ in 0..1000 {
        assert!(ask_udp(&socket, &long).len() > 12);
    }
    let (kept, lost) = (running.counter("tapped"), running.counter("tap_dropped"));
    assert!(kept > 100 && lost > 100 && kept + lost == 1000, "{kept} {lost}");
    assert_eq!(exchanges(&running, usize::try_from(kept).unwrap().min(100)).len(), 100, "a limit holds");
    running.server.handover().taps().listen(0);
    ask_udp(&socket, &query(2, ECHO));
    assert_eq!(running.counter("tapped") + running.counter("tap_dropped"), 1000);
}
