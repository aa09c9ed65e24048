"""`oakroot secondary` as a command: its options, and what keeps it from starting."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from oakroot.cli import main as command
from oakroot.cli.encryption import tls_primary
from oakroot.keys.snippets import write_for
from oakroot.secondary.sources import Identity, Server
from tests.protocol.keys import make_key

KEY = make_key("a.127.0.0.1._transfer.example.org.")


def notation(name: str) -> str:
    key = make_key(name)
    return f"{key.name}:{key.algorithm.text}:{key.secret.base64()}"


def secondary(*arguments: str) -> int:
    try:
        return command.main(["secondary", "--listen", "127.0.0.1:0", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it says when it does not start."""
    assert secondary(*arguments) == 2
    told = capsys.readouterr().err
    assert KEY.secret.base64() not in told
    return told


def test_a_key_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--key (or $OAKROOT_KEY)" in complaint(capsys)


def test_a_key_without_address_needs_a_primary(capsys: pytest.CaptureFixture[str]) -> None:
    told = complaint(capsys, "--key", notation("a._transfer.example.org."))
    assert "a._transfer.example.org has no address of a primary" in told
    assert "give --primary" in told


def test_a_key_that_grants_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "grants nothing" in complaint(capsys, "--key", notation("example.org."))


def test_a_key_that_brings_no_zone_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no key brings a zone" in complaint(capsys, "--key", notation("hook._notify.example.org."))


def test_two_keys_of_one_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    other = make_key(KEY.name.to_text(), secret=b"another secret of the same sizes")
    second = f"{other.name}:{other.algorithm.text}:{other.secret.base64()}"
    told = complaint(capsys, "--key", notation(KEY.name.to_text()), "--key", second)
    assert "two different keys" in told


@pytest.mark.parametrize("form", ["bind", "knot", "oakroot"])
def test_keys_come_from_files_of_many_forms(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys"
    file.write_text(write_for(form, make_key("a._transfer.example.org.")))
    assert "has no address of a primary" in complaint(capsys, "--key", f"@{file}")


def test_keys_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [notation("a._transfer.example.org."), notation("b._transfer.example.net.")]
    monkeypatch.setenv("OAKROOT_KEY", " ".join(words))
    assert "a._transfer.example.org has no address" in complaint(capsys)


def test_a_state_directory_that_cannot_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = ("--key", notation(KEY.name.to_text()), "--state", str(tmp_path / "file"))
    assert secondary(*arguments) == 1
    assert f"oakroot: {tmp_path / 'file'}: File exists" in capsys.readouterr().err


def test_an_address_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ("--key", notation(KEY.name.to_text()), "--listen", f"127.0.0.1:{port}")
        assert secondary(*arguments) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


PIN = "20IcLG64EdiKbghvPu+6e53Uas4atY0IH9/+casQfa4="


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1#ns1.example.org", Server("192.0.2.1", 853, Identity(name="ns1.example.org"))),
        ("[2001:db8::1]:8853#192.0.2.1", Server("2001:db8::1", 8853, Identity(name="192.0.2.1"))),
        (f"192.0.2.1#pin-sha256:{PIN}", Server("192.0.2.1", 853, Identity(pin=PIN))),
    ],
)
def test_primaries_over_tls(text: str, server: Server) -> None:
    assert tls_primary(text) == server


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "192.0.2.1#", "ns1#ns1", "192.0.2.1#pin-sha256:AAAA", "192.0.2.1#pin-sha256:?"]
)
def test_what_is_no_primary_over_tls(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        tls_primary(text)


def test_a_primary_over_tls_that_no_key_is_for_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    told = complaint(
        capsys,
        "--key",
        notation("a.192.0.2.1._transfer.example.org."),
        "--tls-primary",
        "192.0.2.7#ns1.example.org",
    )
    assert "no key is for the primary 192.0.2.7" in told
