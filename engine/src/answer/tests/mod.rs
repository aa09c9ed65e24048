//! Answers as tables in DNS text, one file per theme.

mod chains;
mod cuts;
mod signed;
mod wildcards;

use super::respond::{Identity, Outcome, Peer, Room, Scratch, Settings, UDP_PAYLOAD, respond};
use crate::message::cookie::CookieSecrets;
use crate::testing::{ask, catalogue};
use crate::zone::catalogue::Catalogue;

/// Asks each question and compares with the lines indented below it.
fn check(catalogue: &Catalogue, table: &str) {
    let mut cases: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with("    ") {
            cases.last_mut().expect("a question comes first").1.push(line.trim());
        } else {
            cases.push((line.trim(), Vec::new()));
        }
    }
    for (question, expected) in cases {
        assert_eq!(ask(catalogue, question), expected.join("\n"), "{question}");
    }
}

const BASE: &str = "\
$TTL 3600
@ SOA ns1 hostmaster 1 86400 7200 1048576 300
@ NS ns1
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
www A 192.0.2.2
www A 192.0.2.3
deep.er.host A 192.0.2.4
@ MX 10 mail
mail A 192.0.2.5
";

#[test]
fn the_five_kinds_of_answer() {
    check(
        &catalogue(&[("example.org.", BASE)]),
        "
www.example.org. A
    NOERROR AA
    www.example.org. 3600 A 192.0.2.2
    www.example.org. 3600 A 192.0.2.3
WWW.Example.ORG. AAAA
    NOERROR AA
    authority: Example.ORG. 300 SOA ns1.example.org. hostmaster.example.org. 1 86400 7200 1048576 300
er.host.example.org. A
    NOERROR AA
    authority: example.org. 300 SOA ns1.example.org. hostmaster.example.org. 1 86400 7200 1048576 300
nothing.er.host.example.org. A
    NXDOMAIN AA
    authority: example.org. 300 SOA ns1.example.org. hostmaster.example.org. 1 86400 7200 1048576 300
example.org. MX
    NOERROR AA
    example.org. 3600 MX 10 mail.example.org.
    additional: mail.example.org. 3600 A 192.0.2.5
example.com. A
    REFUSED
org. NS
    REFUSED
",
    );
}

#[test]
fn any_is_one_rrset_over_udp_and_all_over_tcp() {
    check(
        &catalogue(&[("example.org.", BASE)]),
        "
ns1.example.org. ANY
    NOERROR AA
    ns1.example.org. 3600 A 192.0.2.1
ns1.example.org. ANY TCP
    NOERROR AA
    ns1.example.org. 3600 A 192.0.2.1
    ns1.example.org. 3600 AAAA 2001:db8::1
",
    );
}

/// Flags and number of answers of the response to `www.example.org. A` in this class.
fn asked_in_class(class: u8) -> (u8, u8) {
    let catalogue = catalogue(&[("example.org.", BASE)]);
    let (identity, secrets) = (Identity::default(), CookieSecrets::new([0; 16]));
    let settings = Settings { udp_payload: UDP_PAYLOAD, keepalive: 0, identity, secrets };
    let mut query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x01\0".to_vec();
    query.push(class);
    let peer = Peer { address: "192.0.2.9".parse().unwrap(), tcp: false };
    let (mut scratch, mut out) = (Scratch::default(), [0; 1232]);
    let room = Room { out: &mut out, reserve: 0 };
    let outcome = respond(&catalogue, &settings, &mut scratch, &query, peer, 0, room);
    assert!(matches!(outcome, Outcome::Answer { .. }), "{outcome:?}");
    (out[2], out[7])
}

#[test]
fn an_answer_for_all_classes_is_not_authoritative() {
    assert_eq!(asked_in_class(1), (0x84, 2));
    assert_eq!(asked_in_class(255), (0x80, 2));
}
