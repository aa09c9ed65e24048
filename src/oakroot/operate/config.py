"""Settings from the environment and from a TOML file.

Precedence: flag, environment, file, default. For the option `--ssh-key` of the command `primary`:

- environment: `OAKROOT_SSH_KEY`; or `OAKROOT_SSH_KEY_FILE`, the path of a file that holds the value; or a
  systemd credential named `oakroot.ssh-key` (a file in `$CREDENTIALS_DIRECTORY`, systemd.exec(5)). A
  repeatable option takes several values separated by white space; a switch takes `yes` or `no`.
- file: in the table `[primary]` the key `ssh-key`, or `ssh-key-file`. A repeatable option takes an array.

What must not live here: the options themselves. They are whatever the command's parser has.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from oakroot.operate.options import ConfigError, Option, Setting

DEFAULT_FILE = Path("/etc/oakroot/oakroot.toml")

FILE_SUFFIX = "-file"


@dataclass(frozen=True)
class Environment:
    """Settings of the process's environment, and the files it points to."""

    variables: Mapping[str, str]

    def find(self, option: Option) -> Setting | None:
        """The option's setting; ConfigError if it is said twice or its file cannot be read."""
        direct, indirect = option.variable, f"{option.variable}_FILE"
        if direct in self.variables and indirect in self.variables:
            raise ConfigError(f"both ${direct} and ${indirect} are set; unset one of them")
        if direct in self.variables:
            value = self.variables[direct]
            return Setting(f"${direct}", value.split() if option.is_repeatable else value)
        if indirect in self.variables:
            return _from_file(Path(self.variables[indirect]), f"${indirect}")
        return self._credential(option)

    def _credential(self, option: Option) -> Setting | None:
        folder = self.variables.get("CREDENTIALS_DIRECTORY")
        name = f"oakroot.{option.name}"
        if not folder or not (Path(folder) / name).is_file():
            return None
        return _from_file(Path(folder) / name, f"credential {name}")


@dataclass(frozen=True)
class Table:
    """Settings of one command in the settings file."""

    place: str
    values: Mapping[str, object]

    def find(self, option: Option) -> Setting | None:
        """The option's setting; ConfigError if it is said twice or its file cannot be read."""
        direct, indirect = option.name, option.name + FILE_SUFFIX
        if direct in self.values and indirect in self.values:
            raise ConfigError(f"{self.place}: both {direct} and {indirect} are set; drop one of them")
        if direct in self.values:
            return Setting(f"{self.place}: {direct}", self.values[direct])
        if indirect in self.values:
            return _from_file(Path(str(self.values[indirect])), f"{self.place}: {indirect}")
        return None

    def refuse_unknown(self, options: Collection[Option]) -> None:
        """ConfigError for a key that sets nothing: a misspelt setting must not pass for one."""
        known = {option.name for option in options}
        for key in self.values:
            if key.removesuffix(FILE_SUFFIX) not in known and key not in known:
                raise ConfigError(f"{self.place}: unknown key {key}{_nearest(key, known)}")


def read_table(path: Path, command: str, commands: Collection[str]) -> Table:
    """The command's table of a settings file; ConfigError if the file cannot be used as a whole."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError(f"cannot read the settings file {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path}: not UTF-8 text (octet {problem.start})") from problem
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(_syntax_error(path, str(problem))) from problem
    for name, value in document.items():
        if name not in commands:
            raise ConfigError(f"{path}: unknown table [{name}]{_nearest(name, commands)}")
        if not isinstance(value, dict):
            raise ConfigError(
                f"{path}: {name} must be a table of settings: write [{name}] on a line of its own"
            )
    return Table(f"{path}: [{command}]", document.get(command, {}))


def _from_file(path: Path, place: str) -> Setting:
    """A file's content as a value: secrets live in files, and editors end files with a line break."""
    try:
        return Setting(place, path.read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as problem:
        raise ConfigError(f"{place}: cannot read {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{place}: {path} is not UTF-8 text") from problem


def _syntax_error(path: Path, message: str) -> str:
    """The message of tomllib in the form of all our diagnostics, FILE:LINE:COL: error: what."""
    place = re.fullmatch(
        r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", message, re.DOTALL
    )
    if place is None:
        return f"{path}: error: {message}"
    return f"{path}:{place['line']}:{place['column']}: error: {place['what']}"


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"
