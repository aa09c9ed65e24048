//! What an answer costs before any packet is moved: `cargo bench --bench respond` prints nanoseconds per answer.
//!
//! No harness: each row is the median of rounds over questions in a shuffled order, so that large zones show what
//! their memory costs.

use std::fmt::Write;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use oakroot_engine::answer::respond::{Identity, Outcome, Peer, Room, Scratch, Settings, UDP_PAYLOAD, respond};
use oakroot_engine::message::cookie::CookieSecrets;
use oakroot_engine::name::Name;
use oakroot_engine::responder::{CatalogueResponder, Publication};
use oakroot_engine::serve::{Endpoint, Responder, Transport};
use oakroot_engine::zone::build::ZoneBuilder;
use oakroot_engine::zone::catalogue::{Catalogue, Entry};
use oakroot_engine::zonefile::{self, NoIncludes};

const ROUNDS: usize = 9;
const QUESTIONS: u32 = 100_000;

fn main() {
    println!("{:<34}{:>12}{:>12}", "question", "names", "ns/answer");
    // `cargo bench` itself passes `--bench`. A number limits the run to zones of that size, a word to one question.
    let only: Option<usize> = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    for names in [100, 10_000, 1_000_000].into_iter().filter(|names| only.is_none_or(|only| only == *names)) {
        let catalogue = catalogue(names);
        let edns: &[u8] = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";
        row("A", names, &catalogue, |number| query(&format!("h{number}"), 1, &[]), names);
        batches(names, &catalogue);
        row("A with EDNS", names, &catalogue, |number| query(&format!("h{number}"), 1, edns), names);
        row("no such type", names, &catalogue, |number| query(&format!("h{number}"), 28, &[]), names);
        row("no such name", names, &catalogue, |number| query(&format!("x{number}"), 1, &[]), names);
        row("referral", names, &catalogue, |number| query(&format!("www.sub{}", number % 50), 1, &[]), names);
        row("wildcard", names, &catalogue, |number| query(&format!("x{number}.wild"), 1, &[]), names);
        row("MX with additional", names, &catalogue, |_| query("mail", 15, &[]), names);
    }
}

/// The same as the row "A", in batches as a serving thread gets them from the kernel.
fn batches(names: usize, catalogue: &Catalogue) {
    let publication = Arc::new(Publication::default());
    publication.publish(Arc::new(catalogue.clone()));
    let mut responder = CatalogueResponder::new(publication, settings());
    responder.refresh();
    let queries: Vec<_> =
        (0..QUESTIONS as usize).map(|number| query(&format!("h{}", number * 7_919 % names), 1, &[])).collect();
    let peer = Endpoint::from(SocketAddr::from(([127, 0, 0, 1], 53)));
    let mut out = [0; 1232];
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for batch in queries.chunks(64) {
                responder.foresee(batch.iter().map(Vec::as_slice));
                for query in batch {
                    black_box(responder.respond(black_box(query), Transport::Udp, &peer, &mut out));
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(QUESTIONS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{:<34}{names:>12}{:>12.0}", "A in batches", rounds[ROUNDS / 2]);
}

fn settings() -> Settings {
    Settings {
        udp_payload: UDP_PAYLOAD,
        keepalive: 100,
        identity: Identity::default(),
        secrets: CookieSecrets::of_process(),
    }
}

fn catalogue(names: usize) -> Catalogue {
    let mut text =
        String::from("$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.wild A 192.0.2.2\n");
    text += "mail MX 10 ns\n";
    for number in 0..50 {
        let _ = write!(text, "sub{number} NS ns.sub{number}\nns.sub{number} A 192.0.2.3\n");
    }
    for number in 0..names {
        let _ = writeln!(text, "h{number} A 10.0.0.1");
    }
    let apex = Name::from_text(b"example.org.", None).expect("a name");
    let mut builder = ZoneBuilder::new(apex.clone());
    let settings = zonefile::Settings::default();
    let _ = zonefile::read(text.as_bytes(), "zone", &apex, settings, &mut NoIncludes, &mut builder);
    let zone = builder.finish().0.expect("a zone");
    Catalogue::default().changed([Entry::Zone(Arc::new(zone))], &[])
}

fn query(relative: &str, qtype: u8, additional: &[u8]) -> Vec<u8> {
    let name = Name::from_text(format!("{relative}.example.org.").as_bytes(), None).expect("a name");
    let records = u8::from(!additional.is_empty());
    let header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, records];
    [&header, name.as_wire(), &[0, qtype, 0, 1], additional].concat()
}

fn row(what: &str, names: usize, catalogue: &Catalogue, make: impl Fn(usize) -> Vec<u8>, range: usize) {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-') && word.parse::<usize>().is_err());
    if words.next().is_some_and(|word| word != what) {
        return;
    }
    let step = 7_919;
    let queries: Vec<_> = (0..QUESTIONS as usize).map(|number| make(number * step % range)).collect();
    let settings = settings();
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tcp: false };
    let (mut scratch, mut out) = (Scratch::default(), [0; 1232]);
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for query in &queries {
                let room = Room { out: &mut out, reserve: 0 };
                let outcome = respond(catalogue, &settings, &mut scratch, black_box(query), peer, 0, room);
                assert!(matches!(black_box(outcome), Outcome::Answer { .. }));
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(QUESTIONS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{what:<34}{names:>12}{:>12.0}", rounds[ROUNDS / 2]);
}
