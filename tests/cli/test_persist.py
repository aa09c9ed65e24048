"""`oakroot persist` publishes, shows and removes permissions, and finds those that are no good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import pytest

from oakroot.certificates.persistent import hash_account
from oakroot.cli import Exit, main
from oakroot.operate import config
from tests.peers.nameservers import ZoneFile
from tests.peers.updatable import UpdatableBind
from tests.protocol.keys import make_key

KEY = make_key("persist._update.example.org.")
URL = "https://ca.example/acct/1"
OWNER = "_validation-persist.example.org."
ZONE = f"""\
$TTL 60
@ SOA ns hostmaster 1 7200 600 1209600 60
@ NS ns
ns A 127.0.0.1
_validation-persist TXT "something else"
_validation-persist.old TXT "ca.example; accounturi={URL}; persistUntil=1000000000"
_validation-persist.www TXT "ca.example; accounturi={URL}2; policy=wildcard"
"""


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")
    monkeypatch.delenv("OAKROOT_KEY", raising=False)


@dataclass
class Persist:
    """Runs the command against a server."""

    bind: UpdatableBind
    capsys: pytest.CaptureFixture[str]

    def __call__(self, verb: str, *words: str, name: str = "example.org") -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        place = f"{self.bind.address[0]}:{self.bind.address[1]}"
        key = f"{KEY.name}:SHA256:{KEY.secret.base64()}"
        code = main.main(["persist", verb, place, name, *words, "--key", key, "--timeout", "20"])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err.replace(place, "SERVER")

    def texts(self) -> list[str]:
        """What is published at example.org."""
        query = dns.message.make_query(OWNER, "TXT")
        host, port = self.bind.address
        answer = dns.query.tcp(query, host, port=port, timeout=10)
        return sorted(b"".join(rdata.strings).decode() for rrset in answer.answer for rdata in rrset)


@pytest.fixture
def persist(
    tmp_path: Path, require: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> Iterator[Persist]:
    require("named")
    zone = tmp_path / "example.org"
    zone.write_text(ZONE)
    with UpdatableBind([ZoneFile("example.org.", zone)], tmp_path / "bind", KEY) as bind:
        yield Persist(bind, capsys)


def test_a_record_is_published_and_shown(persist: Persist) -> None:
    words = ("--issuer", "ca.example", "--account", URL, "--wildcard", "--until", "2099-12-31")
    code, out, _ = persist("add", *words)
    text = f"ca.example; accounturi={URL}; policy=wildcard; persistUntil=4102444799"
    assert (code, out) == (Exit.FINE, f'{OWNER} TXT "{text}"\n')
    assert persist.texts() == [text, "something else"]
    code, out, _ = persist("list")
    shown = f"example.org: ca.example, account {URL}, this name and all below, until 2099-12-31 23:59 UTC\n"
    assert shown in out


def test_a_record_that_is_there_is_not_published_again(persist: Persist) -> None:
    words = ("--issuer", "ca.example", "--account", URL)
    persist("add", *words)
    assert persist("add", *words)[:2] == (Exit.FINE, f"{OWNER} has this record already\n")


def test_another_record_for_the_same_account_takes_its_place(persist: Persist) -> None:
    persist("add", "--issuer", "ca.example", "--account", URL)
    persist("add", "--issuer", "other.example", "--account", URL)
    persist("add", "--issuer", "ca.example", "--account", URL, name="*.example.org")
    assert persist.texts() == [
        f"ca.example; accounturi={URL}; policy=wildcard",
        f"other.example; accounturi={URL}",
        "something else",
    ]


def test_an_account_can_be_hashed(persist: Persist) -> None:
    prefix, thumbprint = "https://ca.example/account-hash/", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    words = ("--issuer", "ca.example", "--account", URL, "--hash-prefix", prefix)
    assert persist("add", *words)[0] == Exit.USAGE
    assert persist("add", *words, "--thumbprint", thumbprint)[0] == Exit.FINE
    hashed = hash_account(prefix, "example.org", thumbprint, URL)
    assert f"ca.example; accounturi={hashed}" in persist.texts()


def test_records_of_one_account_are_removed_and_the_rest_stays(persist: Persist) -> None:
    persist("add", "--issuer", "ca.example", "--account", URL)
    persist("add", "--issuer", "other.example", "--account", URL)
    assert persist("remove", "--issuer", "ca.example")[:2] == (Exit.FINE, f"1 removed at {OWNER}\n")
    assert persist.texts() == [f"other.example; accounturi={URL}", "something else"]
    persist("remove")
    assert persist.texts() == ["something else"]
    assert persist("remove")[:2] == (Exit.FINE, f"nothing to remove at {OWNER}\n")


def test_what_is_no_record_is_shown_as_a_problem(persist: Persist) -> None:
    code, out, _ = persist("list")
    assert code == Exit.NOT_SO
    assert out == (
        "example.org: 'something else'\n"
        "  problem: no authority takes it: it names no account\n"
        "1 record, 1 problem\n"
    )


def test_a_server_without_the_zone_is_told(persist: Persist) -> None:
    code, _, err = persist("list", name="example.net")
    assert code == Exit.NOT_SO
    assert "SERVER answered REFUSED" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--issuer", "-", "--account", URL], "'-' is no domain name of an authority"),
        (["--issuer", "ca.example", "--account", "a b"], "'a b' is no account's URL"),
    ],
)
def test_a_record_that_no_authority_takes_is_not_published(
    persist: Persist, words: list[str], message: str
) -> None:
    code, _, err = persist("add", *words)
    assert code == Exit.USAGE
    assert message in err
    assert persist.texts() == ["something else"]


def test_a_repository_is_audited_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "example.org").write_text(ZONE)
    assert main.main(["persist", "audit", str(tmp_path / "zones"), "--account", URL]) == Exit.NOT_SO
    assert capsys.readouterr().out.splitlines() == [
        "example.org: 'something else'",
        "  problem: no authority takes it: it names no account",
        f"old.example.org: ca.example, account {URL}, this name, until 2001-09-09 01:46 UTC",
        "  problem: it has ended: certificates cannot be renewed by it any more",
        f"www.example.org: ca.example, account {URL}2, this name and all below",
        "  problem: the account is none of those that are known",
        "3 records, 3 problems",
    ]


def test_an_audit_without_problems_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zones").mkdir()
    good = "\n".join(line for line in ZONE.splitlines() if "_validation-persist" not in line)
    (tmp_path / "zones" / "example.org").write_text(f"{good}\n")
    assert main.main(["persist", "audit", str(tmp_path / "zones")]) == Exit.FINE
    assert capsys.readouterr().out == "0 records, no problems\n"


def test_zones_with_errors_are_not_audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "example.org").write_text("broken")
    assert main.main(["persist", "audit", str(tmp_path / "zones")]) == Exit.NOT_SO
    assert "the zone example.org. has errors" in capsys.readouterr().err
