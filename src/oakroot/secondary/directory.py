"""The directory of `--state`: writes zones so that a crash at any moment leaves the old file or the new one.

A file is written beside its place, brought to the disk, and renamed over the old one. What cannot be read at
the start is refused by name, and its zone is fetched anew. The thread that writes is here too: a slow disk
must not keep the server from answering.

Two processes write here while an old one serves on until its successor does. They take turns, each file is
taken whole, and what was confirmed later is not replaced by what was confirmed before it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from oakroot.roles.turns import turn
from oakroot.secondary import storage
from oakroot.secondary.events import ForgetZone, StoreCheck, StoredZone, StoreZone
from oakroot.secondary.storage import CHECK_SUFFIX, ZONE_SUFFIX, Check, UnreadableError

_log = logging.getLogger("oakroot.secondary")

_NEW_SUFFIX = ".new"
_LOCK = ".lock"

Task = StoreZone | StoreCheck | ForgetZone


class StateDirectory:
    """The files. OSError of the operating system's is passed on."""

    def __init__(self, path: Path) -> None:
        """Makes the directory, if it is not there, and sees whether it may be written."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = path / _LOCK
        with tempfile.TemporaryFile(dir=path):
            pass
        with contextlib.suppress(BlockingIOError), turn(self._lock, patient=False):
            # Nobody is writing, so whoever began these is dead.
            for leftover in path.glob(f"*{_NEW_SUFFIX}"):
                leftover.unlink()

    def load(self) -> Iterator[StoredZone]:
        """All zones that are kept; files that cannot be read are told of, and left out."""
        for file in sorted(self._path.glob(f"*{ZONE_SUFFIX}")):
            try:
                yield self._load(file)
            except UnreadableError as error:
                _log.error("%s: refused, its zone is fetched anew: %s", file, error)
            except OSError as error:
                _log.error("%s: its zone is fetched anew: %s", file, error.strerror)

    def do(self, task: Task) -> None:
        """Writes, or removes."""
        match task:
            case StoreZone(zone, checked):
                stem = storage.file_stem(zone.apex)
                self._write(stem + ZONE_SUFFIX, checked, storage.write_zone(zone, checked))
            case StoreCheck(apex, serial, checked):
                content = storage.write_check(Check(apex, serial, checked))
                self._write(storage.file_stem(apex) + CHECK_SUFFIX, checked, [content])
            case ForgetZone(apex):
                with turn(self._lock):
                    for suffix in (ZONE_SUFFIX, CHECK_SUFFIX):
                        (self._path / (storage.file_stem(apex) + suffix)).unlink(missing_ok=True)

    def _load(self, file: Path) -> StoredZone:
        stored = storage.read_zone(file.read_bytes())
        try:
            check = storage.read_check(file.with_suffix(CHECK_SUFFIX).read_bytes())
        except FileNotFoundError:
            return stored
        except UnreadableError as error:
            # The zone's own file knows a time too, which is earlier and so on the safe side.
            _log.warning("%s: refused: %s", file.with_suffix(CHECK_SUFFIX), error)
            return stored
        if (check.apex, check.serial) != (stored.zone.apex, stored.zone.serial):
            return stored
        return StoredZone(stored.zone, max(stored.checked, check.checked))

    def _write(self, name: str, checked: float, pieces: Iterable[bytes]) -> None:
        place = self._path / name
        new = place.with_name(name + _NEW_SUFFIX)
        with turn(self._lock):
            if _is_outdated(place, checked):
                return
            try:
                with new.open("wb") as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(place)
            except OSError:
                with contextlib.suppress(OSError):
                    new.unlink(missing_ok=True)
                raise
            self._sync_directory()

    def _sync_directory(self) -> None:
        """The new name is on the disk only when the directory is."""
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_outdated(place: Path, checked: float) -> bool:
    """Whether there is something that was confirmed later; not if a clock that was wrong says so."""
    try:
        with place.open("rb") as file:
            there = storage.checked_at(file.read(storage.HEAD_LIMIT))
    except OSError:
        return False
    return there is not None and round(checked, storage.DIGITS) < there <= time.time()


class Keeper:
    """Writes in a thread of its own. Of several tasks for one zone only the last is done."""

    def __init__(self, directory: StateDirectory) -> None:
        self._directory = directory
        self._tasks: dict[str, Task] = {}
        self._changed = threading.Condition()
        self._is_ending = False
        # A daemon: a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="state", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Has it done, soon."""
        apex = task.zone.apex if isinstance(task, StoreZone) else task.apex
        with self._changed:
            known = self._tasks.pop(apex, None)
            if isinstance(task, StoreCheck) and isinstance(known, StoreZone):
                task = StoreZone(known.zone, task.checked)
            self._tasks[apex] = task
            self._changed.notify()

    def close(self, patience: float) -> bool:
        """Ends the thread once all is done; False if that was not so within `patience` seconds."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._is_ending)
                if not self._tasks:
                    return
                apex = next(iter(self._tasks))
                task = self._tasks.pop(apex)
            try:
                self._directory.do(task)
            except OSError as error:
                extra = {"zone": apex}
                _log.error("could not be kept on disk: %s: %s", error.filename, error.strerror, extra=extra)
