"""`oakroot COMMAND …`: chooses the command, completes its options, and makes an exit code of the outcome.

What must not live here: anything about a single command. Exit codes: 0 fine, 1 the thing asked for is not so,
2 usage.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import importlib
import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from oakroot import __version__
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.commands import COMMANDS, Command, listing
from oakroot.cli.parsers import Parser
from oakroot.cli.settings import complete
from oakroot.client.server import ServerError, read_server
from oakroot.operate import config, logs
from oakroot.operate.log_targets import SYSLOG_PORT
from oakroot.operate.options import ConfigError, Options
from oakroot.zones.diagnostics import visible

_log = logging.getLogger("oakroot.settings")

# Python looks for cycles whenever there are so many more objects than before. Modules, zones and updates come
# by the hundred, make none, and would have it look after each dozen.
COLLECTION_THRESHOLD = 10_000

INTERRUPTED = 130  # 128 and the number of the signal, as a shell reports it
PIPE_CLOSED = 141


class CommandModule(Protocol):
    """What each command's module offers."""

    def configure(self, subparsers: Subparsers) -> None:
        """Adds the command's parser, with its options."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Does it, and gives the exit code."""


class ServingModule(CommandModule, Protocol):
    """What the module of a command that serves offers besides."""

    def configuration(self, arguments: argparse.Namespace) -> object:
        """What the options say, with nothing opened; CommandError."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Usage errors, --help and --version leave by SystemExit, as argparse has it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    gc.set_threshold(COLLECTION_THRESHOLD)
    _let_odd_text_be_printed()
    try:
        code = _run(arguments, os.environ)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough. What is buffered would be written, and fail again, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except ConfigError as problem:
        code = _complain(str(problem), None, _usage_exit(arguments, Exit.USAGE))
    except CommandError as problem:
        code = _complain(problem.message, problem.hint, _usage_exit(arguments, problem.exit_code))
    except ServerError as problem:
        code = _complain(problem.message, problem.hint, Exit.NOT_SO)
    except OSError as problem:
        code = _complain(_describe(problem), None, Exit.NOT_SO)
    except Exception as problem:  # noqa: BLE001 - nobody else is left to catch it, and it is reported
        code = _report_bug(problem)
    return code


def frame() -> tuple[Parser, Subparsers]:
    """The parser of all commands with no command in it, and what commands are added to."""
    parser = Parser(
        prog="oakroot",
        description="Serves your domains from a git repository.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"oakroot {__version__}")
    subparsers = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        required=True,
        title="commands",
        description=listing(),
        help="one of these; `oakroot COMMAND --help` tells more about it",
    )
    return parser, subparsers


def load(name: str, subparsers: Subparsers) -> CommandModule:
    """Loads the module of a command, and has it add its parser."""
    module = cast("CommandModule", importlib.import_module(COMMANDS[name].module))
    module.configure(subparsers)
    _add_common_options(subparsers.choices[name], COMMANDS[name])
    return module


def build_parser(chosen: str | None) -> tuple[Parser, CommandModule | None]:
    """The parser with the chosen command, whose module alone is loaded; with the names of all if none is."""
    parser, subparsers = frame()
    if chosen is not None:
        return parser, load(chosen, subparsers)
    for name in COMMANDS:
        subparsers.add_parser(name)
    return parser, None


def understand(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[argparse.Namespace, CommandModule]:
    """The command that is meant, with all its options.

    One that serves can have them read again, by `read_again`: its parser, which takes longer to make than all
    there is to read, is made once.
    """
    chosen = _chosen(arguments)
    parser, module = build_parser(chosen)
    if module is None or chosen is None:
        _refuse_unknown_command(parser, arguments)
        parser.parse_args(arguments)
        raise AssertionError("argparse accepted arguments without a command")
    options = Options(parser)

    def read() -> argparse.Namespace:
        namespace = _parse(parser, arguments)
        complete(namespace, options, chosen, COMMANDS, environment)
        return namespace

    namespace = read()
    if COMMANDS[chosen].serves:
        parser.raise_errors()
        namespace.read_again = read
    return namespace, module


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    namespace, module = understand(arguments, environment)
    if COMMANDS[namespace.command].serves:
        # Until the service listens to it, it must not end the process, as it does by default.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _set_up_log(namespace, environment)
    else:
        logs.set_up("warning", "text", environment=environment)
    for warning in namespace.warnings:
        _log.warning("%s", warning)
    return module.run(namespace)


def _set_up_log(namespace: argparse.Namespace, environment: Mapping[str, str]) -> None:
    try:
        logs.set_up(
            namespace.log_level, namespace.log_format, environment=environment, syslog=namespace.syslog
        )
    except OSError as error:
        places = ["journald"] if namespace.log_format == "journald" else []
        places += [] if namespace.syslog is None else [f"syslog at {namespace.syslog[0]}"]
        message = f"the log cannot be sent to {' or '.join(places)}: {error.strerror or error}"
        hint = "see --log-format and --syslog"
        raise CommandError(message, hint=hint, exit_code=Exit.USAGE) from None


def _chosen(arguments: Sequence[str]) -> str | None:
    # No option of the parser of all commands takes a value, so the command can only be the first word.
    return arguments[0] if arguments and arguments[0] in COMMANDS else None


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    try:
        return parser.parse_args(arguments)
    except SystemExit as ended:
        if ended.code == Exit.USAGE:
            ended.code = _usage_exit(arguments, Exit.USAGE)
        raise


def _usage_exit(arguments: Sequence[str], code: Exit) -> Exit:
    chosen = _chosen(arguments)
    return COMMANDS[chosen].usage if chosen is not None and code is Exit.USAGE else code


def _add_common_options(parser: argparse.ArgumentParser, command: Command) -> None:
    """Options that are the same for every command, or for every one that serves."""
    if not command.is_set_by_files:
        return
    group = parser.add_argument_group("general")
    group.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=argparse.SUPPRESS,  # the one option that the settings file cannot set
        help=f"settings file, in TOML (default: {config.DEFAULT_FILE} if it exists) [$OAKROOT_CONFIG]",
    )
    if command.serves:
        group.add_argument(
            "--log-level",
            choices=logs.LEVELS,
            default="info",
            help="what is worth a line (default: %(default)s)",
        )
        group.add_argument(
            "--log-format",
            choices=logs.FORMATS,
            default="text",
            help="layout of the log; journald sends it there in fields (default: %(default)s)",
        )
        group.add_argument(
            "--syslog",
            type=_syslog_server,
            metavar="HOST[:PORT]",
            help="send the log to this syslog server besides, over UDP (RFC 5424; default port: 514)",
        )


def _syslog_server(text: str) -> tuple[str, int]:
    """Reads `HOST[:PORT]`."""
    try:
        found = read_server(text, SYSLOG_PORT)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return found.host, found.port


def _refuse_unknown_command(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        return
    near = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"commands are {', '.join(COMMANDS)}"
    parser.error(f"there is no command {arguments[0]!r}; {hint}")


def _let_odd_text_be_printed() -> None:
    """A zone file may hold any octets, and a hook may run in a locale that has no letter for them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(message: str, hint: str | None, code: int) -> int:
    """Tells what went wrong; what others wrote is quoted there, and does not steer a terminal."""
    lines = message.split("\n")  # several findings about a settings file are one message
    print("oakroot:", "\n".join(map(visible, lines)), file=sys.stderr)
    if hint:
        print(f"  hint: {visible(hint)}", file=sys.stderr)
    return code


def _describe(problem: OSError) -> str:
    """What the operating system refused, as it says it."""
    what = problem.strerror or str(problem)
    return f"{problem.filename}: {what}" if problem.filename else what


def _report_bug(problem: Exception) -> int:
    """Names the place only: the text of an exception nobody foresaw may hold a secret."""
    if os.environ.get("OAKROOT_DEBUG"):
        traceback.print_exception(problem)
        return Exit.NOT_SO
    place = traceback.extract_tb(problem.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    hint = "OAKROOT_DEBUG=1 shows the traceback; please report it"
    return _complain(f"this is a bug in Oakroot: {type(problem).__name__} at {where}", hint, Exit.NOT_SO)


if __name__ == "__main__":
    sys.exit(main())
