"""What is said of a settings file: each fault at its place, with its remedy, and no secret."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from oakroot.operate.options import Option, Options
from oakroot.operate.settings_file import (
    EXPOSED,
    SettingsFile,
    check_settings,
    check_tables,
    masked,
    read_settings_file,
)
from oakroot.zones.diagnostics import Finding, render

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="


def seconds(text: str) -> float:
    return float(text)


def options() -> list[Option]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--remote", metavar="URL[#BRANCH]")
    parser.add_argument("--listen", action="append")
    parser.add_argument("--poll", type=seconds, metavar="SECONDS")
    parser.add_argument("--workers", type=int, metavar="N")
    parser.add_argument("--serial", choices=("increment", "manual"))
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--ssh-key", metavar="KEY")
    parser.add_argument("--notify", action="append", metavar="ADDR[:PORT][@KEY]")
    return Options(parser).all()


def findings(folder: Path, text: str, mode: int = 0o600) -> list[Finding]:
    path = folder / "oakroot.toml"
    path.write_text(text)
    path.chmod(mode)
    file = read_settings_file(path)
    if isinstance(file, Finding):
        return [file]
    return [*check_tables(file, ("primary", "check")), *check_settings(file, "primary", options())]


def shown(folder: Path, text: str, mode: int = 0o600) -> str:
    """All findings as their reader sees them, without the folder."""
    found = findings(folder, text, mode)
    return "\n".join(render(finding, "text") for finding in found).replace(f"{folder}/", "")


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    text = "[primary]\nremote = 'x'\nlisten = ['::1']\npoll = 60\nworkers = 2\nopen = true\n[check]\n"
    assert findings(tmp_path, text) == []


def test_an_unknown_key_is_shown_with_the_nearest_one(tmp_path: Path) -> None:
    assert shown(tmp_path, '[primary]\nlissen = ["::1"]\n') == (
        "oakroot.toml:2:1: error: [primary] has no key lissen\n"
        '     2 | lissen = ["::1"]\n'
        "       | ^~~~~~\n"
        "       = hint: did you mean listen?"
    )


def test_a_table_of_no_command_is_shown_with_the_nearest_one(tmp_path: Path) -> None:
    text = shown(tmp_path, "[primry]\n")
    assert text.startswith("oakroot.toml:1:1: error: unknown table [primry]\n")
    assert text.endswith("hint: did you mean primary?")


def test_a_key_outside_of_a_table_is_told_what_it_lacks(tmp_path: Path) -> None:
    assert "remote is outside of a table" in shown(tmp_path, "remote = 'x'\n")
    assert "primary must be a table of settings" in shown(tmp_path, "primary = 1\n")


@pytest.mark.parametrize(
    ("setting", "place", "message"),
    [
        ("poll = '60'", "2:8", "poll takes a number"),
        ("poll = true", "2:8", "poll takes a number"),
        ("workers = 1.5", "2:11", "workers takes a whole number"),
        ("remote = 5", "2:10", "remote takes text in quotes"),
        ("remote = {a = 1}", "2:10", "remote takes text in quotes"),
        ("open = 'yes'", "2:8", "open takes true or false"),
        ("listen = ['x', 5]", "2:16", "listen takes text in quotes"),
        ("serial = 'random'", "2:10", "serial: choose from increment, manual"),
        ("remote = ['a', 'b']", "2:10", "remote: takes one value, not 2"),
        ("remote-file = 5", "2:15", "remote-file takes the path of a file, in quotes"),
        (
            "remote-file = '/no/where'",
            "2:15",
            "remote-file: cannot read /no/where: No such file or directory",
        ),
        ("remote = 'a'\nremote-file = '/x'", "3:1", "remote-file and remote are both given"),
    ],
)
def test_a_value_that_cannot_be_is_shown_at_its_place(
    tmp_path: Path, setting: str, place: str, message: str
) -> None:
    assert shown(tmp_path, f"[primary]\n{setting}\n").startswith(f"oakroot.toml:{place}: error: {message}")


def test_every_fault_is_told_not_only_the_first(tmp_path: Path) -> None:
    assert len(findings(tmp_path, "[primary]\na = 1\nb = 2\npoll = 'x'\n[c]\n")) == 4


def test_a_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    assert shown(tmp_path, "[primary]\npoll = \n").startswith("oakroot.toml:2:8: error: invalid value")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quote_that_is_missing_is_told(tmp_path: Path, quote: str) -> None:
    told = shown(tmp_path, f"[primary]\nremote = {quote}x\n")
    assert told.startswith("oakroot.toml:2:12: error: the text has no quote at its end")


def test_a_syntax_error_at_the_end_is_shown_there(tmp_path: Path) -> None:
    assert shown(tmp_path, "[primary]\nlisten = [").startswith("oakroot.toml:2:11: error: ")


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    missing = read_settings_file(tmp_path / "none.toml")
    assert isinstance(missing, Finding)
    assert missing.brief.endswith("none.toml: cannot read the settings file: No such file or directory")
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    odd = read_settings_file(tmp_path / "odd.toml")
    assert isinstance(odd, Finding)
    assert "not UTF-8" in odd.message


# --- secrets


@pytest.mark.parametrize(
    "setting",
    [
        f"ssh-key = 'ed25519:{SECRET}'",
        f"notify = ['192.0.2.1', '192.0.2.1@k:SHA256:{SECRET}']",
        f"remote = 'https://{SECRET}@git.example.org/zones.git'",
    ],
)
def test_a_secret_in_a_file_that_others_can_read_is_found(tmp_path: Path, setting: str) -> None:
    assert [finding.code for finding in findings(tmp_path, f"[primary]\n{setting}\n", 0o644)] == [EXPOSED]
    assert findings(tmp_path, f"[primary]\n{setting}\n", 0o640) == []


def test_a_secret_file_that_others_can_read_is_found(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    for setting in (f"ssh-key-file = '{secret}'", f"ssh-key = '@{secret}'"):
        found = findings(tmp_path, f"[primary]\n{setting}\n", 0o644)
        assert [(finding.code, finding.hint) for finding in found] == [(EXPOSED, f"chmod o-r {secret}")]
    secret.chmod(0o600)
    assert findings(tmp_path, f"[primary]\nssh-key-file = '{secret}'\n", 0o644) == []


@pytest.mark.parametrize(
    "text",
    [
        f"[primary]\nssh-kee = 'ed25519:{SECRET}'\n",
        f"[primary]\nssh-key = 'ed25519:{SECRET}\n",
        f"[primary]\nserial = '{SECRET}'\n",
        f"[primary]\nnotify = [\n'192.0.2.1@k:SHA256:{SECRET}', 5]\n",
        f"remote = 'https://user:pass@git.example.org/{SECRET}'\n",
    ],
)
def test_no_finding_quotes_what_may_be_a_secret(tmp_path: Path, text: str) -> None:
    told = shown(tmp_path, text, 0o644)
    assert "error: " in told
    assert SECRET not in told
    assert "user:pass" not in told


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ssh-key", f"ed25519:{SECRET}", "(hidden)"),
        ("ssh-key", "@/etc/oakroot/ssh-key", "@/etc/oakroot/ssh-key"),
        ("notify", "192.0.2.1:53", "192.0.2.1:53"),
        ("notify", "192.0.2.1@my.key", "192.0.2.1@my.key"),
        ("notify", "[2001:db8::1]:53@@/etc/key", "[2001:db8::1]:53@@/etc/key"),
        ("notify", f"192.0.2.1@k:SHA256:{SECRET}", "192.0.2.1@(hidden)"),
        ("remote", "https://user:pass@git.example.org/z.git", "https://(hidden)@git.example.org/z.git"),
        ("remote", "git@git.example.org:z.git", "git@git.example.org:z.git"),
    ],
)
def test_secrets_are_masked_and_nothing_else(name: str, value: str, expected: str) -> None:
    option = next(option for option in options() if option.name == name)
    assert masked(option, value) == expected


def test_the_table_of_a_command_tells_the_lines_of_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "oakroot.toml"
    path.write_text("[check]\nx = 1\n[primary]\n\npoll = 60\n")
    file = read_settings_file(path)
    assert isinstance(file, SettingsFile)
    assert file.table("primary").values == {"poll": 60}
    assert file.table("primary").places == {"poll": f"{path}:5: poll"}
    assert file.table("secondary").values == {}
