"""The text of a key comes from the word itself, or from the file it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.source import find_key_text

FILES = {
    "/etc/oakroot/key": "from the file",
    "key": "from the working directory",
    "/run/credentials/key": "from the credential",
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
        ("n:SHA256:x", CREDENTIALS, "n:SHA256:x"),
        ("@/etc/oakroot/key", {}, "from the file"),
        ("@/etc/oakroot/key", CREDENTIALS, "from the file"),
        ("@key", {}, "from the working directory"),
        ("@key", {"CREDENTIALS_DIRECTORY": ""}, "from the working directory"),
        ("@key", {"CREDENTIALS_DIRECTORY": "/elsewhere"}, "from the working directory"),
        ("@key", CREDENTIALS, "from the credential"),
    ],
)
def test_where_a_key_comes_from(value: str, environment: dict[str, str], text: str) -> None:
    assert find_key_text(value, environment, reader(FILES)) == text


@pytest.mark.parametrize("file", ["missing", "./key", ""])
def test_a_missing_file_is_named(file: str) -> None:
    with pytest.raises(KeyRejectedError, match=f"cannot read the key file {file}: No such file"):
        find_key_text(f"@{file}", CREDENTIALS, reader(FILES))


@pytest.mark.parametrize("value", ["@/etc/oakroot/key", "@key"])
def test_a_file_that_is_no_text_is_refused_without_quoting_it(value: str) -> None:
    def read(_path: str) -> str:
        return b"secret \xff".decode()

    with pytest.raises(KeyRejectedError, match="not UTF-8") as refusal:
        find_key_text(value, CREDENTIALS, read)
    assert "secret " not in str(refusal.value)
