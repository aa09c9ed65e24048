"""What a new zone repository holds beside its zones: hooks, a workflow, attributes; and how it becomes one.

`init` and `import` begin repositories. Nothing is ever written over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib.resources import files as package_files
from pathlib import Path

from oakroot.cli import CommandError
from oakroot.frozen import frozen
from oakroot.git.command import run_git
from oakroot.git.errors import GitError

WORKFLOWS = {
    "github": ("github/zones.yml", ".github/workflows/zones.yml"),
    "gitlab": ("gitlab/gitlab-ci.yml", ".gitlab-ci.yml"),
    "forgejo": ("forgejo/zones.yml", ".forgejo/workflows/zones.yml"),
}
_HOOKS = ("hooks/pre-commit", "hooks/pre-push", "server-hooks/pre-receive", "server-hooks/post-receive")
_SETTINGS = (
    ("core.hooksPath", "hooks"),
    ("merge.oakroot.name", "zones and keys, record by record"),
    ("merge.oakroot.driver", "oakroot merge %O %A %B %P --marker-size=%L"),
)
_ATTRIBUTES = "* merge=oakroot\n"
SECRET_MODE, _PROGRAM_MODE, FILE_MODE = 0o600, 0o755, 0o644


@frozen
class File:
    """A file to write, by its path in the repository."""

    path: str
    content: bytes
    mode: int = FILE_MODE


def common_files(workflows: Iterable[str]) -> Iterator[File]:
    """Everything but zones and keys; `workflows` are names of WORKFLOWS, others are left out."""
    yield File("README.md", template("README.md"))
    yield File(".gitattributes", _ATTRIBUTES.encode())
    for hook in _HOOKS:
        yield File(hook, template(hook), _PROGRAM_MODE)
    for workflow in workflows:
        if workflow in WORKFLOWS:
            source, target = WORKFLOWS[workflow]
            yield File(target, template(source))


def template(path: str) -> bytes:
    """The content of a file that comes with the package."""
    return package_files("oakroot").joinpath("templates", path).read_bytes()


def write_repository(folder: Path, files: Iterable[File]) -> list[str]:
    """Makes a folder a repository with these files, staged for the first commit; gives those it wrote.

    Raises CommandError where git will not, and OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [file.path for file in files if _write(folder, file)]
    try:
        if not (folder / ".git").exists():
            run_git(folder, ["init", "--quiet", "--initial-branch=main"])
        for name, value in _SETTINGS:
            run_git(folder, ["config", name, value])
        if written:
            run_git(folder, ["add", "--", *written])
    except GitError as error:
        raise CommandError(str(error)) from None
    return written


def _write(folder: Path, file: File) -> bool:
    """Writes a file that is not there; whether it did."""
    place = folder / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)
    return True
