"""`oakroot image ledger`, `image verify --ledger` and `image diff`, as their users call them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.cli import Exit, image_ledger
from oakroot.cli.main import main
from oakroot.images.build import Image, build
from oakroot.images.contents import Role
from oakroot.images.inputs import Inputs
from oakroot.images.lock import Lock
from oakroot.images.toolchain import ThisPython
from tests.images.fake_inputs import fill, made_of
from tests.images.ledgers import Builder, builder

BUILDERS = {name: builder(name) for name in ("alice", "bob")}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image, its inputs, a list of signers and a key for each."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "inputs")
    made_of(tmp_path / "inputs").write(tmp_path / "image")
    for each in BUILDERS.values():
        (tmp_path / f"{each.name}.key").write_bytes(each.key.openssh_private())
    (tmp_path / "signers").write_text("".join(each.line for each in BUILDERS.values()))
    assert main(["image", "ledger", "init", "builds.git", "--signers", "signers"]) == Exit.FINE
    return tmp_path


def call(*words: str) -> int:
    return main(["image", *words])


def by(name: str, signer: Builder | None = None) -> tuple[str, ...]:
    """The options of somebody who records."""
    key = name if signer is None else signer.name
    return "--ledger", "builds.git", "--builder", name, "--signing-key", f"{key}.key"


def vouched(agree: str, signers: str = "signers") -> int:
    return call("verify", "image", "--ledger", "builds.git", "--signers", signers, "--agree", agree)


def build_plainly(role: Role, lock: Lock, inputs: Inputs, tell: Callable[[str], None]) -> Image:
    """Without the Python that a small set of inputs has none of."""
    return build(role, lock, inputs, tell, lambda _tree: ThisPython())


def test_an_image_is_vouched_for_by_as_many_as_built_it_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image_ledger, "build", build_plainly)
    assert call("ledger", "record", "image", *by("alice")) == Exit.FINE
    assert vouched("2") == Exit.NOT_SO
    name = capsys.readouterr().out.split("primary ")[1][:12]
    assert call("ledger", "rebuild", name, *by("bob")) == Exit.FINE
    assert "came out as 1 of 1 other builders recorded it" in capsys.readouterr().out
    assert vouched("2") == Exit.FINE
    assert capsys.readouterr().out == "image: alice, bob made the same, 2 keys where 2 must agree\n"
    assert call("ledger", "check", "--ledger", "builds.git") == Exit.FINE


def test_who_signs_with_anothers_key_does_not_count(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("ledger", "record", "image", *by("alice", BUILDERS["bob"]))
    assert call("ledger", "check", "--ledger", "builds.git") == Exit.NOT_SO
    assert "is none of alice's among the signers that count" in capsys.readouterr().out
    assert vouched("1") == Exit.NOT_SO


def test_a_corrupted_image_is_neither_recorded_nor_vouched_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "image" / "vmlinuz").write_bytes(b"another")
    assert call("ledger", "record", "image", *by("alice")) == Exit.NOT_SO
    assert vouched("1") == Exit.NOT_SO
    assert capsys.readouterr().err.count("the image is corrupted: image/vmlinuz") == 2


def test_a_ledger_does_not_say_itself_whose_word_counts(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("verify", "image", "--ledger", "builds.git") == Exit.USAGE
    assert "--ledger needs --signers" in capsys.readouterr().err
    assert call("verify", "image", "--agree", "2") == Exit.USAGE
    assert "are about a --ledger" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (("ledger", "init", "builds.git", "--signers", "signers"), "is there already", Exit.NOT_SO),
        (("ledger", "init", "new.git", "--signers", "nowhere"), "nowhere cannot be read", Exit.USAGE),
        (("ledger", "check", "--ledger", "nowhere.git"), "no git repository at nowhere.git", Exit.NOT_SO),
        (("ledger", "rebuild", "1234", *by("alice")), "no build '1234'", Exit.NOT_SO),
        (("ledger", "check", "--ledger", "builds.git", "--since", "1234"), "commit 1234 is not", Exit.NOT_SO),
        (("ledger", "record", "inputs", *by("alice")), "holds no image", Exit.NOT_SO),
        (("diff", "image", "nowhere"), "nowhere is no folder", Exit.NOT_SO),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str, code: Exit
) -> None:
    assert call(*words) == code
    assert message in capsys.readouterr().err


def test_two_images_are_compared_by_inputs_and_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(here / "other", b"serve(2)\n")
    made_of(here / "other").write(here / "second")
    assert call("diff", "image", "image") == Exit.FINE
    assert call("diff", "image", "second") == Exit.NOT_SO
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "the same"
    assert lines[1] == "inputs:"
    assert lines[2].startswith("  changed wheel oakroot: 1.0, another file: ")
    assert lines[-2:] == ["files:", "  changed usr/lib/python311.zip/oakroot/__init__.py"]


def test_names_that_others_chose_do_not_steer_a_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "clone", "--quiet", "builds.git", "work"], cwd=here, check=True)
    (here / "work" / "builds").mkdir()
    (here / "work" / "builds" / "\x1b[2Jgone").touch()
    who = ["-c", "user.name=mallory", "-c", "user.email=mallory@example.org"]
    for words in (["add", "--all"], [*who, "commit", "--quiet", "--message=Change"], ["push", "--quiet"]):
        subprocess.run(["git", *words], cwd=here / "work", check=True, capture_output=True)
    assert call("ledger", "check", "--ledger", "builds.git") == Exit.NOT_SO
    said = capsys.readouterr().out
    assert "builds/\\x1b[2Jgone: this file belongs to no record" in said
    assert "\x1b" not in said


def test_pages_are_written(here: Path) -> None:
    call("ledger", "record", "image", *by("alice"))
    assert call("ledger", "page", "--ledger", "builds.git", "--out", "site") == Exit.FINE
    assert len(list((here / "site" / "primary").glob("*.html"))) == 1
    assert '"alice"' in (here / "site" / "primary" / "latest.json").read_text()
