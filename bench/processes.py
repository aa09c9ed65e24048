"""What processes have used, from /proc: memory and processor time of a server and all its children."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
REST = 0.5
BUSY = 0.03


@dataclass(frozen=True)
class Memory:
    """Octets: the highest RSS of any one process, and what all take at rest, shared pages counted once."""

    peak: int
    resting: int
    own: int
    """Of what all take at rest, that which stands in no file: programs and libraries left aside."""


def memory(process_ids: Sequence[int]) -> Memory:
    """The memory of a process tree.

    Forked processes share most pages, so their RSS must not be added up: at rest PSS does it right, and the
    peak is that of the largest process, which is the one that loads.
    """
    peaks = [_field(Path(f"/proc/{process}/status"), "VmHWM") for process in process_ids]
    shares = [Path(f"/proc/{process}/smaps_rollup") for process in process_ids]
    return Memory(
        peak=max(peaks, default=0),
        resting=sum(_field(path, "Pss") for path in shares),
        own=sum(_field(path, "Pss_Anon") for path in shares),
    )


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Processor:
    """Seconds of processor time."""

    user: float
    system: float
    of_threads: Mapping[int, float]
    """What each thread used, user and system together, by its number."""

    @property
    def total(self) -> float:
        """Both."""
        return self.user + self.system

    def __sub__(self, earlier: Processor) -> Processor:
        """What was used since `earlier`; threads that have ended since then are not counted."""
        used = {
            thread: seconds - earlier.of_threads.get(thread, 0.0)
            for thread, seconds in self.of_threads.items()
        }
        user, total = self.user - earlier.user, self.total - earlier.total
        # The scheduler knows to the nanosecond how long threads ran, but of those that have ended it tells
        # nothing; the clock's ticks count these too.
        seconds = sum(used.values())
        if total - seconds > 3 / TICKS_PER_SECOND:
            seconds = total
        in_user = seconds * user / total if total else 0.0
        return Processor(in_user, seconds - in_user, used)


def processor(process_ids: Sequence[int]) -> Processor:
    """The processor time of a process tree so far."""
    user = system = 0
    of_threads = {}
    for process in process_ids:
        # NSD serves a new version from a new process: one that is listed may be gone when it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The program's name stands in brackets and may hold spaces; utime and stime are fields 14 and 15.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            user += int(fields[11])
            system += int(fields[12])
            for thread in Path(f"/proc/{process}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    of_threads[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return Processor(user / TICKS_PER_SECOND, system / TICKS_PER_SECOND, of_threads)


def wait_until_at_rest(process_ids: Sequence[int], seconds: float = 30.0) -> None:
    """Waits, so long at most, until they use next to nothing for half a second: a start has its aftermath."""
    deadline = time.monotonic() + seconds
    before = processor(process_ids).total
    while time.monotonic() < deadline:
        time.sleep(REST)
        now = processor(process_ids).total
        if now - before < REST * BUSY:
            return
        before = now
