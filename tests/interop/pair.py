"""A server of ours and one of another make, all cases of the table with them, and who listens to the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from tests.interop.matrix import YES
from tests.peers.wiretap import Wiretap

UNHEARD = "not listened to"


class Pair(ABC):
    """The two between `__enter__` and `__exit__`; each kind of pair has its cases."""

    def __init__(self, directory: Path, *addresses: tuple[str, int]) -> None:
        self._wiretap = Wiretap(directory / "wire.pcapng", list(addresses))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._wiretap.stop()
        self.stop()

    @property
    @abstractmethod
    def cases(self) -> Mapping[str, Callable[[], str]]:
        """What is played, in this order."""

    @abstractmethod
    def stop(self) -> None:
        """Ends both."""

    def play(self, *, wiretap: bool) -> dict[str, str]:
        """What comes of each case, one after the other."""
        if wiretap:
            self._wiretap.start()
        outcomes = {name: case() for name, case in self.cases.items()}
        return {**outcomes, "wire": self._heard() if wiretap else UNHEARD}

    def _heard(self) -> str:
        self._wiretap.stop()
        assert self._wiretap.count("dns.flags.opcode == 4") > 0, "no NOTIFY was captured"
        assert self._wiretap.count("dns.qry.type == 251 || dns.qry.type == 252") > 0, (
            "no transfer was captured"
        )
        malformed = self._wiretap.count("_ws.malformed")
        return YES if malformed == 0 else f"{malformed} malformed"
