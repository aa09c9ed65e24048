"""Where the text of a key is: in the word itself, or in the file that `@FILE` names.

Pure: the environment and the reading of files are handed in. That an option's value may come from the
environment or from a settings file is decided before, for all options alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from oakroot.keys.rejected import KeyRejectedError

_CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"


def find_key_text(value: str, environment: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    """The value itself, or for `@FILE` what is in the file.

    A FILE without a slash is looked for among the credentials of the service first (systemd.exec(5),
    LoadCredential=). `read_file` may raise OSError, or ValueError for what is no text; a file that cannot be
    read raises KeyRejectedError, which names it.
    """
    if not value.startswith("@"):
        return value
    file = value.removeprefix("@")
    text = None if "/" in file else _read_credential(file, environment, read_file)
    return _read(file, read_file) if text is None else text


def _read_credential(
    name: str, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> str | None:
    directory = environment.get(_CREDENTIALS_VARIABLE)
    if not directory or not name:
        return None
    try:
        return read_file(str(PurePath(directory) / name))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(f"the credential {name}", error) from None


def _read(file: str, read_file: Callable[[str], str]) -> str:
    try:
        return read_file(file)
    except (OSError, ValueError) as error:
        raise _unreadable(f"the key file {file}", error) from None


def _unreadable(what: str, error: OSError | ValueError) -> KeyRejectedError:
    # A ValueError speaks of the octets it met (UnicodeDecodeError does): only the system's words are passed
    # on.
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return KeyRejectedError("key-file", f"cannot read {what}: {reason}")
