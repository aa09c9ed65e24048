"""Containers that runc runs as an engine would: read-only, as a user who may open low ports, no more.

They see this machine's network. What must not live here: how images are made, what is asked of their servers.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

RUNC = "runc"
_ENDING = 20.0
ROOT = "rootfs"
"""The folder of a bundle that has the container's files."""


@dataclass(frozen=True, slots=True)
class Process:
    """What a container runs."""

    arguments: Sequence[str]
    user: int = 65532
    writable: Sequence[str] = ("/tmp",)  # noqa: S108 - the container's
    readable: Mapping[str, Path] = field(default_factory=dict)
    """(place in the container -> folder of this machine that it sees there)."""
    seccomp: Mapping[str, object] | None = None
    """The filter that the engine lays around it, in runc's form."""


@dataclass(frozen=True, slots=True)
class Container:
    """One that was started."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def first(self) -> int:
        """The number of its first process."""
        shown = subprocess.run([RUNC, "state", self.name], check=True, capture_output=True)
        return int(json.loads(shown.stdout)["pid"])

    @property
    def processes(self) -> tuple[int, ...]:
        """The numbers of all its processes."""
        shown = subprocess.run([RUNC, "ps", "--format=json", self.name], check=True, capture_output=True)
        return tuple(json.loads(shown.stdout))

    @property
    def has_ended(self) -> bool:
        """Whether one that runs has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def go_on(self) -> None:
        """Lets one that was held begin."""
        subprocess.run([RUNC, "start", self.name], check=True, capture_output=True)


def unpack(image: Path, directory: Path) -> tuple[str, ...]:
    """Puts the files of an OCI image where `write_bundle` wants them; gives what it runs."""
    layout = image / "oci"

    def blob(digest: str) -> bytes:
        return (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()

    manifest = json.loads(blob(json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]))
    config = json.loads(blob(manifest["config"]["digest"]))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(manifest["layers"][0]["digest"])))) as layer:
        layer.extractall(directory / ROOT, filter="fully_trusted")  # noqa: S202 - made a moment ago
    return tuple(config["config"]["Entrypoint"])


def write_bundle(directory: Path, process: Process) -> None:
    """Writes what runc wants to know of a container whose files are in the folder."""
    rights = {
        kind: ["CAP_NET_BIND_SERVICE"]
        for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
    }
    mounts: list[dict[str, object]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    ]
    mounts += [
        {
            "destination": place, "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "nodev", "noexec", "mode=1777"],
        }
        for place in process.writable
    ]  # fmt: skip
    mounts += [
        {"destination": place, "type": "bind", "source": str(source), "options": ["rbind", "ro"]}
        for place, source in process.readable.items()
    ]
    linux: dict[str, object] = {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]}
    if process.seccomp is not None:
        linux["seccomp"] = process.seccomp
    whole = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": process.user, "gid": process.user},
            "args": list(process.arguments),
            "cwd": "/",
            "noNewPrivileges": True,
            "capabilities": rights,
        },
        "root": {"path": ROOT, "readonly": True},
        "mounts": mounts,
        "linux": linux,
    }
    (directory / "config.json").write_text(json.dumps(whole))


@contextmanager
def running(name: str, directory: Path) -> Iterator[Container]:
    """Runs the bundle in the folder; ends it when it is no longer needed."""
    file = directory / "log"
    with file.open("wb") as log:
        process = subprocess.Popen(
            [RUNC, "run", "--bundle", directory, name], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield Container(name, file, process)
    finally:
        process.terminate()
        process.wait(_ENDING)


@contextmanager
def held(name: str, directory: Path) -> Iterator[Container]:
    """Makes the container of the bundle in the folder, which begins when it is told to go on."""
    container = Container(name, directory / "log")
    with container.log.open("wb") as log:
        command = [RUNC, "create", "--bundle", str(directory), name]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    try:
        yield container
    finally:
        subprocess.run([RUNC, "delete", "--force", name], check=True, capture_output=True)
