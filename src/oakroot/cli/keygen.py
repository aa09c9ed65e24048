"""`oakroot keygen`: makes a TSIG key or an ssh key, or shows one that is there in another form."""

from __future__ import annotations

import argparse
import os
import sys

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import domain_name, key_option, key_text, rejected_key, server
from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.mint import mint_key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.snippets import CLIENTS, READ_FIRST_LINE, Primary, key_file_note, write_for
from oakroot.keys.ssh import SshKey, mint_ssh_key, read_ssh_key

_TSIG_DESCRIPTION = """\
Makes a TSIG key and prints it for whoever is to use it. Its name is what it may do:
anything._update.ZONE, anything._transfer.ZONE or anything._notify.ZONE, for the zone and all names
below it. Each operation includes those to the right of it; without ZONE it is for all zones."""

_TSIG_EPILOG = """\
A key for certbot, and the line for the repository above it:
  oakroot keygen tsig certbot._update.example.org --for certbot --server 192.0.2.53
A secondary's whole configuration for a zone, in the form of NSD (or bind, knot):
  oakroot keygen tsig nsd._transfer.example.org --for nsd --server 192.0.2.53
A key that is there, for another client:
  oakroot keygen tsig --from @certbot.key --for knot"""

_SSH_DESCRIPTION = """\
Makes an ed25519 key for ssh and prints two lines: the private key for --ssh-key, and the public key for
the git host. With --from it prints the public key of a private key that is there."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "keygen", help="make a TSIG or ssh key", description="Makes a TSIG key or an ssh key."
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, title="kinds")
    _configure_tsig(
        kinds.add_parser(
            "tsig",
            help="a key to sign DNS messages with",
            description=_TSIG_DESCRIPTION,
            epilog=_TSIG_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _configure_ssh(
        kinds.add_parser(
            "ssh",
            help="a key to reach the git repository with",
            description=_SSH_DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )


def _configure_tsig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", type=domain_name, metavar="NAME", help="the key's name, its grant")
    parser.add_argument(
        "--for",
        dest="clients",
        action="append",
        choices=list(CLIENTS),
        metavar="CLIENT",
        help=f"who is to use it, repeatable: {', '.join(CLIENTS)} (default: oakroot, a key file's line)",
    )
    parser.add_argument(
        "--algorithm",
        type=_algorithm,
        default=Algorithm.SHA256,
        metavar="ALGORITHM",
        help=f"{', '.join(algorithm.text for algorithm in Algorithm)} (default: hmac-sha256)",
    )
    parser.add_argument(
        "--server",
        type=server,
        metavar="ADDRESS[:PORT]",
        help="the primary's address, for clients that are told it (default: that in NAME, or an example)",
    )
    parser.add_argument(
        "--from", dest="source", metavar="KEY", help="make none, but show this one: @FILE or KEY"
    )


def _configure_ssh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", metavar="KEY", help="make none: @FILE or ed25519:BASE64")
    parser.add_argument("--comment", default="", metavar="TEXT", help="the end of the public key's line")


def run(arguments: argparse.Namespace) -> int:
    """Prints the key; CommandError where the name or the key given is not good."""
    try:
        return _run_tsig(arguments) if arguments.kind == "tsig" else _run_ssh(arguments)
    except KeyRejectedError as error:
        raise rejected_key(error) from None


def _run_tsig(arguments: argparse.Namespace) -> int:
    if (arguments.name is None) == (arguments.source is None):
        raise CommandError("give the NAME of a new key, or --from KEY", exit_code=Exit.USAGE)
    key = _new_key(arguments) if arguments.source is None else key_option(arguments.source)
    if key.weakness is not None:
        print(f"oakroot: warning: {key.weakness}", file=sys.stderr)
    clients = arguments.clients or ["oakroot"]
    primary = _primary(arguments, key)
    snippets = [write_for(client, key, primary) for client in clients]
    # The server has to know a new key too; where its line is printed anyway, a note would say it twice.
    if arguments.source is None and "oakroot" not in clients:
        snippets.insert(1 if clients[0] in READ_FIRST_LINE else 0, key_file_note(key))
    print("\n".join(snippets), end="")
    return Exit.FINE


def _primary(arguments: argparse.Namespace, key: Key) -> Primary | None:
    """The one that was given, or that the key's name tells of."""
    if arguments.server is not None:
        return Primary(arguments.server.host, arguments.server.port)
    try:
        address = read_grant(key.name).primary
    except KeyRejectedError:
        return None
    return None if address is None else Primary(str(address))


def _new_key(arguments: argparse.Namespace) -> Key:
    read_grant(arguments.name)
    return mint_key(arguments.name, arguments.algorithm, os.urandom)


def _run_ssh(arguments: argparse.Namespace) -> int:
    if arguments.source is not None:
        print(_given_ssh_key(arguments.source).public_line(arguments.comment))
        return Exit.FINE
    key = mint_ssh_key(os.urandom)
    print(key.notation())
    print(key.public_line(arguments.comment))
    return Exit.FINE


def _given_ssh_key(source: str) -> SshKey:
    return read_ssh_key(key_text(source))


def _algorithm(text: str) -> Algorithm:
    algorithm = Algorithm.named(text)
    if algorithm is None:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(known.text for known in Algorithm)}")
    return algorithm
