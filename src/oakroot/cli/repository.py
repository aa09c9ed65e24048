"""The repository that a command works on, and its versions as trees of zone files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oakroot.cli import CommandError, Exit
from oakroot.frozen import frozen
from oakroot.git.checkout import Checkout, Revision
from oakroot.git.errors import GitError, InvalidSetting
from oakroot.zones.tree import Tree


@frozen
class Version:
    """A state of the repository: a commit, or (revision is None) the files as they lie in the folder."""

    name: str
    tree: Tree
    paths: dict[str, str]
    """Every file by path, with the id of its content; of the folder's only those that git could know."""


@contextmanager
def opened(directory: Path) -> Iterator[Checkout]:
    """The repository at a folder; what goes wrong with it becomes a CommandError."""
    try:
        with Checkout(directory, os.environ) as checkout:
            yield checkout
    except InvalidSetting as error:
        raise CommandError(str(error), exit_code=Exit.USAGE) from None
    except GitError as error:
        raise CommandError(str(error)) from None


def version_of(checkout: Checkout, revision: Revision) -> Version:
    """A commit."""
    files = checkout.files(revision)
    tree = Tree(revision.commit, files, checkout.blob, left_out=files.left_out)
    return Version(revision.commit[:12], tree, checkout.paths(revision))


def work_version(checkout: Checkout) -> Version:
    """The files of the folder, committed or not."""
    files = checkout.work_files()

    def read(blob: str) -> bytes:
        content = files.content(blob)
        return checkout.blob(blob) if content is None else content

    paths = {path: files[path] for path in (*files, *files.tracked_below()) if path in files}
    return Version("the files here", Tree("", files, read, left_out=files.left_out), paths)


def nothing() -> Version:
    """Before the first commit."""
    contents: dict[str, bytes] = {}
    return Version("nothing", Tree("", {}, contents.__getitem__), {})


def changed_paths(before: Version, after: Version) -> frozenset[str]:
    """The files that differ."""
    paths = before.paths.keys() | after.paths.keys()
    return frozenset(path for path in paths if before.paths.get(path) != after.paths.get(path))
