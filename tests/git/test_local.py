"""A path as remote: no copy, but hooks, locks and git's own rules hold as if a server stood in between."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dulwich.objects import Blob

from oakroot.git.create import create_repository
from oakroot.git.credentials import Credentials
from oakroot.git.errors import (
    BranchMissing,
    PushRefused,
    RemoteUnreachable,
    RepositoryBroken,
    RepositoryMissing,
)
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.git.trees import BlobId
from tests.git.conftest import NOW, PRIMARY, Opener, Place, push
from tests.peers.git_servers import BareRepository, git, wait_until


@pytest.fixture
def local(make_place: Callable[[str], Place]) -> Place:
    place = make_place("path")
    place.repository.commit({"example.org": b"zone"})
    return place


@pytest.fixture
def working_folder(local: Place, tmp_path: Path) -> Place:
    """A clone that somebody works in, as the remote."""
    git("clone", "--quiet", str(local.repository.path), str(tmp_path / "work"))
    return dataclasses.replace(local, remote=parse_remote(str(tmp_path / "work")))


def test_a_repository_made_here_is_sound_and_served(tmp_path: Path) -> None:
    files = {"example.org": b"zone", "_keys": b"key"}
    create_repository(tmp_path / "new.git", files, author=PRIMARY, message="first", now=NOW)
    git("fsck", "--strict", cwd=tmp_path / "new.git")
    with RemoteRepository(parse_remote(str(tmp_path / "new.git")), Credentials()) as copy:
        head = copy.fetch()
        assert (head.branch, head.subject, head.time) == ("main", "first", NOW)
        assert {name: copy.blob(blob) for name, blob in copy.files(head).items()} == files


def test_nothing_is_copied(local: Place, tmp_path: Path) -> None:
    local.repository.commit({f"zone{number}": b"x" * 1000 for number in range(200)})
    with RemoteRepository(local.remote, Credentials(), directory=tmp_path / "copy") as copy:
        head = copy.fetch()
        assert copy.read(head, "zone7") == b"x" * 1000
        assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 10_000


def test_a_file_url_is_a_path(local: Place, open_copy: Opener) -> None:
    place = dataclasses.replace(local, remote=parse_remote(f"file://{local.repository.path}"))
    assert open_copy(place).fetch().subject == "change"


def test_a_relative_path_is_taken_from_where_we_are(
    local: Place, open_copy: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(local.repository.path.parent)
    copy = open_copy(dataclasses.replace(local, remote=parse_remote(local.repository.path.name)))
    head = copy.fetch()
    monkeypatch.chdir("/")
    assert copy.read(head, "example.org") == b"zone"


def test_the_first_push_to_an_empty_repository_is_read(
    make_place: Callable[[str], Place], open_copy: Opener
) -> None:
    place = make_place("path")
    copy = open_copy(place)
    with pytest.raises(BranchMissing):
        copy.fetch()
    # Objects in files of their own, as small pushes leave them: no pack shows that something is new.
    folder = place.repository.path
    tree = git("mktree", cwd=folder)
    who = ("-c", "user.name=Operator", "-c", "user.email=op@example.org")
    commit = git(*who, "commit-tree", tree, "-m", "first", cwd=folder)
    git("update-ref", "refs/heads/main", commit, cwd=folder)
    assert copy.fetch().commit == commit


def test_repacking_underneath_disturbs_nobody(local: Place, open_copy: Opener) -> None:
    copy = open_copy(local)
    first = copy.fetch()
    for number in range(3):
        head = push(copy, copy.fetch(), {"example.org": b"%d" % number})
        git("gc", "--quiet", "--prune=now", cwd=local.repository.path)
        assert copy.read(head, "example.org") == b"%d" % number
        assert copy.read(first, "example.org") == b"zone"


def test_single_objects_are_packed_now_and_then(
    local: Place, open_copy: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oakroot.git.local.PUSHES_BETWEEN_PACKINGS", 2)
    git("config", "gc.auto", "1", cwd=local.repository.path)
    git("config", "gc.autoDetach", "false", cwd=local.repository.path)
    # git takes this folder for the measure of all.
    some = (b"%d" % number for number in range(10_000))
    measure = [content for content in some if Blob.from_string(content).id.startswith(b"17")][:3]
    for content in measure:
        git("hash-object", "-w", "--stdin", cwd=local.repository.path, stdin=content)
    copy = open_copy(local)
    head = copy.fetch()
    for number in range(3):
        head = push(copy, head, {"example.org": f"zone {number}".encode()})
    packs = local.repository.path / "objects" / "pack"
    wait_until("a pack", lambda: any(packs.glob("*.pack")))
    assert copy.read(head, "example.org") == b"zone 2"


def test_packed_refs_are_compared_too(local: Place, open_copy: Opener) -> None:
    git("pack-refs", "--all", cwd=local.repository.path)
    copy = open_copy(local)
    made = push(copy, copy.fetch(), {"example.org": b"new"})
    assert local.repository.tip() == made.commit


def test_a_working_folder_is_read(working_folder: Place, open_copy: Opener) -> None:
    copy = open_copy(working_folder)
    assert copy.read(copy.fetch(), "example.org") == b"zone"


def test_a_branch_that_is_checked_out_is_not_pushed_to(working_folder: Place, open_copy: Opener) -> None:
    """Else the working folder would seem to undo our commit, and the next commit there really would."""
    copy = open_copy(working_folder)
    head = copy.fetch()
    with pytest.raises(PushRefused, match="bare repository") as caught:
        push(copy, head, {"example.org": b"new"})
    assert "checked out" in caught.value.reason
    assert not copy.fetch().moved


def test_a_checked_out_branch_is_pushed_to_where_git_is_told_so(
    working_folder: Place, open_copy: Opener
) -> None:
    folder = Path(working_folder.remote.path)
    git("config", "receive.denyCurrentBranch", "ignore", cwd=folder)
    copy = open_copy(working_folder)
    made = push(copy, copy.fetch(), {"example.org": b"new"})
    assert git("rev-parse", "main", cwd=folder) == made.commit


def test_another_branch_of_a_working_folder_is_pushed_to(working_folder: Place, open_copy: Opener) -> None:
    folder = Path(working_folder.remote.path)
    git("branch", "served", cwd=folder)
    place = dataclasses.replace(working_folder, remote=parse_remote(f"{folder}#served"))
    copy = open_copy(place)
    made = push(copy, copy.fetch(), {"example.org": b"new"})
    assert git("rev-parse", "served", cwd=folder) == made.commit


def test_a_lock_of_somebody_else_is_respected(local: Place, open_copy: Opener) -> None:
    copy = open_copy(local)
    head = copy.fetch()
    lock = local.repository.path / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(RemoteUnreachable, match="locked"):
        push(copy, head, {"example.org": b"new"})
    lock.unlink()
    push(copy, head, {"example.org": b"new"})


def test_hooks_get_what_git_gives_them(local: Place, open_copy: Opener, tmp_path: Path) -> None:
    for name in ("pre-receive", "update", "post-receive", "post-update"):
        local.repository.hook(name, f'echo "$(cat) | $* | $GIT_DIR" > {tmp_path}/{name}')
    with RemoteRepository(local.remote, Credentials()) as copy:
        head = copy.fetch()
        made = push(copy, head, {"example.org": b"new"})
    said = {file.name: file.read_text().strip() for file in tmp_path.iterdir() if file.is_file()}
    line, folder = f"{head.commit} {made.commit} refs/heads/main", local.repository.path
    assert said == {
        "pre-receive": f"{line} |  | {folder}",
        "update": f"| refs/heads/main {head.commit} {made.commit} | {folder}",
        "post-receive": f"{line} |  | {folder}",
        "post-update": f"| refs/heads/main | {folder}",
    }


def test_hooks_elsewhere_are_found(local: Place, open_copy: Opener, tmp_path: Path) -> None:
    local.repository.hook("update", "echo frozen; exit 1")
    (local.repository.path / "hooks").rename(tmp_path / "hooks")
    git("config", "core.hooksPath", str(tmp_path / "hooks"), cwd=local.repository.path)
    copy = open_copy(local)
    head = copy.fetch()
    with pytest.raises(PushRefused, match="frozen"):
        push(copy, head, {"example.org": b"new"})


def test_a_hook_that_cannot_be_run_refuses(local: Place, open_copy: Opener) -> None:
    local.repository.hook("update", "")
    (local.repository.path / "hooks/update").write_text("#!/not/there\n")
    copy = open_copy(local)
    head = copy.fetch()
    with pytest.raises(PushRefused, match="cannot be run"):
        push(copy, head, {"example.org": b"new"})


def test_a_failing_post_receive_hook_is_only_logged(local: Place, caplog: pytest.LogCaptureFixture) -> None:
    local.repository.hook("post-receive", "echo mirror is down; exit 3")
    with RemoteRepository(local.remote, Credentials()) as copy:
        made = push(copy, copy.fetch(), {"example.org": b"new"})
    assert local.repository.tip() == made.commit
    assert "mirror is down" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_strangers_hooks_are_not_run(local: Place, open_copy: Opener, tmp_path: Path) -> None:
    local.repository.hook("pre-receive", f"touch {tmp_path}/ran")
    os.chown(local.repository.path, 65534, 65534)
    copy = open_copy(local)
    head = copy.fetch()
    with pytest.raises(PushRefused, match="another user"):
        push(copy, head, {"example.org": b"new"})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["not-there", "empty", "file"])
def test_what_is_no_repository_is_reported(
    open_copy: Opener, tmp_path: Path, local: Place, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    place = dataclasses.replace(local, remote=parse_remote(str(tmp_path / name)))
    with pytest.raises((RepositoryMissing, RemoteUnreachable), match=name):
        open_copy(place).fetch()


def test_a_path_that_goes_away_comes_back(local: Place, open_copy: Opener) -> None:
    copy = open_copy(local)
    head = copy.fetch()
    away = local.repository.path.with_suffix(".away")
    local.repository.path.rename(away)
    with pytest.raises(RepositoryMissing):
        copy.fetch()
    away.rename(local.repository.path)
    assert copy.fetch().commit == head.commit


def test_objects_that_a_repository_begins_to_borrow_are_read(
    local: Place, open_copy: Opener, tmp_path: Path
) -> None:
    copy = open_copy(local)
    copy.fetch()
    with pytest.raises(RepositoryBroken, match="missing"):  # so it has looked everywhere
        copy.blob(BlobId("f" * 40))
    shutil.copytree(local.repository.path, tmp_path / "lender.git")
    commit = BareRepository(tmp_path / "lender.git").commit({"example.org": b"newer"})
    objects = local.repository.path / "objects"
    (objects / "info" / "alternates").write_text(f"{tmp_path}/lender.git/objects\n")
    git("update-ref", "refs/heads/main", commit, cwd=local.repository.path)
    assert copy.read(copy.fetch(), "example.org") == b"newer"


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("branch", ["", "#main"])
def test_an_empty_file_in_place_of_a_ref_is_named(
    local: Place, open_copy: Opener, branch: str, *, is_packed: bool
) -> None:
    if is_packed:
        git("pack-refs", "--all", cwd=local.repository.path)
    (local.repository.path / "refs" / "heads" / "main").write_bytes(b"")
    place = dataclasses.replace(local, remote=parse_remote(f"{local.repository.path}{branch}"))
    with pytest.raises(RepositoryBroken, match="the file of the ref refs/heads/main is empty"):
        open_copy(place).fetch()


def test_an_empty_file_in_place_of_another_ref_is_in_nobodys_way(
    working_folder: Place, open_copy: Opener
) -> None:
    path = Path(working_folder.remote.path)
    git("checkout", "--quiet", "--detach", cwd=path)
    (path / ".git" / "refs" / "heads" / "other").write_bytes(b"")
    copy = open_copy(dataclasses.replace(working_folder, remote=parse_remote(f"{path}#main")))
    push(copy, copy.fetch(), {"example.org": b"new"})
    assert copy.read(copy.fetch(), "example.org") == b"new"
