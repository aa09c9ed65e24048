"""What a run was measured on: the machine and the versions of everything that took part."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
# How each server tells its version. Some say it on standard error.
ASKING = {
    "oakroot": ("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
    "nsd": ("nsd", "-v"),
    "knot": ("knotd", "-V"),
    "bind": ("named", "-v"),
    "pdns": ("pdns_server", "--version"),
    "yadifa": ("yadifad", "--version"),
    "dnsperf": ("dnsperf", "-h"),
    "runc": ("runc", "--version"),
    "qemu": ("qemu-system-x86_64", "--version"),
}


def machine() -> dict[str, str]:
    """Processor, memory, system, and how busy it is before anything is measured."""
    return {
        "processor": f"{os.cpu_count()} of {_field('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def versions(names: Iterable[str]) -> dict[str, str]:
    """The version of each server named, as far as it tells one."""
    return {name: _version(ASKING[name]) for name in names if name in ASKING}


def _version(command: tuple[str, ...]) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )
    except FileNotFoundError:
        return "not installed"
    said = done.stdout + done.stderr
    if command[0] == "git":
        return said.strip()
    found = re.search(r"\d+\.\d+(\.\d+)?", said)
    return found[0] if found else "unknown"
