"""Where a name server is, and the one error of asking it."""

from __future__ import annotations

import ipaddress
import re

from oakroot.frozen import frozen

DEFAULT_PORT = 53
TLS_PORT = 853
_LAST_PORT = 65535
_SERVER = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?\Z")


@frozen
class Server:
    """A host name or an address, and a port."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_server(text: str, default_port: int = DEFAULT_PORT) -> Server:
    """Reads `HOST[:PORT]`, an IPv6 address in brackets where a port follows; ValueError for anything else."""
    if _is_ipv6(text):
        return Server(text, default_port)
    found = _SERVER.match(text)
    if found is None or (found["bracketed"] and not _is_ipv6(found["bracketed"])):
        raise ValueError(f"{text} is no HOST[:PORT]; an IPv6 address goes in brackets")
    port = int(found["port"] or default_port)
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"{port} is no port")
    return Server(found["bracketed"] or found["plain"], port)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


class ServerError(Exception):
    """A server gave no answer, or one that cannot be believed or is no good; `hint` says how to mend it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
