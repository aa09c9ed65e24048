"""Options that every role takes which is to be watched: metrics, health, pushes."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import cast

from oakroot._engine import Server
from oakroot.cli.nameserver import count, listen_address
from oakroot.client.server import DEFAULT_PORT, read_server
from oakroot.late import Part, part
from oakroot.operate.watchable import INFLUX_PORT, INFLUX_SECONDS, Role, Settings

METRICS_PORT = 9153


def add_watch_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `watching` reads."""
    group = parser.add_argument_group("watching")
    group.add_argument(
        "--metrics",
        type=_metrics_address,
        metavar="ADDR[:PORT]",
        help=f"show Prometheus metrics at /metrics, and /healthz and /readyz, here (default port: "
        f"{METRICS_PORT}); whoever reaches it reads names of zones and keys, so loopback is a good choice",
    )
    group.add_argument(
        "--metrics-zones",
        type=count,
        default=1000,
        metavar="N",
        help="how many zones have metrics of their own; 0: none (default: %(default)s)",
    )
    group.add_argument(
        "--ask-nameservers",
        type=_interval,
        default=300.0,
        metavar="SECONDS",
        help="for the metrics, ask all name servers of each zone for its serial this often; 0: never "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--influx",
        type=place_at(INFLUX_PORT),
        metavar="HOST[:PORT]",
        help=f"push metrics there every {INFLUX_SECONDS:.0f} s, in InfluxDB's line protocol over TCP "
        f"(default port: {INFLUX_PORT})",
    )
    group.add_argument(
        "--influx-name", metavar="TEXT", help="what this server is called there (default: its host name)"
    )


def watching(
    role: Role, arguments: argparse.Namespace, server: Server, counts: Callable[[], Mapping[str, int]] = dict
) -> AbstractAsyncContextManager[tuple[str, int] | None]:
    """Has the role watched, as the options say, while the block runs. OSError names what cannot be bound.

    `counts` is asked what this process counts besides.
    """
    addresses = server.addresses
    settings = Settings(
        address=arguments.metrics,
        zones_limit=arguments.metrics_zones,
        ask_seconds=arguments.ask_nameservers,
        influx=arguments.influx,
        name=arguments.influx_name or socket.gethostname(),
        port=addresses[0][1] if addresses else DEFAULT_PORT,
        counts=counts,
    )
    if not settings.is_wanted:
        return nullcontext()
    watched = part(Part.WATCH).watched(role, settings)
    return cast("AbstractAsyncContextManager[tuple[str, int] | None]", watched)


def place_at(default_port: int) -> Callable[[str], tuple[str, int]]:
    """A reader of `HOST[:PORT]`, to be connected to."""

    def place(text: str) -> tuple[str, int]:
        try:
            server = read_server(text, default_port)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return server.host, server.port

    return place


def _metrics_address(text: str) -> tuple[str, int]:
    return listen_address(text, METRICS_PORT)


def _interval(text: str) -> float:
    seconds = float(text)
    if not (seconds == 0 or 1 <= seconds < float("inf")):
        raise argparse.ArgumentTypeError("it must be 0, or 1 or more")
    return seconds
