"""What changed between two images: inputs added, removed or updated, and files that differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from oakroot.frozen import frozen
from oakroot.images.lock import Input
from oakroot.images.record import Record, read_contents


class Kind(StrEnum):
    """What happened to something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@frozen
class Change:
    """One thing that is not as it was."""

    kind: Kind
    what: str
    detail: str = ""
    """From what to what, where that is more than a hash."""

    def __str__(self) -> str:
        return f"{self.kind:<7} {self.what}{self.detail and ': '}{self.detail}"


@frozen
class Changes:
    """All that differs between two images."""

    inputs: tuple[Change, ...]
    outputs: tuple[Change, ...]
    files: tuple[Change, ...]
    """Those in the initramfs."""

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs or self.files)


def compare(before: Record, after: Record) -> Changes:
    """What is other in the second than in the first; ImageError if a list of files is broken."""
    return Changes(
        (*_source(before, after), *_inputs(before.inputs, after.inputs)),
        tuple(_hashes(before.outputs, after.outputs)),
        tuple(_hashes(read_contents(before.contents), read_contents(after.contents))),
    )


def _source(before: Record, after: Record) -> Iterator[Change]:
    if before.role != after.role:
        yield Change(Kind.CHANGED, "role", f"{before.role} -> {after.role}")
    if before.lock.commit != after.lock.commit:
        yield Change(Kind.CHANGED, "commit", f"{_commit(before)} -> {_commit(after)}")
    if before.lock.epoch != after.lock.epoch:
        yield Change(Kind.CHANGED, "SOURCE_DATE_EPOCH", f"{before.lock.epoch} -> {after.lock.epoch}")


def _commit(record: Record) -> str:
    return record.lock.commit[:12] or "unknown"


def _inputs(before: tuple[Input, ...], after: tuple[Input, ...]) -> Iterator[Change]:
    # A kernel's package has its version in its name, and is another one with each.
    old, new = ({(each.kind, each.name): each for each in side} for side in (before, after))
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is None and now is not None:
            yield Change(Kind.ADDED, f"{now.kind} {now.name}", now.version)
        elif now is None and was is not None:
            yield Change(Kind.REMOVED, f"{was.kind} {was.name}", was.version)
        elif was is not None and now is not None and was.sha256 != now.sha256:
            yield Change(Kind.CHANGED, f"{was.kind} {was.name}", _versions(was, now))


def _versions(was: Input, now: Input) -> str:
    if was.version == now.version:
        return f"{was.version}, another file: {was.sha256[:12]} -> {now.sha256[:12]}"
    return f"{was.version} -> {now.version}"


def _hashes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Change(Kind.ADDED, name)
        elif name not in after:
            yield Change(Kind.REMOVED, name)
        elif before[name] != after[name]:
            yield Change(Kind.CHANGED, name)
