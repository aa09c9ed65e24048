//! Delegations: referrals, glue, DS at the parent side, data that a cut hides.

use super::check;
use crate::testing::catalogue;

const PARENT: &str = "\
$TTL 60
@ SOA ns hostmaster 1 2 3 4 5
@ NS ns
ns A 192.0.2.1
sub NS ns.sub
sub NS ns
sub NS ns.elsewhere.
ns.sub A 192.0.2.2
deep.ns.sub TXT hidden
safe NS ns
safe DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
";
const CHILD: &str = "$TTL 60\n@ SOA ns hostmaster 7 2 3 4 5\n@ NS ns\nns A 192.0.2.2\nwww A 192.0.2.3\n";

#[test]
fn below_a_cut_there_are_referrals_with_glue() {
    check(
        &catalogue(&[("example.", PARENT)]),
        "
www.sub.example. A
    NOERROR
    authority: sub.example. 60 NS ns.sub.example.
    authority: sub.example. 60 NS ns.example.
    authority: sub.example. 60 NS ns.elsewhere.
    additional: ns.sub.example. 60 A 192.0.2.2
    additional: ns.example. 60 A 192.0.2.1
sub.example. SOA
    NOERROR
    authority: sub.example. 60 NS ns.sub.example.
    authority: sub.example. 60 NS ns.example.
    authority: sub.example. 60 NS ns.elsewhere.
    additional: ns.sub.example. 60 A 192.0.2.2
    additional: ns.example. 60 A 192.0.2.1
deep.ns.sub.example. TXT
    NOERROR
    authority: sub.example. 60 NS ns.sub.example.
    authority: sub.example. 60 NS ns.example.
    authority: sub.example. 60 NS ns.elsewhere.
    additional: ns.sub.example. 60 A 192.0.2.2
    additional: ns.example. 60 A 192.0.2.1
",
    );
}

#[test]
fn ds_is_answered_at_the_parent_side_also_where_we_serve_the_child() {
    check(
        &catalogue(&[("example.", PARENT), ("sub.example.", CHILD), ("safe.example.", CHILD)]),
        "
safe.example. DS
    NOERROR AA
    safe.example. 60 DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
sub.example. DS
    NOERROR AA
    authority: example. 5 SOA ns.example. hostmaster.example. 1 2 3 4 5
www.sub.example. A
    NOERROR AA
    www.sub.example. 60 A 192.0.2.3
example. DS
    NOERROR AA
    authority: example. 5 SOA ns.example. hostmaster.example. 1 2 3 4 5
",
    );
}
