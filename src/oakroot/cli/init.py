"""`oakroot init`: makes a zone repository: a zone, a key, hooks, a workflow, and the merge driver."""

from __future__ import annotations

import argparse
import ipaddress
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path

import dns.name

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.options import domain_name
from oakroot.git.command import run_git
from oakroot.git.errors import GitError
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Algorithm
from oakroot.keys.mint import mint_key
from oakroot.zones.filenames import file_name_of

_DESCRIPTION = """\
Makes DIR a git repository of zones, ready to be pushed and served: an example zone, a key that may
notify and update it, hooks that check each commit and show what a push will do, hooks for the git
server, a workflow for its CI, and the merge driver. In a repository that is there it adds what lacks;
no file is written over."""

_EPILOG = """\
exit code: 0 it is there, 1 it cannot be made, 2 wrong usage.

  oakroot init zones --zone example.org --address 192.0.2.53
  cd zones && git commit --message "Begin" && oakroot primary --remote . --listen 127.0.0.1:5353"""

_WORKFLOWS = {
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
_SECRET_MODE, _PROGRAM_MODE, _FILE_MODE = 0o600, 0o755, 0o644


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    content: str
    mode: int = _FILE_MODE


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "init",
        help="make a zone repository",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the folder; made if it is not there")
    parser.add_argument(
        "--zone",
        type=domain_name,
        default=dns.name.from_text("example.org"),
        metavar="NAME",
        help="the zone to begin with (default: example.org)",
    )
    parser.add_argument(
        "--address",
        type=ipaddress.IPv4Address,
        default=ipaddress.IPv4Address("192.0.2.53"),
        metavar="ADDRESS",
        help="the IPv4 address of its name server (default: an example)",
    )
    parser.add_argument(
        "--ci",
        action="append",
        choices=(*_WORKFLOWS, "none"),
        help="whose workflow to write, repeatable (default: github)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Writes what lacks, makes it known to git, and says what is next."""
    folder: Path = arguments.directory
    folder.mkdir(parents=True, exist_ok=True)
    written = [file.path for file in _files(arguments) if _write(folder, file)]
    try:
        if not (folder / ".git").exists():
            run_git(folder, ["init", "--quiet", "--initial-branch=main"])
        for name, value in _SETTINGS:
            run_git(folder, ["config", name, value])
        if written:
            run_git(folder, ["add", "--", *written])
    except GitError as error:
        raise CommandError(str(error)) from None
    for path in written:
        print(f"wrote {path}")
    place = shlex.quote(str(folder))
    print(f"next: cd {place}, look at the zone, `git commit`, and `oakroot primary --remote {place}`")
    return Exit.FINE


def _files(arguments: argparse.Namespace) -> Iterator[_File]:
    zone: dns.name.Name = arguments.zone
    if zone == dns.name.root:
        raise CommandError("the root zone is not begun this way", exit_code=Exit.USAGE)
    name = file_name_of(zone)
    key = mint_key(dns.name.from_text("operator._update", zone), Algorithm.SHA256, os.urandom)
    yield _File(name, _template("zone").replace("{address}", str(arguments.address)))
    yield _File(f"{name}._keys", f"{write_dnskey(key)}\n", _SECRET_MODE)
    yield _File("README.md", _template("README.md"))
    yield _File(".gitattributes", _ATTRIBUTES)
    for hook in _HOOKS:
        yield _File(hook, _template(hook), _PROGRAM_MODE)
    for workflow in arguments.ci or ["github"]:
        if workflow in _WORKFLOWS:
            source, target = _WORKFLOWS[workflow]
            yield _File(target, _template(source))


def _template(path: str) -> str:
    return package_files("oakroot").joinpath("templates", path).read_text(encoding="utf-8")


def _write(folder: Path, file: _File) -> bool:
    """Writes a file that is not there; whether it did."""
    place = folder / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(file.content)
    return True
