"""`oakroot primary` as a command: its options, and what keeps it from starting."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from oakroot.cli import CommandError
from oakroot.cli import main as command
from oakroot.cli.nameserver import listen_address, notify_target
from oakroot.distribution.targets import Configured
from tests.protocol.keys import make_key, name


def primary(*arguments: str) -> int:
    try:
        return command.main(["primary", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("::1", ("::1", 53)),
        ("2001:DB8:0::53", ("2001:db8::53", 53)),
    ],
)
def test_addresses_to_listen_on(text: str, address: tuple[str, int]) -> None:
    assert listen_address(text) == address


def test_servers_to_notify(tmp_path: Path) -> None:
    key = make_key("mine._notify.")
    text = f"mine._notify.:hmac-sha256:{key.secret.base64()}"
    (tmp_path / "key").write_text(text)
    assert notify_target("192.0.2.9") == Configured("192.0.2.9", 53)
    assert notify_target("[2001:db8::9]:5353") == Configured("2001:db8::9", 5353)
    assert notify_target(f"192.0.2.9:5353@{text}") == Configured("192.0.2.9", 5353, key)
    assert notify_target(f"192.0.2.9@@{tmp_path / 'key'}") == Configured("192.0.2.9", 53, key)
    assert notify_target("192.0.2.9@ours._notify.example.org") == Configured(
        "192.0.2.9", 53, name("ours._notify.example.org.")
    )


def test_a_token_is_not_sent_for_all_to_see(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OAKROOT_GIT_TOKEN", "hunter2")
    assert primary("--remote", "http://git.example.org/zones.git") == 2
    told = capsys.readouterr().err
    assert "a token is set, but http://git.example.org/zones.git would show it" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--tls-cert", "a"], "--tls-cert and --tls-key belong together"),
        (["--tls-transfers-only"], "--tls-transfers-only needs --tls-cert and --tls-key"),
        (["--listen-tls", "127.0.0.1"], "--listen-tls needs --tls-cert and --tls-key"),
        (["--tls-cert", "a", "--tls-key", "b"], "--tls-cert: cannot read a: No such file"),
    ],
)
def test_options_for_tls_that_are_of_no_use(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--listen", "127.0.0.1:0"] + (
        [] if "--listen-tls" in options else ["--listen-tls", "127.0.0.1:0"]
    )
    with_place = [*options, *places] if "--tls-cert" in options else [*options, *places[:2]]
    assert primary(*with_place) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["ns.example.org", "192.0.2.9:0x35", "192.0.2.9@k:sha256:c2VjcmV0c2VjcmV0Cg"]
)
def test_what_is_no_server_to_notify(text: str) -> None:
    with pytest.raises(CommandError) as error:
        notify_target(text)
    assert "c2Vjcm" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["localhost:53", "127.0.0.1:65536", "127.0.0.1:x", ":53", "", "[::1", "1.2.3:4"]
)
def test_what_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        listen_address(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen", "localhost"),
        ("--poll", "0"),
        ("--poll", "soon"),
        ("--workers", "0"),
        ("--serial", "random"),
        ("--remote", "gopher://example.org/zones"),
        ("--remote", "zones.git", "--authenticator", "SHA256:short"),
        ("--remote", "zones.git", "--ssh-key", "ed25519:short"),
        ("--remote", "zones.git", "--ssh-key", "@/nowhere/key"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert primary("--listen", "127.0.0.1:0", *arguments) == 2
    told = capsys.readouterr()
    assert "short" not in told.err.replace("ed25519:BASE64", "")
    assert "Traceback" not in told.err


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert primary("--listen", address, "--remote", str(tmp_path)) == 1
    told = capsys.readouterr().err
    assert address in told
    assert "is a name server running already?" in told


def test_a_cache_folder_that_holds_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("a file")
    arguments = ("--remote", "zones.git", "--cache", str(tmp_path / "cache"))
    assert primary("--listen", "127.0.0.1:0", *arguments) == 1
    assert "cache" in capsys.readouterr().err
