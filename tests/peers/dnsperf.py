"""dnsperf, asking while one process takes the place of another: from many sockets, and patiently.

What must not live here: what is changed meanwhile, and how much may be lost.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "dnsperf"
_HIGHEST_SECONDS = 2.0
_SPAN = 0.5


@dataclass(frozen=True)
class Counted:
    """What it says of one burst of questions."""

    rate: int
    """Questions a second."""
    sent: int
    lost: int
    longest: float
    """Seconds until the answer that took longest."""
    course: tuple[int, ...]
    """Answers a second, in each half second since it began."""


class Dnsperf:
    """Asks one server these questions."""

    def __init__(
        self,
        address: tuple[str, int],
        questions: Path,
        *,
        patience: float,
        inside: Callable[..., Sequence[str]] = lambda *words: words,
    ) -> None:
        """`patience` is how long it waits for an answer; `inside` gives the words that start it elsewhere."""
        host, port = address
        # Many clients, so that the kernel spreads them, and answers that come together find room in their
        # sockets; questions that wait must not hold others back.
        self._words = inside(
            *(PROGRAM, "-s", host, "-p", str(port), "-d", str(questions), "-t", str(patience)),
            *("-c", "200", "-T", "1", "-b", "4096"),
        )

    def highest_rate(self) -> int:
        """Questions a second that are answered when it asks as fast as it can."""
        # More at once would not find room in the sockets, and it would wait for what is lost.
        output = self._start(_HIGHEST_SECONDS, "-q", "1000").communicate()[0]
        return int(_number(r"Queries per second:\s+([0-9.]+)", output))

    def ask_while(self, change: Callable[[], object], rate: int, seconds: float, *, before: float) -> Counted:
        """Asks that many a second, for so long; the change comes after the seconds of `before`."""
        asking = self._start(seconds, "-q", "65000", "-Q", str(rate), "-S", str(_SPAN))
        time.sleep(before)
        change()
        output = asking.communicate()[0]
        sent, lost = (_number(rf"Queries {which}:\s+([0-9]+)", output) for which in ("sent", "lost"))
        course = tuple(
            round(float(each)) for each in re.findall(r"^[0-9.]+: ([0-9.]+)$", output, re.MULTILINE)
        )
        return Counted(rate, int(sent), int(lost), _number(r"max ([0-9.]+)\)", output), course)

    def _start(self, seconds: float, *more: str) -> subprocess.Popen[str]:
        words = [*self._words, "-l", str(seconds), *more]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None:
        message = f"dnsperf says nothing of {pattern}:\n{output}"
        raise ValueError(message)
    return float(found[1])
