"""Tells what came of a comparison: a table for people, and the text of docs/differences.md.

Run as a program it compares the peers with each other and prints that text, so it needs no engine: `python
-m tests.interop.report > docs/differences.md`.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype

from tests.interop.differences import REFUSALS, ROWS
from tests.interop.judge import Finding, Judgement, judge
from tests.interop.run import Comparison
from tests.interop.wire import Query, Record
from tests.peers.nameservers import PEERS

NAMES = {"nsd": "NSD", "knot": "Knot DNS", "bind": "BIND", "oakroot": "Oakroot"}
_SHOWN_RECORDS = 20


def summary(comparison: Comparison, judgement: Judgement) -> str:
    """Zones, questions and how often each row was needed."""
    agreement = f"all agree on {judgement.unanimous}; unexplained: {len(judgement.findings)}"
    lines = [
        f"{comparison.zones} zones, {judgement.cases} questions; {agreement}",
        *(f"{judgement.uses[row.name]:8} {row.name} ({', '.join(row.peers)})" for row in ROWS),
    ]
    refused = Counter((refusal.server, refusal.theme) for refusal in comparison.refusals)
    lines += [
        f"{count:8} zones of theme {theme!r} not served by {server}"
        for (server, theme), count in refused.items()
    ]
    return "\n".join(lines)


def tell(findings: Sequence[Finding], limit: int = 10) -> str:
    """The first findings of each kind in full: question, zone and everybody's answer."""
    seen: Counter[tuple[str, tuple[tuple[str, ...], ...]]] = Counter()
    parts = [f"{len(findings)} unexplained differences"]
    for finding in findings:
        seen[finding.aspect, finding.camps] += 1
        if seen[finding.aspect, finding.camps] == 1 and len(seen) <= limit:
            parts.append(_tell_one(finding))
    parts += [f"{count:6} times: {aspect}: {_camps(camps)}" for (aspect, camps), count in seen.most_common()]
    return "\n".join(parts)


def _camps(camps: Iterable[Iterable[str]]) -> str:
    return " against ".join(" and ".join(camp) for camp in camps)


def _tell_one(finding: Finding) -> str:
    case = finding.case
    lines = [f"-- {finding.aspect}: {_camps(finding.camps)}; zone {case.zone.apex} ({case.zone.theme})"]
    lines.append(f"   question: {_question(case.query)}")
    for server, reply in case.replies.items():
        response = reply.response
        if response is None:
            lines.append(f"   {server}: silence")
            continue
        tc = ", by TCP after TC" if reply.was_truncated else ""
        lines.append(
            f"   {server}: rcode {response.rcode} flags {response.flags:#06x} {reply.size} octets{tc}"
        )
        for section in ("answer", "authority", "additional"):
            records = getattr(response, section)
            lines += [f"      {section:10} {_record(record)}" for record in records[:_SHOWN_RECORDS]]
            lines += (
                [f"      {section:10} ... {len(records)} in all"] if len(records) > _SHOWN_RECORDS else []
            )
    return "\n".join(lines)


def _name(wire: bytes) -> str:
    return dns.name.from_wire(wire, 0)[0].to_text()


def _question(query: Query) -> str:
    edns = "no EDNS" if query.edns is None else f"EDNS {query.edns}"
    bits = [
        name
        for name, is_set in (
            ("DO", query.dnssec_ok),
            ("RD", query.recursion_desired),
            ("CD", query.checking_disabled),
        )
        if is_set
    ]
    return " ".join([_name(query.name), _type(query.type), query.transport, edns, *bits])


def _type(number: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


def _record(record: Record) -> str:
    try:
        rdata = dns.rdata.from_wire("IN", _type(record.type), record.rdata, 0, len(record.rdata)).to_text()
    except dns.exception.DNSException:
        rdata = rf"\# {len(record.rdata)} {record.rdata.hex()}"
    return f"{_name(record.owner)} {record.ttl} {_type(record.type)} {rdata[:120]}"


def document() -> str:
    """The text of docs/differences.md: every row, without counts."""
    lines = [
        "# Where NSD, Knot DNS and BIND differ",
        "",
        "`tests/interop` serves the same generated zones with Oakroot, NSD, Knot DNS and BIND, asks all of",
        "them the same questions and compares the answers. Left aside is what RFC 1034 leaves to a server:",
        "optional additional data, NS records beside positive answers, order within an RRset, compression,",
        "and what fits in a datagram. Whatever else differs must be in this list, which describes the peers",
        "as configured in `tests/peers/nameservers.py` (Debian 12: NSD 4.6.1, Knot DNS 3.2.6, BIND 9.18).",
        "Oakroot takes the other side.",
        "",
        "This page is written by `python -m tests.interop.report > docs/differences.md`.",
        "",
        "| Who | does what | Why Oakroot does not | Row |",
        "|---|---|---|---|",
        *(
            f"| {', '.join(NAMES[peer] for peer in row.peers)} | {row.does} | {row.reason} | `{row.name}` |"
            for row in ROWS
        ),
        "",
        "## Zones that some do not serve",
        "",
        "| Zones | Not served by | Why |",
        "|---|---|---|",
        *(
            f"| {refusal.zones} | {', '.join(NAMES[peer] for peer in refusal.servers)} | {refusal.reason} |"
            for refusal in REFUSALS
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compares the peers with each other; prints the document, and the counts on standard error."""
    with tempfile.TemporaryDirectory(prefix="oakroot-interop-") as directory:
        comparison = Comparison(PEERS, Path(directory))
        judgement = judge(comparison.cases())
    sys.stdout.write(document())
    sys.stderr.write(summary(comparison, judgement) + "\n")
    if judgement.findings:
        sys.stderr.write(tell(judgement.findings) + "\n")
    return 1 if judgement.findings else 0


if __name__ == "__main__":
    sys.exit(main())
