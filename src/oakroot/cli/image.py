"""`oakroot image`: makes, verifies and starts appliance images, in which one server runs and nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from oakroot.cli import CommandError, Exit, Subparsers, image_ledger, image_run
from oakroot.cli.progress import Progress
from oakroot.images import fetch, verify
from oakroot.images.archive import unpacked
from oakroot.images.build import INITRAMFS, KERNEL, SUMS, Image, build, build_all
from oakroot.images.contents import Role
from oakroot.images.inputs import InputFolder
from oakroot.images.lock import LOCK_NAME, Lock, read_lock
from oakroot.images.rejected import ImageError
from oakroot.images.tree import File

_DESCRIPTION = """\
Makes images in which one of Oakroot's servers runs and nothing else: a kernel with an initramfs for a
virtual machine, and an OCI image for container engines. The same inputs make the same octets, anywhere."""

_EPILOG = """\
From nothing to a primary in a virtual machine:
  oakroot image fetch --inputs inputs
  oakroot image build primary --inputs inputs --out primary-image
  oakroot image run primary-image --net tap0 -- --ipv4=10.0.42.2/24 --ipv4-gateway=10.0.42.1 \\
      --remote git://git.example.org/zones"""


def configure(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "image",
        help="make, verify and start appliance images",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    _configure_fetch(verbs)
    _configure_build(verbs)
    _configure_verify(verbs)
    image_run.configure(verbs)
    image_ledger.configure(verbs)


def _configure_fetch(verbs: Subparsers) -> None:
    fetching = verbs.add_parser(
        "fetch",
        help="gather the inputs of images",
        description="Brings Debian packages and wheels with apt-get and pip, and writes their hashes into "
        "the lock file of the folder. If there is one, it brings what the folder lacks of it, and refuses "
        "anything else.",
    )
    _add_inputs(fetching)
    fetching.add_argument("--renew", action="store_true", help="make a new lock file of the newest versions")
    fetching.add_argument(
        "--wheel", type=Path, metavar="FILE", help="Oakroot's own wheel (default: what is installed here)"
    )
    fetching.add_argument(
        "--epoch",
        type=int,
        metavar="SECONDS",
        help="the time of all files (default: $SOURCE_DATE_EPOCH, or that of the sources' commit)",
    )


def _configure_build(verbs: Subparsers) -> None:
    building = verbs.add_parser(
        "build",
        help="make images",
        description="Makes images of the inputs in the lock file. What several roles share is done once.",
        words_between_options=True,
    )
    building.add_argument(
        "roles",
        type=Role,
        choices=list(Role),
        nargs="+",
        metavar="ROLE",
        help=f"what it serves as: {', '.join(Role)}",
    )
    _add_inputs(building)
    building.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="where to put the image; of several roles, each has a folder of its name in there",
    )
    building.add_argument(
        "--list", action="store_true", help="print every file of the initramfs with its size"
    )


def _configure_verify(verbs: Subparsers) -> None:
    verifying = verbs.add_parser(
        "verify",
        help="make an image again, and compare",
        description="Makes the image again of the inputs it names, and compares: each file that differs is "
        "named, also inside the initramfs. With --ledger it asks instead who else has made the same.",
    )
    verifying.add_argument("directory", type=Path, metavar="DIR", help="the image")
    _add_inputs(verifying)
    image_ledger.add_vouching(verifying)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inputs",
        type=Path,
        default=Path("inputs"),
        metavar="DIR",
        help="folder of the inputs and their lock file (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Does what the verb says; CommandError names the input or file that is wrong."""
    try:
        return _VERBS[arguments.verb](arguments)
    except ImageError as problem:
        raise CommandError(problem.message, hint=problem.hint) from None


def _fetch(arguments: argparse.Namespace) -> int:
    directory: Path = arguments.inputs
    with Progress(sys.stderr) as progress:
        if arguments.renew or not (directory / LOCK_NAME).exists():
            lock = fetch.make_lock(directory, arguments.wheel, arguments.epoch, progress)
        else:
            lock = fetch.complete(directory, progress)
    for each in sorted(lock.inputs):
        print(f"{each.sha256[:16]}  {each.name} {each.version}")
    return Exit.FINE


def _build(arguments: argparse.Namespace) -> int:
    folder = InputFolder(arguments.inputs)
    roles = list(dict.fromkeys(arguments.roles))
    said: list[str] = []
    with Progress(sys.stderr) as progress:
        for image in build_all(roles, folder.lock(), folder, progress):
            place = arguments.out / image.role if len(roles) > 1 else arguments.out
            image.write(place)
            said += _described(image, place, listing=arguments.list)
    for line in said:
        print(line)
    return Exit.FINE


def _described(image: Image, place: Path, *, listing: bool) -> Iterator[str]:
    files = {path: entry for path, entry in unpacked(image.files) if isinstance(entry, File)}
    if listing:
        for path, entry in sorted(files.items()):
            yield f"{len(entry.content):>10} {path}"
    for name in (KERNEL, INITRAMFS):
        yield f"{len(image.outputs[name]) / 2**20:6.1f} MiB  {place / name}"
    container = sum(len(content) for path, content in image.outputs.items() if path.startswith("oci/"))
    yield f"{container / 2**20:6.1f} MiB  {place / 'oci'}"
    size = sum(len(entry.content) for entry in files.values())
    yield f"{len(files)} files, {size / 2**20:.1f} MiB unpacked; all hashes are in {place / SUMS}"


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.ledger or arguments.signers or arguments.agree:
        return image_ledger.run_vouched(arguments)
    directory: Path = arguments.directory
    role = verify.role_of(directory)
    lock = _recorded(directory)
    with Progress(sys.stderr) as progress:
        made = build(role, lock, InputFolder(arguments.inputs), progress)
    found = list(verify.differences(verify.read_image(directory), made.outputs))
    for line in found:
        print(line)
    if found:
        return Exit.NOT_SO
    print(f"{directory}: {len(made.outputs)} files, all as made again of {len(lock.inputs)} inputs")
    return Exit.FINE


def _recorded(directory: Path) -> Lock:
    return read_lock((directory / LOCK_NAME).read_text())


_VERBS = {
    "fetch": _fetch, "build": _build, "verify": _verify,
    "run": image_run.run_machine, "drive": image_run.run_drive,
    "diff": image_ledger.run_diff, "ledger": image_ledger.run_ledger,
}  # fmt: skip
