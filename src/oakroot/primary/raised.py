"""Serials that were raised and are not in the repository, in a file that outlives the process.

Where nobody may push, a raised serial is in memory alone, and secondaries have it. After a restart the zone
must not be served under a lower one. Two processes write the file while an old one serves on until its
successor does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from oakroot.roles.turns import turn
from oakroot.zones.loaded import Loaded
from oakroot.zones.serials import is_forward

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
            with turn(self._path.with_suffix(".turn")):
                furthest = _furthest(raised, self.read())
                beside.write_text(json.dumps(furthest, indent=1, sort_keys=True) + "\n")
                beside.replace(self._path)
        except OSError as error:
            _log.warning("raised serials cannot be kept in %s: %s", self._path, error.strerror)
            return
        self._kept = raised


def _furthest(raised: Mapping[str, int], known: Mapping[str, int]) -> dict[str, int]:
    """The serials raised, but where another process was ahead of us."""
    ahead = {apex: known[apex] for apex in raised.keys() & known if is_forward(raised[apex], known[apex])}
    return {**raised, **ahead}


def _read(octets: bytes) -> dict[str, int]:
    serials = {str(apex): int(serial) for apex, serial in dict(json.loads(octets)).items()}
    if not all(0 <= serial <= _HIGHEST for serial in serials.values()):
        raise ValueError("a serial has more than 32 bits")
    return serials
