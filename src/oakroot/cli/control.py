"""The control socket on the command line: the options of services, and what the commands that ask share."""

from __future__ import annotations

import argparse
import glob
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path

from oakroot.cli import CommandError, Exit
from oakroot.cli.options import add_timeout_option, domain_name
from oakroot.operate.control import ControlError, Request
from oakroot.operate.control_client import NobodyThereError, ask
from oakroot.operate.control_server import ControlSocket, Handler
from oakroot.operate.lifetime import Lifetime

_log = logging.getLogger("oakroot.control")

SOCKET_NAME = "control.sock"
_MODES = {"0600": 0o600, "0660": 0o660}
_PLACES = "oakroot*/" + SOCKET_NAME
_RUN = Path("/run")


def add_socket_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `controlled` reads."""
    group = parser.add_argument_group("control")
    group.add_argument(
        "--control",
        type=Path,
        metavar="PATH",
        help="answer `oakroot status` and other commands at this Unix socket (default: control.sock in "
        "$RUNTIME_DIRECTORY, which systemd sets; else nowhere)",
    )
    group.add_argument(
        "--control-mode",
        choices=tuple(_MODES),
        default="0600",
        help="who may use it: the service's user, or also its group (default: %(default)s)",
    )


def controlled(
    arguments: argparse.Namespace, lifetime: Lifetime, role: str, commands: Mapping[str, Handler]
) -> AbstractAsyncContextManager[None]:
    """Answers commands while the block runs, if the options want it; CommandError.

    The socket's path goes from process to process.
    """
    path = arguments.control or _runtime_path(os.environ)
    if path is None:
        return nullcontext()
    try:
        control = ControlSocket(path, _MODES[arguments.control_mode], waits=lifetime.is_silent)
    except ControlError as error:
        raise CommandError(f"--control: {error.message}", hint=error.hint, exit_code=Exit.USAGE) from None
    lifetime.hold(control)
    _log.info("control socket %s", path)
    return control.serving(role, commands)


# --- commands that ask


def add_asking_options(parser: argparse.ArgumentParser, patience: float = 10.0) -> None:
    """Adds what `ask_service` reads."""
    parser.add_argument(
        "--control",
        type=Path,
        metavar="PATH",
        help="the service's control socket (default: the one in /run/oakroot*)",
    )
    add_timeout_option(parser, patience, "how long to wait for the answer")


def add_zone_argument(parser: argparse.ArgumentParser, purpose: str, *, optional: bool = True) -> None:
    """Adds ZONE."""
    parser.add_argument(
        "zone", nargs="?" if optional else None, type=domain_name, metavar="ZONE", help=purpose
    )


def ask_service(arguments: argparse.Namespace, command: str) -> Mapping[str, object]:
    """What a running service says to a command, with ZONE if one was given; CommandError."""
    path = arguments.control or find_socket(_RUN)
    zone = getattr(arguments, "zone", None)
    request = Request(command, {} if zone is None else {"zone": zone.to_text()})
    try:
        return ask(path, request, arguments.timeout)
    except ControlError as error:
        raise CommandError(error.message, hint=error.hint) from None


def ask_those_before(arguments: argparse.Namespace, command: str) -> Iterator[Mapping[str, object]]:
    """What those processes say whose place another one has, or is to have; CommandError.

    Sockets of those that were killed are removed.
    """
    path = arguments.control or find_socket(_RUN)
    refused = []
    for place in sorted(path.parent.glob(f"{glob.escape(path.name)}.*")):
        try:
            yield ask(place, Request(command), arguments.timeout)
        except NobodyThereError:
            # It was killed, and could not remove its socket.
            with suppress(OSError):
                place.unlink(missing_ok=True)
        except ControlError as error:
            refused.append(error.message)
    if refused:
        raise CommandError("; ".join(refused))


def find_socket(run: Path) -> Path:
    """The one control socket below /run; CommandError where there is none, or several."""
    found = sorted(run.glob(_PLACES))
    if len(found) == 1:
        return found[0]
    if not found:
        hint = "start the service with --control PATH, and give the same here or in $OAKROOT_CONTROL"
        raise CommandError(f"no control socket is at {run}/{_PLACES}", hint=hint)
    hint = "say which by --control: " + ", ".join(map(str, found))
    raise CommandError("there are several control sockets", hint=hint, exit_code=Exit.USAGE)


def _runtime_path(environment: Mapping[str, str]) -> Path | None:
    """Of several folders, which systemd separates by colons, the first is taken."""
    folder = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(folder) / SOCKET_NAME if folder else None
