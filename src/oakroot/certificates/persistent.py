"""The record of dns-persist-01: a TXT at `_validation-persist.HOST` that lets one account have certificates.

    "letsencrypt.org; accounturi=https://ca.example/acct/1; policy=wildcard; persistUntil=1798761600"

The syntax is that of CAA's issue property (RFC 8659 §4.2), the meaning that of draft-ietf-acme-dns-persist.
Its first versions, which authorities have deployed, name the account by its URL; since version 02 a hash
does, which also tells no stranger that two domains belong together. Both are read and written here.

What must not live here: the network, and names of records (`names.persistent_name`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable

import dns.name

from oakroot._engine import wire_rdata
from oakroot.certificates.names import is_wildcard, without_wildcard, write_name
from oakroot.certificates.rejected import RejectedError
from oakroot.frozen import frozen

ANY_DOMAIN = "*"
"""Hashed instead of a domain, for one record that is good at every name."""

_SPACE = " \t"
_STRING_LIMIT = 255
_WARNING = 30 * 86400
_NAME_LIMIT = 253
_ISSUER = re.compile(r"(?i)[a-z0-9]+(-+[a-z0-9]+)*(\.[a-z0-9]+(-+[a-z0-9]+)*)*\Z")
_TAG = re.compile(r"(?i)[a-z0-9]+(-+[a-z0-9]+)*\Z")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*\Z")
_NUMBER = re.compile(r"[0-9]+\Z")
_ACCOUNT, _POLICY, _UNTIL = "accounturi", "policy", "persistUntil"
_WILDCARD = "wildcard"


@frozen
class PersistentRecord:
    """Permission for an account of an authority to have certificates for the name where the record stands.

    `issuer`: the authority's own domain name. `wildcard`: also for all names below. `until`: seconds since
    1970 after which the authority does not take it any more. `other`: parameters that mean nothing here.
    An invalid one cannot be built: RejectedError.
    """

    issuer: str
    account: str
    wildcard: bool = False
    until: int | None = None
    other: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if (
            not _ISSUER.match(self.issuer)
            or len(self.issuer) > _NAME_LIMIT
            or self.issuer.lower() != self.issuer
        ):
            raise _rejected(
                "issuer",
                f"{self.issuer!r} is no domain name of an authority",
                "write it as the authority's documents do, such as letsencrypt.org",
            )
        if not self.account or not _VALUE.match(self.account):
            raise _rejected(
                "account",
                f"{self.account!r} is no account's URL",
                "it is the URL that the authority gave the account when that was made",
            )
        if self.until is not None and self.until < 0:
            raise _rejected("until", "persistUntil is before 1970", "give a time to come")
        for tag, value in self.other:
            _require_parameter(tag, value)
        tags = [_ACCOUNT, _UNTIL, *([_POLICY] if self.wildcard else []), *(tag for tag, _ in self.other)]
        if len(set(tags)) < len(tags):
            raise _rejected("parameter", "a parameter is there twice", "leave one of them")

    def authorizes(self, at: dns.name.Name, wanted: dns.name.Name, now: float) -> bool:
        """Whether the record, standing at the host `at`, lets its account have a certificate for `wanted`."""
        if self.until is not None and now > self.until:
            return False
        return wanted.is_subdomain(at) if self.wildcard else wanted == at


def read_persistent(text: str) -> PersistentRecord:
    """Reads the text of a TXT record, its strings joined; RejectedError for what no authority takes."""
    issuer, *rest = text.split(";")
    parameters = dict(_read_parameters(rest))
    account = parameters.pop(_ACCOUNT, None)
    if account is None:
        raise _rejected("account", "it names no account", f"{_ACCOUNT}= is wanted, with the account's URL")
    policy = parameters.pop(_POLICY, "")
    until = parameters.pop(_UNTIL, None)
    if until is not None and not _NUMBER.match(until):
        raise _rejected("until", f"{_UNTIL}={until} is no time", "write it as seconds since 1970")
    other = tuple(parameters.items())
    if policy and policy.lower() != _WILDCARD:
        # An authority goes on as if it were not there; who rewrites the record must not lose it.
        other = ((_POLICY, policy), *other)
    return PersistentRecord(
        issuer.strip(_SPACE).lower(),
        account,
        policy.lower() == _WILDCARD,
        None if until is None else int(until),
        other,
    )


def write_persistent(record: PersistentRecord) -> str:
    """The text of the TXT record, to be cut into strings."""
    parameters = [(_ACCOUNT, record.account)]
    if record.wildcard:
        parameters.append((_POLICY, _WILDCARD))
    if record.until is not None:
        parameters.append((_UNTIL, str(record.until)))
    return "; ".join([record.issuer, *(f"{tag}={value}" for tag, value in [*parameters, *record.other])])


def write_strings(text: str) -> str:
    """RDATA of a TXT record that holds this text of ASCII, in as many strings as it needs."""
    parts = [text[at : at + _STRING_LIMIT] for at in range(0, len(text), _STRING_LIMIT)] or [""]
    return " ".join('"{}"'.format(part.replace("\\", "\\\\").replace('"', '\\"')) for part in parts)


def read_strings(rdata: str) -> str:
    """The text in RDATA of a TXT record, its strings joined; what is no ASCII is replaced."""
    octets, at, strings = wire_rdata("TXT", rdata), 0, []
    while at < len(octets):
        end = at + 1 + octets[at]
        strings.append(octets[at + 1 : end])
        at = end
    return b"".join(strings).decode("ascii", "replace")


@frozen
class Audited:
    """One record as it was found at a host; None where the text is no such record."""

    host: dns.name.Name
    text: str
    record: PersistentRecord | None
    problems: tuple[str, ...]


def audit(host: dns.name.Name, text: str, accounts: Collection[str], now: float) -> Audited:
    """What is to be said against a record. `accounts`: those that are known, where anybody knows them."""
    try:
        record = read_persistent(text)
    except RejectedError as error:
        return Audited(host, text, None, (f"no authority takes it: {error.message}",))
    problems = []
    if record.until is not None and now > record.until:
        problems.append("it has ended: certificates cannot be renewed by it any more")
    elif record.until is not None and now > record.until - _WARNING:
        problems.append("it ends within 30 days")
    if accounts and record.account not in accounts:
        problems.append("the account is none of those that are known")
    return Audited(host, text, record, tuple(problems))


@frozen
class Account:
    """An ACME account, as records may name it. None of this is secret.

    `thumbprint`: of the account's key (RFC 7638), in base64url. `hash_prefix`: `accountHashPrefix` of the
    authority's directory, for authorities that want the account hashed.
    """

    issuers: tuple[str, ...]
    url: str
    thumbprint: str | None = None
    hash_prefix: str | None = None

    def names_at(self, host: dns.name.Name) -> tuple[str, ...]:
        """How a record at this host may name the account, the way the authority prefers first."""
        if self.thumbprint is None or self.hash_prefix is None:
            return (self.url,)
        domains = (write_name(host), ANY_DOMAIN)
        hashed = (hash_account(self.hash_prefix, domain, self.thumbprint, self.url) for domain in domains)
        return (*hashed, self.url)


def hash_account(prefix: str, domain: str, thumbprint: str, url: str) -> str:
    """The URI that stands for an account at a domain, or at `ANY_DOMAIN` (version 02 of the draft, §4.1)."""
    name = domain.encode("ascii")
    digest = hashlib.sha256(
        bytes([len(name)]) + name + thumbprint.encode("ascii") + url.encode("ascii")
    ).digest()
    return f"{prefix}sha-256/{base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def find_permission(
    texts: Iterable[str], wanted: dns.name.Name, account: Account, now: float
) -> PersistentRecord | None:
    """The record among those of the host of `wanted` that lets the account have a certificate for it.

    Authorities look at the host itself and need look nowhere else, so records of names above do not count.
    Texts that are no such record belong to somebody else and do no harm.
    """
    host = without_wildcard(wanted)
    for text in texts:
        try:
            record = read_persistent(text)
        except RejectedError:
            continue
        is_ours = record.issuer in account.issuers and record.account in account.names_at(host)
        is_enough = record.wildcard or not is_wildcard(wanted)
        if is_ours and is_enough and record.authorizes(host, host, now):
            return record
    return None


def _read_parameters(texts: list[str]) -> Iterable[tuple[str, str]]:
    seen = set()
    for number, text in enumerate(texts, start=1):
        stripped = text.strip(_SPACE)
        if not stripped and number == len(texts):
            continue  # RFC 8659 §4.2 has nothing behind the last semicolon, but authorities pass over one
        tag, equals, value = stripped.partition("=")
        tag, value = tag.rstrip(_SPACE), value.lstrip(_SPACE)
        if not equals:
            raise _rejected("parameter", f"{stripped!r} is no parameter", "parameters are TAG=VALUE")
        _require_parameter(tag, value)
        if tag in seen:
            raise _rejected("parameter", f"{tag} is there twice", "leave one of them")
        seen.add(tag)
        yield tag, value


def _require_parameter(tag: str, value: str) -> None:
    if not _TAG.match(tag) or not _VALUE.match(value):
        raise _rejected(
            "parameter",
            f"{tag}={value} is no parameter",
            "a tag is letters, digits and hyphens; a value has no spaces and no semicolons",
        )


def _rejected(part: str, message: str, hint: str) -> RejectedError:
    return RejectedError(f"persistent-{part}", message, hint)
