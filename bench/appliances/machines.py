"""Our images as virtual machines, emulated in software: start, memory, and with how little they do.

What must not live here: how QEMU is told (`oakroot.images.qemu`).
"""

from __future__ import annotations

import gzip
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.appliances.forms import Start
from bench.appliances.world import World, is_served, wait_until_served
from bench.processes import processor
from oakroot.images import cpio
from oakroot.images.build import INITRAMFS, PLAIN_KERNEL
from oakroot.images.contents import PYTHON, Role
from oakroot.images.machine import Machine
from oakroot.images.qemu import Acceleration, command
from oakroot.images.tree import File
from tests.peers.nameservers import NameserverError
from tests.peers.ports import LOOPBACK, free_port

ADDRESS, HOST = "10.0.2.15/24", "10.0.2.2"
"""What QEMU gives a machine without a network of its own, and this machine's in there."""
_LEAST, _MOST, _STEP = 96, 160, 4
_RESTING = 5.0
_FAILED = re.compile(r"it starts again|Out of memory|Kernel panic|exit status|System is deadlocked")
_LOOK = re.compile(r"bench: available (\d+)")
_INIT = """\
#!/{python} -IS
from oakroot.images.memory import move_root
move_root(("/{python}", "-IS", "-c", {program!r}))
"""
_WATCHED = """\
import os, time
if os.fork() == 0:
    while True:
        time.sleep(1)
        try:
            lines = dict(line.split(":") for line in open("/proc/meminfo"))
        except OSError:
            continue
        os.write(2, ("bench: available " + lines["MemAvailable"].split()[0] + "\\n").encode())
from oakroot.images.init import main
main("{role}")
"""


@dataclass(frozen=True, slots=True)
class Console:
    """A machine's, as far as it was written."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def text(self) -> str:
        """All of it."""
        return self.log.read_text(errors="replace")

    def look(self) -> None:
        """NameserverError if the machine says that it will not serve."""
        if self.process.poll() is not None or _FAILED.search(self.text()):
            message = f"the machine failed:\n{self.text()[-1000:]}"
            raise NameserverError(message)


@dataclass(frozen=True, slots=True)
class Kind:
    """A machine that can be started again and again."""

    role: Role
    image: Path
    world: World
    directory: Path

    def start(self, memory: int) -> Start:
        """From QEMU's start to the first right answer; the processor time is that of the emulator."""
        began = time.monotonic()
        with self._running(self.image, memory) as console:
            wait_until_served(console.port, f"the {self.role}'s machine", console.look)
            seconds = time.monotonic() - began
            return Start(seconds, processor([console.process.pid]).total)

    def at_rest(self, memory: int) -> int:
        """Octets that the kernel cannot give to anybody else while the server rests, its own among them."""
        image = self.directory / "watched"
        image.mkdir()
        (image / PLAIN_KERNEL).symlink_to((self.image / PLAIN_KERNEL).resolve())
        text = _INIT.format(python=PYTHON, program=_WATCHED.format(role=self.role))
        init = File(text.encode(), executable=True)
        # The kernel unpacks one archive after the other; what is in both is that of the last.
        more = gzip.compress(cpio.write({"init": init}, 0))
        (image / INITRAMFS).write_bytes((self.image / INITRAMFS).read_bytes() + more)
        with self._running(image, memory) as console:
            wait_until_served(console.port, f"the {self.role}'s machine", console.look)
            time.sleep(_RESTING)
            available = int(_LOOK.findall(console.text())[-1])
        return memory * 2**20 - available * 1024

    def least(self) -> int:
        """The least MiB with which it serves, in steps of four."""
        too_little, enough = _LEAST, _MOST
        while enough - too_little > _STEP:
            between = (enough + too_little) // 2 // _STEP * _STEP
            if self._serves(between):
                enough = between
            else:
                too_little = between
        return enough

    def _serves(self, memory: int) -> bool:
        try:
            with self._running(self.image, memory) as console:
                wait_until_served(console.port, f"the {self.role}'s machine", console.look)
                time.sleep(_RESTING)
                return is_served(console.port, over_tcp=True)
        except NameserverError:
            return False

    @contextmanager
    def _running(self, image: Path, memory: int) -> Iterator[Console]:
        port = free_port()
        own = (f"--ipv4={ADDRESS}", f"--ipv4-gateway={HOST}", "--listen=0.0.0.0")
        words = (*own, *self.world.arguments(self.role, HOST))
        key = self.world.key(self.role)
        secrets = () if key is None else ((key.name, key),)
        machine = Machine(image, f"{LOOPBACK}:{port}", memory, words, secrets)
        log = self.directory / "console"
        with log.open("wb") as console:
            process = subprocess.Popen(
                command(machine, Acceleration.TCG), stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        try:
            yield Console(process, log, port)
        finally:
            process.terminate()
            process.wait()
