"""Which system calls a container engine leaves to a container, and which ones a process in it makes.

What must not live here: what our own servers leave themselves (`oakroot.images.syscalls`).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

PROFILE_PACKAGE = "golang-github-containers-common"
"""Debian's, with the filter that Podman and Buildah lay around a container; Docker's has the same origin."""
_PROFILE = Path("usr/share/containers/seccomp.json")
_RIGHTS = re.compile(r"default_capabilities = \[(?P<names>[^]]*)\]")
_NUMBERED = re.compile(r"#define __NR_(?P<name>\w+) \d+")
_HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
# A call that others come in between of takes two lines of strace: the first unfinished, the second resumed.
_BEGUN = re.compile(r"\bexecve(\(| resumed).* = 0\Z")
_MADE = re.compile(r"\d+ +(<\.\.\. )?(?P<name>\w+)(\(| resumed>)(?P<rest>.*)")
_NOT_THERE = "= -1 ENOSYS (Function not implemented)"
_ALLOW = "SCMP_ACT_ALLOW"
_ATTACHING = 20.0


def of_linux() -> frozenset[str]:
    """All that Linux has on x86-64, as its header tells."""
    return frozenset(match["name"] for match in _NUMBERED.finditer(_HEADER.read_text()))


def fetch_profile(directory: Path) -> dict[str, Any]:
    """The filter of a container that asked for nothing, in runc's form."""
    subprocess.run(
        ["apt-get", "download", "--quiet=2", PROFILE_PACKAGE], cwd=directory, check=True, capture_output=True
    )
    package = next(directory.glob(f"{PROFILE_PACKAGE}_*.deb"))
    unpacked = directory / "profile"
    subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
    found = _RIGHTS.search((unpacked / _PROFILE.with_name("containers.conf")).read_text())
    rights = {f"CAP_{name}" for name in re.findall(r'"(\w+)"', found["names"] if found else "")}
    profile = json.loads((unpacked / _PROFILE).read_text())
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": list(that_hold(profile["syscalls"], rights)),
    }


def that_hold(rules: list[dict[str, Any]], rights: set[str]) -> Iterator[dict[str, Any]]:
    """The rules that hold on x86-64 for somebody who has these rights."""
    for rule in rules:
        wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
        if (
            set(wanted.get("caps", ())) <= rights
            and not set(unwanted.get("caps", ())) & rights
            and "amd64" in wanted.get("arches", ("amd64",))
        ):
            rest = {key: rule[key] for key in ("args", "errnoRet") if rule.get(key)}
            yield {"names": rule["names"], "action": rule["action"], **rest}


def allowed_by(profile: Mapping[str, Any]) -> frozenset[str]:
    """The calls of x86-64 that a filter lets through, some of them with certain arguments alone."""
    names = {name for rule in profile["syscalls"] if rule["action"] == _ALLOW for name in rule["names"]}
    return of_linux() & names


def made_by(process: int, log: Path, go_on: Callable[[], None], done: Callable[[], None]) -> frozenset[str]:
    """The calls of a process that waits, and of its children, from its going on until all is done."""
    with log.with_suffix(".said").open("wb") as said:
        tracer = subprocess.Popen(
            ["strace", "-f", "-q", "-s", "0", "-o", log, "-p", str(process)], stdout=said, stderr=said
        )
    try:
        _wait_until_traced(process)
        go_on()
        done()
    finally:
        tracer.terminate()
        tracer.wait(_ATTACHING)
    return frozenset(calls_in(log.read_text(errors="replace")))


def calls_in(text: str) -> set[str]:
    """Those after the engine's process became the container's, and which the kernel had."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines, start=1) if _BEGUN.search(line))
    found = [match for line in lines[begin:] if (match := _MADE.match(line))]
    missing = {match["name"] for match in found if match["rest"].endswith(_NOT_THERE)}
    return {match["name"] for match in found} - missing


def _wait_until_traced(process: int) -> None:
    status = Path(f"/proc/{process}/status")
    while "TracerPid:\t0\n" in status.read_text():
        pass
