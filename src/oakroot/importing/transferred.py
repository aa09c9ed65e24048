"""A zone as records, such as a transfer brings, as a master file that a person would go on writing in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from oakroot._engine import Zone

_TAB = 8
_SOA_FIELDS = ("serial", "refresh", "retry", "expire", "minimum")
_LONGEST_COLUMN = 40


def write_master_file(zone: Zone) -> bytes:
    """The zone in columns: one `$TTL`, names relative to the apex, an owner only where it changes."""
    records = zone.records()
    default = Counter(ttl for _, ttl, _, _ in records).most_common(1)[0][0]
    owners = [_relative(owner, zone.apex) for owner, _, _, _ in records]
    width = _width(owners)
    lines = [f"$TTL {default}"]
    last = ""
    for (_, ttl, rtype, rdata), owner in zip(records, owners, strict=True):
        shown = "" if owner == last else owner
        last = owner
        time = "" if ttl == default else f"{ttl} "
        if rtype == "SOA":
            lines += _soa(shown, width, time, rdata)
        else:
            lines.append(f"{shown:<{width}}{time}{rtype:<{_TAB - 1}} {rdata}")
    return ("\n".join(lines) + "\n").encode()


def _width(owners: Sequence[str]) -> int:
    """The column behind the owners; a few very long names do not push all others to the right."""
    longest = max((len(owner) for owner in owners if len(owner) < _LONGEST_COLUMN), default=1)
    return (longest // _TAB + 1) * _TAB


def _soa(owner: str, width: int, time: str, rdata: str) -> list[str]:
    master, person, *numbers = rdata.split()
    head = f"{owner:<{width}}{time}{'SOA':<{_TAB - 1}} {master} {person} ("
    indent = " " * (width + _TAB)
    fields = [f"{indent}{number:<11} ; {name}" for number, name in zip(numbers, _SOA_FIELDS, strict=True)]
    return [head, *fields, f"{indent})"]


def _relative(owner: str, apex: str) -> str:
    if owner == apex:
        return "@"
    if apex == ".":
        return owner
    return f"{owner.removesuffix(apex)}".removesuffix(".")
