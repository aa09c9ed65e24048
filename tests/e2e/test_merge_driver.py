"""The merge driver as git calls it: merges, rebases and pulls of an operator beside a machine that pushes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakroot._engine import read_zone
from tests.peers.git_servers import NOBODYS_CONFIG, BareRepository, git

ZONE = """\
$TTL 1h
@       SOA   ns1 hostmaster 7 1d 2h 2w 1h
        NS    ns1
ns1     A     192.0.2.53
www     A     192.0.2.80
"""
ATTRIBUTES = b"* merge=oakroot\n"
DRIVER = f"{shlex.quote(sys.executable)} -m oakroot.cli.main merge %O %A %B %P --marker-size=%L"


def changed(serial: int, *lines: str, text: str = ZONE) -> bytes:
    return (
        text.replace("hostmaster 7", f"hostmaster {serial}") + "".join(f"{each}\n" for each in lines)
    ).encode()


@dataclass
class Operator:
    """Somebody's clone, with the driver installed."""

    remote: BareRepository
    folder: Path

    def git(self, *words: str) -> str:
        """Runs git in the clone; fails where it does."""
        return git("-c", "user.name=Operator", "-c", "user.email=op@example.org", *words, cwd=self.folder)

    def fails(self, *words: str) -> str:
        """Runs git, which must end with 1; gives all that it said."""
        done = subprocess.run(
            ["git", "-c", "user.name=Operator", "-c", "user.email=op@example.org", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, **NOBODYS_CONFIG},
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done.stdout + done.stderr

    def commit(self, files: dict[str, bytes]) -> None:
        """A commit in the clone."""
        for path, content in files.items():
            (self.folder / path).parent.mkdir(exist_ok=True)
            (self.folder / path).write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=change")

    def text(self, path: str = "example.org") -> str:
        """A file in the clone."""
        return (self.folder / path).read_text()

    def serial(self) -> int:
        """Of the zone in the clone, which must be a good one."""
        zone, findings = read_zone(self.text().encode(), "example.org.", "example.org")
        assert zone is not None, findings
        return zone.serial


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"example.org": ZONE.encode(), ".gitattributes": ATTRIBUTES})
    git("clone", "--quiet", str(remote.path), str(tmp_path / "clone"))
    operator = Operator(remote, tmp_path / "clone")
    operator.git("config", "merge.oakroot.driver", DRIVER)
    return operator


MACHINE = ["host0 60 A 192.0.2.0"]
MINE = ["; mail", "mail    A     192.0.2.25"]


@pytest.mark.parametrize(
    ("how", "lines"), [("--no-rebase", [*MINE, *MACHINE]), ("--rebase", [*MACHINE, *MINE])]
)
def test_a_pull_between_an_operator_and_a_machine(how: str, lines: list[str], operator: Operator) -> None:
    operator.remote.commit({"example.org": changed(9, *MACHINE)})
    operator.commit({"example.org": changed(8, *MINE)})
    operator.git("pull", "--quiet", "--no-edit", how)
    assert operator.text() == changed(10, *lines).decode()
    operator.git("push", "--quiet")
    assert operator.remote.show("example.org") == operator.text().rstrip()


def test_branches_are_merged(operator: Operator) -> None:
    operator.git("switch", "--quiet", "--create", "feature")
    operator.commit({"example.org": changed(8, "feature A 192.0.2.1"), "README": b"about\n"})
    operator.git("switch", "--quiet", "main")
    operator.commit({"example.org": changed(8, "fix A 192.0.2.2")})
    operator.git("merge", "--quiet", "--no-edit", "feature")
    assert operator.serial() == 9
    assert {"feature A 192.0.2.1", "fix A 192.0.2.2"} <= set(operator.text().splitlines())


def test_many_commits_are_rebased_one_after_the_other(operator: Operator) -> None:
    for number in range(4):
        lines = [f"mine{each} A 192.0.2.{each}" for each in range(number + 1)]
        operator.commit({"example.org": changed(8 + number, *lines)})
    operator.remote.commit({"example.org": changed(20, "theirs A 192.0.2.99")})
    operator.git("pull", "--quiet", "--rebase")
    assert operator.serial() == 24
    assert operator.text().count("mine") == 4
    assert operator.git("log", "--oneline").count("\n") == 5
    assert operator.git("status", "--short") == ""


def test_a_conflict_is_shown_and_can_be_resolved(operator: Operator) -> None:
    theirs = ZONE.replace("192.0.2.80", "192.0.2.82")
    ours = ZONE.replace("192.0.2.80", "192.0.2.81")
    operator.remote.commit({"example.org": changed(8, "new A 192.0.2.1", text=theirs)})
    operator.commit({"example.org": changed(8, text=ours)})
    said = operator.fails("pull", "--no-rebase")
    assert (
        "example.org: both sides changed www.example.org. A: ours 3600 192.0.2.81, theirs 3600 192.0.2.82"
        in said
    )
    assert "CONFLICT (content): Merge conflict in example.org" in said
    marked = "<<<<<<< ours\nwww     A     192.0.2.81\n=======\nwww     A     192.0.2.82\n>>>>>>> theirs\n"
    assert marked in operator.text()
    assert "new A 192.0.2.1\n" in operator.text()
    resolved = operator.text().replace(marked, "www     A     192.0.2.82\n")
    operator.commit({"example.org": resolved.encode()})
    operator.git("push", "--quiet")
    assert operator.serial() == 9


def test_the_style_of_conflicts_is_the_users(operator: Operator) -> None:
    operator.git("config", "merge.conflictStyle", "diff3")
    operator.remote.commit({"example.org": changed(8, text=ZONE.replace("192.0.2.80", "192.0.2.82"))})
    operator.commit({"example.org": changed(8, text=ZONE.replace("192.0.2.80", "192.0.2.81"))})
    operator.fails("pull", "--no-rebase")
    assert "||||||| base\nwww     A     192.0.2.80\n=======" in operator.text()


def test_key_files_are_merged_and_no_secret_is_told(operator: Operator) -> None:
    key = "{}._update.example.org. DNSKEY 0 3 163 {}JJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
    operator.remote.commit({"_keys": (key.format("a", "A") + key.format("b", "B")).encode()})
    operator.commit({"_keys": (key.format("a", "A") + key.format("c", "C")).encode()})
    operator.git("pull", "--quiet", "--no-rebase", "--no-edit")
    assert operator.text("_keys") == key.format("a", "A") + key.format("c", "C") + key.format("b", "B")
    operator.git("push", "--quiet")
    operator.remote.commit({"_keys": key.format("a", "X").encode()})
    operator.commit({"_keys": key.format("a", "Y").encode()})
    said = operator.fails("pull", "--no-rebase")
    assert "_keys: both sides changed a._update.example.org. DNSKEY\n" in said
    assert "JJqipaQ" not in said


def test_odd_file_names_and_binary_files(operator: Operator) -> None:
    reverse = "0\\04725.2.0.192.in-addr.arpa"
    soa = "$TTL 1h\n@ SOA ns.example.org. h.example.org. 7 1d 2h 2w 1h\n@ NS ns.example.org.\n"
    operator.commit({reverse: soa.encode(), "logo it's.png": b"\0\1\2\n"})
    operator.git("push", "--quiet")
    operator.remote.commit({reverse: (soa + "1 PTR a.example.org.\n").encode()})
    operator.remote.commit({"logo it's.png": b"\0\1\3\n"})
    operator.commit({reverse: (soa + "2 PTR b.example.org.\n").encode(), "logo it's.png": b"\0\1\4\n"})
    said = operator.fails("pull", "--no-rebase")
    assert "Cannot merge binary files" in said
    assert {"1 PTR a.example.org.", "2 PTR b.example.org."} <= set(operator.text(reverse).splitlines())
    assert operator.git("status", "--short").splitlines() == [
        f'M  "{reverse.replace(chr(92), chr(92) * 2)}"',
        'UU "logo it\'s.png"',
    ]


def test_a_part_is_merged_as_its_zone_reads_it(operator: Operator) -> None:
    zone = changed(7, text=f"{ZONE}$INCLUDE parts/web web\n")
    operator.commit({"example.org": zone, "parts/web": b"a A 192.0.2.1\n"})
    operator.git("checkout", "--quiet", "-b", "theirs")
    operator.commit({"parts/web": b"a.web.example.org. 1h A 192.0.2.2\n"})
    operator.git("checkout", "--quiet", "main")
    operator.commit({"parts/web": b"a A 192.0.2.3\n"})
    told = operator.fails("merge", "--quiet", "theirs")
    assert "parts/web: both sides changed a.web.example.org. A" in told
