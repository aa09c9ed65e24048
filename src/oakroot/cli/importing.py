"""`oakroot import`: makes a zone repository of what another name server has."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import add_key_option, add_timeout_option, domain_name, key_option, server
from oakroot.cli.scaffold import FILE_MODE, SECRET_MODE, WORKFLOWS, File, common_files, write_repository
from oakroot.client.exchange import Deadline
from oakroot.client.whole_zone import fetch_zone
from oakroot.importing.bind import read_bind
from oakroot.importing.files import read_files
from oakroot.importing.knot import read_knot
from oakroot.importing.nsd import read_nsd
from oakroot.importing.powerdns import read_powerdns
from oakroot.importing.setup import ConfigurationError, Note, Setup
from oakroot.importing.transferred import write_master_file
from oakroot.importing.writing import Imported, views_of
from oakroot.importing.writing import write_repository as files_of
from oakroot.late import Part, part
from oakroot.zones.diagnostics import render, visible
from oakroot.zones.filenames import ZoneFile, classify, file_name_of, may_hold_keys

_DESCRIPTION = """\
Makes a zone repository of what another name server has: its zone files as they are, with comments and
includes, and its keys under names that say what they may do. What cannot be carried over is listed; no
key may do more in a zone than before, but for what is listed: keys count from every address, and who
may update may transfer, too."""

_EPILOG = """\
exit code: 0 every primary zone came along, 1 some did not, or nothing was written, 2 wrong usage.

  oakroot import bind /etc/bind/named.conf --out zones
  oakroot import axfr 192.0.2.53 example.org example.net --key @transfer.key --out zones"""

_READERS = {
    "bind": (read_bind, "named.conf", "BIND's zones and keys"),
    "knot": (read_knot, "knot.conf", "those of Knot DNS"),
    "nsd": (read_nsd, "nsd.conf", "those of NSD"),
    "powerdns": (read_powerdns, "pdns.conf", "those of PowerDNS with its bind backend"),
}
_NOTES_SHOWN = 200
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "import",
        help="make a zone repository of another server's set-up",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, title="kinds")
    for kind, (_, file, what) in _READERS.items():
        configured = kinds.add_parser(kind, help=f"{what}, from {file}", description=_DESCRIPTION)
        configured.add_argument("source", type=Path, metavar="FILE", help=f"the {file}")
        configured.add_argument(
            "--root",
            type=Path,
            metavar="DIR",
            help="where the old machine's / is, for absolute paths (default: /)",
        )
        _add_common(configured)
    files = kinds.add_parser(
        "files",
        help="a folder of zone files, such as OctoDNS and DNSControl write",
        description="Takes a folder of zone files, whose names tell the zones: example.org, db.example.org, "
        "example.org.zone, example.org.",
    )
    files.add_argument("source", type=Path, metavar="DIR", help="the folder")
    _add_common(files)
    _add_octodns(kinds)
    axfr = kinds.add_parser(
        "axfr",
        help="zones of a running server, by transfer",
        description="Takes zones by AXFR.",
        words_between_options=True,
    )
    axfr.add_argument("source", type=server, metavar="SERVER[:PORT]", help="the server, by name or address")
    axfr.add_argument("zones", nargs="+", type=domain_name, metavar="ZONE", help="a zone to take")
    add_key_option(axfr, "a key that may transfer")
    add_timeout_option(axfr, 60, "how long to wait for each zone")
    _add_common(axfr)


def _add_octodns(kinds: Subparsers) -> None:
    octodns = kinds.add_parser(
        "octodns",
        help="a folder of OctoDNS's zones in YAML",
        description="Takes a folder of OctoDNS's zones, example.org.yaml; they become zone files. Needs "
        "PyYAML (pip install 'oakroot[octodns]').",
    )
    octodns.add_argument("source", type=Path, metavar="DIR", help="the folder")
    octodns.add_argument(
        "--nameserver",
        action="append",
        default=[],
        type=domain_name,
        metavar="NAME",
        help="a name server of zones that name none themselves; may be given again",
    )
    _add_common(octodns)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="the new repository: a folder that is not there",
    )
    parser.add_argument(
        "--ci",
        action="append",
        choices=(*WORKFLOWS, "none"),
        help="whose workflow to write, repeatable (default: github)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Reads everything, then writes everything, and says what the operator has to know."""
    _refuse_existing(arguments.out)
    if arguments.kind == "axfr":
        imported = {arguments.out: _transferred(arguments)}
    else:
        imported = _from_files(arguments)
    if not any(each.zones for each in imported.values()):
        _tell(imported)
        raise CommandError("no zone could be taken over; nothing was written")
    for folder, each in imported.items():
        write_repository(folder, _files(each, arguments.ci or ["github"]))
    _tell(imported)
    return Exit.NOT_SO if any(each.left_out for each in imported.values()) else Exit.FINE


def _refuse_existing(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(
            f"{out} is there already", hint="name a folder that is not, or an empty one", exit_code=Exit.USAGE
        )


def _from_files(arguments: argparse.Namespace) -> dict[Path, Imported]:
    """What each view gives, by the folder it goes to; without views there is one."""
    root = getattr(arguments, "root", None)

    def read(path: str) -> bytes:
        place = Path(path)
        if root is not None and place.is_absolute() and not place.is_relative_to(root):
            place = root / place.relative_to("/")
        return place.read_bytes()

    if arguments.kind == "octodns":
        return {arguments.out: _from_octodns(arguments, read)}
    setup = _setup(arguments, read)
    views = views_of(setup)
    if views in {(), (None,)}:
        return {arguments.out: files_of(setup, read)}
    folders = _folders(views)
    return {arguments.out / folders[view]: files_of(setup, read, view) for view in views}


def _from_octodns(arguments: argparse.Namespace, read: Callable[[str], bytes]) -> Imported:
    try:
        reader = part(Part.OCTODNS)
    except ImportError as missing:
        raise CommandError(
            f"reading YAML needs PyYAML: {missing}", hint="pip install 'oakroot[octodns]'"
        ) from None
    names = [each.name for each in arguments.source.iterdir() if each.is_file()]
    servers = [name.to_text() for name in arguments.nameserver]
    setup, texts = reader.read_octodns(str(arguments.source), names, read, servers)
    return files_of(setup, texts.__getitem__)


def _folders(views: Iterable[str | None]) -> dict[str | None, str]:
    """A folder for each view, none of them that of another, also where case does not count."""
    folders: dict[str | None, str] = {}
    taken: set[str] = set()
    for view in views:
        name = _UNSAFE.sub("-", view or "no-view").strip("-.") or "view"
        folder, number = name, 1
        while folder.lower() in taken:
            number += 1
            folder = f"{name}-{number}"
        taken.add(folder.lower())
        folders[view] = folder
    return folders


def _setup(arguments: argparse.Namespace, read: Callable[[str], bytes]) -> Setup:
    source: Path = arguments.source
    try:
        if arguments.kind == "files":
            names = [
                each.name for each in source.iterdir() if each.is_file() and not may_hold_keys(each.name)
            ]
            return read_files(str(source), names, read)
        reader, _, _ = _READERS[arguments.kind]
        return reader(str(source), read)
    except ConfigurationError as error:
        raise CommandError(visible(str(error))) from None


def _transferred(arguments: argparse.Namespace) -> Imported:
    key = None if arguments.key is None else key_option(arguments.key)
    contents: dict[str, bytes] = {}
    zones = []
    for name in arguments.zones:
        if not isinstance(classify(file_name_of(name)), ZoneFile):
            raise CommandError(f"a file for {name} would be no zone file in a repository; leave it out")
        zone = fetch_zone(arguments.source, name, key, Deadline.after(arguments.timeout))
        contents[file_name_of(name)] = write_master_file(zone)
        zones.append(zone.apex)
    return Imported(contents, tuple(zones), (), (), ())


def _files(imported: Imported, workflows: list[str]) -> Iterator[File]:
    for path, content in imported.files.items():
        yield File(path, content, SECRET_MODE if may_hold_keys(path) else FILE_MODE)
    yield from common_files(workflows)


def _tell(imported: Mapping[Path, Imported]) -> None:
    """What came along on standard output; what did not, on standard error."""
    told: set[Note] = set()
    for folder, each in imported.items():
        notes = [note for note in each.notes if note not in told]
        told.update(notes)
        for finding in each.findings:
            print(render(finding, "text"), file=sys.stderr)
        for note in notes[:_NOTES_SHOWN]:
            print(f"note: {visible(str(note))}", file=sys.stderr)
        if len(notes) > _NOTES_SHOWN:
            print(f"note: and {len(notes) - _NOTES_SHOWN} more", file=sys.stderr)
        for old, new in each.keys:
            print(f"key {visible(old)} is now {visible(new)}: tell its users")
        print(f"{folder}: {len(each.zones)} zones, {len(each.keys)} keys")
        if each.zones:
            place = shlex.quote(str(folder))
            print(f"next: cd {place}, `git commit`, and `oakroot primary --remote .`")
