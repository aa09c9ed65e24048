"""The zones that are measured with, as files in a git repository, and what is asked of them.

The same for the same sizes, so that results of different days can be compared. What must not live here:
servers, and the zones of mixed content (`mixtures`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.peers.nameservers import ZoneFile

# The second server is ourselves: a primary would notify any other of all its zones. Peers have that switched
# off, and nobody is there to hear it.
HEAD = (
    "$TTL 3600\n@ IN SOA ns1 hostmaster 1 7200 900 1209600 300\n@ IN NS ns1\n@ IN NS ns2\n"
    "ns1 IN A 192.0.2.1\nns2 IN A 127.0.0.1\n"
)
RECORDS_OF_HEAD = 5
RECORDS_PER_SMALL_ZONE = 10
QUERIES = 100_000
CHECKS = 2_000


@dataclass(frozen=True)
class Check:
    """A name whose only A record is known."""

    name: str
    address: bytes


@dataclass(frozen=True)
class Workload:
    """Zone files and what is asked of them."""

    name: str
    directory: Path
    """The repository's work tree: each file is a zone."""
    apexes: tuple[str, ...]
    last: Check
    """In the last record of the last zone."""
    checks: tuple[Check, ...]
    mixes: dict[str, Path]
    """Files of questions, `NAME TYPE` a line, by what they ask for."""
    is_signed: bool = False

    @property
    def zones(self) -> list[ZoneFile]:
        """The zones with their files."""
        return [ZoneFile(apex, self.directory / apex.removesuffix(".")) for apex in self.apexes]


def address(number: int) -> tuple[str, bytes]:
    """The address of host `number`, as text and as octets."""
    octets = (0x0A000000 + number).to_bytes(4)
    return ".".join(map(str, octets)), octets


def host_checks(apex: str, hosts: int, random: Random) -> tuple[Check, ...]:
    """Some of the hosts `h0`, `h1`, … of a zone, whose addresses are those of their numbers."""
    sample = random.sample(range(hosts), min(CHECKS, hosts))
    return tuple(Check(f"h{number}.{apex}", address(number)[1]) for number in sample)


def one_big_zone(directory: Path, records: int) -> Workload:
    """One zone: of 20 records, ten A, four AAAA, two MX, one TXT, and a delegation with its glue."""
    apex = "big.example."
    commit(directory, {apex: _big_zone(records)})
    blocks = (records - RECORDS_OF_HEAD) // 20
    random = Random(1)  # noqa: S311 - questions, no secrets
    hosts = blocks * 10
    return Workload(
        name=f"1 zone of {records:,} records",
        directory=directory,
        apexes=(apex,),
        last=Check(f"h{hosts - 1}.{apex}", address(hosts - 1)[1]),
        checks=host_checks(apex, hosts, random),
        mixes=write_mixes(
            directory.with_name("questions-big"),
            {
                "hosts": (f"h{random.randrange(hosts)}.{apex} A" for _ in range(QUERIES)),
                "missing names": (f"n{random.randrange(10**9)}.{apex} A" for _ in range(QUERIES)),
                "delegations": (f"www.d{random.randrange(blocks)}.{apex} A" for _ in range(QUERIES)),
            },
        ),
    )


def _big_zone(records: int) -> Iterator[str]:
    yield HEAD
    for block in range((records - RECORDS_OF_HEAD) // 20):
        lines = [
            f"d{block} IN NS ns.d{block}",
            f"d{block} IN NS ns.example.net.",
            f"ns.d{block} IN A 192.0.2.53",
        ]
        for host in range(block * 10, block * 10 + 10):
            if host % 10 in (1, 3, 5, 7):
                lines.append(f"h{host} IN AAAA 2001:db8::{host & 0xFFFF:x}")
            if host % 10 in (2, 6):
                lines.append(f"h{host} IN MX 10 h{host + 1}")
            if host % 10 == 4:
                lines.append(f'h{host} IN TXT "host number {host}"')
            lines.append(f"h{host} IN A {address(host)[0]}")
        yield "\n".join(lines) + "\n"


def many_zones(directory: Path, zones: int) -> Workload:
    """Many zones of ten records each."""
    apexes = tuple(f"zone{number}.example." for number in range(zones))
    commit(directory, {apex: _small_zone(number) for number, apex in enumerate(apexes)})
    random = Random(2)  # noqa: S311 - the same
    checks = tuple(Check(f"host.{apex}", address(number)[1]) for number, apex in enumerate(apexes))
    return Workload(
        name=f"{zones:,} zones of {RECORDS_PER_SMALL_ZONE} records",
        directory=directory,
        apexes=apexes,
        last=checks[-1],
        checks=checks,
        mixes=write_mixes(
            directory.with_name("questions-many"),
            {"hosts": (f"host.{random.choice(apexes)} A" for _ in range(QUERIES))},
        ),
    )


def _small_zone(number: int) -> Iterator[str]:
    yield HEAD
    yield (
        "@ IN MX 10 mail\n"
        '@ IN TXT "v=spf1 mx -all"\n'
        "mail IN A 192.0.2.25\n"
        "www IN CNAME host\n"
        f"host IN A {address(number)[0]}\n"
    )


def commit(directory: Path, texts: dict[str, Iterable[str]]) -> None:
    """Writes the zones and commits them."""
    directory.mkdir(parents=True)
    for apex, text in texts.items():
        with (directory / apex.removesuffix(".")).open("w") as file:
            file.writelines(text)
    settings = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("commit", "-q", "-m", "Zones"),
        # As a server keeps what it was sent. Else git would pack in the background, while we measure.
        ("repack", "-a", "-d", "-q"),
    ):
        subprocess.run(["git", *settings, *command], cwd=directory, check=True)


def write_mixes(directory: Path, mixes: dict[str, Iterator[str]]) -> dict[str, Path]:
    """Writes the questions; gives their files."""
    directory.mkdir(parents=True)
    paths = {}
    for name, lines in mixes.items():
        paths[name] = directory / name.replace(" ", "-")
        paths[name].write_text("\n".join(lines) + "\n")
    return paths


def as_queries(checks: Sequence[Check]) -> list[bytes]:
    """Messages that ask for the A record of each name."""
    return [_query(check.name) for check in checks]


def _query(name: str) -> bytes:
    labels = name.removesuffix(".").split(".")
    wire = b"".join(bytes([len(label)]) + label.encode() for label in labels)
    return b"\0\0\0\0\0\x01\0\0\0\0\0\0" + wire + b"\0\0\x01\0\x01"


def is_right(check: Check, response: bytes | None) -> bool:
    """Whether the response is authoritative, NOERROR, and its answer the one right address."""
    if response is None or response[2] & 0x04 == 0 or response[3] & 0x0F or response[6:8] != b"\0\x01":
        return False
    # Behind the question: a compressed or repeated owner, then TYPE, CLASS, TTL, RDLENGTH 4 and the address.
    return b"\0\x01\0\x01" in response and b"\0\x04" + check.address in response[12:]
