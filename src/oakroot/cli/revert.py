"""`oakroot revert`: undoes a change, or brings a zone back, on top of what came later."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dns.name

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.history import ZoneHistory, add_repository_option, revision_at, start_of
from oakroot.cli.notify import notify
from oakroot.cli.options import add_key_option, add_timeout_option, domain_name, key_option, server
from oakroot.cli.plan_views import Paint, record_lines
from oakroot.cli.repository import changed_paths, nothing, opened, version_of, work_version
from oakroot.client.server import ServerError
from oakroot.git.checkout import Checkout, Revision
from oakroot.git.command import run_git
from oakroot.git.errors import GitError, InvalidSetting
from oakroot.keys.grant import Operation, read_grant
from oakroot.keys.key import Key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.operate.terminal import Style, painter
from oakroot.zones.filenames import ZoneFile, classify, zone_file_of
from oakroot.zones.restoring import Change, NotRestorable, Restored, restore
from oakroot.zones.reversal import SerialRule
from oakroot.zones.serials import SERIAL_POLICIES
from oakroot.zones.tree import Tree

_DESCRIPTION = """\
Undoes what a commit did to zones and keys, on top of everything that came later: records that were
added since stay, comments and layout too, and each zone gets a new serial. With --to, one zone is
brought back to what it was at a moment. The result is a commit of yours, as by `git commit`."""

_EPILOG = """\
exit code: 0 it is undone; 1 it cannot be (a later change builds on it; nothing is written), or the push or
the NOTIFY failed (the commit is made then, and stays); 2 wrong usage.

Undo a commit, push, and have the primary serve it:
  oakroot revert 1a2b3c4 --push --notify ns1.example.org --key @laptop.key
Bring a zone back to what it was two hours ago:
  oakroot revert --zone example.org --to 2h"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "revert",
        help="undo a change on top of later ones",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("revision", nargs="?", metavar="REV", help="the commit to undo")
    parser.add_argument("--zone", type=domain_name, metavar="ZONE", help="undo only what is about this zone")
    parser.add_argument(
        "--to", metavar="WHEN", help="bring --zone back to an age, a date, a revision or a serial"
    )
    parser.add_argument("--no-commit", action="store_true", help="only write the files")
    parser.add_argument("--push", action="store_true", help="push the commit")
    parser.add_argument(
        "--notify", type=server, metavar="SERVER[:PORT]", help="then have this primary pull (with --push)"
    )
    add_key_option(parser, "for --notify, a key that may notify")
    add_timeout_option(parser, 60, "for --notify, how long to wait")
    parser.add_argument(
        "--serial",
        choices=SERIAL_POLICIES[:-1],
        default="increment",
        help="how the new serials are made (default: %(default)s)",
    )
    add_repository_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Writes, commits, pushes and notifies, as far as was asked; nothing where a part cannot be undone."""
    _refuse_odd_combinations(arguments)
    key = None if arguments.key is None else key_option(arguments.key)
    with opened(arguments.repository) as checkout:
        folder = checkout.folder
        if folder is None:
            raise InvalidSetting("a bare repository has no files to write; clone it, and revert there")
        head = start_of(checkout)
        change, title = _change(checkout, head, arguments)
        try:
            restored = restore(change, SerialRule(arguments.serial, time.time()))
        except NotRestorable as error:
            raise CommandError(error.message, hint=error.hint) from None
        if not restored.contents:
            raise _nothing_to_undo(change, restored, arguments)
        _refuse_unsaved(checkout, head, restored)
        _write(folder, restored)
        for line in _report(restored, painter(sys.stdout, os.environ)):
            print(line)
        if not arguments.no_commit:
            _commit(folder, restored, title)
        if arguments.push:
            _push(folder)
    if arguments.notify is not None:
        zone = _zone_to_tell_of(change, restored, key)
        print(_told(arguments, zone, key))
    return Exit.FINE


def _refuse_odd_combinations(arguments: argparse.Namespace) -> None:
    problem = None
    if (arguments.revision is None) == (arguments.to is None):
        problem = "give either the commit to undo, or --zone and --to"
    elif arguments.to is not None and arguments.zone is None:
        problem = "--to goes with --zone"
    elif arguments.push and arguments.no_commit:
        problem = "what is not committed cannot be pushed"
    elif arguments.notify is not None and not arguments.push:
        problem = "--notify goes with --push: the primary pulls what was pushed"
    if problem is not None:
        raise CommandError(problem, exit_code=Exit.USAGE)


def _change(checkout: Checkout, head: Revision, arguments: argparse.Namespace) -> tuple[Change, str]:
    """What is to be undone, and the subject of the commit that does it."""
    now = version_of(checkout, head)
    if arguments.to is not None:
        zone = ZoneHistory(checkout, arguments.zone, head)
        then = revision_at(zone, checkout, arguments.to)
        before, after = version_of(checkout, then), now
        title = f"{arguments.zone.to_text(omit_final_dot=True)}: go back to {then.commit[:12]}"
    else:
        revision = checkout.revision(arguments.revision)
        parents = checkout.parents(revision)
        if revision.parents and not parents:
            message = f"what {revision.commit[:12]} changed is not known here: the clone is shallow"
            raise CommandError(message, hint="`git fetch --unshallow` brings the rest of history")
        before = version_of(checkout, parents[0]) if parents else nothing()
        after = version_of(checkout, revision)
        title = f'Revert "{revision.subject}"\n\nThis undoes commit {revision.commit}.'
    apex = None if arguments.zone is None else arguments.zone.canonicalize().to_text()
    changed = changed_paths(before, after)
    return Change(now.tree, before.tree, after.tree, changed, apex), title


def _refuse_unsaved(checkout: Checkout, head: Revision, restored: Restored) -> None:
    """What is written over must be in git."""
    committed, here = version_of(checkout, head), work_version(checkout)
    for path in restored.contents:
        if committed.paths.get(path) != here.paths.get(path):
            raise CommandError(
                f"{path} has changes that are not committed", hint="commit them, or `git stash` them"
            )


def _write(folder: Path, restored: Restored) -> None:
    for path, content in restored.contents.items():
        place = folder / path
        if content is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _commit(folder: Path, restored: Restored, title: str) -> None:
    subject, _, rest = title.partition("\n\n")
    words = "\n".join(restored.words())
    message = "\n\n".join(part for part in (subject, rest, words) if part)
    paths = list(restored.contents)
    try:
        run_git(folder, ["add", "--", *paths])
        run_git(folder, ["commit", "--quiet", "--message", message, "--", *paths])
    except GitError as error:
        hint = (
            "the files are written: mend that and `git commit`, or `git checkout HEAD -- .` to have them back"
        )
        raise CommandError(str(error), hint=hint) from None


def _push(folder: Path) -> None:
    try:
        run_git(folder, ["push", "--quiet"])
    except GitError as error:
        hint = (
            "the commit is made: go on with `git pull --rebase`, `git push` and `oakroot notify`; "
            "to revert again might undo it"
        )
        raise CommandError(str(error), hint=hint) from None


def _told(arguments: argparse.Namespace, zone: dns.name.Name, key: Key | None) -> str:
    try:
        return notify(arguments.notify, zone, key, arguments.timeout)
    except (CommandError, ServerError) as error:
        pushed = "the commit is pushed: only `oakroot notify` is left to do"
        hint = pushed if error.hint is None else f"{error.hint}; {pushed}"
        raise CommandError(error.message, hint=hint) from None


def _zone_to_tell_of(change: Change, restored: Restored, key: Key | None) -> dns.name.Name:
    """A zone that the key may notify of, if possible one that changed; the primary pulls all of them."""
    paths = [*restored.contents, *change.now.files]
    kinds = [classify(path) for path in paths if restored.contents.get(path, b"") is not None]
    zones = [dns.name.from_text(kind.apex) for kind in kinds if isinstance(kind, ZoneFile)]
    try:
        grant = None if key is None else read_grant(key.name)
    except KeyRejectedError:
        grant = None
    fit = (zone for zone in zones if grant is None or grant.allows(Operation.NOTIFY, zone))
    return next(fit, next(iter(zones), dns.name.root))


def _nothing_to_undo(change: Change, restored: Restored, arguments: argparse.Namespace) -> CommandError:
    zone: dns.name.Name | None = arguments.zone
    if arguments.to is not None:
        if any(_has(tree, arguments.zone) for tree in (change.now, change.before)):
            return CommandError(f"{zone} is now what it was then")
        return CommandError(f"there is no zone {zone}, neither now nor then")
    if restored.was_touched:
        return CommandError("there is nothing to undo: it is undone already")
    if zone is not None:
        return CommandError(f"{arguments.revision} changed nothing of a zone {zone}")
    hint = "`git revert` undoes what it did to other files"
    return CommandError(f"{arguments.revision} changed no records and no keys", hint=hint)


def _has(tree: Tree, zone: dns.name.Name) -> bool:
    found = zone_file_of(tree.files, zone)
    return found is not None and found[0] == zone.canonicalize().to_text()


def _report(restored: Restored, paint: Paint) -> Iterator[str]:
    for zone in restored.zones:
        yield paint(zone.headline, Style.STRONG)
        yield from (f"  {paint(text, style)}" for text, style in record_lines(zone.changes, zone.apex))
    yield from (f"{path}: as it was" for path in restored.whole_files)
