"""Lists of `named.conf` beside a real BIND: whom import grants something, BIND let in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import pytest

from oakroot.importing.bind import read_bind
from oakroot.keys.grant import Operation
from tests.importing.sources import SECRET, ZONE
from tests.peers.nameservers import Bind, ZoneFile

KEYS = ("laptop", "phone")
LISTS = """
acl laptops { key laptop; };
acl all-keys { laptops; { key phone; }; };
acl here { localhost; };
acl elsewhere { 192.0.2.0/24; 2001:db8::/32; };
acl nobody { none; };
acl but-phone { !key phone; any; };
acl "key" { key phone; };
"""
CASES = (
    ("key laptop;", True),
    ("laptops;", True),
    ("ALL-KEYS;", True),
    ("elsewhere; laptops;", True),
    ("!key phone; all-keys;", True),
    ("!laptops; all-keys;", True),
    ("{ !key phone; key laptop; };", True),
    ("none; key laptop;", True),
    ("!any; all-keys;", True),
    ("key laptop; !key laptop;", True),
    ("key phone;", True),
    ("!key phone; key laptop;", True),
    ("elsewhere;", True),
    ("nobody; key laptop;", False),
    ("!elsewhere; laptops;", False),
    ("!{ !here; any; }; laptops;", False),
    ("!but-phone; all-keys;", False),
    ("!here; key laptop;", False),
    ("any;", False),
    ("but-phone;", False),
    ("localhost;", False),
    ("!none;", False),
)
"""The list of a zone, and whether import has to grant all that it does: only keys count in it."""


class BindWithLists(Bind):
    """A zone for each of the cases."""

    def configuration(self, port: int) -> str:
        """With keys and lists in front."""
        text = super().configuration(port)
        for zone, (entries, _) in zip(self.zones, CASES, strict=True):
            own = f'zone "{zone.apex}" {{ type primary; '
            text = text.replace(own, f"{own}allow-transfer {{ {entries} }}; ")
        keys = (f'key "{name}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n' for name in KEYS)
        return "".join(keys) + LISTS + text


def may_transfer(address: tuple[str, int], apex: str, key: str) -> bool:
    """Whether a server gives this zone to who holds the key."""
    query = dns.message.make_query(apex, "AXFR")
    query.use_tsig(dns.tsigkeyring.from_text({key: SECRET}), keyname=key)
    return dns.query.tcp(query, address[0], port=address[1], timeout=20).rcode() == dns.rcode.NOERROR


@pytest.mark.proves("imports", "BIND", "no list lets in more than it does at a running BIND")
def test_no_list_becomes_wider(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("named")
    (tmp_path / "zone").write_text(ZONE)
    zones = tuple(ZoneFile(f"z{number}.example.", tmp_path / "zone") for number in range(len(CASES)))
    with BindWithLists(zones, tmp_path) as source:
        let_in = {
            (key, zone.apex) for zone in zones for key in KEYS if may_transfer(source.address, zone.apex, key)
        }
        file = source.directory / "bind.conf"
        subprocess.run([require("named-checkconf"), file], check=True)
    setup = read_bind(str(file), lambda path: Path(path).read_bytes())
    granted = {(each.key, each.zone) for each in setup.permissions if each.operation is Operation.TRANSFER}
    assert granted <= let_in
    exact = {zone.apex for zone, (_, is_exact) in zip(zones, CASES, strict=True) if is_exact}
    assert {each for each in let_in if each[1] in exact} == {each for each in granted if each[1] in exact}
