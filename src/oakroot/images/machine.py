"""Starts an image in a virtual machine of QEMU, with nothing but a network interface and a console.

With KVM it is a microvm. Software emulation gets a pc: a microvm has no timer that a kernel could measure its
processor's clock with, where no hypervisor tells it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import signal
import socket
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

from oakroot.frozen import frozen
from oakroot.images.build import INITRAMFS, PLAIN_KERNEL
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
_SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}\Z")


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

    def __post_init__(self) -> None:
        for name, file in self.secrets:
            if not _SECRET_NAME.match(name) or name == "arguments":
                raise ImageError(f"{name!r} is no name for a secret: letters, digits, '.', '_' and '-'")
            if "," in str(file):
                raise ImageError(f"{file}: QEMU takes no file with a comma in its path")
            if not file.is_file():
                raise ImageError(f"secret {name}: {file} does not exist")

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
        interface = f"virtio-net-{bus},netdev=service,mac={_hardware_address(self.network)}"
        return [
            QEMU, "-machine", machine, "-cpu", processor, "-accel", acceleration.value,
            "-m", f"{self.memory}M",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", str(self.directory / PLAIN_KERNEL), "-initrd", str(self.directory / INITRAMFS),
            "-append", line, "-device", f"virtio-rng-{bus}",
            "-netdev", _netdev(self.network), "-device", interface, *handed,
        ]  # fmt: skip


def choose(wanted: Acceleration, machine: Machine) -> Acceleration:
    """KVM if a machine boots with it, software otherwise, unless one of them is wanted."""
    if wanted is not Acceleration.AUTO:
        return wanted
    if not KVM.exists():
        return Acceleration.TCG
    probe = Machine(machine.directory, "none", machine.memory, ("--probe",))
    try:
        # A kernel may offer KVM and not have it: only a machine that starts and ends shows it.
        command = probe.command(Acceleration.KVM)
        done = subprocess.run(  # noqa: S603 - our own words
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except (subprocess.TimeoutExpired, OSError):
        return Acceleration.TCG
    return Acceleration.KVM if b"exit status 0" in done.stdout else Acceleration.TCG


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
