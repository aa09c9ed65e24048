"""A whole zone from a server that has it, by AXFR, signed or not. For tools; a secondary has its own ways."""

from __future__ import annotations

import socket

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.xfr
import dns.zone

from oakroot._engine import Diagnostic, Zone, read_zone
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError
from oakroot.keys.key import Key

_HINT = "the server must allow transfers to this address, or to the key"


def fetch_zone(server: Server, zone: dns.name.Name, key: Key | None, deadline: Deadline) -> Zone:
    """The zone as the server has it.

    Raises:
        ServerError: it is refused, breaks off, is not signed as it should be, or is no good zone.
    """
    received = dns.zone.Zone(zone, relativize=False)
    query, _ = dns.xfr.make_query(received)
    if key is not None:
        query.use_tsig(key.for_dnspython())
    left = deadline.left
    try:
        address = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)[0][4][0]
        dns.query.inbound_xfr(str(address), received, query, port=server.port, timeout=left, lifetime=left)
    except dns.xfr.TransferError as error:
        reason = f"{server} does not transfer {zone}: {dns.rcode.to_text(error.rcode)}"
        raise ServerError(reason, hint=_HINT) from None
    except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
        reason = f"the transfer of {zone} from {server} failed: {str(error) or type(error).__name__}"
        raise ServerError(reason, hint=_HINT) from None
    text = received.to_text(relativize=False)
    made, diagnostics = read_zone(text.encode(), zone.canonicalize().to_text(), "transfer")
    if made is None:
        raise ServerError(f"{server} sent a zone {zone} with errors: {_first_error(diagnostics)}")
    return made


def _first_error(diagnostics: list[Diagnostic]) -> str:
    return next(each.message for each in diagnostics if each.severity == "error")
