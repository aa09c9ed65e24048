"""`oakroot update` asks for what its words say, tells what came of it, and tells the shell the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.opcode
import pytest

from oakroot.cli import Exit, main
from oakroot.keys.key import Key
from oakroot.keys.snippets import write_for
from oakroot.operate import config
from oakroot.protocol.message import ExtendedError, response
from tests.protocol.keys import keyring, make_key
from tests.protocol.signed_server import SignedServer

KEY = make_key()


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")
    for variable in ("OAKROOT_KEY", "OAKROOT_KEY_FILE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)


class Primary(SignedServer):
    """Knows the SOA of example.org, answers updates with the rcode that was set, and keeps them."""

    rcode = 0
    extended: ExtendedError | None = None

    def __init__(self) -> None:
        super().__init__(keyring(KEY))
        self.updates: list[list[str]] = []

    def _answer(self, query: bytes, verdict: object) -> list[bytes]:
        message = dns.message.from_wire(query)
        if message.opcode() == dns.opcode.UPDATE:
            lines = message.to_text().splitlines()
            records = [line for line in lines if line.partition(" ")[0].endswith(".")]
            self.updates.append(records[1:])
            return [response(query, self.rcode, extended=self.extended) or b""]
        if message.question[0].name != dns.name.from_text("example.org."):
            return [response(query, 3) or b""]
        return super()._answer(query, verdict)  # type: ignore[arg-type]


@dataclass
class Update:
    """Runs `oakroot update` against a server."""

    server: Primary
    folder: Path
    capsys: pytest.CaptureFixture[str]
    place: str = field(init=False)

    def __post_init__(self) -> None:
        self.place = f"127.0.0.1:{self.server.address[1]}"

    def __call__(self, *words: str, key: Key | None = KEY) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        options: list[str] = []
        if key is not None:
            file = self.folder / "key"
            file.write_text(write_for("bind", key))
            options = ["--key", f"@{file}"]
        code = main.main(["update", self.place, *options, *words, "--timeout", "20"])
        captured = self.capsys.readouterr()
        return code, captured.out.replace(self.place, "SERVER"), captured.err.replace(self.place, "SERVER")

    def asked_for(self, *words: str) -> list[str]:
        """The records of the one update that these words make."""
        code, _, errors = self(*words)
        assert code == Exit.FINE, errors
        (records,) = self.server.updates
        return records


@pytest.fixture
def update(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Update]:
    with Primary() as server:
        yield Update(server, tmp_path, capsys)


def test_a_name_is_given_its_addresses(update: Update) -> None:
    told = "SERVER has updated example.org. and serves serial 2026112201\n"
    assert update("laptop.example.org", "192.0.2.7", "192.0.2.8", "2001:DB8::7") == (Exit.FINE, told, "")
    assert update.server.updates == [
        [
            "laptop.example.org. ANY A",
            "laptop.example.org. 60 IN A 192.0.2.7",
            "laptop.example.org. 60 IN A 192.0.2.8",
            "laptop.example.org. ANY AAAA",
            "laptop.example.org. 60 IN AAAA 2001:db8::7",
        ]
    ]


def test_addresses_of_the_other_family_stay(update: Update) -> None:
    assert update.asked_for("x.example.org.", "192.0.2.7", "--ttl", "1h") == [
        "x.example.org. ANY A",
        "x.example.org. 3600 IN A 192.0.2.7",
    ]


def test_the_notation_of_oupdate(update: Update) -> None:
    word = f"{KEY.name}:SHA256:{KEY.secret.base64()}"
    host, port = update.place.split(":")
    update.place = host
    code, _, errors = update(word, "x.example.org", "192.0.2.7", "--port", port, key=None)
    assert (code, errors) == (Exit.FINE, "")
    assert update.server.updates == [["x.example.org. ANY A", "x.example.org. 60 IN A 192.0.2.7"]]


def test_changes_are_asked_for_in_the_order_of_their_options(update: Update) -> None:
    assert update.asked_for(
        *("--delete", "example.org MX", "--add", "example.org 1h IN MX 10 mail.example.org"),
        *("--add", 'txt.example.org TXT "two words" ";"', "--delete", "old.example.org"),
        *("--delete", "www.example.org. 300 IN A 192.0.2.1", "--delete", "www.example.org  AAAA"),
        *("--delete", "any.example.org ANY"),
    ) == [
        "example.org. ANY MX",
        "example.org. 3600 IN MX 10 mail.example.org.",
        'txt.example.org. 60 IN TXT "two words" ";"',
        "old.example.org. ANY ANY",
        "www.example.org. 0 NONE A 192.0.2.1",
        "www.example.org. ANY AAAA",
        "any.example.org. ANY ANY",
    ]


def test_requirements_go_before_changes(update: Update) -> None:
    assert update.asked_for(
        *("--add", "a.example.org A 192.0.2.1", "--require", "b.example.org"),
        *("--require", "b.example.org A", "--require", "b.example.org A 192.0.2.2"),
        *("--require-not", "a.example.org", "--require-not", "a.example.org CNAME"),
    ) == [
        "b.example.org. ANY ANY",
        "b.example.org. ANY A",
        "b.example.org. 0 IN A 192.0.2.2",
        "a.example.org. NONE ANY",
        "a.example.org. NONE CNAME",
        "a.example.org. 60 IN A 192.0.2.1",
    ]


def test_options_may_stand_before_and_after_words(update: Update) -> None:
    assert update.asked_for("--ttl=5", "x.example.org", "--udp", "192.0.2.7")[1] == (
        "x.example.org. 5 IN A 192.0.2.7"
    )


@pytest.mark.parametrize(
    ("rcode", "extended", "told"),
    [
        (
            5,
            ExtendedError(18, "the SOA stays"),
            "SERVER answered REFUSED; Prohibited: the SOA stays\n  hint: a key",
        ),
        (
            2,
            ExtendedError(0, "cannot push"),
            "SERVFAIL; Other: cannot push\n  hint: nothing was changed; mend",
        ),
        (4, None, "NOTIMP\n  hint: nothing was changed; does this server take updates"),
        (10, None, "NOTZONE\n  hint: nothing was changed"),
        (
            8,
            None,
            "NXRRSET\n  hint: nothing was changed; not so: one of --require 'a.example.org A', --require-not",
        ),
    ],
)
def test_a_refusal_is_told_with_the_servers_words(
    rcode: int, extended: ExtendedError | None, told: str, update: Update
) -> None:
    update.server.rcode, update.server.extended = rcode, extended
    required = ["--require", "a.example.org A", "--require-not", "b.example.org"]
    code, out, err = update("x.example.org", "192.0.2.7", *required)
    assert (code, out) == (Exit.NOT_SO, "")
    assert told in err


def test_one_unmet_requirement_is_named(update: Update) -> None:
    update.server.rcode = 6
    _, _, err = update("x.example.org", "192.0.2.7", "--require-not", "x.example.org CNAME")
    assert "YXDOMAIN\n  hint: nothing was changed; not so: --require-not 'x.example.org CNAME'\n" in err


def test_an_unsigned_update_is_told_to_sign(update: Update) -> None:
    update.server.rcode = 5
    _, _, err = update("x.example.org", "192.0.2.7", key=None)
    assert "hint: sign it: --key" in err


def test_a_name_of_another_zone_is_not_sent(update: Update) -> None:
    code, _, err = update("--add", "example.org A 192.0.2.1", "--delete", "www.example.net")
    assert code == Exit.USAGE
    assert "--delete 'www.example.net' is not in the zone example.org." in err
    assert update.server.updates == []


def test_the_zone_may_be_said(update: Update) -> None:
    code, out, _ = update("--add", "www.example.net A 192.0.2.1", "--zone", "example.net")
    assert (code, out) == (
        Exit.FINE,
        "SERVER has updated example.net. and serves no SOA record of it: NXDOMAIN\n",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to change\n  hint: give NAME ADDRESS"),
        (["x.example.org"], "which addresses shall x.example.org have?"),
        (["x.example.org", "1.2.3"], "1.2.3 is no address"),
        (["a..example.org", "192.0.2.1"], "a..example.org"),
        (["--add", "x.example.org A 1.2.3"], "an IPv4 address has four numbers"),
        (["--add", "x.example.org"], "--add 'x.example.org': "),
        (["--add", ""], "--add '': it is no record"),
        (["--add", "; only words"], "it is no record"),
        (["--add", "a.example.org A 192.0.2.1\nb.example.org A 192.0.2.2"], "one record each time"),
        (["--add", "$GENERATE 1-9 $ A 192.0.2.$"], "it is a directive"),
        (["--add", "x.example.org FOO 1"], "FOO"),
        (["--delete", "x.example.org FOO"], "FOO is no type of record"),
        (["--delete", ""], "--delete ''"),
        (["--delete", "x..example.org"], "x..example.org is no domain name"),
        (["--require-not", "x.example.org A 192.0.2.1"], "hint: leave out the RDATA"),
        (["--delete", "x.example.org MX mail"], "--delete 'x.example.org MX mail': "),
    ],
)
def test_words_that_make_no_sense_are_wrong_usage(words: list[str], told: str, update: Update) -> None:
    code, out, err = update(*words)
    assert (code, out) == (Exit.USAGE, "")
    assert told in err
    assert update.server.updates == []


def test_an_update_too_large_for_a_message_is_refused(update: Update) -> None:
    strings = " ".join(['"' + "x" * 255 + '"'] * 120)
    wide = [word for number in range(3) for word in ("--add", f"x.example.org TXT {number} {strings}")]
    code, _, err = update(*wide)
    assert code == Exit.USAGE
    assert "more than one message holds; make it in parts" in err


def test_a_key_given_twice_is_wrong_usage(update: Update) -> None:
    word = f"{KEY.name}:SHA256:{KEY.secret.base64()}"
    code, _, err = update(word, "x.example.org", "192.0.2.7")
    assert code == Exit.USAGE
    assert "the key is given twice" in err
    assert KEY.secret.base64() not in err


@pytest.mark.parametrize("ttl", ["soon", "-1", "", "4294967296", "1h\n$ORIGIN a."])
def test_a_ttl_that_is_none_is_wrong_usage(ttl: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["update", "127.0.0.1", "x.example.org", "192.0.2.7", f"--ttl={ttl}"])
    assert ended.value.code == Exit.USAGE
    assert "it is no TTL" in capsys.readouterr().err
