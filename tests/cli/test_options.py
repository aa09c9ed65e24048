"""Servers, names and keys as commands take them; a key that cannot be used is refused without quoting it."""

from __future__ import annotations

import argparse
from pathlib import Path

import dns.name
import pytest

from oakroot.cli import CommandError, Exit
from oakroot.cli.options import add_key_option, domain_name, key_option, server
from oakroot.client.server import Server

BASE64 = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
WORD = f"personal._update.mirage:SHA256:{BASE64}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", Server("192.0.2.53", 53)),
        ("192.0.2.53:5353", Server("192.0.2.53", 5353)),
        ("ns.example.org", Server("ns.example.org", 53)),
        ("ns.example.org.:5353", Server("ns.example.org.", 5353)),
        ("[2001:db8::53]", Server("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", Server("2001:db8::53", 5353)),
        ("2001:db8::53", Server("2001:db8::53", 53)),
        ("::1", Server("::1", 53)),
    ],
)
def test_a_server_is_read(text: str, expected: Server) -> None:
    assert server(text) == expected
    assert server(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    ["", ":53", "a:b", "a:0", "a:65536", "a:53:53", "[a]:53", "[::1", "::1]:53", "[::1]53", "a:٥٣", "a:53\n"],
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        server(text)


def test_a_name_is_absolute_with_or_without_a_dot() -> None:
    assert domain_name("example.org") == domain_name("example.org.") == dns.name.from_text("example.org.")
    with pytest.raises(argparse.ArgumentTypeError, match=r"a\.\.b is no domain name"):
        domain_name("a..b")


def test_a_key_is_read_from_the_word_or_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(WORD)
    assert key_option(WORD) == key_option(f"@{tmp_path / 'key'}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert key_option("@key") == key_option(WORD)


@pytest.mark.parametrize("value", [BASE64, f"{BASE64}:SHA256:x", f"a:MD5:{BASE64}", f"a:SHA256:{BASE64}x"])
def test_a_key_that_cannot_be_used_is_not_quoted(value: str) -> None:
    with pytest.raises(CommandError) as refusal:
        key_option(value)
    assert refusal.value.exit_code == Exit.USAGE
    assert BASE64[:8] not in f"{refusal.value.message} {refusal.value.hint}"


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="missing: No such file"):
        key_option(f"@{tmp_path / 'missing'}")


def test_argparse_leaves_the_key_alone() -> None:
    parser = argparse.ArgumentParser()
    add_key_option(parser, "a key")
    assert parser.parse_args(["--key", "whatever it is"]).key == "whatever it is"
