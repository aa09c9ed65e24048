"""Generated zones: what one is, how a theme builds one, and the names of RFC 1035 text as octets.

A theme (package `themes`) is a function that adds records to a `ZoneBuilder`; everything is drawn from the
builder's own random source, so a seed gives the same zones everywhere. What must not live here: servers and
answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

_ESCAPE = re.compile(rb"\\(?:([0-9]{3})|(.))", re.DOTALL)
_LABEL = re.compile(rb"((?:[^.\\]|\\[0-9]{3}|\\[^0-9])+)(?:\.|$)", re.DOTALL)
TTLS = (0, 1, 60, 300, 3600, 86400)
LONGEST_TTL = 2147483647  # RFC 2181 §8


def wire_name(text: str, origin: bytes = b"\0") -> bytes:
    """The wire form of a name; without a final dot it is below `origin`."""
    if text == "@":
        return origin
    if text == ".":
        return b"\0"
    octets = text.encode("ascii")
    wire = b"".join(
        bytes([len(label)]) + label for label in (_unescaped(match) for match in _LABEL.findall(octets))
    )
    is_absolute = octets.endswith(b".") and not octets.endswith(b"\\.")
    return wire + (b"\0" if is_absolute else origin)


def _unescaped(label: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1])]) if match[1] else match[2], label)


def labels(wire: bytes) -> list[bytes]:
    """The labels of a wire name from left to right, the root label left out."""
    found = []
    at = 0
    while length := wire[at]:
        found.append(wire[at + 1 : at + 1 + length])
        at += 1 + length
    return found


def from_labels(parts: list[bytes]) -> bytes:
    """The wire name of these labels."""
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def is_at_or_below(name: bytes, ancestor: bytes) -> bool:
    """Whether wire name `name` is `ancestor` or below it; both in the same case."""
    return name.endswith(ancestor) and any(name[start:] == ancestor for start in label_starts(name))


def label_starts(wire: bytes) -> list[int]:
    """Where the labels of a wire name begin, the root label included."""
    starts = [0]
    while wire[starts[-1]]:
        starts.append(starts[-1] + 1 + wire[starts[-1]])
    return starts


@dataclass(frozen=True)
class Zone:
    """A generated zone."""

    apex: str
    theme: str
    text: str
    owners: tuple[tuple[bytes, str], ...]
    """Owner (wire name, case as written) and type of every RRset, in the order of the text."""
    probes: tuple[tuple[bytes, str], ...]
    """Names that the theme wants asked, with the type to ask for."""

    @cached_property
    def apex_wire(self) -> bytes:
        """The apex as a wire name in lower case."""
        return wire_name(self.apex).lower()

    @cached_property
    def is_signed(self) -> bool:
        """Whether the zone has signatures."""
        return any(type_ == "RRSIG" for _, type_ in self.owners)


@dataclass
class ZoneBuilder:
    """A zone in the making."""

    apex: str
    theme: str
    random: Random
    neighbours: tuple[str, ...] = ()
    """Apexes of other zones that the same server serves."""
    ttls: tuple[int, ...] = (*TTLS, LONGEST_TTL)
    _lines: list[str] = field(default_factory=list)
    _owners: dict[tuple[bytes, str], int] = field(default_factory=dict)
    _probes: list[tuple[bytes, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Takes note of the apex once."""
        self._origin = wire_name(self.apex)

    def add(self, owner: str, type_: str, rdata: str) -> None:
        """Adds a record, names relative to the apex. An RRset has one TTL (RFC 2181 §5.2)."""
        key = (wire_name(owner, self._origin), type_)
        known = next((ttl for (name, kind), ttl in self._owners.items() if _same(name, kind, key)), None)
        ttl = self.random.choice(self.ttls) if known is None else known
        self._owners.setdefault(key, ttl)
        self._lines.append(f"{owner}\t{ttl}\tIN\t{type_}\t{rdata}")

    def probe(self, name: str, type_: str = "A") -> None:
        """Wants this name asked for."""
        self._probes.append((wire_name(name, self._origin), type_))

    def has(self, owner: str, type_: str | None = None) -> bool:
        """Whether there is such an RRset, or any at this owner."""
        wanted = wire_name(owner, self._origin).lower()
        return any(name.lower() == wanted and type_ in (None, kind) for name, kind in self._owners)

    def has_below(self, owner: str) -> bool:
        """Whether anything stands below this name."""
        ancestor = wire_name(owner, self._origin).lower()
        return any(
            name.lower() != ancestor and is_at_or_below(name.lower(), ancestor) for name, _ in self._owners
        )

    def add_apex(self, name_servers: int = 2) -> None:
        """The SOA and NS records, and addresses for the name servers."""
        minimum, ttl = self.random.choice([(300, 3600), (3600, 300), (0, 60), (86400, 86400)])
        self._owners[self._origin, "SOA"] = ttl
        self._lines.append(
            f"@\t{ttl}\tIN\tSOA\tns1 hostmaster {self.random.randrange(1, 2**32)} 7200 900 1209600 {minimum}"
        )
        for number in range(1, name_servers + 1):
            self.add("@", "NS", f"ns{number}")
            self.add(f"ns{number}", "A", self.ipv4())
            if self.random.random() < 0.5:
                self.add(f"ns{number}", "AAAA", self.ipv6())

    def ipv4(self) -> str:
        """An address from the documentation range of RFC 5737."""
        return f"192.0.2.{self.random.randrange(1, 255)}"

    def ipv6(self) -> str:
        """An address from the documentation range of RFC 3849."""
        return f"2001:db8::{self.random.randrange(1, 0xFFFF):x}"

    def build(self) -> Zone:
        """The zone as it stands now."""
        return Zone(
            apex=self.apex,
            theme=self.theme,
            text=f"$ORIGIN {self.apex}\n" + "\n".join(self._lines) + "\n",
            owners=tuple(self._owners),
            probes=tuple(self._probes),
        )


def _same(name: bytes, kind: str, key: tuple[bytes, str]) -> bool:
    return kind == key[1] and name.lower() == key[0].lower()
