"""Options that every role takes whose queries and answers are to be seen: dnstap, the query log."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oakroot._engine import Server
from oakroot.cli.nameserver import count
from oakroot.cli.options import positive_count
from oakroot.client.server import read_server
from oakroot.operate.collectors import Destination
from oakroot.operate.dnstap import MESSAGES
from oakroot.operate.tapping import Settings, Tapping

DNSTAP_PORT = 6000
_LONGEST_SAMPLE = (1 << 32) - 1
LIVE = ("dnstap", "dnstap_messages", "query_log", "query_log_rate", "query_sample")
"""Options that SIGHUP takes over from the settings."""


def add_tap_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `tapping` reads."""
    group = parser.add_argument_group("queries and answers")
    group.add_argument(
        "--dnstap",
        type=destination,
        metavar="unix:PATH|file:PATH|tcp:HOST[:PORT]",
        help="show queries and answers as dnstap: to a collector that listens at a Unix socket or by TCP "
        f"(default port: {DNSTAP_PORT}), or in a file, which SIGHUP begins anew",
    )
    group.add_argument(
        "--dnstap-messages",
        choices=MESSAGES,
        default="all",
        help="which of them (default: %(default)s)",
    )
    group.add_argument(
        "--query-log",
        type=Path,
        metavar="FILE",
        help="write a line for each query, with what it was answered; -: into the log",
    )
    group.add_argument(
        "--query-log-rate",
        type=count,
        default=1000,
        metavar="N",
        help="lines of it per second, at most; those above it are counted (default: %(default)s)",
    )
    group.add_argument(
        "--query-sample",
        type=sample,
        default=1,
        metavar="N",
        help="take one of N queries, for both (default: %(default)s, all)",
    )


@contextmanager
def tapping(arguments: argparse.Namespace, server: Server, identity: str | None) -> Iterator[Tapping]:
    """Has queries and answers written down, as the options say, while the block runs.

    `identity` is what this server calls itself; None: the machine's name.
    """
    tap = Tapping(server, identity or socket.gethostname())
    choose(tap, arguments)
    try:
        yield tap
    finally:
        tap.close()


def choose(tap: Tapping, arguments: argparse.Namespace) -> None:
    """Takes over what the settings say now; the log says what cannot be written. To answer matters more."""
    tap.choose(
        Settings(
            every=arguments.query_sample,
            dnstap=arguments.dnstap,
            messages=arguments.dnstap_messages,
            query_log=arguments.query_log,
            lines_per_second=arguments.query_log_rate,
            log_format=arguments.log_format,
        )
    )


def sample(text: str) -> int:
    """Reads a number of at least 1 that the engine can count to."""
    number = positive_count(text)
    if number > _LONGEST_SAMPLE:
        raise argparse.ArgumentTypeError(f"it must be {_LONGEST_SAMPLE} or less")
    return number


def destination(text: str) -> Destination:
    """Reads `unix:PATH`, `file:PATH` or `tcp:HOST[:PORT]`."""
    kind, _, rest = text.partition(":")
    if rest and kind in ("unix", "file"):
        return Destination("unix" if kind == "unix" else "file", Path(rest))
    if rest and kind == "tcp":
        try:
            server = read_server(rest, DNSTAP_PORT)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return Destination("tcp", place=(server.host, server.port))
    raise argparse.ArgumentTypeError(f"{text}: give unix:PATH, file:PATH or tcp:HOST[:PORT]")
