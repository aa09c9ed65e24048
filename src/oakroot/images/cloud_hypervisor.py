"""How Cloud Hypervisor is told to start a machine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oakroot.images.machine import Machine, refuse_commas

PROGRAM = "cloud-hypervisor"


def command(machine: Machine, drives: Sequence[str]) -> list[str]:
    """How it is called; `drives` are paths of config drives."""
    refuse_commas(*map(Path, drives))
    # To find the type out by itself is deprecated since version 52; 51 was the first to be told.
    disks = [f"path={path},readonly=on,image_type=raw" for path in drives]
    return [
        PROGRAM, "--cpus", "boot=1", "--memory", f"size={machine.memory}M",
        "--kernel", str(machine.kernel), "--initramfs", str(machine.initramfs),
        "--cmdline", machine.command_line("t"), "--serial", "tty", "--console", "off",
        "--net", f"tap={machine.tap},mac={machine.hardware_address}", *(["--disk", *disks] if disks else []),
    ]  # fmt: skip
