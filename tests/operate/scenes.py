"""An overview with something of everything, for tests of what shows it."""

from __future__ import annotations

from oakroot.operate.agreement import Heard, judge
from oakroot.operate.overview import (
    Attempt,
    Condition,
    Copied,
    Git,
    Histogram,
    HostCertificate,
    KeyUse,
    Overview,
    Primary,
    Queue,
    Secondary,
    Updates,
    Zone,
)
from oakroot.operate.samples import Scene

NOON = 1_795_348_800.0
HOSTILE = '"\\\n<script>alert(1)</script>'

GIT = Git(
    "https://git.example.org/zones.git",
    "main",
    "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    NOON - 300,
    "Ada <ada@example.org>",
    "Move the mail",
    last_pull=Attempt(NOON - 10, 0.25, "unchanged"),
    last_good_pull=NOON - 10,
    last_push=Attempt(NOON - 20, 0.5, "failed", "no route to host"),
    pulls={"ok": 2, "unchanged": 5},
    pushes={"failed": 1},
)
ENGINE = {
    "udp_queries": 10,
    "tcp_queries": 5,
    "tls_queries": 2,
    "question_1": 7,
    "question_65": 1,
    "question_other": 1,
    "code_0": 8,
    "code_23": 1,
    "rate_limited_dropped": 3,
    "cookies": 4,
    "cookies_good": 1,
}


def overview(*zones: Zone) -> Overview:
    """A role that has been at work for an hour; it is all roles at once, which none is."""
    return Overview(
        role="certifier",
        version="1.2.3",
        moment=NOON,
        started=NOON - 3600,
        addresses=("192.0.2.1:53",),
        zones=zones
        or (_zone("example.org."), Zone("broken.example.", Condition.UNAVAILABLE, reason="no SOA")),
        keys=(
            KeyUse(
                "laptop._update.example.org", "update", "example.org.", "hmac-sha256", 3, NOON, {"BADSIG": 2}
            ),
        ),
        unknown_keys=4,
        secondaries=(Secondary("198.51.100.2", (Copied("example.org.", 6, NOON - 60),), 1, NOON - 60, 1),),
        primaries=(Primary("192.0.2.9@53", is_connected=False, trouble="no route to host"),),
        git=GIT,
        updates=Updates({"NOERROR": 3, "REFUSED": 1}, Histogram((0.1, 1.0), (2, 1, 0), 0.7)),
        queues=(Queue("updates", 1, 1024),),
        certificates=(
            HostCertificate("www.example.org", "example.org.", "valid", NOON + 86400, NOON + 3600),
        ),
        events={"orders": 1},
        engine=ENGINE,
        tls_not_after=NOON + 7 * 86400,
    )


def scene(*zones: Zone, zones_limit: int = 1000) -> Scene:
    """It, and two name servers, one of which is behind."""
    agreement = judge(7, [Heard("ns1.example.org. (192.0.2.1)", 7), Heard("ns2.example.org. (192.0.2.2)", 5)])
    return Scene(
        overview(*zones), zones_limit, {"example.org.": agreement}, {"example.org.": int(NOON) + 5 * 86400}
    )


def _zone(apex: str) -> Zone:
    return Zone(apex, Condition.CURRENT, 7, 12, since=NOON - 60, confirmed=NOON - 30, expires=NOON + 3600)
