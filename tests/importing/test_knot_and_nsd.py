"""What is read of a `knot.conf`, an `nsd.conf` and a `pdns.conf`."""

from __future__ import annotations

import pytest

from oakroot.importing.knot import read_knot
from oakroot.importing.nsd import read_nsd
from oakroot.importing.powerdns import read_powerdns
from oakroot.importing.setup import ConfigurationError, Setup
from tests.importing.sources import SECRET, granted, set_up, told

KNOT_KEY = f"key:\n  - id: laptop\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
KNOT_ZONE = "zone:\n  - domain: a\n    acl: x\n"
NSD_KEY = f'key:\n    name: "laptop"\n    algorithm: hmac-sha256\n    secret: "{SECRET}"\n'


def knot(text: str) -> Setup:
    return set_up(read_knot, "/etc/knot/knot.conf", {"/etc/knot/knot.conf": text})


def nsd(text: str) -> Setup:
    return set_up(read_nsd, "/etc/nsd/nsd.conf", {"/etc/nsd/nsd.conf": text})


def test_knots_zones_are_found_by_template_and_storage() -> None:
    setup = knot(
        'template:\n  - id: default\n    storage: /srv/zones\n    file: "%s.db"\n'
        "zone:\n  - domain: Example.org\n  - domain: mirage\n    file: m # here\n    storage: /other\n"
    )
    assert [(zone.apex, zone.file) for zone in setup.zones] == [
        ("example.org.", "/srv/zones/example.org.db"),
        ("mirage.", "/other/m"),
    ]


def test_knots_default_place_is_its_own() -> None:
    (zone,) = knot("zone:\n  - domain: mirage\n").zones
    assert zone.file == "/var/lib/knot/mirage.zone"


@pytest.mark.proves("imports", "Knot DNS", "acl sections become names of keys")
def test_knots_acls_grant_by_key_also_by_that_of_a_remote() -> None:
    setup = knot(
        KNOT_KEY + "remote:\n  - id: second\n    address: 192.0.2.9@5353\n    key: laptop\n"
        "acl:\n  - id: a\n    key: laptop\n    action: [transfer, notify]\n"
        "  - id: b\n    remote: second\n    action: update\n"
        "zone:\n  - domain: mirage\n    acl:\n      - a\n      - b\n    notify: second\n"
    )
    assert granted(setup) == {
        ("laptop", "transfer", "mirage."),
        ("laptop", "notify", "mirage."),
        ("laptop", "update", "mirage."),
    }
    assert any("--notify 192.0.2.9:5353" in note for note in told(setup))


BELOW = {"mirage. TXT, names below"}
PATTERN = """\
acl:
  - id: x
    key: k
    action: update
    update-owner: name
    update-owner-match: pattern
    update-owner-name: [a.*]
"""


@pytest.mark.parametrize(
    ("limits", "zones"),
    [
        ("update-type: [A, AAAA]", {"mirage. A AAAA"}),
        (
            "update-type: TXT\n    update-owner: zone\n    update-owner-match: sub",
            BELOW,
        ),
        ("update-owner: key\n    update-owner-match: equal", {"laptop. the name alone"}),
        ("update-owner: name\n    update-owner-name: [www, a.b.mirage.]", {"www.mirage.", "a.b.mirage."}),
        ("update-type: NOTYPE", set()),
        ("update-owner: name\n    update-owner-name: '*'", set()),
    ],
)
def test_limits_of_knots_updates_become_limits_of_keys(limits: str, zones: set[str]) -> None:
    setup = knot(
        KNOT_KEY + f"acl:\n  - id: a\n    key: laptop\n    action: [update, transfer]\n    {limits}\n"
        "zone:\n  - domain: mirage\n    acl: a\n"
    )
    updates = {("laptop", "update", zone) for zone in zones}
    assert granted(setup) == {*updates, ("laptop", "transfer", "mirage.")}


@pytest.mark.proves("imports", "Knot DNS", "what cannot come along is told")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zone:\n  - domain: a\n    master: m\n", "oakroot secondary"),
        ("zone:\n  - domain: a\n    file: '%c[0-3].zone'\n", "the form of its file's name"),
        ("zone:\n  - domain: a\n    dnssec-signing: on\n", "remove the DS first"),
        (f"acl:\n  - id: x\n    address: 192.0.2.1\n    action: transfer\n{KNOT_ZONE}", "by key alone"),
        (
            PATTERN + KNOT_ZONE,
            "a key's name cannot say",
        ),
        (
            f"acl:\n  - id: x\n    key: k\n    address: 10.0.0.0/8\n    action: transfer\n{KNOT_ZONE}",
            "acl x at a. is for some addresses",
        ),
        ("mod-rrl:\n  - id: default\n", "the module mod-rrl is left behind"),
    ],
)
def test_what_knot_has_and_oakroot_has_not_is_told(text: str, expected: str) -> None:
    assert any(expected in note for note in told(knot(text)))


@pytest.mark.proves("imports", "Knot DNS", "what an acl section denies is not granted")
@pytest.mark.parametrize(
    ("denial", "left"),
    [
        ("key: laptop\n    action: transfer", set()),
        ("key: laptop\n    action: update", {"transfer"}),
        ("key: laptop", set()),
        ("address: 192.0.2.0/24", set()),
        ("key: other", {"update", "transfer"}),
    ],
)
def test_what_an_earlier_acl_denies_is_not_granted(denial: str, left: set[str]) -> None:
    setup = knot(
        KNOT_KEY + f"acl:\n  - id: no\n    {denial}\n    deny: on\n"
        "  - id: yes\n    key: laptop\n    action: [transfer, update]\n"
        "zone:\n  - domain: mirage\n    acl: [no, yes]\n"
    )
    assert granted(setup) == {("laptop", operation, "mirage.") for operation in left}


def test_a_denial_behind_a_grant_takes_nothing_from_it() -> None:
    setup = knot(
        KNOT_KEY + "acl:\n  - id: no\n    deny: on\n  - id: yes\n    key: laptop\n    action: transfer\n"
        "zone:\n  - domain: mirage\n    acl: [yes, no]\n"
    )
    assert granted(setup) == {("laptop", "transfer", "mirage.")}


def test_nsds_zones_are_found_by_pattern_and_directory() -> None:
    setup = nsd(
        'server:\n    zonesdir: "/srv/nsd"\npattern:\n    name: "p"\n    zonefile: "%s.zone"\n'
        "    provide-xfr: 192.0.2.9 laptop\n"
        + NSD_KEY
        + 'zone:\n    name: "Example.org"\n    include-pattern: "p"\n'
    )
    assert [(zone.apex, zone.file) for zone in setup.zones] == [("example.org.", "/srv/nsd/example.org.zone")]
    assert granted(setup) == {("laptop", "transfer", "example.org.")}


@pytest.mark.proves("imports", "NSD", "what cannot come along is told")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zone:\n    name: a\n    request-xfr: 192.0.2.1 NOKEY\n", "oakroot secondary"),
        ("zone:\n    name: a\n    zonefile: z\n    provide-xfr: 192.0.2.1 NOKEY\n", "without a key"),
        ("zone:\n    name: a\n    zonefile: z\n    notify: 192.0.2.1@53 NOKEY\n", "--notify 192.0.2.1:53"),
        ("zone:\n    name: a\n    zonefile: z\n    provide-xfr: 10.0.0.0/8 k\n", "is for 10.0.0.0/8"),
        ("zone:\n    name: a\n    zonefile: z\n    provide-xfr: 10.0.0.0/8 BLOCKED\n", "blocks 10.0.0.0/8"),
        ("zone:\n    name: a\n", "it has no zonefile"),
        ("dnstap:\n    dnstap-enable: yes\n", "dnstap is left behind"),
    ],
)
def test_what_nsd_has_and_oakroot_has_not_is_told(text: str, expected: str) -> None:
    assert any(expected in note for note in told(nsd(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zone:\n  just words\n", ":2: this is no `name: value`"),
        ("  a: b\n", ":1: this stands in no section"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        knot(text)
    assert expected in str(refused.value)


@pytest.mark.proves("imports", "PowerDNS, bind backend", "its set-up is read like BIND's")
def test_powerdns_with_the_bind_backend_is_read_like_bind() -> None:
    setup = set_up(
        read_powerdns,
        "/etc/powerdns/pdns.conf",
        {
            "/etc/powerdns/pdns.conf": (
                "launch=bind,gsqlite3\nbind-config=named.conf # here\nbind-dnssec-db=/x\n"
            ),
            "/etc/powerdns/named.conf": (
                'zone "mirage" { type native; file "/db"; };\nzone "b" { type master; file "/b"; };'
            ),
        },
    )
    assert [zone.apex for zone in setup.zones] == ["mirage.", "b."]
    assert any("gsqlite3 is left behind" in note for note in told(setup))
    assert any("list-tsig-keys" in note for note in told(setup))


def test_powerdns_with_a_database_is_told_how_to_go_on() -> None:
    with pytest.raises(ConfigurationError, match="oakroot import axfr"):
        set_up(read_powerdns, "/pdns.conf", {"/pdns.conf": "launch=gmysql\n"})


def test_a_key_of_nsd_for_all_addresses_is_granted_without_a_word() -> None:
    setup = nsd("zone:\n    name: a\n    zonefile: z\n    provide-xfr: 0.0.0.0/0 laptop tls\n")
    assert granted(setup) == {("laptop", "transfer", "a.")}
    assert told(setup) == []


def test_where_nsd_blocks_everybody_no_key_is_granted_anything() -> None:
    rules = "    provide-xfr: 10.0.0.0/8 laptop\n    provide-xfr: 0.0.0.0/0 BLOCKED\n"
    assert granted(nsd(f"zone:\n    name: a\n    zonefile: z\n{rules}")) == set()


def test_what_powerdns_does_not_heed_grants_nothing() -> None:
    setup = set_up(
        read_powerdns,
        "/pdns.conf",
        {
            "/pdns.conf": "launch=bind\nbind-config=named.conf\nallow-axfr-ips=10.0.0.0/8\ndnsupdate=yes\n",
            "/named.conf": 'zone "a" { type native; file "/a"; allow-update { key k; }; };',
        },
    )
    assert granted(setup) == set()
    for expected in ("PowerDNS does not heed", "allow-axfr-ips is left behind", "dnsupdate is left behind"):
        assert any(expected in note for note in told(setup))
