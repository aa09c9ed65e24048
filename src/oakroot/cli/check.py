"""`oakroot check`: what is wrong with zone files and key files, before the world sees it."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.folder import Folder
from oakroot.operate.terminal import wants_colour
from oakroot.zones.check import Checked, check_key_file, check_successor, check_tree, check_zone
from oakroot.zones.diagnostics import Finding, as_json, errors, render
from oakroot.zones.filenames import Ignored, KeyFile, ZoneFile, classify

_DESCRIPTION = """\
Checks zone files and key files by the rules of the primary: what passes here is served.
A file is the zone of its name (example.org), or holds keys (example.org._keys, _keys); the root
zone is the file @. A folder is a zone repository: all its files are checked, sub-folders hold
only what is included. Files that are neither, such as README.md, are left aside."""

_EPILOG = """\
exit code: 0 no errors, 1 errors found (with --strict also warnings), 2 wrong usage.

As a hook before each commit:
  oakroot check --strict .
Whether a new version may follow the one before:
  oakroot check --old <(git show HEAD:example.org) example.org"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "check",
        help="check zone files, folders and repositories",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        words_between_options=True,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR", help="what to check")
    parser.add_argument("--zone", metavar="NAME", help="take the one FILE for a file of this name")
    parser.add_argument(
        "--old", type=Path, metavar="FILE", help="an earlier version: the serial must have moved forward"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="form of the findings (default: %(default)s)",
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")


def run(arguments: argparse.Namespace) -> int:
    """Checks, prints what was found, and says by its exit code whether it is good."""
    _refuse_odd_combinations(arguments)
    checks = (_check_path(path, arguments) for path in arguments.paths)
    checked = functools.reduce(Checked.__add__, checks, Checked())
    _print(checked, arguments.format)
    bad = checked.findings if arguments.strict else errors(checked.findings)
    return Exit.NOT_SO if bad else Exit.FINE


def _refuse_odd_combinations(arguments: argparse.Namespace) -> None:
    for flag, value in (("--zone", arguments.zone), ("--old", arguments.old)):
        if value is not None and (len(arguments.paths) > 1 or arguments.paths[0].is_dir()):
            raise CommandError(f"{flag} goes with one FILE", exit_code=Exit.USAGE)


def _check_path(path: Path, arguments: argparse.Namespace) -> Checked:
    try:
        if path.is_dir():
            _refuse_bare_repository(path)
            return _with_shown_paths(path, check_tree(Folder(path).tree()))
        return _with_shown_paths(path.parent, _check_file(path, arguments))
    except OSError as problem:
        message = f"{problem.filename or path}: {problem.strerror or problem}"
        raise CommandError(message, exit_code=Exit.USAGE) from None


def _refuse_bare_repository(path: Path) -> None:
    # To read it takes the git libraries, for which a hook at each commit should not wait.
    if (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir():
        raise CommandError(
            f"{path} is a bare git repository",
            hint="check a working copy: `git clone`, or in a hook `git archive COMMIT | tar -x -C FOLDER`",
            exit_code=Exit.USAGE,
        )


def _check_file(path: Path, arguments: argparse.Namespace) -> Checked:
    tree = Folder(path.parent, given=path).tree()
    kind = _kind(arguments.zone or path.name, path)
    match kind:
        case KeyFile(zone):
            return check_key_file(tree, path.name, zone)
        case ZoneFile(apex) if arguments.old is not None:
            return check_successor(tree, path.name, apex, arguments.old.read_bytes())
        case ZoneFile(apex):
            return check_zone(tree, path.name, apex)
        case Ignored(reason, surprising) if surprising:
            warning = Finding("warning", "ignored-file", f"this file is not read: {reason}", path.name)
            return Checked((warning,))
        case Ignored():
            return Checked()


def _kind(name: str, path: Path) -> ZoneFile | KeyFile | Ignored:
    """What a file of this name is. A name that the user gave has to mean something."""
    kind = classify("@" if name == "." else name)
    if isinstance(kind, Ignored) and name != path.name:
        raise CommandError(f"--zone {name}: it names no zone: {kind.reason}", exit_code=Exit.USAGE)
    return kind


def _with_shown_paths(folder: Path, checked: Checked) -> Checked:
    """Findings name files from where the user stands, not from the folder."""
    return replace(
        checked,
        findings=tuple(replace(finding, file=str(folder / finding.file)) for finding in checked.findings),
    )


def _print(checked: Checked, form: str) -> None:
    if form == "json":
        print(json.dumps(_as_json(checked), indent=2))
        return
    colour = form == "text" and wants_colour(sys.stdout, os.environ)
    for finding in checked.findings:
        print(render(finding, "github" if form == "github" else "text", colour=colour))
    print(_summary(checked))


def _as_json(checked: Checked) -> dict[str, object]:
    count = len(errors(checked.findings))
    return {
        "findings": [as_json(finding) for finding in checked.findings],
        "zones": checked.zones,
        "key_files": checked.key_files,
        "errors": count,
        "warnings": len(checked.findings) - count,
    }


def _summary(checked: Checked) -> str:
    count = len(errors(checked.findings))
    seen = _listed([_counted(checked.zones, "zone"), _counted(checked.key_files, "key file")]) or "nothing"
    warnings = len(checked.findings) - count
    found = _listed([_counted(count, "error"), _counted(warnings, "warning")]) or "no errors"
    return f"{seen} checked: {found}"


def _counted(number: int, noun: str) -> str:
    if number == 0:
        return ""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(parts: Iterable[str]) -> str:
    return " and ".join(part for part in parts if part)
