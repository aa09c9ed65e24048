"""What a server tells of its zones: which one a name is in, and the serial it serves."""

from __future__ import annotations

import secrets

import dns.name
import dns.rcode

from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError
from oakroot.client.signed import ask, told
from oakroot.keys.key import Key
from oakroot.protocol.query import build_soa_query, read_soa_reply, read_zone_of

_SERIAL_PATIENCE = 5
_NO_OBJECTION = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})


def served_serial(
    server: Server, zone: dns.name.Name, key: Key | None, deadline: Deadline, *, tcp: bool
) -> str:
    """The serial that is served now, in words; not to learn it takes nothing from a success before."""
    request = build_soa_query(zone, secrets.randbelow(1 << 16))
    try:
        answer = ask(server, request, key, deadline.but_within(_SERIAL_PATIENCE), tcp=tcp)
    except ServerError as error:
        return f"a serial it did not tell: {error.message}"
    serial = read_soa_reply(request, answer.message, zone)
    return f"no SOA record of it: {told(answer.reply)}" if serial is None else f"serial {serial}"


def find_zone(
    server: Server, name: dns.name.Name, key: Key | None, deadline: Deadline, *, tcp: bool
) -> dns.name.Name:
    """The zone of this server that holds the name; ServerError where it has none.

    Names above are asked about where a name tells nothing: it may be an alias, or a cut, whose records are
    those of the zone above.
    """
    objection = ""
    asked = name
    while True:
        request = build_soa_query(asked, secrets.randbelow(1 << 16))
        answer = ask(server, request, key, deadline, tcp=tcp)
        zone = read_zone_of(request, answer.message, asked)
        if zone is not None:
            return zone
        if answer.reply.rcode not in _NO_OBJECTION:
            objection = objection or f": {told(answer.reply)}"
        if asked == dns.name.root:
            raise ServerError(
                f"{server} has no zone that holds {name}{objection}",
                hint="is this the primary of the zone? --zone names a zone that it does not tell",
            )
        asked = asked.parent()
