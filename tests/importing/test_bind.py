"""What is read of a `named.conf`."""

from __future__ import annotations

import pytest

from oakroot.importing.bind import read_bind
from oakroot.importing.setup import ConfigurationError, Setup
from tests.importing.sources import SECRET, granted, reading, set_up, told

ZONE_A = 'zone "a" { type primary; file "x"; };'
OTHER = f"AAAA{SECRET[4:]}"
KEY = f'key "laptop" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'


def bind(text: str) -> Setup:
    return set_up(read_bind, "/etc/bind/named.conf", {"/etc/bind/named.conf": text})


def test_primary_zones_are_found_in_the_directory() -> None:
    setup = bind(
        'options { directory "/srv/dns"; };\nzone "Example.org" IN { type master; file "db.org"; };\n'
    )
    assert [(zone.apex, zone.file) for zone in setup.zones] == [("example.org.", "/srv/dns/db.org")]


def test_without_directory_it_is_debians() -> None:
    (zone,) = bind('zone "mirage" { type primary; file "db"; };').zones
    assert zone.file == "/var/cache/bind/db"


def test_comments_of_all_three_kinds_say_nothing() -> None:
    text = '# zone "a" {\n// zone "b" {\n/* zone "c" {\n */ zone "mirage" { type primary; file "/db"; };'
    assert [zone.apex for zone in bind(text).zones] == ["mirage."]


def test_included_files_are_read_in_their_places() -> None:
    setup = set_up(
        read_bind,
        "/etc/bind/named.conf",
        {
            "/etc/bind/named.conf": 'include "/etc/bind/local";\ninclude "keys";\n',
            "/etc/bind/local": 'zone "mirage" { type primary; file "/db"; };\n',
            "/etc/bind/keys": KEY,
        },
    )
    assert [zone.apex for zone in setup.zones] == ["mirage."]
    assert list(setup.keys) == ["laptop"]


def test_keys_grant_what_they_granted() -> None:
    setup = bind(
        KEY + 'zone "mirage" { type primary; file "/db"; allow-update { key laptop; }; '
        "allow-transfer { key laptop; }; };"
    )
    assert granted(setup) == {("laptop", "update", "mirage."), ("laptop", "transfer", "mirage.")}


def test_a_key_for_all_zones_is_one_for_all_zones() -> None:
    assert granted(bind(KEY + "options { allow-transfer { key laptop; }; };")) == {
        ("laptop", "transfer", ".")
    }


@pytest.mark.parametrize(
    ("rule", "zone"),
    [
        ("grant laptop zonesub ANY", "mirage."),
        ("grant laptop subdomain dyn.mirage. ANY", "dyn.mirage."),
        ("grant laptop zonesub", "mirage. all but NS SOA"),
        ("grant laptop zonesub A AAAA", "mirage. A AAAA"),
        ("grant laptop name www.mirage. A", "www.mirage. A, the name alone"),
        (
            "grant laptop name _acme-challenge.mirage. txt",
            "_acme-challenge.mirage. TXT, the name alone",
        ),
        ("grant laptop subdomain _domainkey.mirage TXT", "_domainkey.mirage. TXT"),
        ("grant laptop wildcard *.dyn.mirage. A", "dyn.mirage. A, names below"),
        ("grant laptop self laptop. A", "laptop. A, the name alone"),
        ("grant laptop selfsub . ANY", "laptop."),
        ("grant laptop selfwild . A", "laptop. A, names below"),
    ],
)
def test_an_update_policy_that_a_keys_name_can_say_is_carried_over(rule: str, zone: str) -> None:
    setup = bind(KEY + f'zone "mirage" {{ type primary; file "/db"; update-policy {{ {rule}; }}; }};')
    assert granted(setup) == {("laptop", "update", zone)}


@pytest.mark.proves("imports", "BIND", "no rule of an update-policy becomes wider")
@pytest.mark.parametrize(
    "rule",
    [
        "grant laptop name *.mirage. A",
        "grant laptop wildcard www.mirage. A",
        "grant laptop zonesub A(3)",
        "grant laptop zonesub NOTYPE",
        "grant laptop krb5-self . A",
        "grant laptop name",
        "grant * self * A",
        "deny laptop zonesub ANY",
    ],
)
def test_an_update_policy_that_no_name_can_say_is_told_and_not_made_wider(rule: str) -> None:
    setup = bind(KEY + f'zone "mirage" {{ type primary; file "/db"; update-policy {{ {rule}; }}; }};')
    assert granted(setup) == set()
    assert any(rule in note for note in told(setup))


@pytest.mark.parametrize("denied", ["laptop name www.mirage. ANY", "* subdomain www.mirage. ANY"])
def test_what_an_earlier_denial_narrows_is_not_made_wider(denied: str) -> None:
    policy = f"grant laptop name ns1.mirage. A; deny {denied}; grant laptop zonesub ANY;"
    setup = bind(KEY + f'zone "mirage" {{ type primary; file "/db"; update-policy {{ {policy} }}; }};')
    assert granted(setup) == {("laptop", "update", "ns1.mirage. A, the name alone")}
    assert any("a rule before it denies some of it" in note for note in told(setup))


ZONES = 'zone "a.org" { type primary; file "a"; };\nzone "b.org" { type primary; file "b"; };\n'


def test_a_list_for_all_zones_is_one_for_some_where_a_zone_has_its_own() -> None:
    closed = 'zone "private.org" { type primary; file "p"; allow-transfer { none; }; };'
    setup = bind(KEY + "options { allow-transfer { key laptop; }; };" + ZONES + closed)
    assert granted(setup) == {("laptop", "transfer", "a.org."), ("laptop", "transfer", "b.org.")}


def test_an_update_policy_replaces_the_updates_of_all_zones() -> None:
    policy = 'zone "c" { type primary; file "c"; update-policy { grant laptop name www.c. A; }; };'
    setup = bind(KEY + "options { allow-update { key laptop; }; };" + policy)
    assert granted(setup) == {("laptop", "update", "www.c. A, the name alone")}


LEFT_BEHIND = "from there on its keys are left behind"
KEY_EXCEPTED = "excepts the key laptop, which is granted nothing by it"


@pytest.mark.proves("imports", "BIND", "what a list excepts is not granted")
@pytest.mark.parametrize(
    ("note", "entries"),
    [
        (LEFT_BEHIND, "!192.0.2.9; key laptop;"),
        (LEFT_BEHIND, "!{ !192.0.2.1; any; }; key laptop;"),
        (LEFT_BEHIND, "!localnets; key laptop;"),
        (LEFT_BEHIND, "!outside; key laptop;"),
        (LEFT_BEHIND, "{ outside; none; }; key laptop;"),
        (KEY_EXCEPTED, "!key laptop; key laptop;"),
        (KEY_EXCEPTED, "{ !key laptop; }; key laptop;"),
        (KEY_EXCEPTED, "!friends; key laptop;"),
        (KEY_EXCEPTED, "!{ key laptop; }; any;"),
    ],
)
def test_a_list_grants_nothing_that_it_excepts(note: str, entries: str) -> None:
    lists = "acl outside { 192.0.2.1; };\nacl friends { key laptop; };\n"
    text = f'zone "a" {{ type primary; file "x"; allow-transfer {{ {entries} }}; }};'
    setup = bind(KEY + lists + text)
    assert granted(setup) == set()
    assert any(note in each for each in told(setup))


def test_beside_a_key_that_is_excepted_others_are_granted() -> None:
    text = 'zone "a" { type primary; file "x"; allow-transfer { !key phone; key laptop; key phone; }; };'
    assert granted(bind(KEY + KEY.replace("laptop", "phone") + text)) == {("laptop", "transfer", "a.")}


@pytest.mark.proves("imports", "BIND", "named lists (acl) are followed, within each other and in views")
def test_named_lists_are_followed() -> None:
    setup = bind(
        KEY + "acl Friends { inner; 192.0.2.1; };\nacl inner { key laptop; };\n"
        'view "v" { allow-transfer { friends; }; zone "a" { type primary; file "x"; }; };'
    )
    assert ("laptop", "transfer", "a.") in granted(setup)
    expected = "allow-transfer at the view v has 192.0.2.1 (acl friends): Oakroot grants by key alone"
    assert any(expected in note and ":2: " in note for note in told(setup))


def with_list(option: str) -> str:
    """A zone that has this option besides."""
    return f'zone "a" {{ type primary; file "x"; {option} }};'


def test_a_named_list_that_says_any_is_open_to_all() -> None:
    text = "acl world { any; };\n" + with_list("allow-transfer { world; };")
    assert any("--allow-unsigned-transfer" in note for note in told(bind(text)))


def test_named_lists_in_a_circle_end() -> None:
    lists = "acl a { b; key laptop; };\nacl b { a; };\n"
    assert granted(bind(KEY + lists + with_list("allow-update { a; };"))) == {("laptop", "update", "a.")}


def test_a_list_for_one_transport_is_told() -> None:
    text = with_list("allow-transfer port 853 transport tls { key laptop; };")
    assert any("demanded port 853 transport tls" in note for note in told(bind(KEY + text)))


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ("192.0.2.9; 192.0.2.9;", "--notify 192.0.2.9"),
        ("192.0.2.9 port 5300; 2001:db8::9 port 54;", "--notify 192.0.2.9:5300 --notify [2001:db8::9]:54"),
        ("2001:db8::9 key Laptop.;", "--notify 2001:db8::9@laptop"),
        ("others;", "--notify 192.0.2.7:54@laptop --notify 192.0.2.8:55"),
        ("others key phone;", "--notify 192.0.2.7:54@laptop --notify 192.0.2.8:55@phone"),
    ],
)
@pytest.mark.parametrize("word", ["primaries", "masters", "remote-servers"])
def test_named_lists_of_servers_are_followed(servers: str, expected: str, word: str) -> None:
    lists = f"{word} others port 54 {{ 192.0.2.7 key laptop; more; }};\n"
    lists += f"{word} more {{ 192.0.2.8 port 55; }};\n"
    setup = bind(lists + with_list(f"also-notify {{ {servers} }};"))
    assert [note.partition("start the primary with ")[2] for note in told(setup)] == [expected]


def test_a_list_within_a_list_grants_as_if_it_stood_there() -> None:
    setup = bind(
        KEY + 'zone "a" { type primary; file "x"; allow-transfer { { key laptop; }; 192.0.2.1; }; };'
    )
    assert granted(setup) == {("laptop", "transfer", "a.")}
    assert any("has 192.0.2.1" in note for note in told(setup))


def test_what_a_zone_includes_is_read_as_its_own() -> None:
    conf = (
        KEY
        + 'options { allow-transfer { key laptop; }; };\nzone "a" { type primary; file "x"; include "no"; };'
    )
    setup = set_up(read_bind, "/named.conf", {"/named.conf": conf, "/no": "allow-transfer { none; };"})
    assert granted(setup) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('zone "a" { type hint; file "x"; };', "of type hint"),
        ('zone "a" { type slave; masters { 192.0.2.1; }; };', "of type slave"),
        ('zone "a" { in-view "other"; };', "without a type"),
        ('zone "a" { type primary; };', "it has no file"),
        ('zone "a" { type primary; file "x"; masterfile-format raw; };', "named-compilezone"),
        ('zone "a" { type primary; file "x"; dnssec-policy default; };', "remove the DS first"),
        ('zone "a" { type primary; file "x"; allow-update { 192.0.2.1; }; };', "grants by key alone"),
        ('zone "a" { type primary; file "x"; allow-transfer { any; }; };', "--allow-unsigned-transfer"),
        ('zone "a" { type primary; file "x"; also-notify { 192.0.2.9; }; };', "--notify 192.0.2.9"),
        (
            'zone "a" { type primary; file "x"; allow-query { 192.0.2.1; }; };',
            "allow-query at a. is left behind",
        ),
        ('view "v" { allow-transfer { 192.0.2.1; }; ' + ZONE_A + " };", "allow-transfer at the view v"),
        ('view "v" { also-notify { 192.0.2.9; }; };', "also-notify at the view v"),
        ('key "k" { algorithm hmac-md5; secret "x"; };', "make a new one"),
        ("statistics-channels { inet 127.0.0.1; };", "statistics-channels is left behind"),
    ],
)
def test_what_cannot_be_carried_over_is_told_with_its_place(text: str, expected: str) -> None:
    assert any(expected in note and note.startswith("/etc/bind/named.conf:1: ") for note in told(bind(text)))


@pytest.mark.proves("imports", "BIND", "views are kept apart")
def test_views_are_kept_apart() -> None:
    setup = bind(
        'view "inside" { zone "mirage" { type primary; file "/in"; }; };\n'
        'view "outside" { zone "mirage" { type primary; file "/out"; }; };\n'
    )
    assert [(zone.view, zone.file) for zone in setup.zones] == [("inside", "/in"), ("outside", "/out")]


@pytest.mark.proves("imports", "BIND", "views have their own keys and rights")
def test_keys_and_permissions_are_those_of_their_view() -> None:
    setup = bind(
        KEY + 'view "x" { allow-transfer { key laptop; }; zone "a" { type primary; file "x"; }; };\n'
        f'view "y" {{ {KEY.replace(SECRET, OTHER)} zone "a" {{ type primary; file "y"; '
        "allow-update { key laptop; }; }; };\n"
    )
    assert {(each.view, each.operation.name, each.zone) for each in setup.permissions} == {
        ("x", "TRANSFER", "."),
        ("x", "TRANSFER", "a."),
        ("y", "UPDATE", "a."),
    }
    assert None not in {*setup.keys_of("x").values(), *setup.keys_of("y").values()}
    assert setup.keys_of("x")["laptop"] != setup.keys_of("y")["laptop"]


def test_a_key_of_a_view_that_is_left_out_hides_that_of_all_views() -> None:
    setup = bind(KEY + 'view "x" { key "laptop" { algorithm hmac-md5; secret "x"; }; ' + ZONE_A + " };")
    assert setup.keys_of("x") == {"laptop": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('zone "a" {\n type primary;\n', ":1: a { that is never closed"),
        ("options { };\n}", ":2: a } too many"),
        ('\nzone "a" { type primary }', "a semicolon is missing behind 'type primary'"),
        ('options { directory "x', "does not end"),
        ("/* open", "does not end"),
        ("{ };", "a block without a name"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        bind(text)
    assert expected in str(refused.value)


def test_includes_in_a_circle_end() -> None:
    with pytest.raises(ConfigurationError, match="too deeply"):
        read_bind("/a", reading({"/a": 'include "/a";'}))


def test_no_message_holds_a_secret() -> None:
    setup = bind(
        f'key "k" {{ algorithm hmac-md5; secret "{SECRET}"; }};\n'
        f'key "l" {{ algorithm hmac-sha256; secret "{SECRET[1:]}"; }};'
    )
    assert SECRET[1:20] not in "".join(told(setup)) + repr(setup)
