"""Whether all servers answer the same: the first questions of a mix are asked of each before it is measured.

Compared are rcode, AA, TC, the answer, and the authority section where there is no answer: additional records
and the NS records behind an answer are courtesies that differ. What must not live here: which of two servers
is right (the interoperability tests know).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from tests.peers.client import ask_udp
from tests.peers.nameservers import DaemonNameserver, NameserverError

QUESTIONS = 300
Gist = tuple[object, ...]


def check_agreement(up: Sequence[DaemonNameserver], questions: Path, *, edns: bool, dnssec: bool) -> None:
    """Raises unless all servers answer the first questions of a file the same."""
    with questions.open() as lines:
        asked = [line.split() for line in itertools.islice(lines, QUESTIONS)]
    queries = [
        dns.message.make_query(name, rtype, use_edns=0 if edns or dnssec else False, want_dnssec=dnssec)
        for name, rtype in asked
    ]
    for query in queries:
        query.flags = dns.flags.Flag(0)
    wires = [query.to_wire() for query in queries]
    said = {server.name: [_gist(answer) for answer in ask_udp(server.address, wires)] for server in up}
    reference = "oakroot" if "oakroot" in said else next(iter(said))
    for name, gists in said.items():
        for (question, rtype), gist, other in zip(asked, gists, said[reference], strict=True):
            if gist != other:
                message = f"{name} answers {question} {rtype} with\n{gist}\nand {reference} with\n{other}"
                raise NameserverError(message)


def _gist(answer: bytes | None) -> Gist:
    if answer is None:
        return ("silence",)
    message = dns.message.from_wire(answer)
    sections = message.answer or message.authority
    return (
        message.rcode(),
        bool(message.flags & dns.flags.AA),
        bool(message.flags & dns.flags.TC),
        frozenset(record for rrset in sections for record in _records(rrset)),
    )


def _records(rrset: dns.rrset.RRset) -> list[str]:
    """Its records as text, without TTLs: those of negative answers differ (RFC 2308 §5 is read both ways)."""
    owner = rrset.name.to_text().lower()
    kind = dns.rdatatype.to_text(rrset.rdtype)
    return [f"{owner} {kind} {rdata.to_text().lower()}" for rdata in rrset]
