"""Reads the key files of a tree into one keyring. No finding made here holds a line of a key file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from oakroot._engine import read_records
from oakroot.frozen import frozen
from oakroot.keys import keyring as keys_room
from oakroot.keys.keyring import GrantedKey, KeyProblem, Keyring
from oakroot.zones.diagnostics import Finding, errors, unreadable
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile
from oakroot.zones.tree import Tree


@frozen
class LoadedKeyFile:
    """A key file and the keys that count for it: those of its newest text without errors."""

    path: str
    blob: str
    zone: str | None
    keys: tuple[GrantedKey, ...]
    is_current: bool
    """Whether the keys are those of the repository's newest text."""
    findings: tuple[Finding, ...]


@frozen
class LoadedKeys:
    """All key files, the keyring they make, and findings about those that were read for this load."""

    files: Mapping[str, LoadedKeyFile]
    keyring: Keyring
    duplicates: tuple[Finding, ...]
    findings: tuple[Finding, ...]


@frozen
class ReadKeyFile:
    """The good keys of one text, and what is wrong with it."""

    keys: tuple[GrantedKey, ...]
    findings: tuple[Finding, ...]


def read_key_file(text: bytes, path: str, zone: str | None) -> ReadKeyFile:
    """Reads one key file for names at or below `zone`; None: for all names.

    Names are taken from the root unless the file says `$ORIGIN`, so a forgotten final dot does no harm. That
    is how the files of OCaml-DNS are read, too.
    """
    records, diagnostics = read_records(text, ".", path, confidential=True)
    read = keys_room.read_key_file(records, zone)
    findings = (*map(Finding.of_engine, diagnostics), *map(_finding, read.problems))
    return ReadKeyFile(read.keys, tuple(sorted(findings, key=lambda finding: finding.line)))


def load_key_files(
    tree: Tree,
    kinds: Mapping[str, ZoneFile | KeyFile | Ignored],
    before: Mapping[str, LoadedKeyFile],
    duplicates_before: tuple[Finding, ...],
) -> LoadedKeys:
    """Reads those key files that changed. A file with errors keeps its last good keys.

    Without last good ones its good lines count: else nobody could sign the NOTIFY that follows the repair.
    """
    files = {}
    findings: list[Finding] = []
    key_files = {path: kind.zone for path, kind in kinds.items() if isinstance(kind, KeyFile)}
    for path, zone in sorted(key_files.items()):
        known = before.get(path)
        if known is None or known.blob != tree.files[path]:
            known = _load_key_file(tree, path, zone, known)
            findings += known.findings
        files[path] = known
    gathered = {path: keys_room.KeyFile(file.keys, ()) for path, file in files.items()}
    keyring, problems = keys_room.gather(gathered)
    duplicates = tuple(map(_finding, problems))
    if duplicates != duplicates_before:
        findings += duplicates
    return LoadedKeys(files, keyring, duplicates, tuple(findings))


def _load_key_file(tree: Tree, path: str, zone: str | None, before: LoadedKeyFile | None) -> LoadedKeyFile:
    try:
        read = read_key_file(tree.content(path), path, zone)
    except ValueError as error:
        read = ReadKeyFile((), (unreadable(path, error),))
    is_current = not errors(read.findings)
    if before is not None and not is_current:
        return replace(before, blob=tree.files[path], is_current=False, findings=read.findings)
    return LoadedKeyFile(path, tree.files[path], zone, read.keys, is_current, read.findings)


def _finding(problem: KeyProblem) -> Finding:
    return Finding(
        severity=problem.severity,
        code=problem.code,
        message=problem.message,
        file=problem.file,
        line=problem.line,
        column=1,
        end_column=1,
        hint=problem.hint,
    )
