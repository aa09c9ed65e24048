//! Answers as tables in DNS text, one file per theme.

mod chains;
mod cuts;
mod signed;
mod wildcards;

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
