"""`oakroot notify`: tells a primary that its repository has changed, and waits until that is served."""

from __future__ import annotations

import argparse
import secrets

import dns.name
import dns.rcode

from oakroot.cli import Exit, Subparsers
from oakroot.cli.options import add_key_option, add_timeout_option, domain_name, key_option, server
from oakroot.cli.refusals import refusal, right_is_missing
from oakroot.client.authority import served_serial
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server
from oakroot.client.signed import ask
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.protocol.message import Reply
from oakroot.protocol.notify import build_notify

_DESCRIPTION = """\
Tells a primary that its repository has changed. The primary pulls before it answers, so success
means that what the repository has is now served; a failure names the cause, such as the line of a
zone file."""

_EPILOG = """\
exit code: 0 the primary serves what the repository has, 1 it does not or gives no answer, 2 wrong usage.

As a hook after each push:
  oakroot notify ns.example.org example.org --key @/etc/oakroot/notify.key"""

_PATIENCE = 60


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "notify",
        help="tell a primary that its repository has changed",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "server", type=server, metavar="SERVER[:PORT]", help="the primary, by name or address"
    )
    parser.add_argument("zone", type=domain_name, metavar="ZONE", help="a zone that has changed")
    add_key_option(parser, "a key that may notify, for this zone or one above it")
    parser.add_argument("--tcp", action="store_true", help="do not try UDP first")
    add_timeout_option(parser, _PATIENCE, "how long to wait, a pull included")


def run(arguments: argparse.Namespace) -> int:
    """Notifies, and prints what is served now; CommandError says why the primary would not."""
    key = None if arguments.key is None else key_option(arguments.key)
    print(notify(arguments.server, arguments.zone, key, arguments.timeout, tcp=arguments.tcp))
    return Exit.FINE


def notify(where: Server, zone: dns.name.Name, key: Key | None, timeout: float, *, tcp: bool = False) -> str:
    """Notifies a primary and says what it serves then; raises CommandError and ServerError."""
    deadline = Deadline.after(timeout)
    request = build_notify(zone, secrets.randbelow(1 << 16))
    answer = ask(where, request, key, deadline, tcp=tcp)
    if answer.reply.rcode != dns.rcode.NOERROR:
        raise refusal(where, answer.reply, _hint(zone, key, answer.reply))
    serial = served_serial(where, zone, key, deadline, tcp=tcp)
    return f"{where} was notified of {zone} and serves {serial}"


def _hint(zone: dns.name.Name, key: Key | None, reply: Reply) -> str:
    missing = right_is_missing(reply, key, Operation.NOTIFY, zone)
    if missing is not None:
        return missing
    if reply.rcode == dns.rcode.SERVFAIL:
        return "what was served before still is; mend the cause and notify again"
    return "is this an Oakroot primary?"
