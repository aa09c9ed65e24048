"""Address match lists of `named.conf`: whom they let in; named ones (`acl`) and inner lists are followed.

The first element that matches decides. Who asks is known here by key alone, so an exception that may be
about addresses ends what can be granted: whatever stands behind it, no permission becomes wider than it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from oakroot.frozen import frozen
from oakroot.importing.named_conf import Statement
from oakroot.importing.setup import Place, plain

_EVERYBODY, _NOBODY = "any", "none"
_CLOSING = frozenset({_EVERYBODY, _NOBODY})
_BUILTIN = _CLOSING | {"localhost", "localnets"}


@frozen
class Element:
    """An element that is no key, as it is written, and where."""

    text: str
    place: Place


@dataclass
class Admitted:
    """Whom a list lets in, as far as it goes."""

    keys: dict[str, None] = field(default_factory=dict)
    """Their names, in order."""
    others: list[Element] = field(default_factory=list)
    """Addresses and whatever else is no key."""
    everybody: Element | None = None
    """`any`, or what comes to the same."""
    exception: Element | None = None
    """What is excepted, so that nothing behind it is granted."""
    denied: dict[str, Element] = field(default_factory=dict)
    """Keys that are kept out, and where that is said."""

    def admit(self, key: str) -> None:
        """Lets in who holds this key, unless an element before it kept him out."""
        if key not in self.denied:
            self.keys[key] = None

    def deny(self, keys: Iterable[str], element: Element) -> None:
        """Keeps out who holds them, whatever follows."""
        for key in keys:
            if key not in self.keys:
                self.denied.setdefault(key, element)


Lists = Mapping[str, Statement]
"""The `acl`s of a configuration by their names, in lower case."""


def named_lists(statements: Iterable[Statement]) -> Lists:
    """All `acl`s; a builtin name stays what it is."""
    named = (each for each in statements if each.name == "acl" and len(each.words) > 1)
    return {name: each for each in named if (name := each.words[1].lower()) not in _BUILTIN}


def admitted(entries: Sequence[Statement], lists: Lists) -> Admitted:
    """Whom these elements let in."""
    found = Admitted()
    _read(entries, lists, found, ())
    return found


def _read(entries: Sequence[Statement], lists: Lists, found: Admitted, trail: tuple[str, ...]) -> bool:
    """Takes in the elements; whether those behind the list may still let somebody in.

    `trail` has the lists that these stand in, named ones by their names.
    """
    return all(_take(entry, lists, found, trail) for entry in entries)


def _take(entry: Statement, lists: Lists, found: Admitted, trail: tuple[str, ...]) -> bool:
    is_negated, words = _negation(entry.words)
    name = words[0].lower() if words else ""
    element = Element(f"{' '.join(entry.words)}{_by(trail)}".lstrip() or "a list", entry.place)
    inner, named = entry.block, ""
    if inner is None and len(words) == 1 and name in lists and name not in trail:
        inner, named = lists[name].block or (), name
    if inner is not None:
        if not is_negated:
            return _read(inner, lists, found, (*trail, named))
        return _except(admitted(inner, lists), found, element)
    if name == "key" and len(words) > 1:
        key = plain(words[1])
        if is_negated:
            found.deny([key], element)
        else:
            found.admit(key)
    elif name in _CLOSING:
        return _close(found, element, is_open=is_negated == (name == _NOBODY), is_inner=bool(trail))
    elif is_negated:
        found.exception = element
        return False
    else:
        found.others.append(element)
    return True


def _close(found: Admitted, element: Element, *, is_open: bool, is_inner: bool) -> bool:
    """Behind `any` and `none` nothing counts. That an inner `none` ends no outer list is not relied on."""
    if is_open:
        found.everybody = element
    elif is_inner:
        found.exception = element
    return False


def _except(inner: Admitted, found: Admitted, element: Element) -> bool:
    """Keeps out whom a list lets in: keys are known, and of others there is no telling."""
    if inner.others or inner.everybody or inner.exception:
        found.exception = element
        return False
    found.deny(inner.keys, element)
    return True


def _negation(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    """Whether there is a `!` in front, and what stands behind it."""
    if not words or not words[0].startswith("!"):
        return False, words
    rest = words[0].removeprefix("!")
    return True, (rest, *words[1:]) if rest else words[1:]


def _by(trail: Sequence[str]) -> str:
    named = [name for name in trail if name]
    return f" (acl {named[-1]})" if named else ""
