"""The ledger: who built what and what came out, as files of a git repository. Pure: files in, values out.

    allowed_signers                               whose word counts, unless a reader has a list of their own
    builds/ROLE/BUILD/lock.json                   the inputs; BUILD is the hash of the role and of this file
    builds/ROLE/BUILD/BUILDER/statement.json      what this builder says (`statement`)
    builds/ROLE/BUILD/BUILDER/statement.json.sig  signed by their ssh key
    builds/ROLE/BUILD/BUILDER/contents.txt        the files in the initramfs, to tell what differs inside

No record that counts is ever changed or removed: one is a commit that adds files. What cannot be believed is
told beside what can: one broken record takes no other away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from oakroot.frozen import frozen
from oakroot.git.errors import GitError
from oakroot.git.signatures import Signers, check_signature
from oakroot.images import build as images
from oakroot.images.comparison import compare
from oakroot.images.contents import Role
from oakroot.images.lock import LOCK_NAME, Lock, read_lock
from oakroot.images.record import Record
from oakroot.images.rejected import ImageError
from oakroot.images.statement import NAMESPACE, Statement, read_statement

SIGNERS = "allowed_signers"
FOLDER = "builds"
STATEMENT = "statement.json"
SIGNATURE = f"{STATEMENT}.sig"
_DEPTH_OF_LOCK, _DEPTH_OF_RECORD = 4, 5

_LARGEST = 4 * 1024 * 1024
"""No file of a record is nearly as long, and what JSON holds can take many times its size in memory."""

Read = Callable[[str], bytes]


@frozen
class Attestation:
    """One builder's word that can be believed: its signature is one of those that count."""

    statement: Statement
    key: str
    """The fingerprint of the key that signed it."""
    record: Record

    @property
    def builder(self) -> str:
        """Who says so."""
        return self.statement.builder


@frozen
class Build:
    """All that was said of one build."""

    role: Role
    name: str
    lock: Lock
    attestations: tuple[Attestation, ...]
    """The earliest first."""

    @property
    def label(self) -> str:
        """How it is called among people."""
        return f"{self.role} {self.name[:12]}"

    @property
    def folder(self) -> str:
        """Where its records lie."""
        return f"{FOLDER}/{self.role}/{self.name}"


@frozen
class Trouble:
    """A file that does not count, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@frozen
class Ledger:
    """Everything in a ledger."""

    builds: tuple[Build, ...]
    """By role, the earliest first."""
    troubles: tuple[Trouble, ...]

    def find(self, name: str) -> Build:
        """The build whose name begins so; ImageError if that is none or more than one."""
        found = [each for each in self.builds if each.name.startswith(name.lower())]
        if len(found) != 1 or not name:
            raise ImageError(f"the ledger has {len(found) or 'no'} build{'s'[: len(found) > 1]} {name!r}")
        return found[0]


def read_ledger(paths: Iterable[str], read: Read, signers: Signers) -> Ledger:
    """The ledger of all files in a repository. `read` gives the content of a file."""
    read = _bounded(read)
    troubles: list[Trouble] = []
    locks: dict[str, Lock] = {}
    records: dict[str, set[str]] = {}
    for path in sorted(paths):
        parts = path.split("/")
        if parts[0] != FOLDER:
            continue
        if len(parts) == _DEPTH_OF_LOCK and parts[3] == LOCK_NAME:
            try:
                locks[path.rpartition("/")[0]] = _lock(parts[1], parts[2], read(path))
            except (ImageError, GitError, ValueError) as problem:
                troubles.append(Trouble(path, str(problem)))
        elif len(parts) == _DEPTH_OF_RECORD and parts[4] in {STATEMENT, SIGNATURE, images.CONTENTS}:
            records.setdefault(path.rpartition("/")[0], set()).add(parts[4])
        else:
            troubles.append(Trouble(path, "this file belongs to no record"))
    said: dict[str, list[Attestation]] = {folder: [] for folder in locks}
    for folder, names in records.items():
        try:
            attestation = _attestation(folder, names, locks, read, signers)
            said[folder.rpartition("/")[0]].append(attestation)
        except (ImageError, GitError) as problem:
            troubles.append(Trouble(folder, str(problem)))
    builds = (_build(folder, lock, said[folder]) for folder, lock in locks.items() if said[folder])
    return Ledger(
        tuple(sorted(builds, key=lambda each: (each.role, each.attestations[0].statement.moment, each.name))),
        tuple(troubles),
    )


def _bounded(read: Read) -> Read:
    def read_some(path: str) -> bytes:
        octets = read(path)
        if len(octets) > _LARGEST:
            name = PurePosixPath(path).name
            raise ImageError(f"{name} has {len(octets)} octets, and more than {_LARGEST} are not read")
        return octets

    return read_some


def _lock(role: str, name: str, octets: bytes) -> Lock:
    lock = read_lock(octets.decode())
    if lock.text().encode() != octets or lock.fingerprint(Role(role)) != name:
        raise ImageError("the lock file is not the one that the build is named for")
    return lock


def _attestation(
    folder: str, names: set[str], locks: Mapping[str, Lock], read: Read, signers: Signers
) -> Attestation:
    """What lies in a builder's folder; ImageError or GitError say why it does not count."""
    missing = {STATEMENT, SIGNATURE, images.CONTENTS} - names
    if missing:
        raise ImageError(f"the record is incomplete: {', '.join(sorted(missing))} is missing")
    place = PurePosixPath(folder)
    lock = locks.get(str(place.parent))
    if lock is None:
        raise ImageError(f"the record has no lock file that can be read in {place.parent}")
    octets = read(f"{folder}/{STATEMENT}")
    key = check_signature(octets, read(f"{folder}/{SIGNATURE}"), place.name, NAMESPACE, signers)
    statement = read_statement(octets)
    if (statement.role, statement.build, statement.builder) != place.parts[1:]:
        about = f"{statement.role} {statement.build[:12]} by {statement.builder}"
        raise ImageError(f"the statement is about another build: {about}")
    contents = read(f"{folder}/{images.CONTENTS}")
    for name, content in ((images.CONTENTS, contents), (LOCK_NAME, lock.text().encode())):
        if hashlib.sha256(content).hexdigest() != statement.outputs.get(name):
            raise ImageError(f"{name} is not the one that the statement speaks of")
    record = Record(statement.role, lock, statement.outputs, contents.decode(errors="replace"))
    return Attestation(statement, key, record)


def _build(folder: str, lock: Lock, said: list[Attestation]) -> Build:
    _, role, name = folder.split("/")
    order = sorted(said, key=lambda each: (each.statement.moment, each.builder))
    return Build(Role(role), name, lock, tuple(order))


def keys_of(attestations: Iterable[Attestation]) -> int:
    """How many of them count: two names with one key are one."""
    return len({each.key for each in attestations})


def camps(build: Build) -> list[tuple[Attestation, ...]]:
    """Who has made the same octets, the most keys first."""
    found: dict[tuple[tuple[str, str], ...], list[Attestation]] = {}
    for each in build.attestations:
        found.setdefault(tuple(sorted(each.statement.outputs.items())), []).append(each)
    return sorted((tuple(each) for each in found.values()), key=keys_of, reverse=True)


def disagreements(record: Record, others: Iterable[Attestation]) -> Iterator[str]:
    """For each builder who made something else of the same inputs: a line for each output and file."""
    for other in others:
        if other.record.outputs == record.outputs:
            continue
        changes = compare(record, other.record)
        for change in (*changes.outputs, *changes.files):
            where = f"{images.INITRAMFS}: " if change in changes.files else ""
            yield f"{other.builder} has another result: {where}{change}"


def words_of(build: Build) -> Iterator[str]:
    """How far its builders agree, in lines; only the first where they do."""
    first, *others = camps(build)
    names = ", ".join(each.builder for each in first)
    keys = keys_of(first)
    yield f"{build.label}: {names} made the same ({keys} key{'s'[: keys > 1]})"
    for camp in others:
        for line in disagreements(first[0].record, camp):
            yield f"{build.label}: {line}"


def files_of_record(record: Record, statement: bytes, signature: bytes, builder: str) -> dict[str, bytes]:
    """What a record adds to the ledger."""
    folder = f"{FOLDER}/{record.role}/{record.name}"
    return {
        f"{folder}/{LOCK_NAME}": record.lock.text().encode(),
        f"{folder}/{builder}/{STATEMENT}": statement,
        f"{folder}/{builder}/{SIGNATURE}": signature,
        f"{folder}/{builder}/{images.CONTENTS}": record.contents.encode(),
    }
