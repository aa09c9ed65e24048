"""The text of a key comes from the value, a file, the environment or systemd's credentials, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.source import find_key_text

FILES = {
    "/etc/oakroot/key": "from the file",
    "key": "from the working directory",
    "/run/credentials/key": "from the credential",
    "/run/credentials/oakroot.key": "from the usual credential",
}
CREDENTIALS = {"CREDENTIALS_DIRECTORY": "/run/credentials"}


def reader(files: Mapping[str, str]) -> Callable[[str], str]:
    def read(path: str) -> str:
        try:
            return files[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    return read


@pytest.mark.parametrize(
    ("value", "environment", "text"),
    [
        ("n:SHA256:x", {}, "n:SHA256:x"),
        ("n:SHA256:x", {"OAKROOT_KEY": "from the variable"}, "n:SHA256:x"),
        (None, {"OAKROOT_KEY": "from the variable"}, "from the variable"),
        (None, {"OAKROOT_KEY": "@/etc/oakroot/key"}, "from the file"),
        ("@/etc/oakroot/key", {}, "from the file"),
        ("@key", {}, "from the working directory"),
        ("@key", CREDENTIALS, "from the credential"),
        ("@./key", CREDENTIALS, None),
        ("@/etc/oakroot/key", CREDENTIALS, "from the file"),
        (None, CREDENTIALS, "from the usual credential"),
        (None, {**CREDENTIALS, "OAKROOT_KEY": "from the variable"}, "from the variable"),
    ],
)
def test_where_a_key_comes_from(value: str | None, environment: dict[str, str], text: str | None) -> None:
    if text is None:
        with pytest.raises(KeyRejectedError, match=r"\./key"):
            find_key_text(value, environment, reader(FILES))
    else:
        assert find_key_text(value, environment, reader(FILES)) == text


def test_nothing_asked_for_is_nothing_found() -> None:
    assert find_key_text(None, {}, reader({})) is None
    assert find_key_text(None, CREDENTIALS, reader({})) is None


def test_a_missing_file_is_named() -> None:
    with pytest.raises(KeyRejectedError, match="cannot read the key file missing: No such file"):
        find_key_text("@missing", CREDENTIALS, reader({}))


def test_an_empty_file_name_is_no_credential() -> None:
    with pytest.raises(KeyRejectedError):
        find_key_text("@", CREDENTIALS, reader({}))


@pytest.mark.parametrize("value", ["@/etc/oakroot/key", "@key", None])
def test_a_file_that_is_no_text_is_refused_without_quoting_it(value: str | None) -> None:
    def read(_path: str) -> str:
        return b"secret \xff".decode()

    with pytest.raises(KeyRejectedError, match="not UTF-8") as refusal:
        find_key_text(value, CREDENTIALS, read)
    assert "secret " not in str(refusal.value)
