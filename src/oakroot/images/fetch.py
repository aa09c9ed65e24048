"""Gathers the inputs of images with the clients of Debian and Python, and writes the lock file.

These clients know where to ask; nothing here does. What the lock has is brought as it is there, or refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import oakroot
from oakroot.images import contents, wheels
from oakroot.images.inputs import InputFolder
from oakroot.images.lock import LOCK_NAME, Input, Kind, Lock
from oakroot.images.rejected import ImageError

_KERNEL_CHOICE = "linux-image-cloud-amd64"
_WHEEL_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)-.*\.whl\Z")
_PLATFORMS = tuple(f"manylinux{each}_x86_64" for each in ("2014", "_2_17", "_2_28", "_2_34"))


def make_lock(directory: Path, own: Path | None, epoch: int | None, tell: Callable[[str], None]) -> Lock:
    """Brings the newest of everything; `own` is a wheel of Oakroot, or None for what is installed here."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in (*directory.glob("*.deb"), *directory.glob("*.whl")):
        old.unlink()
    inputs = [_own_wheel(directory, own)]
    tell("packages")
    inputs += _download_packages(directory, [*contents.PACKAGES, _kernel()])
    tell("wheels")
    wanted = {name for names in contents.WHEELS.values() for name in names} - {"oakroot"}
    inputs += _download_wheels(directory, sorted(wanted))
    commit, moment = source()
    lock = Lock(commit, moment if epoch is None else epoch, tuple(inputs))
    (directory / LOCK_NAME).write_text(lock.text())
    return lock


def complete(directory: Path, tell: Callable[[str], None]) -> Lock:
    """Brings what the folder lacks of its lock; ImageError if the source has something else by now."""
    folder = InputFolder(directory)
    lock = folder.lock()
    for each in lock.inputs:
        if not (directory / each.file).exists():
            tell(f"{each.kind} {each.name} {each.version}")
            _bring(directory, each)
        folder.read(each)
    return lock


def _bring(directory: Path, each: Input) -> None:
    if each.name == "oakroot":
        raise ImageError(
            f"{directory / each.file} is missing, and is nowhere to be fetched from",
            "build it of the commit in the lock file, or `fetch --renew` for a new lock file",
        )
    if each.kind is Kind.PACKAGE:
        _download_packages(directory, [f"{each.name}={each.version}"])
    else:
        _download_wheels(directory, [f"{each.name}=={each.version}"])


def _download_packages(directory: Path, packages: Sequence[str]) -> list[Input]:
    _run(["apt-get", "download", "--quiet=2", *packages], directory)
    inputs = []
    for package in packages:
        name = package.partition("=")[0]
        files = sorted(directory.glob(f"{name}_*.deb"))
        if len(files) != 1:
            raise ImageError(f"{directory} has {len(files)} files of package {name} where one should be")
        # apt writes a version's colon as %3a.
        version = files[0].name.split("_")[1].replace("%3a", ":")
        inputs.append(_input(Kind.PACKAGE, name, version, files[0]))
    return inputs


def _download_wheels(directory: Path, requirements: Sequence[str]) -> list[Input]:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
               "--disable-pip-version-check", "--python-version=3.11", "--implementation=cp", *platforms,
               "--dest", ".", *requirements]  # fmt: skip
    _run(command, directory)
    inputs = []
    for requirement in requirements:
        name = requirement.partition("==")[0]
        found = list(_wheels(directory, name))
        if len(found) != 1:
            raise ImageError(f"{directory} has {len(found)} wheels of {name} where one should be")
        file, version = found[0]
        inputs.append(_input(Kind.WHEEL, name, version, file))
    return inputs


def _wheels(directory: Path, name: str) -> Iterator[tuple[Path, str]]:
    for file in sorted(directory.glob("*.whl")):
        match = _WHEEL_NAME.match(file.name)
        if match and match["name"].replace("_", "-").lower() == name:
            yield file, match["version"]


def _own_wheel(directory: Path, own: Path | None) -> Input:
    file = directory / f"oakroot-{oakroot.__version__}-cp311-abi3-linux_x86_64.whl"
    if own is not None:
        match = _WHEEL_NAME.match(own.name)
        if match is None or match["name"] != "oakroot":
            raise ImageError(f"{own} is no wheel of Oakroot")
        file = directory / own.name
        file.write_bytes(own.read_bytes())
        return _input(Kind.WHEEL, "oakroot", match["version"], file)
    home = Path(oakroot.__file__).parent
    files = {
        str(place.relative_to(home.parent)): place.read_bytes()
        for place in home.rglob("*")
        if place.suffix in {".py", ".so"} and "__pycache__" not in place.parts
    }
    installed = metadata.distribution("oakroot")
    files |= {
        str(place): Path(str(installed.locate_file(place))).read_bytes()
        for place in installed.files or ()
        if place.name == "METADATA" or "licenses" in place.parts
    }
    file.write_bytes(wheels.pack(files))
    return _input(Kind.WHEEL, "oakroot", oakroot.__version__, file)


def _input(kind: Kind, name: str, version: str, file: Path) -> Input:
    return Input(kind, name, version, file.name, hashlib.sha256(file.read_bytes()).hexdigest())


def _kernel() -> str:
    """The package of the kernel that Debian has for virtual machines now."""
    for line in _run(["apt-cache", "depends", _KERNEL_CHOICE], Path("/")).splitlines():
        word, _, package = line.strip().partition(": ")
        if word == "Depends" and package.startswith(contents.KERNEL_PREFIX):
            return package
    raise ImageError(f"apt knows no {_KERNEL_CHOICE}", "run `apt-get update`")


def source() -> tuple[str, int]:
    """The commit of the sources at hand and its time; SOURCE_DATE_EPOCH goes before."""
    commit, moment = "", 0
    try:
        shown = _run(
            ["git", "log", "-1", "--format=%H %ct", "--", "."], Path(oakroot.__file__).parent
        ).split()
        commit, moment = (shown[0], int(shown[1])) if shown else ("", 0)
    except ImageError:
        pass  # installed from a wheel: no commit is known here
    return commit, int(os.environ.get("SOURCE_DATE_EPOCH", moment))


def _run(command: Sequence[str], directory: Path) -> str:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is not installed", "inputs are gathered on Debian 12") from None
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise ImageError(f"{' '.join(command[:3])} …: {words[-1] if words else done.returncode}")
    return done.stdout
