"""How the zones of a repository read a file that they include: with which origin, and which TTL.

Pure: who asks hands in the files. What must not live here: what becomes of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from oakroot._engine import read_records
from oakroot.frozen import frozen
from oakroot.zones.tree import resolve

_INCLUDE = re.compile(rb"^\$INCLUDE[ \t]", re.IGNORECASE | re.MULTILINE)
# A record in the place of the file tells with what that would be read.
_PROBE_LABEL = "oakroot-probe"
_PROBE = f"{_PROBE_LABEL} TXT probe\n".encode()


@frozen
class Setting:
    """What stands before the first line of an included file."""

    origin: str
    """What relative names are completed with."""
    ttl: int
    """That of records without one."""


def settings_of(path: str, zone: bytes, apex: str, read: Callable[[str], bytes | None]) -> frozenset[Setting]:
    """The settings in which a zone's file reads the file at this path, itself or by way of others.

    `read` gives the content of a file by its path; None: there is no such file.
    """
    if not _INCLUDE.search(zone):
        return frozenset()

    def include(written: str) -> bytes:
        included = resolve(written)
        return _PROBE if included == path else read(included) or b""

    found, _ = read_records(zone, apex, apex, include, default_ttl=None)
    probes = (record for record in found if record.owner.startswith(f"{_PROBE_LABEL}."))
    return frozenset(
        Setting(record.owner.removeprefix(f"{_PROBE_LABEL}.") or ".", record.ttl) for record in probes
    )
