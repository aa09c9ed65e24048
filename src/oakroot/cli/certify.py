"""`oakroot certify`: gets a certificate by way of DNS, and keeps it fresh in a folder."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from oakroot.certificates import Client, Folder, FolderError, Identity, KeyType, RejectedError, Wish
from oakroot.certificates.client import PATIENCE
from oakroot.certificates.folder import CERTIFICATE, CHAIN, FULL_CHAIN, PRIVATE_KEY
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import add_timeout_option, key_option, server
from oakroot.cli.progress import Progress

_DESCRIPTION = """\
Gets a certificate for HOST: makes a key, publishes a signing request in the zone, waits until a
certifier (`oakroot certifier`) has put the certificate beside it, and writes privkey.pem, cert.pem,
chain.pem and fullchain.pem into a folder, all at once.

While the certificate there is good it does nothing, and succeeds: run it as often as you like, say
daily by a timer. It is good while it has the names asked for and a third of its lifetime left."""

_EPILOG = """\
exit code: 0 a good certificate is in the folder, 1 it is not, or the deploy hook failed, 2 wrong usage.

A certificate for a host and all names below it, and a web server that reads it:
  oakroot certify ns.example.org www.example.org --additional '*.www.example.org' \\
      --key @/etc/oakroot/certify.key --out /etc/ssl/www --deploy-hook 'systemctl reload nginx'

The hook finds the files in $CERTIFY_PRIVKEY, $CERTIFY_CERT, $CERTIFY_CHAIN, $CERTIFY_FULLCHAIN and
$CERTIFY_FOLDER, the names in $CERTIFY_NAMES; hooks made for certbot, too, in $RENEWED_LINEAGE and
$RENEWED_DOMAINS. It runs when something has changed, and again the next time if it has failed.

The options of OCaml-DNS's ocertify --dns-key, --type and --port are understood, too."""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "certify",
        help="get a certificate by way of DNS, and keep it fresh",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "server", type=server, metavar="SERVER[:PORT]", help="the primary, by name or address"
    )
    parser.add_argument("host", metavar="HOST", help="the host; no wildcard")
    parser.add_argument(
        "--additional",
        action="append",
        default=[],
        metavar="NAME",
        help="another name, or *.NAME; repeatable",
    )
    parser.add_argument(
        "--key",
        "--dns-key",
        metavar="KEY",
        help="a key that may update the zone: @FILE, in the form of BIND, Knot DNS, NSD or a key file; or "
        "NAME:ALGORITHM:BASE64; without one only what is published already can be had",
    )
    _add_outcome_options(parser)
    add_timeout_option(parser, PATIENCE, "how long to wait for the certificate")
    parser.add_argument("--port", type=int, help="another way to write SERVER:PORT")


def _add_outcome_options(parser: argparse.ArgumentParser) -> None:
    """What key and certificate are to be had, and what is done with them."""
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where the files are kept (default: a folder named HOST)"
    )
    parser.add_argument(
        "--key-type",
        "--type",
        choices=[kind.value for kind in KeyType],
        metavar="TYPE",
        help="rsa, p256, p384, or ed25519, which public authorities do not take (default: keep the key; "
        "p256 for a new one)",
    )
    parser.add_argument("--new-key", action="store_true", help="change the private key")
    parser.add_argument("--force", action="store_true", help="renew also a good certificate")
    parser.add_argument("--deploy-hook", metavar="COMMAND", help="shell command to run after a change")


def run(arguments: argparse.Namespace) -> int:
    """Sees to a good certificate and tells until when it is; CommandError says why there is none."""
    where = arguments.server if arguments.port is None else replace(arguments.server, port=arguments.port)
    wish = _read_wish(arguments)
    path = arguments.out or Path(arguments.host.rstrip(".").lower())
    client = Client(where, None if arguments.key is None else key_option(arguments.key))
    folder = Folder(path)
    try:
        with Progress(sys.stderr) as progress:
            identity = client.obtain(wish, folder=path, patience=arguments.timeout, progress=progress)
    except (FolderError, RejectedError) as error:
        raise CommandError(error.message, hint=error.hint) from None
    except OSError as error:
        message = f"{error.filename or path}: {error.strerror or error}"
        raise CommandError(message, hint="what was in the folder before is still there, whole") from None
    is_new = folder.is_undeployed
    if is_new:
        if arguments.deploy_hook:
            _deploy(arguments.deploy_hook, folder, identity)
        folder.mark_deployed()
    expiry, renewal = (
        f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (identity.not_after, identity.renewal_due)
    )
    what = "new certificate" if is_new else "nothing to do: the certificate"
    print(f"{what} in {path} is valid until {expiry}, to be renewed from {renewal}")
    return Exit.FINE


def _read_wish(arguments: argparse.Namespace) -> Wish:
    kind = None if arguments.key_type is None else KeyType(arguments.key_type)
    try:
        return Wish.of(
            arguments.host,
            arguments.additional,
            key_type=kind,
            renew=arguments.force,
            new_key=arguments.new_key,
        )
    except RejectedError as error:
        raise CommandError(error.message, hint=error.hint, exit_code=Exit.USAGE) from None


def _deploy(hook: str, folder: Folder, identity: Identity) -> None:
    """Runs the hook; CommandError if it fails. The set stays, and is deployed the next time."""
    # The secret of the TSIG key may have come by the environment, and is none of the hook's business.
    environment = {name: value for name, value in os.environ.items() if name != "OAKROOT_KEY"}
    environment |= {
        "CERTIFY_FOLDER": str(folder.path.absolute()),
        "CERTIFY_PRIVKEY": str(folder.file(PRIVATE_KEY).absolute()),
        "CERTIFY_CERT": str(folder.file(CERTIFICATE).absolute()),
        "CERTIFY_CHAIN": str(folder.file(CHAIN).absolute()),
        "CERTIFY_FULLCHAIN": str(folder.file(FULL_CHAIN).absolute()),
        "CERTIFY_NAMES": " ".join(identity.names),
        "RENEWED_LINEAGE": str(folder.path.absolute()),
        "RENEWED_DOMAINS": " ".join(identity.names),
    }
    done = subprocess.run(hook, shell=True, env=environment, check=False)  # noqa: S602 - the operator's own words
    if done.returncode != 0:
        raise CommandError(
            f"the new certificate is in {folder.path}, but the deploy hook failed: status {done.returncode}",
            hint="it will be run again the next time",
        )
