"""Makes an image of its inputs: octets in, octets out, with no clock and no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path

from oakroot.frozen import frozen
from oakroot.images import contents, cpio, debian, elf, oci, wheels
from oakroot.images.archive import flattened, with_archive, with_packed_libraries
from oakroot.images.bill import write_bill
from oakroot.images.contents import Role
from oakroot.images.inputs import Inputs
from oakroot.images.kernel import unpack_kernel
from oakroot.images.lock import LOCK_NAME, Input, Kind, Lock
from oakroot.images.rejected import ImageError
from oakroot.images.toolchain import OwnPython, Toolchain
from oakroot.images.tree import Entry, File, Tree

KERNEL = "vmlinuz"
PLAIN_KERNEL = "vmlinux"
INITRAMFS = "initramfs"
CONTAINER = "oci"
BILL = "sbom.spdx.json"
CONTENTS = "contents.txt"
SUMS = "SHA256SUMS"
DESCRIPTION = "image.json"
LICENSES = "copyright.txt"


@frozen
class Image:
    """A finished image."""

    role: Role
    outputs: Mapping[str, bytes]
    """(path in the image's folder -> content)."""
    files: Tree
    """What is in the initramfs."""

    def write(self, directory: Path) -> None:
        """Puts the image into a folder, which must be empty or hold an older image."""
        if directory.exists() and any(directory.iterdir()) and not (directory / DESCRIPTION).exists():
            raise ImageError(f"{directory} is not empty, and holds no image")
        for old in sorted(directory.glob(f"{CONTAINER}/blobs/sha256/*")):
            old.unlink()
        for path, content in self.outputs.items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


@frozen
class _Parts:
    kernel: bytes
    plain_kernel: bytes
    modules: Tree
    python: Tree
    authorities: bytes
    copyright: bytes


def build(
    role: Role,
    lock: Lock,
    inputs: Inputs,
    tell: Callable[[str], None],
    toolchain: Callable[[Tree], Toolchain] = OwnPython,
) -> Image:
    """The image of a role; ImageError names the input that is missing, changed or broken."""
    return next(build_all((role,), lock, inputs, tell, toolchain))


def build_all(
    roles: Sequence[Role],
    lock: Lock,
    inputs: Inputs,
    tell: Callable[[str], None],
    toolchain: Callable[[Tree], Toolchain] = OwnPython,
) -> Iterator[Image]:
    """The image of each role, as `build` makes it; what they have in common is unpacked and compiled once."""
    tell("unpacking")
    parts = _parts(_packages(lock), inputs)
    needed = sorted({name for role in roles for name in contents.WHEELS[role]})
    found = [lock.find(Kind.WHEEL, name) for name in needed]
    unpacked = {each.name: _unpacked_wheel(each, inputs) for each in found}
    licenses = {each.name: _licenses_of_wheel(each, inputs) for each in found}
    tools = toolchain(parts.python)
    tell("compiling")
    compiled = _stripped(tools.compile(reduce(or_, unpacked.values(), dict(parts.python))))
    common = contents.common_files(parts.authorities)
    for role in roles:
        tell(f"packing {role}")
        foreign = {
            f"{path}{suffix}"
            for name, files in unpacked.items()
            if name not in contents.WHEELS[role]
            for path in files
            for suffix in ("", "c")
        }
        own = {path: entry for path, entry in compiled.items() if path not in foreign}
        files = with_archive(own, tools.archive) | common
        yield _packed(role, lock, parts, licenses, files, tools)


def _packed(
    role: Role, lock: Lock, parts: _Parts, licenses: Mapping[str, bytes], files: Tree, tools: Toolchain
) -> Image:
    libraries = with_packed_libraries(files, tools.compress)
    machine = {**libraries, **parts.modules, **contents.machine_files(role)}
    version = lock.find(Kind.WHEEL, "oakroot").version
    facts = {"title": f"oakroot-{role}", "version": version, "revision": lock.commit}
    labels = {f"org.opencontainers.image.{name}": value for name, value in facts.items()}
    process = oci.Process(contents.entry_point(role), labels, version)
    outputs = {
        KERNEL: parts.kernel,
        PLAIN_KERNEL: parts.plain_kernel,
        INITRAMFS: tools.compress(cpio.write(machine, lock.epoch)),
        BILL: write_bill(role, lock, used_inputs(role, lock)),
        LOCK_NAME: lock.text().encode(),
        CONTENTS: list_contents(machine).encode(),
        LICENSES: b"\n".join([parts.copyright, *(licenses[name] for name in contents.WHEELS[role])]),
        DESCRIPTION: json.dumps({"role": role, "version": version, "commit": lock.commit}).encode() + b"\n",
    }
    layout = oci.layout(files, lock.epoch, process, tools.compress)
    outputs |= {f"{CONTAINER}/{path}": content for path, content in layout.items()}
    outputs[SUMS] = _sums(outputs)
    return Image(role, outputs, machine)


def list_contents(tree: Tree) -> str:
    """A line for each file: hash, size, path."""
    lines = [
        f"{hashlib.sha256(entry.content).hexdigest()} {len(entry.content):>9} {path}\n"
        for path, entry in sorted(flattened(tree))
        if isinstance(entry, File)
    ]
    return "".join(lines)


def used_inputs(role: Role, lock: Lock) -> tuple[Input, ...]:
    """What an image of this role is made of, of a lock for all; ImageError if something is missing."""
    return (*_packages(lock), *(lock.find(Kind.WHEEL, name) for name in contents.WHEELS[role]))


def _packages(lock: Lock) -> tuple[Input, ...]:
    kernels = [
        each for each in lock.inputs
        if each.kind is Kind.PACKAGE and each.name.startswith(contents.KERNEL_PREFIX)
    ]  # fmt: skip
    if len(kernels) != 1:
        raise ImageError(f"lock file: {len(kernels)} kernels ({contents.KERNEL_PREFIX}…) where one should be")
    return (*(lock.find(Kind.PACKAGE, name) for name in contents.PACKAGES), *kernels)


def _unpacked_wheel(wheel: Input, inputs: Inputs) -> dict[str, Entry]:
    return {
        f"{contents.SITE}/{path}": entry
        for path, entry in wheels.unpack(wheel.file, inputs.read(wheel))
        if contents.stays_of_wheel(path)
    }


def _licenses_of_wheel(wheel: Input, inputs: Inputs) -> bytes:
    return f"==== {wheel.name} {wheel.version}\n".encode() + wheels.licenses(wheel.file, inputs.read(wheel))


def _parts(packages: Sequence[Input], inputs: Inputs) -> _Parts:
    kernel, plain, authorities = b"", b"", b""
    modules: dict[str, Entry] = {}
    python: dict[str, Entry] = {}
    copyrights = []
    for each in packages:
        unpacked = dict(debian.unpack(each.file, inputs.read(each)))
        if each.name.startswith(contents.KERNEL_PREFIX):
            kernel, modules = contents.kernel_parts(each.file, unpacked)
            plain = unpack_kernel(each.file, kernel)
        elif each.name == "ca-certificates":
            authorities = contents.certificates(unpacked)
        else:
            python |= {path: entry for path, entry in unpacked.items() if contents.stays(path)}
        stated = unpacked.get(f"usr/share/doc/{each.name}/copyright")
        if isinstance(stated, File):
            copyrights.append(f"==== {each.name} {each.version}\n".encode() + stated.content)
    return _Parts(kernel, plain, modules, python, authorities, b"\n".join(copyrights))


def _stripped(files: Tree) -> dict[str, Entry]:
    return {
        path: File(elf.strip(entry.content), entry.executable) if isinstance(entry, File) else entry
        for path, entry in files.items()
    }


def _sums(outputs: Mapping[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(outputs.items())]
    return "".join(lines).encode()
