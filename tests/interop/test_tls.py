"""DNS over TLS and transfers over TLS from `oakroot primary`, with clients and secondaries that others wrote.

Knot DNS 3.2 and PowerDNS have no transfers over TLS; `kdig` stands for Knot as a client.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from tests.interop.secondaries import BindSecondary, NsdSecondary, Secondary, Trust
from tests.interop.test_secondaries import key_file, serial, transfer_key
from tests.peers.authority import Authority
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository, wait_until
from tests.peers.ports import free_port
from tests.zones.repositories import zone_text

NAME = "ns1.example.org"
ZONE = "example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def a_primary(
    directory: Path, certificate: Path, *more: str, address: str = "127.0.0.1"
) -> Iterator[tuple[Primary, BareRepository]]:
    """One that speaks TLS."""
    remote = BareRepository(directory / "zones.git")
    keys = key_file(transfer_key("127.0.0.1"), transfer_key("127.0.0.4"))
    remote.commit({ZONE: zone_text(1), f"{ZONE}._keys": keys})
    options = ["--remote", str(remote.path), "--listen-tls", f"{address}:0"]
    options += ["--tls-cert", str(certificate), "--tls-key", str(certificate), *more]
    with Primary(options, directory / "log") as primary:
        primary.said("zones served: 1")
        yield primary, remote


@pytest.fixture
def served(tmp_path: Path, authority: Authority) -> Iterator[Primary]:
    with a_primary(tmp_path, authority.issue(NAME), "--allow-unsigned-transfer") as (primary, _):
        yield primary


def run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL
    )
    return done.stdout + done.stderr


def test_kdig_asks_over_tls(served: Primary, authority: Authority, require: Callable[[str], str]) -> None:
    kdig = require("kdig")
    trust = [f"+tls-ca={authority.file}", f"+tls-hostname={NAME}"]
    said = run(kdig, "@127.0.0.1", "-p", str(served.tls_port), *trust, "example.org", "SOA", "+padding")
    assert "TLS session (TLS1.3)" in said
    assert "status: NOERROR" in said


def test_kdig_refuses_another_name(
    served: Primary, authority: Authority, require: Callable[[str], str]
) -> None:
    trust = [f"+tls-ca={authority.file}", "+tls-hostname=ns2.example.org"]
    said = run(require("kdig"), "@127.0.0.1", "-p", str(served.tls_port), *trust, "example.org", "SOA")
    assert "NOERROR" not in said


@pytest.mark.parametrize("kind", ["SOA", "AXFR"])
def test_dig_asks_over_tls(
    served: Primary, authority: Authority, require: Callable[[str], str], kind: str
) -> None:
    trust = ["+tls", f"+tls-ca={authority.file}", f"+tls-hostname={NAME}"]
    said = run(require("dig"), "@127.0.0.1", "-p", str(served.tls_port), *trust, "example.org", kind)
    assert "(TLS)" in said
    assert "SOA\tns1." in said


def test_openssl_sees_tls_1_3_and_the_protocol(served: Primary, require: Callable[[str], str]) -> None:
    place = f"127.0.0.1:{served.tls_port}"
    said = run(require("openssl"), "s_client", "-connect", place, "-alpn", "dot")
    assert "ALPN protocol: dot" in said
    assert "TLSv1.3" in said


def test_plain_transfers_can_be_forbidden(
    tmp_path: Path, authority: Authority, require: Callable[[str], str]
) -> None:
    dig = require("dig")
    options = ["--allow-unsigned-transfer", "--tls-transfers-only"]
    with a_primary(tmp_path, authority.issue(NAME), *options) as (primary, _):
        plain = run(dig, "@127.0.0.1", "-p", str(primary.port), "example.org", "AXFR")
        over_tls = run(dig, "@127.0.0.1", "-p", str(primary.tls_port), "+tls", "example.org", "AXFR")
        assert "Transfer failed" in plain
        assert "XFR size" in over_tls
        primary.said("a transfer refused: zones are sent over TLS only")


def shown(primary: Primary) -> str:
    openssl = run("openssl", "s_client", "-connect", f"127.0.0.1:{primary.tls_port}", "-alpn", "dot")
    return openssl.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]


def test_a_renewed_certificate_is_shown_after_sighup(
    tmp_path: Path, authority: Authority, require: Callable[[str], str]
) -> None:
    require("openssl")
    file = tmp_path / "certificate.pem"
    shutil.copy(authority.issue(NAME), file)
    with a_primary(tmp_path, file) as (primary, _):
        before = shown(primary)
        assert before
        file.write_text("half a file")
        primary.hang_up()
        primary.said("the TLS certificate is not renewed")
        assert shown(primary) == before
        shutil.copy(authority.issue(NAME), file)
        primary.hang_up()
        wait_until("the new certificate", lambda: shown(primary) not in ("", before))


@pytest.mark.parametrize(("kind", "address"), [(BindSecondary, "127.0.0.1"), (NsdSecondary, "127.0.0.4")])
def test_a_secondary_transfers_over_tls(
    kind: type[Secondary], address: str, tmp_path: Path, authority: Authority, require: Callable[[str], str]
) -> None:
    require(kind.program)
    port, key = free_port(), transfer_key(address)
    notified = f"{address}:{port}@{key.name}"
    options = ["--tls-transfers-only", "--notify", notified]
    with a_primary(tmp_path, authority.issue(NAME), *options) as (primary, remote):
        place = ("127.0.0.1", primary.tls_port)
        secondary = kind((address, port), place, f"{ZONE}.", key, tmp_path / "secondary")
        secondary.trust = Trust(authority.file, NAME)
        with secondary:
            until_serial(secondary, 1)
            remote.commit({ZONE: zone_text(2)})
            primary.hang_up()
            until_serial(secondary, 2)


@pytest.mark.parametrize(("kind", "address"), [(BindSecondary, "127.0.0.1"), (NsdSecondary, "127.0.0.4")])
def test_a_secondary_that_expects_another_name_transfers_nothing(
    kind: type[Secondary], address: str, tmp_path: Path, authority: Authority, require: Callable[[str], str]
) -> None:
    require(kind.program)
    with a_primary(tmp_path, authority.issue("ns2.example.org")) as (primary, _):
        place = ("127.0.0.1", primary.tls_port)
        secondary = kind(
            (address, free_port()), place, f"{ZONE}.", transfer_key(address), tmp_path / "secondary"
        )
        secondary.trust = Trust(authority.file, NAME)
        with secondary:
            wait_until("a complaint", lambda: "TLS" in secondary.log_tail() or "tls" in secondary.log_tail())
        assert "sent: all of it" not in primary.log


def until_serial(secondary: Secondary, number: int) -> None:
    wanted = serial(number)

    def is_there() -> bool:
        query = dns.message.make_query(f"{ZONE}.", "SOA")
        host, port = secondary.address
        try:
            return wanted(dns.query.udp(query, host, port=port, timeout=0.5))
        except (dns.exception.Timeout, OSError):
            secondary.check_alive()
            return False

    wait_until(f"{secondary.name} to have serial {number}: {secondary.log_tail()}", is_there)
