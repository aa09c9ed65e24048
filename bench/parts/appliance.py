"""`python -m bench appliance`: images of one server beside a Debian with BIND in a container.

Ours are measured as machines, emulated in software, and as containers. All serve the same zone, to which the
secondary and the certifier come from a primary on this machine. As root, on Debian.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import system_calls
from bench.appliances import containers, forms, machines
from bench.appliances.world import World
from bench.part import Part, Row, Table, cases, servers, told
from oakroot.images import fetch
from oakroot.images.build import build_all
from oakroot.images.contents import Role
from oakroot.images.inputs import InputFolder
from oakroot.images.lock import LOCK_NAME
from oakroot.images.syscalls import ALLOWED
from tests.peers.ports import free_port

CASE = "One server, one small zone"
MEMORY = 128
"""MiB of each machine."""
_HEAD = (
    "", "MiB packed", "MiB unpacked", "files", "packages", "MiB at rest", "least --mem", "s to answer",
    "CPU s to answer", "system calls open", "made",
)  # fmt: skip
_ABSENT = "-"
MIB = 2**20


@dataclass(frozen=True)
class Appliance:
    """One start of one form of one server."""

    case: str
    server: str
    packed: int
    unpacked: int
    files: int
    packages: int
    seconds: float
    processor: float
    resting: int
    """Octets: PSS of all processes of a container; all that a machine does not have left."""
    least: int = 0
    """MiB with which a machine just serves."""
    calls_open: int = 0
    calls_made: int = 0
    """Both are 0 where they are told of the same server's container."""


class AppliancePart(Part[Appliance]):
    """See the head of the file."""

    name = "appliance"
    help = "images of one server beside a container with BIND"
    measurement = Appliance
    case_shapes = (CASE,)
    name_shapes = ("{case}",)
    is_for_all = False
    programs = ("bind", "runc", "qemu")

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Of what the images are made."""
        parser.add_argument(
            "--inputs", type=Path, metavar="DIR", help="folder of inputs of images (default: fetched)"
        )
        parser.add_argument(
            "--mem", type=int, default=MEMORY, metavar="MIB", help="of machines (default %(default)s)"
        )

    def run(self, options: argparse.Namespace) -> list[Appliance]:
        """Every form in turn, each started in every round; what no start changes is looked at once."""
        directory: Path = options.directory
        images = _images(options.inputs or directory / "inputs", directory / "images")
        with World(directory) as world:
            return [
                *_machines(images, world, directory, options.mem, options.rounds),
                *_containers(images, world, directory, options.rounds),
            ]

    def tables(self, measurements: Sequence[Appliance]) -> list[Table]:
        """One table for each case."""
        return [
            Table(case, _HEAD, [_row(server, starts) for server, starts in servers(of_case).items()])
            for case, of_case in cases(measurements).items()
        ]


def _row(server: str, starts: Sequence[Appliance]) -> Row:
    one = starts[0]
    return (
        server,
        f"{one.packed / MIB:.1f}",
        f"{one.unpacked / MIB:.1f}",
        f"{one.files:,}",
        str(one.packages),
        f"{median(each.resting for each in starts) / MIB:.1f}",
        str(one.least or _ABSENT),
        told([each.seconds for each in starts], "{:.1f}"),
        told([each.processor for each in starts], "{:.1f}"),
        str(one.calls_open or _ABSENT),
        str(one.calls_made or _ABSENT),
    )


def _images(inputs: Path, out: Path) -> Path:
    if not (inputs / LOCK_NAME).exists():
        fetch.make_lock(inputs, None, None, _tell)
    for image in build_all(list(Role), InputFolder(inputs).lock(), InputFolder(inputs), _tell):
        image.write(out / image.role)
    return out


def _machines(images: Path, world: World, directory: Path, memory: int, rounds: int) -> Iterator[Appliance]:
    for role in Role:
        _tell(f"the {role}'s machine")
        place = directory / f"{role}-machine"
        place.mkdir()
        kind = machines.Kind(role, images / role, world, place)
        size, least, resting = forms.of_machine(images / role), kind.least(), kind.at_rest(memory)
        for _ in range(rounds):
            yield Appliance(
                CASE,
                f"{role}, machine",
                **asdict(size),
                **asdict(kind.start(memory)),
                resting=resting,
                least=least,
            )


def _containers(images: Path, world: World, directory: Path, rounds: int) -> Iterator[Appliance]:
    for role in Role:
        place = directory / f"{role}-container"
        kind = containers.ours(role, images / role, world, place, free_port())
        yield from _starts(f"{role}, container", kind, len(ALLOWED), rounds)
    profile = system_calls.fetch_profile(directory)
    _tell("a Debian with BIND")
    kind = containers.binds(directory / "bind", free_port(), profile)
    yield from _starts("BIND, container", kind, len(system_calls.allowed_by(profile)), rounds)


def _starts(server: str, kind: containers.Kind, calls_open: int, rounds: int) -> Iterator[Appliance]:
    _tell(server)
    name = f"oakroot-bench-{kind.port}"
    made = len(containers.calls_made(kind, name))
    for _ in range(rounds):
        took, resting = containers.start(kind, name)
        yield Appliance(
            CASE, server, **asdict(kind.size), **asdict(took), resting=resting, calls_open=calls_open,
            calls_made=made,
        )  # fmt: skip


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


PART = AppliancePart()
