"""`oakroot persist`: records by which an ACME account needs no challenges for a name (dns-persist-01)."""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import dns.name
import dns.rcode
import dns.rdatatype

from oakroot._engine import wire_rdata
from oakroot.certificates import questions
from oakroot.certificates.names import (
    host_of_persistent,
    is_wildcard,
    persistent_name,
    read_name,
    without_wildcard,
    write_name,
)
from oakroot.certificates.persistent import (
    Audited,
    PersistentRecord,
    audit,
    hash_account,
    read_strings,
    write_persistent,
    write_strings,
)
from oakroot.certificates.rejected import RejectedError
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.folder import Folder
from oakroot.cli.options import add_key_option, add_timeout_option, key_option, server
from oakroot.client.authority import find_zone
from oakroot.client.exchange import Deadline
from oakroot.client.signed import ask, told
from oakroot.protocol.update_request import UpdateRecord, add, build_update, delete
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded

_DESCRIPTION = """\
A TXT record at _validation-persist.NAME lets one account of a certificate authority have
certificates for NAME (dns-persist-01): no challenge, no UPDATE at each renewal. It holds until it
is removed, for whoever has the account's key: know what is there."""

_EPILOG = """\
exit code: 0 fine, 1 a record is no good or the primary refused, 2 wrong usage.

  oakroot persist add ns.example.org example.org --wildcard --issuer letsencrypt.org \\
      --account https://acme-v02.api.letsencrypt.org/acme/acct/1234567 --until 2027-12-31 --key @update.key
  oakroot persist audit zones/ --account https://acme-v02.api.letsencrypt.org/acme/acct/1234567"""

_PATIENCE = 60
_TTL = 3600


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "persist",
        help="permit accounts of authorities to certify without challenges",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    _configure_adding(verbs)
    removing = _live(
        verbs.add_parser(
            "remove",
            help="remove the records, or those of an account",
            description="Removes the records, or those of an authority or an account.",
        )
    )
    removing.add_argument("--issuer", metavar="DOMAIN", help="only those for this authority")
    removing.add_argument("--account", metavar="URL", help="only those for this account")
    listing = _live(
        verbs.add_parser(
            "list", help="tell what a server has at a name", description="Tells what a server has at a name."
        )
    )
    auditing = verbs.add_parser(
        "audit",
        help="tell what zone files have at all names, and what is wrong",
        description="Tells what zone files have at all names, and what is wrong with it.",
        words_between_options=True,
    )
    auditing.add_argument("paths", nargs="+", type=Path, metavar="FOLDER", help="folders of zone files")
    for each in (listing, auditing):
        each.add_argument(
            "--account",
            dest="accounts",
            action="append",
            default=[],
            metavar="URL",
            help="an account that is known; all others are told as a problem; repeatable",
        )


def _configure_adding(verbs: Subparsers) -> None:
    adding = _live(
        verbs.add_parser(
            "add",
            help="publish a record, in place of one for the same account",
            description="Publishes a record, in place of one for the same account.",
        )
    )
    adding.add_argument("--issuer", required=True, metavar="DOMAIN", help="the authority's name, as in CAA")
    adding.add_argument("--account", required=True, metavar="URL", help="the account's URL")
    adding.add_argument("--wildcard", action="store_true", help="also for all names below")
    adding.add_argument("--until", type=_moment, metavar="DATE", help="as YYYY-MM-DD (default: without end)")
    adding.add_argument("--hash-prefix", metavar="URL", help="accountHashPrefix of the authority's directory")
    adding.add_argument("--thumbprint", metavar="TEXT", help="of the account's key, to hash it with")


def _live(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "server", type=server, metavar="SERVER[:PORT]", help="the primary, by name or address"
    )
    parser.add_argument("name", metavar="NAME", help="the name that certificates are for")
    add_key_option(parser, "a key that may update the zone")
    add_timeout_option(parser, _PATIENCE, "how long to wait, a push to the repository included")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Does what the verb says; CommandError where that fails."""
    if arguments.verb == "audit":
        return _print(_found_in_files(arguments))
    try:
        return _VERBS[arguments.verb](_Place(arguments, read_name(arguments.name)), arguments)
    except RejectedError as error:
        raise CommandError(error.message, hint=error.hint, exit_code=Exit.USAGE) from None


class _Place:
    """A name at a server, and what is there."""

    def __init__(self, arguments: argparse.Namespace, name: dns.name.Name) -> None:
        self._server = arguments.server
        self._key = None if arguments.key is None else key_option(arguments.key)
        self._deadline = Deadline.after(arguments.timeout)
        self.host = without_wildcard(name)
        self.owner = persistent_name(name)
        self.rdatas = self._ask()

    def change(self, changes: list[UpdateRecord]) -> None:
        zone = find_zone(self._server, self.owner, self._key, self._deadline, tcp=True)
        update = build_update(zone, (), changes, _draw())
        answer = ask(self._server, update, self._key, self._deadline, tcp=True)
        if answer.reply.rcode != dns.rcode.NOERROR:
            raise CommandError(
                f"{self._server} answered {told(answer.reply)}",
                hint="nothing was changed; a key that may do this is named anything._update.ZONE",
            )

    def _ask(self) -> tuple[str, ...]:
        query = questions.build_query(self.owner, dns.rdatatype.TXT, _draw())
        reply = ask(self._server, query, self._key, self._deadline)
        answer = questions.read(query, reply.message)
        if answer is None or answer.reply.rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise CommandError(
                f"{self._server} answered {told(reply.reply)}", hint="does this server have the zone?"
            )
        return answer.rdatas(self.owner, "TXT")


def _add(place: _Place, arguments: argparse.Namespace) -> int:
    account = arguments.account
    if arguments.hash_prefix and arguments.thumbprint:
        account = hash_account(
            arguments.hash_prefix, write_name(place.host), arguments.thumbprint, arguments.account
        )
    elif arguments.hash_prefix or arguments.thumbprint:
        raise CommandError("--hash-prefix and --thumbprint go together", exit_code=Exit.USAGE)
    wildcard = arguments.wildcard or is_wildcard(read_name(arguments.name))
    record = PersistentRecord(arguments.issuer, account, wildcard, arguments.until)
    text = write_persistent(record)
    old = [rdata for rdata, found in _records(place) if _is_for(found, record.issuer, record.account)]
    if [read_strings(rdata) for rdata in old] == [text]:
        print(f"{place.owner} has this record already")
        return Exit.FINE
    new = add(place.owner, _TTL, dns.rdatatype.TXT, wire_rdata("TXT", write_strings(text)))
    place.change([*(_deletion(place, rdata) for rdata in old), new])
    print(f"{place.owner} TXT {write_strings(text)}")
    return Exit.FINE


def _remove(place: _Place, arguments: argparse.Namespace) -> int:
    old = [rdata for rdata, found in _records(place) if _is_for(found, arguments.issuer, arguments.account)]
    if old:
        place.change([_deletion(place, rdata) for rdata in old])
    print(f"{len(old)} removed at {place.owner}" if old else f"nothing to remove at {place.owner}")
    return Exit.FINE


def _list(place: _Place, arguments: argparse.Namespace) -> int:
    return _print(
        audit(place.host, read_strings(rdata), arguments.accounts, time.time()) for rdata in place.rdatas
    )


_VERBS = {"add": _add, "remove": _remove, "list": _list}


def _records(place: _Place) -> Iterator[tuple[str, PersistentRecord]]:
    """What is readable; anything else is somebody else's, and stays."""
    for rdata in place.rdatas:
        record = audit(place.host, read_strings(rdata), (), 0).record
        if record is not None:
            yield rdata, record


def _is_for(record: PersistentRecord, issuer: str | None, account: str | None) -> bool:
    return issuer in {None, record.issuer} and account in {None, record.account}


def _found_in_files(arguments: argparse.Namespace) -> Iterator[Audited]:
    for path in arguments.paths:
        if not path.is_dir():
            raise CommandError(f"{path} is no folder of zone files", exit_code=Exit.USAGE)
        loaded = load(Folder(path).tree(), Loaded.nothing(), SerialRules("increment", now=0.0)).loaded
        for each in loaded.zones.values():
            if each.zone is None:
                raise CommandError(f"{path}: the zone {each.apex} has errors", hint=f"oakroot check {path}")
            for owner, _, rtype, rdata in each.zone.records():
                host = host_of_persistent(dns.name.from_text(owner)) if rtype == "TXT" else None
                if host is not None:
                    yield audit(host, read_strings(rdata), arguments.accounts, time.time())


def _print(found: Iterable[Audited]) -> int:
    count = problems = 0
    for each in found:
        count += 1
        problems += len(each.problems)
        print(f"{write_name(each.host)}: {_described(each)}")
        for problem in each.problems:
            print(f"  problem: {problem}")
    print(
        f"{count} record{'' if count == 1 else 's'}, {problems or 'no'} problem{'' if problems == 1 else 's'}"
    )
    return Exit.NOT_SO if problems else Exit.FINE


def _described(each: Audited) -> str:
    if each.record is None:
        return repr(each.text)
    scope = "this name and all below" if each.record.wildcard else "this name"
    until = ""
    if each.record.until is not None:
        until = f", until {dt.datetime.fromtimestamp(each.record.until, dt.UTC):%Y-%m-%d %H:%M} UTC"
    return f"{each.record.issuer}, account {each.record.account}, {scope}{until}"


def _deletion(place: _Place, rdata: str) -> UpdateRecord:
    return delete(place.owner, dns.rdatatype.TXT, wire_rdata("TXT", rdata))


def _moment(text: str) -> int:
    """The end of a day, or a moment in the notation of ISO 8601, in UTC unless it says otherwise."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date: write YYYY-MM-DD") from None
    if "T" not in text and " " not in text:
        moment += dt.timedelta(days=1, seconds=-1)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp())


def _draw() -> int:
    return secrets.randbelow(1 << 16)
