"""An image of Debian's packages serves: in a virtual machine emulated in software, and in a container."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest

from oakroot.images import fetch
from oakroot.images.build import build
from oakroot.images.contents import Role
from oakroot.images.inputs import InputFolder
from oakroot.images.machine import Acceleration, Machine, choose
from oakroot.images.rejected import ImageError
from tests.conftest import peers_are_required
from tests.peers.commands import COMMAND
from tests.peers.git_servers import BareRepository, git_daemon, wait_until
from tests.peers.ports import LOOPBACK, free_port

# Software emulation on a machine that does other things too: ten seconds become a minute.
PATIENCE = 150.0
KEY = dns.tsig.Key("personal._update.mirage", "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=")
ZONE = b"""$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	2	86400	7200	1048576	3600
@	NS	ns1
ns1	A	10.0.42.2
"""
KEYS = b"personal._update.mirage. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]) -> Path:
    """A primary's image, made of what Debian and Python have today."""
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
    directory = tmp_path_factory.mktemp("images") / "primary"
    build(Role.PRIMARY, inputs.lock(), inputs, lambda _text: None).write(directory)
    return directory


@dataclass(frozen=True)
class Running:
    """A machine, and the repository that it serves."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int
    repository: BareRepository


def _start(image: Path, log: Path, port: int, *words: str) -> subprocess.Popen[bytes]:
    options = ["--net", f"{LOOPBACK}:{port}", "--accel", "tcg"]
    with log.open("wb") as console:
        return subprocess.Popen(
            [*COMMAND, "image", "run", str(image), *options, "--", *words], stdout=console, stderr=console
        )


@pytest.fixture(scope="module")
def primary(
    image: Path, tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Running]:
    require("qemu-system-x86_64")
    base = tmp_path_factory.mktemp("git")
    repository = BareRepository(base / "zones.git")
    repository.commit({"mirage": ZONE, "mirage._keys": KEYS})
    port = free_port()
    with git_daemon(base) as server:
        log = base / "console"
        words = [
            "--ipv4=10.0.2.15/24",
            "--ipv4-gateway=10.0.2.2",
            f"--remote=git://10.0.2.2:{server.port}/zones.git",
        ]
        process = _start(image, log, port, *words)
        try:
            yield Running(process, log, port, repository)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _ask(port: int, question: dns.message.Message) -> dns.message.Message | None:
    with suppress(dns.exception.Timeout, OSError, EOFError):
        return dns.query.tcp(question, LOOPBACK, 5, port)
    return None


def _answers(port: int) -> bool:
    reply = _ask(port, dns.message.make_query("mirage.", "ANY"))
    if reply is None or not reply.answer:
        threading.Event().wait(0.3)
        return False
    return True


def test_wrong_arguments_end_a_machine_with_their_name_and_status(
    image: Path, primary: Running, tmp_path: Path
) -> None:
    log = tmp_path / "console"
    process = _start(image, log, free_port(), "--ipv4=10.0.2.15")
    assert process.wait(PATIENCE) == 64
    assert b"--ipv4=10.0.2.15: the length of the network's prefix is missing" in log.read_bytes()


def test_a_machine_answers_and_pushes_an_update(primary: Running) -> None:
    wait_until("the machine to answer", lambda: _answers(primary.port), PATIENCE)
    update = dns.update.UpdateMessage("mirage.", keyring=KEY)
    update.add("www", 3600, "A", "192.0.2.1")
    reply = _ask(primary.port, update)
    assert reply is not None
    assert reply.rcode() == dns.rcode.NOERROR
    assert "192.0.2.1" in primary.repository.show("mirage")
    assert b"warning" not in primary.log.read_bytes()


@pytest.mark.parametrize(
    ("says", "chosen"),
    [("oakroot: exit status 0", Acceleration.KVM), ("KVM internal error", Acceleration.TCG)],
)
def test_kvm_is_used_only_if_a_machine_boots_with_it(
    says: str, chosen: Acceleration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = tmp_path / "qemu-system-x86_64"
    emulator.write_text(f"#!/bin/sh\necho {says}\n")
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("oakroot.images.machine.KVM", tmp_path)
    assert choose(Acceleration.AUTO, Machine(tmp_path, "none", 256, ())) is chosen


def test_a_container_serves_read_only_without_rights(
    image: Path, tmp_path: Path, primary: Running, require: Callable[[str], str]
) -> None:
    runc = require("runc")
    if os.geteuid() != 0:
        pytest.skip("runc needs root here")
    port = free_port()
    remote = git_daemon(primary.repository.path.parent)
    with remote:
        _bundle(
            image,
            tmp_path,
            "--listen",
            f"{LOOPBACK}:{port}",
            "--remote",
            f"git://{LOOPBACK}:{remote.port}/zones.git",
        )
        name = f"oakroot-test-{port}"
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen([runc, "run", "--bundle", tmp_path, name], stdout=log, stderr=log)
        try:
            wait_until("the container to answer", lambda: _answers(port), PATIENCE)
            state = json.loads(subprocess.run([runc, "state", name], check=True, capture_output=True).stdout)
            status = Path(f"/proc/{state['pid']}/status").read_text()
        finally:
            process.terminate()
            process.wait(PATIENCE)
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert facts["Uid"].split() == ["65532"] * 4
    assert facts["CapBnd"] == f"{1 << 10:016x}"
    assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1")


def _bundle(image: Path, directory: Path, *arguments: str) -> None:
    """What runc wants of an image: its files, and how they run."""
    layout = image / "oci"

    def blob(digest: str) -> bytes:
        return (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()

    manifest = json.loads(blob(json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]))
    config = json.loads(blob(manifest["config"]["digest"]))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(manifest["layers"][0]["digest"])))) as layer:
        layer.extractall(directory / "rootfs", filter="fully_trusted")  # noqa: S202 - made a moment ago
    rights = {
        kind: ["CAP_NET_BIND_SERVICE"]
        for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
    }
    process = {
        "user": {"uid": 65532, "gid": 65532},
        "args": [*config["config"]["Entrypoint"], *arguments],
        "cwd": "/",
        "noNewPrivileges": True,
        "capabilities": rights,
    }
    mounts = [
        {"destination": place, "type": kind, "source": kind, "options": options}
        for place, kind, options in (
            ("/proc", "proc", []),
            ("/dev", "tmpfs", ["nosuid", "mode=755"]),
            ("/tmp", "tmpfs", ["nosuid", "nodev", "noexec", "mode=1777"]),  # noqa: S108 - the container's
        )
    ]
    namespaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
    whole = {
        "ociVersion": "1.0.2",
        "process": process,
        "root": {"path": "rootfs", "readonly": True},
        "mounts": mounts,
        "linux": {"namespaces": namespaces},
    }
    (directory / "config.json").write_text(json.dumps(whole))
