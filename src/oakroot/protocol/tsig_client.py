"""TSIG at the client: signing a request, and whether what comes back is from who was asked (RFC 8945 §5.4).

Any octets whatever give a verdict; an exception is a bug.
"""

from __future__ import annotations

import enum
import hmac
from dataclasses import replace

import dns.rcode

from oakroot.frozen import frozen
from oakroot.keys.key import Key
from oakroot.protocol.tsig_record import (
    FUDGE,
    FoundTsig,
    append_tsig,
    compute_following_mac,
    compute_mac,
    find_tsig_of,
    make_rdata,
)
from oakroot.protocol.wire import MalformedError, read_header

# RFC 8945 §5.3.1: a server signs at least every hundredth message.
_UNSIGNED_LIMIT = 99
_OTHER_TIME_LENGTH = 6
_ERROR_NAMES = {16: "BADSIG", 17: "BADKEY", 18: "BADTIME", 22: "BADTRUNC"}


@frozen
class ReplyExpectation:
    """What the next message from the server is checked against."""

    key: Key
    prior_mac: bytes
    following: bool = False
    unsigned: tuple[bytes, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether all messages so far are covered by a signature; a chain must not end before that is so."""
        return self.following and not self.unsigned


class Flaw(enum.Enum):
    """Why a message is not to be believed."""

    MALFORMED = "the reply is malformed"
    UNSIGNED = "the reply is not signed"
    OTHER_KEY = "the reply is signed with another key"
    WRONG_MAC = "the reply's signature is wrong"
    WRONG_TIME = "the reply was signed at another time than now; one of the clocks is wrong"


@frozen
class Authentic:
    """A message from the server: without its TSIG record, and what to check the next one against.

    In a chain this may be an unsigned message between signed ones; `following.is_settled` tells.
    """

    message: bytes
    following: ReplyExpectation


@frozen
class Unauthentic:
    """A message that anybody may have sent."""

    flaw: Flaw


@frozen
class SignatureRefused:
    """The server would not take our signature. Only an `authentic` one is certainly from the server."""

    error: int
    authentic: bool
    server_time: int | None = None

    @property
    def error_text(self) -> str:
        """The TSIG error as it is spoken of."""
        return _ERROR_NAMES.get(self.error, str(self.error))


ReplyVerdict = Authentic | Unauthentic | SignatureRefused


def sign_request(wire: bytes, key: Key, now: int, fudge: int = FUDGE) -> tuple[bytes, ReplyExpectation]:
    """The request with its signature, and what its reply is checked against."""
    rdata = make_rdata(key.algorithm.octets, now, read_header(wire).identifier, fudge=fudge)
    mac = compute_mac(wire, key, rdata)
    return append_tsig(wire, key.name, rdata, mac), ReplyExpectation(key, mac)


def verify_reply(wire: bytes, expected: ReplyExpectation, now: int) -> ReplyVerdict:
    """Judges the next message from the server, of any octets."""
    try:
        found = find_tsig_of(wire, expected.key)
    except MalformedError:
        return Unauthentic(Flaw.MALFORMED)
    if found is None:
        return _judge_unsigned(wire, expected)
    return _judge_signed(found, expected, now)


def _judge_signed(found: FoundTsig, expected: ReplyExpectation, now: int) -> ReplyVerdict:
    key = expected.key
    if found.owner != key.name or found.rdata.algorithm != key.algorithm.octets:
        return Unauthentic(Flaw.OTHER_KEY)
    is_right = hmac.compare_digest(_expected_mac(found, expected), found.rdata.mac)
    if found.rdata.error != 0:
        return _read_refusal(found, authentic=is_right)
    if not is_right:
        return Unauthentic(Flaw.WRONG_MAC)
    if abs(now - found.rdata.time_signed) > found.rdata.fudge:
        return Unauthentic(Flaw.WRONG_TIME)
    following = replace(expected, prior_mac=found.rdata.mac, following=True, unsigned=())
    return Authentic(found.message, following)


def _judge_unsigned(wire: bytes, expected: ReplyExpectation) -> Authentic | Unauthentic:
    if not expected.following or len(expected.unsigned) >= _UNSIGNED_LIMIT:
        return Unauthentic(Flaw.UNSIGNED)
    return Authentic(wire, replace(expected, unsigned=(*expected.unsigned, wire)))


def _expected_mac(found: FoundTsig, expected: ReplyExpectation) -> bytes:
    if not expected.following:
        return compute_mac(found.message, expected.key, found.rdata, expected.prior_mac)
    return compute_following_mac(
        found.message, expected.key, found.rdata, expected.prior_mac, expected.unsigned
    )


def _read_refusal(found: FoundTsig, *, authentic: bool) -> SignatureRefused:
    """BADKEY and BADSIG come without a MAC, BADTIME with the server's time in Other Data (RFC 8945 §5.2)."""
    server_time = None
    if found.rdata.error == dns.rcode.BADTIME and len(found.rdata.other) == _OTHER_TIME_LENGTH:
        server_time = int.from_bytes(found.rdata.other)
    return SignatureRefused(found.rdata.error, authentic, server_time)
