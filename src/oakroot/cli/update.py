"""`oakroot update`: changes records of a zone at its primary (RFC 2136)."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dns.name
import dns.rcode

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.changes import Verb, Wish, check_ttl, read_addresses, read_wish, records
from oakroot.cli.options import add_key_option, add_timeout_option, domain_name, key_option, server
from oakroot.cli.refusals import refusal, right_is_missing
from oakroot.client.authority import find_zone, served_serial
from oakroot.client.exchange import Deadline
from oakroot.client.signed import ask
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.protocol.message import Reply
from oakroot.protocol.update_request import TooLargeError, build_update

_DESCRIPTION = """\
Changes records of a zone at its primary. With NAME and ADDRESS it gives a name these addresses: a
dynamic DNS client. With --add and --delete it changes any records, all of them or none, in the
order in which they are given; --require and --require-not say what must be so before. Success
means that an Oakroot primary has the change in its repository."""

_EPILOG = """\
exit code: 0 the change is made, 1 the primary refused or gives no answer, 2 wrong usage.

Names are whole, with or without their final dot. A record is written as in a zone file, its TTL may
be left out (--ttl). A new address:
  oakroot update ns.example.org laptop.example.org 192.0.2.7 2001:db8::7 --key @update.key
A mail exchanger in place of all others, unless the name is taken by an alias:
  oakroot update ns.example.org --key @update.key --require-not 'example.org CNAME' \\
      --delete 'example.org MX' --add 'example.org 1h MX 10 mail.example.org'
The notation of OCaml-DNS's oupdate is understood, too, though it shows the secret to every user of
this machine: oakroot update SERVER NAME:ALGORITHM:BASE64 NAME ADDRESS"""

_PATIENCE = 60
_DEFAULT_TTL = "60"
_CHANGES = (Verb.ADD, Verb.DELETE)
_REQUIREMENTS = (Verb.REQUIRE, Verb.REQUIRE_NOT)
_UNMET = frozenset({dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXRRSET, dns.rcode.NXDOMAIN})


class _Say(argparse.Action):
    """Keeps what several options say in one list, since the order among them matters."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option: str | None = None,
    ) -> None:
        said = getattr(namespace, "said", ())
        namespace.said = (*said, (Verb(self.dest), values))


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "update",
        help="change records of a zone at its primary",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        words_between_options=True,
    )
    parser.add_argument(
        "server", type=server, metavar="SERVER[:PORT]", help="the primary, by name or address"
    )
    parser.add_argument(
        "words", nargs="*", metavar="NAME ADDRESS", help="a name, and all its addresses of these families"
    )
    _add_wish(parser, Verb.ADD, "NAME [TTL] TYPE RDATA", "a record to add")
    _add_wish(parser, Verb.DELETE, "NAME [TYPE [RDATA]]", "records to delete: of a name, a type, or one")
    _add_wish(parser, Verb.REQUIRE, "NAME [TYPE [RDATA]]", "what must be there, else nothing is changed")
    _add_wish(parser, Verb.REQUIRE_NOT, "NAME [TYPE]", "what must not be there, else nothing is changed")
    add_key_option(parser, "a key that may update the zone")
    parser.add_argument(
        "--ttl", type=check_ttl, default=_DEFAULT_TTL, help="of records without one (default: %(default)s)"
    )
    parser.add_argument("--zone", type=domain_name, metavar="NAME", help="the zone (default: ask the server)")
    parser.add_argument("--udp", action="store_true", help="try UDP first")
    parser.add_argument("--port", type=int, help="another way to write SERVER:PORT")
    add_timeout_option(parser, _PATIENCE, "how long to wait, a push to the repository included")


def _add_wish(parser: argparse.ArgumentParser, verb: Verb, form: str, purpose: str) -> None:
    parser.add_argument(
        f"--{verb.value}",
        action=_Say,
        dest=verb.value,
        metavar=f"'{form}'",
        default=argparse.SUPPRESS,  # what to change is no setting
        help=f"{purpose}; may be given again",
    )


def run(arguments: argparse.Namespace) -> int:
    """Updates, and prints what is served now; CommandError says why the primary would not."""
    where = arguments.server if arguments.port is None else replace(arguments.server, port=arguments.port)
    words, key = _split_key(arguments.words, arguments.key)
    wishes = _read_wishes(words, getattr(arguments, "said", ()), arguments.ttl)
    deadline = Deadline.after(arguments.timeout)
    tcp = not arguments.udp
    zone = arguments.zone or find_zone(where, wishes[0].record.owner, key, deadline, tcp=tcp)
    _refuse_other_zones(zone, wishes)
    identifier = secrets.randbelow(1 << 16)
    try:
        request = build_update(zone, records(wishes, *_REQUIREMENTS), records(wishes, *_CHANGES), identifier)
    except TooLargeError as error:
        raise CommandError(f"{error}; make it in parts", exit_code=Exit.USAGE) from None
    answer = ask(where, request, key, deadline, tcp=tcp)
    if answer.reply.rcode != dns.rcode.NOERROR:
        raise refusal(where, answer.reply, _hint(zone, key, wishes, answer.reply))
    print(f"{where} has updated {zone} and serves {served_serial(where, zone, key, deadline, tcp=tcp)}")
    return Exit.FINE


def _split_key(words: list[str], option: str | None) -> tuple[list[str], Key | None]:
    """(NAME and ADDRESSes, key). In oupdate's notation the key comes first; names have no colons."""
    if words and ":" in words[0]:
        if option is not None:
            raise CommandError("the key is given twice, by --key and before NAME", exit_code=Exit.USAGE)
        return words[1:], key_option(words[0])
    return words, None if option is None else key_option(option)


def _read_wishes(words: list[str], said: Sequence[tuple[Verb, str]], ttl: str) -> list[Wish]:
    if len(words) == 1:
        raise CommandError(f"which addresses shall {words[0]} have?", exit_code=Exit.USAGE)
    wishes = read_addresses(words[0], words[1:], ttl) if words else []
    wishes += [read_wish(verb, text, ttl) for verb, text in said]
    if not wishes:
        raise CommandError(
            "nothing to change", hint="give NAME ADDRESS, or --add and --delete", exit_code=Exit.USAGE
        )
    return wishes


def _refuse_other_zones(zone: dns.name.Name, wishes: Sequence[Wish]) -> None:
    for wish in wishes:
        if not wish.record.owner.is_subdomain(zone):
            raise CommandError(
                f"{wish} is not in the zone {zone}", hint="one update is about one zone", exit_code=Exit.USAGE
            )


def _hint(zone: dns.name.Name, key: Key | None, wishes: Sequence[Wish], reply: Reply) -> str:
    asked = [str(wish) for wish in wishes if wish.verb in _REQUIREMENTS]
    if reply.rcode in _UNMET and asked:
        return f"nothing was changed; not so: {'one of ' if asked[1:] else ''}{', '.join(asked)}"
    missing = right_is_missing(reply, key, Operation.UPDATE, zone)
    if missing is not None:
        return missing
    if reply.rcode == dns.rcode.SERVFAIL:
        return "nothing was changed; mend the cause and try again"
    return "nothing was changed; does this server take updates of the zone?"
