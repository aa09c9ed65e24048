"""The image for container engines: one layer and its descriptions, in the layout of OCI (image-spec 1.0)."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence

from oakroot.frozen import frozen
from oakroot.images.tree import Device, Entry, File, Folder, Link, Tree, walk

USER = 65532
"""Whom the server runs as: no user of any system."""
_TYPE = "application/vnd.oci.image"


@frozen
class Process:
    """What a container of the image runs."""

    command: Sequence[str]
    labels: Mapping[str, str]
    name: str
    """The reference under which engines find it in the layout."""


def layer(tree: Tree, epoch: int) -> bytes:
    """The tar archive of a tree. Devices are the engine's to make."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, entry in walk(tree):
            if not isinstance(entry, Device):
                _add(archive, path, entry, epoch)
    return buffer.getvalue()


def layout(tree: Tree, epoch: int, process: Process, compress: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """(path in the layout's folder -> content)."""
    plain = layer(tree, epoch)
    packed = compress(plain)
    created = dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = _json(
        {
            "created": created,
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "User": f"{USER}:{USER}",
                "ExposedPorts": {"53/tcp": {}, "53/udp": {}},
                "Entrypoint": list(process.command),
                "WorkingDir": "/",
                "Labels": dict(process.labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
            "history": [{"created": created, "created_by": "oakroot image build"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_TYPE}.manifest.v1+json",
            "config": _descriptor(f"{_TYPE}.config.v1+json", config),
            "layers": [_descriptor(f"{_TYPE}.layer.v1.tar+gzip", packed)],
        }
    )
    named = _descriptor(f"{_TYPE}.manifest.v1+json", manifest) | {
        "annotations": {"org.opencontainers.image.ref.name": process.name}
    }
    files = {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (config, manifest, packed)}
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = _json({"schemaVersion": 2, "manifests": [named]})
    return files


def _add(archive: tarfile.TarFile, path: str, entry: Entry, epoch: int) -> None:
    member = tarfile.TarInfo(path)
    member.mtime = epoch
    content = None
    match entry:
        case File():
            member.mode = 0o755 if entry.executable else 0o644
            member.size = len(entry.content)
            content = io.BytesIO(entry.content)
        case Link():
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        case Folder():
            member.type, member.mode = tarfile.DIRTYPE, entry.mode
    archive.addfile(member, content)


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
