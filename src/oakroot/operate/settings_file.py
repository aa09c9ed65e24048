"""The settings file: TOML with a table for each command; and all that can be wrong with it.

Every finding has its line and column, and quotes no line that may hold a secret. What must not live here: the
commands and their options, which are handed in.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oakroot.operate.config import FILE_SUFFIX, Table, setting_in_file
from oakroot.operate.options import BadValueError, ConfigError, Option
from oakroot.operate.places import Entry, Place, find_places
from oakroot.zones.diagnostics import Finding

EXPOSED = "exposed-secret"
"""The code of findings about secrets that others can read: a reason to warn, none not to start."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "switch": (bool,),
    "integer": (int,),
    "number": (int, float),
    "text": (str,),
}
_WORDS = {
    "switch": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "text": "text in quotes",
}
# A line that may hold a secret: its key says so, or a value looks like one.
_CONFIDENTIAL = re.compile(r"(?i)key|secret|token|://[^/\s]*@|[A-Za-z0-9+/_-]{24}")


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says."""

    path: Path
    text: str = field(repr=False)
    document: Mapping[str, object] = field(repr=False)
    entries: Mapping[tuple[str, ...], Entry]
    mode: int
    """Its permissions."""

    def values(self, command: str) -> Mapping[str, object]:
        """The settings of a command."""
        table = self.document.get(command)
        return table if isinstance(table, dict) else {}

    def table(self, command: str) -> Table:
        """The settings of a command, for those who look one up."""
        values = self.values(command)
        places = {key: f"{self.path}:{self.entries[command, key].key.line}: {key}" for key in values}
        return Table(values, places)

    def finding(self, code: str, message: str, place: Place, hint: str | None = None) -> Finding:
        """An error at a place of this file."""
        line = self.text.splitlines()[place.line - 1]
        return Finding(
            "error",
            code,
            message,
            str(self.path),
            line=place.line,
            column=place.column,
            end_column=place.end_column,
            hint=hint,
            source_line=None if _CONFIDENTIAL.search(line) else line,
        )


def read_settings_file(path: Path) -> SettingsFile | Finding:
    """The file, or why it cannot be read as one."""
    try:
        text = path.read_text(encoding="utf-8")
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as problem:
        return Finding("error", "unreadable", f"cannot read the settings file: {problem.strerror}", str(path))
    except UnicodeDecodeError as problem:
        return Finding("error", "unreadable", f"not UTF-8 text (octet {problem.start})", str(path))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return _syntax_error(path, text, str(problem))
    return SettingsFile(path, text, document, find_places(text), mode)


def check_tables(file: SettingsFile, commands: Collection[str]) -> Iterator[Finding]:
    """What stands in the file and is no table of a command."""
    for name, value in file.document.items():
        place = file.entries[(name,)].key
        if name not in commands:
            what = f"unknown table [{name}]" if isinstance(value, dict) else f"{name} is outside of a table"
            yield file.finding("unknown-table", what, place, _nearest(name, commands))
        elif not isinstance(value, dict):
            hint = f"write [{name}] on a line of its own, and the settings below it"
            yield file.finding("no-table", f"{name} must be a table of settings", place, hint)


def check_settings(file: SettingsFile, command: str, options: Collection[Option]) -> Iterator[Finding]:
    """All that is wrong with the settings of a command which has these options."""
    known = {option.name: option for option in options}
    for key, value in file.values(command).items():
        entry = file.entries[command, key]
        name = key if key in known else key.removesuffix(FILE_SUFFIX)
        if name not in known:
            hint = _nearest(key, known)
            yield file.finding("unknown-key", f"[{command}] has no key {key}", entry.key, hint)
        elif key in known:
            yield from _check_value(file, entry, known[name], value)
        elif name in file.values(command):
            message = f"{key} and {name} are both given"
            yield file.finding("said-twice", message, entry.key, "drop one of them")
        else:
            yield from _check_file_value(file, entry, known[name], value)


def _check_value(file: SettingsFile, entry: Entry, option: Option, value: object) -> Iterator[Finding]:
    for item, each in enumerate(value if isinstance(value, list) else [value]):
        if not _has_type(each, option):
            message = f"{option.name} takes {_WORDS[option.kind]}"
            yield file.finding("wrong-type", message, _item_place(entry, item))
            return
    try:
        option.read(value)
    except BadValueError as problem:
        place = _item_place(entry, problem.item)
        yield file.finding("bad-value", f"{option.name}: {problem.message}", place, _usage(option))
        return
    yield from _check_secrecy(file, entry, option, value)


def _check_file_value(file: SettingsFile, entry: Entry, option: Option, value: object) -> Iterator[Finding]:
    """A setting that names a file which holds the value."""
    name = option.name + FILE_SUFFIX
    if not isinstance(value, str):
        yield file.finding("wrong-type", f"{name} takes the path of a file, in quotes", entry.value)
        return
    try:
        option.read(setting_in_file(Path(value), name).value)
    except ConfigError as problem:
        yield file.finding("unreadable", str(problem), entry.value)
    except BadValueError as problem:
        message = f"what {value} holds is no value of {option.name}: {problem.message}"
        yield file.finding("bad-value", message, entry.value, _usage(option))
    else:
        if option.holds_secrets:
            yield from _check_mode(file, entry.value, Path(value))


def _check_secrecy(file: SettingsFile, entry: Entry, option: Option, value: object) -> Iterator[Finding]:
    """Whether others can read the secrets that a setting holds, or those in the files it names."""
    for item, text in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(text, str):
            continue
        named = text.removeprefix("@")
        if option.holds_secrets and text.startswith("@") and "/" in named:
            yield from _check_mode(file, _item_place(entry, item), Path(named))
        elif masked(option, text) != text and file.mode & stat.S_IROTH:
            message = f"{option.name} holds a secret, and everybody on this machine can read this file"
            hint = f'chmod o-r {file.path}; or keep it elsewhere: {option.name}{FILE_SUFFIX} = "PATH"'
            yield file.finding(EXPOSED, message, entry.key, hint)
            return


def _check_mode(file: SettingsFile, place: Place, secret: Path) -> Iterator[Finding]:
    try:
        mode = os.stat(secret).st_mode  # noqa: PTH116 - one word for both kinds of paths
    except OSError:
        return  # whoever reads it tells
    if mode & stat.S_IROTH:
        message = f"{secret} holds a secret, and everybody on this machine can read it"
        yield file.finding(EXPOSED, message, place, f"chmod o-r {secret}")


def masked(option: Option, text: str) -> str:
    """A value of an option without the secrets in it."""
    text = re.sub(r"(?<=https://)[^/@\s]+@", "(hidden)@", text)
    if not option.holds_secrets or text.startswith("@"):
        return text
    head, mark, key = text.partition("@")
    if option.metavar.find("@") > 0:  # something else comes first, and the key may be there by its name
        return f"{head}@(hidden)" if mark and ":" in key and not key.startswith("@") else text
    return "(hidden)"


def _has_type(value: object, option: Option) -> bool:
    if isinstance(value, bool):
        return option.kind == "switch"
    return isinstance(value, _TYPES[option.kind])


def _item_place(entry: Entry, item: int | None) -> Place:
    return entry.items[item] if item is not None and item < len(entry.items) else entry.value


def _usage(option: Option) -> str | None:
    """What the option's help calls its value."""
    return None if option.action.choices is not None else f"it is written {option.metavar}"


def _syntax_error(path: Path, text: str, message: str) -> Finding:
    """What the parser says, which names the place in words."""
    found = re.fullmatch(
        r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|.*)\)", message, re.DOTALL
    )
    what = found["what"] if found else message
    if what in {"Illegal character '\\n'", 'Expected "\'"'}:
        what = "the text has no quote at its end"
    lines = text.splitlines() or [""]
    line = int(found["line"]) if found and found["line"] else len(lines)
    column = int(found["column"]) if found and found["column"] else len(lines[-1]) + 1
    source = lines[min(line, len(lines)) - 1]
    return Finding(
        "error",
        "syntax",
        f"{what[:1].lower()}{what[1:]}",
        str(path),
        line=line,
        column=column,
        hint="a setting is NAME = VALUE; text stands in quotes",
        source_line=None if _CONFIDENTIAL.search(source) else source,
    )


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
