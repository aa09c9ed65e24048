"""Whether an image is what its inputs make: the difference is named by file. Pure."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from oakroot.images import build, cpio
from oakroot.images.archive import flattened
from oakroot.images.contents import Role
from oakroot.images.rejected import ImageError
from oakroot.images.tree import Entry


def role_of(directory: Path) -> Role:
    """What the image in this folder serves as; ImageError if it is none."""
    try:
        return Role(json.loads((directory / build.DESCRIPTION).read_bytes())["role"])
    except FileNotFoundError:
        raise ImageError(f"{directory} holds no image", "`oakroot image build` makes one") from None
    except (ValueError, KeyError, TypeError):
        raise ImageError(f"{directory / build.DESCRIPTION} is broken") from None


def read_image(directory: Path) -> dict[str, bytes]:
    """Every file of an image's folder."""
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def check_sums(directory: Path) -> None:
    """Compares the files of an image with its list of hashes; ImageError names one that differs."""
    try:
        lines = (directory / build.SUMS).read_text().splitlines()
    except FileNotFoundError:
        raise ImageError(f"{directory} holds no image: it has no {build.SUMS}") from None
    for line in lines:
        wanted, _, name = line.partition("  ")
        file = directory / name
        if not file.is_file():
            raise ImageError(f"the image is incomplete: {file} is missing")
        if hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
            raise ImageError(f"the image is corrupted: {file} is not what {build.SUMS} says")


def differences(found: Mapping[str, bytes], made: Mapping[str, bytes]) -> Iterator[str]:
    """A line for each file that differs in an image and in one made again, also inside the initramfs."""
    for name in sorted(found.keys() | made.keys()):
        one, other = found.get(name), made.get(name)
        if one == other:
            continue
        if one is None or other is None:
            yield f"{name}: {'missing' if one is None else 'not made of these inputs'}"
        elif name == build.INITRAMFS:
            yield from _inside(one, other)
        else:
            yield f"{name}: differs"


def _inside(one: bytes, other: bytes) -> Iterator[str]:
    name = build.INITRAMFS
    try:
        before, after = _unpacked(one), _unpacked(other)
    except (ImageError, OSError, EOFError, zlib.error, ValueError) as problem:
        yield f"{name}: cannot be read: {problem}"
        return
    changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    for path in changed:
        state = "differs" if path in before and path in after else "missing" if path in after else "added"
        yield f"{name}: {path}: {state}"
    if not changed:
        yield f"{name}: packed in another way; the files in it are the same"


def _unpacked(octets: bytes) -> dict[str, Entry]:
    return dict(flattened(dict(cpio.read(gzip.decompress(octets)))))
