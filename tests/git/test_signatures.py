"""Signatures of files: OpenSSH reads ours, we read OpenSSH's, and no broken one passes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.git.errors import InvalidSetting
from oakroot.git.login_key import PrivateKey, parse_ssh_key
from oakroot.git.signatures import SignatureRejected, check_signature, read_signers, sign
from oakroot.keys.ssh import mint_ssh_key

TEXT = b"one build\n"
PURPOSE = "oakroot-build"


def new_key() -> PrivateKey:
    return parse_ssh_key(mint_ssh_key(os.urandom).notation())


@pytest.fixture
def key() -> PrivateKey:
    return new_key()


def test_openssh_believes_what_is_signed_here(
    tmp_path: Path, key: PrivateKey, require: Callable[[str], str]
) -> None:
    (tmp_path / "signers").write_text(f"alice {key.public_line}\n")
    (tmp_path / "sig").write_bytes(sign(TEXT, key, PURPOSE))
    words = ["-Y", "verify", "-f", "signers", "-I", "alice", "-n", PURPOSE, "-s", "sig"]
    command = [require("ssh-keygen"), *words]
    done = subprocess.run(command, cwd=tmp_path, input=TEXT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Good" in done.stdout
    done = subprocess.run(command, cwd=tmp_path, input=TEXT + b"!", capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_what_openssh_signs_is_believed_here(
    tmp_path: Path, kind: str, require: Callable[[str], str]
) -> None:
    program = require("ssh-keygen")
    subprocess.run([program, "-q", "-t", kind, "-N", "", "-f", str(tmp_path / "key")], check=True)
    (tmp_path / "text").write_bytes(TEXT)
    files = {name: str(tmp_path / name) for name in ("key", "text")}
    command = [program, "-q", "-Y", "sign", "-f", files["key"], "-n", PURPOSE, files["text"]]
    subprocess.run(command, check=True, capture_output=True)
    signers = read_signers(f"alice {(tmp_path / 'key.pub').read_text()}")
    signature = (tmp_path / "text.sig").read_bytes()
    assert check_signature(TEXT, signature, "alice", PURPOSE, signers).startswith("SHA256:")


def test_a_key_in_a_certificate_is_the_same_key(
    tmp_path: Path, key: PrivateKey, require: Callable[[str], str]
) -> None:
    program = require("ssh-keygen")
    (tmp_path / "key").write_bytes(key.openssh_private())
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "key.pub").write_text(key.public_line)
    (tmp_path / "text").write_bytes(TEXT)
    for words in (
        ["-t", "ed25519", "-N", "", "-f", "authority"],
        ["-s", "authority", "-I", "anything", "-n", "carol", "key.pub"],
        ["-Y", "sign", "-f", "key-cert.pub", "-n", PURPOSE, "text"],
    ):
        subprocess.run([program, "-q", *words], cwd=tmp_path, check=True, capture_output=True)
    signers = read_signers(f"alice,carol {key.public_line}")
    signature = (tmp_path / "text.sig").read_bytes()
    assert check_signature(TEXT, signature, "carol", PURPOSE, signers) == key.fingerprint


def test_a_changed_file_is_told_from_an_unknown_key(key: PrivateKey) -> None:
    signers = read_signers(f"alice {key.public_line}")
    with pytest.raises(SignatureRejected, match="not of this file"):
        check_signature(TEXT + b"!", sign(TEXT, key, PURPOSE), "alice", PURPOSE, signers)
    with pytest.raises(SignatureRejected, match=r"SHA256:\S+ is none of alice's"):
        check_signature(TEXT, sign(TEXT, new_key(), PURPOSE), "alice", PURPOSE, signers)


def test_a_key_signs_for_its_owner_alone(key: PrivateKey) -> None:
    signers = read_signers(f"alice {key.public_line}\nbob {new_key().public_line}")
    with pytest.raises(SignatureRejected, match="none of bob's"):
        check_signature(TEXT, sign(TEXT, key, PURPOSE), "bob", PURPOSE, signers)


def test_what_was_signed_for_another_purpose_does_not_count(key: PrivateKey) -> None:
    signers = read_signers(f"alice {key.public_line}")
    with pytest.raises(SignatureRejected, match="another purpose: 'git'"):
        check_signature(TEXT, sign(TEXT, key, "git"), "alice", PURPOSE, signers)


@pytest.mark.parametrize("part", [0, 10, 40, 100, -30, -5])
def test_a_signature_that_was_cut_off_is_said_to_be_broken(key: PrivateKey, part: int) -> None:
    signers = read_signers(f"alice {key.public_line}")
    with pytest.raises(SignatureRejected, match="broken"):
        check_signature(TEXT, sign(TEXT, key, PURPOSE)[:part], "alice", PURPOSE, signers)


@pytest.mark.parametrize("text", ["", "# nobody\n", "alice\n", "alice ssh-ed25519 AAAA\n"])
def test_a_list_that_names_no_signer_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match="no file of allowed signers"):
        read_signers(text)
