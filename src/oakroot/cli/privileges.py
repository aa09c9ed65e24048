"""The option that says whom a server becomes when root has started it."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from oakroot.cli import CommandError, Exit
from oakroot.operate import privileges

_log = logging.getLogger(__name__)


def add_user_option(group: argparse._ArgumentGroup) -> None:
    """Adds what `drop_privileges` needs."""
    group.add_argument(
        "--user",
        metavar="USER[:GROUP]",
        help="whom to become once the sockets are bound, when started as root (default: oakroot, if there is "
        "such a user)",
    )


def drop_privileges(arguments: argparse.Namespace, folders: Iterable[Path | None]) -> None:
    """Becomes the user of `--user`, or the one made for us, if we are root.

    To be called before there are threads. `folders`, where they are empty or absent, become his.
    """
    wanted = arguments.user
    try:
        account = privileges.find_account(wanted) if wanted else privileges.default_account()
        if os.geteuid() != 0:
            if wanted and account is not None and account.user != os.geteuid():
                raise CommandError("--user: only root can become somebody else", exit_code=Exit.USAGE)
            return
        if account is None:
            _log.warning("running as root: name a user to become with --user, or make one named oakroot")
            return
        privileges.become(account, [folder for folder in folders if folder is not None])
    except privileges.PrivilegeError as error:
        raise CommandError(f"--user: {error}", exit_code=Exit.USAGE) from None
    _log.info("running as %s", account.name)
