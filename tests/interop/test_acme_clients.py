"""certbot and lego get certificates from pebble through our primary, with keys as `keygen` prints them.

Their challenges come by UPDATE, so each of them is two commits in the repository: there, and gone again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from tests.conftest import peers_are_required
from tests.peers.commands import Primary, oakroot
from tests.peers.git_servers import BareRepository, git
from tests.peers.pebble import Pebble

KEY_NAME = "acme._acme-challenge._update.www.example.org"
"""One that may do nothing else."""
ZONE = """\
$TTL 1h
@       SOA   ns1 hostmaster 1 1d 2h 2w 1h
        NS    ns1
ns1     A     127.0.0.1
www     A     192.0.2.80     ; the web server
"""


@dataclass(frozen=True)
class Site:
    """A repository, the primary that serves it, an authority, and a key for updates as keygen prints it."""

    repository: BareRepository
    primary: Primary
    pebble: Pebble
    folder: Path

    def snippet(self, client: str) -> Path:
        """A new key for a client, which the primary knows already: what is to be saved, in a file."""
        file = self.folder / f"{client}.key"
        source = f"@{self.folder / 'key'}"
        made = oakroot("keygen", "tsig", "--from", source, "--for", client, "--server", self.primary.server)
        file.write_text(made.output)
        file.chmod(0o600)
        return file

    def subjects(self) -> list[str]:
        """Subjects of the commits, the oldest first."""
        told = git("log", "--reverse", "--format=%s", "main", cwd=self.repository.path)
        return told.splitlines()


@pytest.fixture
def site(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Site]:
    require("git")
    made = oakroot("keygen", "tsig", KEY_NAME)
    (tmp_path / "key").write_text(made.output)
    stranger = oakroot("keygen", "tsig", "acme._update.example.net")
    (tmp_path / "stranger").write_text(stranger.output)
    repository = BareRepository(tmp_path / "zones.git")
    keys = (made.output + stranger.output).encode()
    repository.commit({"example.org": ZONE.encode(), "_keys": keys})
    with Primary(["--remote", repository.path], tmp_path / "primary.log") as primary:
        primary.said("zones served: 1")
        # certbot gives up when a good nonce is rejected twice; that is between it and the authority.
        with Pebble(require("pebble"), tmp_path / "pebble", dns=primary.port, rejected_nonces=0) as pebble:
            yield Site(repository, primary, pebble, tmp_path)


@pytest.fixture
def certbot(project_root: Path) -> Path:
    program = project_root / ".venv/certbot/bin/certbot"
    if not program.exists():
        reason = "certbot is not installed; `make .venv/certbot/installed` does that"
        if peers_are_required():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return program


def run(command: list[str | Path], environment: Mapping[str, str], *, succeeds: bool = True) -> str:
    """What it said."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def require_certificate(site: Site, full_chain: Path, require: Callable[[str], str]) -> None:
    """It is for www and all names below, and openssl trusts it by pebble's root."""
    certificate = x509.load_pem_x509_certificate(full_chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"www.example.org", "*.www.example.org"}
    root = ["-CAfile", str(site.pebble.root()), "-untrusted", str(full_chain)]
    subprocess.run([require("openssl"), "verify", *root, str(full_chain)], check=True, capture_output=True)


def require_clean_history(site: Site) -> None:
    """Wildcard and apex have their challenges at one name; in the end the zone is what it was."""
    subjects = site.subjects()[1:]
    assert any(subject.startswith("example.org: add _acme-challenge.www TXT") for subject in subjects), (
        subjects
    )
    assert any(subject.startswith("example.org: remove _acme-challenge.www TXT") for subject in subjects)
    text = site.repository.show("example.org")
    assert [line for line in text.splitlines() if "SOA" not in line] == [
        line for line in ZONE.splitlines() if "SOA" not in line
    ]


def run_certbot(site: Site, certbot: Path, *, succeeds: bool = True) -> str:
    folders: list[str | Path] = []
    for option in ("--config-dir", "--work-dir", "--logs-dir"):
        folders += [option, site.folder / "certbot"]
    return run(
        [
            *(certbot, "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email"),
            *("--server", site.pebble.directory_url, *folders),
            *("--dns-rfc2136", "--dns-rfc2136-credentials", site.snippet("certbot")),
            *("--dns-rfc2136-propagation-seconds", "0"),
            *("--domain", "www.example.org", "--domain", "*.www.example.org"),
        ],
        {"REQUESTS_CA_BUNDLE": str(site.pebble.ca_file)},
        succeeds=succeeds,
    )


def run_lego(site: Site, require: Callable[[str], str], *, succeeds: bool = True) -> str:
    lines = site.snippet("lego").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    # Its own pause between two challenges is a minute, for the sake of slow secondaries.
    pauses = {"RFC2136_SEQUENCE_INTERVAL": "1", "RFC2136_POLLING_INTERVAL": "1"}
    return run(
        [
            *(require("lego"), "--path", site.folder / "lego", "--server", site.pebble.directory_url),
            *("--accept-tos", "--email", "admin@example.org"),
            *("--dns", "rfc2136", "--dns.resolvers", site.primary.server, "--dns.disable-cp"),
            *("--domains", "www.example.org", "--domains", "*.www.example.org", "run"),
        ],
        {**settings, **pauses, "LEGO_CA_CERTIFICATES": str(site.pebble.ca_file)},
        succeeds=succeeds,
    )


@pytest.mark.proves("clients", "certbot", "gets a certificate from pebble")
def test_certbot(site: Site, certbot: Path, require: Callable[[str], str]) -> None:
    run_certbot(site, certbot)
    require_certificate(site, site.folder / "certbot/live/www.example.org/fullchain.pem", require)
    require_clean_history(site)


@pytest.mark.proves("clients", "lego", "gets a certificate from pebble")
def test_lego(site: Site, require: Callable[[str], str]) -> None:
    run_lego(site, require)
    require_certificate(site, site.folder / "lego/certificates/www.example.org.crt", require)
    require_clean_history(site)


@pytest.mark.parametrize("client", ["certbot", "lego"])
def test_a_refusal_is_shown(client: str, site: Site, certbot: Path, require: Callable[[str], str]) -> None:
    (site.folder / "stranger").replace(site.folder / "key")
    if client == "certbot":
        said = run_certbot(site, certbot, succeeds=False)
    else:
        said = run_lego(site, require, succeeds=False)
    assert "REFUSED" in said
