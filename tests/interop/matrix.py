"""Which name servers follow our primary, and which our secondary follows: docs/interoperability.md.

The table says what `test_matrix` finds in every run; as a program this file prints the page: `python -m
tests.interop.matrix > docs/interoperability.md`. What must not live here: how anything is found out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

PEERS = {"bind": "BIND 9.18", "knot": "Knot DNS 3.2", "nsd": "NSD 4.6", "pdns": "PowerDNS 4.7"}
YES = "yes"


@dataclass(frozen=True)
class Side:
    """One direction: what the peer is in it, the cases, and what comes of them but for `yes`."""

    title: str
    cases: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, str]]
    """By peer and case; each is one of NOTES."""

    def expected(self, peer: str) -> dict[str, str]:
        """What comes of each case."""
        return {case: self.outcomes.get(peer, {}).get(case, YES) for case in self.cases}


SECONDARIES = Side(
    "Secondaries of `oakroot primary`",
    {
        "whole": "A zone arrives whole (AXFR)",
        "differences": "Ten pushes arrive as differences (IXFR), also in bursts",
        "key": "A key is replaced by another one",
        "added": "A new zone appears by the catalog zone",
        "removed": "A removed zone goes by the catalog zone",
        "primary restarts": "After a restart of the primary differences go on",
        "secondary restarts": "After its own restart it catches up",
        "wire": "No message on the wire is malformed",
    },
    {
        "nsd": {"added": "no catalog zones", "removed": "no catalog zones"},
        "pdns": {"added": "no key for members"},
    },
)
PRIMARIES = Side(
    "Primaries of `oakroot secondary`",
    {
        "whole": "A zone arrives whole (AXFR)",
        "differences": "Ten changes arrive as differences (IXFR), also in bursts",
        "key": "A key is replaced by another one",
        "added": "A new zone appears by its NOTIFY, under a key for all zones",
        "removed": "A removed zone goes when somebody notifies of it",
        "listed": "A new zone appears by a catalog zone",
        "unlisted": "A removed zone goes by a catalog zone",
        "primary restarts": "After a restart of the primary it is followed on",
        "secondary restarts": "After a restart of ours it catches up",
        "wire": "No message on the wire is malformed",
    },
    {
        "bind": {"listed": "list by hand", "unlisted": "list by hand"},
        "nsd": {"listed": "list by hand", "unlisted": "list by hand"},
        "knot": {"removed": "refusals unsigned"},
        "pdns": {"differences": "whole zones only"},
    },
)
NOTES = {
    "no catalog zones": "Debian's NSD 4.6 knows no catalog zones; 4.9 and later do",
    "no key for members": "Its members come up without a key, and wait until `pdnsutil set-meta ZONE "
    "AXFR-MASTER-TSIG KEY` gives them one; or give `--allow-unsigned-transfer` to the primary",
    "list by hand": "It makes no catalog zone of its zones; one that was written by hand is followed",
    "refusals unsigned": "It does not sign that it has the zone no longer, so that anybody may have said it: "
    "the zone stays until it expires, or a catalog zone takes it away",
    "whole zones only": "It sends no differences, but whole zones",
}


def document() -> str:
    """The text of docs/interoperability.md."""
    used = dict.fromkeys(
        outcome
        for side in (SECONDARIES, PRIMARIES)
        for case in side.cases
        for peer in PEERS
        if (outcome := side.expected(peer)[case]) != YES
    )
    numbers = {note: number for number, note in enumerate(used, start=1)}
    lines = [
        "# Who transfers zones with whom",
        "",
        "`tests/interop/test_matrix.py` starts each of these servers beside Oakroot, plays all cases in both",
        "directions, every message signed, while Wireshark listens, and compares what comes of them with",
        "this table. The versions are those of Debian 12.",
        "",
        "This page is written by `python -m tests.interop.matrix > docs/interoperability.md`.",
    ]
    for side in (SECONDARIES, PRIMARIES):
        lines += ["", f"## {side.title}", ""]
        lines.append("| | " + " | ".join(PEERS.values()) + " |")
        lines.append("|---|" + "---|" * len(PEERS))
        for case, text in side.cases.items():
            cells = (_cell(side.expected(peer)[case], numbers) for peer in PEERS)
            lines.append(f"| {text} | " + " | ".join(cells) + " |")
    lines += ["", *(f"{number}. {NOTES[note]}." for note, number in numbers.items())]
    return "\n".join(lines) + "\n"


def _cell(outcome: str, numbers: Mapping[str, int]) -> str:
    return YES if outcome == YES else f"see {numbers[outcome]}"


if __name__ == "__main__":
    sys.stdout.write(document())
