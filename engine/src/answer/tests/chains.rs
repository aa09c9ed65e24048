//! CNAME and DNAME: inside a zone, across our zones, out of them, and in circles.

use super::check;
use crate::testing::catalogue;

const SOA: &str = "$TTL 60\n@ SOA ns. hostmaster. 1 2 3 4 5\n@ NS ns.\n";

#[test]
fn a_chain_is_followed_as_long_as_it_stays_in_our_zones() {
    let here =
        format!("{SOA}a CNAME b\nb CNAME c.other.\nout CNAME x.elsewhere.\ngone CNAME nothing\n*.w CNAME a.w\n");
    let other = format!("{SOA}c A 192.0.2.1\n");
    check(
        &catalogue(&[("here.", &here), ("other.", &other)]),
        "
a.here. A
    NOERROR AA
    a.here. 60 CNAME b.here.
    b.here. 60 CNAME c.other.
    c.other. 60 A 192.0.2.1
a.here. CNAME
    NOERROR AA
    a.here. 60 CNAME b.here.
out.here. A
    NOERROR AA
    out.here. 60 CNAME x.elsewhere.
gone.here. A
    NXDOMAIN AA
    gone.here. 60 CNAME nothing.here.
    authority: here. 5 SOA ns. hostmaster. 1 2 3 4 5
a.here. AAAA
    NOERROR AA
    a.here. 60 CNAME b.here.
    b.here. 60 CNAME c.other.
    authority: other. 5 SOA ns. hostmaster. 1 2 3 4 5
x.w.here. A
    NOERROR AA
    x.w.here. 60 CNAME a.w.here.
    a.w.here. 60 CNAME a.w.here.
",
    );
}

#[test]
fn circles_end() {
    let text = format!("{SOA}a CNAME b\nb CNAME a\nself CNAME self\nd DNAME d\n");
    check(
        &catalogue(&[("here.", &text)]),
        "
a.here. A
    NOERROR AA
    a.here. 60 CNAME b.here.
    b.here. 60 CNAME a.here.
self.here. A
    NOERROR AA
    self.here. 60 CNAME self.here.
",
    );
}

#[test]
fn a_dname_redirects_what_is_below_it_and_not_itself() {
    let text = format!("{SOA}d DNAME e\nd A 192.0.2.9\nx.e A 192.0.2.1\nlong DNAME {}e\n", "a.".repeat(100));
    check(
        &catalogue(&[("here.", &text)]),
        &format!(
            "
x.d.here. A
    NOERROR AA
    d.here. 60 DNAME e.here.
    x.d.here. 60 CNAME x.e.here.
    x.e.here. 60 A 192.0.2.1
x.d.here. CNAME
    NOERROR AA
    d.here. 60 DNAME e.here.
    x.d.here. 60 CNAME x.e.here.
d.here. A
    NOERROR AA
    d.here. 60 A 192.0.2.9
d.here. DNAME
    NOERROR AA
    d.here. 60 DNAME e.here.
{}long.here. A
    YXDOMAIN AA
    long.here. 60 DNAME {}e.here.
",
            "b.".repeat(60),
            "a.".repeat(100)
        ),
    );
}
