"""What the pages take for granted: a git host, an authority, other servers. A function for each page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tests.documents.stage import DNS_PORT, Stage
from tests.peers.git_servers import BareRepository, HostKeys, login_name, sshd
from tests.peers.pebble import Pebble
from tests.peers.ports import LOOPBACK

Require = Callable[[str], str]
World = Callable[[Stage, Require], AbstractContextManager[None]]

DOCUMENTED_FINGERPRINT = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
REMOTE = "git@git.example.org:zones.git"


@contextmanager
def tutorial(stage: Stage, require: Require) -> Iterator[None]:
    """An empty repository behind ssh, and a certificate authority that asks the secondary."""
    with ExitStack() as stack:
        for program in ("git", "ssh", "host", "dig", "nsupdate"):
            require(program)
        _serve_git_over_ssh(stage, require, stack)
        pebble = Pebble(
            require("pebble"),
            stage.folder / "pebble",
            dns=DNS_PORT,
            dns_host=stage.address("198.51.100.53"),
        )
        stack.enter_context(pebble)
        stage.environment["OAKROOT_DIRECTORY"] = pebble.directory_url
        stage.environment["OAKROOT_DIRECTORY_CA"] = str(pebble.ca_file)
        yield


def _serve_git_over_ssh(stage: Stage, require: Require, stack: ExitStack) -> None:
    """An sshd that knows the reader's key, and those that a page adds to $AUTHORIZED_KEYS."""
    folder = stage.folder
    repository = BareRepository(folder / "zones.git")
    host_keys = HostKeys(folder)
    files = host_keys.make("ed25519")
    reader = folder / "reader"
    readers = HostKeys(reader)
    reader.mkdir()
    (key,) = readers.make("ed25519")
    daemon = stack.enter_context(
        sshd(require("sshd"), folder, files, key.with_suffix(".pub").read_text().strip())
    )
    known = folder / "known_hosts"
    known.write_text(host_keys.known_hosts_line(daemon.port, "ed25519"))
    ssh = f"ssh -F none -i {key} -o UserKnownHostsFile={known} -o IdentitiesOnly=yes"
    stage.environment["GIT_SSH_COMMAND"] = ssh
    stage.environment["AUTHORIZED_KEYS"] = str(folder / f"authorized_keys.{daemon.port}")
    stage.words = {
        REMOTE: f"ssh://{login_name()}@{LOOPBACK}:{daemon.port}{repository.path}",
        "git.example.org": f"-p {daemon.port} {LOOPBACK}",
        DOCUMENTED_FINGERPRINT: host_keys.fingerprints["ed25519"],
        **stage.words,
    }


WORLDS: dict[str, World] = {
    "docs/tutorial.md": tutorial,
}
