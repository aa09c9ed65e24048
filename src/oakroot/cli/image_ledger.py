"""`oakroot image ledger …`: what builders say of images, kept in git. `image diff`: what two differ in."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from oakroot import __version__
from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.cli.progress import Progress
from oakroot.cli.remote import add_remote_options, credentials
from oakroot.git.credentials import LoginKey
from oakroot.git.errors import GitError, InvalidSetting
from oakroot.git.login_key import parse_ssh_key
from oakroot.git.remote import parse_remote
from oakroot.images import fetch, verify
from oakroot.images.build import build
from oakroot.images.comparison import Change, Changes, compare
from oakroot.images.inputs import InputFolder
from oakroot.images.ledger import Ledger, camps, disagreements, keys_of, words_of
from oakroot.images.ledger_page import pages
from oakroot.images.ledger_repository import LedgerRepository, begin
from oakroot.images.record import Record, record_of
from oakroot.images.rejected import ImageError
from oakroot.zones.diagnostics import visible

_DESCRIPTION = """\
A ledger is a git repository in which builders record what they built: the inputs, the tools, and the hashes
of what came out, signed with their ssh keys. Several who build the same inputs show that the image is what
its inputs make. `ssh-keygen -Y verify` checks the signatures too."""

_EPILOG = """\
Begin one, record a build, and have somebody else build it again:
  oakroot image ledger init builds.git --signers allowed_signers
  oakroot image ledger record primary-image --ledger builds.git --builder alice --signing-key alice.key
  oakroot image ledger rebuild 1a2b3c4d --ledger builds.git --builder bob --signing-key bob.key
Ask whether two of those whom you trust made this image:
  oakroot image verify primary-image --ledger builds.git --signers allowed_signers --agree 2"""


def configure(verbs: Subparsers) -> None:
    """Adds `ledger` and `diff`."""
    parser = verbs.add_parser(
        "ledger",
        help="record builds in git, signed, and see who made the same",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    _configure_init(actions)
    _configure_record(actions)
    _configure_rebuild(actions)
    _configure_check(actions)
    _configure_page(actions)
    comparing = verbs.add_parser(
        "diff",
        help="name inputs and files in which two images differ",
        description="Names the inputs that changed between two images, and the files that differ.",
        epilog="exit code: 0 they are the same; 1 they differ",
    )
    for number in ("first", "second"):
        comparing.add_argument(
            number, metavar="IMAGE", help=f"the {number}: a folder, or with --ledger a build's name"
        )
    comparing.add_argument("--ledger", metavar="URL", help="take builds from this ledger")
    add_remote_options(comparing)


def _configure_init(actions: Subparsers) -> None:
    beginning = actions.add_parser(
        "init", help="make a ledger", description="Makes an empty ledger, a bare git repository."
    )
    beginning.add_argument("directory", type=Path, metavar="DIR", help="where")
    _add_signers(beginning, "whose records count; each line is NAME and a public key", required=True)


def _configure_record(actions: Subparsers) -> None:
    recording = actions.add_parser(
        "record", help="record an image", description="Records what an image is made of and what came out."
    )
    recording.add_argument("directory", type=Path, metavar="IMAGE", help="the image's folder")
    _add_ledger(recording)
    _add_builder(recording)


def _configure_rebuild(actions: Subparsers) -> None:
    rebuilding = actions.add_parser(
        "rebuild",
        help="build again what somebody has recorded, and record that too",
        description="Makes an image of the inputs of a recorded build, and records what came out, whether it "
        "is the same or not.",
        epilog="exit code: 0 it came out as others recorded it; 1 it did not, or it failed",
    )
    rebuilding.add_argument("build", metavar="BUILD", help="the build's name, or how it begins")
    rebuilding.add_argument("--inputs", type=Path, default=Path("inputs"), metavar="DIR",
                            help="folder of the inputs (default: %(default)s)")  # fmt: skip
    rebuilding.add_argument("--out", type=Path, metavar="DIR", help="where to put the image, too")
    _add_ledger(rebuilding)
    _add_signers(rebuilding, "whose records count (default: the ledger's own list)")
    _add_builder(rebuilding)


def _configure_check(actions: Subparsers) -> None:
    checking = actions.add_parser(
        "check",
        help="check all records, and name builders who disagree",
        description="Checks every signature and record of a ledger, and names the builders who made "
        "something else of the same inputs, and what differs.",
        epilog="exit code: 0 all can be believed and agree; 1 something cannot, or does not",
    )
    _add_ledger(checking)
    _add_signers(checking, "whose records count (default: the ledger's own list)")
    checking.add_argument(
        "--since", metavar="COMMIT", help="refuse if a record that counted then is not as it was"
    )


def _configure_page(actions: Subparsers) -> None:
    showing = actions.add_parser(
        "page", help="write web pages of a ledger", description="Writes static web pages of all builds."
    )
    _add_ledger(showing)
    showing.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to")
    _add_signers(showing, "whose records count (default: the ledger's own list)")


def add_vouching(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `image verify` that ask a ledger."""
    group = parser.add_argument_group("others' word, instead of building again")
    group.add_argument("--ledger", metavar="URL", help="where builders have recorded what they made")
    _add_signers(group, "whose records count: a list of yours, not the ledger's")
    group.add_argument(
        "--agree", type=_positive, metavar="N",
        help="how many keys must have signed that they made the same (default: 1)",
    )  # fmt: skip
    add_remote_options(group)


def _add_ledger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ledger", required=True, metavar="URL", help="the ledger: a path, https:// or ssh address, #BRANCH"
    )
    add_remote_options(parser)


def _add_signers(parser: argparse._ActionsContainer, text: str, *, required: bool = False) -> None:
    parser.add_argument("--signers", type=Path, required=required, metavar="FILE", help=text)


def _add_builder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--builder", required=True, metavar="NAME", help="who builds, as the signers have it")
    parser.add_argument(
        "--signing-key", required=True, metavar="FILE",
        help="private ssh key of the builder, as `oakroot keygen ssh` or ssh-keygen made it",
    )  # fmt: skip


def run_ledger(arguments: argparse.Namespace) -> int:
    """Does what the action says; CommandError names what is wrong."""
    return _told(lambda: _ACTIONS[arguments.action](arguments))


def run_diff(arguments: argparse.Namespace) -> int:
    """Prints what two images differ in."""
    return _told(lambda: _diff(arguments))


def run_vouched(arguments: argparse.Namespace) -> int:
    """Whether enough builders have made this image: `image verify --ledger`."""
    return _told(lambda: _vouched(arguments))


def _told(work: Callable[[], int]) -> int:
    try:
        return work()
    except InvalidSetting as problem:
        raise CommandError(str(problem), exit_code=Exit.USAGE) from None
    except GitError as problem:
        raise CommandError(str(problem)) from None


def _init(arguments: argparse.Namespace) -> int:
    begin(arguments.directory, _text_of(arguments.signers), int(time.time()))
    print(f"{arguments.directory} is a ledger")
    return Exit.FINE


def _record(arguments: argparse.Namespace) -> int:
    verify.check_sums(arguments.directory)
    _append(arguments, record_of(verify.read_image(arguments.directory)))
    return Exit.FINE


def _rebuild(arguments: argparse.Namespace) -> int:
    key = _key(arguments)
    with Progress(sys.stderr) as progress:
        progress("reading the ledger")
        recorded = _read(arguments).find(arguments.build)
        made = build(recorded.role, recorded.lock, InputFolder(arguments.inputs), progress)
        if arguments.out is not None:
            made.write(arguments.out)
    record = record_of(made.outputs)
    _append(arguments, record, key)
    others = [each for each in recorded.attestations if each.builder != arguments.builder]
    for line in disagreements(record, others):
        _say(line)
    agreeing = sum(1 for each in others if each.record.outputs == record.outputs)
    print(f"{recorded.label}: came out as {agreeing} of {len(others)} other builders recorded it")
    return Exit.FINE if agreeing == len(others) else Exit.NOT_SO


def _append(arguments: argparse.Namespace, record: Record, key: LoginKey | None = None) -> None:
    tools = {"oakroot": __version__, "python": platform.python_version()}
    commit = fetch.source()[0]
    if commit:
        tools["commit"] = commit
    with _opened(arguments) as ledger:
        is_new = ledger.append(record, arguments.builder, key or _key(arguments), tools, time.time)
    label = f"{record.role} {record.name[:12]}"
    print(f"{label}: recorded as built by {arguments.builder}" if is_new else f"{label}: recorded already")


def _check(arguments: argparse.Namespace) -> int:
    with _opened(arguments) as repository:
        ledger, head = repository.read(_signers(arguments), arguments.since)
    for each in ledger.builds:
        for line in words_of(each):
            _say(line)
    for trouble in ledger.troubles:
        _say(f"does not count: {trouble}")
    print(f"{len(ledger.builds)} builds, as of commit {head.commit}")
    agreed = all(len(camps(each)) == 1 for each in ledger.builds)
    return Exit.FINE if agreed and not ledger.troubles else Exit.NOT_SO


def _page(arguments: argparse.Namespace) -> int:
    with _opened(arguments) as repository:
        ledger, head = repository.read(_signers(arguments))
    written = pages(ledger, head.commit)
    for path, text in written.items():
        place: Path = arguments.out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    print(f"{len(written)} files of {len(ledger.builds)} builds; begin with {arguments.out / 'index.html'}")
    return Exit.FINE


def _vouched(arguments: argparse.Namespace) -> int:
    if arguments.ledger is None:
        raise CommandError("--signers and --agree are about a --ledger", exit_code=Exit.USAGE)
    if arguments.signers is None:
        raise CommandError(
            "--ledger needs --signers",
            hint="who may push to a ledger could also name signers there: whose word counts is yours to say",
            exit_code=Exit.USAGE,
        )
    directory: Path = arguments.directory
    verify.check_sums(directory)
    record = record_of(verify.read_image(directory))
    found = [each for each in _read(arguments).builds if each.name == record.name]
    attestations = found[0].attestations if found else ()
    agreeing = [each for each in attestations if each.record.outputs == record.outputs]
    keys, wanted = keys_of(agreeing), arguments.agree or 1
    for line in disagreements(record, attestations):
        _say(line)
    names = ", ".join(each.builder for each in agreeing) or "nobody"
    print(f"{directory}: {names} made the same, {keys} keys where {wanted} must agree")
    return Exit.FINE if keys >= wanted else Exit.NOT_SO


def _diff(arguments: argparse.Namespace) -> int:
    ledger = None if arguments.ledger is None else _read(arguments)
    before, after = (_image(name, ledger) for name in (arguments.first, arguments.second))
    changes = compare(before, after)
    for title, part in _parts(changes):
        if part:
            print(f"{title}:")
            for change in part:
                _say(f"  {change}")
    if not changes:
        print("the same")
    return Exit.NOT_SO if changes else Exit.FINE


def _say(line: str) -> None:
    """Prints what others have written, which does not steer a terminal."""
    print(visible(line))


def _parts(changes: Changes) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    return ("inputs", changes.inputs), ("outputs", changes.outputs), ("files", changes.files)


def _image(name: str, ledger: Ledger | None) -> Record:
    if ledger is not None and not Path(name).is_dir():
        return camps(ledger.find(name))[0][0].record
    if not Path(name).is_dir():
        raise ImageError(f"{name} is no folder", "with --ledger, builds can be named too")
    return record_of(verify.read_image(Path(name)))


def _read(arguments: argparse.Namespace) -> Ledger:
    with _opened(arguments) as repository:
        return repository.read(_signers(arguments) if "signers" in arguments else None)[0]


def _opened(arguments: argparse.Namespace) -> LedgerRepository:
    remote = parse_remote(arguments.ledger)
    return LedgerRepository(remote, credentials(arguments, remote))


def _signers(arguments: argparse.Namespace) -> str | None:
    return None if arguments.signers is None else _text_of(arguments.signers)


def _key(arguments: argparse.Namespace) -> LoginKey:
    return parse_ssh_key(arguments.signing_key)


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise CommandError(f"{file} cannot be read: {reason}", exit_code=Exit.USAGE) from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: give how many, 1 or more")
    return int(text)


_ACTIONS = {"init": _init, "record": _record, "rebuild": _rebuild, "check": _check, "page": _page}
