"""ssh against OpenSSH: which host keys are believed, which are refused and in what words, who may log in."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials, load_credentials, parse_authenticator
from oakroot.git.errors import RemoteRefused, RemoteUntrusted
from oakroot.git.login_key import parse_ssh_key
from oakroot.git.remote import parse_remote
from tests.git.conftest import SSH_KEY, SSH_PUBLIC, Opener, Place, Servers, push
from tests.peers.git_servers import BareRepository, Daemon, HostKeys, login_name, sshd
from tests.peers.ports import LOOPBACK

KINDS = ("ed25519", "ecdsa", "rsa")
WRONG = "SHA256:a5kkkuo7MwTBkW+HDt4km0gGPUAX0y1bFcPMXKxBaD0"
StartSshd = Callable[..., Daemon]


@pytest.fixture
def start_sshd(require: Callable[[str], str], servers: Servers, tmp_path: Path) -> Iterator[StartSshd]:
    """`start_sshd("rsa")` runs a server that has only an RSA host key."""
    with ExitStack() as stack:

        def start(*kinds: str, authorized: str = SSH_PUBLIC) -> Daemon:
            keys = servers.host_keys.make(*kinds)
            return stack.enter_context(sshd(require("sshd"), tmp_path, keys, authorized))

        yield start


@pytest.fixture
def ssh_place(make_place: Callable[[str], Place]) -> Place:
    place = make_place("ssh")
    place.repository.commit({"example.org": b"zone"})
    return place


def at(place: Place, port: int, credentials: Credentials) -> Place:
    return dataclasses.replace(
        place, remote=dataclasses.replace(place.remote, port=port), credentials=credentials
    )


def pinned(fingerprint: str) -> Credentials:
    return Credentials(ssh_key=parse_ssh_key(SSH_KEY), host_key_pin=parse_authenticator(fingerprint))


def knowing(tmp_path: Path, lines: str) -> Credentials:
    """Trust by a known_hosts file."""
    file = tmp_path / "known_hosts"
    file.write_text(lines)
    return Credentials(ssh_key=parse_ssh_key(SSH_KEY), known_hosts=(file, tmp_path / "not-there"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_fits_a_server_with_one_key_of_any_kind(
    ssh_place: Place, open_copy: Opener, start_sshd: StartSshd, servers: Servers, kind: str
) -> None:
    server = start_sshd(kind)
    copy = open_copy(at(ssh_place, server.port, pinned(servers.host_keys.fingerprints[kind])))
    push(copy, copy.fetch(), {"example.org": b"new"})
    assert ssh_place.repository.show("example.org") == "new"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_fits_whichever_of_several_keys_it_means(
    ssh_place: Place, open_copy: Opener, servers: Servers, kind: str
) -> None:
    credentials = pinned(servers.host_keys.fingerprints[kind])
    assert open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch().subject == "change"


def test_a_wrong_pin_is_refused_with_both_fingerprints(
    ssh_place: Place, open_copy: Opener, servers: Servers
) -> None:
    with pytest.raises(RemoteUntrusted, match="is wrong") as caught:
        open_copy(dataclasses.replace(ssh_place, credentials=pinned(WRONG))).fetch()
    assert caught.value.expected == (WRONG,)
    assert WRONG in str(caught.value)
    for kind in KINDS:
        assert servers.host_keys.fingerprints[kind] in str(caught.value)
    assert "--authenticator" in str(caught.value)


def test_nothing_is_pushed_to_a_wrong_server(ssh_place: Place, open_copy: Opener) -> None:
    copy = open_copy(ssh_place)
    head = copy.fetch()
    stranger = open_copy(dataclasses.replace(ssh_place, credentials=pinned(WRONG)))
    with pytest.raises(RemoteUntrusted):
        stranger.fetch()
    assert ssh_place.repository.tip() == head.commit


@pytest.mark.parametrize("kind", KINDS)
def test_known_hosts_decides_without_a_pin(
    ssh_place: Place, open_copy: Opener, servers: Servers, tmp_path: Path, kind: str
) -> None:
    line = servers.host_keys.known_hosts_line(servers.sshd.port, kind)
    credentials = knowing(tmp_path, f"# ours\nthis is no entry\n{line}")
    assert open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch().subject == "change"


def test_a_hashed_known_hosts_entry_counts(
    ssh_place: Place, open_copy: Opener, servers: Servers, tmp_path: Path
) -> None:
    """As `HashKnownHosts yes` writes them: |1|salt|HMAC-SHA1(salt, host)."""
    host, key = servers.host_keys.known_hosts_line(servers.sshd.port, "ed25519").split(" ", 1)
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, host.encode(), hashlib.sha1).digest()
    hashed = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    credentials = knowing(tmp_path, f"{hashed} {key}")
    assert open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch().subject == "change"


def test_an_unknown_host_is_refused_with_its_fingerprint(
    ssh_place: Place, open_copy: Opener, servers: Servers, tmp_path: Path
) -> None:
    credentials = knowing(tmp_path, "elsewhere.example.org " + SSH_PUBLIC + "\n")
    with pytest.raises(RemoteUntrusted, match="is unknown: expected none") as caught:
        open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch()
    assert caught.value.expected == ()
    assert servers.host_keys.fingerprints["ed25519"] in str(caught.value)
    assert "--authenticator SHA256:" in str(caught.value)


def test_a_changed_host_key_is_refused_with_both_fingerprints(
    ssh_place: Place, open_copy: Opener, servers: Servers, tmp_path: Path
) -> None:
    credentials = knowing(tmp_path, f"[{LOOPBACK}]:{servers.sshd.port} {SSH_PUBLIC}\n")
    with pytest.raises(RemoteUntrusted, match="is wrong") as caught:
        open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch()
    assert parse_ssh_key(SSH_KEY).fingerprint in str(caught.value)
    assert servers.host_keys.fingerprints["ed25519"] in str(caught.value)


def test_a_revoked_host_key_is_refused(
    ssh_place: Place, open_copy: Opener, start_sshd: StartSshd, servers: Servers, tmp_path: Path
) -> None:
    server = start_sshd("ed25519")
    line = servers.host_keys.known_hosts_line(server.port, "ed25519")
    credentials = knowing(tmp_path, f"{line}@revoked * {line.split(' ', 1)[1]}")
    with pytest.raises(RemoteUntrusted, match="revoked"):
        open_copy(at(ssh_place, server.port, credentials)).fetch()


def test_a_host_certificate_of_a_known_authority_counts(
    ssh_place: Place, open_copy: Opener, require: Callable[[str], str], tmp_path: Path
) -> None:
    keys = HostKeys(tmp_path)
    [host] = keys.make("ed25519")
    authority = tmp_path / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority], check=True)
    signing = f"ssh-keygen -q -s {authority} -I host -h -n {LOOPBACK} {host}.pub"
    subprocess.run(signing.split(), check=True)
    public = " ".join((tmp_path / "authority.pub").read_text().split()[:2])
    with sshd(
        require("sshd"), tmp_path, [host], SSH_PUBLIC, certificates=[Path(f"{host}-cert.pub")]
    ) as server:
        known = knowing(tmp_path, f"@cert-authority [{LOOPBACK}]:* {public}\n")
        assert open_copy(at(ssh_place, server.port, known)).fetch().subject == "change"
        stranger = knowing(tmp_path, f"@cert-authority [{LOOPBACK}]:* {SSH_PUBLIC}\n")
        with pytest.raises(RemoteUntrusted):
            open_copy(at(ssh_place, server.port, stranger)).fetch()


def test_a_key_the_server_does_not_know_is_named_as_it_must_be_added(
    ssh_place: Place, open_copy: Opener, start_sshd: StartSshd, servers: Servers, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    server = start_sshd("ed25519", authorized=(tmp_path / "other.pub").read_text().strip())
    credentials = pinned(servers.host_keys.fingerprints["ed25519"])
    with pytest.raises(RemoteRefused, match="does not accept our ssh key") as caught:
        open_copy(at(ssh_place, server.port, credentials)).fetch()
    assert SSH_PUBLIC in str(caught.value)
    assert SSH_KEY.removeprefix("ed25519:") not in str(caught.value)


def test_without_a_key_the_users_own_are_tried(
    ssh_place: Place,
    open_copy: Opener,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    pin = parse_authenticator(servers.host_keys.fingerprints["ed25519"])
    place = dataclasses.replace(ssh_place, credentials=Credentials(host_key_pin=pin))
    with pytest.raises(RemoteRefused, match="give --ssh-key"):
        open_copy(place).fetch()
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519").write_bytes(parse_ssh_key(SSH_KEY).openssh_private())
    assert open_copy(place).fetch().subject == "change"


def test_with_a_key_no_other_is_offered(
    ssh_place: Place,
    open_copy: Opener,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519").write_bytes(parse_ssh_key(SSH_KEY).openssh_private())
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    pin = parse_authenticator(servers.host_keys.fingerprints["ed25519"])
    credentials = Credentials(ssh_key=parse_ssh_key(str(tmp_path / "other")), host_key_pin=pin)
    with pytest.raises(RemoteRefused):
        open_copy(dataclasses.replace(ssh_place, credentials=credentials)).fetch()


@pytest.mark.parametrize("kind", KINDS)
def test_an_openssh_key_file_of_any_kind_logs_in(
    ssh_place: Place,
    open_copy: Opener,
    start_sshd: StartSshd,
    servers: Servers,
    tmp_path: Path,
    kind: str,
) -> None:
    file = tmp_path / "login"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True)
    server = start_sshd("ed25519", authorized=(tmp_path / "login.pub").read_text().strip())
    credentials = load_credentials(
        ssh_key=str(file), authenticator=servers.host_keys.fingerprints["ed25519"], environment={}
    )
    assert open_copy(at(ssh_place, server.port, credentials)).fetch().subject == "change"


@pytest.mark.parametrize("name", ["it's here.git", "two  spaces.git", "$(touch x);`y`.git", "zönen.git"])
def test_odd_paths_reach_the_server_as_they_are(servers: Servers, open_copy: Opener, name: str) -> None:
    repository = BareRepository(servers.base / name)
    repository.commit({"example.org": b"zone"})
    remote = dataclasses.replace(parse_remote(servers.url("ssh", "x")), path=str(repository.path))
    place = Place(repository, remote, servers.credentials("ssh"))
    copy = open_copy(place)
    push(copy, copy.fetch(), {"example.org": b"new"})
    assert repository.show("example.org") == "new"


def test_the_short_form_is_relative_to_the_users_home(
    ssh_place: Place, open_copy: Opener, servers: Servers
) -> None:
    from_home = os.path.relpath(ssh_place.repository.path, os.path.expanduser("~"))  # noqa: PTH111 - as sshd has it
    short = parse_remote(f"{login_name()}@{LOOPBACK}:{from_home}")
    remote = dataclasses.replace(short, port=servers.sshd.port)
    assert open_copy(dataclasses.replace(ssh_place, remote=remote)).fetch().subject == "change"
