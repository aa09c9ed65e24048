"""The first process of a machine: it makes the machine ready, runs the one server, and ends with it.

What the server may do is taken from its process before it begins; this one talks to nobody. No program is
ever started: the server is a fork of this process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from oakroot.images import kernel_calls, netlink
from oakroot.images.boot import Boot, BootRejectedError, read_boot, split, words_of
from oakroot.images.confinement import become, confine
from oakroot.images.drive import ARGUMENTS, LARGEST, BrokenDriveError, read_drive
from oakroot.images.extensions import find_extensions

WRONG_ARGUMENTS = 64  # as MirageOS has it; orchestrators do not start such a machine again
BROKEN_DRIVE = 65
"""The config drive is none, or a broken one."""
FAILED_TO_START = 70
STATUS_LINE = "oakroot: exit status "
USER = 65532
READABLE = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/run", "/dev")
WRITABLE = ("/tmp", "/var/lib/oakroot", "/dev/null")  # noqa: S108 - the machine's own, in memory
_USAGE = 2
_FW_CFG = Path("/sys/firmware/qemu_fw_cfg/by_name/opt/oakroot")
_DISKS = Path("/sys/block")
_SECRETS = Path("/run/secrets")
_MODULES = Path("/lib/modules")
_LONGEST_PAUSE = 30.0
_HEALTHY_SECONDS = 60.0


def main(role: str) -> NoReturn:
    """Runs the machine, and switches it off."""
    find_extensions()
    status = FAILED_TO_START
    try:
        status = _run(role)
    except BrokenDriveError as problem:
        _say(str(problem))
        status = BROKEN_DRIVE
    except BootRejectedError as problem:
        _say(str(problem))
        status = WRONG_ARGUMENTS
    except Exception:  # noqa: BLE001 - a first process that dies is a kernel's panic; nobody else can tell
        traceback.print_exc()
    sys.stderr.write(f"{STATUS_LINE}{status}\n")
    sys.stderr.flush()
    os.sync()
    kernel_calls.switch_off()
    sys.exit(status)


def _run(role: str) -> int:
    for kind, place, options in (
        ("proc", "/proc", ""), ("sysfs", "/sys", ""), ("devtmpfs", "/dev", ""), ("tmpfs", "/run", "mode=755"),
        ("tmpfs", "/tmp", "mode=1777,size=50%"),  # noqa: S108 - the machine's own
        ("tmpfs", "/var/lib/oakroot", f"mode=700,uid={USER},gid={USER},size=50%"),
    ):  # fmt: skip
        flags = 0 if kind == "devtmpfs" else kernel_calls.NOSUID_NODEV_NOEXEC
        kernel_calls.mount(kind, place, kind, flags, options)
    for module in sorted(_MODULES.iterdir()):
        # A machine has some of these devices; a driver of another that will not load is no failure.
        with suppress(OSError):
            kernel_calls.load_module(str(module))
    words = words_of(Path("/proc/cmdline").read_text()) + _handed_over()
    if words == ["--probe"]:
        return 0
    boot = read_boot(words)
    _bring_up(boot)
    kernel_calls.mount(None, "/", None, kernel_calls.READ_ONLY_AGAIN)
    _say(f"{role} at {', '.join(str(each.ip) for each in boot.interfaces)}")
    return _supervise((role, *boot.server))


def _handed_over() -> list[str]:
    """Copies secrets to where the server can read them; gives the words that were handed over likewise."""
    found: dict[str, bytes] = {}
    for name, content in [*_firmware(), *_drives()]:
        if name in found:
            raise BootRejectedError(f"{name} was handed over twice")
        found[name] = content
    words = split(found.pop(ARGUMENTS, b"").decode(errors="replace"))
    _SECRETS.mkdir(mode=0o711)
    for name, content in found.items():
        secret = _SECRETS / name
        secret.touch(mode=0o400)
        secret.write_bytes(content)
        os.chown(secret, USER, USER)
    return words


def _firmware() -> Iterator[tuple[str, bytes]]:
    if _FW_CFG.is_dir():
        for item in _FW_CFG.iterdir():
            with (item / "raw").open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise BootRejectedError(f"{item.name} has more than {LARGEST} octets")
            yield item.name, content


def _drives() -> Iterator[tuple[str, bytes]]:
    for disk in sorted(_DISKS.glob("vd*")):
        with Path("/dev", disk.name).open("rb") as file:
            content = file.read(LARGEST)
        try:
            files = read_drive(content)
        except BrokenDriveError as problem:
            raise BrokenDriveError(f"{disk.name}: {problem}") from None
        yield from files.items()


def _bring_up(boot: Boot) -> None:
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    if len(names) != 1:
        raise BootRejectedError(f"the machine has {len(names)} network interfaces, and needs one")
    netlink.send(netlink.link_up(socket.if_nametoindex("lo")))
    index = socket.if_nametoindex(names[0])
    netlink.send(netlink.link_up(index))
    for interface in boot.interfaces:
        netlink.send(netlink.address(index, interface))
    for gateway in boot.gateways:
        netlink.send(netlink.default_route(index, gateway))
    lines = "".join(f"nameserver {server}\n" for server in boot.name_servers)
    Path("/etc/resolv.conf").write_text(lines)


def _supervise(arguments: Sequence[str]) -> int:
    """Runs the server, again after each failure; gives the status of one that ended as it meant to."""
    serve = import_module(
        "oakroot.cli.main"
    ).main  # the roles' shell is above this room: it is told, not known
    pause = 1.0
    while True:
        began = time.monotonic()
        status = _once(serve, arguments)
        if status == 0:
            return 0
        if status == _USAGE:
            return WRONG_ARGUMENTS
        if time.monotonic() - began > _HEALTHY_SECONDS:
            pause = 1.0
        _say(f"{arguments[0]} ended with status {status}; it starts again in {pause:.0f} s")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _once(serve: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    child = os.fork()
    if child == 0:
        become(USER)
        run_confined(serve, arguments)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_confined(serve: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> NoReturn:
    """Gives up everything that the server does not need, and is the server from now on."""
    status = 1
    try:
        os.chdir("/")
        os.environ["HOME"] = WRITABLE[1]
        for missing in confine(READABLE, WRITABLE):
            _say(f"warning: this kernel has no {missing}; the server runs without it")
        status = serve(arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - the parent reads the status, and nobody else could print this
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _say(text: str) -> None:
    sys.stderr.write(f"oakroot: {text}\n")
    sys.stderr.flush()
