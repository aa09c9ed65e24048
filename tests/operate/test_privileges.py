"""What is left of root's rights once they are given up: in every thread, and for ever."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import dns.message
import dns.query
import pytest

from oakroot.operate.privileges import PrivilegeError, find_account
from tests.peers.commands import COMMAND, Primary, oakroot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
NOBODY = pwd.getpwnam("nobody")


def test_an_account_is_a_user_and_a_group_by_name_or_number() -> None:
    assert find_account("nobody").user == NOBODY.pw_uid
    assert find_account("nobody").group == NOBODY.pw_gid
    assert find_account(f"{NOBODY.pw_uid}:12345").group == 12345
    assert find_account("nobody:daemon").group not in (0, NOBODY.pw_gid)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no-such-user", "there is no user no-such-user; make one: adduser"),
        ("nobody:no-such-group", "there is no group no-such-group"),
        ("root", "root is root"),
        ("nobody:root", "of its group"),
    ],
)
def test_accounts_that_are_of_no_use(text: str, complaint: str) -> None:
    with pytest.raises(PrivilegeError, match=complaint):
        find_account(text)


# Shows some folders to everybody though the one that they are below is root's alone, to this process only.
_OPENED = """
set -eu
closed=$1 kept=$2; shift 2
number=0
for folder in "$@"; do [ "$folder" != -- ] || break; number=$((number + 1))
    mkdir -p "$kept/$number"; mount --bind "$folder" "$kept/$number"; done
mount -t tmpfs -o mode=755 none "$closed"
number=0
while [ "$1" != -- ]; do number=$((number + 1)); mkdir -p "$1"; mount --bind "$kept/$number" "$1"; shift; done
shift
exec "$@"
"""


def command_for_everybody(project: Path, kept: Path) -> list[str | Path]:
    """The command, with Python and all of ours where a user without rights can read it."""
    needed = [Path(sys.base_prefix), project]
    closed = [
        folder for path in needed for folder in (path, *path.parents) if not folder.stat().st_mode & 0o001
    ]
    if not closed:
        return [*COMMAND]
    outer = closed[-1]
    below = [path for path in needed if path.is_relative_to(outer)]
    return ["unshare", "--mount", "sh", "-c", _OPENED, "sh", outer, kept, *below, "--", *COMMAND]


def statuses(process: int) -> list[str]:
    """What the kernel tells of each thread; one may end meanwhile, such as that which read the repository."""
    found = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append((thread / "status").read_text())
    return found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that others may enter; pytest lets nobody into its own, and closes them whenever it starts."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@needs_root
def test_every_thread_of_a_running_server_has_lost_all_rights(project_root: Path, open_folder: Path) -> None:
    cache = open_folder / "cache"
    command = command_for_everybody(project_root, open_folder / "kept")
    arguments: list[str | Path] = ["--user", "nobody", "--cache", cache]
    with Primary(arguments, open_folder / "log", command=command) as primary:
        primary.said("zones served")
        query = dns.message.make_query("example.org", "SOA")
        dns.query.udp(query, "127.0.0.1", 10, primary.port)
        threads = statuses(primary.process_id)
        assert len(threads) >= 3
        for status in threads:
            found = dict(re.findall(r"(\w+):\t(.*)", status))
            assert found["Uid"].split() == [str(NOBODY.pw_uid)] * 4, status
            assert found["Gid"].split() == [str(NOBODY.pw_gid)] * 4, status
            assert found["Groups"].split() == [], status
            assert found["NoNewPrivs"] == "1", status
            for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(found[kind], 16) == 0, (status, kind)
        assert cache.owner() == "nobody"
    assert "running as nobody" in primary.log


@needs_root
def test_a_folder_with_something_in_it_keeps_its_owner(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    full.mkdir()
    (full / "file").touch()
    program = (
        "import pathlib, sys; from oakroot.operate.privileges import *;"
        "become(find_account('nobody'), map(pathlib.Path, sys.argv[1:]))"
    )
    subprocess.run([sys.executable, "-c", program, empty, full], check=True)
    assert (empty.owner(), full.owner()) == ("nobody", "root")


@needs_root
def test_who_is_not_root_becomes_nobody_else() -> None:
    program = (
        "import os, sys; from oakroot.cli import main as command, primary;"
        "from oakroot.cli.main import main; os.setuid(65534);"
        "sys.exit(main(['primary', '--listen', '127.0.0.1:0', '--user', 'daemon']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "only root can become somebody else" in done.stderr


def test_an_unknown_user_is_a_usage_error() -> None:
    done = oakroot("primary", "--listen", "127.0.0.1:0", "--user", "no-such-user")
    assert done.code == 2
    assert "--user: there is no user no-such-user" in done.errors
