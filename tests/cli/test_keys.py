"""`oakroot keys` as its user meets it: who may do what, without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oakroot.cli import main as command

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEYS = {
    "_keys": f"admin._update DNSKEY 0 3 163 {SECRET}\n",
    "mirage._keys": (
        f"laptop._notify.mirage DNSKEY 0 3 163 {SECRET}\n"
        f"10.0.42.2.10.0.42.3._transfer.mirage DNSKEY 0 3 163 {SECRET}\n"
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in KEYS.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys(*arguments: str) -> int:
    try:
        return command.main(["keys", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_every_key_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys() == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[1:] == [
        ["admin._update.", "update", "all zones", "-", "-", "hmac-sha256", "_keys:1"],
        ["laptop._notify.mirage.", "notify", "mirage.", "-", "-", "hmac-sha256", "mirage._keys:1"],
        [
            "10.0.42.2.10.0.42.3._transfer.mirage.",
            "transfer",
            "mirage.",
            "-",
            "10.0.42.2 and 10.0.42.3",
            "hmac-sha256",
            "mirage._keys:2",
        ],
    ]


def test_secrets_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    keys()
    keys("--format", "json")
    assert SECRET not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--may", "update"), ["admin._update."]),
        (("--may", "transfer"), ["admin._update.", "10.0.42.2.10.0.42.3._transfer.mirage."]),
        (("--at", "example.org"), ["admin._update."]),
        (("--at", "www.mirage", "--may", "update"), ["admin._update."]),
    ],
)
def test_only_the_keys_that_were_asked_for(
    arguments: tuple[str, ...], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert keys("--format", "json", *arguments) == 0
    assert [key["name"] for key in json.loads(capsys.readouterr().out)] == names


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--at", "_acme-challenge.www.mirage", "--may", "update"), 0),
        (("--at", "_acme-challenge.www.mirage", "--may", "update", "--type", "TXT"), 0),
        (("--at", "_acme-challenge.www.mirage", "--may", "update", "--type", "A"), 1),
        (("--at", "www.mirage", "--may", "update"), 1),
        (("--may", "transfer"), 1),
        (("--may", "notify"), 1),
    ],
)
def test_of_a_key_with_limits_only_what_is_within_them_counts(
    folder: Path, arguments: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "_keys").write_text(f"k._acme-challenge._update.www.mirage DNSKEY 0 3 163 {SECRET}\n")
    (folder / "mirage._keys").unlink()
    assert keys(*arguments) == code
    assert ("TXT, _acme-challenge names" in capsys.readouterr().out) is (code == 0)


def test_a_broken_key_file_is_an_error_without_its_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mirage._keys").write_text(f"nothing.mirage DNSKEY 0 3 163 {SECRET}\n")
    assert keys() == 1
    printed = capsys.readouterr()
    assert "mirage._keys:1" in printed.err
    assert SECRET not in printed.out + printed.err


def test_no_key_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert keys(str(tmp_path / "empty")) == 1
    assert "keygen tsig" in capsys.readouterr().err
