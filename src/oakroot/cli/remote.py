"""The options that say how a git remote is reached, for every command that has one."""

from __future__ import annotations

import argparse
import os

from oakroot.git.credentials import Credentials, load_credentials, refuse_open_token
from oakroot.git.remote import Remote


def add_remote_options(parser: argparse._ActionsContainer) -> None:
    """Adds the options that `credentials` reads."""
    parser.add_argument(
        "--ssh-key", metavar="KEY", help="ed25519:BASE64, an OpenSSH private key file, or @FILE with either"
    )
    parser.add_argument(
        "--authenticator",
        metavar="SHA256:FP",
        help="fingerprint that the git server's host key must have (default: known_hosts decides)",
    )
    parser.add_argument("--git-ca", metavar="FILE", help="certificate authorities for https, in PEM")


def credentials(arguments: argparse.Namespace, remote: Remote | None) -> Credentials:
    """What the options and the environment say; GitError, also where this remote must not be told it."""
    given = load_credentials(
        ssh_key=arguments.ssh_key,
        authenticator=arguments.authenticator,
        ca_file=arguments.git_ca,
        environment=os.environ,
    )
    if remote is not None:
        refuse_open_token(remote, given)
    return given
