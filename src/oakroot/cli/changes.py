"""What `oakroot update` is asked to change or to require, read from the words of its user.

A record is written as in a zone file, its names absolute with or without the final dot. What must not live
here: how an UPDATE message says it.
"""

from __future__ import annotations

import argparse
import enum
import ipaddress
import re
from collections.abc import Iterable, Sequence

import dns.name

from oakroot._engine import read_records, type_number, wire_rdata
from oakroot.cli import CommandError, Exit
from oakroot.cli.options import domain_name
from oakroot.frozen import frozen
from oakroot.protocol import update_request
from oakroot.protocol.update_request import ANY_TYPE, UpdateRecord

_TTL_OR_CLASS = re.compile(r"(?i)[0-9][0-9smhdw]*\Z|IN\Z")
_CLASS_AND_TTL = 2


class Verb(enum.Enum):
    """What is to be done with a record, or asked about it."""

    ADD = "add"
    DELETE = "delete"
    REQUIRE = "require"
    REQUIRE_NOT = "require-not"


@frozen
class Wish:
    """One change or requirement: as it was said, and as a message says it."""

    verb: Verb
    words: str
    record: UpdateRecord

    def __str__(self) -> str:
        return f"--{self.verb.value} '{self.words}'"


def read_wish(verb: Verb, words: str, default_ttl: str) -> Wish:
    """Reads `NAME [TTL] TYPE RDATA`, or what the verb takes instead; CommandError says what is wrong."""
    words = words.strip()
    try:
        return Wish(verb, words, _read(verb, words, default_ttl))
    except _WrongError as error:
        raise CommandError(
            f"--{verb.value} '{words}': {error}", hint=error.hint, exit_code=Exit.USAGE
        ) from None


def read_addresses(name: str, addresses: Sequence[str], default_ttl: str) -> list[Wish]:
    """The changes that give a name these addresses; those of a family that none belongs to stay."""
    kinds: dict[str, list[str]] = {}
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise CommandError(f"{text} is no address", exit_code=Exit.USAGE) from None
        kinds.setdefault("A" if address.version == 4 else "AAAA", []).append(str(address))  # noqa: PLR2004
    wishes = []
    for kind, texts in kinds.items():
        wishes.append(read_wish(Verb.DELETE, f"{name} {kind}", default_ttl))
        wishes += [read_wish(Verb.ADD, f"{name} {kind} {text}", default_ttl) for text in dict.fromkeys(texts)]
    return wishes


def check_ttl(text: str) -> str:
    """A TTL as a zone file may have it, for argparse."""
    _, found = read_records(f"$TTL {text}\n".encode(), ".", "--ttl")
    if found or len(text.split()) != 1:
        raise argparse.ArgumentTypeError("it is no TTL; write seconds, or such as 1h30m")
    return text


def records(wishes: Iterable[Wish], *verbs: Verb) -> list[UpdateRecord]:
    """The records of the wishes with one of these verbs, in their order."""
    return [wish.record for wish in wishes if wish.verb in verbs]


class _WrongError(Exception):
    """What is wrong with a record, and how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def _read(verb: Verb, words: str, default_ttl: str) -> UpdateRecord:
    if verb is Verb.ADD:
        owner, ttl, kind, rdata = _read_whole(words, default_ttl)
        return update_request.add(owner, ttl, kind, rdata)
    owner, number, data = _read_partial(words, default_ttl)
    match verb:
        case Verb.DELETE:
            return update_request.delete(owner, number, data)
        case Verb.REQUIRE:
            return update_request.require(owner, number, data)
        case _ if data is None:
            return update_request.require_not(owner, number)
        case _:
            raise _WrongError("that a single record is not there cannot be required", "leave out the RDATA")


def _read_partial(words: str, default_ttl: str) -> tuple[dns.name.Name, int, bytes | None]:
    """`NAME [TYPE [RDATA]]`; TTL and class, which people leave in when they copy a line, say nothing here."""
    if not words:
        raise _WrongError("it names nothing", "write at least a NAME")
    name, *rest = words.split(None, 1)
    fields = rest[0] if rest else ""
    for _ in range(_CLASS_AND_TTL):
        first, _, others = fields.partition(" ")
        if _TTL_OR_CLASS.match(first):
            fields = others.lstrip()
    kind, *rdata = fields.split(None, 1)[:2] or ["ANY"]
    if rdata:
        owner, _, number, data = _read_whole(f"{name} {kind} {rdata[0]}", default_ttl)
        return owner, number, data
    return _read_name(name), ANY_TYPE if kind.upper() == "ANY" else _read_type(kind), None


def _read_whole(words: str, default_ttl: str) -> tuple[dns.name.Name, int, int, bytes]:
    if words.startswith("$"):
        raise _WrongError("it is a directive, no record")
    found, diagnostics = read_records(f"$TTL {default_ttl}\n{words}\n".encode(), ".", "record")
    for diagnostic in diagnostics:
        raise _WrongError(diagnostic.message, diagnostic.hint)
    if len(found) != 1:
        raise _WrongError("it is no record", "write 'NAME [TTL] TYPE RDATA'; one record each time")
    record = found[0]
    kind = type_number(record.type)
    return _read_name(record.owner), record.ttl, kind, wire_rdata(record.type, record.rdata)


def _read_name(text: str) -> dns.name.Name:
    try:
        return domain_name(text)
    except argparse.ArgumentTypeError as error:
        raise _WrongError(str(error)) from None


def _read_type(text: str) -> int:
    try:
        return type_number(text)
    except ValueError as error:
        raise _WrongError(str(error)) from None
