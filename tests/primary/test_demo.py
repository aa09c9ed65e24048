"""The demo repository: good zones, a fresh key, and advice that can be typed."""

from __future__ import annotations

from pathlib import Path

from oakroot.git.credentials import Credentials
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.keys.notation import read_key
from oakroot.primary.demo import KEY_FILE_NAME, advice, make_demo
from oakroot.primary.events import Fetch, Fetched
from oakroot.primary.worker import GitWorker
from oakroot.zones.loaded import Loaded
from tests.peers.git_servers import git


def zeros(length: int) -> bytes:
    return bytes(length)


def test_the_demo_is_a_sound_repository_without_findings(tmp_path: Path) -> None:
    path = make_demo(tmp_path, zeros, 1_795_348_800)
    git("fsck", "--strict", cwd=path)
    with RemoteRepository(parse_remote(str(path)), Credentials()) as repository:
        event = GitWorker(repository, "increment", lambda: 0.0).fetch(Fetch(Loaded.nothing()))
    assert isinstance(event, Fetched)
    assert not event.loading.findings
    assert set(event.loading.loaded.zones) == {"example.org.", "2.0.192.in-addr.arpa."}


def test_its_key_is_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = make_demo(tmp_path, zeros, 1_795_348_800)
    file = tmp_path / KEY_FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    key = read_key(file.read_text())
    assert str(key.name) == "demo._update.example.org."
    assert key.secret.base64() in git("show", "main:example.org._keys", cwd=path)


def test_the_advice_names_the_port_that_is_listened_on() -> None:
    text = advice(Path("/srv/demo"), [("::", 5353)])
    assert "dig @::1 -p 5353 www.example.org" in text
    assert "oakroot notify [::1]:5353 example.org" in text


def test_the_advice_leaves_out_the_port_of_dns() -> None:
    text = advice(Path("/srv/demo"), [("127.0.0.1", 53)])
    assert "dig @127.0.0.1 www.example.org" in text
    assert "oakroot notify 127.0.0.1:53" in text
