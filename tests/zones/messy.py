"""Makes zone files of every style, valid all of them, and says which lines belong to which record.

Hypothesis drives the choices, so that a failing file shrinks to its odd line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

APEX = "example.org."
_OWNERS = ["@", "www", "mail", "a.b", "_sip._tcp", "*.wild", "UPPER", "1", "in", "host-7", "x.sub"]
_ALIASES = ["alias", "other.b"]
_DATA = {
    "A": ["192.0.2.1", "192.0.2.2", "192.0.2.30"],
    "AAAA": ["2001:db8::1", "2001:DB8:0::2"],
    "TXT": ['"plain"', '"semi;colon" "two  words"', "word", r'"quo\"te"', '"paren ( "'],
    "MX": ["10 mail", "20 MAIL.example.org.", "5 mx.example.net."],
    "SRV": ["0 5 5060 www", "1 1 1 mail.example.org."],
    "CAA": ['0 issue "letsencrypt.org"'],
    "TLSA": ["3 1 1 aabb ccdd", "3 0 0 00ff"],
    "TYPE65280": [r"\# 2 abcd"],
    "HTTPS": ['1 . alpn="h2,h3"', "0 www"],
    "SSHFP": ["4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789"],
}
_TTLS = ["300", "3600", "1h", "1D", "0", "90", "1h30m"]
_BLANKS = [" ", "\t", "  ", "\t\t", "        "]
_COMMENTS = ["; a comment", ";", '; quotes " and ( parentheses', "; www A 192.0.2.1"]


@dataclass
class Entry:
    """The lines of one record or directive."""

    lines: list[str]
    owners: set[str] = field(default_factory=set)
    """Absolute, in lower case; empty for what is no record."""
    type: str = ""
    inherits: bool = False
    """Whether owner or TTL come from above."""


@dataclass
class Messy:
    """A zone as files, and the entries of all of them."""

    text: bytes
    included: dict[str, bytes]
    entries: list[Entry]

    def include(self, path: str) -> bytes:
        """Opens an included file."""
        return self.included[path]


class Writer:
    """Writes files entry by entry, and keeps track of what holds."""

    def __init__(self, draw: Callable[[st.SearchStrategy[object]], object]) -> None:
        self._draw = draw
        self.entries: list[Entry] = []
        self.included: dict[str, bytes] = {}
        self.has_default = False
        self.has_ttl = False
        self.ending = str(draw(st.sampled_from(["\n", "\n", "\n", "\r\n"])))

    def pick(self, *choices: str) -> str:
        """One of some words."""
        return str(self._draw(st.sampled_from(choices)))

    def chance(self, one_in: int = 2) -> bool:
        """Whether something happens."""
        return bool(self._draw(st.integers(0, one_in - 1)) == 0)

    def number(self, most: int) -> int:
        """From 0 to `most`."""
        return int(str(self._draw(st.integers(0, most))))

    def gap(self) -> str:
        """White space."""
        return self.pick(*_BLANKS)

    def tail(self) -> str:
        """What may follow a record on its line."""
        return self.pick("", "", self.gap(), self.gap() + self.pick(*_COMMENTS))

    def zone_file(self) -> bytes:
        """A whole zone file."""
        lines: list[str] = []
        if self.chance():
            self.has_default = True
            self.directive(lines, f"$TTL{self.gap()}{self.pick(*_TTLS)}{self.tail()}")
        self.fillers(lines)
        self.soa(lines)
        self.record_of(lines, "@", "NS", "ns.example.net.")
        self.body(lines, APEX, depth=0)
        return self.finish(lines)

    def finish(self, lines: list[str]) -> bytes:
        """Lines as octets, the last one perhaps without its end."""
        text = self.ending.join(lines) + ("" if self.chance(4) else self.ending)
        return (b"\xef\xbb\xbf" if self.chance(12) else b"") + text.encode()

    def body(self, lines: list[str], origin: str, depth: int) -> None:
        """Records and directives."""
        first = True
        for _ in range(self.number(9)):
            kind = self.number(13)
            if kind == 0 and origin.endswith(APEX):
                origin = self.change_origin(lines, origin)
            elif kind == 1 and depth < 2:
                self.include(lines, origin, depth)
            elif kind == 2:
                self.generate(lines, origin)
            elif kind == 3 and self.chance():
                self.has_default = True
                self.directive(lines, f"$TTL {self.pick(*_TTLS)}{self.tail()}")
            else:
                self.record(lines, origin, first=first)
                first = False
            self.fillers(lines)

    def fillers(self, lines: list[str]) -> None:
        """Comments and empty lines."""
        for _ in range(self.number(2)):
            line = self.pick("", *_COMMENTS, "   ; indented", " ")
            lines.append(line)
            self.entries.append(Entry([line]))

    def directive(self, lines: list[str], line: str) -> None:
        """A line that is no record."""
        lines.append(line)
        self.entries.append(Entry([line]))

    def change_origin(self, lines: list[str], origin: str) -> str:
        """$ORIGIN."""
        word = self.pick("sub", APEX, "b.example.org.")
        self.directive(lines, f"$ORIGIN{self.gap()}{word}{self.tail()}")
        return f"sub.{origin}" if word == "sub" else word

    def include(self, lines: list[str], origin: str, depth: int) -> None:
        """$INCLUDE of a new file."""
        path = f"part{len(self.included)}.inc"
        self.included[path] = b""
        inner: list[str] = []
        if self.chance():
            self.directive(lines, f"$INCLUDE {path}{self.tail()}")
        else:
            self.directive(lines, f"$INCLUDE {path} inc.example.org.{self.tail()}")
            origin = "inc.example.org."
        self.fillers(inner)
        self.body(inner, origin, depth + 1)
        self.included[path] = self.finish(inner)

    def generate(self, lines: list[str], origin: str) -> None:
        """$GENERATE of some addresses."""
        first = self.number(5)
        last = first + self.number(4)
        step = self.pick("", "", "/2")
        name = self.pick("gen", "host-")
        ttl = f"{self.gap()}{self.pick(*_TTLS)}" if self.needs_ttl() else ""
        line = f"$GENERATE {first}-{last}{step} {name}${ttl} A 192.0.2.${self.tail()}"
        lines.append(line)
        owners = {f"{name}{number}.{origin}".lower() for number in range(first, last + 1)}
        self.entries.append(Entry([line], owners, "A", inherits=not ttl))

    def needs_ttl(self) -> bool:
        """Whether a record gets a TTL."""
        wanted = self.chance(3) or not (self.has_default or self.has_ttl)
        self.has_ttl |= wanted
        return wanted

    def soa(self, lines: list[str]) -> None:
        """The SOA: on one line, or with its numbers in parentheses."""
        serial = self.number(2**32 - 1)
        one_line = f"ns hostmaster {serial} 1d 7200 1048576 3600"
        in_many = [
            f"ns hostmaster ({self.tail()}",
            f"  {serial}{self.tail()}",
            f"\t7200 1h {self.pick(*_COMMENTS)}",
            "",
            f"  4w 60 ){self.tail()}",
        ]
        data = [one_line] if self.chance() else in_many
        self.record_of(lines, "@", "SOA", *data)

    def record(self, lines: list[str], origin: str, *, first: bool) -> None:
        """Any record; its owner may be left blank where there is one above."""
        if self.chance(8):
            name = self.pick(*_ALIASES)
            self.record_of(lines, name, "CNAME", "www.example.org.", origin=origin)
            return
        owner = self.pick(*_OWNERS)
        kind = self.pick(*_DATA)
        before = self.entries[::-1]
        last = next((entry for entry in before if entry.owners and len(entry.owners) == 1), None)
        blank = not first and last is not None and last.type != "CNAME" and self.chance(3)
        if blank and last is not None:
            self.record_of(lines, None, kind, self.pick(*_DATA[kind]), origin=origin, same_as=last)
        else:
            self.record_of(lines, owner, kind, self.pick(*_DATA[kind]), origin=origin)

    def record_of(
        self,
        lines: list[str],
        owner: str | None,
        kind: str,
        *data: str,
        origin: str = APEX,
        same_as: Entry | None = None,
    ) -> None:
        """One record in some notation."""
        absolute = origin if owner == "@" else f"{owner}.{origin}"
        written = owner or ""
        if owner is not None and self.chance(4):
            written = absolute
        words = [kind if self.chance(4) is False else kind.lower()]
        has_ttl = self.needs_ttl() or (kind == "SOA" and not self.has_default)
        header = ([self.pick(*_TTLS)] if has_ttl else []) + (["IN"] if self.chance() else [])
        if self.chance():
            header.reverse()
        line = written + "".join(self.gap() + word for word in header + words)
        own = [f"{line}{self.gap()}{data[0]}", *data[1:]]
        if len(data) == 1 and self.chance(6):
            own = [f"{line} ({self.tail()}", *self.fillers_inside(), f"{self.gap()}{data[0]} ){self.tail()}"]
        elif len(data) == 1:
            own[0] += self.tail()
        lines.extend(own)
        owners = {absolute.lower()} if same_as is None else set(same_as.owners)
        self.entries.append(Entry(own, owners, kind.upper(), inherits=owner is None or not has_ttl))

    def fillers_inside(self) -> list[str]:
        """Lines within parentheses."""
        return [self.pick("", *_COMMENTS) for _ in range(self.number(1))]


@st.composite
def messy_zones(draw: Callable[[st.SearchStrategy[object]], object]) -> Messy:
    """Zones as files. A few are not valid (a CNAME beside other data): their users leave those aside."""
    writer = Writer(draw)
    text = writer.zone_file()
    return Messy(text, writer.included, writer.entries)
