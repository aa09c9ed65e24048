"""Images of Debian's packages serve: in virtual machines emulated in software, and in a container."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from oakroot.images import fetch
from oakroot.images.build import build_all
from oakroot.images.contents import Role
from oakroot.images.inputs import InputFolder
from oakroot.images.machine import Machine
from oakroot.images.qemu import Acceleration, choose
from oakroot.images.rejected import ImageError
from tests.conftest import PEER_PATH, peers_are_required
from tests.peers.commands import oakroot
from tests.peers.containers import Process, running, unpack, write_bundle
from tests.peers.git_servers import NOBODYS_CONFIG, BareRepository, git_daemon, wait_until
from tests.peers.namespaces import require_namespaces
from tests.peers.ports import LOOPBACK, free_port

# Software emulation on a machine that does other things too: ten seconds become a minute.
PATIENCE = 300
ZONE = b"""$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	2	86400	7200	1048576	3600
@	NS	ns1
ns1	A	10.0.42.2
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Path:
    """A folder with the image of each role, made of what Debian and Python have today."""
    require("apt-get")
    inputs = InputFolder(tmp_path_factory.mktemp("inputs"))
    try:
        fetch.make_lock(inputs.directory, None, None, lambda _text: None)
    except ImageError:
        if not peers_are_required():
            pytest.skip("no packages can be had here")
        # The lists of packages may be older than the packages that are left.
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True)
        fetch.make_lock(inputs.directory, None, None, lambda _text: None)
    directory = tmp_path_factory.mktemp("images")
    for made in build_all(list(Role), inputs.lock(), inputs, lambda _text: None):
        made.write(directory / made.role)
    return directory


def test_the_tutorial_is_played_on_three_machines(
    images: Path, project_root: Path, require: Callable[[str], str]
) -> None:
    """They answer, take a push and an update, get a certificate, and start again: see the script."""
    require_namespaces()
    for peer in ("qemu-system-x86_64", "pebble", "curl", "openssl", "nsupdate", "dig"):
        require(peer)
    command = str(Path(sys.executable).with_name("oakroot"))
    done = subprocess.run(
        [project_root / "examples" / "tutorial" / "run.sh", images],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **NOBODYS_CONFIG, "PATH": PEER_PATH, "OAKROOT": command, "WAIT": str(PATIENCE)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("status: NOERROR") == 2
    assert "/foo/cert.pem: OK" in done.stdout
    assert "personal._update.mirage: mirage: add my-other A 192.0.2.1" in done.stdout


def test_wrong_arguments_end_a_machine_with_their_name_and_status(
    images: Path, require: Callable[[str], str]
) -> None:
    require("qemu-system-x86_64")
    network = ["--net", f"{LOOPBACK}:{free_port()}", "--accel", "tcg"]
    done = oakroot("image", "run", images / "primary", *network, "--", "--ipv4=10.0.2.15", patience=PATIENCE)
    assert done.code == 64
    assert "--ipv4=10.0.2.15: the length of the network's prefix is missing" in done.output


@pytest.mark.parametrize(
    ("says", "chosen", "told"),
    [
        ("oakroot: exit status 0", Acceleration.KVM, []),
        (
            "KVM internal error",
            Acceleration.TCG,
            ["emulating in software, which is slow: a machine did not start with KVM: KVM internal error"],
        ),
    ],
)
def test_kvm_is_used_only_if_a_machine_boots_with_it(
    says: str, chosen: Acceleration, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = tmp_path / "qemu-system-x86_64"
    emulator.write_text(f"#!/bin/sh\necho {says}\n")
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("oakroot.images.machine.KVM", tmp_path)
    heard: list[str] = []
    assert choose(Acceleration.AUTO, Machine(tmp_path, "none", 256, ()), heard.append) is chosen
    assert [text.partition(" (")[0] for text in heard] == told


def test_a_host_without_kvm_is_told_of_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oakroot.images.machine.KVM", tmp_path / "kvm")
    heard: list[str] = []
    choose(Acceleration.AUTO, Machine(tmp_path, "none", 256, ()), heard.append)
    assert f"there is no {tmp_path}/kvm: load kvm_intel or kvm_amd" in heard[0]


def test_a_disk_that_is_no_config_drive_ends_a_machine_with_a_status_of_its_own(
    images: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("qemu-system-x86_64")
    disk = tmp_path / "disk"
    disk.write_bytes(b"another file system".ljust(4096, b"\0"))
    words = ["--net", f"{LOOPBACK}:{free_port()}", "--accel", "tcg", "--config-drive", str(disk)]
    done = oakroot("image", "run", images / "secondary", *words, patience=PATIENCE)
    assert done.code == 65
    assert "vda: config drive: this is no whole cpio archive" in done.output


def test_a_container_serves_read_only_without_rights(
    images: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("runc")
    if os.geteuid() != 0:
        pytest.skip("runc needs root here")
    repository = BareRepository(tmp_path / "git" / "zones.git")
    repository.commit({"mirage": ZONE})
    port = free_port()
    remote = git_daemon(repository.path.parent)
    with remote:
        address = f"git://{LOOPBACK}:{remote.port}/zones.git"
        command = unpack(images / "primary", tmp_path)
        write_bundle(tmp_path, Process([*command, "--listen", f"{LOOPBACK}:{port}", "--remote", address]))
        with running(f"oakroot-test-{port}", tmp_path) as container:
            wait_until("the container to answer", lambda: _answers(port), PATIENCE)
            status = Path(f"/proc/{container.first}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert facts["Uid"].split() == ["65532"] * 4
    assert facts["CapBnd"] == f"{1 << 10:016x}"
    assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1")


def _answers(port: int) -> bool:
    with suppress(dns.exception.Timeout, OSError, EOFError):
        question = dns.message.make_query("mirage.", "ANY")
        if dns.query.tcp(question, LOOPBACK, 5, port).answer:
            return True
    threading.Event().wait(0.3)
    return False
