"""`oakroot COMMAND …`: chooses the command, completes its options, and makes an exit code of the outcome.

What must not live here: anything about a single command beyond its name, its one line of help, and whether it
serves. Exit codes: 0 fine, 1 the thing asked for is not so, 2 usage.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol, cast

from oakroot import __version__
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.settings import complete
from oakroot.client.server import ServerError, read_server
from oakroot.operate import config, logs
from oakroot.operate.log_targets import SYSLOG_PORT
from oakroot.operate.options import ConfigError, Options, actions_of, sub_parsers_of

_log = logging.getLogger("oakroot.settings")

INTERRUPTED = 130  # 128 and the number of the signal, as a shell reports it
PIPE_CLOSED = 141


@dataclass(frozen=True)
class Command:
    """What is known of a command before its module is loaded."""

    module: str
    summary: str
    serves: bool = False
    usage: Exit = Exit.USAGE
    """What wrong usage ends with: `plan` says with a 2 that there are changes."""
    is_set_by_files: bool = True
    """Whether it has a table in the settings file."""


# `oakroot check` runs in hooks, once per push or commit, and must not wait for the git and ssh libraries that
# only `primary` needs. So a command's module is named here as text and imported when it was chosen: the one
# late import beside those of `oakroot.late`.
COMMANDS = {
    "primary": Command("oakroot.cli.primary", "serve the zones of a git repository", serves=True),
    "secondary": Command("oakroot.cli.secondary", "serve zones of other servers", serves=True),
    "certifier": Command("oakroot.cli.certifier", "get certificates for requests found in DNS", serves=True),
    "init": Command("oakroot.cli.init", "make a zone repository"),
    "import": Command("oakroot.cli.importing", "make a zone repository of another server's set-up"),
    "check": Command("oakroot.cli.check", "check zone files, folders and repositories"),
    "plan": Command("oakroot.cli.plan", "show what a push would change", usage=Exit.NOT_SO),
    "log": Command("oakroot.cli.log", "show who changed a zone or a name, and how"),
    "blame": Command("oakroot.cli.blame", "show which commit made each record what it is"),
    "show": Command("oakroot.cli.show", "show the records of a name, now or at a moment"),
    "revert": Command("oakroot.cli.revert", "undo a change on top of later ones"),
    "notify": Command("oakroot.cli.notify", "tell a primary that its repository has changed"),
    "status": Command("oakroot.cli.status", "show what a running service is doing"),
    "reload": Command("oakroot.cli.reload", "have a running service read its settings and zones again"),
    "renotify": Command("oakroot.cli.renotify", "have a running service notify its secondaries"),
    "retransfer": Command("oakroot.cli.retransfer", "have a running secondary transfer a zone anew"),
    "doctor": Command("oakroot.cli.doctor", "look at a zone from outside, and say what to do"),
    "update": Command("oakroot.cli.update", "change records of a zone at its primary"),
    "certify": Command("oakroot.cli.certify", "get a certificate by way of DNS, and keep it fresh"),
    "keys": Command("oakroot.cli.keys", "list who may do what"),
    "merge": Command("oakroot.cli.merge", "merge zone files and key files for git"),
    "persist": Command("oakroot.cli.persist", "permit accounts of authorities to certify without challenges"),
    "keygen": Command("oakroot.cli.keygen", "make a TSIG or ssh key"),
    "image": Command("oakroot.cli.image", "make, verify and start appliance images", is_set_by_files=False),
    "config": Command(
        "oakroot.cli.config", "check a settings file, or show which settings hold", is_set_by_files=False
    ),
    "completion": Command(
        "oakroot.cli.completion", "print a script that completes commands", is_set_by_files=False
    ),
}


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


def build_parser(
    chosen: str | None, kind: type[argparse.ArgumentParser] = argparse.ArgumentParser
) -> tuple[argparse.ArgumentParser, CommandModule | None]:
    """The parser of all commands; only the chosen one's module is loaded and fills in its options."""
    parser = kind(
        prog="oakroot",
        description="Serves your domains from a git repository.",
        epilog="`oakroot COMMAND --help` tells more about a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"oakroot {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    module = None
    for name, command in COMMANDS.items():
        if name == chosen:
            module = cast("CommandModule", importlib.import_module(command.module))
            module.configure(subparsers)
            _add_common_options(subparsers.choices[name], command)
        else:
            subparsers.add_parser(name, help=command.summary)
    return parser, module


def understand(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    kind: type[argparse.ArgumentParser] = argparse.ArgumentParser,
) -> tuple[argparse.Namespace, CommandModule]:
    """The command that is meant, with all its options; `kind` of parser says how wrong usage is told."""
    chosen = _chosen(arguments)
    parser, module = build_parser(chosen, kind)
    if module is None or chosen is None:
        _refuse_unknown_command(parser, arguments)
        parser.parse_args(arguments)
        raise AssertionError("argparse accepted arguments without a command")
    options = Options(parser)
    _, commands = next(sub_parsers_of(parser))
    namespace = _parse(parser, [chosen, *_options_first(commands[chosen], arguments[1:])])
    complete(namespace, options, chosen, COMMANDS, environment)
    return namespace, module


class _Raising(argparse.ArgumentParser):
    """Tells wrong usage to the program instead of the terminal: a service goes on."""

    def error(self, message: str) -> NoReturn:
        """Raises it."""
        raise ConfigError(message)


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    namespace, module = understand(arguments, environment)
    if COMMANDS[namespace.command].serves:
        # Until the service listens to it, it must not end the process, as it does by default.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _set_up_log(namespace, environment)
        namespace.read_again = lambda: understand(arguments, environment, _Raising)[0]
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


def _options_first(command: argparse.ArgumentParser, arguments: Sequence[str]) -> Sequence[str]:
    """The arguments with positional ones last: argparse wants optional ones of them to stand together."""
    for _, verbs in sub_parsers_of(command):
        if arguments and arguments[0] in verbs:
            return [arguments[0], *_options_first(verbs[arguments[0]], arguments[1:])]
        return arguments
    if any(action.nargs == argparse.REMAINDER for action in actions_of(command)):
        return arguments
    takes_value = {
        flag: action.nargs is None for action in actions_of(command) for flag in action.option_strings
    }
    options, words, rest = [], [], list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            words += rest
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        options.append(argument)
        if takes_value.get(argument) and rest:
            options.append(rest.pop(0))
    return [*options, *(["--"] if any(word.startswith("-") for word in words) else []), *words]


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
    parser.allow_abbrev = False
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
    print(f"oakroot: {message}", file=sys.stderr)
    if hint:
        print(f"  hint: {hint}", file=sys.stderr)
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
