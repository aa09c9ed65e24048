"""Zones about record types: one of each, unknown ones, and large sets."""

from __future__ import annotations

from tests.interop.zones import ZoneBuilder

# Rdata that NSD, Knot and BIND all read. Types that one of them does not know stand as RFC 3597 hexadecimal.
RDATA = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "AFSDB": "1 afsdb.example.net.",
    "APL": "1:192.0.2.0/24 !2:2001:db8::/32",
    "CAA": '0 issue "ca.example.net; policy=ev"',
    "CDNSKEY": "0 3 0 AA==",
    "CDS": "0 0 0 00",
    "CERT": "PKIX 0 0 aGVsbG8gd29ybGQ=",
    "CSYNC": "66 3 A NS AAAA",
    "DHCID": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "EUI48": "00-00-5e-00-53-2a",
    "EUI64": "00-00-5e-ef-10-00-00-2a",
    "HINFO": '"PDP-11" "UNIX V7"',
    "HTTPS": '1 . alpn="h2,h3" ipv4hint="192.0.2.1"',
    "IPSECKEY": "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    "KX": "10 kx.example.net.",
    "L32": "10 10.1.2.0",
    "L64": "10 2001:1DB8:1140:1000",
    "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "LP": "10 l64-subnet.example.net.",
    "MX": "0 .",
    "NAPTR": '100 10 "U" "E2U+sip" "!^.*$!sip:info@example.net!" .',
    "NID": "10 1014:4fff:ff20:ee64",
    "OPENPGPKEY": "AQIDBAUGBwg=",
    "PTR": "host.example.net.",
    "RP": "admin.example.net. text.example.net.",
    "RT": "2 relay.example.net.",
    "SMIMEA": "3 1 1 " + "cd" * 32,
    "SPF": '"v=spf1 -all"',
    "SRV": "0 0 0 .",
    "SSHFP": "4 2 " + "ef" * 32,
    "SVCB": '16 svc.example.net. alpn="h2" port=8443',
    "TLSA": "3 1 1 " + "ab" * 32,
    "TXT": '"one" "two" ""',
    "URI": '10 1 "https://www.example.net/"',
    "TYPE65400": r"\# 4 DEADBEEF",
    "TYPE65401": r"\# 0",
    "TYPE65402": r"\# 3 000102",
}


def odd_types(zone: ZoneBuilder) -> None:
    """Many types at one owner, at the apex, below a wildcard and behind a CNAME."""
    zone.add_apex(1)
    chosen = zone.random.sample(sorted(RDATA), 20)
    for type_ in chosen:
        zone.add("all", type_, RDATA[type_])
        zone.probe("all", type_)
    for type_ in chosen[:6]:
        zone.add("*.wild", type_, RDATA[type_])
        zone.probe("x.wild", type_)
    for type_ in chosen[6:9]:
        zone.add("@", type_, RDATA[type_])
        zone.probe("@", type_)
    zone.add("alias", "CNAME", "all")
    zone.add("generic", "A", r"\# 4 C0000263")
    zone.add("generic", "TYPE28", r"\# 16 20010DB8000000000000000000000063")
    zone.add("generic", "MX", r"\# 7 000A 0361 6263 00")
    zone.probe("generic", "A")
    zone.probe("generic", "AAAA")
    zone.probe("generic", "MX")
    for type_ in zone.random.sample(sorted(RDATA), 6):
        zone.probe("alias", type_)
        zone.probe("all", type_)
    for type_ in (
        "TYPE0",
        "TYPE41",
        "TYPE103",
        "TYPE249",
        "TYPE253",
        "TYPE254",
        "TYPE65535",
        "TYPE32768",
        "TYPE46",
    ):
        zone.probe("all", type_)


def large_sets(zone: ZoneBuilder) -> None:
    """RRsets that outgrow 512 octets, 1232 octets and 16 KiB, where compression pointers no longer reach."""
    zone.add_apex(4)
    count = zone.random.choice([25, 60, 90, 300, 1200])
    for number in range(count):
        zone.add("many", "A", f"198.51.{number // 200}.{number % 200 + 1}")
    for number in range(zone.random.randrange(5, 40)):
        zone.add("wide", "TXT", f'"{number:03d}' + "x" * zone.random.randrange(10, 250) + '"')
    for number in range(zone.random.choice([3, 30])):
        zone.add("mail", "MX", f"{number} mx{number}.mail")
        zone.add(f"mx{number}.mail", "A", zone.ipv4())
    for number in range(12):
        zone.add("cut", "NS", f"name-server-number-{number}.cut")
        zone.add(f"name-server-number-{number}.cut", "A", zone.ipv4())
        zone.add(f"name-server-number-{number}.cut", "AAAA", zone.ipv6())
    zone.add("*.wild", "TXT", " ".join(['"' + "y" * 255 + '"'] * 30))
    zone.add("alias", "CNAME", "many")
    for name, type_ in (("many", "A"), ("wide", "TXT"), ("mail", "MX"), ("alias", "A"), ("x.wild", "TXT")):
        zone.probe(name, type_)
        zone.probe(name, "ANY")
    zone.probe("cut", "NS")
    zone.probe("x.cut", "A")
    zone.probe("name-server-number-3.cut", "A")


def reverse(zone: ZoneBuilder) -> None:
    """A reverse zone with the CNAMEs of RFC 2317, whose labels hold a slash."""
    zone.add_apex(1)
    for number in range(1, 9):
        zone.add(str(number), "PTR", f"host{number}.example.net.")
    zone.add("0/28", "NS", "ns.example.net.")
    zone.add("16/28", "NS", "ns.16/28")
    zone.add("ns.16/28", "A", zone.ipv4())
    for number in (17, 18, 19):
        zone.add(str(number), "CNAME", f"{number}.16/28")
        zone.probe(str(number), "PTR")
    zone.add("32-63", "DNAME", "1-31.other")
    zone.probe("40.32-63", "PTR")
    zone.probe("0/28", "PTR")
    zone.probe("3.0/28", "PTR")
