"""How many lines the log takes about packets that are refused: anybody can send those."""

from __future__ import annotations

from oakroot.frozen import frozen
from oakroot.roles.events import Log, Moment, Request

QUOTA_SECONDS = 60.0
QUOTA_LINES = 20


@frozen
class Quota:
    """What a minute's lines have been so far. `suppressed`: how many were not written since the start."""

    since: float = 0.0
    lines: int = 0
    suppressed: int = 0

    def tell(
        self, request: Request, text: str, now: Moment, *, key: str | None = None, reason: str | None = None
    ) -> tuple[Quota, tuple[Log, ...]]:
        """A line about a refusal, as long as the minute's quota lasts; later how many there were besides."""
        log = Log("warning", text, peer=request.peer[0], key=key, reason=reason)
        if now.monotonic - self.since >= QUOTA_SECONDS:
            return Quota(now.monotonic, 1, self.suppressed), (*self._summary(), log)
        if self.lines < QUOTA_LINES:
            more = "; more of these are not logged for a minute" if self.lines + 1 == QUOTA_LINES else ""
            log = Log("warning", text + more, peer=log.peer, key=key, reason=reason)
            return Quota(self.since, self.lines + 1, self.suppressed), (log,)
        return Quota(self.since, self.lines + 1, self.suppressed + 1), ()

    def _summary(self) -> tuple[Log, ...]:
        """What the minute that is over did not say."""
        left = self.lines - QUOTA_LINES
        return (Log("warning", f"{left} more refusals were not logged"),) if left > 0 else ()
