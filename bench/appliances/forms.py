"""What is told of an image, in whatever form it runs."""

from __future__ import annotations

import gzip
import json
import stat
from dataclasses import dataclass
from pathlib import Path

from oakroot.images import cpio
from oakroot.images.archive import unpacked
from oakroot.images.build import BILL, CONTAINER, INITRAMFS, KERNEL, PLAIN_KERNEL
from oakroot.images.tree import File, Link


@dataclass(frozen=True, slots=True)
class Start:
    """What it took to the first right answer."""

    seconds: float
    processor: float
    """Seconds of processor time, which tell more where others work too."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it there is."""

    packed: int
    """Octets, as it is brought to where it runs."""
    unpacked: int
    files: int
    """Links among them."""
    packages: int
    """Of Debian and of Python."""


def of_folder(root: Path) -> tuple[int, int]:
    """(octets, files) below a folder; folders themselves and devices are not counted."""
    found = [each.lstat() for each in root.rglob("*")]
    files = [each for each in found if stat.S_ISREG(each.st_mode) or stat.S_ISLNK(each.st_mode)]
    return sum({each.st_ino: each.st_size for each in files}.values()), len(files)


def of_container(image: Path, root: Path) -> Size:
    """An OCI image of ours, and where it was unpacked to."""
    return Size(of_folder(image / CONTAINER)[0], *of_folder(root), _packages(image))


def of_machine(image: Path) -> Size:
    """An image of ours as a virtual machine has it: kernel and initramfs."""
    archive = gzip.decompress((image / INITRAMFS).read_bytes())
    files = [entry for _, entry in unpacked(dict(cpio.read(archive))) if isinstance(entry, (File, Link))]
    size = (image / PLAIN_KERNEL).stat().st_size
    size += sum(len(entry.content) for entry in files if isinstance(entry, File))
    packed = sum((image / name).stat().st_size for name in (KERNEL, INITRAMFS))
    return Size(packed, size, len(files) + 1, _packages(image))


def _packages(image: Path) -> int:
    # The first one of the bill is the image itself.
    return len(json.loads((image / BILL).read_text())["packages"]) - 1
