"""How many lines the log takes about packets that are refused: anybody can send those."""

from __future__ import annotations

from dataclasses import dataclass

from oakroot.roles.events import Log, Moment, Request

QUOTA_SECONDS = 60.0
QUOTA_LINES = 20


@dataclass(frozen=True, slots=True)
class Quota:
    """What a minute's lines have been so far."""

    since: float = 0.0
    lines: int = 0

    def tell(self, request: Request, text: str, now: Moment) -> tuple[Quota, tuple[Log, ...]]:
        """A line about a refusal, as long as the minute's quota lasts."""
        begins = now.monotonic - self.since >= QUOTA_SECONDS
        quota = Quota(now.monotonic, 1) if begins else Quota(self.since, self.lines + 1)
        if quota.lines > QUOTA_LINES:
            return quota, ()
        more = "; more of these are not logged for a minute" if quota.lines == QUOTA_LINES else ""
        return quota, (Log("warning", text + more, peer=request.peer[0]),)
