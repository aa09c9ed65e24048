"""BIND's `update-policy` as permissions: what the name of a key can say of each rule, and never more.

The first rule that matches decides, so what comes after a `deny` that may speak of the same key is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from oakroot.importing.named_conf import Statement
from oakroot.importing.setup import Note, Permission, absolute, plain, quoted
from oakroot.keys.grant import Operation
from oakroot.keys.limits import Limits, types_limit
from oakroot.keys.rejected import KeyRejectedError

_WHOLE_ZONE = frozenset({"zonesub", "zone"})
# What named leaves out where a rule names no types; those that a signer makes are refused here anyway.
_UNNAMED_TYPES = Limits(never=types_limit([b"ns", b"soa"]))
_ALL_TYPES = Limits()


def read_update_policy(policy: Statement, zone: str) -> Iterator[Permission | Note]:
    """A permission or a note for each rule."""
    denied: set[str] = set()
    for rule in policy.block or ():
        words = [word.lower() for word in rule.words]
        what = f"update-policy `{quoted(' '.join(rule.words))}` at {zone} is left behind"
        if words[:1] == ["deny"] and len(words) > 1:
            denied.add(plain(words[1]))
            yield Note(f"{what}: Oakroot only grants", rule.place)
            continue
        found = _permission(words, zone)
        if found is None:
            yield Note(f"{what}: a key's name cannot say it", rule.place)
        elif any("*" in each or each == found.key for each in denied):
            yield Note(f"{what}: a rule before it denies some of it", rule.place)
        else:
            yield found


def _permission(words: list[str], zone: str) -> Permission | None:
    """`grant KEY RULE [NAME] [TYPE…]`; None for what a key's name cannot say."""
    if words[:1] != ["grant"] or len(words) <= 2 or "*" in words[1]:  # noqa: PLR2004 - KEY and RULE
        return None
    key, rule, rest = plain(words[1]), words[2], words[3:]
    if rule not in _WHOLE_ZONE:
        if not rest:
            return None
        name, rest = absolute(rest[0]), rest[1:]
    else:
        name = zone
    types = _types(rest)
    match rule:
        case "zonesub" | "zone" | "subdomain":
            names = Limits()
        case "name" if "*" not in name:
            names = Limits(is_exact=True)
        case "wildcard" if name.startswith("*.") and "*" not in name[1:]:
            name, names = name[2:], Limits(is_below=True)
        case "self" | "selfsub" | "selfwild":
            # Of the name of the key; the name behind the rule says nothing.
            name, names = absolute(key), Limits(is_exact=rule == "self", is_below=rule == "selfwild")
        case _:
            return None
    if types is None:
        return None
    limits = Limits(types.only, types.never, names.is_exact, names.is_below)
    return Permission(key, Operation.UPDATE, name, limits)


def _types(words: list[str]) -> Limits | None:
    """The types of a rule; None for what is none, or limited in a way that a name cannot say."""
    if not words:
        return _UNNAMED_TYPES
    if "any" in words:
        return _ALL_TYPES
    try:
        return Limits(only=types_limit(word.encode() for word in words))
    except KeyRejectedError:
        return None
