"""How Firecracker is told to start a machine: by a file of JSON, whose names are those of its API. Pure.

The kernel takes virtio devices from ACPI alone, which Firecracker has had from version 1.8 on.
"""

from __future__ import annotations

from collections.abc import Sequence

from oakroot.images.machine import LONGEST_COMMAND_LINE, Machine

PROGRAM = "firecracker"
_ITS_OWN_WORDS = 200
"""It adds `pci=off` to the kernel's command line, and 37 octets for each of up to four devices."""


def configuration(machine: Machine, drives: Sequence[str]) -> dict[str, object]:
    """What stands in the file; `drives` are paths of config drives."""
    return {
        "boot-source": {
            "kernel_image_path": str(machine.kernel.absolute()),
            "initrd_path": str(machine.initramfs.absolute()),
            # It has no other way to end than the keyboard controller's.
            "boot_args": machine.command_line("k", LONGEST_COMMAND_LINE - _ITS_OWN_WORDS),
        },
        "machine-config": {"vcpu_count": 1, "mem_size_mib": machine.memory},
        "drives": [
            {
                "drive_id": f"config{number}",
                "path_on_host": path,
                "is_root_device": False,
                "is_read_only": True,
            }
            for number, path in enumerate(drives)
        ],
        "network-interfaces": [
            {"iface_id": "service", "host_dev_name": machine.tap, "guest_mac": machine.hardware_address}
        ],
        "entropy": {},
    }


def command(file: str) -> list[str]:
    """How it is called with the file; without its API, since the machine is never changed."""
    # What it logs comes between the console's lines, and may break one.
    return [PROGRAM, "--no-api", "--level", "Warn", "--config-file", file]
