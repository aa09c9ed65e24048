//! How many processor instructions an answer takes before any packet is moved, by kind of answer, as callgrind counts
//! them: the same on every run, whatever else the machine does. `cargo bench --bench instructions` prints a table.
//!
//! The program runs itself below valgrind. There each kind is one call of [`answers`], which callgrind counts alone and
//! writes a file after. Queries come in batches, as serving threads get them from the kernel.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use oakroot_engine::answer::respond::{Identity, Settings, UDP_PAYLOAD};
use oakroot_engine::message::cookie::CookieSecrets;
use oakroot_engine::name::Name;
use oakroot_engine::responder::{CatalogueResponder, Publication};
use oakroot_engine::serve::{Endpoint, Responder, Transport, Verdict};
use oakroot_engine::zone::Zone;
use oakroot_engine::zone::build::ZoneBuilder;
use oakroot_engine::zone::catalogue::{Catalogue, Entry};
use oakroot_engine::zonefile::{self, NoIncludes};

const BATCH: usize = 64;
const QUERIES: usize = 100 * BATCH;
/// More names than are looked ahead for, in a zone.
const LARGE: usize = 25_000;
const HOSTS: usize = 2_000;
const ZONES: usize = 10_000;

const EDNS: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";
const DO: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";
const COOKIE: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08client--";

/// A kind of answer: what it is called, the name asked for by number, the type, and the OPT record.
type Kind = (&'static str, fn(usize) -> String, u8, &'static [u8]);

const MIXED: &[Kind] = &[
    ("address", |n| format!("h{}.mixed.example.", n % HOSTS), 1, &[]),
    ("address, EDNS", |n| format!("h{}.mixed.example.", n % HOSTS), 1, EDNS),
    ("address, cookie", |n| format!("h{}.mixed.example.", n % HOSTS), 1, COOKIE),
    ("NODATA", |n| format!("h{}.mixed.example.", n % HOSTS), 16, &[]),
    ("NXDOMAIN", |n| format!("n{n}.mixed.example."), 1, &[]),
    ("referral", |n| format!("www.d{}.mixed.example.", n % 100), 1, &[]),
    ("MX", |n| format!("m{}.mixed.example.", n % 100), 15, &[]),
    ("alias", |n| format!("c{}.mixed.example.", n % 100), 1, &[]),
    ("wildcard", |n| format!("x{n}.w{}.mixed.example.", n % 100), 1, &[]),
];
const SIGNED: &[Kind] = &[
    ("signed: address, DO", |n| format!("h{:04}.signed.example.", n % HOSTS), 1, DO),
    ("signed: NODATA, DO", |n| format!("h{:04}.signed.example.", n % HOSTS), 16, DO),
    ("signed: NXDOMAIN, DO", |n| format!("h{:04}x.signed.example.", n % HOSTS), 1, DO),
];
const MANY_NAMES: &[Kind] = &[
    ("25,000 names: address", |n| format!("h{}.mixed.example.", n * 7_919 % LARGE), 1, &[]),
    ("25,000 names: NXDOMAIN", |n| format!("n{n}.mixed.example."), 1, &[]),
    ("25,000 names: referral", |n| format!("www.d{}.mixed.example.", n % 100), 1, &[]),
];
const MANY_ZONES: &[Kind] = &[
    ("10,000 zones: address", |n| format!("host.zone{}.example.", n * 7_919 % ZONES), 1, &[]),
    ("10,000 zones: NXDOMAIN", |n| format!("n{n}.zone{}.example.", n * 7_919 % ZONES), 1, &[]),
];

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--measured") {
        measure();
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("instructions-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let counts = counted(&folder);
    fs::remove_dir_all(&folder)?;
    println!("{:<34}{:>14}", "kind of answer", "instructions");
    let kinds = [MIXED, SIGNED, MANY_NAMES, MANY_ZONES].concat();
    for ((kind, ..), count) in kinds.iter().zip(counts?) {
        println!("{kind:<34}{:>14}", count / QUERIES as u64);
    }
    Ok(())
}

/// Runs this program below callgrind; gives the instructions of each call of [`answers`].
fn counted(folder: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--toggle-collect=*answers*", "--dump-after=instructions::answers"])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(std::env::current_exe()?)
        .arg("--measured")
        .status()?;
    if !status.success() {
        return Err("valgrind failed".into());
    }
    let mut by_number = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // The file without a number is what was left at the end.
        let Some(number) = path.extension().and_then(|number| number.to_str()?.parse::<u32>().ok()) else { continue };
        let text = fs::read_to_string(&path)?;
        let total = text.lines().find_map(|line| line.strip_prefix("summary: ")).ok_or("no summary")?;
        by_number.insert(number, total.trim().parse()?);
    }
    Ok(by_number.into_values().collect())
}

fn measure() {
    let mixed = catalogue([zone("mixed.example.", &mixed_text(HOSTS))]);
    let signed = catalogue([zone("signed.example.", &signed_text())]);
    let many_names = catalogue([zone("mixed.example.", &mixed_text(LARGE))]);
    let many_zones = catalogue((0..ZONES).map(|number| zone(&format!("zone{number}.example."), SMALL)));
    for (catalogue, kinds) in [(mixed, MIXED), (signed, SIGNED), (many_names, MANY_NAMES), (many_zones, MANY_ZONES)] {
        let publication = Arc::new(Publication::default());
        publication.publish(Arc::new(catalogue));
        let mut responder = CatalogueResponder::new(publication, settings());
        responder.refresh();
        for &(_, name, qtype, opt) in kinds {
            let queries: Vec<_> = (0..QUERIES).map(|number| query(&name(number), qtype, opt)).collect();
            answers(&mut responder, &queries);
        }
    }
}

/// What is counted. Its name is told to callgrind.
#[inline(never)]
fn answers(responder: &mut CatalogueResponder, queries: &[Vec<u8>]) {
    let peer = Endpoint::from(SocketAddr::from(([127, 0, 0, 1], 53)));
    let mut out = [0; 1232];
    for batch in queries.chunks(BATCH) {
        responder.foresee(batch.iter().map(Vec::as_slice));
        for query in batch {
            let verdict = responder.respond(query, Transport::Udp, &peer, &mut out);
            assert!(matches!(black_box(verdict), Verdict::Answer { .. }));
        }
    }
}

fn settings() -> Settings {
    let (identity, secrets) = (Identity::default(), CookieSecrets::new([7; 16]));
    Settings { udp_payload: UDP_PAYLOAD, keepalive: 100, identity, secrets }
}

fn catalogue(zones: impl IntoIterator<Item = Zone>) -> Catalogue {
    Catalogue::default().changed(zones.into_iter().map(|zone| Entry::Zone(Arc::new(zone))), &[])
}

fn zone(apex: &str, text: &str) -> Zone {
    let apex = Name::from_text(apex.as_bytes(), None).expect("a name");
    let mut builder = ZoneBuilder::new(apex.clone());
    let settings = zonefile::Settings::default();
    let _ = zonefile::read(text.as_bytes(), "zone", &apex, settings, &mut NoIncludes, &mut builder);
    builder.finish().0.expect("a zone")
}

const HEAD: &str =
    "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n";
const SMALL: &str = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n@ MX 10 mail\nmail A 192.0.2.25\nwww CNAME host\nhost A 192.0.2.3\n";

/// Hosts, and a hundred of everything else, like the mixed zone of `python -m bench`.
fn mixed_text(hosts: usize) -> String {
    let mut text = String::from(HEAD);
    for n in 0..hosts {
        let _ = writeln!(text, "h{n} A 10.0.0.1\nh{n} AAAA 2001:db8::1");
    }
    for n in 0..100 {
        let _ = writeln!(text, "c{n} CNAME h{n}\nm{n} MX 10 h{n}\nm{n} MX 20 h{}\n*.w{n} A 10.0.0.2", n + 1);
        let _ = writeln!(text, "d{n} NS ns.d{n}\nd{n} NS ns.example.net.\nns.d{n} A 192.0.2.53");
    }
    text
}

/// Hosts with signatures of the length that ECDSA has (RFC 6605 §4), which nobody checks here.
fn signed_text() -> String {
    let signature = |owner: &str, labels: u8, covered: &str| {
        let octets = format!("{}==", "A".repeat(86));
        format!("{owner} RRSIG {covered} 13 {labels} 3600 20400101000000 20260101000000 1 signed.example. {octets}\n")
    };
    let mut text = format!("{HEAD}@ NSEC h0000 NS SOA RRSIG NSEC\n");
    for covered in ["SOA", "NS", "NSEC"] {
        text += &signature("@", 2, covered);
    }
    for n in 0..HOSTS {
        let (owner, next) = (format!("h{n:04}"), if n + 1 < HOSTS { format!("h{:04}", n + 1) } else { "ns1".into() });
        let _ = writeln!(text, "{owner} A 10.0.0.1\n{owner} NSEC {next} A RRSIG NSEC");
        text += &signature(&owner, 3, "A");
        text += &signature(&owner, 3, "NSEC");
    }
    for (owner, next) in [("ns1", "ns2"), ("ns2", "@")] {
        let _ = writeln!(text, "{owner} NSEC {next} A RRSIG NSEC");
        text += &signature(owner, 3, "NSEC");
    }
    text
}

fn query(name: &str, qtype: u8, opt: &[u8]) -> Vec<u8> {
    let name = Name::from_text(name.as_bytes(), None).expect("a name");
    let header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(!opt.is_empty())];
    [&header, name.as_wire(), &[0, qtype, 0, 1], opt].concat()
}
