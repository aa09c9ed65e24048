"""How QEMU is told to start a machine, with nothing but a network interface and a console.

With KVM it is a microvm. Software emulation gets a pc: a microvm has no timer that a kernel could measure its
processor's clock with, where no hypervisor tells it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from enum import StrEnum

from oakroot.images.machine import Machine, refuse_commas, why_no_kvm
from oakroot.images.rejected import ImageError

PROGRAM = "qemu-system-x86_64"
_PROBE_SECONDS = 5.0


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


def command(machine: Machine, acceleration: Acceleration) -> list[str]:
    """How QEMU is called."""
    drives = [] if machine.drive is None else [machine.drive]
    refuse_commas(*(file for _, file in machine.secrets), *drives)
    handed = [
        word for name, file in machine.secrets for word in ("-fw_cfg", f"name=opt/oakroot/{name},file={file}")
    ]
    hardware, processor, bus = _HARDWARE[acceleration]
    for drive in drives:
        handed += ["-drive", f"if=none,id=config,format=raw,readonly=on,file={drive}"]
        handed += ["-device", f"virtio-blk-{bus},drive=config"]
    interface = f"virtio-net-{bus},netdev=service,mac={machine.hardware_address}"
    return [
        PROGRAM, "-machine", hardware, "-cpu", processor, "-accel", acceleration.value,
        "-m", f"{machine.memory}M",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
        "-kernel", str(machine.kernel), "-initrd", str(machine.initramfs),
        "-append", machine.command_line("t"), "-device", f"virtio-rng-{bus}",
        "-netdev", _netdev(machine), "-device", interface, *handed,
    ]  # fmt: skip


def choose(wanted: Acceleration, machine: Machine, tell: Callable[[str], None]) -> Acceleration:
    """KVM if a machine boots with it, software otherwise, unless one of them is wanted; `tell` hears why."""
    if wanted is not Acceleration.AUTO:
        return wanted
    why_not = why_no_kvm() or _why_not_started(machine)
    if why_not is None:
        return Acceleration.KVM
    tell(f"emulating in software, which is slow: {why_not} (--accel tcg tries no KVM)")
    return Acceleration.TCG


def _why_not_started(machine: Machine) -> str | None:
    # A kernel may offer KVM and not have it: only a machine that starts and ends shows it.
    probe = Machine(machine.directory, "none", machine.memory, ("--probe",))
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command(probe, Acceleration.KVM),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no machine started with KVM in {_PROBE_SECONDS:.0f} s; --accel kvm shows how far it comes"
    except OSError as problem:
        return f"{PROGRAM}: {problem.strerror}"
    if b"exit status 0" in done.stdout:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace").splitlines()
    return f"a machine did not start with KVM: {said[-1].strip() if said else 'QEMU ended without a word'}"


def _netdev(machine: Machine) -> str:
    if machine.network == "none":
        return "user,id=service,restrict=on"
    if machine.tap is not None:
        return f"tap,id=service,ifname={machine.tap},script=no,downscript=no"
    host, _, port = machine.network.rpartition(":")
    if not port.isdigit():
        raise ImageError(f"--net {machine.network}: ADDRESS:PORT has a number after the colon")
    return "user,id=service," + ",".join(f"hostfwd={kind}:{host}:{port}-:53" for kind in ("udp", "tcp"))
