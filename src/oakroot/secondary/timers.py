"""When a zone is checked again and until when it is served: refresh, retry, expire (RFC 1035 §3.3.13).

Waits are spread a little, so that zones which came together do not stay together. What looks random is
computed from a seed: the same state and event always give the same next state.
"""

from __future__ import annotations

import hashlib
import struct

import dns.name
import dns.rdatatype

from oakroot._engine import Catalogue, Zone
from oakroot.frozen import frozen
from oakroot.protocol.query import build_soa_query
from oakroot.protocol.wire import Section, read_layout

# A tenth: as with BIND, enough to pull a thousand zones apart within a few rounds.
SPREAD = 0.1
LONGEST_WAIT = 28 * 86400.0
SHORTEST_WAIT = 2.0
_DOUBLINGS_LIMIT = 40
_NUMBERS = struct.Struct("!5I")


@frozen
class Timers:
    """The numbers of a SOA record, in seconds."""

    refresh: int
    retry: int
    expire: int


def read_timers(zone: Zone) -> Timers:
    """What the zone's own SOA says."""
    query = build_soa_query(dns.name.from_text(zone.apex), 0)
    reply = Catalogue().with_zones([zone]).answer(query, transport="tcp")
    if reply is None:
        raise AssertionError("a zone answers for its SOA")
    soa = read_layout(reply).of_type(dns.rdatatype.SOA, Section.ANSWER)[0]
    _, refresh, retry, expire, _ = _NUMBERS.unpack(reply[soa.end - _NUMBERS.size : soa.end])
    return Timers(refresh, retry, expire)


@frozen
class Dice:
    """Numbers that look random and are not: each is made of the seed and of what it is for."""

    seed: int

    def fraction(self, *parts: object) -> float:
        """A number from 0 up to but not including 1."""
        text = repr((self.seed, *parts)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64

    def spread(self, seconds: float, *parts: object) -> float:
        """The wait, shortened by up to a tenth."""
        return seconds * (1 - SPREAD * self.fraction(*parts))


def refresh_wait(timers: Timers) -> float:
    """Seconds from a check that succeeded to the next one."""
    return _bounded(timers.refresh)


def retry_wait(timers: Timers, failures: int) -> float:
    """Seconds from the so-manyth failed check in a row to the next one: doubled each time, up to refresh."""
    first = _bounded(timers.retry)
    return min(doubled(first, failures), max(first, refresh_wait(timers)))


def doubled(first: float, times: int) -> float:
    """`first` for the first time, twice that for the second, and so on."""
    return first * 2.0 ** min(max(times - 1, 0), _DOUBLINGS_LIMIT)


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)
