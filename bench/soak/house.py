"""Who takes part in a soak: a repository, a primary, secondaries, a certifier, an authority, on loopback."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.name

from oakroot.certificates.forms import request_record
from oakroot.certificates.signing_request import read_signing_request
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.secret import Secret
from tests.certificates.minting import new_request
from tests.peers.certifier_process import CertifierProcess
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository
from tests.peers.nameservers import NameserverError
from tests.peers.pebble import Pebble
from tests.peers.ports import LOOPBACK, Address, free_port
from tests.peers.secondary_process import SecondaryProcess

CHANGED = "updated.example"
"""The zone that is updated."""
PUSHED = "pushed.example"
"""The zone that the operator pushes."""
QUIET = 20
"""Zones that nobody changes."""
HOSTS = ("www", "mail")
ASIDE = "127.0.0.77"
"""For the one who comes and goes: another program would take its port meanwhile."""
LIFETIME = 240
"""Seconds of a certificate: renewed when a third is left."""

ZONE = """\
$ORIGIN {apex}.
$TTL 60
@ SOA ns1 hostmaster 1 60 20 3600 60
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns2 A 127.0.0.1
; the operator's own words stay
www A 192.0.2.1
"""


@dataclass
class House:
    """Everybody, running."""

    repository: BareRepository
    primary: Primary
    lasting: tuple[SecondaryProcess, ...]
    """Secondaries that stay, one with its zones on disk, one without."""
    passing: SecondaryProcess
    """One that comes and goes."""
    certifier: CertifierProcess
    pebble: Pebble
    update_key: Key
    transfer_key: Key
    watched: tuple[Address, ...]
    """Where those that stay show their metrics."""
    control: Path
    """The primary's control socket."""

    @property
    def address(self) -> Address:
        """Where the primary answers."""
        return (LOOPBACK, self.primary.port)

    def processes(self) -> dict[str, int]:
        """Of those that stay, by name."""
        names = ("secondary with --state", "secondary without")
        return {
            "primary": self.primary.process_id,
            **{name: each.process_id for name, each in zip(names, self.lasting, strict=True)},
            "certifier": self.certifier.process_id,
        }


def zone_files(records: int) -> dict[str, bytes | None]:
    """The repository's zones; those that nobody changes have so many records each."""
    more = "".join(f"r{number} A 192.0.2.{number % 250 + 1}\n" for number in range(records))
    names = [CHANGED, PUSHED, *(f"quiet{number}.example" for number in range(QUIET))]
    return {name: (ZONE.format(apex=name) + more).encode() for name in names}


@contextmanager
def house(directory: Path, records: int) -> Iterator[House]:
    """Starts everybody, and ends everybody."""
    pebble = shutil.which("pebble")
    if pebble is None:
        raise NameserverError("pebble is not installed")
    update = _key(f"robot._update.{CHANGED}.")
    certify = _key(f"certifier._update.{CHANGED}.")
    transfer = _key("everything._transfer.")
    repository = BareRepository(directory / "zones.git")
    repository.commit({**zone_files(records), "_keys": _key_file(update, certify, transfer)})
    places = [(LOOPBACK, free_port()), (LOOPBACK, free_port()), (ASIDE, free_port())]
    watched = tuple((LOOPBACK, free_port()) for _ in range(3))
    control = directory / "control"
    options: list[str | Path] = ["--remote", repository.path, "--poll", "3", "--rate-limit", "0"]
    options += [word for host, port in places for word in ("--notify", f"{host}:{port}@{transfer.name}")]
    options += ["--control", control, *_metrics_at(watched[0])]
    options += ["--dnstap", f"file:{directory / 'queries.fstrm'}", "--query-log", directory / "queries.log"]
    with ExitStack() as stack:
        primary = stack.enter_context(Primary(options, directory / "primary.log"))
        at = (LOOPBACK, primary.port)
        *lasting, passing = _secondaries(places, watched[1:], transfer, at, directory)
        for each in lasting:
            stack.enter_context(each)
            each.until_serial(PUSHED, 1)
        passing.start()
        stack.callback(passing.stop)
        ca = stack.enter_context(Pebble(pebble, directory / "pebble", dns=places[0][1], lifetime=LIFETIME))
        text = f"{certify.name}:SHA256:{certify.secret.base64()}"
        certifier = stack.enter_context(CertifierProcess(at, text, ca, directory / "certifier", [places[0]]))
        yield House(
            repository,
            primary,
            tuple(lasting),
            passing,
            certifier,
            ca,
            update,
            transfer,
            watched,
            control,
        )


def requests() -> Sequence[tuple[str, str]]:
    """Names and TLSA records of certificate requests for the hosts."""
    names = [f"{host}.{CHANGED}" for host in HOSTS]
    return [
        (f"_letsencrypt._tcp.{name}.", request_record(read_signing_request(new_request(name))))
        for name in names
    ]


def _key_file(*keys: Key) -> bytes:
    return "".join(f"{key.name} DNSKEY 0 3 163 {key.secret.base64()}\n" for key in keys).encode()


def _secondaries(
    places: Sequence[Address], watched: Sequence[Address], key: Key, primary: Address, directory: Path
) -> list[SecondaryProcess]:
    """Not started yet; the first keeps its zones on disk, and those with a place for it show metrics."""
    made = [
        SecondaryProcess(place, [key], primary, directory / f"secondary{number}")
        for number, place in enumerate(places)
    ]
    made[0].state = directory / "state"
    for each in made:
        each.options += ["--rate-limit", "0"]
    for each, place in zip(made, watched, strict=False):
        each.options += _metrics_at(place)
    return made


def _metrics_at(place: Address) -> list[str]:
    return ["--metrics", f"{place[0]}:{place[1]}", "--ask-nameservers", "30"]


def _key(name: str) -> Key:
    return Key(dns.name.from_text(name), Algorithm.SHA256, Secret(secrets.token_bytes(32)))
