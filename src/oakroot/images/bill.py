"""The bill of materials of an image: an SPDX 2.3 document with every input, its version, hash and origin."""

from __future__ import annotations

import datetime as dt
import json

from oakroot.images.lock import Input, Kind, Lock


def write_bill(role: str, lock: Lock, used: tuple[Input, ...]) -> bytes:
    """The document, the same for the same inputs."""
    created = dt.datetime.fromtimestamp(lock.epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = "SPDXRef-image"
    inputs = sorted(used)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"oakroot-{role}",
        "documentNamespace": f"urn:oakroot:image:{lock.fingerprint(role)}",
        "creationInfo": {"created": created, "creators": ["Tool: oakroot"]},
        "packages": [_image(root, role, lock), *(_package(each) for each in inputs)],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", root),
            *(_relation(root, "CONTAINS", _identity(each)) for each in inputs),
        ],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _image(identity: str, role: str, lock: Lock) -> dict[str, object]:
    return {
        "SPDXID": identity,
        "name": f"oakroot-{role}",
        "versionInfo": lock.find(Kind.WHEEL, "oakroot").version,
        "sourceInfo": f"commit {lock.commit}" if lock.commit else "no commit known",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
    }


def _package(each: Input) -> dict[str, object]:
    return {
        "SPDXID": _identity(each),
        "name": each.name,
        "versionInfo": each.version,
        "packageFileName": each.file,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": each.sha256}],
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": each.purl,
            }
        ],
    }


def _identity(each: Input) -> str:
    name = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in each.name)
    return f"SPDXRef-{each.kind}-{name}"


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
