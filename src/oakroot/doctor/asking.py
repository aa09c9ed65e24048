"""Single questions over UDP and TCP, each with its time-out: a shell without any judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.RRSIG

from oakroot.doctor.observations import ROOM, Heard, Place

MUCH_ROOM = 4096
ATTEMPTS = 2
_FULL = 65535


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and how. `room`: the size for EDNS; None: without EDNS."""

    name: dns.name.Name
    rdtype: dns.rdatatype.RdataType
    room: int | None = ROOM
    wants_recursion: bool = False
    wants_signatures: bool = False

    def message(self) -> dns.message.QueryMessage:
        """The query."""
        query = dns.message.make_query(
            self.name,
            self.rdtype,
            use_edns=-1 if self.room is None else 0,
            payload=self.room,
            want_dnssec=self.wants_signatures if self.room is not None else False,
        )
        if not self.wants_recursion:
            query.flags &= ~dns.flags.RD
        return query


def send(place: Place, question: Question, seconds: float, *, tcp: bool = False) -> dns.message.Message | str:
    """The reply, or why there is none."""
    query = question.message()
    address, port = place
    trouble = "no answer"
    for _ in range(1 if tcp else ATTEMPTS):
        try:
            if tcp:
                return dns.query.tcp(query, address, seconds, port)
            return dns.query.udp(query, address, seconds, port, ignore_unexpected=True)
        except dns.exception.Timeout:
            trouble = "no answer over TCP" if tcp else "no answer"
        except ConnectionRefusedError:
            return "it refuses the connection" if tcp else "nobody listens there"
        except EOFError:
            return "it closes the connection"
        except OSError as problem:
            return (problem.strerror or str(problem)).lower()
        except dns.exception.DNSException as problem:
            trouble = f"an answer that makes no sense ({type(problem).__name__})"
    return trouble


def hear(place: Place, question: Question, seconds: float, *, tcp: bool = False) -> Heard:
    """What came back to this question."""
    reply = send(place, question, seconds, tcp=tcp)
    if isinstance(reply, str):
        return Heard(trouble=reply)
    answer = reply.get_rrset(dns.message.ANSWER, question.name, dns.rdataclass.IN, question.rdtype)
    signed = reply.get_rrset(
        dns.message.ANSWER, question.name, dns.rdataclass.IN, dns.rdatatype.RRSIG, question.rdtype
    )
    return Heard(
        rcode=dns.rcode.to_text(reply.rcode()),
        is_authoritative=bool(reply.flags & dns.flags.AA),
        offers_recursion=bool(reply.flags & dns.flags.RA),
        is_truncated=bool(reply.flags & dns.flags.TC),
        has_edns=reply.edns >= 0,
        octets=len(reply.wire or b""),
        values=() if answer is None else tuple(answer),
        signatures=() if signed is None else cast("tuple[dns.rdtypes.ANY.RRSIG.RRSIG, ...]", tuple(signed)),
        ttl=0 if answer is None else answer.ttl,
    )


def hear_all(place: Place, question: Question, seconds: float) -> Heard:
    """The same, over TCP where an answer over UDP is cut off."""
    heard = hear(place, question, seconds)
    if not heard.is_truncated:
        return heard
    whole = hear(place, question, seconds, tcp=True)
    return whole if whole.is_answer else heard
