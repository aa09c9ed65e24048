"""A request to a name server, signed where there is a key, and its reply, believed only where that is due.

What must not live here: what was asked for. Whoever asks knows what the reply means.
"""

from __future__ import annotations

import time

import dns.rcode

from oakroot.client.exchange import Deadline, exchange
from oakroot.client.server import Server, ServerError
from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.protocol.message import Reply, read_reply
from oakroot.protocol.tsig_client import (
    Authentic,
    Flaw,
    ReplyExpectation,
    SignatureRefused,
    Unauthentic,
    sign_request,
    verify_reply,
)


@frozen
class Answer:
    """A reply that is the server's, and its octets without a TSIG record."""

    reply: Reply
    message: bytes


@frozen
class _Judged:
    """A reply, and what is to be said against it: its signature is wrong, or it says that ours is."""

    answer: Answer
    objection: Flaw | SignatureRefused | None = None


def ask(server: Server, request: bytes, key: Key | None, deadline: Deadline, *, tcp: bool = False) -> Answer:
    """The server's answer; ServerError where none comes, or where one of the signatures is not taken."""
    signed, expected = (request, None) if key is None else sign_request(request, key, int(time.time()))
    judged = exchange(server, signed, lambda octets: _judge(signed, expected, octets), deadline, tcp=tcp)
    if judged.objection is not None:
        raise _refusal(server, judged.answer.reply, judged.objection)
    return judged.answer


def told(reply: Reply) -> str:
    """The rcode and what else the server says."""
    return "; ".join([reply.rcode_text, *map(str, reply.extended_errors)])


def _judge(request: bytes, expected: ReplyExpectation | None, octets: bytes) -> _Judged | None:
    """What the reply is; None where the octets are no reply to the request."""
    reply = read_reply(request, octets)
    if reply is None:
        return None
    answer = Answer(reply, octets)
    if expected is None:
        return _Judged(answer)
    match verify_reply(octets, expected, int(time.time())):
        case Authentic(message):
            return _Judged(Answer(reply, message))
        case SignatureRefused() as refusal:
            return _Judged(answer, refusal)
        case Unauthentic(flaw):
            return _Judged(answer, flaw)


def _refusal(server: Server, reply: Reply, objection: Flaw | SignatureRefused) -> ServerError:
    if isinstance(objection, Flaw):
        return ServerError(
            f"{server}: {objection.value} (it says {told(reply)})",
            hint="the server may not know TSIG, or something between you and it changes messages",
        )
    return ServerError(
        f"{server} refused the signature: {objection.error_text}; {told(reply)}",
        hint=_signature_hint(objection),
    )


def _signature_hint(refusal: SignatureRefused) -> str:
    match refusal.error:
        case dns.rcode.BADKEY:
            return "the line of this key, with this algorithm, belongs into a key file of the repository"
        case dns.rcode.BADSIG:
            return "the server has another secret for the key of this name"
        case dns.rcode.BADTIME if refusal.server_time is not None:
            return f"set the clocks right: they differ by {abs(refusal.server_time - int(time.time()))} s"
        case _:
            return "set the clocks right, and look into the server's log"
