//! RFC 4592, with the zone of its section 2.2.1 and the answers that section names.

use super::check;
use crate::testing::catalogue;

const RFC_4592: &str = "\
$ORIGIN example.
@                 3600 SOA   ns1.example.com. hostmaster 1 86400 7200 1048576 3600
                  3600 NS    ns.example.com.
                  3600 NS    ns.example.net.
*                 3600 TXT   \"this is a wildcard\"
*                 3600 MX    10 host1
sub.*             3600 TXT   \"this is not a wildcard\"
host1             3600 A     192.0.2.1
_ssh._tcp.host1   3600 SRV   0 0 22 host1
_ssh._tcp.host2   3600 SRV   0 0 22 host1
host2             3600 A     192.0.2.7
subdel            3600 NS    ns.example.com.
subdel            3600 NS    ns.example.net.
";

#[test]
fn the_table_of_section_2_2_1() {
    check(
        &catalogue(&[("example.", RFC_4592)]),
        "
host3.example. MX
    NOERROR AA
    host3.example. 3600 MX 10 host1.example.
    additional: host1.example. 3600 A 192.0.2.1
host3.example. A
    NOERROR AA
    authority: example. 3600 SOA ns1.example.com. hostmaster.example. 1 86400 7200 1048576 3600
foo.bar.example. TXT
    NOERROR AA
    foo.bar.example. 3600 TXT \"this is a wildcard\"
host1.example. MX
    NOERROR AA
    authority: example. 3600 SOA ns1.example.com. hostmaster.example. 1 86400 7200 1048576 3600
sub.*.example. MX
    NOERROR AA
    authority: example. 3600 SOA ns1.example.com. hostmaster.example. 1 86400 7200 1048576 3600
_telnet._tcp.host1.example. SRV
    NXDOMAIN AA
    authority: example. 3600 SOA ns1.example.com. hostmaster.example. 1 86400 7200 1048576 3600
host.subdel.example. A
    NOERROR
    authority: subdel.example. 3600 NS ns.example.com.
    authority: subdel.example. 3600 NS ns.example.net.
ghost.*.example. MX
    NXDOMAIN AA
    authority: example. 3600 SOA ns1.example.com. hostmaster.example. 1 86400 7200 1048576 3600
*.example. TXT
    NOERROR AA
    *.example. 3600 TXT \"this is a wildcard\"
",
    );
}
