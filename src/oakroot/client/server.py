"""Where a name server is, and the one error of asking it."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORT = 53


@dataclass(frozen=True, slots=True)
class Server:
    """A host name or an address, and a port."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServerError(Exception):
    """A server gave no answer, or one that cannot be believed or is no good; `hint` says how to mend it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
