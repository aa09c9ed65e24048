"""What Firecracker and Cloud Hypervisor are told, and how machines in them end: programs stand in for both.

Neither can be installed from a package.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.images import monitors
from oakroot.images.drive import read_drive
from oakroot.images.machine import Machine
from oakroot.images.monitors import BROKEN_OFF, Monitor, description, run
from oakroot.images.qemu import Acceleration
from oakroot.images.rejected import ImageError
from tests.conftest import PEER_PATH
from tests.images.fake_inputs import fill, made_of
from tests.peers.commands import oakroot

LEAN = [Monitor.FIRECRACKER, Monitor.CLOUD_HYPERVISOR]
Installed = Callable[[Monitor, str], None]


def _machine(*words: str, network: str = "tap9", drive: Path | None = None) -> Machine:
    return Machine(Path("/images/primary"), network, 128, words, drive=drive)


def _described(machine: Machine, monitor: Monitor) -> str:
    return description(machine, monitor, Acceleration.AUTO, pytest.fail)


def _run(machine: Machine, monitor: Monitor) -> int:
    return run(machine, monitor, Acceleration.AUTO, pytest.fail)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Puts a shell script in place of a monitor, on a host that has KVM and any tap interface."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{PEER_PATH}")
    monkeypatch.setattr("oakroot.images.machine.KVM", tmp_path)
    monkeypatch.setattr(monitors, "check_tap", lambda _machine: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def install(monitor: Monitor, script: str) -> None:
        program = tmp_path / monitor
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return install


def test_firecracker_gets_kernel_arguments_and_devices_by_the_names_of_its_api(tmp_path: Path) -> None:
    drive = tmp_path / "config.img"
    drive.touch()
    told = json.loads(_described(_machine("--ipv4=10.0.42.2/24", drive=drive), Monitor.FIRECRACKER))
    boot, interfaces = told.pop("boot-source"), told.pop("network-interfaces")
    assert (boot["kernel_image_path"], boot["initrd_path"]) == (
        "/images/primary/vmlinux",
        "/images/primary/initramfs",
    )
    assert boot["boot_args"].startswith("console=ttyS0 ")
    assert boot["boot_args"].endswith(" reboot=k -- --ipv4=10.0.42.2/24")
    address = interfaces[0].pop("guest_mac")
    assert address.startswith("52:54:00:")
    assert interfaces == [{"iface_id": "service", "host_dev_name": "tap9"}]
    assert told == {
        "machine-config": {"vcpu_count": 1, "mem_size_mib": 128},
        "drives": [
            {"drive_id": "config0", "path_on_host": str(drive), "is_root_device": False, "is_read_only": True}
        ],
        "entropy": {},
    }


def test_cloud_hypervisor_gets_the_same_as_words(tmp_path: Path) -> None:
    drive = tmp_path / "config.img"
    drive.touch()
    program, *words = shlex.split(
        _described(_machine("--ipv4=10.0.42.2/24", drive=drive), Monitor.CLOUD_HYPERVISOR)
    )
    told = dict(zip(words[::2], words[1::2], strict=True))
    assert program == "cloud-hypervisor"
    assert told["--kernel"] == "/images/primary/vmlinux"
    assert told["--initramfs"] == "/images/primary/initramfs"
    assert told["--cmdline"].endswith(" -- --ipv4=10.0.42.2/24")
    assert told["--memory"] == "size=128M"
    assert told["--disk"] == f"path={drive},readonly=on,image_type=raw"
    assert told["--net"].startswith("tap=tap9,mac=52:54:00:")
    assert (told["--serial"], told["--console"]) == ("tty", "off")


def test_firecracker_is_handed_configuration_and_secrets_that_are_on_no_disk(
    installed: Installed, tmp_path: Path
) -> None:
    seen, key = tmp_path / "seen", tmp_path / "key"
    key.write_text("secret")
    installed(
        Monitor.FIRECRACKER,
        f'for file; do :; done; cat "$file" > {seen}\n'
        f"""cat "$(sed 's/.*"path_on_host": "\\([^"]*\\)".*/\\1/' {seen})" > {seen}.img\n"""
        "echo oakroot: exit status 0",
    )
    machine = Machine(Path("/images/primary"), "tap9", 128, (), (("transfer.key", key),))
    assert _run(machine, Monitor.FIRECRACKER) == 0
    told = json.loads(seen.read_text())
    assert told["drives"][0]["path_on_host"].startswith("/proc/self/fd/")
    assert read_drive(seen.with_suffix(".img").read_bytes()) == {"transfer.key": b"secret"}


def test_cloud_hypervisor_is_handed_secrets_that_are_on_no_disk(installed: Installed, tmp_path: Path) -> None:
    seen, key = tmp_path / "seen", tmp_path / "key"
    key.write_text("secret")
    installed(
        Monitor.CLOUD_HYPERVISOR,
        f'for word; do case "$word" in path=*,image_type=raw) disk=${{word#path=}};; esac; done\n'
        f'cat "${{disk%%,*}}" > {seen}\necho oakroot: exit status 0',
    )
    machine = Machine(Path("/images/primary"), "tap9", 128, (), (("transfer.key", key),))
    assert _run(machine, Monitor.CLOUD_HYPERVISOR) == 0
    assert read_drive(seen.read_bytes()) == {"transfer.key": b"secret"}


@pytest.mark.parametrize("monitor", LEAN)
def test_a_machine_ends_with_the_status_that_it_said(
    monitor: Monitor, installed: Installed, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    # Serial lines end as terminals have it. A machine that would start again is ended.
    installed(monitor, "printf 'oakroot: no address\\r\\noakroot: exit status 64\\r\\n'; exec sleep 60")
    assert _run(_machine(), monitor) == 64
    assert capfdbinary.readouterr().out == b"oakroot: no address\r\n"


@pytest.mark.parametrize("monitor", LEAN)
def test_a_machine_whose_kernel_gives_up_is_not_started_for_ever(
    monitor: Monitor, installed: Installed
) -> None:
    forever = "sleep 60" if monitor is Monitor.CLOUD_HYPERVISOR else "true"
    installed(monitor, f"echo '[    1.5] Kernel panic - not syncing: no memory'; exec {forever}")
    assert _run(_machine(), monitor) == BROKEN_OFF


def test_who_is_ended_while_the_monitor_is_being_started_ends_it(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, Callable[[], None]] = {}
    monkeypatch.setattr("signal.signal", handlers.__setitem__)
    start = subprocess.Popen.__init__

    def ended_meanwhile(process: subprocess.Popen[bytes], *arguments: object, **options: object) -> None:
        handlers[signal.SIGTERM]()
        start(process, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", ended_meanwhile)
    installed(Monitor.FIRECRACKER, "exec sleep 60")
    assert _run(_machine(), Monitor.FIRECRACKER) == BROKEN_OFF


@pytest.mark.parametrize("monitor", LEAN)
def test_what_a_host_lacks_is_named(
    monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("oakroot.images.machine.KVM", tmp_path / "kvm")
    wanted = f"{monitor} is not installed; {monitor} needs KVM, and there is no {tmp_path}/kvm"
    with pytest.raises(ImageError, match=wanted):
        _run(_machine(), monitor)


@pytest.mark.parametrize("monitor", LEAN)
def test_a_port_of_the_host_is_for_qemu_alone(monitor: Monitor) -> None:
    with pytest.raises(ImageError, match="leads no port of this host"):
        _run(_machine(network="127.0.0.1:5353"), monitor)


@pytest.mark.parametrize("monitor", LEAN)
def test_software_emulation_is_for_qemu_alone(monitor: Monitor) -> None:
    with pytest.raises(ImageError, match="emulates nothing in software"):
        run(_machine(), monitor, Acceleration.TCG, pytest.fail)


def test_a_command_line_leaves_room_for_the_words_of_firecracker() -> None:
    with pytest.raises(ImageError, match="the kernel reads 1800"):
        _described(_machine("x" * 1750), Monitor.FIRECRACKER)


@pytest.mark.parametrize("monitor", LEAN)
def test_a_secret_that_would_not_stay_is_not_described(monitor: Monitor, tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(ImageError, match="there only while the machine is"):
        _described(Machine(tmp_path, "tap9", 128, (), (("key", tmp_path / "key"),)), monitor)


def test_an_image_is_described_by_the_command(tmp_path: Path) -> None:
    fill(tmp_path / "inputs")
    made_of(tmp_path / "inputs").write(tmp_path / "image")
    done = oakroot("image", "run", tmp_path / "image", "--with", "firecracker", "--print", "--net", "tap9")
    assert done.code == 0, done.errors
    assert json.loads(done.output)["boot-source"]["kernel_image_path"] == str(tmp_path / "image" / "vmlinux")


def test_qemu_is_described_too() -> None:
    told = description(_machine(network="127.0.0.1:5353"), Monitor.QEMU, Acceleration.TCG, pytest.fail)
    assert told.startswith("qemu-system-x86_64 -machine pc,")
