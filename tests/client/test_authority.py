"""A server is asked which of its zones holds a name, and its reply is not misread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.name
import pytest

from oakroot.client.authority import find_zone, served_serial
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError
from tests.peers.nameservers import ZoneFile
from tests.peers.oakroot import Oakroot
from tests.protocol.keys import name

PARENT = """\
@ 60 SOA ns hostmaster 7 7200 600 1209600 60
@ 60 NS ns
ns 60 A 192.0.2.53
alias 60 CNAME there.child.example.org.
away 60 CNAME www.example.net.
cut 60 NS ns.example.net.
* 60 A 192.0.2.1
"""
CHILD = """\
@ 60 SOA ns.example.org. hostmaster.example.org. 8 7200 600 1209600 60
@ 60 NS ns.example.org.
there 60 A 192.0.2.2
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("zones")
    files = []
    for apex, text in {"example.org.": PARENT, "child.example.org.": CHILD}.items():
        path = folder / apex
        path.write_text(text)
        files.append(ZoneFile(apex, path))
    with Oakroot(files, folder) as running:
        yield Server(*running.address)


def zone_of(server: Server, owner: str) -> dns.name.Name:
    return find_zone(server, name(owner), None, Deadline.after(20), tcp=True)


@pytest.mark.parametrize(
    ("owner", "zone"),
    [
        ("example.org.", "example.org."),
        ("www.example.org.", "example.org."),
        ("new.below.ns.example.org.", "example.org."),
        ("a.child.example.org.", "child.example.org."),
        ("child.example.org.", "child.example.org."),
        ("alias.example.org.", "example.org."),
        ("away.example.org.", "example.org."),
        ("cut.example.org.", "example.org."),
        ("glue.cut.example.org.", "example.org."),
    ],
)
def test_the_zone_of_a_name(owner: str, zone: str, server: Server) -> None:
    assert zone_of(server, owner) == name(zone)


def test_a_name_of_nobodys_zone_is_told_with_the_servers_words(server: Server) -> None:
    with pytest.raises(ServerError, match=r"no zone that holds www\.example\.net\.: REFUSED") as error:
        zone_of(server, "www.example.net.")
    assert "--zone" in (error.value.hint or "")


def test_the_serial_in_words(server: Server) -> None:
    deadline = Deadline.after(20)
    assert served_serial(server, name("example.org."), None, deadline, tcp=True) == "serial 7"
    told = served_serial(server, name("example.net."), None, deadline, tcp=True)
    assert told.startswith("no SOA record of it: REFUSED")
