"""Lists of servers of `named.conf`, named ones followed, as what `oakroot primary --notify` takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from oakroot.importing.named_conf import Statement
from oakroot.importing.setup import plain

SERVER_LISTS = frozenset({"primaries", "masters", "remote-servers", "parental-agents"})
"""What named calls them, by its age."""

_DNS_PORT = "53"


def server_lists(statements: Iterable[Statement]) -> Mapping[str, Statement]:
    """The named lists of servers, by their names in lower case."""
    named = (each for each in statements if each.name in SERVER_LISTS and len(each.words) > 1)
    return {each.words[1].lower(): each for each in named}


def notified(servers: Statement, lists: Mapping[str, Statement]) -> list[str]:
    """`ADDR[:PORT][@KEY]` of each server, once; a key by its name in the old server."""
    return list(dict.fromkeys(_each(servers, lists, None, None, ())))


def _each(
    servers: Statement,
    lists: Mapping[str, Statement],
    port: str | None,
    key: str | None,
    trail: tuple[str, ...],
) -> Iterator[str]:
    """What an element says itself counts for it; then what is said where its list is named."""
    common = _after(servers.words, "port") or port
    for entry in servers.block or ():
        if not entry.words:
            continue
        name = entry.words[0].lower()
        its_port = _after(entry.words, "port") or common
        its_key = _after(entry.words, "key") or key
        if name in lists and name not in trail:
            yield from _each(lists[name], lists, its_port, its_key, (*trail, name))
        else:
            yield _written(entry.words[0], its_port or _DNS_PORT, its_key)


def _after(words: tuple[str, ...], what: str) -> str | None:
    """The word behind this one; None where it does not stand there."""
    lower = [word.lower() for word in words]
    at = lower.index(what, 1) + 1 if what in lower[1:] else len(words)
    return words[at] if at < len(words) else None


def _written(address: str, port: str, key: str | None) -> str:
    place = address
    if port != _DNS_PORT:
        place = f"[{address}]:{port}" if _is_ipv6(address) else f"{address}:{port}"
    return place if key is None else f"{place}@{plain(key)}"


def _is_ipv6(address: str) -> bool:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
