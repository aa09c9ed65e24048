"""Notations of keys, pins and tokens; and that no text shows what is secret."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from oakroot.git.credentials import (
    SYSTEM_KNOWN_HOSTS,
    Credentials,
    fingerprint_of,
    load_credentials,
    parse_authenticator,
)
from oakroot.git.errors import InvalidSetting
from oakroot.git.login_key import parse_ssh_key
from tests.git.conftest import SSH_KEY, SSH_PUBLIC

FINGERPRINT = "SHA256:a5kkkuo7MwTBkW+HDt4km0gGPUAX0y1bFcPMXKxBaD0"
SECRET = SSH_KEY.removeprefix("ed25519:")


def ssh_keygen(file: Path, kind: str, *options: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file, *options], check=True)
    return file


def test_the_tutorials_key_has_the_public_key_printed_there() -> None:
    assert parse_ssh_key(SSH_KEY).public_line == SSH_PUBLIC


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("mark", ["", "@"])
def test_openssh_key_files_are_read(tmp_path: Path, kind: str, mark: str) -> None:
    file = ssh_keygen(tmp_path / "key", kind)
    public = (tmp_path / "key.pub").read_text()
    assert parse_ssh_key(f"{mark}{file}").public_line == " ".join(public.split()[:2])


def test_an_old_pem_key_file_is_read(tmp_path: Path) -> None:
    file = ssh_keygen(tmp_path / "key", "rsa", "-m", "PEM")
    assert (tmp_path / "key.pub").read_text().startswith(parse_ssh_key(str(file)).public_line)


def test_a_file_may_hold_the_short_notation(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SSH_KEY}\n")
    assert parse_ssh_key(f"@{tmp_path / 'key'}").public_line == SSH_PUBLIC
    assert parse_ssh_key(str(tmp_path / "key")).public_line == SSH_PUBLIC


def test_a_key_goes_to_the_ssh_library_unchanged(tmp_path: Path) -> None:
    (tmp_path / "again").write_bytes(parse_ssh_key(SSH_KEY).openssh_private())
    assert parse_ssh_key(str(tmp_path / "again")).public_line == SSH_PUBLIC


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ed25519:", "cannot be used"),
        (f"ed25519:{SECRET[:-8]}", "cannot be used"),
        (f"ed25519:{SECRET}AAAA", "cannot be used"),
        ("ed25519:not base64 at all", "cannot be used"),
        (f"ED25519:{SECRET}", "not ed25519:BASE64"),
        ("rsa:c2VlZA==", "keygen ssh"),
        ("@/not/there", "No such file"),
        ("/not/there", "No such file"),
        ("@/", "cannot be read"),
        ("@\0", "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_read_is_refused_unquoted(text: str, reason: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        parse_ssh_key(text)
    assert reason in str(caught.value)
    assert SECRET[:20] not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    subprocess.run(f"ssh-keygen -q -t ed25519 -N passphrase -f {tmp_path / 'key'}".split(), check=True)
    with pytest.raises(InvalidSetting, match="passphrase"):
        parse_ssh_key(str(tmp_path / "key"))


def test_the_content_of_a_key_file_is_read_as_credentials_hand_it_over() -> None:
    content = parse_ssh_key(SSH_KEY).openssh_private().decode()
    assert parse_ssh_key(content).public_line == parse_ssh_key(SSH_KEY).public_line


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"\xff\xfe", b"-----BEGIN OPENSSH PRIVATE KEY-----\nxx\n"]
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InvalidSetting):
        parse_ssh_key(str(tmp_path / "key"))


def test_a_public_key_is_no_private_key(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(SSH_PUBLIC)
    with pytest.raises(InvalidSetting, match="no private key"):
        parse_ssh_key(str(tmp_path / "key.pub"))


@pytest.mark.parametrize(
    "text",
    [
        FINGERPRINT,
        f"{FINGERPRINT}=",
        f"  {FINGERPRINT}\n",
        FINGERPRINT.replace("SHA256", "sha256"),
        FINGERPRINT.replace("SHA256", "ed25519"),
        FINGERPRINT.replace("SHA256", "rsa"),
    ],
)
def test_a_pin_is_read_in_every_notation(text: str) -> None:
    assert str(parse_authenticator(text)) == FINGERPRINT


def test_a_public_key_line_is_a_pin_too() -> None:
    blob = base64.b64decode(SSH_PUBLIC.split()[1])
    assert str(parse_authenticator(f"{SSH_PUBLIC} comment")) == fingerprint_of(blob)


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    file = ssh_keygen(tmp_path / "key", "ed25519")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", file], capture_output=True, check=True).stdout
    assert parse_ssh_key(str(file)).fingerprint == shown.decode().split()[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SHA256:",
        FINGERPRINT[:-1],
        f"{FINGERPRINT}AA",
        "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
        "sha1:AAAA",
        f"ssh-rsa {SSH_PUBLIC.split()[1]}",
        "ssh-ed25519 %%%",
    ],
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match="fingerprint"):
        parse_authenticator(text)


def test_nothing_given_is_nothing_loaded() -> None:
    assert load_credentials(environment={}) == Credentials(known_hosts=SYSTEM_KNOWN_HOSTS)


def test_known_hosts_of_user_and_system_are_asked() -> None:
    found = load_credentials(environment={"HOME": "/home-of/bob"}).known_hosts
    assert found[0] == Path("/home-of/bob/.ssh/known_hosts")
    assert found[-2:] == SYSTEM_KNOWN_HOSTS


def test_the_ca_file_of_the_command_line_comes_first() -> None:
    environment = {"SSL_CERT_FILE": "/env.pem"}
    assert load_credentials(environment=environment).ca_file == Path("/env.pem")
    assert load_credentials(ca_file="/own.pem", environment=environment).ca_file == Path("/own.pem")


@pytest.mark.parametrize("content", ["", "hunter2\nhunter3", "hunter-zwö"])
def test_a_token_that_cannot_be_one_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(InvalidSetting, match="token") as caught:
        load_credentials(environment={"OAKROOT_GIT_TOKEN_FILE": str(tmp_path / "token")})
    assert "hunter" not in str(caught.value)


def test_a_token_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="OAKROOT_GIT_TOKEN_FILE"):
        load_credentials(environment={"OAKROOT_GIT_TOKEN_FILE": "/not/there"})


def test_no_text_shows_a_secret() -> None:
    credentials = load_credentials(ssh_key=SSH_KEY, environment={"OAKROOT_GIT_TOKEN": "hunter2"})
    shown = f"{credentials} {credentials!r} {credentials.ssh_key}"
    assert "hunter2" not in shown
    assert SECRET not in shown
