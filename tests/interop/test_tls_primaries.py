"""`oakroot secondary` takes zones over TLS from BIND and `oakroot primary`, and proves who they are.

Knot DNS 3.2 and PowerDNS do not send zones over TLS. NSD 4.6 does, but agrees on no protocol (ALPN),
as RFC 9103 §7.1 demands, and so is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dns.rcode
import pytest

from tests.interop.test_secondaries import key_file
from tests.peers.authority import Authority
from tests.peers.commands import Primary as OakrootPrimary
from tests.peers.git_servers import BareRepository
from tests.peers.ports import free_port
from tests.peers.primaries import BindPrimary, NsdPrimary, Primary
from tests.peers.secondary_process import SecondaryProcess
from tests.protocol.keys import make_key
from tests.secondary.authority import zone_text
from tests.zones.repositories import zone_text as repository_text

NAME = "ns1.example.org"
ZONE = "example.org."
KEY = make_key("peer._transfer.example.org.")
SECONDARY = "127.0.0.2"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def text(serial: int) -> str:
    return zone_text(serial, times="20 5 3600 60")


def pair(
    kind: type[Primary], address: str, directory: Path, authority: Authority, name: str
) -> tuple[Primary, SecondaryProcess]:
    """A primary with a certificate for this name, and a secondary that wants `NAME`."""
    here = (SECONDARY, free_port())
    primary = kind((address, free_port()), here, [KEY], directory / kind.name)
    primary.tls = (free_port(), authority.issue(name))
    primary.serve({ZONE: text(1)})
    secondary = SecondaryProcess(here, [KEY], None, directory / "oakroot")
    secondary.options = over_tls(f"{address}:{primary.tls[0]}", authority)
    return primary, secondary


def over_tls(place: str, authority: Authority, name: str = NAME) -> list[str]:
    return ["--tls-primary", f"{place}#{name}", "--tls-ca", str(authority.file)]


def test_a_zone_comes_over_tls(tmp_path: Path, authority: Authority, require: Callable[[str], str]) -> None:
    require(BindPrimary.program)
    primary, secondary = pair(BindPrimary, "127.0.0.1", tmp_path, authority, NAME)
    with primary, secondary:
        secondary.until_serial(ZONE, 1)
        primary.serve({ZONE: text(2)})
        secondary.until_serial(ZONE, 2)
        assert "(TLS)" in secondary.log
        assert f"remote 127.0.0.1@{primary.address[1]}" not in secondary.log


@pytest.mark.parametrize(
    ("kind", "address", "name", "reason"),
    [
        (BindPrimary, "127.0.0.1", "ns2.example.org", "its certificate is not trusted: Hostname mismatch"),
        (NsdPrimary, "127.0.0.4", "ns2.example.org", "its certificate is not trusted: Hostname mismatch"),
        (NsdPrimary, "127.0.0.4", NAME, "it does not speak DNS over TLS on this port (ALPN dot)"),
    ],
)
def test_a_primary_that_does_not_prove_itself_gives_no_zone(
    kind: type[Primary],
    address: str,
    name: str,
    reason: str,
    tmp_path: Path,
    authority: Authority,
    require: Callable[[str], str],
) -> None:
    require(kind.program)
    primary, secondary = pair(kind, address, tmp_path, authority, name)
    with primary, secondary:
        secondary.until_said(reason)
        secondary.until(ZONE, "SOA", lambda reply: reply.rcode() == dns.rcode.SERVFAIL)


@pytest.mark.parametrize("pinned", [False, True], ids=["name", "pin"])
def test_oakroot_to_oakroot_over_tls_alone(tmp_path: Path, authority: Authority, pinned: bool) -> None:  # noqa: FBT001 - a case
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"example.org": repository_text(1), "example.org._keys": key_file(KEY)})
    certificate = authority.issue(NAME)
    options = ["--remote", str(remote.path), "--listen-tls", "127.0.0.1:0", "--tls-transfers-only"]
    options += ["--tls-cert", str(certificate), "--tls-key", str(certificate)]
    secondary = SecondaryProcess((SECONDARY, free_port()), [KEY], None, tmp_path / "oakroot")
    with OakrootPrimary(options, tmp_path / "log") as primary:
        place, pin = f"127.0.0.1:{primary.tls_port}", primary.log.partition("pin-sha256:")[2].split()[0]
        secondary.options = over_tls(place, authority, f"pin-sha256:{pin}" if pinned else NAME)
        with secondary:
            secondary.until_serial(ZONE, 1)
            remote.commit({"example.org": repository_text(2)})
            primary.hang_up()
            # The NOTIFY comes back over the link: the primary knows no address to send it to.
            secondary.until_serial(ZONE, 2)
            primary.said("differences from serial 1")
