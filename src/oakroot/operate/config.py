"""Settings from the environment, and the order in which settings count.

Precedence: flag, environment, file, default. For the option `--ssh-key` of the command `primary`:

- environment: `OAKROOT_SSH_KEY`; or `OAKROOT_SSH_KEY_FILE`, the path of a file that holds the value; or a
  systemd credential named `oakroot.ssh-key` (a file in `$CREDENTIALS_DIRECTORY`, systemd.exec(5)). A
  repeatable option takes several values separated by white space; a switch takes `yes` or `no`.
- file: in the table `[primary]` the key `ssh-key`, or `ssh-key-file` (`settings_file`). A repeatable option
  takes an array.

What must not live here: the options themselves. They are whatever the command's parser has.
"""

from __future__ import annotations

from collections.abc import Mapping
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
            return setting_in_file(Path(self.variables[indirect]), f"${indirect}")
        return self._credential(option)

    def _credential(self, option: Option) -> Setting | None:
        folder = self.variables.get("CREDENTIALS_DIRECTORY")
        name = f"oakroot.{option.name}"
        if not folder or not (Path(folder) / name).is_file():
            return None
        return setting_in_file(Path(folder) / name, f"credential {name}")


@dataclass(frozen=True)
class Table:
    """Settings of one command in the settings file, and the place of each."""

    values: Mapping[str, object]
    places: Mapping[str, str]

    def find(self, option: Option) -> Setting | None:
        """The option's setting; ConfigError if its file cannot be read."""
        direct, indirect = option.name, option.name + FILE_SUFFIX
        if direct in self.values:
            return Setting(self.places[direct], self.values[direct])
        if indirect in self.values:
            return setting_in_file(Path(str(self.values[indirect])), self.places[indirect])
        return None


def setting_in_file(path: Path, place: str) -> Setting:
    """A file's content as a value: secrets live in files, and editors end files with a line break."""
    try:
        return Setting(place, path.read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as problem:
        raise ConfigError(f"{place}: cannot read {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{place}: {path} is not UTF-8 text") from problem
