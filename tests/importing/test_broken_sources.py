"""Configurations that broke off, or were mangled: a set-up or an error with its place, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.cli import main as command
from oakroot.importing.bind import read_bind
from oakroot.importing.knot import read_knot
from oakroot.importing.nsd import read_nsd
from oakroot.importing.powerdns import read_powerdns
from oakroot.importing.setup import ConfigurationError, ReadFile, Setup
from oakroot.importing.writing import write_repository
from tests.importing.sources import SECRET, ZONE, reading

BIND = f"""\
options {{ directory "/z"; allow-transfer {{ key "laptop"; }}; }};
key "laptop" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
view "in" {{ zone "mirage" {{ type primary; file "mirage"; update-policy {{
  grant laptop name _acme-challenge.mirage. TXT; deny * zonesub; grant laptop zonesub ANY; }}; }}; }};
"""
KNOT = f"""\
key:
  - id: laptop
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: all
    key: laptop
    action: [update, transfer]
    update-type: [A, AAAA]
    update-owner: name
    update-owner-name: [www, "ftp.mirage."]
zone:
  - domain: mirage
    storage: /z
    file: "%s"
    acl: all
"""
NSD = f"""\
key:
    name: "laptop"
    algorithm: hmac-sha256
    secret: "{SECRET}"
zone:
    name: "mirage"
    zonefile: "/z/mirage"
    provide-xfr: 192.0.2.1 laptop
"""
POWERDNS = "launch=bind,gmysql\nbind-config=named.conf\nbind-dnssec-db=/x\n"
Reader = Callable[[str, ReadFile], Setup]
SOURCES: dict[str, tuple[Reader, str]] = {
    "bind": (read_bind, BIND),
    "knot": (read_knot, KNOT),
    "nsd": (read_nsd, NSD),
    "powerdns": (read_powerdns, POWERDNS),
}


def files(text: str) -> dict[str, str]:
    return {"/z/source": text, "/z/named.conf": BIND, "/z/mirage": ZONE}


@pytest.mark.parametrize("source", SOURCES)
@given(st.data())
def test_a_mangled_configuration_is_read_or_refused(source: str, data: st.DataObject) -> None:
    reader, text = SOURCES[source]
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    octets = data.draw(st.text(st.sampled_from('{};"#/*:-[]\\n\\t %\\0éA1.@'), max_size=12))
    mangled = text[:start] + octets + text[start + length :]
    read = reading(files(mangled))
    try:
        setup = reader("/z/source", read)
        views = {zone.view for zone in setup.zones}
        told = [str(note) for view in views for note in write_repository(setup, read, view).notes]
    except FileNotFoundError:
        told = []
    except ConfigurationError as error:
        told = [str(error)]
    assert SECRET not in "".join(told)


@pytest.mark.parametrize("cut", [1, 4, 9])
@pytest.mark.parametrize("source", ["bind", "knot", "nsd"])
def test_a_configuration_that_breaks_off_writes_nothing(
    source: str, cut: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = SOURCES[source]
    file = tmp_path / "source"
    # Indented, a line of Knot and NSD that breaks off is no section.
    file.write_text("".join(text.splitlines(keepends=True)[:cut])[:-2] + ' "')
    code = command.main(["import", source, str(file), "--out", str(tmp_path / "new")])
    told = capsys.readouterr()
    assert code == 1
    assert not (tmp_path / "new").exists()
    assert told.err.startswith("oakroot: ") or "nothing was written" in told.err
    assert SECRET not in told.out + told.err


def test_of_a_configuration_that_lists_a_missing_file_the_others_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good").write_text(ZONE)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    zones = "".join(
        f'zone "{name}.example" {{ type primary; file "{tmp_path / name}"; }};\n'
        for name in ("good", "gone", "binary")
    )
    (tmp_path / "named.conf").write_text(zones)
    source, new = tmp_path / "named.conf", tmp_path / "new"
    assert command.main(["import", "bind", str(source), "--out", str(new), "--ci", "none"]) == 1
    told = capsys.readouterr().err
    assert "the zone gone.example. is left out" in told
    assert "the zone binary.example. is left out" in told
    assert (new / "good.example").read_text() == ZONE
    assert not (new / "binary.example").exists()


@pytest.mark.parametrize("views", [("a/b", "a-b", "A-B"), ("..", "."), ("../../x", "x")])
def test_each_view_gets_a_folder_of_its_own_within_the_new_one(
    views: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m").write_text(ZONE)
    zone = f'zone "mirage" {{ type primary; file "{tmp_path / "m"}"; }};'
    (tmp_path / "named.conf").write_text("".join(f'view "{view}" {{ {zone} }};\n' for view in views))
    source, new = tmp_path / "named.conf", tmp_path / "new"
    assert command.main(["import", "bind", str(source), "--out", str(new), "--ci", "none"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"m", "named.conf", "new"}
    assert len({folder.name.lower() for folder in new.iterdir() if (folder / "mirage").exists()}) == len(
        views
    )
    told = capsys.readouterr().err.splitlines()
    assert len(told) == len(set(told)), "each note is told once"


def test_a_zone_that_would_be_a_key_file_is_not_even_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    assert command.main(["import", "axfr", "127.0.0.1:1", "foo._keys", "--out", str(new)]) == 1
    assert "would be no zone file" in capsys.readouterr().err
    assert not new.exists()


def test_the_command_to_go_on_with_works_where_it_says_to_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, files = tmp_path / "new", tmp_path / "files"
    files.mkdir()
    (files / "mirage").write_text(ZONE)
    assert command.main(["import", "files", str(files), "--out", str(new), "--ci", "none"]) == 0
    assert f"next: cd {new}, `git commit`, and `oakroot primary --remote .`" in capsys.readouterr().out
