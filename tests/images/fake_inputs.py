"""A small set of inputs with everything that an image is made of, and nothing that runs."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

from oakroot.images import wheels
from oakroot.images.build import Image, build
from oakroot.images.contents import MODULES, PACKAGES, WHEELS, Role
from oakroot.images.inputs import InputFolder
from oakroot.images.lock import LOCK_NAME, Input, Kind, Lock
from oakroot.images.toolchain import ThisPython

EPOCH = 1_700_000_000
KERNEL = "linux-image-6.1.0-1-cloud-amd64"


def package(files: Mapping[str, bytes]) -> bytes:
    """A Debian package with these files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(content)
            member.mode = 0o755 if "/bin/" in path else 0o644
            tar.addfile(member, io.BytesIO(content))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"", "data.tar.xz": archive.getvalue()}
    octets = b"!<arch>\n"
    for name, content in members.items():
        octets += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        octets += content + b"\n" * (len(content) % 2)
    return octets


def fill(directory: Path, server: bytes = b"serve()\n") -> Lock:
    """Makes the folder of inputs; `server` is a file of Oakroot's own."""
    directory.mkdir(parents=True, exist_ok=True)
    inputs = [_put(directory, Kind.PACKAGE, name, package(_files_of(name))) for name in (*PACKAGES, KERNEL)]
    for name in sorted({name for names in WHEELS.values() for name in names}):
        files = {
            f"{name}/__init__.py": server if name == "oakroot" else b"",
            f"{name}/tests.txt": b"not for serving",
            f"{name}-1.0.dist-info/METADATA": b"Name: example\nLicense-Expression: ISC\n\nLicense: none\n",
            f"{name}-1.0.dist-info/licenses/LICENSE": f"You may use {name}.\n".encode(),
        }
        inputs.append(_put(directory, Kind.WHEEL, name, wheels.pack(files)))
    lock = Lock("0" * 40, EPOCH, tuple(inputs))
    (directory / LOCK_NAME).write_text(lock.text())
    return lock


def made_of(directory: Path, role: Role = Role.PRIMARY) -> Image:
    """The image of a folder of inputs."""
    folder = InputFolder(directory)
    return build(role, folder.lock(), folder, lambda _text: None, lambda _tree: ThisPython())


def bz_image(kernel: bytes = b"\x7fELF kernel" + b" and so on" * 20) -> bytes:
    """A kernel as it is distributed, packed by nobody: LZ4 with one block of one run of literals."""
    count = len(kernel) - 15
    block = b"\xf0" + b"\xff" * (count // 255) + bytes([count % 255]) + kernel
    payload = struct.pack("<II", 0x184C2102, len(block)) + block + bytes(4)
    head = bytearray(2 * 512)
    head[0x1F1] = 1
    struct.pack_into("<II", head, 0x248, 0, len(payload))
    return bytes(head) + payload


def _files_of(name: str) -> dict[str, bytes]:
    files = {f"usr/share/doc/{name}/copyright": b"Do as you like.\n"}
    if name == KERNEL:
        modules = {f"lib/modules/6.1.0-1-cloud-amd64/kernel/{each}.ko": each.encode() for each in MODULES}
        return files | {"boot/vmlinuz-6.1.0-1-cloud-amd64": bz_image()} | modules
    if name == "ca-certificates":
        return files | {"usr/share/ca-certificates/mozilla/Example.crt": b"CERTIFICATE\n"}
    if name == "libc6":
        return files | {"lib/x86_64-linux-gnu/libc.so.6": b"libc", "usr/bin/ldd": b"#!/bin/bash\n"}
    if name == "python3.11-minimal":
        return files | {"usr/bin/python3.11": b"python"}
    return files | {"usr/lib/python3.11/os.py": b"import sys\n", "usr/lib/python3.11/pdb.py": b""}


def _put(directory: Path, kind: Kind, name: str, content: bytes) -> Input:
    file = directory / f"{name}.{kind}"
    file.write_bytes(content)
    return Input(kind, name, "1.0", file.name, hashlib.sha256(content).hexdigest())
