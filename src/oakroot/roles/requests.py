"""Requests with their signatures judged, and replies signed as the requests were.

What must not live here: what is answered. Data is the engine's business, all else that of the role.
"""

from __future__ import annotations

import dns.rcode

from oakroot._engine import Catalogue
from oakroot.frozen import frozen
from oakroot.keys.keyring import GrantedKey, Keyring
from oakroot.protocol.tsig import Refused, ReplyContext, Unsigned, sign_reply, verify
from oakroot.roles.events import KeyUsed, Moment, Request, SendReply, SignatureRefused


@frozen
class Signature:
    """Whose signature a request bore, what a signed reply needs, and the identifier that was signed."""

    signer: GrantedKey
    context: ReplyContext
    original_id: int


@frozen
class Asked:
    """A request whose signature, if it has one, was good; `query` is without it."""

    request: Request
    query: bytes
    signature: Signature | None

    @property
    def reserve(self) -> int:
        """Octets that a reply leaves free for its own signature."""
        return 0 if self.signature is None else self.signature.context.reserve

    @property
    def signer(self) -> GrantedKey | None:
        """Whose signature it bore."""
        return None if self.signature is None else self.signature.signer


def judge_signature(request: Request, keyring: Keyring, now: Moment) -> Asked | Refused:
    """The request without its signature; Refused, if that was wrong, is the answer to it."""
    match verify(request.wire, keyring, int(now.wall)):
        case Refused() as refused:
            return refused
        case Unsigned():
            return Asked(request, request.wire, None)
        case verified:
            signature = Signature(verified.signer, verified.context, verified.original_id)
            return Asked(request, verified.query, signature)


def name_of(asked: Asked) -> str | None:
    """The name of the key that it was signed with, for the log."""
    return None if asked.signer is None else asked.signer.key.text


def note_signature(judged: Asked | Refused) -> tuple[KeyUsed | SignatureRefused, ...]:
    """What is to be counted of a request's signature."""
    if isinstance(judged, Asked):
        return () if judged.signer is None else (KeyUsed(judged.signer.key.name),)
    is_signature = judged.error != dns.rcode.FORMERR or judged.key is not None
    return (SignatureRefused(judged.key, judged.error),) if is_signature else ()


def answer(asked: Asked, catalogue: Catalogue) -> bytes | None:
    """What the engine answers: ordinary queries come to a role for their signature alone."""
    return catalogue.answer(
        asked.query,
        transport=asked.request.transport,
        source=asked.request.peer[0],
        reserve=asked.reserve,
    )


def reply(asked: Asked, wire: bytes | None, now: Moment) -> tuple[SendReply, ...]:
    """The reply, signed if the request was; nothing where there is none."""
    if wire is not None and asked.signature is not None:
        wire = sign_reply(wire, asked.signature.context, int(now.wall))
    return send(asked.request, wire)


def send(request: Request, wire: bytes | None) -> tuple[SendReply, ...]:
    """The octets as they are; nothing where there are none."""
    return () if wire is None else (SendReply(request, wire),)
