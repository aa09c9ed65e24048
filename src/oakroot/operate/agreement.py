"""Whether the name servers of a zone agree with us about its serial: the judgement alone, without a socket.

RFC 1982 compares serials: who is behind will follow, who is ahead has what we have not, and who does not
answer with authority is lame (RFC 1912 §2.8).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from oakroot.frozen import frozen
from oakroot.zones.serials import MODULUS, is_forward


class Standing(enum.StrEnum):
    """How one name server stands to our version."""

    AGREES = "agrees"
    BEHIND = "behind"
    AHEAD = "ahead"
    LAME = "lame"
    """It answers, and not for this zone."""
    SILENT = "silent"


@frozen
class Heard:
    """What a name server said: a serial, or None with the reason."""

    server: str
    serial: int | None = None
    is_silent: bool = False


@frozen
class Verdict:
    """How the name servers of a zone stand, each by its name and address; and how far they are apart."""

    standings: tuple[tuple[str, Standing], ...]
    divergence: int = 0
    """The largest distance between our serial and one of theirs."""

    def count(self, standing: Standing) -> int:
        """How many stand so."""
        return sum(1 for _, each in self.standings if each is standing)


def judge(ours: int, heard: Iterable[Heard]) -> Verdict:
    """Compares what they said with the serial that we serve."""
    heard = tuple(heard)
    return Verdict(
        standings=tuple((each.server, _standing(ours, each)) for each in heard),
        divergence=max(
            (_distance(ours, each.serial) for each in heard if each.serial is not None), default=0
        ),
    )


def _standing(ours: int, heard: Heard) -> Standing:
    if heard.serial is None:
        return Standing.SILENT if heard.is_silent else Standing.LAME
    if heard.serial == ours:
        return Standing.AGREES
    return Standing.BEHIND if is_forward(heard.serial, ours) else Standing.AHEAD


def _distance(one: int, other: int) -> int:
    """How many steps lead from one to the other, the shorter way round."""
    steps = (one - other) % MODULUS
    return min(steps, MODULUS - steps)
