"""Makes a new repository with a first commit, on this machine. Only what demonstrations and tests need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from dulwich.objects import Blob, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.commits import Person, make_commit
from oakroot.git.refs import BRANCHES, HEAD
from oakroot.git.trees import FILE


def create_repository(
    directory: Path, files: Mapping[str, bytes], *, author: Person, message: str, now: int
) -> None:
    """Makes `directory` a bare repository whose branch `main` has one commit with these files in its root.

    Raises OSError where the folder cannot be made; it must not hold a repository yet.
    """
    branch = Ref(BRANCHES + b"main")
    with closing(Repo.init_bare(str(directory), mkdir=True)) as repo:
        tree = Tree()
        for name, content in files.items():
            blob = Blob.from_string(content)
            repo.object_store.add_object(blob)
            tree.add(name.encode(), FILE, blob.id)
        commit = make_commit(
            tree=tree.id, parent=None, author=author, committer=author, message=message, now=now
        )
        repo.object_store.add_object(tree)
        repo.object_store.add_object(commit)
        repo.refs[branch] = commit.id
        repo.refs.set_symbolic_ref(HEAD, branch)
