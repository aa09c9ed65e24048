"""Single questions over UDP, TCP and TLS, each with its time-out: a shell without any judgement.

`Questioner` puts many of them side by side.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.RRSIG
from cryptography import x509

from oakroot.doctor.observations import ROOM, Heard, OverTls, Place
from oakroot.frozen import frozen

MUCH_ROOM = 4096
ATTEMPTS = 2


@frozen
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
    return Heard(trouble=reply) if isinstance(reply, str) else _heard(reply, question)


def _heard(reply: dns.message.Message, question: Question) -> Heard:
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


def hear_over_tls(place: Place, question: Question, seconds: float) -> OverTls:
    """What came back over TLS. Nothing is believed because of it, so any certificate will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["dot"])
    valid_until = None
    try:
        with (
            socket.create_connection(place, seconds) as plain,
            context.wrap_socket(plain) as encrypted,
        ):
            shown = encrypted.getpeercert(binary_form=True)
            if shown is not None:
                valid_until = _valid_until(shown)
            reply = dns.query.tls(question.message(), place[0], seconds, place[1], sock=encrypted)
            return OverTls(_heard(reply, question), valid_until)
    except ssl.SSLError as problem:
        trouble = (problem.reason or "the handshake failed").replace("_", " ").lower()
    except ConnectionRefusedError:
        trouble = "it refuses the connection"
    except (TimeoutError, dns.exception.Timeout):
        trouble = "no answer over TLS"
    except EOFError:
        trouble = "it closes the connection"
    except OSError as problem:
        trouble = (problem.strerror or str(problem)).lower()
    except (dns.exception.DNSException, ValueError) as problem:
        trouble = f"an answer that makes no sense ({type(problem).__name__})"
    return OverTls(Heard(trouble=trouble), valid_until)


def _valid_until(certificate: bytes) -> float:
    """In seconds since 1970; ValueError when the certificate cannot be read."""
    try:
        return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except x509.InvalidVersion as problem:  # an Exception, and nothing more special
        raise ValueError(str(problem)) from None


class Questioner:
    """Puts questions side by side, never more at once than there are threads; these ask nobody else."""

    def __init__(self, pool: ThreadPoolExecutor, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds

    def hear(self, place: Place, question: Question, *, tcp: bool = False) -> Callable[[], Heard]:
        """Asks; the result waits for what came back."""
        return self._pool.submit(hear, place, question, self._seconds, tcp=tcp).result

    def hear_all(self, place: Place, question: Question) -> Callable[[], Heard]:
        """The same, over TCP where an answer over UDP is cut off."""
        return self._pool.submit(hear_all, place, question, self._seconds).result

    def hear_over_tls(self, place: Place, question: Question) -> Callable[[], OverTls]:
        """The same, over TLS alone."""
        return self._pool.submit(hear_over_tls, place, question, self._seconds).result
