"""Versions of a zone file made before they are needed, and how each server is told to read a new one.

Making a version (writing, hashing, committing it) costs more than some servers take to reload, so it is not
part of what is measured: taking one is a rename of a file and of a ref.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.peers import PowerDns
from bench.workloads import Check, Workload, as_queries, is_right
from tests.peers.client import Address, ask_udp
from tests.peers.nameservers import DaemonNameserver, NameserverError

LONGEST = 60.0
POLL = 0.0005
SERIAL = b"hostmaster 1 "
TTL = b"$TTL 3600\n"
HOST = re.compile(rb" IN A 10\.")
SOME = 1000
Change = Callable[[bytes, int], bytes]


@dataclass(frozen=True)
class Version:
    """One version of the last zone's file, in which the workload's last name has an address of its own."""

    file: Path
    commit: str
    check: Check


def one_record(text: bytes, number: int) -> bytes:
    """The text with another address in its last line and another serial."""
    head, _, _ = text.rstrip(b"\n").rpartition(b" ")
    return head.replace(SERIAL, b"hostmaster %d " % (1 + number), 1) + b" 198.51.100.%d\n" % number


def every_record(text: bytes, number: int) -> bytes:
    """The same, and all records have another TTL."""
    return one_record(text, number).replace(TTL, b"$TTL %d\n" % (3600 + number), 1)


def some_records(text: bytes, number: int) -> bytes:
    """The same as one record, and the first `SOME` hosts have other addresses."""
    return HOST.sub(b" IN A %d." % (100 + number), one_record(text, number), count=SOME)


def versions(workload: Workload, change: Change, count: int) -> list[Version]:
    """So many versions, each a commit on top of the one before; none is taken yet."""
    directory = workload.directory
    path = workload.zones[-1].path
    text = path.read_bytes()
    made = []
    parent = _git(directory, "rev-parse", "HEAD")
    for number in range(1, count + 1):
        file = directory.with_name(f"{directory.name}-version{number}")
        file.write_bytes(change(text, number))
        blob = _git(directory, "hash-object", "-w", str(file))
        _git(directory, "update-index", "--cacheinfo", f"100644,{blob},{path.name}")
        tree = _git(directory, "write-tree")
        parent = _git(directory, "commit-tree", tree, "-p", parent, "-m", f"Version {number}")
        check = Check(workload.last.name, bytes((198, 51, 100, number)))
        made.append(Version(file, parent, check))
    return made


def original(workload: Workload) -> Version:
    """What is there now, to come back to."""
    file = workload.directory.with_name(f"{workload.directory.name}-original")
    shutil.copyfile(workload.zones[-1].path, file)
    return Version(file, _git(workload.directory, "rev-parse", "HEAD"), workload.last)


def take(workload: Workload, version: Version) -> None:
    """Lets the work tree and the branch be at this version."""
    path = workload.zones[-1].path
    fresh = path.with_name(f".{path.name}.new")
    shutil.copyfile(version.file, fresh)
    fresh.replace(path)
    _git(workload.directory, "update-ref", "refs/heads/main", version.commit)


def tell(server: DaemonNameserver) -> None:
    """Has the server read its zone again, by what its manual gives for that."""
    if isinstance(server, PowerDns):
        apex = server.zones[-1].apex.removesuffix(".")
        folders = f"--config-dir={server.directory}", f"--socket-dir={server.directory}"
        # It gives up waiting before a busy machine has read a large zone; whether it was read is asked below.
        subprocess.run(["pdns_control", *folders, "bind-reload-now", apex], check=False, capture_output=True)
        return
    os.kill(server.process_ids()[0], signal.SIGHUP)


def wait_for(server: DaemonNameserver, check: Check, seconds: float = LONGEST) -> None:
    """Asks until the answer is that of the check."""
    query = as_queries([check])
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        [response] = _ask(server.address, query)
        if is_right(check, response):
            return
        server.check_alive()
        time.sleep(POLL)
    message = f"{server.name} did not serve the new version within {seconds:g} s{server.log_tail()}"
    raise NameserverError(message)


def _ask(address: Address, query: list[bytes]) -> list[bytes | None]:
    try:
        return ask_udp(address, query, 0.5)
    except ConnectionRefusedError:
        return [None]


def _git(directory: Path, *arguments: str) -> str:
    names = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", *names, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
