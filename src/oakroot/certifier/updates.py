"""UPDATEs to the primary, questions to name servers: blocking, with time-outs; no decision is taken here."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Sequence

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT

from oakroot._engine import read_message_records
from oakroot.certifier.events import (
    NameServer,
    Probe,
    Probed,
    Record,
    SendUpdate,
    UpdateEnded,
    UpdateLost,
    UpdateTaken,
    UpdateUnwanted,
)
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError
from oakroot.client.signed import ask, told
from oakroot.frozen import frozen
from oakroot.keys.grant import Grant, Operation
from oakroot.keys.key import Key
from oakroot.keys.keyring import GrantedKey
from oakroot.protocol.message import request_message
from oakroot.protocol.update_request import TooLargeError, add, build_update, delete, require
from oakroot.protocol.wire import write_question

_UPDATE_SECONDS = 90.0
"""A push to a repository may be part of it."""
_PROBE_SECONDS = 5.0
_ANSWER = 1


@frozen
class Sender:
    """Sends UPDATEs to one primary, each by the key that is nearest to its zone."""

    primary: Server
    keys: Sequence[GrantedKey]

    def send(self, update: SendUpdate) -> UpdateEnded:
        """Sends it; how that ended."""
        return UpdateEnded(update.ticket, self._send(update))

    def key_for(self, update: SendUpdate) -> Key | None:
        """The nearest of the keys that may make all of these changes."""
        granting = [granted for granted in self.keys if _grants_all(granted.grant, update)]
        return max(granting, key=lambda granted: len(granted.grant.zone.labels)).key if granting else None

    def _send(self, update: SendUpdate) -> UpdateTaken | UpdateUnwanted | UpdateLost:
        zone = dns.name.from_text(update.zone)
        key = self.key_for(update)
        if key is None:
            return UpdateUnwanted(dns.rcode.REFUSED, f"there is no key to update {update.zone} with")
        required = [require(*_fields(record)) for record in update.required]
        changes = [delete(*_fields(record)) for record in update.delete]
        for record in update.add:
            owner, kind, rdata = _fields(record)
            changes.append(add(owner, update.ttl, kind, rdata))
        try:
            request = build_update(zone, required, changes, secrets.randbelow(1 << 16))
            reply = ask(self.primary, request, key, Deadline.after(_UPDATE_SECONDS), tcp=True).reply
        except TooLargeError as error:
            return UpdateUnwanted(dns.rcode.REFUSED, str(error))
        except ServerError as error:
            return UpdateLost(error.message if error.hint is None else f"{error.message} ({error.hint})")
        if reply.rcode == dns.rcode.NOERROR:
            return UpdateTaken()
        return UpdateUnwanted(reply.rcode, told(reply))


def _grants_all(grant: Grant, update: SendUpdate) -> bool:
    """Whether a key may make all changes of an update."""
    return all(
        grant.allows(Operation.UPDATE, dns.name.from_text(owner), rtype)
        for owner, rtype, _ in (*update.delete, *update.add)
    )


def _fields(record: tuple[str, str, str]) -> tuple[dns.name.Name, int, bytes]:
    owner, kind, rdata = record
    number = dns.rdatatype.from_text(kind)
    wire = dns.rdata.from_text(dns.rdataclass.IN, number, rdata).to_wire() or b""
    return dns.name.from_text(owner), number, wire


@frozen
class Prober:
    """Asks the primary and all name servers for records; `instead` are asked in place of the zones' own."""

    primary: Server
    instead: Sequence[Server] = ()

    def probe(self, action: Probe) -> Probed:
        """What each of them lacks; who does not answer is asked no more."""
        missing: list[str] = []
        silent: dict[Server, str] = {}
        for zone in sorted({record.place.zone for record in action.records}):
            records = [record for record in action.records if record.place.zone == zone]
            for server in self._servers(action.servers.get(zone, ()), silent):
                missing += _lacking(server, records, silent)
        return Probed(action.ticket, tuple(missing), tuple(silent.values()))

    def _servers(self, name_servers: Sequence[NameServer], silent: dict[Server, str]) -> Iterator[Server]:
        yield self.primary
        if self.instead:
            yield from self.instead
            return
        for server in name_servers:
            for address in server.addresses or _resolve(server.name, silent):
                yield Server(address)


def _resolve(name: str, silent: dict[Server, str]) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(name.rstrip("."), 53, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        silent[Server(name)] = f"the address of {name} cannot be found"
        return ()
    return sorted({str(address[0]) for *_, address in found})


def _lacking(server: Server, records: Sequence[Record], silent: dict[Server, str]) -> Iterator[str]:
    for record in records:
        if server in silent:
            return
        try:
            texts = _texts(server, dns.name.from_text(record.place.owner))
        except ServerError:
            silent[server] = f"{server} does not answer"
            return
        if record.value not in texts:
            yield f"{server} does not have the challenge at {record.place.owner} yet"


def _texts(server: Server, name: dns.name.Name) -> list[str]:
    """The TXT records that it has at this name; raises ServerError. Unsigned, as everybody asks."""
    query = request_message(secrets.randbelow(1 << 16), 0, write_question(name, dns.rdatatype.TXT))
    answer = ask(server, query, None, Deadline.after(_PROBE_SECONDS))
    try:
        records = read_message_records(answer.message)
    except ValueError:
        raise ServerError(f"{server} answers what cannot be read") from None
    return [
        _joined(rdata)
        for section, _, kind, _, _, rdata in records
        if section == _ANSWER and kind == "TXT" and rdata is not None
    ]


def _joined(rdata: str) -> str:
    record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, rdata)
    return (
        b"".join(record.strings).decode("utf-8", "replace")
        if isinstance(record, dns.rdtypes.ANY.TXT.TXT)
        else ""
    )
