"""What was seen, judged: findings with their remedies. Pure; the time is part of what was seen."""

from __future__ import annotations

from oakroot.doctor.finding import Finding
from oakroot.doctor.judge_delegation import judge_delegation
from oakroot.doctor.judge_requests import judge_requests
from oakroot.doctor.judge_security import judge_security
from oakroot.doctor.judge_servers import judge_servers
from oakroot.doctor.observations import Observations

_ORDER = ("error", "warning", "note")


def judge(seen: Observations) -> tuple[Finding, ...]:
    """All there is to say, the worst first."""
    found = (*judge_delegation(seen), *judge_servers(seen), *judge_security(seen), *judge_requests(seen))
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))
