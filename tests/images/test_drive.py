"""The config drive: what a machine reads of a disk, and what it refuses."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.images import cpio
from oakroot.images.drive import LARGEST, BrokenDriveError, read_drive, write_drive
from oakroot.images.rejected import ImageError
from oakroot.images.tree import File, Link
from tests.peers.commands import oakroot

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)
FILES = st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5)


@given(FILES)
def test_a_drive_reads_as_it_was_written(files: dict[str, bytes]) -> None:
    drive = write_drive(files)
    assert len(drive) % 512 == 0
    assert read_drive(drive + b"what a larger disk has behind it") == files


def test_a_drive_that_cpio_wrote_is_read(tmp_path: Path, require: Callable[[str], str]) -> None:
    (tmp_path / "arguments").write_text("--ipv4=192.0.2.2/24\n")
    (tmp_path / "transfer.key").write_text("secret")
    command = f"cd {tmp_path} && find . | {require('cpio')} --quiet --create --format=newc"
    written = subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout
    assert read_drive(written) == {"arguments": b"--ipv4=192.0.2.2/24\n", "transfer.key": b"secret"}


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (bytes(4096), "no whole cpio archive"),
        (b"", "no whole cpio archive"),
        (write_drive({"key": b"secret" * 100})[:300], "no whole cpio archive"),
        (b"070701" + b"-" * 104 + bytes(400), "no whole cpio archive"),
        (cpio.write({"key": File(bytes(LARGEST))}, 0), "no whole cpio archive"),
        (cpio.write({"key": Link("/etc/passwd")}, 0), "'key' is no plain file"),
        (cpio.write({"a/key": File(b"")}, 0), "'a' is no plain file"),
        (cpio.write({"-key": File(b"")}, 0), "'-key' is no name for a secret"),
    ],
)
def test_a_disk_that_is_no_drive_is_refused(octets: bytes, message: str) -> None:
    with pytest.raises(BrokenDriveError, match=message):
        read_drive(octets)


def test_a_file_that_is_there_twice_is_refused() -> None:
    one = cpio.write({"key": File(b"one")}, 0)
    with pytest.raises(BrokenDriveError, match="key is there twice"):
        read_drive(one[: one.index(b"070701", 1)] + one)


@given(st.binary(max_size=600), st.integers(0, 400))
def test_no_disk_brings_a_machine_down(noise: bytes, at: int) -> None:
    whole = write_drive({"arguments": b"--ipv4=192.0.2.2/24", "key": b"secret"})
    with contextlib.suppress(BrokenDriveError):
        read_drive(whole[:at] + noise + whole[at + len(noise) :])


def test_more_than_a_machine_reads_is_not_written() -> None:
    with pytest.raises(ImageError, match=f"a machine reads {LARGEST}"):
        write_drive({"key": bytes(LARGEST)})


def test_the_command_writes_arguments_and_secrets_for_nobody_else_to_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    out = tmp_path / "config.img"
    secret = f"transfer.key={tmp_path / 'key'}"
    done = oakroot("image", "drive", "--secret", secret, "--out", out, "--", "--identity", "ns one")
    assert done.code == 0, done.output
    assert read_drive(out.read_bytes()) == {"transfer.key": b"secret", "arguments": b"--identity 'ns one'\n"}
    assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "x"], "a config drive has arguments or secrets"),
        (["--out", "x", "--secret", "key=missing"], "secret key: missing does not exist"),
        (["--out", "x/y", "--", "--ipv4=192.0.2.2/24"], "x/y: No such file"),
    ],
)
def test_the_command_names_what_is_wrong(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = oakroot("image", "drive", *words)
    assert done.code != 0
    assert message in done.errors
