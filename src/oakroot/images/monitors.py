"""Starts a machine in one of three monitors, follows its console, and says how it ended."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum

from oakroot.images import cloud_hypervisor, firecracker, qemu
from oakroot.images.drive import write_drive
from oakroot.images.machine import Machine, check_tap, why_no_kvm
from oakroot.images.qemu import Acceleration
from oakroot.images.rejected import ImageError

BROKEN_OFF = 71
"""The machine ended without saying why."""
_STATUS_LINE = re.compile(rb"oakroot: exit status (\d+)\s*\Z")
_PANIC = re.compile(rb"\[ *\d+\.\d+\] Kernel panic - not syncing")
"""The kernel asks to be started again: Cloud Hypervisor would do so for ever."""


class Monitor(StrEnum):
    """What makes the virtual machine."""

    QEMU = "qemu"
    FIRECRACKER = "firecracker"
    CLOUD_HYPERVISOR = "cloud-hypervisor"


_FROM_ITS_PROJECT = "Debian has no package of it, its project releases programs; --with qemu can do without"
_PROGRAMS = {
    Monitor.QEMU: (qemu.PROGRAM, "on Debian: apt-get install qemu-system-x86"),
    Monitor.FIRECRACKER: (firecracker.PROGRAM, _FROM_ITS_PROJECT),
    Monitor.CLOUD_HYPERVISOR: (cloud_hypervisor.PROGRAM, _FROM_ITS_PROJECT),
}


def run(machine: Machine, monitor: Monitor, wanted: Acceleration, tell: Callable[[str], None]) -> int:
    """Runs the machine until it ends, its console on standard output; gives the status that it said."""
    _check(machine, monitor, wanted)
    program, hint = _PROGRAMS[monitor]
    missing = [] if shutil.which(program) else [f"{program} is not installed"]
    if monitor is not Monitor.QEMU and (no_kvm := why_no_kvm()):
        missing.append(f"{monitor} needs KVM, and {no_kvm}")
        hint = "--with qemu can do without"
    if missing:
        raise ImageError("; ".join(missing), hint)
    check_tap(machine)
    if monitor is Monitor.QEMU:
        return _follow(qemu.command(machine, qemu.choose(wanted, machine, tell)), [])
    with ExitStack() as open_files:
        command, files = _with_files(machine, monitor, open_files)
        return _follow(command, files)


def description(machine: Machine, monitor: Monitor, wanted: Acceleration, tell: Callable[[str], None]) -> str:
    """What the monitor would be told: Firecracker its configuration, others their command line."""
    _check(machine, monitor, wanted)
    if monitor is Monitor.QEMU:
        return shlex.join(qemu.command(machine, qemu.choose(wanted, machine, tell)))
    if machine.secrets:
        raise ImageError(
            f"{monitor} is handed secrets on a disk that is there only while the machine is",
            "`oakroot image drive` writes them to one that stays: --config-drive FILE",
        )
    drives = [] if machine.drive is None else [str(machine.drive.absolute())]
    if monitor is Monitor.CLOUD_HYPERVISOR:
        return shlex.join(cloud_hypervisor.command(machine, drives))
    return json.dumps(firecracker.configuration(machine, drives), indent=2)


def _check(machine: Machine, monitor: Monitor, wanted: Acceleration) -> None:
    if monitor is Monitor.QEMU:
        return
    if wanted is Acceleration.TCG:
        raise ImageError(f"{monitor} emulates nothing in software", "--with qemu does")
    if machine.tap is None:
        raise ImageError(
            f"--net {machine.network}: {monitor} leads no port of this host to a machine",
            "give it a tap interface, or use --with qemu",
        )


def _with_files(machine: Machine, monitor: Monitor, open_files: ExitStack) -> tuple[list[str], list[int]]:
    """How a monitor is called that takes secrets from a disk, and the files that it inherits."""
    files: list[int] = []

    def handed(content: bytes) -> str:
        files.append(open_files.enter_context(_in_memory(content)))
        return f"/proc/self/fd/{files[-1]}"

    drives = [] if machine.drive is None else [str(machine.drive.absolute())]
    if machine.secrets:
        drives.append(handed(write_drive({name: file.read_bytes() for name, file in machine.secrets})))
    if monitor is Monitor.CLOUD_HYPERVISOR:
        return cloud_hypervisor.command(machine, drives), files
    text = json.dumps(firecracker.configuration(machine, drives))
    return firecracker.command(handed(text.encode())), files


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file that is on no disk, and gone when nobody has it open."""
    descriptor = os.memfd_create("oakroot")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        yield descriptor
    finally:
        os.close(descriptor)


def _follow(command: Sequence[str], files: Sequence[int]) -> int:
    begun: list[subprocess.Popen[bytes]] = []
    is_to_end = False

    def end(*_: object) -> None:
        nonlocal is_to_end
        is_to_end = True
        for process in begun:
            process.terminate()

    # Whoever ends this process means the machine, also one that is just being started.
    signal.signal(signal.SIGTERM, end)
    with subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=files
    ) as process:
        begun.append(process)
        if is_to_end:
            process.terminate()
        try:
            assert process.stdout is not None  # noqa: S101 - we asked for a pipe
            for line in process.stdout:
                said = _STATUS_LINE.search(line)
                if said:
                    return int(said[1])
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                if _PANIC.match(line) and command[0] == cloud_hypervisor.PROGRAM:
                    break
        finally:
            process.terminate()
    return BROKEN_OFF
