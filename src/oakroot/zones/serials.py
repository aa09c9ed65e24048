"""Serials: comparing and moving them forward by RFC 1982, wrap included.

No zone is known here, only 32-bit numbers. There is no greatest serial: "forward" is a relation between two,
and it is not transitive, so a caller compares with the last one served, not with a maximum over history.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, get_args

SerialPolicy = Literal["increment", "unixtime", "date", "manual"]
SERIAL_POLICIES: tuple[SerialPolicy, ...] = get_args(SerialPolicy)

MODULUS = 2**32
_HALF = 2**31


def is_forward(old: int, new: int) -> bool:
    """Whether `new` is greater than `old` (RFC 1982 §3.2); serials 2^31 apart have no order: False."""
    return 0 < (new - old) % MODULUS < _HALF


def add(serial: int, amount: int) -> int:
    """Serial addition (RFC 1982 §3.1); raises ValueError for an amount that may not be added."""
    if not 0 <= amount < _HALF:
        message = f"a serial moves forward by 0 to {_HALF - 1}, not by {amount}"
        raise ValueError(message)
    return (serial + amount) % MODULUS


def next_serial(policy: SerialPolicy, served: int, now: float) -> int:
    """The serial that follows `served`, the last one that was served; always forward of it.

    `now` is in seconds since 1970, UTC. `unixtime` and `date` (YYYYMMDDnn) give the serial of the moment
    where that is forward, and one more than `served` where it is not: a hundredth change on one day, or a
    serial from the future. Raises ValueError for `manual`: there the operator alone moves serials.
    """
    if policy == "manual":
        message = "with the manual policy only the operator moves serials"
        raise ValueError(message)
    if policy != "increment":
        candidate = _serial_of_the_moment(policy, now)
        if is_forward(served, candidate):
            return candidate
    # 0 is lawful, but some servers take it for "no serial"; BIND skips it too.
    return add(served, 1) or 1


def _serial_of_the_moment(policy: Literal["unixtime", "date"], now: float) -> int:
    if policy == "unixtime":
        return int(now) % MODULUS
    today = datetime.fromtimestamp(now, UTC)
    return int(today.strftime("%Y%m%d")) * 100
