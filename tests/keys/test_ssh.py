"""Ed25519 keys go between the short notation and OpenSSH's forms without loss, and show nothing in errors."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret
from oakroot.keys.ssh import SshKey, mint_ssh_key, read_ssh_key

PRIVATE = "ed25519:nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte"


def test_the_tutorials_private_key_gives_the_public_key_printed_there() -> None:
    assert read_ssh_key(PRIVATE).public_line() == PUBLIC


def test_a_comment_ends_the_public_line() -> None:
    assert read_ssh_key(PRIVATE).public_line("awa@awa.local") == PUBLIC + " awa@awa.local"


@given(st.binary(min_size=32, max_size=32))
def test_the_notation_is_read_back(octets: bytes) -> None:
    key = SshKey(Secret(octets))
    assert read_ssh_key(key.notation()) == key


def test_an_openssh_file_is_read_back() -> None:
    key = read_ssh_key(PRIVATE)
    assert read_ssh_key(key.openssh_file().decode()) == key


def test_what_keygen_prints_is_read_back_whole() -> None:
    assert read_ssh_key(f"{PRIVATE}\n{PUBLIC}\n") == read_ssh_key(PRIVATE)


def test_a_new_key_is_made_from_the_random_octets_given() -> None:
    assert mint_ssh_key(lambda length: b"\x07" * length).private == Secret(b"\x07" * 32)


def test_ssh_keygen_sees_the_same_public_key(require: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_bytes(read_ssh_key(PRIVATE).openssh_file())
    told = subprocess.run(
        [require("ssh-keygen"), "-y", "-f", file], capture_output=True, check=True, text=True
    )
    assert told.stdout.strip() == PUBLIC


def test_a_file_of_ssh_keygen_is_read(require: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    arguments = [require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", str(file)]
    subprocess.run(arguments, check=True)
    assert read_ssh_key(file.read_text()).public_line("me") == file.with_suffix(".pub").read_text().strip()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ssh-key-form"),
        ("rsa:abcdef", "ssh-key-form"),
        ("ed25519:", "key-secret"),
        ("ed25519:nO7ervdJqzPfuvdM", "ssh-key-length"),
        ("ed25519:nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w", "key-secret"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nnO7ervdJqzPf\n-----END OPENSSH PRIVATE KEY-----",
            "ssh-key-file",
        ),
    ],
)
def test_a_bad_private_key_is_refused_without_quoting_it(text: str, code: str) -> None:
    with pytest.raises(KeyRejectedError) as refusal:
        read_ssh_key(text)
    assert refusal.value.code == code
    assert "nO7erv" not in f"{refusal.value}{refusal.value.hint}{refusal.value.__cause__}"


def test_a_key_of_another_type_is_refused() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    with pytest.raises(KeyRejectedError, match="not of type ed25519"):
        read_ssh_key(pem.decode())


def test_a_key_with_a_passphrase_is_refused(require: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run([require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "a word", "-f", file], check=True)
    with pytest.raises(KeyRejectedError, match="passphrase"):
        read_ssh_key(file.read_text())


def test_a_key_does_not_show_itself() -> None:
    assert "nO7erv" not in f"{read_ssh_key(PRIVATE)!r} {read_ssh_key(PRIVATE)}"
