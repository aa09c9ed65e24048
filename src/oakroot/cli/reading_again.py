"""What SIGHUP makes of the settings of a service: they are read again, and taken over as far as can be.

What must not live here: what a role does with them.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable, Collection
from typing import TypeVar

from oakroot.cli import CommandError
from oakroot.cli.tapping import LIVE, choose
from oakroot.operate import logs
from oakroot.operate.options import ConfigError
from oakroot.operate.tapping import Tapping

_log = logging.getLogger("oakroot.settings")

T = TypeVar("T")

_COMMON = ("log_level", "log_format")
_NO_SETTINGS = ("config", "warnings", "read_again", "command")


def reader(
    arguments: argparse.Namespace,
    read: Callable[[argparse.Namespace], T],
    live: Collection[str],
    tap: Tapping | None = None,
) -> Callable[[], T | None]:
    """A function that reads the settings again and gives what `read` makes of them; `tap` has its own too.

    None: they cannot be used, and those before stay; the log says why. It also names the options that were
    changed and are not `live`: they count from the next start on.
    """

    def read_again() -> T | None:
        try:
            again = arguments.read_again()
            made = read(again)
            _set_up_log(again, arguments.syslog)  # the latter counts from the next start on
        except (ConfigError, CommandError, OSError) as problem:
            _log.error("the settings cannot be used, those before stay: %s", problem)
            return None
        for warning in again.warnings:
            _log.warning("%s", warning)
        for name in changed(arguments, again):
            if name not in (*live, *LIVE, *_COMMON):
                _log.warning("--%s counts from the next start on", name.replace("_", "-"))
        if tap is not None:
            choose(tap, again)
        _log.info("settings read again")
        return made

    return read_again


def _set_up_log(again: argparse.Namespace, syslog: tuple[str, int] | None) -> None:
    try:
        logs.set_up(again.log_level, again.log_format, environment=os.environ, syslog=syslog)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"the log cannot be sent where --log-format and --syslog say: {reason}") from None


def changed(before: argparse.Namespace, after: argparse.Namespace) -> list[str]:
    """The options that have another value."""
    return [
        name
        for name, value in vars(after).items()
        if name not in _NO_SETTINGS and value != getattr(before, name, None)
    ]
