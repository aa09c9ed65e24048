"""`oakroot keys`: who may do what, as the key files of a zone repository say; never a secret."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import dns.name

from oakroot._engine import type_number
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.folder import Folder
from oakroot.cli.options import add_directory_argument, add_format_option, domain_name, record_type
from oakroot.keys.grant import Operation
from oakroot.keys.keyring import GrantedKey
from oakroot.operate.terminal import Style, painter
from oakroot.zones.diagnostics import Finding, errors, render, visible
from oakroot.zones.filenames import classify
from oakroot.zones.keyfiles import load_key_files

_DESCRIPTION = """\
Lists the keys of a zone repository: what each may do, where, and the line it stands in. With --at only
those that count for a name. Secrets are not shown."""

_EPILOG = """\
exit code: 0 all keys are good, 1 a key file has errors, or no key was found, 2 wrong usage.

Who may change www.example.org:
  oakroot keys --at www.example.org --may update
and who its address, be it nothing else:
  oakroot keys --at www.example.org --may update --type A"""

_HEADLINE = ("KEY", "MAY", "AT AND BELOW", "LIMITED TO", "BETWEEN", "ALGORITHM", "PLACE")
_OPERATIONS = {operation.name.lower(): operation for operation in Operation}


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "keys",
        help="list who may do what",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_directory_argument(parser)
    parser.add_argument("--at", type=domain_name, metavar="NAME", help="only keys that count for this name")
    parser.add_argument("--may", choices=_OPERATIONS, help="only keys that may do this")
    parser.add_argument(
        "--type", type=record_type, metavar="TYPE", help="with --may update: only keys for this type"
    )
    add_format_option(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each key, by zone and name."""
    if not arguments.directory.is_dir():
        raise CommandError(f"{arguments.directory} is no folder", exit_code=Exit.USAGE)
    keys, findings = _load(arguments.directory)
    meant = [key for key in keys if _is_meant(key, arguments.at, arguments.may, arguments.type)]
    if arguments.format == "json":
        print(json.dumps([_as_object(key) for key in meant], indent=2))
    elif meant:
        _print_table(meant)
    for finding in findings:
        print(render(finding, "text"), file=sys.stderr)
    if errors(findings):
        return Exit.NOT_SO
    if not meant:
        raise CommandError("there is no such key", hint="`oakroot keygen tsig NAME` makes one")
    return Exit.FINE


def _load(directory: Path) -> tuple[list[GrantedKey], Sequence[Finding]]:
    tree = Folder(directory).tree()
    kinds = {path: classify(path) for path in tree.files}
    loaded = load_key_files(tree, kinds, {}, ())
    order = sorted(loaded.keyring.keys, key=lambda granted: (granted.grant.zone, granted.key.name))
    return order, loaded.findings


def _is_meant(
    granted: GrantedKey, name: dns.name.Name | None, operation: str | None, rtype: str | None
) -> bool:
    """Of a key with limits counts what is within them, be it for one type alone."""
    grant = granted.grant
    if name is not None and not (grant.covers(name) and grant.limits.admit_name(name, grant.zone)):
        return False
    if rtype is not None and not grant.limits.admit_type(type_number(rtype)):
        return False
    return operation is None or grant.may(_OPERATIONS[operation])


def _print_table(keys: Sequence[GrantedKey]) -> None:
    paint = painter(sys.stdout, os.environ)
    rows = [_HEADLINE, *map(_row, keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADLINE))]
    for number, row in enumerate(rows):
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        print(line if number else paint(line, Style.STRONG))


def _row(granted: GrantedKey) -> tuple[str, ...]:
    grant = granted.grant
    return (
        visible(granted.key.name.to_text()),
        grant.operation.name.lower(),
        "all zones" if grant.zone == dns.name.root else grant.zone.to_text(),
        str(grant.limits) or "-",
        " and ".join(str(address) for address in (grant.primary, grant.secondary) if address) or "-",
        granted.key.algorithm.text,
        f"{visible(granted.file)}:{granted.line}",
    )


def _as_object(granted: GrantedKey) -> dict[str, object]:
    grant = granted.grant
    return {
        "name": granted.key.name.to_text(),
        "operation": grant.operation.name.lower(),
        "zone": grant.zone.to_text(),
        "limits": str(grant.limits) or None,
        "primary": None if grant.primary is None else str(grant.primary),
        "secondary": None if grant.secondary is None else str(grant.secondary),
        "algorithm": granted.key.algorithm.text,
        "weakness": granted.key.weakness,
        "file": granted.file,
        "line": granted.line,
    }
