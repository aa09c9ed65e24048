"""What one builder says of one build: an in-toto statement with SLSA provenance. Pure.

The forms are in-toto's Statement v1 and SLSA's Provenance v1, so that tools which know these can read it. It
is signed beside it, in a file of its own, by OpenSSH: anybody can check that without Oakroot, and git shows
what changed. DSSE, in which such statements are often wrapped, would hide the text in base64.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping

from oakroot.frozen import frozen
from oakroot.images.contents import Role
from oakroot.images.lock import Input
from oakroot.images.record import Record
from oakroot.images.rejected import ImageError

NAMESPACE = "oakroot-build"
"""What the signature is for, as `ssh-keygen -Y verify -n` wants to know it."""
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "urn:oakroot:image-build:1"
_BUILDER = "urn:oakroot:rebuilder:"
_HASH = re.compile(r"[0-9a-f]{64}\Z")
BUILDER_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}\Z")
"""A folder of the ledger, and a principal among allowed signers."""


@frozen
class Statement:
    """Who built what, with which tools, when, and what came out."""

    role: Role
    build: str
    builder: str
    tools: Mapping[str, str]
    moment: int
    outputs: Mapping[str, str]

    def __post_init__(self) -> None:
        if not BUILDER_NAME.match(self.builder):
            hint = "small letters, digits, and . _ @ - in between"
            raise ImageError(f"{self.builder!r} is no name for a builder", hint)
        if not self.outputs or not all(map(_HASH.match, self.outputs.values())):
            raise ImageError("a statement lists outputs, each with a SHA-256 hash")
        if not 0 <= self.moment < 1 << 32:
            raise ImageError(f"the statement is of an impossible time: {self.moment} seconds since 1970")


def write_statement(record: Record, builder: str, tools: Mapping[str, str], moment: int) -> bytes:
    """The statement about an image that this builder has made; ImageError for an impossible name."""
    said = Statement(record.role, record.name, builder, tools, moment, record.outputs)
    value = {
        "_type": _STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(said.outputs.items())
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {"role": said.role, "build": said.build},
                "internalParameters": {"SOURCE_DATE_EPOCH": record.lock.epoch},
                "resolvedDependencies": [
                    *_source(record.lock.commit),
                    *(_dependency(each) for each in sorted(record.inputs)),
                ],
            },
            "runDetails": {
                "builder": {"id": _BUILDER + builder, "version": dict(tools)},
                "metadata": {"finishedOn": _written(moment)},
            },
        },
    }
    return json.dumps(value, indent=1).encode() + b"\n"


def read_statement(octets: bytes) -> Statement:
    """What a statement says; ImageError says why it cannot be read."""
    try:
        value = json.loads(octets)
        if (value["_type"], value["predicateType"]) != (_STATEMENT, _PREDICATE):
            raise ImageError("this is no in-toto statement with SLSA provenance")
        definition, run = value["predicate"]["buildDefinition"], value["predicate"]["runDetails"]
        if definition["buildType"] != _BUILD_TYPE:
            raise ImageError(f"the statement is about another kind of build: {definition['buildType']!r}")
        given = definition["externalParameters"]
        json.dumps(value, ensure_ascii=False).encode()  # not so with half a character, which nobody can write
        return Statement(
            Role(given["role"]),
            str(given["build"]),
            str(run["builder"]["id"]).removeprefix(_BUILDER),
            {str(name): str(version) for name, version in run["builder"]["version"].items()},
            _moment(run["metadata"]["finishedOn"]),
            {str(each["name"]): str(each["digest"]["sha256"]) for each in value["subject"]},
        )
    except KeyError as missing:
        raise ImageError(f"the statement lacks {missing}") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise ImageError(f"the statement cannot be read: {problem}") from None


def _source(commit: str) -> list[dict[str, object]]:
    return [{"name": "oakroot", "digest": {"gitCommit": commit}}] if commit else []


def _dependency(each: Input) -> dict[str, object]:
    return {"name": each.file, "uri": each.purl, "digest": {"sha256": each.sha256}}


def _moment(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} is no time in a known time zone")
    return int(moment.timestamp())


def _written(moment: int) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
