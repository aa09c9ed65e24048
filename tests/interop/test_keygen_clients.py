"""Keys as `keygen tsig --for` prints them, saved as they are: each client does with them what it is for.

BIND, Knot DNS and NSD are proved as secondaries (`secondaries`), certbot and lego in `test_acme_clients`.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.commands import Primary, oakroot
from tests.peers.git_servers import BareRepository

ZONE = "$TTL 1h\n@ SOA ns1 hostmaster 1 1d 2h 2w 1h\n  NS ns1\nns1 A 127.0.0.1\n"
FIRST, SECOND = "laptop._only-a._update.example.org", "laptop-2027._only-a._update.example.org"


@dataclass
class Place:
    """A primary, its repository, and a folder of somebody with keys."""

    repository: BareRepository
    primary: Primary
    folder: Path

    def key_for(self, client: str, name: str) -> tuple[Path, str]:
        """A new key as it is printed, in a file, and its line for the repository."""
        printed = oakroot("keygen", "tsig", name, "--for", client, "--server", self.primary.server).output
        file = self.folder / "oakroot.key"
        file.write_text(printed)
        (line,) = (line[2:] for line in printed.splitlines() if " DNSKEY " in line)
        return file, line

    def publish(self, *lines: str) -> None:
        """Makes these the keys of the zone, beside that which notifies."""
        keys = "".join(f"{line}\n" for line in (*lines, self.notifier))
        self.repository.commit({"example.org._keys": keys.encode()})
        (self.folder / "notifier").write_text(self.notifier)
        told = ("notify", self.primary.server, "example.org", "--key", f"@{self.folder / 'notifier'}")
        assert oakroot(*told).code == 0

    notifier: str = ""

    def run(self, command: str, *, script: str = "") -> str:
        """What a client says, in the folder where the key is."""
        done = subprocess.run(
            shlex.split(command),
            input=script,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("keys")
    repository = BareRepository(folder / "zones.git")
    notifier = oakroot("keygen", "tsig", "hook._notify.example.org").output
    repository.commit({"example.org": ZONE.encode(), "example.org._keys": notifier.encode()})
    with Primary(["--remote", repository.path], folder / "log") as primary:
        primary.said("zones served: 1")
        yield Place(repository, primary, folder, notifier.strip())


def command_in(file: Path) -> str:
    """What the snippet says to run."""
    (line,) = (line for line in file.read_text().splitlines() if line.startswith("# Save as "))
    return line.rpartition("; then ")[2]


def updated(place: Place, command: str, address: str) -> str:
    """Sets an address by a client like nsupdate, told as the snippet tells."""
    program, _, server = command.partition(", and there: ")
    script = f"{server}\nzone example.org\nupdate add host.example.org 60 A {address}\nsend\n"
    return place.run(program, script=script)


@pytest.mark.proves("clients", "dig", "signed questions are answered signed, and believed")
@pytest.mark.proves("clients", "kdig", "signed questions are answered signed, and believed")
@pytest.mark.parametrize("client", ["dig", "kdig"])
def test_a_key_signs_questions(client: str, place: Place, require: Callable[[str], str]) -> None:
    require(client)
    file, line = place.key_for(client, "reader._transfer.example.org")
    place.publish(line)
    said = place.run(command_in(file))
    assert "NOERROR" in said
    assert "TSIG" in said
    assert "verify" not in said.lower()
    assert "ns1.example.org. hostmaster.example.org." in said


@pytest.mark.proves("clients", "nsupdate", "updates, while one key replaces another")
@pytest.mark.proves("clients", "knsupdate", "updates, while one key replaces another")
@pytest.mark.parametrize("client", ["nsupdate", "knsupdate"])
def test_a_key_is_replaced_while_both_are_good(
    client: str, place: Place, require: Callable[[str], str]
) -> None:
    require(client)
    file, first = place.key_for(client, FIRST)
    command = command_in(file).replace("oakroot.key", "first.key")
    file.rename(place.folder / "first.key")
    place.publish(first)
    assert updated(place, command, "192.0.2.1") == ""

    file, second = place.key_for(client, SECOND)
    assert "BADKEY" in updated(place, command_in(file), "192.0.2.2")
    place.publish(first, second)
    assert updated(place, command, "192.0.2.3") == ""
    assert updated(place, command_in(file), "192.0.2.4") == ""

    place.publish(second)
    assert "BADKEY" in updated(place, command, "192.0.2.5")
    assert updated(place, command_in(file), "192.0.2.6") == ""
    served = place.repository.show("example.org")
    assert [number for number in range(1, 7) if f"192.0.2.{number}" in served] == [1, 3, 4, 6]
    remove = ("--key", f"@{file}", "--delete", "host.example.org A", "--zone", "example.org")
    assert oakroot("update", place.primary.server, *remove).code == 0
