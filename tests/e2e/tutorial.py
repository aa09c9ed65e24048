"""The tutorial's hosts, keys and programs, for those who play it through and for those who disturb it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.commands import COMMAND
from tests.peers.git_servers import git, wait_until
from tests.peers.namespaces import SWITCH, Host, Program

ZONE = """\
$ORIGIN mirage.
$TTL 3600
@\tSOA\tns1\thostmaster\t{serial}\t86400\t7200\t1048576\t3600
@\tNS\tns1
@\tNS\tns2
ns1     A       10.0.42.2
ns2\tA\t10.0.42.3
"""
UPDATE = "personal._update.mirage"
UPDATE_SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
TRANSFER = "10.0.42.2.10.0.42.3._transfer.mirage"
TRANSFER_SECRET = "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="
KEYS = f"{UPDATE}. DNSKEY 0 3 163 {UPDATE_SECRET}\n{TRANSFER}. DNSKEY 0 3 163 {TRANSFER_SECRET}\n"


@dataclass
class Tutorial:
    """The hosts, and the operator's clone, which is on the host system."""

    switch: Host
    primary: Host
    secondary: Host
    folder: Path

    def push(self, files: dict[str, str]) -> None:
        """Edits files, commits and pushes them."""
        clone = self.folder / "git-repo"
        for name, text in files.items():
            (clone / name).write_text(text)
        who = ["-c", "user.name=Operator", "-c", "user.email=op@example.org"]
        git("add", ".", cwd=clone)
        git(*who, "commit", "--quiet", "--message", "updates", cwd=clone)
        git("push", "--quiet", "origin", "HEAD:main", cwd=clone)

    def start_primary(self) -> Program:
        """As the tutorial does; its gateway leads to the git server."""
        words = [*COMMAND, "primary", f"--remote=git://{SWITCH}/zones.git", "--workers=1"]
        return self.primary.start(self.folder / "primary.log", *words)

    def start_secondary(self, *options: str) -> Program:
        """As the tutorial does, unless there are other options."""
        key = options or [f"--key={TRANSFER}:SHA256:{TRANSFER_SECRET}"]
        words = [*COMMAND, "secondary", *key, "--workers=1", "--log-level=debug"]
        return self.secondary.start(self.folder / "secondary.log", *words)

    def notify(self) -> str:
        """`onotify 10.0.42.2 mirage --key=…`, which ends once the primary serves what was pushed."""
        words = ["notify", "10.0.42.2", "mirage", f"--key={UPDATE}:SHA256:{UPDATE_SECRET}"]
        return self.switch.run(*COMMAND, *words)

    def ask(self, server: Host, name: str, kind: str = "A") -> str:
        """The answer section, or the status of a reply without."""
        said = self.switch.dig(kind, name, f"@{server.address}", "+noall", "+answer", "+comments")
        records = sorted(line for line in said.splitlines() if line and not line.startswith(";"))
        return "\n".join(records) or said.partition("status: ")[2].partition(",")[0]

    def serves(self, serial: int) -> str:
        """Pushes the zone with this serial and a record of its own, which it names, and tells the primary."""
        name = f"v{serial}.mirage"
        self.push({"mirage": ZONE.format(serial=serial) + f"v{serial} A 192.0.2.{serial % 250}\n"})
        self.notify()
        return name

    def until(self, server: Host, name: str, wanted: str, kind: str = "A") -> None:
        """Returns once the answer has this."""
        logs = [self.folder / f"{role}.log" for role in ("primary", "secondary")]
        what = f"{wanted} for {name} at {server.address}; see {logs}"
        wait_until(what, lambda: wanted in self.ask(server, name, kind))


@contextmanager
def prepared(switch: Host, primary: Host, secondary: Host, folder: Path) -> Iterator[Tutorial]:
    """Everything up to the start of the servers."""
    git("init", "--quiet", "--bare", "--initial-branch=main", str(folder / "zones.git"))
    git("clone", "--quiet", str(folder / "zones.git"), str(folder / "git-repo"))
    daemon = ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack"]
    words = [*daemon, f"--listen={SWITCH}", f"--base-path={folder}", "--verbose"]
    switch.start(folder / "git.log", *words).said("Ready to rumble")
    made = Tutorial(switch, primary, secondary, folder)
    made.push({"mirage": ZONE.format(serial=2), "mirage._keys": KEYS})
    yield made
