"""The file that remembers orders and challenges over a restart, beside the key of the account.

Without it a certificate that was issued in the last second before a restart would be ordered again, since
authorities do not list orders; and challenges would stay. It holds nothing secret.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from oakroot.certifier.events import Place, Record, Remembered

_log = logging.getLogger("oakroot.certifier")

SUFFIX = ".orders"


class Journal:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def beside(cls, account_key: Path) -> Journal:
        """The one that belongs to this account."""
        return cls(account_key.with_name(account_key.name + SUFFIX))

    def read(self) -> dict[str, Remembered]:
        """What is remembered; a file that cannot be read is told of, and counts as empty."""
        try:
            content = json.loads(self._path.read_bytes())
            return {str(owner): _read(entry) for owner, entry in content.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            _log.error("%s cannot be read: %s", self._path, error.strerror)
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.error("%s is damaged; orders of before the restart may be placed again", self._path)
        return {}

    def write(self, remembered: Mapping[str, Remembered]) -> None:
        """Remembers this and nothing else. A full disk is told of, and keeps no certificate from us."""
        new = self._path.with_name(f"{self._path.name}.new")
        content = {owner: _written(known) for owner, known in sorted(remembered.items())}
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            _log.error("%s cannot be written: %s", self._path, error.strerror)


def _read(entry: Mapping[str, object]) -> Remembered:
    order, records = entry["order"], entry["records"]
    if not isinstance(order, str) or not isinstance(records, list):
        raise TypeError("an entry of another shape")
    return Remembered(
        order, tuple(Record(Place(str(zone), str(owner)), str(value)) for zone, owner, value in records)
    )


def _written(known: Remembered) -> dict[str, object]:
    records = [[record.place.zone, record.place.owner, record.value] for record in known.records]
    return {"order": known.order, "records": records}
