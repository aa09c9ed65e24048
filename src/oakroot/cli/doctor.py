"""`oakroot doctor`: looks at a zone from outside, and says what is wrong and what to do."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import dns.name

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import add_timeout_option, domain_name, place, port_number
from oakroot.cli.progress import Progress
from oakroot.client.server import DEFAULT_PORT, TLS_PORT
from oakroot.doctor.examination import Means, examine
from oakroot.doctor.finding import Finding
from oakroot.doctor.judge import judge
from oakroot.doctor.observations import Heard, Observations, ZoneServer, spoken
from oakroot.operate.terminal import Style, painter
from oakroot.zones.diagnostics import visible

_DESCRIPTION = """\
Looks at a zone as resolvers see it: goes from the root to the zone's parent, and asks all name
servers of both. Is the delegation right, and the glue? Do all servers answer with authority, over
UDP and TCP, with EDNS, and have they the newest serial? Does the DS match the keys, and do the
signatures hold? Each finding says what to do. Nothing is changed, and no key is needed."""

_EPILOG = """\
exit code: 0 no errors, 1 errors found (with --strict also warnings), 2 wrong usage.

Before the parent delegates to it, ask a server by its address:
  oakroot doctor example.org --server 192.0.2.53
One that listens elsewhere, such as a hidden primary:
  oakroot doctor example.org --server 192.0.2.53:5300
Where only a resolver may be asked for names outside:
  oakroot doctor example.org --resolver 192.0.2.1"""

_PATIENCE = 3.0
_STYLES = {"error": Style.ERROR, "warning": Style.WARNING, "note": Style.HINT}


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="look at a zone from outside, and say what to do",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("zone", type=domain_name, metavar="ZONE", help="the zone")
    parser.add_argument(
        "--server",
        type=place,
        action="append",
        default=[],
        metavar="ADDR[:PORT]",
        help="ask this server, too, such as a hidden primary; may be given again",
    )
    _add_way(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="form of the output (default: %(default)s)"
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    add_timeout_option(parser, _PATIENCE, "how long to wait for each answer")


def _add_way(parser: argparse.ArgumentParser) -> None:
    """Where to begin, and whom to ask how."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--root",
        type=place,
        action="append",
        default=[],
        metavar="ADDR[:PORT]",
        help="begin at this server of a root zone; may be given again (default: those of the Internet); all "
        "servers that it leads to are asked at its port",
    )
    way.add_argument(
        "--resolver",
        type=place,
        metavar="ADDR[:PORT]",
        help="find parent and addresses by asking this resolver, instead of from the root",
    )
    parser.add_argument(
        "--tls", action="store_true", help="ask the zone's servers over TLS besides, whoever they prove to be"
    )
    parser.add_argument(
        "--tls-port",
        type=port_number,
        default=TLS_PORT,
        metavar="N",
        help="where they listen for TLS (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Examines, prints what was found, and says by its exit code whether it is good."""
    if arguments.zone == dns.name.root:
        raise CommandError("the root zone has no parent to ask", exit_code=Exit.USAGE)
    seen = _examine(arguments)
    findings = judge(seen)
    if arguments.format == "json":
        print(json.dumps(_as_object(seen, findings), indent=2))
    else:
        print("\n".join(report(seen, findings, painter(sys.stdout, os.environ))))
    counted = {"error", "warning"} if arguments.strict else {"error"}
    return Exit.NOT_SO if any(finding.severity in counted for finding in findings) else Exit.FINE


def _examine(arguments: argparse.Namespace) -> Observations:
    """Looks; on a terminal its user sees what takes the time."""
    ports = {port for _, port in arguments.root}
    if len(ports) > 1:
        raise CommandError(
            "--root names servers at different ports",
            hint="servers that they lead to are asked at the same port, so it must be one",
            exit_code=Exit.USAGE,
        )
    means = Means(
        arguments.timeout,
        tuple(address for address, _ in arguments.root),
        arguments.resolver,
        port=next(iter(ports), DEFAULT_PORT),
        tls_port=arguments.tls_port if arguments.tls else None,
        ipv6=_has_ipv6(),
    )
    if not sys.stderr.isatty():
        return examine(arguments.zone, means, arguments.server)
    with Progress(sys.stderr) as progress:
        return examine(arguments.zone, replace(means, tell=progress), arguments.server)


def report(
    seen: Observations, findings: tuple[Finding, ...], paint: Callable[[str, Style], str]
) -> Iterator[str]:
    """A table of the name servers, then what there is to say."""
    if seen.parent is not None:
        what = "is delegated by" if any(each.names for each in seen.parents) else "would be delegated by"
        yield f"{spoken(seen.zone)} {what} {spoken(seen.parent)}"
    if seen.servers:
        yield ""
        yield from _table(seen, paint)
    yield ""
    for finding in findings:
        head = paint(f"{finding.severity}:", _STYLES[finding.severity])
        yield f"{head} {visible(finding.about)}: {visible(finding.message)}"
        if finding.advice is not None:
            yield f"  {paint('do:', Style.HINT)} {visible(finding.advice)}"
    counts = {kind: sum(finding.severity == kind for finding in findings) for kind in _STYLES}
    worst = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    yield ", ".join(worst) or "nothing to complain of"


def _table(seen: Observations, paint: Callable[[str, Style], str]) -> Iterator[str]:
    with_tls = any(server.tls is not None for server in seen.servers)
    head = ("NAME SERVER", "ADDRESS", "SERIAL", "UDP", "TCP", "KEYS", "TLS")
    rows = [row if with_tls else row[:-1] for row in (head, *map(_row, seen.servers))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        yield line if number else paint(line, Style.STRONG)


def _row(server: ZoneServer) -> tuple[str, ...]:
    name = "(given)" if server.name is None else visible(server.name.to_text())
    serial = getattr(server.soa.values[0], "serial", "-") if server.soa.values else "-"
    keys = str(len(server.keys.values)) if server.keys.values else "none" if server.keys.is_good else "-"
    tls = "" if server.tls is None else _answer(server.tls.soa)
    return (name, server.shown_address, str(serial), _answer(server.soa), _answer(server.tcp), keys, tls)


def _answer(heard: Heard) -> str:
    return "ok" if heard.is_good else visible(heard.told())


def _as_object(seen: Observations, findings: tuple[Finding, ...]) -> dict[str, object]:
    return {
        "zone": seen.zone.to_text(),
        "parent": None if seen.parent is None else seen.parent.to_text(),
        "servers": [
            {
                "name": None if server.name is None else server.name.to_text(),
                "address": server.shown_address,
                "serial": getattr(server.soa.values[0], "serial", None) if server.soa.values else None,
                "udp": _answer(server.soa),
                "tcp": _answer(server.tcp),
                "keys": len(server.keys.values),
                "tls": None if server.tls is None else _answer(server.tls.soa),
            }
            for server in seen.servers
        ],
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.code,
                "about": finding.about,
                "message": finding.message,
                "advice": finding.advice,
            }
            for finding in findings
        ],
    }


def _has_ipv6() -> bool:
    """Whether there is a way to addresses of IPv6: a datagram socket can be connected without sending."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:db8::1", 53))
    except OSError:
        return False
    return True
