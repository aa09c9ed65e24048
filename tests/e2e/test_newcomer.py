"""A newcomer's first hour: fifty zones of a running BIND, imported, planned, pushed, served, reverted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.cli.operator_repository import OperatorRepository
from tests.interop.test_import import OpenBind
from tests.peers.commands import Primary, oakroot
from tests.peers.nameservers import ZoneFile

ZONE = """\
; The {name} zone, by hand since 1999.
$TTL 1h
@       SOA   ns1 hostmaster 7 1d 2h 2w 1h
        NS    ns1
ns1     A     192.0.2.53   ; the old machine
www     A     192.0.2.80
"""
ZONES = ["example.org", *(f"customer{number}.example" for number in range(49))]


def address_of(primary: Primary, name: str) -> str:
    query = dns.message.make_query(name, "A")
    response = dns.query.udp(query, "127.0.0.1", port=primary.port, timeout=5)
    return " ".join(rdata.to_text() for rrset in response.answer for rdata in rrset)


@pytest.fixture
def source(tmp_path: Path, require: Callable[[str], str]) -> OpenBind:
    require("named")
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ZONES:
        (folder / f"db.{name}").write_text(ZONE.format(name=name))
    return OpenBind([ZoneFile(f"{name}.", folder / f"db.{name}") for name in ZONES], folder)


def test_fifty_zones_move_in_and_a_mistake_is_taken_back(source: OpenBind, tmp_path: Path) -> None:
    zones, remote = tmp_path / "zones", tmp_path / "remote.git"
    with source:
        done = oakroot("import", "bind", source.directory / "bind.conf", "--out", zones)
    assert done.code == 0, done.errors
    assert f"{zones}: 50 zones, 1 keys" in done.output
    assert "key laptop is now laptop._update.example.org.: tell its users" in done.output
    place = OperatorRepository(zones)
    place.git("config", "user.name", "Operator")
    place.git("config", "user.email", "operator@example.org")
    place.git("config", "core.hooksPath", "/dev/null")
    place.commit("Move in", {})
    place.git("clone", "--quiet", "--bare", ".", str(remote))
    place.git("remote", "add", "origin", str(remote))
    place.git("push", "--quiet", "--set-upstream", "origin", "main")
    key = tmp_path / "key"
    key.write_text((zones / "example.org._keys").read_text())

    with Primary(["--remote", remote], tmp_path / "log") as primary:
        primary.said("zones served: 50")
        assert address_of(primary, "www.customer48.example") == "192.0.2.80"

        mistake = ZONE.format(name="example.org").replace("192.0.2.80", "192.0.2.8").replace(" 7 ", " 8 ")
        place.write({"example.org": mistake})
        planned = oakroot("plan", zones)
        assert planned.code == 2
        assert "  - www 3600 A 192.0.2.80\n  + www 3600 A 192.0.2.8\n" in planned.output
        place.commit("Move www", {})
        place.git("push", "--quiet")
        assert oakroot("notify", primary.server, "example.org", "--key", f"@{key}").code == 0
        assert address_of(primary, "www.example.org") == "192.0.2.8"

        told = ("--notify", primary.server, "--key", f"@{key}")
        undone = oakroot("revert", "HEAD", "--push", *told, "--repository", zones)
        assert undone.code == 0, undone.errors
        assert "serves serial 9" in undone.output
        assert address_of(primary, "www.example.org") == "192.0.2.80"
    assert (zones / "example.org").read_text().startswith("; The example.org zone, by hand since 1999.\n")
