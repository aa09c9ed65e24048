"""Where the text of a key comes from: the value itself, `@FILE`, the environment, systemd's credentials.

Pure: the environment and the reading of files are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from oakroot.keys.rejected import KeyRejectedError

KEY_VARIABLE = "OAKROOT_KEY"
CREDENTIAL_NAME = "oakroot.key"
_CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"


def find_key_text(
    value: str | None,
    environment: Mapping[str, str],
    read_file: Callable[[str], str],
) -> str | None:
    """The text of the key that was asked for; None when none was.

    Without a value, `$OAKROOT_KEY` stands in for it, and without that the systemd credential `oakroot.key` if
    there is one. `@FILE` names a file; a name without a slash is first looked for among the credentials of
    the service (systemd.exec(5), LoadCredential=). `read_file` may raise OSError or ValueError; a file that
    cannot be read raises KeyRejectedError, which names it.
    """
    wanted = value if value is not None else environment.get(KEY_VARIABLE)
    if wanted is None:
        return _credential(CREDENTIAL_NAME, environment, read_file)
    if not wanted.startswith("@"):
        return wanted
    file = wanted.removeprefix("@")
    text = None if "/" in file else _credential(file, environment, read_file)
    return _read(file, read_file) if text is None else text


def _credential(name: str, environment: Mapping[str, str], read_file: Callable[[str], str]) -> str | None:
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
    # A ValueError speaks of the octets it met (UnicodeDecodeError does): only the system's own words are
    # passed on.
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return KeyRejectedError("key-file", f"cannot read {what}: {reason}")
