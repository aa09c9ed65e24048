"""Ours and BIND's containers, under runc: from the start to the first answer, at rest, and what they call.

What must not live here: how runc is told (`tests.peers.containers`).
"""

from __future__ import annotations

import gzip
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import system_calls
from bench.appliances import forms
from bench.appliances.world import APEX, SECRETS, World, is_served, wait_until_served, zone
from bench.processes import memory, processor, wait_until_at_rest
from oakroot.images.contents import Role
from tests.peers.containers import ROOT, Process, held, running, unpack, write_bundle
from tests.peers.nameservers import NameserverError
from tests.peers.ports import LOOPBACK

_SUITE = "bookworm"
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
"""As Debian's own images for containers ("slim") have it."""
_NAMED_CONF = """
options {{
  directory "/tmp"; pid-file none;
  listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; allow-transfer {{ none; }};
}};
controls {{ }};
zone "{apex}" {{ type primary; file "/etc/bind/zone"; }};
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A container that can be started again and again."""

    directory: Path
    process: Process
    size: forms.Size
    port: int


def ours(role: Role, image: Path, world: World, directory: Path, port: int) -> Kind:
    """The OCI image of a role, which lays its own filter around itself."""
    directory.mkdir()
    command = unpack(image, directory)
    words = [*command, "--listen", f"{LOOPBACK}:{port}", *world.arguments(role, LOOPBACK)]
    process = Process(words, writable=("/tmp", "/var/lib/oakroot"), readable={SECRETS: world.keys})  # noqa: S108 - the container's
    return Kind(directory, process, forms.of_container(image, directory / ROOT), port)


def binds(directory: Path, port: int, profile: dict[str, Any]) -> Kind:
    """Debian's least base with BIND, in the filter that an engine lays around whoever asks for nothing."""
    directory.mkdir()
    archive, root = directory / "root.tar", directory / ROOT
    left_out = [f"--dpkgopt=path-exclude={each}" for each in _LEFT_OUT]
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--include=bind9",
        *left_out,
        _SUITE,
        str(archive),
    ]
    subprocess.run(command, check=True)
    root.mkdir()
    subprocess.run(
        ["tar", "--extract", "--file", archive, "--directory", root, "--exclude=./dev/*"], check=True
    )
    packed = len(gzip.compress(archive.read_bytes(), 6))
    packages = (root / "var/lib/dpkg/status").read_text().count("\nStatus: install ok installed\n")
    size = forms.Size(packed, *forms.of_folder(root), packages)
    text = _NAMED_CONF.format(port=port, address=LOOPBACK, apex=APEX)
    (root / "etc/bind/named.conf").write_text(text)
    (root / "etc/bind/zone").write_text(zone())
    users = {
        line.split(":")[0]: line.split(":")[2] for line in (root / "etc/passwd").read_text().splitlines()
    }
    process = Process(
        ["/usr/sbin/named", "-g", "-c", "/etc/bind/named.conf"],
        user=int(users["bind"]),
        writable=("/tmp", "/run/named"),  # noqa: S108 - the container's
        seccomp=profile,
    )
    return Kind(directory, process, size, port)


def start(kind: Kind, name: str) -> tuple[forms.Start, int]:
    """(from runc's start to the first right answer, octets at rest); runc's processor time is left out."""
    write_bundle(kind.directory, kind.process)
    began = time.monotonic()
    with running(name, kind.directory) as container:

        def look() -> None:
            if container.has_ended:
                raise NameserverError(f"{name} has ended:\n{container.log.read_text()[-2000:]}")

        wait_until_served(kind.port, name, look)
        took = forms.Start(time.monotonic() - began, processor(container.processes).total)
        wait_until_at_rest(container.processes)
        return took, memory(container.processes).resting


def calls_made(kind: Kind, name: str) -> frozenset[str]:
    """The system calls from its start to its answers by UDP and TCP."""

    def ask() -> None:
        wait_until_served(kind.port, name, lambda: None)
        for _ in range(5):
            is_served(kind.port)
            is_served(kind.port, over_tcp=True)

    # The engine's filter would be in the way of whoever watches.
    write_bundle(kind.directory, replace(kind.process, seccomp=None))
    with held(name, kind.directory) as container:
        return system_calls.made_by(container.first, kind.directory / "calls", container.go_on, ask)
