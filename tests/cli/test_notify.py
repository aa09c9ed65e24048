"""`oakroot notify` says that a change is served, or why it is not, and tells the shell the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.cli import Exit, main
from oakroot.keys.key import Key
from oakroot.keys.snippets import write_for
from oakroot.operate import config
from oakroot.protocol.message import ExtendedError, response
from oakroot.protocol.tsig import Unsigned, Verified
from oakroot.protocol.tsig_record import append_tsig, find_tsig, make_rdata
from tests.protocol.keys import keyring, make_key
from tests.protocol.signed_server import Behaviour, SignedServer

KEY = make_key()


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")
    for variable in ("OAKROOT_KEY", "OAKROOT_KEY_FILE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)


@dataclass
class Notify:
    """Runs `oakroot notify` against a server, with a key kept in a file."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, server: SignedServer, key: Key | None = None, *words: str) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        options: list[str] = []
        if key is not None:
            file = self.folder / "key"
            file.write_text(write_for("bind", key))
            options = ["--key", f"@{file}"]
        place = f"127.0.0.1:{server.address[1]}"
        code = main.main(["notify", place, *(words or ["example.org"]), *options, "--timeout", "20"])
        captured = self.capsys.readouterr()
        return code, captured.out.replace(place, "SERVER"), captured.err.replace(place, "SERVER")


@pytest.fixture
def notify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Notify:
    return Notify(tmp_path, capsys)


@pytest.fixture
def server() -> Iterator[SignedServer]:
    with SignedServer(keyring(KEY)) as started:
        yield started


@pytest.mark.parametrize("words", [("example.org",), ("example.org.", "--tcp")])
def test_success_tells_what_is_served_now(
    words: tuple[str, ...], server: SignedServer, notify: Notify
) -> None:
    served = "SERVER was notified of example.org. and serves serial 2026112201\n"
    assert notify(server, KEY, *words) == (Exit.FINE, served, "")
    assert all(isinstance(verdict, Verified) for verdict in server.verdicts)


def test_the_key_may_come_from_the_environment(
    server: SignedServer, notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAKROOT_KEY", f"{KEY.name}:SHA256:{KEY.secret.base64()}")
    assert notify(server)[0] == Exit.FINE


def test_an_unsigned_notify_is_told_to_sign(server: SignedServer, notify: Notify) -> None:
    code, out, err = notify(server)
    assert (code, out) == (Exit.NOT_SO, "")
    assert err.startswith("oakroot: SERVER answered REFUSED; Prohibited: a NOTIFY must be signed")
    assert "hint: sign it: --key" in err
    assert server.verdicts == [Unsigned()]


def test_a_key_for_another_zone_is_told_what_name_it_would_need(server: SignedServer, notify: Notify) -> None:
    code, _, err = notify(server, KEY, "example.com")
    assert code == Exit.NOT_SO
    told = "the key k._update.example.org may update at example.org. and may not notify of example.com."
    assert f"REFUSED; Prohibited: {told}" in err
    assert "hint: a key for example.com. is named anything._notify.example.com." in err


@pytest.mark.parametrize(
    ("key", "error", "hint"),
    [
        (make_key("stranger._update.example.org."), "BADKEY", "belongs into a key file"),
        (make_key(secret=b"another secret of the same sizes"), "BADSIG", "another secret"),
    ],
)
def test_a_refused_signature_is_explained(
    key: Key, error: str, hint: str, server: SignedServer, notify: Notify
) -> None:
    code, out, err = notify(server, key)
    assert (code, out) == (Exit.NOT_SO, "")
    assert f"SERVER refused the signature: {error}; NOTAUTH; Other: " in err
    assert hint in err
    assert key.secret.base64() not in err


def test_clocks_that_differ_are_told_by_how_much(notify: Notify) -> None:
    with SignedServer(keyring(KEY), Behaviour(clock_error=5000)) as server:
        code, _, err = notify(server, KEY)
    assert code == Exit.NOT_SO
    assert "BADTIME" in err
    assert "they differ by 5000 s" in err or "they differ by 5001 s" in err or "they differ by 4999 s" in err


def test_a_reply_whose_signature_is_wrong_is_not_believed(notify: Notify) -> None:
    with SignedServer(keyring(KEY), Behaviour(spoils_replies=True)) as server:
        code, out, err = notify(server, KEY)
    assert (code, out) == (Exit.NOT_SO, "")
    assert "the reply's signature is wrong (it says NOERROR)" in err


class Answering(SignedServer):
    """Answers everything in one way, unsigned."""

    rcode = 0
    extended = ExtendedError(0, "")

    def replies(self, wire: bytes) -> list[bytes]:
        """One reply with the rcode that was set."""
        return [response(wire, self.rcode, extended=self.extended) or b""]


@pytest.mark.parametrize(
    ("rcode", "extended", "told"),
    [
        (
            2,
            ExtendedError(0, "example.org:3:1: www has a CNAME"),
            "SERVFAIL; Other: example.org:3:1: www has",
        ),
        (2, ExtendedError(0, "x"), "hint: what was served before still is"),
        (4, ExtendedError(0, ""), "NOTIMP; Other\n  hint: is this an Oakroot primary?"),
        (9, ExtendedError(20, ""), "NOTAUTH; Not authoritative"),
    ],
)
def test_every_other_rcode_is_told_with_the_servers_words(
    rcode: int, extended: ExtendedError, told: str, notify: Notify
) -> None:
    with Answering(keyring()) as server:
        server.rcode, server.extended = rcode, extended
        code, out, err = notify(server)
    assert (code, out) == (Exit.NOT_SO, "")
    assert told in err


def test_an_unsigned_acknowledgement_is_no_success_for_a_signed_notify(notify: Notify) -> None:
    with Answering(keyring()) as server:
        code, out, err = notify(server, KEY)
    assert (code, out) == (Exit.NOT_SO, "")
    assert "the reply is not signed (it says NOERROR; Other)" in err


class Noisy(SignedServer):
    """Sends a reply to somebody else's request before each of its own."""

    def replies(self, wire: bytes) -> list[bytes]:
        """A stray reply, and its parent's."""
        own = super().replies(wire)
        return [bytes([reply[0] ^ 1]) + reply[1:] for reply in own] + own


def test_replies_to_other_requests_are_passed_over(notify: Notify) -> None:
    with Noisy(keyring(KEY)) as server:
        assert notify(server, KEY)[0] == Exit.FINE


class Forgetful(SignedServer):
    """Signs its first reply only."""

    def replies(self, wire: bytes) -> list[bytes]:
        """As its parent's for the first request."""
        if not self.verdicts:
            return super().replies(wire)
        return [response(wire, 0) or b""]


def test_a_serial_that_cannot_be_believed_is_not_told(notify: Notify) -> None:
    with Forgetful(keyring(KEY)) as server:
        code, out, _ = notify(server, KEY)
    assert code == Exit.FINE
    assert "and serves a serial it did not tell: SERVER: the reply is not signed" in out


def test_any_other_tsig_error_is_told_by_its_name(notify: Notify) -> None:
    class Picky(SignedServer):
        def replies(self, wire: bytes) -> list[bytes]:
            found = find_tsig(wire)
            assert found is not None
            bare = response(found.message, 9) or b""
            rdata = make_rdata(KEY.algorithm.octets, 0, int.from_bytes(bare[:2]), error=22)
            return [append_tsig(bare, KEY.name, rdata, b"")]

    with Picky(keyring(KEY)) as server:
        code, _, err = notify(server, KEY)
    assert code == Exit.NOT_SO
    assert "SERVER refused the signature: BADTRUNC; NOTAUTH" in err


def test_a_server_without_the_zone_has_no_serial_to_tell(notify: Notify) -> None:
    with Answering(keyring()) as server:
        code, out, _ = notify(server)
    assert (code, out) == (
        Exit.FINE,
        "SERVER was notified of example.org. and serves no SOA record of it: NOERROR; Other\n",
    )


@pytest.mark.parametrize(
    "words",
    [
        ["notify", "127.0.0.1:0", "example.org"],
        ["notify", "127.0.0.1", "a..b"],
        ["notify", "127.0.0.1"],
        ["notify", "127.0.0.1", "example.org", "--timeout", "0"],
        ["notify", "127.0.0.1", "example.org", "--timeout", "nan"],
        ["notify", "127.0.0.1", "example.org", "--timeout", "soon"],
    ],
)
def test_wrong_usage_is_told_so(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == Exit.USAGE
    assert "oakroot notify: error:" in capsys.readouterr().err


def test_a_bad_key_is_wrong_usage_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["notify", "127.0.0.1", "example.org", "--key", "name:SHA256:c2VjcmV0x"]) == Exit.USAGE
    captured = capsys.readouterr()
    assert "the secret is not BASE64" in captured.err
    assert "c2VjcmV0" not in captured.out + captured.err
