"""The repository that is made of a set-up: files as they are, includes, keys under new names."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from oakroot._engine import read_zone
from oakroot.importing.bind import read_bind
from oakroot.importing.files import read_files
from oakroot.importing.transferred import write_master_file
from oakroot.importing.writing import Imported, views_of, write_repository
from tests.importing.sources import SECRET, ZONE, reading

OTHER = f"AAAA{SECRET[4:]}"
CONF = 'options { directory "/srv"; };\n'
MIRAGE = 'zone "mirage" { type primary; file "m"; };\n'


def imported(conf: str, files: Mapping[str, str], view: str | None = None) -> Imported:
    read = reading({"/named.conf": conf, **files})
    return write_repository(read_bind("/named.conf", read), read, view)


@pytest.mark.proves(
    "imports", "zone files, as OctoDNS and DNSControl write them", "a file is taken over octet by octet"
)
def test_a_zone_file_is_taken_over_octet_by_octet() -> None:
    text = ZONE + "; a comment\n\n  \nwww\t\tA 192.0.2.1"
    assert imported(CONF + MIRAGE, {"/srv/m": text}).files["mirage"] == text.encode()


def test_included_files_come_along_to_where_they_are_looked_for() -> None:
    result = imported(
        CONF + MIRAGE, {"/srv/m": ZONE + "$INCLUDE parts/web\n", "/srv/parts/web": "www A 192.0.2.1\n"}
    )
    assert result.files["parts/web"] == b"www A 192.0.2.1\n"
    assert result.files["mirage"].endswith(b"$INCLUDE parts/web\n")
    assert result.zones == ("mirage.",)


@pytest.mark.parametrize("written", ["web", "/etc/dns/web", "../web", ".hidden/web"])
def test_an_include_of_what_cannot_stand_there_is_written_anew(written: str) -> None:
    places = {
        "web": "/srv/web",
        "/etc/dns/web": "/etc/dns/web",
        "../web": "/web",
        ".hidden/web": "/srv/.hidden/web",
    }
    result = imported(
        CONF + MIRAGE,
        {"/srv/m": ZONE + f'$INCLUDE "{written}" sub ; why\n', places[written]: "www A 192.0.2.1\n"},
    )
    assert result.files["included/web"] == b"www A 192.0.2.1\n"
    assert result.files["mirage"].endswith(b'$INCLUDE "included/web" sub ; why\n')
    assert result.zones == ("mirage.",)


def test_includes_of_one_name_do_not_meet() -> None:
    result = imported(
        CONF + MIRAGE,
        {
            "/srv/m": ZONE + "$INCLUDE /a/x\n$INCLUDE /b/x\n",
            "/a/x": "a A 192.0.2.1\n",
            "/b/x": "b A 192.0.2.2\n",
        },
    )
    assert (result.files["included/x"], result.files["included/2-x"]) == (
        b"a A 192.0.2.1\n",
        b"b A 192.0.2.2\n",
    )


def test_an_include_that_includes_itself_is_told() -> None:
    result = imported(CONF + MIRAGE, {"/srv/m": ZONE + "$INCLUDE x\n", "/srv/x": "$INCLUDE x\n"})
    assert result.zones == ()
    assert any("too deeply" in str(note) for note in result.notes)


def test_a_zone_with_errors_is_left_out_with_its_findings_and_the_others_come() -> None:
    other = 'zone "other" { type primary; file "o"; };\n'
    result = imported(CONF + MIRAGE + other, {"/srv/m": ZONE + "bad A 1.2.3\n", "/srv/o": ZONE})
    assert result.zones == ("other.",)
    assert "mirage" not in result.files
    assert result.findings[0].line == 5


def test_a_file_that_is_missing_is_told() -> None:
    result = imported(CONF + MIRAGE, {})
    assert [str(note) for note in result.notes] == [
        "/named.conf:2: the zone mirage. is left out: /srv/m cannot be read: No such file or directory"
    ]


def test_keys_get_names_that_say_what_they_may_do() -> None:
    conf = (
        f'key "Lap.Top." {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n' + CONF + 'zone "mirage" '
        '{ type primary; file "m"; allow-update { key lap.top; }; allow-transfer { key lap.top; }; };\n'
    )
    result = imported(conf, {"/srv/m": ZONE})
    assert result.files["mirage._keys"].decode().splitlines() == [
        f"lap.top._update.mirage. DNSKEY 0 3 163 {SECRET}"
    ]
    assert result.keys == (("lap.top", "lap.top._update.mirage."),)


def test_keys_that_grant_nothing_or_are_not_defined_are_told() -> None:
    conf = (
        f'key "idle" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n' + CONF + 'zone "mirage" '
        '{ type primary; file "m"; allow-update { key gone; }; };\n'
    )
    told = [str(note) for note in imported(conf, {"/srv/m": ZONE}).notes]
    assert "the key gone is used at mirage. but is not defined" in told
    assert "keys that no zone grants anything are left behind: idle" in told


def test_each_view_makes_a_repository_of_its_own() -> None:
    conf = "".join(
        f'view "{view}" {{ zone "mirage" {{ type primary; file "/{view}"; }}; }};\n' for view in ("in", "out")
    )
    read = reading({"/named.conf": conf, "/in": ZONE, "/out": ZONE + "out A 192.0.2.1\n"})
    setup = read_bind("/named.conf", read)
    assert views_of(setup) == ("in", "out")
    assert b"out A" in write_repository(setup, read, "out").files["mirage"]
    assert b"out A" not in write_repository(setup, read, "in").files["mirage"]


def test_a_key_of_one_view_is_not_written_into_another() -> None:
    views = [("x", SECRET, ""), ("y", OTHER, "allow-update { key k; };")]
    conf = "".join(
        f'view "{view}" {{ key "k" {{ algorithm hmac-sha256; secret "{secret}"; }};'
        f' zone "mirage" {{ type primary; file "/m"; {rights} }}; }};\n'
        for view, secret, rights in views
    )
    x, y = (imported(conf, {"/m": ZONE}, view) for view in ("x", "y"))
    assert x.keys == ()
    assert set(x.files) == {"mirage"}
    assert y.files["mirage._keys"].decode().split() == [
        "k._update.mirage.",
        "DNSKEY",
        "0",
        "3",
        "163",
        OTHER,
    ]


def test_a_key_for_all_zones_is_written_once() -> None:
    conf = (
        f'key "k" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
        'options { directory "/srv"; allow-transfer { key k; }; };\n' + MIRAGE
    )
    result = imported(conf, {"/srv/m": ZONE})
    assert result.keys == (("k", "k._transfer."),)
    assert set(result.files) == {"mirage", "_keys"}


def test_a_key_that_was_left_out_is_not_called_undefined() -> None:
    conf = (
        'key "old" { algorithm hmac-md5; secret "x"; };\n' + CONF + 'zone "mirage" '
        '{ type primary; file "m"; allow-update { key old; }; };\n'
    )
    told = [str(note) for note in imported(conf, {"/srv/m": ZONE}).notes]
    assert "the key old is used at mirage. but was left out" in told


def test_a_zone_whose_file_would_be_a_key_file_is_left_out() -> None:
    result = imported('zone "foo._keys" { type primary; file "/m"; };', {"/m": ZONE})
    assert (result.zones, result.left_out, dict(result.files)) == ((), ("foo._keys.",), {})
    assert any("no zone file in a repository" in str(note) for note in result.notes)


@pytest.mark.proves(
    "imports", "zone files, as OctoDNS and DNSControl write them", "zones are known by the names of files"
)
@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("example.org", "example.org."),
        ("example.org.", "example.org."),
        ("example.org.zone", "example.org."),
        ("db.example.org", "example.org."),
        ("named.example.org.hosts", "example.org."),
    ],
)
def test_a_collected_zone_file_is_known_by_its_name(name: str, apex: str) -> None:
    (zone,) = read_files("/zones", [name], reading({f"/zones/{name}": ZONE})).zones
    assert zone.apex == apex


def test_the_soa_tells_which_reading_of_a_name_is_meant() -> None:
    text = "$ORIGIN db.example.org.\n" + ZONE
    (zone,) = read_files("/z", ["db.example.org"], reading({"/z/db.example.org": text})).zones
    assert zone.apex == "db.example.org."


def test_what_is_no_zone_file_is_told() -> None:
    setup = read_files("/z", ["notes.txt", ".hidden"], reading({"/z/notes.txt": "hello\n"}))
    assert [str(note) for note in setup.notes] == [
        "/z/notes.txt: left out: its name is none of a zone that it has the SOA of"
    ]


def test_a_transferred_zone_is_written_as_a_person_would_and_reads_the_same() -> None:
    text = ZONE + '  MX 10 mail\nmail 60 A 192.0.2.25\n*.x TXT "a b"\nwww CNAME mail.example.net.\n'
    zone, _ = read_zone(text.encode(), "mirage.", "mirage")
    assert zone is not None
    written = write_master_file(zone)
    assert written.startswith(b"$TTL 3600\n@       SOA     ns1.mirage. hostmaster.mirage. (\n")
    again, findings = read_zone(written, "mirage.", "mirage")
    assert again is not None, findings
    assert again.records() == zone.records()
