"""Serials that were raised and are not in the repository, in a file that outlives the process.

Where nobody may push, a raised serial is in memory alone, and secondaries have it. After a restart the zone
must not be served under a lower one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from oakroot.zones.loaded import Loaded

_log = logging.getLogger(__name__)

FILE_NAME = "oakroot-serials.json"
_HIGHEST = 2**32 - 1


class RaisedSerials:
    """The file, in the folder that keeps the copy of the repository."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._kept: Mapping[str, int] | None = None

    def read(self) -> dict[str, int]:
        """The serials by apex; none where there is no file, or no good one, which the log then says."""
        try:
            serials = _read(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            _log.warning("serials raised before are not known, %s cannot be read: %s", self._path, error)
            return {}
        return serials

    def keep(self, loaded: Loaded) -> None:
        """Writes the file if other serials are raised now than when it was written."""
        zones = (loaded.zones[apex] for apex in loaded.exceptions)
        raised = {each.apex: each.zone.serial for each in zones if each.zone is not None and each.is_raised}
        if raised == self._kept or (not raised and not self._path.exists()):
            return
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(raised, indent=1, sort_keys=True) + "\n")
            beside.replace(self._path)
        except OSError as error:
            _log.warning("raised serials cannot be kept in %s: %s", self._path, error.strerror)
            return
        self._kept = raised


def _read(octets: bytes) -> dict[str, int]:
    serials = {str(apex): int(serial) for apex, serial in dict(json.loads(octets)).items()}
    if not all(0 <= serial <= _HIGHEST for serial in serials.values()):
        raise ValueError("a serial has more than 32 bits")
    return serials
