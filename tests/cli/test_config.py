"""`oakroot config` as its user sees it, and the settings files that the project shows."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from oakroot.cli.config import settings_schema
from oakroot.cli.main import main

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY = f"192.0.2.1.198.51.100.1._transfer.example.org:SHA256:{SECRET}"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "oakroot.toml"
    path.touch(0o600)
    return path


def test_a_good_file_of_all_roles_passes(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.write_text(
        f"""
[primary]
remote = "git@git.example.org:zones.git#main"
listen = ["192.0.2.53", "[2001:db8::53]:53"]
notify = ["192.0.2.1@a.key"]
[secondary]
key = "{KEY}"
[certifier]
server = "192.0.2.1"
account-key = "/var/lib/oakroot/account.pem"
key = "a._update.example.org:SHA256:{SECRET}"
"""
    )
    assert main(["config", "check", str(settings)]) == 0
    assert capsys.readouterr().out == f"{settings}: no errors\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[primary]\nauthenticator = 'MD5:x'\nremote = 'a@b:c'", "1:1", "MD5 fingerprints prove nothing"),
        ("[primary]\ncatalog = ['a', 'a']", "2:11", "--catalog: a. is given twice"),
        ("[primary]\ntls-cert = '/x'", "2:12", "--tls-cert and --tls-key belong together"),
        (f"[secondary]\nkey = 'a.b:SHA256:{SECRET}'", "1:1", ""),
        (f"[secondary]\nkey = '{KEY}'\ncatalog = 'cat.invalid'", "1:1", "no key brings the catalog zone"),
        ("[primary]\nquery-sample = 4294967296", "2:16", "query-sample: it must be 4294967295 or less"),
        (
            f"[certifier]\naccount-key='/x'\nserver='192.0.2.1'\ndirectory='http://x'\nkey='{KEY}'",
            "4:11",
            "--directory must be an https URL",
        ),
    ],
)
def test_what_a_server_would_refuse_at_its_start_is_told(
    settings: Path, capsys: pytest.CaptureFixture[str], text: str, place: str, message: str
) -> None:
    settings.write_text(text)
    assert main(["config", "check", str(settings)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{settings}:{place}: error: {message}")
    assert SECRET not in told


def test_the_file_that_the_environment_names_is_checked(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OAKROOT_CONFIG", str(settings))
    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out == f"{settings}: no errors\n"


def test_findings_come_as_json_too(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.write_text("[primary]\nlissen = 1\n")
    assert main(["config", "check", str(settings), "--format", "json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["line"], finding["column"], finding["code"]) == (2, 1, "unknown-key")


def test_a_required_setting_may_come_from_elsewhere(settings: Path) -> None:
    settings.write_text("[secondary]\nstate = '/var/lib/oakroot'\n")
    assert main(["config", "check", str(settings)]) == 0


def test_a_command_line_is_told_all_errors_of_its_table(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("[check]\nzoone = 'x'\nformat = 'xml'\n")
    assert main(["check", "--config", str(settings), "."]) == 2
    assert capsys.readouterr().err.count("error: ") == 2


# --- show


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    return dict(json.loads(capsys.readouterr().out))


def test_each_setting_is_shown_with_its_origin(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text("[primary]\nserial = 'date'\npoll = 60\nlisten = ['[::1]:5353']\n")
    monkeypatch.setenv("OAKROOT_POLL", "30")
    words = ["config", "show", "--format", "json", "primary", "--config", str(settings), "--rate-limit", "0"]
    assert main(words) == 0
    table = shown(capsys)
    assert table["rate-limit"] == {"value": 0, "from": "command line"}
    assert table["poll"] == {"value": 30.0, "from": "$OAKROOT_POLL"}
    assert table["serial"] == {"value": "date", "from": f"{settings}:2"}
    assert table["listen"] == {"value": ["[::1]:5353"], "from": f"{settings}:4"}
    assert table["max-deleted"] == {"value": 30, "from": "default"}


def test_what_is_required_and_missing_is_shown(capsys: pytest.CaptureFixture[str], settings: Path) -> None:
    assert main(["config", "show", "--format", "json", "certifier", "--config", str(settings)]) == 0
    assert shown(capsys)["account-key"] == {"value": None, "from": "missing"}


def test_no_secret_is_shown(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text(f"[secondary]\nnotify = ['192.0.2.1@{KEY}']\n")
    monkeypatch.setenv("OAKROOT_KEY", KEY)
    assert main(["config", "show", "secondary", "--config", str(settings)]) == 0
    table = capsys.readouterr().out
    assert SECRET not in table
    assert re.search(r"^key +\(hidden\) +\$OAKROOT_KEY$", table, re.MULTILINE)


# --- schema


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(settings_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_takes_the_examples(
    project_root: Path, validator: jsonschema.Draft202012Validator
) -> None:
    page = (project_root / "docs" / "operate" / "configuration.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        validator.validate(tomllib.loads(example))


@pytest.mark.parametrize(
    "text",
    [
        "[primary]\nlissen = 1",
        "[primary]\npoll = 'x'",
        "[primary]\nserial = 'random'",
        "[primary]\nremote = 'a'\nremote-file = 'b'",
        "[primry]",
        "primary = 1",
        "[primary]\nlisten = [5]",
        "[primary]\nallow-unsigned-transfer = 'yes'",
        "[config]",
    ],
)
def test_what_the_check_refuses_the_schema_refuses(
    settings: Path, validator: jsonschema.Draft202012Validator, text: str
) -> None:
    settings.write_text(text)
    assert main(["config", "check", str(settings)]) == 1
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(tomllib.loads(text))
