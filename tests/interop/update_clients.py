"""Clients of others that send UPDATE, behind one interface, and docs/update-clients.md about them.

Run as a program it prints that page: `python -m tests.interop.update_clients > docs/update-clients.md`. The
tests beside it prove each cell. What must not live here: certbot and lego, which send updates of their own
choice only (`test_acme_clients`).
"""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.update

from oakroot.keys.key import Key
from tests.peers.commands import oakroot

ZONE = "example.org"
Record = tuple[str, str, str]
"""(owner, type, rdata)."""


@dataclass(frozen=True)
class Told:
    """How a client ended: whether it calls that a success, and what its user sees."""

    success: bool
    text: str


@dataclass(frozen=True)
class Request:
    """What to change, and which names must not be in use before."""

    delete: Sequence[Record] = ()
    add: Sequence[Record] = ()
    unused: Sequence[str] = ()
    ttl: int = 60


class Client(ABC):
    """A client of RFC 2136 with a key."""

    name: ClassVar[str]
    shows_reason: ClassVar[bool] = False
    """Whether its user sees the words of a refusal (RFC 8914), not only the rcode."""
    uses_prerequisites: ClassVar[bool] = True
    note: ClassVar[str] = ""

    def __init__(self, require: Callable[[str], str], port: int, key: Key) -> None:
        self.require = require
        self.port = port
        self.key = key

    @abstractmethod
    def send(self, request: Request) -> Told:
        """Sends it as one update."""


class Nsupdate(Client):
    """BIND's."""

    name = "nsupdate"
    program: ClassVar[str] = "nsupdate"

    def send(self, request: Request) -> Told:
        """By a script on standard input."""
        lines = [f"server 127.0.0.1 {self.port}", f"zone {ZONE}."]
        lines += [f"prereq nxdomain {owner}" for owner in request.unused]
        lines += [f"update delete {owner} {kind} {rdata}" for owner, kind, rdata in request.delete]
        lines += [f"update add {owner} {request.ttl} {kind} {rdata}" for owner, kind, rdata in request.add]
        word = f"{self.key.algorithm.text}:{self.key.name}:{self.key.secret.base64()}"
        done = subprocess.run(
            [self.require(self.program), "-y", word],
            input="\n".join([*lines, "send", ""]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        text = done.stdout + done.stderr
        return Told(done.returncode == 0 and "failed" not in text, text)


class Knsupdate(Nsupdate):
    """Knot DNS's, with the same language."""

    name = "knsupdate"
    program = "knsupdate"


class Dnspython(Client):
    """A program that uses dnspython."""

    name = "dnspython"
    shows_reason = True

    def send(self, request: Request) -> Told:
        """By TCP."""
        update = dns.update.UpdateMessage(f"{ZONE}.", keyring={self.key.name: self.key.for_dnspython()})
        update.use_edns(0)
        for owner in request.unused:
            update.absent(owner)
        self.fill(update, request)
        reply = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=30)
        errors = [str(option.text) for option in reply.options if isinstance(option, dns.edns.EDEOption)]
        told = " ".join([dns.rcode.to_text(reply.rcode()), *errors])
        return Told(reply.rcode() == dns.rcode.NOERROR, told)

    def fill(self, update: dns.update.UpdateMessage, request: Request) -> None:
        """Says what to change."""
        for owner, kind, rdata in request.delete:
            update.delete(owner, kind, *([rdata] if rdata else []))
        for owner, kind, rdata in request.add:
            update.add(owner, request.ttl, kind, rdata)


class ExternalDns(Dnspython):
    """As external-dns writes: after a transfer, each record beside a TXT that says whose it is."""

    name = "external-dns"
    shows_reason = False
    uses_prerequisites = False
    note = "not the program, but messages as its rfc2136 provider forms them, and the transfer before"
    OWNERSHIP: ClassVar[str] = '"heritage=external-dns,external-dns/owner=default"'

    def send(self, request: Request) -> Told:
        """It looks at the zone first."""
        query = dns.message.make_query(f"{ZONE}.", "AXFR")
        query.use_tsig({self.key.name: self.key.for_dnspython()}, self.key.name)
        reply = dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=30)
        if reply.rcode() != dns.rcode.NOERROR:
            return Told(success=False, text=f"transfer: {dns.rcode.to_text(reply.rcode())}")
        return super().send(request)

    def fill(self, update: dns.update.UpdateMessage, request: Request) -> None:
        """Every record it deletes is named whole, with what it is."""
        for owner, kind, rdata in request.delete:
            update.delete(owner, kind, rdata)
            update.delete(f"a-{owner}", "TXT", self.OWNERSHIP)
        for owner, kind, rdata in request.add:
            update.add(owner, request.ttl, kind, rdata)
            update.add(f"a-{owner}", request.ttl, "TXT", self.OWNERSHIP)


class OakrootUpdate(Client):
    """Ours."""

    name = "oakroot update"
    shows_reason = True

    def send(self, request: Request) -> Told:
        """As a command."""
        words = [word for owner in request.unused for word in ("--require-not", owner)]
        words += [word for record in request.delete for word in ("--delete", " ".join(record))]
        words += [
            word
            for owner, kind, rdata in request.add
            for word in ("--add", f"{owner} {request.ttl} {kind} {rdata}")
        ]
        key = f"{self.key.name}:{self.key.algorithm.text}:{self.key.secret.base64()}"
        done = oakroot("update", f"127.0.0.1:{self.port}", "--key", key, *words)
        return Told(done.code == 0, done.output + done.errors)


CLIENTS: tuple[type[Client], ...] = (Nsupdate, Knsupdate, Dnspython, ExternalDns, OakrootUpdate)

_ACME = (
    ("certbot", "dns-rfc2136; gets a certificate from pebble"),
    ("lego", "rfc2136; gets a certificate from pebble"),
)


def document() -> str:
    """The text of docs/update-clients.md."""
    lines = [
        "# Clients that update",
        "",
        "This page is written by `python -m tests.interop.update_clients > docs/update-clients.md`.",
        "",
        "Each cell is proved by a test that has the client send signed updates to `oakroot primary`, and",
        "looks into the remote repository afterwards. A dash: the client never does that.",
        "",
        "| client | adds | changes | deletes | a failed prerequisite | a refusal shows | |",
        "|---|---|---|---|---|---|---|",
    ]
    for client in CLIENTS:
        shown = "rcode and reason" if client.shows_reason else "rcode"
        prerequisite = "is told" if client.uses_prerequisites else "—"
        lines.append(f"| {client.name} | yes | yes | yes | {prerequisite} | {shown} | {client.note} |")
    lines += [f"| {name} | yes | — | yes | — | rcode | {note} |" for name, note in _ACME]
    lines += [
        "",
        "The reason (RFC 8914) is sent to every client that speaks EDNS, and is in the log of the primary in",
        "any case. A prerequisite that fails changes nothing, and neither does a refusal.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
