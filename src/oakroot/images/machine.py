"""A virtual machine to start: what it is made of, what it is told, and what this host must have for it.

How a monitor is told so does not live here: `qemu`, `firecracker` and `cloud_hypervisor` do that.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import socket
from pathlib import Path

from oakroot.frozen import frozen
from oakroot.images.build import INITRAMFS, PLAIN_KERNEL
from oakroot.images.drive import ARGUMENTS, LARGEST, NAME
from oakroot.images.rejected import ImageError

KVM = Path("/dev/kvm")
LONGEST_COMMAND_LINE = 2000
"""The kernel reads 2048 octets on x86-64."""
_QUIET = "console=ttyS0 quiet loglevel=3 panic=-1 rootfstype=ramfs no_timer_check"
"""Its timer is not put to the test: while an emulator waits for a processor, the kernel would give up."""


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

    @property
    def kernel(self) -> Path:
        """What a monitor starts."""
        return self.directory / PLAIN_KERNEL

    @property
    def initramfs(self) -> Path:
        """What the kernel unpacks, and runs."""
        return self.directory / INITRAMFS

    @property
    def tap(self) -> str | None:
        """Its tap interface; None if it has none."""
        return None if self.network == "none" or ":" in self.network else self.network

    @property
    def hardware_address(self) -> str:
        """One for each interface of each host, or machines on one bridge would not find each other."""
        digest = hashlib.sha256(f"{socket.gethostname()}/{self.network}".encode()).hexdigest()
        return f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"

    def command_line(self, restart: str, longest: int = LONGEST_COMMAND_LINE) -> str:
        """The kernel's command line, ImageError if it is too long; `restart` is how the machine ends."""
        line = f"{_QUIET} reboot={restart} -- {shlex.join(self.words)}"
        if len(line) > longest:
            raise ImageError(
                f"the arguments take {len(line)} octets, the kernel reads {longest}",
                "put long ones on a config drive: oakroot image drive --out FILE -- ARGUMENTS",
            )
        return line


def check_secret(name: str, file: Path) -> None:
    """ImageError unless a machine can be handed this file by this name."""
    if not NAME.match(name) or name == ARGUMENTS:
        raise ImageError(f"{name!r} is no name for a secret: letters, digits, '.', '_' and '-'")
    if not file.is_file():
        raise ImageError(f"secret {name}: {file} does not exist")
    if file.stat().st_size > LARGEST:
        raise ImageError(f"secret {name}: {file} has more than the {LARGEST} octets that a machine reads")


def check_tap(machine: Machine) -> None:
    """ImageError if this host does not have the machine's tap interface."""
    if machine.tap is not None and not Path(f"/sys/class/net/{machine.tap}/tun_flags").exists():
        raise ImageError(
            f"there is no tap interface {machine.tap}",
            f"ip tuntap add {machine.tap} mode tap && ip link set {machine.tap} up; "
            "or --net 127.0.0.1:5353 with QEMU",
        )


def refuse_commas(*files: Path) -> None:
    """ImageError if a monitor would take the path of a file for several words."""
    for file in files:
        if "," in str(file):
            raise ImageError(f"{file}: a monitor takes no file with a comma in its path")


def why_no_kvm() -> str | None:
    """What keeps this user from KVM; None if nothing is seen that would."""
    if not KVM.exists():
        return f"there is no {KVM}: load kvm_intel or kvm_amd; in a virtual host, allow nesting first"
    if not os.access(KVM, os.R_OK | os.W_OK):
        return f"{KVM} is not yours to open: on Debian, be in the group kvm"
    return None
