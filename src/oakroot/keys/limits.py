"""How the name of a key narrows what it may update: labels that begin with `_`, directly left of `_update`.

    laptop._acme-challenge._update.www.example.org    TXT at names that begin with _acme-challenge
    laptop._only-a-aaaa._update.www.example.org       records of these types alone
    laptop._not-ns-soa._update.example.org            records of all types but these
    laptop._exact._update.www.example.org             the name itself, and nothing below it
    laptop._below._update.hosts.example.org           what is below the name, and not itself

One limit of names and one of types go together. Such a key may do nothing else: neither transfer nor notify.
A label that might be meant as a limit and is none is refused, since a key with it would be wider than meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import pairwise

import dns.name
import dns.rdatatype

from oakroot._engine import type_number
from oakroot.frozen import frozen
from oakroot.keys.rejected import KeyRejectedError

ACME_CHALLENGE = b"_acme-challenge"
"""The label of names that an ACME authority looks for a TXT record at (RFC 8555 §8.4)."""

_EXACT, _BELOW, _ONLY, _NOT = b"_exact", b"_below", b"_only-", b"_not-"
# Those for questions and for messages, which no zone holds (RFC 6895 §3.1), and OPT.
_META_TYPES = frozenset({0, 41, *range(128, 256)})
_HINT = (
    "limits stand directly left of _update: _acme-challenge, _only-TYPE-TYPE…, _not-TYPE-TYPE…, _exact"
    " or _below; free words do not begin with _"
)


@frozen
class Limits:
    """What a key for updates may change at its zone and below. What is not said is not limited."""

    only: frozenset[int] | None = None
    """The numbers of the types that it may change."""
    never: frozenset[int] = frozenset()
    """The numbers of types that it may not change."""
    is_exact: bool = False
    """Only the name itself."""
    is_below: bool = False
    """Only names below it."""
    is_acme: bool = False
    """Only names that begin with `_acme-challenge`."""

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return self != NO_LIMITS

    def admit_name(self, name: dns.name.Name, zone: dns.name.Name) -> bool:
        """Whether records of this name, which is the zone or below it, may change at all."""
        if self.is_exact or self.is_below:
            return (name == zone) is self.is_exact
        return not self.is_acme or name.labels[0].lower() == ACME_CHALLENGE

    def admit_type(self, rtype: int | None) -> bool:
        """Whether records of a type may change; None: of all types at once."""
        if rtype is None:
            return self.only is None and not self.never
        return rtype not in self.never and (self.only is None or rtype in self.only)

    @property
    def labels(self) -> tuple[bytes, ...]:
        """As they stand in a key's name."""
        if self.is_acme:
            return (ACME_CHALLENGE,)
        found = [_EXACT] if self.is_exact else [_BELOW] if self.is_below else []
        if self.only is not None:
            found.append(_ONLY + b"-".join(map(_label_of, sorted(self.only))))
        if self.never:
            found.append(_NOT + b"-".join(map(_label_of, sorted(self.never))))
        return tuple(found)

    def __str__(self) -> str:
        """In words; nothing where nothing is limited."""
        names = "the name alone" if self.is_exact else "names below" if self.is_below else ""
        if self.is_acme:
            names = "_acme-challenge names"
        types = "" if self.only is None else _listed(self.only)
        if self.never:
            types = f"all but {_listed(self.never)}"
        return ", ".join(part for part in (types, names) if part)


NO_LIMITS = Limits()
ACME_LIMITS = Limits(only=frozenset({16}), is_acme=True)


def is_like_limit(label: bytes) -> bool:
    """Whether a label, in lower case, can only be meant as a limit."""
    return label in (_EXACT, _BELOW) or label.startswith((_ONLY, _NOT))


def is_nearly_limit(label: bytes) -> bool:
    """Whether a free word, in lower case, would be a limit if it began with `_`."""
    try:
        return bool(_read_limit(b"_" + label))
    except KeyRejectedError:
        return False


def read_limits(labels: Sequence[bytes], is_operation: Callable[[bytes], bool]) -> Limits:
    """The limits among the labels left of `_update`, in lower case; raises KeyRejectedError."""
    free = len(labels)
    while free and labels[free - 1].startswith(b"_") and not is_operation(labels[free - 1]):
        free -= 1
    if any(label.startswith(b"_") and not is_operation(label) for label in labels[:free]):
        raise _rejected("a label that begins with _ stands left of free words in the key's name")
    return reduce(_and, map(_read_limit, labels[free:]), NO_LIMITS)


def types_limit(words: Iterable[bytes]) -> frozenset[int]:
    """The numbers of types by their names; raises KeyRejectedError for what is no type of records."""
    return frozenset(map(_read_type, words))


def _read_limit(label: bytes) -> Limits:
    if label == ACME_CHALLENGE:
        return ACME_LIMITS
    if label == _EXACT:
        return Limits(is_exact=True)
    if label == _BELOW:
        return Limits(is_below=True)
    if label.startswith(_ONLY):
        return Limits(only=_read_types(label.removeprefix(_ONLY)))
    if label.startswith(_NOT):
        return Limits(never=_read_types(label.removeprefix(_NOT)))
    raise _rejected("a limit left of _update in the key's name is not known")


def _and(one: Limits, other: Limits) -> Limits:
    """Both limits, which must not speak of the same."""
    if (_limits_names(one) and _limits_names(other)) or (_limits_types(one) and _limits_types(other)):
        raise _rejected("two limits in the key's name speak of the same")
    return Limits(
        only=one.only if other.only is None else other.only,
        never=one.never | other.never,
        is_exact=one.is_exact or other.is_exact,
        is_below=one.is_below or other.is_below,
        is_acme=one.is_acme or other.is_acme,
    )


def _limits_names(limits: Limits) -> bool:
    return limits.is_exact or limits.is_below or limits.is_acme


def _limits_types(limits: Limits) -> bool:
    return limits.only is not None or bool(limits.never)


def _read_types(text: bytes) -> frozenset[int]:
    words = text.split(b"-")
    numbers = types_limit(words)
    for word, following in pairwise(words):
        number = _number_of(word + b"-" + following)
        if number:
            message = (
                f"a limit in the key's name may mean one type or two: instead of its name write TYPE{number}"
            )
            raise _rejected(f"{message}, or the two the other way round")
    return numbers


def _read_type(word: bytes) -> int:
    number = _number_of(word)
    if number in _META_TYPES:
        raise _rejected("a limit in the key's name names something that is no type of records")
    return number


def _number_of(word: bytes) -> int:
    """0 for what is no type."""
    try:
        return type_number(word.decode("ascii").upper())
    except ValueError:
        return 0


def _label_of(number: int) -> bytes:
    return _type_text(number).lower().encode()


def _type_text(number: int) -> str:
    text = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))
    return f"TYPE{number}" if "-" in text else text


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(map(_type_text, sorted(numbers)))


def _rejected(message: str) -> KeyRejectedError:
    return KeyRejectedError("key-limit", message, _HINT)
