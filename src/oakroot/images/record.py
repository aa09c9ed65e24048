"""What an image is made of and what came out, by hashes: what ledgers keep and comparisons read. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from oakroot.frozen import frozen
from oakroot.images import build
from oakroot.images.contents import Role
from oakroot.images.lock import LOCK_NAME, Input, Lock, read_lock
from oakroot.images.rejected import ImageError

_BLOBS = f"{build.CONTAINER}/blobs/sha256/"
_INDEX = f"{build.CONTAINER}/index.json"
_FILES = (
    build.KERNEL,
    build.PLAIN_KERNEL,
    build.INITRAMFS,
    build.BILL,
    LOCK_NAME,
    build.CONTENTS,
    build.LICENSES,
    build.DESCRIPTION,
    _INDEX,
    f"{build.CONTAINER}/oci-layout",
)
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) +[0-9]+ (?P<path>.+)\Z")


@frozen
class Record:
    """One image."""

    role: Role
    lock: Lock
    outputs: Mapping[str, str]
    """(name -> SHA-256); the parts of the OCI image are named for what they are, not for their hashes."""
    contents: str
    """The list of the files in the initramfs."""

    def __post_init__(self) -> None:
        """ImageError for a broken list of files or a lock of too little: neither can be compared or shown."""
        read_contents(self.contents)
        build.used_inputs(self.role, self.lock)

    @property
    def name(self) -> str:
        """The build it came of: the same for all who build the same inputs."""
        return self.lock.fingerprint(self.role)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Those of the lock that this role needs."""
        return build.used_inputs(self.role, self.lock)


def record_of(files: Mapping[str, bytes]) -> Record:
    """The record of an image, all of whose files are given; ImageError if they are none, or more."""
    try:
        role = Role(json.loads(files[build.DESCRIPTION])["role"])
        lock = read_lock(files[LOCK_NAME].decode())
        contents = files[build.CONTENTS].decode()
        return Record(role, lock, _outputs(files), contents)
    except KeyError as missing:
        raise ImageError(f"this is no whole image: it has no {missing}") from None
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError) as problem:
        raise ImageError(f"this image is broken: {problem}") from None


def read_contents(text: str) -> dict[str, str]:
    """(path -> SHA-256) of a list of files; ImageError names the line that is none of it."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.match(line)
        if match is None:
            raise ImageError(f"{build.CONTENTS}: line {number} is no hash, size and path")
        found[match["path"]] = match["sha256"]
    return found


def _outputs(files: Mapping[str, bytes]) -> dict[str, str]:
    """All but the list of hashes, which says the same again under names that change with every build."""
    names = _names(files)
    strange = sorted(files.keys() - names.keys() - {build.SUMS})
    if strange:
        hint = "nobody vouches for them: take them out of the image's folder"
        raise ImageError(f"this image has files that are no part of it: {', '.join(strange)}", hint)
    return {
        names[path]: hashlib.sha256(content).hexdigest()
        for path, content in sorted(files.items())
        if path != build.SUMS
    }


def _names(files: Mapping[str, bytes]) -> dict[str, str]:
    """(path -> name) of every output that an image can have."""
    manifest = _blob(files, json.loads(files[_INDEX])["manifests"][0])
    described = json.loads(files[manifest])
    return {path: path for path in _FILES} | {
        manifest: f"{build.CONTAINER}/manifest",
        _blob(files, described["config"]): f"{build.CONTAINER}/config",
        _blob(files, described["layers"][0]): f"{build.CONTAINER}/layer",
    }


def _blob(files: Mapping[str, bytes], descriptor: Mapping[str, str]) -> str:
    """Where the described part of the OCI image lies; ImageError if it is not what its name says."""
    digest = descriptor["digest"].removeprefix("sha256:")
    path = _BLOBS + digest
    if hashlib.sha256(files[path]).hexdigest() != digest:
        raise ImageError(f"this image is broken: {path} has another hash than its name")
    return path
