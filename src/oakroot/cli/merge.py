"""`oakroot merge`: a merge driver for git, which merges zone files and key files by records."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.zones.diagnostics import visible
from oakroot.zones.filenames import ZoneFile, classify
from oakroot.zones.merge import Texts, merge
from oakroot.zones.parts import Setting, settings_of
from oakroot.zones.serials import next_serial

_DESCRIPTION = """\
Merges three versions of a zone file or key file, RRset by RRset: git calls it for merges, rebases
and pulls. Comments, order and layout of both sides stay; the serial becomes one that is later than
both. Changes of the same records that do not agree are left between git's conflict marks. Other
files, and such with errors, are merged by lines as git does it by itself."""

_EPILOG = """\
exit code: 0 merged, 1 conflicts are left in OURS, 2 wrong usage.

A repository of zones uses it after these two lines, the second of them in every clone:
  echo '* merge=oakroot' >> .gitattributes
  git config merge.oakroot.driver 'oakroot merge %O %A %B %P --marker-size=%L'"""

_MARKER_SIZE = 7
_FIRST_SIGNAL = 128


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "merge",
        help="merge zone files and key files for git",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("base", type=Path, metavar="BASE", help="the common ancestor (%%O)")
    parser.add_argument("ours", type=Path, metavar="OURS", help="our version, and where the merge goes (%%A)")
    parser.add_argument("theirs", type=Path, metavar="THEIRS", help="the other version (%%B)")
    parser.add_argument("path", metavar="PATH", help="the file's path in the repository (%%P)")
    parser.add_argument(
        "--marker-size",
        type=int,
        default=_MARKER_SIZE,
        metavar="N",
        help="length of conflict marks (%%L; default: %(default)s)",
    )
    parser.add_argument(
        "--serial",
        choices=("increment", "unixtime", "date"),
        default="increment",
        help="how to raise the later serial (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Merges into OURS; tells each conflict on standard error."""
    texts = Texts(*(file.read_bytes() for file in (arguments.base, arguments.ours, arguments.theirs)))
    merged = merge(
        arguments.path,
        texts,
        GitLines(arguments.marker_size),
        lambda serial: next_serial(arguments.serial, serial, time.time()),
        _setting_of(arguments.path),
    )
    arguments.ours.write_bytes(merged.content)
    for conflict in merged.conflicts:
        print(f"{visible(arguments.path)}: {visible(conflict)}", file=sys.stderr)
    return Exit.NOT_SO if merged.conflicts else Exit.FINE


def _setting_of(path: str) -> Setting | None:
    """With what the zones beside us read the file; None: none does, or not all in the same way.

    git runs us in the root of the work tree, where the files are still those of our side.
    """
    if "/" not in path:
        return None
    found: set[Setting] = set()
    for file in Path().iterdir():
        subject = classify(file.name)
        if isinstance(subject, ZoneFile) and (content := _content(file)) is not None:
            found |= settings_of(path, content, subject.apex, lambda included: _content(Path(included)))
    return found.pop() if len(found) == 1 else None


def _content(file: Path) -> bytes | None:
    """None for what is no regular file, or cannot be read."""
    try:
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None
    except OSError:
        return None


@dataclass(frozen=True)
class GitLines:
    """`git merge-file`, which takes the style of conflicts from the user's settings."""

    marker_size: int

    def __call__(self, ours: bytes, base: bytes, theirs: bytes, *, union: bool = False) -> tuple[bytes, bool]:
        """As `MergeLines` has it; CommandError where git does not merge such text at all."""
        with tempfile.TemporaryDirectory(prefix="oakroot-merge-") as folder:
            files = [Path(folder) / name for name in ("ours", "base", "theirs")]
            for file, text in zip(files, (ours, base, theirs), strict=True):
                file.write_bytes(text)
            labels = [word for file in files for word in ("-L", file.name)]
            options = ["--stdout", f"--marker-size={self.marker_size}", *(["--union"] if union else [])]
            command = ["git", "merge-file", *options, *labels, *map(str, files)]
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed words and our files
        if done.returncode < 0 or done.returncode >= _FIRST_SIGNAL:
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise CommandError(f"git merge-file: {visible(reason[-1]) if reason else 'it failed'}")
        return done.stdout, done.returncode == 0
