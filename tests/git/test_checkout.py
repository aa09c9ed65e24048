"""A repository as the person at its keyboard has it: revisions, and files with the ids git gives them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from oakroot.git.checkout import Checkout, RevisionUnknown
from oakroot.git.errors import InvalidSetting


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Operator", "-c", "user.email=operator@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    zones = tmp_path / "zones"
    (zones / "parts").mkdir(parents=True)
    git(zones, "init", "--quiet", "--initial-branch=main")
    (zones / "mirage").write_text("first\n")
    (zones / "parts" / "web").write_text("included\n")
    git(zones, "add", ".")
    git(zones, "commit", "--quiet", "--message=Begin\n\nFor a reason.")
    (zones / "mirage").write_text("second\n")
    git(zones, "commit", "--quiet", "--all", "--message=Go on")
    return zones


@pytest.mark.parametrize("name", ["main", "HEAD", "HEAD~1", "main^"])
def test_revisions_are_named_as_in_git(folder: Path, name: str) -> None:
    with Checkout(folder) as checkout:
        assert checkout.revision(name).commit == git(folder, "rev-parse", name)


def test_an_abbreviated_commit_and_a_tag_are_revisions(folder: Path) -> None:
    git(folder, "tag", "--annotate", "--message=Release", "v1")
    head = git(folder, "rev-parse", "HEAD")
    with Checkout(folder) as checkout:
        assert checkout.revision(head[:8]).commit == head
        assert checkout.revision("v1").commit == head


@pytest.mark.parametrize("name", ["nowhere", "", "HEAD~9", "HEAD:mirage", "\udcff", "-x"])
def test_what_is_no_commit_is_refused(folder: Path, name: str) -> None:
    with Checkout(folder) as checkout, pytest.raises(RevisionUnknown):
        checkout.revision(name)


def test_a_revision_knows_who_and_why(folder: Path) -> None:
    with Checkout(folder) as checkout:
        first = checkout.revision("HEAD~1")
    assert first.subject == "Begin"
    assert first.author == "Operator <operator@example.org>"
    assert first.message == "Begin\n\nFor a reason.\n"


def test_a_folder_below_the_repository_will_do(folder: Path) -> None:
    with Checkout(folder / "parts") as checkout:
        assert checkout.folder == folder


def test_a_folder_in_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="no git repository"):
        Checkout(tmp_path)


def test_unchanged_files_have_the_ids_of_the_commit(folder: Path) -> None:
    with Checkout(folder) as checkout:
        head = checkout.revision("HEAD")
        work = checkout.work_files()
        assert {path: work[path] for path in ("mirage", "parts/web")} == checkout.paths(head)


def test_a_changed_file_has_the_id_git_would_give_it(folder: Path) -> None:
    (folder / "mirage").write_text("third\n")
    with Checkout(folder) as checkout:
        work = checkout.work_files()
        assert work["mirage"] == git(folder, "hash-object", "mirage")
        assert work.content(work["mirage"]) == b"third\n"


def test_a_change_in_the_instant_of_the_index_is_seen(folder: Path) -> None:
    """Same size, same time: only the index's own time tells that its entry cannot be relied on."""
    index = (folder / ".git" / "index").stat().st_mtime_ns
    (folder / "mirage").write_text("SECOND\n")
    os.utime(folder / "mirage", ns=(index, index))
    with Checkout(folder) as checkout:
        assert checkout.work_files()["mirage"] == git(folder, "hash-object", "mirage")


def test_files_outside_the_folder_and_links_are_not_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    with Checkout(folder) as checkout:
        work = checkout.work_files()
        assert list(work) == ["mirage"]
        assert "link" in work.left_out
        for path in ("link", "../secret", "parts", "missing", "a\0b"):
            assert path not in work


def test_changed_names_the_files_that_differ(folder: Path) -> None:
    with Checkout(folder) as checkout:
        assert checkout.changed(checkout.revision("HEAD~1"), checkout.revision("HEAD")) == {"mirage"}
        assert checkout.changed(None, checkout.revision("HEAD~1")) == {"mirage", "parts/web"}


def test_the_upstream_is_the_branch_a_push_would_move(folder: Path, tmp_path: Path) -> None:
    with Checkout(folder) as checkout:
        assert checkout.upstream() is None
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "remote.git")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "fetch", "--quiet", "origin")
    with Checkout(folder) as checkout:
        assert checkout.upstream() == "origin/main"


def test_objects_that_a_push_has_not_brought_in_yet_are_read_in_a_hook(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "remote.git")
    remote = tmp_path / "remote.git"
    hook = remote / "hooks" / "pre-receive"
    # Declining throws the objects away, but for this copy of them.
    hook.write_text('#!/bin/sh\ncp -r "$GIT_QUARANTINE_PATH" kept\nexit 1\n')
    hook.chmod(0o755)
    (folder / "mirage").write_text("third\n")
    git(folder, "commit", "--quiet", "--all", "--message=Push me")
    new = git(folder, "rev-parse", "HEAD")
    with pytest.raises(subprocess.CalledProcessError):
        git(folder, "push", "--quiet", str(remote), "main")
    with Checkout(remote) as checkout, pytest.raises(RevisionUnknown):
        checkout.revision(new)
    with Checkout(remote, {"GIT_QUARANTINE_PATH": str(remote / "kept")}) as checkout:
        assert checkout.revision(new).subject == "Push me"
    assert not (remote / "objects" / "info" / "alternates").exists()
