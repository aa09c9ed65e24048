"""`oakroot config`: whether a settings file is good, which settings hold and where each comes from."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.commands import COMMANDS
from oakroot.cli.main import ServingModule, build_parser
from oakroot.cli.settings import complete, tables
from oakroot.operate import config
from oakroot.operate.options import ConfigError, Option, Options
from oakroot.operate.schema import schema
from oakroot.operate.settings_file import (
    EXPOSED,
    SettingsFile,
    check_settings,
    check_tables,
    masked,
    read_settings_file,
)
from oakroot.operate.terminal import Style, painter, wants_colour
from oakroot.zones.diagnostics import Finding, as_json, errors, render, visible

_DESCRIPTION = """\
Checks a settings file before a service reads it, shows which settings hold for a command and where
each comes from, or prints the JSON Schema of settings files."""

_CHECK = """\
Checks a settings file: its syntax, every key and value of every table, the files it names, and whether
others can read its secrets. For the servers all is read as at their start, but no socket is opened."""

_SHOW = """\
Shows the settings that hold for a command, and where each comes from. Options behind the command's name
count as they would on its command line. Secrets are not shown."""

_EPILOG = """\
exit code: 0 all is good, 1 something is wrong with the file, 2 wrong usage.

Before a restart:
  oakroot config check /etc/oakroot/oakroot.toml
Why does the primary listen there?
  oakroot config show primary"""

_FORMATS = ("text", "json", "github")


def configure(subparsers: Subparsers) -> None:
    """Adds the command, and a sub-command for each task."""
    parser = subparsers.add_parser(
        "config",
        help="check a settings file, or show which settings hold",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True, title="tasks")
    check = tasks.add_parser("check", help="check a settings file", description=_CHECK)
    check.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=f"the settings file (default: $OAKROOT_CONFIG, or {config.DEFAULT_FILE})",
    )
    check.add_argument(
        "--format", choices=_FORMATS, default="text", help="form of the findings (default: %(default)s)"
    )
    show = tasks.add_parser("show", help="show which settings hold", description=_SHOW)
    show.add_argument(
        "--format", choices=_FORMATS[:2], default="text", help="form of the output (default: %(default)s)"
    )
    show.add_argument("shown", choices=tables(COMMANDS), metavar="COMMAND", help="whose settings")
    show.add_argument(
        "options", nargs=argparse.REMAINDER, metavar="OPTION", help="options as on the command's own line"
    )
    tasks.add_parser(
        "schema",
        help="print the JSON Schema of settings files",
        description="Prints the JSON Schema of settings files, for editors.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Does the task."""
    match arguments.task:
        case "check":
            named = arguments.file or Path(os.environ.get("OAKROOT_CONFIG", config.DEFAULT_FILE))
            return _check(named, arguments.format)
        case "show":
            return _show(arguments.shown, arguments.options, arguments.format)
        case _:
            print(settings_schema())
            return Exit.FINE


def settings_schema() -> str:
    """The JSON Schema of all commands' settings, as text."""
    commands = {name: (COMMANDS[name].summary, options_of(name)) for name in tables(COMMANDS)}
    return json.dumps(schema(commands), indent=2)


def options_of(command: str) -> list[Option]:
    """What can be set of a command."""
    return Options(build_parser(command)[0]).all()


# --- check


def _check(path: Path, form: str) -> int:
    file = read_settings_file(path)
    findings = [file] if isinstance(file, Finding) else list(_findings(file))
    if form == "json":
        print(json.dumps([as_json(finding) for finding in findings], indent=2))
    else:
        colour = form == "text" and wants_colour(sys.stdout, os.environ)
        for finding in findings:
            print(render(finding, "github" if form == "github" else "text", colour=colour))
    if form == "text" and not findings:
        print(f"{path}: no errors")
    return Exit.NOT_SO if errors(findings) else Exit.FINE


def _findings(file: SettingsFile) -> Iterator[Finding]:
    yield from check_tables(file, tables(COMMANDS))
    for command in file.document:
        if command in tables(COMMANDS):
            found = list(check_settings(file, command, options_of(command)))
            yield from found
            if all(finding.code == EXPOSED for finding in found) and COMMANDS[command].serves:
                yield from _try(file, command)


def _try(file: SettingsFile, command: str) -> Iterator[Finding]:
    """What the server would say of its settings at its start, if the file has all that it requires."""
    parser, module = build_parser(command)
    options = Options(parser)
    table = file.table(command)
    if module is None or not all(_is_given(option, table) for option in options.all() if option.required):
        return
    namespace = parser.parse_args([command])
    try:
        options.fill(namespace, table.find)
        cast("ServingModule", module).configuration(namespace)
    except ConfigError as problem:
        yield Finding("error", "setting", str(problem), str(file.path))
    except CommandError as problem:
        flag = problem.message.partition(":")[0].partition(" ")[0].removeprefix("--")
        place = (file.entries.get((command, flag)) or file.entries[(command,)]).value
        yield replace(file.finding("setting", problem.message, place, problem.hint), source_line=None)


def _is_given(option: Option, table: config.Table) -> bool:
    return option.name in table.values or option.name + config.FILE_SUFFIX in table.values


# --- show


def _show(command: str, words: Sequence[str], form: str) -> int:
    parser, _ = build_parser(command)
    options = Options(parser)
    namespace = parser.parse_args([command, *words])
    given = set(vars(namespace))
    places = complete(namespace, options, command, COMMANDS, os.environ, requires=False)
    rows = [
        (option, _shown(option, getattr(namespace, option.action.dest)), _origin(option, given, places))
        for option in options.all()
        if hasattr(namespace, option.action.dest)
    ]
    if form == "json":
        print(
            json.dumps(
                {option.name: {"value": value, "from": origin} for option, value, origin in rows}, indent=2
            )
        )
    else:
        _print_table([(option.name, _as_text(value), origin) for option, value, origin in rows])
    return Exit.FINE


def _origin(option: Option, given: set[str], places: Mapping[str, str]) -> str:
    if option.action.dest in given:
        return "command line"
    if option.required and option.name not in places:
        return "missing"
    return places.get(option.name, "default").removesuffix(f": {option.name}")


def _shown(option: Option, value: object) -> object:
    """A value as text, number or switch, or a list of such, without secrets."""
    if isinstance(value, list):
        return [_shown(option, each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, tuple):  # an address and a port
        host, port = value
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return masked(option, str(value))


def _as_text(value: object) -> str:
    match value:
        case None | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(str, value))
        case float():
            return f"{value:g}"
        case _:
            return visible(str(value))


def _print_table(rows: Sequence[tuple[str, str, str]]) -> None:
    paint = painter(sys.stdout, os.environ)
    table = [("SETTING", "VALUE", "FROM"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(2)]
    for number, (name, value, origin) in enumerate(table):
        line = f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}"
        strong = number == 0 or origin != "default"
        print(paint(line, Style.STRONG) if strong else line)
