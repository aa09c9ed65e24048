"""The key of an account: made once, private, and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from oakroot.certificates.accounts import load_or_make, read_external_secret
from oakroot.certificates.rejected import RejectedError


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_a_key_is_made_where_there_is_none_and_read_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "deep" / "account.pem"
    made, is_new = load_or_make(path, kind)
    again, is_new_again = load_or_make(path, kind)
    assert (is_new, is_new_again) == (True, False)
    assert made.public == again.public
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["account.pem"]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "account.pem"
    load_or_make(path)
    path.chmod(0o640)
    with pytest.raises(RejectedError, match="others than its owner") as refused:
        load_or_make(path)
    assert refused.value.hint == f"mend it with `chmod 600 {path}`"


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_without_a_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "account.pem"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(RejectedError, match="holds no account key"):
        load_or_make(path)
    assert path.read_bytes() == content


def test_the_secret_of_an_external_account_is_base64_for_urls() -> None:
    assert read_external_secret("__79_A\n") == bytes.fromhex("fffefdfc")


@pytest.mark.parametrize("text", ["", "not base64!", "ümlaut"])
def test_another_text_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(RejectedError) as refused:
        read_external_secret(text)
    assert not text or text not in refused.value.message
