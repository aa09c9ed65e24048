"""What a service would tell systemd, for tests of services that run in this process."""

from __future__ import annotations

from dataclasses import dataclass, field

from oakroot.operate.systemd import Supervisor


@dataclass(frozen=True)
class Told(Supervisor):
    """Keeps the first line of each message, and sends nothing."""

    firsts: list[str] = field(default_factory=list)

    def tell(self, *lines: str) -> None:
        """Keeps it."""
        self.firsts.append(lines[0])


def refuse() -> None:
    """As a reader of settings that cannot be used."""


def fail() -> None:
    """As a reader of settings that has a bug."""
    raise RuntimeError("a bug")
