"""`oakroot certify` sees to a good certificate in a folder, and tells shell and user how that went."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot.certificates import dialogue
from oakroot.certificates.folder import NAMES, Folder
from oakroot.cli import Exit, main
from oakroot.operate import config
from tests.certificates.little_certifier import LittleCertifier
from tests.peers.nameservers import ZoneFile
from tests.peers.updatable import UpdatableBind
from tests.protocol.keys import make_key

HOST = "www.example.org"
KEY = make_key("certify._update.example.org.")
KEY_TEXT = f"{KEY.name}:SHA256:{KEY.secret.base64()}"
ZONE = "$TTL 60\n@ SOA ns hostmaster 1 7200 600 1209600 60\n@ NS ns\nns A 127.0.0.1\n"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")
    monkeypatch.setattr(dialogue, "FIRST_PAUSE", 0.1)
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("OAKROOT_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def bind(tmp_path: Path, require: Callable[[str], str]) -> Iterator[UpdatableBind]:
    require("named")
    zone = tmp_path / "example.org"
    zone.write_text(ZONE)
    with UpdatableBind([ZoneFile("example.org.", zone)], tmp_path / "bind", KEY) as bind:
        yield bind


@dataclass
class Certify:
    """Runs the command against a server."""

    bind: UpdatableBind
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str, key: str | None = KEY_TEXT, timeout: float = 30) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        place = f"{self.bind.address[0]}:{self.bind.address[1]}"
        options = [*words, "--timeout", str(timeout), *(["--key", key] if key else [])]
        code = main.main(["certify", place, HOST, *options])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err.replace(place, "SERVER")


@pytest.fixture
def certify(bind: UpdatableBind, capsys: pytest.CaptureFixture[str]) -> Certify:
    return Certify(bind, capsys)


@pytest.fixture
def certifier(bind: UpdatableBind) -> Iterator[LittleCertifier]:
    with LittleCertifier(bind.address, "example.org.", HOST, KEY) as certifier:
        yield certifier


def test_a_new_certificate_is_told_with_its_end(
    certify: Certify, certifier: LittleCertifier, tmp_path: Path
) -> None:
    code, out, err = certify()
    assert code == Exit.FINE
    assert out.startswith(f"new certificate in {HOST} is valid until 20")
    assert err.splitlines() == [
        f"the request is published at _letsencrypt._tcp.{HOST}.",
        "waiting for a certifier",
        "the certificate is there",
    ]
    assert all((tmp_path / HOST / name).exists() for name in NAMES)
    assert stat.S_IMODE((tmp_path / HOST / "privkey.pem").stat().st_mode) == 0o600


def test_nothing_to_do_is_a_success(certify: Certify, certifier: LittleCertifier) -> None:
    certify()
    code, out, err = certify()
    assert (code, err) == (Exit.FINE, "")
    assert out.startswith(f"nothing to do: the certificate in {HOST} is valid until 20")
    assert certifier.issued == 1


def test_force_renews(certify: Certify, certifier: LittleCertifier) -> None:
    certify()
    assert certify("--force")[0] == Exit.FINE
    assert certifier.issued == 2


def test_the_options_of_ocertify_are_understood(
    bind: UpdatableBind, certifier: LittleCertifier, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    host, port = bind.address
    words = [host, HOST, "--port", str(port), "--dns-key", KEY_TEXT, "--type", "ed25519", "--out", "tls"]
    assert main.main(["certify", *words]) == Exit.FINE
    kept = Folder(tmp_path / "tls").kept()
    assert kept is not None
    assert kept.key.type is not None
    assert kept.key.type.value == "ed25519"
    assert KEY.secret.base64() not in "".join(capsys.readouterr())


HOOK = 'cat "$CERTIFY_FULLCHAIN" "$CERTIFY_PRIVKEY" > seen; echo "$CERTIFY_NAMES $OAKROOT_KEY." >> told'


def test_the_hook_runs_when_something_has_changed(
    certify: Certify, certifier: LittleCertifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAKROOT_KEY", KEY_TEXT)
    for _ in range(2):
        assert certify("--deploy-hook", HOOK, "--additional", f"*.{HOST}", key=None)[0] == Exit.FINE
    assert (tmp_path / "told").read_text() == f"{HOST} *.{HOST} .\n"
    assert "PRIVATE KEY" in (tmp_path / "seen").read_text()


def test_a_hook_that_fails_is_told_and_run_again(
    certify: Certify, certifier: LittleCertifier, tmp_path: Path
) -> None:
    code, out, err = certify("--deploy-hook", "exit 3")
    assert (code, out) == (Exit.NOT_SO, "")
    assert f"the new certificate is in {HOST}, but the deploy hook failed: status 3" in err
    assert "hint: it will be run again the next time" in err
    assert certify("--deploy-hook", "echo done > hook")[0] == Exit.FINE
    assert (tmp_path / "hook").read_text() == "done\n"
    assert certifier.issued == 1


def test_no_certifier_is_told(certify: Certify) -> None:
    code, out, err = certify(timeout=0.3)
    assert (code, out) == (Exit.NOT_SO, "")
    assert "no certifier has answered the request for www.example.org within 0.3 s" in err
    assert "hint: does `oakroot certifier` run for this zone?;" in err


def test_a_request_without_a_key_is_told_to_take_one(certify: Certify) -> None:
    code, _, err = certify(key=None)
    assert code == Exit.NOT_SO
    assert "a request for www.example.org has to be signed" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--additional", "a..b"], "'a..b' is no name for a certificate"),
        (["--additional", "*.example.org"], "www.example.org is covered by a wildcard"),
        (["--out", "a-file"], "a-file: "),
        (["--out", "readable"], "readable/privkey.pem can be read by everybody (mode 0644)"),
    ],
)
def test_what_cannot_be_done_is_named(
    words: list[str], message: str, certify: Certify, tmp_path: Path
) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "readable").mkdir()
    (tmp_path / "readable" / "privkey.pem").write_text("")
    (tmp_path / "readable" / "privkey.pem").chmod(0o644)
    code, out, err = certify(*words)
    assert code != Exit.FINE
    assert out == ""
    assert f"oakroot: {message}" in err
    assert "bug" not in err


def test_a_full_disk_is_told_with_the_folder(certify: Certify, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = certify()
    assert code == Exit.NOT_SO
    assert f"oakroot: {HOST}: No space left on device\n  hint: what was in the folder before" in err


def test_a_wildcard_as_host_is_told_how_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["certify", "127.0.0.1", "*.example.org"]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "hint: ask for example.org, with *.example.org as an additional name" in err
