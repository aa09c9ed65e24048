"""Starts an image in a virtual machine of QEMU, with nothing but a network interface and a console.

With KVM it is a microvm. Software emulation gets a pc: a microvm has no timer that a kernel could measure its
processor's clock with, where no hypervisor tells it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from oakroot.frozen import frozen
from oakroot.images.build import INITRAMFS, PLAIN_KERNEL
from oakroot.images.drive import ARGUMENTS, LARGEST, NAME
from oakroot.images.rejected import ImageError

QEMU = "qemu-system-x86_64"
KVM = Path("/dev/kvm")
STATUS_LINE = re.compile(rb"oakroot: exit status (\d+)\s*\Z")
BROKEN_OFF = 71
"""The machine ended without saying why."""
_PROBE_SECONDS = 5.0
_LONGEST_COMMAND_LINE = 2000  # the kernel reads 2048 octets on x86-64
_QUIET = "console=ttyS0 quiet loglevel=3 panic=-1 reboot=t rootfstype=ramfs no_timer_check"
"""Its timer is not put to the test: while an emulator waits for a processor, the kernel would give up."""


class Acceleration(StrEnum):
    """Who runs the machine's instructions."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


_HARDWARE = {
    Acceleration.KVM: ("microvm,rtc=on", "host", "device"),
    Acceleration.TCG: ("pc,usb=off,vmport=off", "max", "pci"),
}
"""The machine, its processor, and the bus of its devices."""


@frozen
class Machine:
    """A virtual machine to start."""

    directory: Path
    network: str
    """A tap interface, or ADDRESS:PORT: this host's port for the machine's port 53."""
    memory: int
    """In MiB."""
    words: tuple[str, ...]
    """What the image is told."""
    secrets: tuple[tuple[str, Path], ...] = ()
    """(name, file): what it finds in /run/secrets."""
    drive: Path | None = None
    """A config drive, with more arguments and secrets."""

    def __post_init__(self) -> None:
        for name, file in self.secrets:
            check_secret(name, file)
        if self.drive is not None and not self.drive.is_file():
            raise ImageError(f"{self.drive} does not exist", "`oakroot image drive` makes a config drive")
        for file in (*(file for _, file in self.secrets), *([self.drive] if self.drive else [])):
            if "," in str(file):
                raise ImageError(f"{file}: QEMU takes no file with a comma in its path")

    def command(self, acceleration: Acceleration) -> list[str]:
        """How QEMU is called."""
        line = f"{_QUIET} -- {shlex.join(self.words)}"
        if len(line) > _LONGEST_COMMAND_LINE:
            raise ImageError(
                f"the arguments take {len(line)} octets, the kernel reads {_LONGEST_COMMAND_LINE}",
                "give long ones as files: --secret NAME=FILE, and @/run/secrets/NAME for the server",
            )
        handed = [
            word
            for name, file in self.secrets
            for word in ("-fw_cfg", f"name=opt/oakroot/{name},file={file}")
        ]
        machine, processor, bus = _HARDWARE[acceleration]
        if self.drive is not None:
            disk = f"if=none,id=config,format=raw,readonly=on,file={self.drive}"
            handed += ["-drive", disk, "-device", f"virtio-blk-{bus},drive=config"]
        interface = f"virtio-net-{bus},netdev=service,mac={_hardware_address(self.network)}"
        return [
            QEMU, "-machine", machine, "-cpu", processor, "-accel", acceleration.value,
            "-m", f"{self.memory}M",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", str(self.directory / PLAIN_KERNEL), "-initrd", str(self.directory / INITRAMFS),
            "-append", line, "-device", f"virtio-rng-{bus}",
            "-netdev", _netdev(self.network), "-device", interface, *handed,
        ]  # fmt: skip


def check_secret(name: str, file: Path) -> None:
    """ImageError unless a machine can be handed this file by this name."""
    if not NAME.match(name) or name == ARGUMENTS:
        raise ImageError(f"{name!r} is no name for a secret: letters, digits, '.', '_' and '-'")
    if not file.is_file():
        raise ImageError(f"secret {name}: {file} does not exist")
    if file.stat().st_size > LARGEST:
        raise ImageError(f"secret {name}: {file} has more than the {LARGEST} octets that a machine reads")


def choose(wanted: Acceleration, machine: Machine, tell: Callable[[str], None]) -> Acceleration:
    """KVM if a machine boots with it, software otherwise, unless one of them is wanted; `tell` hears why."""
    if wanted is not Acceleration.AUTO:
        return wanted
    why_not = _why_not_kvm(machine)
    if why_not is None:
        return Acceleration.KVM
    tell(f"emulating in software, which is slow: {why_not} (--accel tcg tries no KVM)")
    return Acceleration.TCG


def _why_not_kvm(machine: Machine) -> str | None:
    if not KVM.exists():
        return f"there is no {KVM}: load kvm_intel or kvm_amd; in a virtual host, allow nesting first"
    if not os.access(KVM, os.R_OK | os.W_OK):
        return f"{KVM} is not yours to open: on Debian, be in the group kvm"
    # A kernel may offer KVM and not have it: only a machine that starts and ends shows it.
    command = Machine(machine.directory, "none", machine.memory, ("--probe",)).command(Acceleration.KVM)
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no machine started with KVM in {_PROBE_SECONDS:.0f} s; --accel kvm shows how far it comes"
    except OSError as problem:
        return f"{QEMU}: {problem.strerror}"
    if b"exit status 0" in done.stdout:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace").splitlines()
    return f"a machine did not start with KVM: {said[-1].strip() if said else 'QEMU ended without a word'}"


def run(machine: Machine, acceleration: Acceleration) -> int:
    """Runs the machine until it ends, its console on standard output; gives the status that it said."""
    try:
        process = subprocess.Popen(  # noqa: S603 - our own words
            machine.command(acceleration), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
    except FileNotFoundError:
        raise ImageError(f"{QEMU} is not installed", "on Debian: apt-get install qemu-system-x86") from None
    status = BROKEN_OFF
    # Whoever ends this process means the machine.
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        for line in process.stdout:
            said = STATUS_LINE.search(line)
            if said:
                status = int(said[1])
                continue
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    finally:
        process.terminate()
        process.wait()
    return status


def _hardware_address(network: str) -> str:
    """One of its own for each interface of each host, or machines on one bridge would not find each other."""
    digest = hashlib.sha256(f"{socket.gethostname()}/{network}".encode()).hexdigest()
    return f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"


def _netdev(network: str) -> str:
    if network == "none":
        return "user,id=service,restrict=on"
    host, colon, port = network.rpartition(":")
    if not colon:
        if not Path(f"/sys/class/net/{network}/tun_flags").exists():
            raise ImageError(
                f"there is no tap interface {network}",
                f"ip tuntap add {network} mode tap && ip link set {network} up; or --net 127.0.0.1:5353",
            )
        return f"tap,id=service,ifname={network},script=no,downscript=no"
    if not port.isdigit():
        raise ImageError(f"--net {network}: ADDRESS:PORT has a number after the colon")
    return "user,id=service," + ",".join(f"hostfwd={kind}:{host}:{port}-:53" for kind in ("udp", "tcp"))
