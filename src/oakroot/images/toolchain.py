"""Compiling and compressing, with the image's own Python: the machine that builds leaves no trace."""

from __future__ import annotations

import gzip
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from oakroot.images import wheels
from oakroot.images.contents import LOADER, PYTHON
from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry, File, Link, Tree

_COMPILE = """
import os, py_compile, sys
root = sys.argv[1]
for folder, folders, files in os.walk(root):
    folders.sort()
    for name in sorted(files):
        if name.endswith(".py"):
            path = os.path.join(folder, name)
            shown = path[len(root):]
            py_compile.compile(path, path + "c", shown, True,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""
_COMPRESS = """
import gzip, sys
sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read(), 6, mtime=0))
"""
_ARCHIVE = """
import io, os, sys, zipfile
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    for name in sys.stdin.read().splitlines():
        with open(os.path.join(sys.argv[1], name), "rb") as file:
            archive.writestr(zipfile.ZipInfo(name), file.read(), zipfile.ZIP_DEFLATED)
sys.stdout.buffer.write(buffer.getvalue())
"""
_LIBRARIES = "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"


class Toolchain(Protocol):
    """What a build does besides moving octets."""

    def compile(self, tree: Tree) -> dict[str, Entry]:
        """The tree with each Python source replaced by its bytecode."""

    def archive(self, files: Mapping[str, bytes]) -> bytes:
        """A zip archive with these files."""

    def compress(self, octets: bytes) -> bytes:
        """The octets, in gzip's form."""


class OwnPython:
    """Runs the Python of a tree, with that tree's C library, on the processor that it is made for."""

    def __init__(self, python: Tree) -> None:
        self._python = python

    def compile(self, tree: Tree) -> dict[str, Entry]:
        """The tree with each Python source replaced by its bytecode; ImageError if one cannot be read."""
        sources = {path: entry for path, entry in tree.items() if path.endswith(".py")}
        made: dict[str, Entry] = {path: entry for path, entry in tree.items() if path not in sources}
        with tempfile.TemporaryDirectory(prefix="oakroot-image-") as name:
            work = Path(name) / "compiled"
            _lay_out(sources, work)
            self._run(Path(name) / "python", _COMPILE, b"", str(work))
            for path in sources:
                made[f"{path}c"] = File((work / f"{path}c").read_bytes())
        return made

    def archive(self, files: Mapping[str, bytes]) -> bytes:
        """A zip archive with these files."""
        with tempfile.TemporaryDirectory(prefix="oakroot-image-") as name:
            work = Path(name) / "files"
            _lay_out({path: File(content) for path, content in files.items()}, work)
            return self._run(Path(name) / "python", _ARCHIVE, "\n".join(files).encode(), str(work))

    def compress(self, octets: bytes) -> bytes:
        """The octets, in gzip's form."""
        with tempfile.TemporaryDirectory(prefix="oakroot-image-") as name:
            return self._run(Path(name) / "python", _COMPRESS, octets)

    def _run(self, root: Path, program: str, given: bytes, *arguments: str) -> bytes:
        _lay_out(self._python, root)
        loader = (root / LOADER).resolve()
        libraries = ":".join(str(root / folder) for folder in _LIBRARIES)
        python = [str(loader), "--library-path", libraries, str(root / PYTHON), "-P", "-S", "-s"]
        environment = {
            "PYTHONHOME": str(root / "usr"),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run(  # noqa: S603 - the interpreter of the inputs, whose hashes were compared
                [*python, "-c", program, *arguments],
                input=given,
                env=environment,
                capture_output=True,
                check=False,
            )
        except OSError as problem:
            hint = "images are built on Linux on x86-64"
            raise ImageError(f"the image's Python does not run here: {problem.strerror}", hint) from None
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ImageError(f"the image's Python failed: {last or done.returncode}")
        return done.stdout


class ThisPython:
    """Compiles nothing and compresses with the interpreter at hand: for trees that hold no interpreter."""

    def compile(self, tree: Tree) -> dict[str, Entry]:
        """The tree as it is."""
        return dict(tree)

    def archive(self, files: Mapping[str, bytes]) -> bytes:
        """A zip archive with these files."""
        return wheels.pack(files)

    def compress(self, octets: bytes) -> bytes:
        """The octets, in gzip's form."""
        return gzip.compress(octets, 6, mtime=0)


def _lay_out(tree: Tree, root: Path) -> None:
    for path, entry in tree.items():
        place = root / path
        if isinstance(entry, (File, Link)):
            place.parent.mkdir(parents=True, exist_ok=True)
        match entry:
            case File():
                place.write_bytes(entry.content)
                place.chmod(0o755 if entry.executable else 0o644)
            case Link():
                # An absolute link would lead into the machine that builds.
                inside = entry.target.startswith("/")
                place.symlink_to(root / entry.target.lstrip("/") if inside else entry.target)
            case _:
                continue
