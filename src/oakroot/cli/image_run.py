"""`oakroot image run` starts an image in a virtual machine; `image drive` writes a disk with arguments."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from oakroot.cli import CommandError, Exit, Subparsers
from oakroot.images import monitors, verify
from oakroot.images.drive import ARGUMENTS, write_drive
from oakroot.images.machine import Machine, check_secret
from oakroot.images.monitors import Monitor
from oakroot.images.qemu import Acceleration

_RUN_EPILOG = """\
After -- stand the machine's addresses, as MirageOS has them, then the server's options:
  --ipv4=ADDRESS/LENGTH --ipv4-gateway=ADDRESS --ipv6=… --ipv6-gateway=…
  --dns-servers=ADDRESS,…
Firecracker (1.8 or newer) and Cloud Hypervisor need KVM and a tap interface. For a supervisor of your own:
  oakroot image run primary-image --with firecracker --print --net tap0 -- --ipv4=… > machine.json
It ends with the exit status of the image: 64 for wrong arguments, 65 for a broken config drive, 71 if it
broke off."""

_DRIVE_DESCRIPTION = """\
Writes what a machine is told, and its secrets, onto a disk: for monitors that hand over no files
(Firecracker, Cloud Hypervisor), and for arguments longer than a kernel's command line. It is a cpio
archive (newc) of plain files, without a file system; attach it read-only, as a virtio disk."""

_DRIVE_EPILOG = """\
The key of a secondary, and what it is told:
  oakroot image drive --secret transfer.key=transfer.key --out config.img -- \\
      --ipv4=10.0.42.3/24 --key @/run/secrets/transfer.key
  oakroot image run secondary-image --net tap1 --config-drive config.img"""


def configure(verbs: Subparsers) -> None:
    """Adds `run` and `drive`."""
    running = verbs.add_parser(
        "run",
        help="start an image in a virtual machine",
        description="Starts an image in QEMU, Firecracker or Cloud Hypervisor, with its console here.",
        epilog=_RUN_EPILOG,
        words_between_options=True,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    running.add_argument("directory", type=Path, metavar="DIR", help="the image")
    _add_host(running)
    running.add_argument("--mem", type=int, default=128, metavar="MIB", help="memory (default: %(default)s)")
    _add_secrets(running)
    running.add_argument(
        "--config-drive", type=Path, metavar="FILE", help="a disk with more secrets and arguments"
    )
    running.add_argument("words", nargs="*", metavar="-- ARGUMENT", help="what the image is told")
    driving = verbs.add_parser(
        "drive",
        help="write a config drive",
        description=_DRIVE_DESCRIPTION,
        epilog=_DRIVE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_secrets(driving)
    driving.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it")
    driving.add_argument("words", nargs="*", metavar="-- ARGUMENT", help="what the image is told")


def _add_host(running: argparse.ArgumentParser) -> None:
    running.add_argument(
        "--net",
        required=True,
        metavar="NET",
        help="a tap interface, or with QEMU ADDRESS:PORT of this host for the machine's port 53 (the machine "
        "is 10.0.2.15/24 then, and this host 10.0.2.2)",
    )
    running.add_argument(
        "--with",
        dest="monitor",
        type=Monitor,
        choices=list(Monitor),
        default=Monitor.QEMU,
        metavar="MONITOR",
        help="qemu, firecracker or cloud-hypervisor (default: %(default)s)",
    )
    running.add_argument(
        "--accel",
        type=Acceleration,
        choices=list(Acceleration),
        default=Acceleration.AUTO,
        metavar="WAY",
        help="kvm, tcg (software, with QEMU), or auto: kvm if a machine boots with it (default: %(default)s)",
    )
    running.add_argument(
        "--print",
        action="store_true",
        help="start no server, but print what the monitor would be told: Firecracker's configuration in "
        "JSON, or the command",
    )


def _add_secrets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret",
        type=_secret,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="put the file at /run/secrets/NAME in the machine; may be given again",
    )


def run_machine(arguments: argparse.Namespace) -> int:
    """Runs a machine until it ends."""
    verify.check_sums(arguments.directory)
    machine = Machine(
        arguments.directory,
        arguments.net,
        arguments.mem,
        tuple(arguments.words),
        tuple(arguments.secret),
        arguments.config_drive,
    )
    if arguments.print:
        print(monitors.description(machine, arguments.monitor, arguments.accel, _warn))
        return Exit.FINE
    return monitors.run(machine, arguments.monitor, arguments.accel, _warn)


def _warn(text: str) -> None:
    print(f"oakroot: warning: {text}", file=sys.stderr)


def run_drive(arguments: argparse.Namespace) -> int:
    """Writes a config drive."""
    files: dict[str, bytes] = {}
    for name, file in arguments.secret:
        check_secret(name, file)
        if name in files:
            raise CommandError(f"secret {name} was given twice", exit_code=Exit.USAGE)
        files[name] = file.read_bytes()
    if arguments.words:
        files[ARGUMENTS] = shlex.join(arguments.words).encode() + b"\n"
    if not files:
        raise CommandError("a config drive has arguments or secrets", exit_code=Exit.USAGE)
    out: Path = arguments.out
    try:
        out.unlink(missing_ok=True)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(write_drive(files))
    except OSError as problem:
        raise CommandError(f"{out}: {problem.strerror}") from None
    return Exit.FINE


def _secret(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=FILE")
    return name, Path(file)
