"""Certificates through DNS, from a request to a TLS client: git, primary, secondary, certifier, pebble."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from oakroot.certificates.forms import request_record
from oakroot.certificates.signing_request import read_signing_request
from oakroot.keys.notation import read_key
from tests.certificates.minting import new_request
from tests.e2e.conftest import Operator
from tests.peers.certifier_process import CertifierProcess
from tests.peers.commands import Outcome, Primary, oakroot
from tests.peers.git_servers import Daemon, wait_until
from tests.peers.pebble import LIFETIME, Pebble
from tests.peers.ports import LOOPBACK, free_port
from tests.peers.secondary_process import SecondaryProcess

ZONE = """\
$ORIGIN example.org.
$TTL 3600
; the operator's own words stay
@\tSOA\tns1\thostmaster\t1\t86400\t7200\t1048576\t60
@\tNS\tns1
@\tNS\tns2
ns1     A       127.0.0.1
ns2     A       127.0.0.1
_acme-challenge.alias  CNAME  proof
"""
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
CERTIFIER = f"certifier._update.example.org:SHA256:{SECRET}"
HOST = f"www._update.example.org:SHA256:{SECRET}"
SECONDARY = f"the.secondary._transfer.example.org:SHA256:{SECRET}"


@dataclass
class House:
    """Everybody at work."""

    operator: Operator
    primary: Primary
    secondary: SecondaryProcess
    pebble: Pebble
    certifier: CertifierProcess
    folder: Path

    def certify(self, host: str, *more: str) -> Outcome:
        """`oakroot certify` of a host, into the folder of its name."""
        out = str(self.folder / host)
        return oakroot("certify", self.primary.server, host, "--key", HOST, "--out", out, *more)

    def publish(self, host: str, der: bytes) -> None:
        """Publishes a request by hand."""
        record = f"_letsencrypt._tcp.{host} 3600 TLSA {request_record(read_signing_request(der))}"
        done = oakroot("update", self.primary.server, "--key", HOST, "--add", record)
        assert done.code == 0, done.errors

    def commits(self) -> list[str]:
        """What was committed since the operator's push, oldest first: author, subject and body."""
        self.operator.git("pull", "--quiet")
        text = self.operator.git(
            "log", "--reverse", "--format=%an|%B%x00", "--invert-grep", "--grep=^Change "
        )
        return [commit.strip() for commit in text.split("\0") if commit.strip()]


@pytest.fixture
def house_of(
    operator: Operator, primary_of: Callable[[], Primary], require: Callable[[str], str], tmp_path: Path
) -> Callable[[int], AbstractContextManager[House]]:
    """`house_of(LIFETIME)`: everybody at work, with certificates of so many seconds."""
    return lambda lifetime: _house(operator, primary_of, require("pebble"), tmp_path, lifetime)


@contextmanager
def _house(
    operator: Operator, primary_of: Callable[[], Primary], pebble: str, tmp_path: Path, lifetime: int
) -> Iterator[House]:
    """Pebble asks the secondary, which has all from the primary."""
    operator.write("example.org", ZONE)
    names = [key.partition(":")[0] for key in (CERTIFIER, HOST, SECONDARY)]
    operator.write("example.org._keys", "".join(f"{name}. DNSKEY 0 3 163 {SECRET}\n" for name in names))
    place = (LOOPBACK, free_port())
    with primary_of() as primary:
        primary.said("keys: 3")
        authority = (LOOPBACK, primary.port)
        key = read_key(SECONDARY)
        with (
            SecondaryProcess(place, [key], authority, tmp_path / "secondary") as secondary,
            Pebble(pebble, tmp_path / "pebble", dns=place[1], lifetime=lifetime) as ca,
            CertifierProcess(authority, CERTIFIER, ca, tmp_path / "certifier", [place]) as certifier,
        ):
            yield House(operator, primary, secondary, ca, certifier, tmp_path / "certificates")


def test_certificates_through_dns(house_of: Callable[[int], AbstractContextManager[House]]) -> None:
    with house_of(LIFETIME) as house:
        a_host_gets_a_certificate_that_its_clients_believe(house)
        a_wildcard_has_its_apex_beside_it(house)
        fifty_names_have_one_certificate(house)
        a_challenge_is_delegated(house)
        a_certifier_that_is_killed_orders_nothing_twice(house)
        assert SECRET not in house.certifier.log
        assert house.certifier.stop() == 0


def a_host_gets_a_certificate_that_its_clients_believe(house: House) -> None:
    done = house.certify("www.example.org")
    assert done.code == 0, done.errors + house.certifier.log
    folder = house.folder / "www.example.org"
    root = house.pebble.root()
    verified = _openssl("verify", "-CAfile", root, "-untrusted", folder / "chain.pem", folder / "cert.pem")
    assert verified == f"{folder / 'cert.pem'}: OK\n"
    assert _names_seen_by_a_client(folder, root, "www.example.org") == ["www.example.org"]
    request, challenge, clean_up, certificate = house.commits()
    assert request.startswith("www._update.example.org|example.org: request a certificate for www")
    assert challenge.startswith("certifier._update.example.org|example.org: add _acme-challenge.www TXT")
    assert clean_up.startswith("certifier._update.example.org|example.org: remove _acme-challenge.www TXT")
    assert certificate.startswith("certifier._update.example.org|example.org: add the certificate for www")
    text = house.operator.read("example.org")
    assert "; the operator's own words stay" in text
    assert "_acme-challenge.www" not in text
    assert house.certify("www.example.org").code == 0
    assert len(house.commits()) == 4


def a_wildcard_has_its_apex_beside_it(house: House) -> None:
    done = house.certify("example.org", "--additional", "*.example.org")
    assert done.code == 0, done.errors + house.certifier.log
    assert _names(house.folder / "example.org" / "cert.pem") == ["*.example.org", "example.org"]


def fifty_names_have_one_certificate(house: House) -> None:
    names = [f"host-{number:02}.example.org" for number in range(50)]
    more = [option for name in names[1:] for option in ("--additional", name)]
    done = house.certify(names[0], *more)
    assert done.code == 0, done.errors + house.certifier.log
    assert _names(house.folder / names[0] / "cert.pem") == names


def a_challenge_is_delegated(house: House) -> None:
    done = house.certify("alias.example.org")
    assert done.code == 0, done.errors + house.certifier.log
    commits = house.commits()
    assert any("add proof TXT" in commit for commit in commits)
    assert len(commits) == 16
    assert "TXT" not in house.operator.read("example.org")


def a_certifier_that_is_killed_orders_nothing_twice(house: House) -> None:
    issued = house.pebble.log.count("Issued certificate")
    published = house.certifier.log.count("certificate published")
    house.publish("killed.example.org", new_request("killed.example.org"))
    orders = house.certifier.account.with_name("account.pem.orders")
    wait_until("the order to be remembered", lambda: "killed" in orders.read_text())
    house.certifier.kill()
    house.certifier.start()
    house.certifier.said("certificate published", times=published + 1)
    assert house.pebble.log.count("Issued certificate") == issued + 1
    assert "_acme-challenge.killed" not in _text(house)


def test_a_certificate_is_renewed_before_it_expires(
    house_of: Callable[[int], AbstractContextManager[House]],
) -> None:
    with house_of(12) as house:
        house.publish("www.example.org", new_request("www.example.org"))
        house.certifier.said("certificate published", times=2)
        assert "the present one is good until" in house.certifier.log
        lines = [line for line in _text(house).splitlines() if "TLSA" in line]
        assert sum("3 0 0" in line for line in lines) == 1


def _text(house: House) -> str:
    house.operator.git("pull", "--quiet")
    return house.operator.read("example.org")


def _openssl(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _names_seen_by_a_client(folder: Path, root: Path, host: str) -> list[str]:
    """A TLS server shows the files, and a client that believes in the root alone connects."""
    port = free_port()
    chain, key = folder / "fullchain.pem", folder / "privkey.pem"
    server: list[str | Path] = ["openssl", "s_server", "-accept", f"{LOOPBACK}:{port}", "-quiet"]
    server += ["-cert", chain, "-cert_chain", chain, "-key", key]
    context = ssl.create_default_context(cafile=str(root))
    with (
        Daemon(server, port, folder / "s_server.log"),
        socket.create_connection((LOOPBACK, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return _dns_names(x509.load_der_x509_certificate(der))


def _names(file: Path) -> list[str]:
    return _dns_names(x509.load_pem_x509_certificate(file.read_bytes()))


def _dns_names(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))
