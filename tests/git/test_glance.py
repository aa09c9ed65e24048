"""What is seen of a repository on this machine without opening it, and when it has to be opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.glance import Glance
from oakroot.git.refs import Tip
from oakroot.git.remote import Branch
from tests.peers.git_servers import BareRepository, git

MAIN, OTHER = Branch("main"), Branch("other")
MAIN_REF = Ref(b"refs/heads/main")


@pytest.fixture
def repository(tmp_path: Path) -> BareRepository:
    made = BareRepository(tmp_path / "zones.git")
    made.commit({"example.org": b"zone"})
    made.commit({"example.org": b"another zone"})
    return made


def glance_at(path: Path) -> Glance:
    with Repo(str(path)) as repo:
        return Glance(path, repo)


def commit_at(path: Path, name: str) -> ObjectID:
    return ObjectID(git("rev-parse", name, cwd=path).strip().encode())


@pytest.mark.parametrize("branch", [None, MAIN])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_branch_is_seen_as_it_moves(
    repository: BareRepository, branch: Branch | None, *, is_packed: bool
) -> None:
    git("branch", "mainly", cwd=repository.path)
    glance = glance_at(repository.path)
    git("update-ref", "refs/heads/main", "main~1", cwd=repository.path)
    if is_packed:
        git("pack-refs", "--all", cwd=repository.path)
    assert glance.tip(branch) == Tip(MAIN_REF, commit_at(repository.path, "mainly~1"))


def test_the_branch_of_a_folder_that_somebody_works_in_is_seen(
    repository: BareRepository, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    git("clone", "--quiet", str(repository.path), str(work))
    glance = glance_at(work)
    git("switch", "--quiet", "--create", "other", cwd=work)
    assert glance.tip(None) == Tip(Ref(b"refs/heads/other"), commit_at(work, "main"))


@pytest.mark.parametrize(
    "command",
    [
        ("checkout", "--quiet", "--detach"),
        ("branch", "--quiet", "--move", "main", "away"),
        ("config", "core.sharedRepository", "group"),
        ("repack", "-a", "-d", "-q"),
        ("symbolic-ref", "refs/heads/main", "refs/heads/other"),
        ("config", "--file", ".git/objects/info/alternates", "x.y", "z"),
    ],
)
def test_what_a_glance_does_not_tell_is_left_to_an_opened_repository(
    repository: BareRepository, tmp_path: Path, command: tuple[str, ...]
) -> None:
    work = tmp_path / "work"
    git("clone", "--quiet", str(repository.path), str(work))
    git("branch", "other", cwd=work)
    glance = glance_at(work)
    assert glance.tip(MAIN) is not None
    git(*command, cwd=work)
    assert glance.tip(None if command[0] == "checkout" else MAIN) is None


def test_a_repository_in_the_place_of_another_is_opened(repository: BareRepository, tmp_path: Path) -> None:
    glance = glance_at(repository.path)
    another = BareRepository(tmp_path / "another.git")
    another.commit({"example.org": b"zone"})
    shutil.rmtree(repository.path)
    assert glance.tip(None) is None
    another.path.rename(repository.path)
    assert glance.tip(None) is None


def test_a_name_that_is_no_branch_leads_nowhere(repository: BareRepository) -> None:
    glance = glance_at(repository.path)
    (repository.path / "HEAD").write_bytes(b"ref: refs/heads/../heads/main\n")
    assert glance.tip(None) is None
    assert glance.tip(Branch("../heads/main")) is None
    assert glance.tip(OTHER) is None
