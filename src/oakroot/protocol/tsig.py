"""TSIG at the server: whether a request is signed and by whom, and the signing of replies (RFC 8945).

The checks run in the order of §5.2: key, MAC, time, truncation. Any octets whatever give a verdict; an
exception is a bug. Replays within the fudge are not told apart: what a signed request asks for must do no
harm when done twice.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

import dns.edns
import dns.name
import dns.rcode

from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.keys.keyring import GrantedKey, Keyring
from oakroot.protocol.message import ExtendedError, response
from oakroot.protocol.tsig_record import (
    FUDGE,
    FoundTsig,
    append_tsig,
    compute_following_mac,
    compute_mac,
    find_tsig,
    make_rdata,
    tsig_length,
)
from oakroot.protocol.wire import MalformedError, read_header, read_name

__all__ = [
    "Refused",
    "ReplyContext",
    "Unsigned",
    "Verdict",
    "Verified",
    "sign_next",
    "sign_reply",
    "tsig_length",
    "verify",
]

_SHORTEST_MAC = 10
_OTHER_TIME_LENGTH = 6


@frozen
class ReplyContext:
    """What the signature of a reply depends on."""

    key: Key
    prior_mac: bytes
    fudge: int = FUDGE
    following: bool = False

    @property
    def reserve(self) -> int:
        """Octets to leave free in a reply for its signature."""
        return tsig_length(self.key)


@frozen
class Unsigned:
    """A well-formed message without TSIG."""


@frozen
class Verified:
    """A request signed by a key we know; `query` is the message without its TSIG record.

    The query keeps the identifier it came with, which is where its sender waits: a forwarder may have
    replaced the original one, which the digest is over (RFC 8945 §5.5).
    """

    query: bytes
    signer: GrantedKey
    context: ReplyContext
    original_id: int


@frozen
class Refused:
    """A request to go no further with: `response` is ready to send (None: silence), `reason` is for the log.

    `error` is the TSIG error, or FORMERR; `key` the name it was signed under, if there is such a key here.
    """

    response: bytes | None
    error: int
    reason: str
    key: dns.name.Name | None = None


Verdict = Unsigned | Verified | Refused


def verify(wire: bytes, keyring: Keyring, now: int) -> Verdict:
    """Judges a request of any octets; `now` is the time in seconds since 1970."""
    try:
        found = find_tsig(wire)
    except MalformedError as error:
        return _format_error(wire, str(error))
    return Unsigned() if found is None else _judge_key(wire, found, keyring, now)


def _judge_key(wire: bytes, found: FoundTsig, keyring: Keyring, now: int) -> Verified | Refused:
    signer = keyring.find(found.owner)
    if signer is None:
        unknown = found.owner.to_text(omit_final_dot=True)
        return _refuse_unsigned(wire, found, dns.rcode.BADKEY, f"the key {unknown} is not known here", now)
    if found.rdata.algorithm != signer.key.algorithm.octets:
        theirs, _ = read_name(found.rdata.algorithm, 0)
        reason = f"the key {signer.key.text} is for {signer.key.algorithm.text}, not {theirs}"
        refused = _refuse_unsigned(wire, found, dns.rcode.BADKEY, reason, now)
        return replace(refused, key=signer.key.name)
    judged = _judge_mac(wire, found, signer, now)
    return replace(judged, key=signer.key.name) if isinstance(judged, Refused) else judged


def _judge_mac(wire: bytes, found: FoundTsig, signer: GrantedKey, now: int) -> Verified | Refused:
    key, length = signer.key, len(found.rdata.mac)
    whole = key.algorithm.digest_length
    if not max(_SHORTEST_MAC, whole // 2) <= length <= whole:
        return _format_error(wire, f"the MAC has {length} octets, which {key.algorithm.text} cannot have")
    expected = compute_mac(found.message, key, found.rdata)
    if not hmac.compare_digest(expected[:length], found.rdata.mac):
        reason = f"the signature is wrong: the secret of {key.text} differs, or the message was changed"
        return _refuse_unsigned(wire, found, dns.rcode.BADSIG, reason, now)
    return _judge_time(wire, found, signer, now)


def _judge_time(wire: bytes, found: FoundTsig, signer: GrantedKey, now: int) -> Verified | Refused:
    """The checks behind the MAC: it was right, so these refusals are signed (§5.3.2)."""
    context = ReplyContext(signer.key, found.rdata.mac, found.rdata.fudge)
    late = now - found.rdata.time_signed
    # A longer fudge than is usual would let a captured message be sent again for as long.
    if abs(late) > min(found.rdata.fudge, FUDGE):
        relation = "behind" if late > 0 else "ahead of"
        reason = f"the signer's clock is {abs(late)} s {relation} ours, or the message was held up on its way"
        return _refuse_signed(wire, context, dns.rcode.BADTIME, reason, now, found.rdata.time_signed)
    if len(found.rdata.mac) < signer.key.algorithm.digest_length:
        reason = f"the MAC is truncated to {len(found.rdata.mac)} octets; only whole ones are taken"
        return _refuse_signed(wire, context, dns.rcode.BADTRUNC, reason, now)
    return Verified(found.message, signer, context, found.rdata.original_id)


def sign_reply(wire: bytes, context: ReplyContext, now: int) -> bytes:
    """The reply with its signature; raises ValueError unless `context.reserve` octets were left free."""
    return _sign(wire, context, now)[0]


def sign_next(wire: bytes, context: ReplyContext, now: int) -> tuple[bytes, ReplyContext]:
    """A message of a reply of many, signed, and the context for the next one (RFC 8945 §5.3.1).

    Every message of a transfer is signed: there are clients that cannot do with less.
    """
    signed, mac = _sign(wire, context, now)
    return signed, replace(context, prior_mac=mac, following=True)


def _sign(wire: bytes, context: ReplyContext, now: int) -> tuple[bytes, bytes]:
    """The message with its signature, and the MAC in that."""
    rdata = make_rdata(context.key.algorithm.octets, now, read_header(wire).identifier, fudge=context.fudge)
    compute = compute_following_mac if context.following else compute_mac
    mac = compute(wire, context.key, rdata, context.prior_mac)
    return append_tsig(wire, context.key.name, rdata, mac), mac


def _format_error(wire: bytes, reason: str) -> Refused:
    return Refused(response(wire, dns.rcode.FORMERR, extended=_told(reason)), dns.rcode.FORMERR, reason)


def _refuse_unsigned(wire: bytes, found: FoundTsig, error: int, reason: str, now: int) -> Refused:
    """NOTAUTH with a TSIG record that has no MAC: nobody proved to share a key with us (§5.2.1, §5.2.2)."""
    theirs = found.rdata
    rdata = make_rdata(theirs.algorithm, now, read_header(wire).identifier, fudge=theirs.fudge, error=error)
    reserve = len(append_tsig(bytes(12), found.owner, rdata, b"")) - 12
    bare = response(wire, dns.rcode.NOTAUTH, extended=_told(reason), reserve=reserve)
    return Refused(bare and append_tsig(bare, found.owner, rdata, b""), error, reason)


def _refuse_signed(
    wire: bytes, context: ReplyContext, error: int, reason: str, now: int, time_signed: int | None = None
) -> Refused:
    """NOTAUTH, signed. BADTIME repeats the peer's time, for it to verify by, and tells ours (§5.2.3)."""
    key = context.key
    rdata = make_rdata(
        key.algorithm.octets,
        now if time_signed is None else time_signed,
        read_header(wire).identifier,
        fudge=context.fudge,
        error=error,
        other=b"" if time_signed is None else now.to_bytes(_OTHER_TIME_LENGTH),
    )
    reserve = tsig_length(key, len(rdata.other))
    bare = response(wire, dns.rcode.NOTAUTH, extended=_told(reason), reserve=reserve)
    if bare is None:
        return Refused(None, error, reason)
    mac = compute_mac(bare, key, rdata, context.prior_mac)
    return Refused(append_tsig(bare, key.name, rdata, mac), error, reason)


def _told(reason: str) -> ExtendedError:
    return ExtendedError(dns.edns.EDECode.OTHER, reason)
