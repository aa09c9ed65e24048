"""Merging a file of the repository three ways, for git: records are merged, and both sides keep their lines.

What the records are to be is decided first (`threeway`), with a serial that is forward of both. Then lines
are merged, in texts where the serial makes no difference any more; that stands if it says those records. Else
their changes are written into our text and into the base, so that only comments and layout are left to merge
by lines. What must not live here: files and processes; the merge of lines is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from oakroot.frozen import frozen
from oakroot.zones.parts import Setting
from oakroot.zones.serials import is_forward
from oakroot.zones.threeway import (
    Conflict,
    Key,
    Outcome,
    RRset,
    changed_keys,
    merge_records,
    rrsets,
    same,
)
from oakroot.zones.version import Subject, UnreadableError, Version, read_version, subject_of

_LAYOUT = "both sides changed comments or the layout of the same lines"


class MergeLines(Protocol):
    """Merges lines, as `git merge-file` does."""

    def __call__(self, ours: bytes, base: bytes, theirs: bytes, *, union: bool = False) -> tuple[bytes, bool]:
        """The text, and whether it has no conflicts; `union` takes the lines of both sides instead."""


@frozen
class Texts:
    """The three versions of a file."""

    base: bytes
    ours: bytes
    theirs: bytes


@frozen
class Merged:
    """The merged text. With conflicts it is for a person to finish; each is a sentence without secrets."""

    content: bytes
    conflicts: tuple[str, ...] = ()


def merge(
    path: str,
    texts: Texts,
    merge_lines: MergeLines,
    raise_serial: Callable[[int], int],
    setting: Setting | None = None,
) -> Merged:
    """Merges the file at this path of the repository; `raise_serial` gives a serial forward of another.

    `setting`: with what zones read the file, if they include it, and all in the same way. What is no zone, no
    part of one and no key file is merged by lines, and so is what cannot be read.
    """
    subject = subject_of(path, setting)
    if subject is None:
        return _merge_by_lines(texts, merge_lines)
    try:
        base, ours, theirs = _read_all(subject, texts)
        return _merge_versions(base, ours, theirs, merge_lines, raise_serial)
    except UnreadableError as error:
        return _merge_by_lines(texts, merge_lines, None if subject.is_guess else str(error))
    except ValueError as error:
        # Of an edit that cannot be written (EditError) the last part is words.
        return _merge_by_lines(texts, merge_lines, str(error.args[-1]))


def _read_all(subject: Subject, texts: Texts) -> list[Version]:
    versions = []
    for name, text in (("the base", texts.base), ("our side", texts.ours), ("their side", texts.theirs)):
        try:
            versions.append(read_version(subject, text))
        except UnreadableError as error:
            raise UnreadableError(f"{name} cannot be merged by records: {error}") from None
    return versions


def _merge_by_lines(texts: Texts, merge_lines: MergeLines, reason: str | None = None) -> Merged:
    content, is_clean = merge_lines(texts.ours, texts.base, texts.theirs)
    if is_clean:
        return Merged(content)
    return Merged(content, (reason or "lines were changed on both sides",))


def _merge_versions(
    base: Version, ours: Version, theirs: Version, merge_lines: MergeLines, raise_serial: Callable[[int], int]
) -> Merged:
    holds_keys = ours.subject.holds_keys
    outcome = merge_records(base.records, ours.records, theirs.records, may_unite=not holds_keys)
    serial = _merged_serial(outcome, ours, theirs, raise_serial)
    base, ours, theirs = (version.with_serial(serial) for version in (base, ours, theirs))
    conflicts = tuple(_describe(conflict, confidential=holds_keys) for conflict in outcome.conflicts)
    # Where the sides do not agree they are taken to agree with us, until all else is merged.
    agreed = {conflict.key: conflict.ours for conflict in outcome.conflicts}
    pair = base.with_rrsets(agreed), theirs.with_rrsets(agreed)
    merged = _merge_layouts(pair[0], ours, pair[1], outcome.changes, merge_lines)
    if isinstance(merged, bytes):
        return Merged(merged, (*conflicts, _LAYOUT))
    if conflicts:
        return Merged(_mark(merged, outcome.conflicts, theirs, merge_lines), conflicts)
    faults = merged.faults() - ours.faults() - theirs.faults()
    return Merged(
        merged.content, tuple(f"the merged zone is not valid: {words}" for _, words in sorted(faults))
    )


def _merged_serial(
    outcome: Outcome, ours: Version, theirs: Version, raise_serial: Callable[[int], int]
) -> int | None:
    """A serial that nobody has seen with other records; None where the SOA is not in the file."""
    mine, other = ours.serial, theirs.serial
    if mine is None or other is None:
        return None
    later = other if is_forward(mine, other) else mine
    if mine != other and later == mine and not is_forward(other, mine):
        raise ValueError(f"the serials {mine} and {other} are as far apart as can be, and neither is later")
    is_ours = not outcome.changes and not outcome.conflicts
    is_theirs = not outcome.conflicts and _is_theirs(outcome, ours, theirs)
    if is_ours and is_theirs:
        return later
    if mine != other and ((is_ours and later == mine) or (is_theirs and later == other)):
        return later
    return raise_serial(later)


def _is_theirs(outcome: Outcome, ours: Version, theirs: Version) -> bool:
    """Whether the merged records are those of their side."""
    keys = changed_keys(ours.records, theirs.records)
    mine, others = rrsets(ours.records, keys), rrsets(theirs.records, keys)
    return all(same(outcome.changes.get(key, mine[key]), others[key]) for key in keys)


def _merge_layouts(
    base: Version, ours: Version, theirs: Version, changes: Mapping[Key, RRset], merge_lines: MergeLines
) -> Version | bytes:
    """The records as they are to be, in lines of both sides; as octets where lines are in conflict."""
    wanted = ours.with_rrsets(changes, like=theirs)
    merged = _merge_if_same(base, ours, theirs, wanted, merge_lines)
    if merged is not None:
        return merged
    adapted = _with_records_of(base, theirs, like=theirs)
    for union in (False, True):
        merged = _merge_if_same(adapted, wanted, theirs, wanted, merge_lines, union=union)
        if merged is not None:
            return merged
    # Lines cannot be merged. Where that is about layout alone, that of one side will do.
    written = (ours.comments | theirs.comments) - base.comments
    includes = (ours.includes & theirs.includes) | ((ours.includes | theirs.includes) - base.includes)
    for merged in (wanted, _with_records_of(theirs, wanted, like=ours)):
        if written <= merged.comments and includes == merged.includes:
            return merged
    return merge_lines(wanted.content, adapted.content, theirs.content)[0]


def _with_records_of(version: Version, other: Version, like: Version) -> Version:
    keys = changed_keys(version.records, other.records)
    return version.with_rrsets(rrsets(other.records, keys), like=like)


def _merge_if_same(
    base: Version,
    ours: Version,
    theirs: Version,
    wanted: Version,
    merge_lines: MergeLines,
    *,
    union: bool = False,
) -> Version | None:
    """What comes of their lines, if it says what is wanted."""
    content, is_clean = merge_lines(ours.content, base.content, theirs.content, union=union)
    if not is_clean:
        return None
    try:
        version = read_version(wanted.subject, content)
    except UnreadableError:
        return None
    return version if version.serial == wanted.serial and version.says_the_same(wanted) else None


def _mark(merged: Version, conflicts: Sequence[Conflict], theirs: Version, merge_lines: MergeLines) -> bytes:
    """The text with all sides of each conflict, between git's marks."""
    base = merged.with_rrsets({conflict.key: conflict.base for conflict in conflicts})
    other = merged.with_rrsets({conflict.key: conflict.theirs for conflict in conflicts}, like=theirs)
    return merge_lines(merged.content, base.content, other.content)[0]


def _describe(conflict: Conflict, *, confidential: bool) -> str:
    owner, kind = conflict.key
    told = f"both sides changed {owner} {kind}"
    if confidential:
        return told
    return f"{told}: ours {_data(conflict.ours)}, theirs {_data(conflict.theirs)}"


def _data(rrset: RRset) -> str:
    if not rrset:
        return "has none"
    return " and ".join(f"{ttl} {rdata}" for _, ttl, _, rdata in rrset)
