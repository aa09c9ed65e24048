"""The lock file: every input of an image by name, version and hash. One lock makes one image.

Pure: text in, values out. Where inputs lie and how they get there is for `inputs` and `fetch`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from urllib.parse import quote

from oakroot.frozen import frozen
from oakroot.images.rejected import ImageError

FORMAT = 1
LOCK_NAME = "lock.json"
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_FILE = re.compile(r"[A-Za-z0-9][\w.+~%-]*\Z")


class Kind(StrEnum):
    """What sort of file an input is."""

    PACKAGE = "debian"
    WHEEL = "wheel"


@dataclass(frozen=True, slots=True, order=True)
class Input:
    """One file that images are made of."""

    kind: Kind
    name: str
    version: str
    file: str
    """Its name in the folder of inputs."""
    sha256: str

    def __post_init__(self) -> None:
        if not _HASH.match(self.sha256):
            raise ImageError(f"lock file: {self.name}: {self.sha256!r} is no SHA-256 hash")
        if not _FILE.match(self.file):
            raise ImageError(f"lock file: {self.name}: {self.file!r} is no plain file name")

    @property
    def purl(self) -> str:
        """Where it is from: its package URL (ECMA-427)."""
        where = "deb/debian" if self.kind is Kind.PACKAGE else "pypi"
        return f"pkg:{where}/{quote(self.name, safe='')}@{quote(self.version, safe='')}"


@frozen
class Lock:
    """All inputs, and the moment that stands for the time of building."""

    commit: str
    """The commit of Oakroot's sources; empty if they came from no repository."""
    epoch: int
    """SOURCE_DATE_EPOCH: seconds since 1970, the time of every file."""
    inputs: tuple[Input, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.epoch < 1 << 32:
            raise ImageError(f"lock file: {self.epoch} is no time that a file can have")

    def find(self, kind: Kind, name: str) -> Input:
        """The input of this name; ImageError if there is none."""
        for candidate in self.inputs:
            if (candidate.kind, candidate.name) == (kind, name):
                return candidate
        raise ImageError(f"lock file: no {kind} input {name}", "`oakroot image fetch` makes a whole one")

    def fingerprint(self, role: str) -> str:
        """The name of the build that makes an image of this role: the same for all who build it."""
        return hashlib.sha256(f"{role}\n{self.text()}".encode()).hexdigest()

    def text(self) -> str:
        """The file, the same for the same inputs."""
        value = {
            "format": FORMAT,
            "commit": self.commit,
            "epoch": self.epoch,
            "inputs": [asdict(each) for each in sorted(self.inputs)],
        }
        return json.dumps(value, indent=1) + "\n"


def read_lock(text: str) -> Lock:
    """The lock that a file holds; ImageError names what is wrong with it."""
    try:
        value = json.loads(text)
        if value["format"] != FORMAT:
            raise ImageError(f"lock file: format {value['format']!r}, this version reads {FORMAT}")
        json.dumps(value, ensure_ascii=False).encode()  # not so with half a character, which nobody can write
        inputs = tuple(_read_input(each) for each in value["inputs"])
        return Lock(str(value["commit"]), int(value["epoch"]), inputs)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        raise ImageError(f"lock file: {problem}") from None
    except KeyError as problem:
        raise ImageError(f"lock file: {problem} is missing") from None


def _read_input(value: Mapping[str, str]) -> Input:
    fields = [str(value[field]) for field in ("name", "version", "file", "sha256")]
    return Input(Kind(value["kind"]), *fields)
