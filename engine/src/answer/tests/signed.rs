//! What proofs must not change: chains through signed wildcards, owners of NSEC3 records, unsigned delegations.

use super::check;
use crate::testing::catalogue;

const HEAD: &str = "$TTL 60\n@ SOA ns. hostmaster. 1 2 3 4 5\n@ NS ns.\n";

#[test]
fn proofs_of_a_chain_come_after_all_of_its_answers() {
    let text = format!(
        "{HEAD}@ NSEC *.alias.here. NS SOA NSEC\n*.alias CNAME x.sub\n*.alias NSEC *.sub.here. CNAME NSEC\n*.sub A 192.0.2.1\n*.sub NSEC here. A NSEC\n"
    );
    check(
        &catalogue(&[("here.", &text)]),
        "
a.alias.here. A DO
    NOERROR AA
    a.alias.here. 60 CNAME x.sub.here.
    x.sub.here. 60 A 192.0.2.1
    authority: *.alias.here. 60 NSEC *.sub.here. CNAME NSEC
    authority: *.sub.here. 60 NSEC here. A NSEC
b.sub.here. NSEC DO
    NOERROR AA
    b.sub.here. 60 NSEC here. A NSEC
    authority: *.sub.here. 60 NSEC here. A NSEC
",
    );
}

#[test]
fn owners_of_nsec3_records_do_not_exist_for_queries() {
    let owner = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
    let text = format!("{HEAD}@ NSEC3PARAM 1 0 0 -\n{owner} NSEC3 1 0 0 - {owner} A\n* TXT wild\n");
    check(
        &catalogue(&[("here.", &text)]),
        &format!(
            "
{owner}.here. TXT
    NOERROR AA
    {owner}.here. 60 TXT \"wild\"
x.{owner}.here. TXT
    NOERROR AA
    x.{owner}.here. 60 TXT \"wild\"
"
        ),
    );
}

#[test]
fn a_ds_that_nothing_signs_is_left_out_of_referrals() {
    let text = format!("{HEAD}sub NS ns.\nsub DS 1 8 1 0000000000000000000000000000000000000000\n");
    check(
        &catalogue(&[("here.", &text)]),
        "
x.sub.here. A DO
    NOERROR
    authority: sub.here. 60 NS ns.
",
    );
}
