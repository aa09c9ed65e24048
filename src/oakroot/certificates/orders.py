"""What an ACME authority says, as values: orders, authorizations, challenges, problems (RFC 8555 §7.1).

They are read from JSON that a stranger wrote: what has another shape than it should raises
MalformedAnswerError. Nothing here asks anybody anything, and nothing decides what follows.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime

import dns.name

from oakroot.certificates.names import read_name
from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen

_ERROR_PREFIX = "urn:ietf:params:acme:error:"
_TEXT_LIMIT = 500
DNS_CHALLENGE = "dns-01"
PERSISTENT_CHALLENGE = "dns-persist-01"


class MalformedAnswerError(Exception):
    """The authority's answer is not what RFC 8555 says."""


class Status(enum.Enum):
    """Where an order, an authorization or a challenge stands (RFC 8555 §7.1.6)."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Fault(enum.Enum):
    """What a problem means for those who meet it."""

    UNAVAILABLE = "unavailable"
    """The authority cannot be reached or is not well: later the same may work."""
    RATE_LIMITED = "rate-limited"
    """It was asked too often."""
    ACCOUNT = "account"
    """It does not know the account, or will not work for it."""
    REFUSED = "refused"
    """It will not do this, now or later."""


_FAULTS = {
    "rateLimited": Fault.RATE_LIMITED,
    "accountDoesNotExist": Fault.ACCOUNT,
    "unauthorized": Fault.ACCOUNT,
    "externalAccountRequired": Fault.ACCOUNT,
    "userActionRequired": Fault.ACCOUNT,
    "serverInternal": Fault.UNAVAILABLE,
    "badNonce": Fault.UNAVAILABLE,
}


@frozen
class Problem:
    """Why the authority did not do what was asked, in its own words."""

    fault: Fault
    code: str
    text: str
    retry_after: float | None = None
    """Seconds for which it does not want to be asked again."""

    def __str__(self) -> str:
        return self.text


@frozen
class Challenge:
    """One way to prove that a name is ours."""

    kind: str
    url: str
    status: Status
    token: str = ""
    issuers: tuple[str, ...] = ()
    """For dns-persist-01: the names of the authority that the record may carry."""
    problem: Problem | None = None


@frozen
class Authorization:
    """The proof that is wanted for one name."""

    url: str
    name: dns.name.Name
    """Without `*`."""
    wildcard: bool
    status: Status
    challenges: tuple[Challenge, ...]

    def challenge(self, kind: str) -> Challenge | None:
        """The challenge of this kind, if it is offered."""
        return next((challenge for challenge in self.challenges if challenge.kind == kind), None)


@frozen
class Order:
    """A request for one certificate."""

    url: str
    status: Status
    names: frozenset[dns.name.Name]
    authorization_urls: tuple[str, ...]
    finalize_url: str
    certificate_url: str | None = None
    problem: Problem | None = None
    authorizations: tuple[Authorization, ...] = ()
    """Where they were asked for."""
    retry_after: float | None = None
    """Seconds after which it is worth looking again."""


@frozen
class Offer:
    """What an authority says of itself, and the account that it knows us by."""

    account: str
    thumbprint: str
    identities: tuple[str, ...] = ()
    """Names that CAA records may allow it by."""
    profiles: Mapping[str, str] | None = None
    """Kinds of certificates and what they are; None where it knows no profiles."""
    has_renewal_info: bool = False
    hash_prefix: str | None = None
    """Where it wants accounts hashed in records of dns-persist-01: what those names begin with."""


@frozen
class RenewalWindow:
    """When the authority would like a certificate to be renewed (RFC 9773); times are seconds since 1970."""

    start: float
    end: float
    retry_after: float
    explanation: str | None = None


def read_order(body: object, url: str, retry_after: float | None = None) -> Order:
    """An order (RFC 8555 §7.1.3)."""
    order = _members(body)
    identifiers = [_members(each) for each in _list(order, "identifiers")]
    certificate = order.get("certificate")
    return Order(
        url=url,
        status=_status(order),
        names=frozenset(_name(_text(each, "value")) for each in identifiers if each.get("type") == "dns"),
        authorization_urls=tuple(_url(each) for each in _list(order, "authorizations")),
        finalize_url=_url(order.get("finalize")),
        certificate_url=None if certificate is None else _url(certificate),
        problem=_problem_of(order),
        retry_after=retry_after,
    )


def read_authorization(body: object, url: str) -> Authorization:
    """An authorization (RFC 8555 §7.1.4); challenges of kinds without a URL are left out."""
    authorization = _members(body)
    return Authorization(
        url=url,
        name=_name(_text(_members(authorization.get("identifier")), "value")),
        wildcard=authorization.get("wildcard") is True,
        status=_status(authorization),
        challenges=tuple(_challenge(each) for each in _list(authorization, "challenges")),
    )


def _challenge(body: object) -> Challenge:
    challenge = _members(body)
    token, issuers = challenge.get("token"), challenge.get("issuer-domain-names")
    return Challenge(
        kind=_text(challenge, "type"),
        url=_url(challenge.get("url")),
        status=_status(challenge),
        token=token if isinstance(token, str) else "",
        issuers=tuple(each for each in issuers if isinstance(each, str)) if isinstance(issuers, list) else (),
        problem=_problem_of(challenge),
    )


def read_problem(body: object, http_status: int, retry_after: float | None = None) -> Problem:
    """A problem document (RFC 7807), or the lack of one, with what it means."""
    members = body if isinstance(body, dict) else {}
    kind = members.get("type")
    code = kind.removeprefix(_ERROR_PREFIX) if isinstance(kind, str) else f"HTTP {http_status}"
    detail = members.get("detail")
    text = _plain(detail) if isinstance(detail, str) and detail else f"HTTP status {http_status}"
    for sub in members.get("subproblems") or ():
        text += _subproblem(sub)
    fault = _FAULTS.get(code)
    if fault is None or (fault is Fault.REFUSED and http_status >= 500):  # noqa: PLR2004 - RFC 9110 §15.6
        fault = _fault_of_status(http_status)
    return Problem(fault, code, f"{text} ({code})"[:_TEXT_LIMIT], retry_after)


def _fault_of_status(http_status: int) -> Fault:
    if http_status == 429:  # noqa: PLR2004 - RFC 6585 §4
        return Fault.RATE_LIMITED
    return Fault.UNAVAILABLE if http_status >= 500 else Fault.REFUSED  # noqa: PLR2004 - RFC 9110 §15.6


def _subproblem(body: object) -> str:
    if not isinstance(body, dict):
        return ""
    identifier = body.get("identifier")
    name = identifier.get("value") if isinstance(identifier, dict) else None
    return f"; {_plain(str(name))}: {_plain(str(body.get('detail')))}"


def _problem_of(members: Mapping[str, object]) -> Problem | None:
    """The member `error` of a thing that failed."""
    error = members.get("error")
    if not isinstance(error, dict):
        return None
    status = error.get("status")
    # Inside an order or a challenge `unauthorized` speaks of the proof, not of the account.
    problem = read_problem(error, status if isinstance(status, int) else 400)
    fault = Fault.REFUSED if problem.fault is Fault.ACCOUNT else problem.fault
    return Problem(fault, problem.code, problem.text)


def read_renewal_window(body: object, retry_after: float) -> RenewalWindow:
    """What the authority suggests (RFC 9773 §4.2)."""
    info = _members(body)
    window = _members(info.get("suggestedWindow"))
    start, end = (_time(_text(window, member)) for member in ("start", "end"))
    if end < start:
        raise MalformedAnswerError("the suggested window ends before it begins")
    explanation = info.get("explanationURL")
    return RenewalWindow(
        start, end, retry_after, _plain(explanation) if isinstance(explanation, str) else None
    )


def _members(body: object) -> Mapping[str, object]:
    if not isinstance(body, dict):
        raise MalformedAnswerError("the answer is no JSON object where one belongs")
    return body


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedAnswerError(f"the answer has no text {name!r}")
    return value


def _list(members: Mapping[str, object], name: str) -> Sequence[object]:
    value = members.get(name)
    if not isinstance(value, list):
        raise MalformedAnswerError(f"the answer has no list {name!r}")
    return value


def _url(value: object) -> str:
    # RFC 8555 §6.1: HTTPS is required.
    if not isinstance(value, str) or not value.startswith("https://"):
        raise MalformedAnswerError("the answer lacks an https URL where one belongs")
    return value


def _status(members: Mapping[str, object]) -> Status:
    try:
        return Status(_text(members, "status"))
    except ValueError:
        raise MalformedAnswerError("the answer has a status that RFC 8555 does not know") from None


def _name(text: str) -> dns.name.Name:
    try:
        return read_name(text)
    except RejectedError as error:
        raise MalformedAnswerError(error.message) from None


def _time(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedAnswerError(f"{text[:40]!r} is no point in time") from None
    if moment.tzinfo is None:
        raise MalformedAnswerError(f"{text[:40]!r} lacks its time zone")
    return moment.timestamp()


def _plain(text: str) -> str:
    """A stranger's words on one line, without what a terminal would obey."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
