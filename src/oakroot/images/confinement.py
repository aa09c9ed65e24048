"""Gives up what a server does not need: rights, files, system calls. None of it comes back.

Linux on x86-64 only. Thin: what is allowed is said in `syscalls` and in the arguments.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

from oakroot.images.syscalls import filter_program

_CAPSET, _SECCOMP = 126, 317
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_KEEP_CAPABILITIES, _DROP_BOUND, _NO_NEW_PRIVILEGES = 8, 24, 38
_NET_BIND_SERVICE = 10
_CAPABILITY_VERSION = 0x20080522
_FILTER_ALL_THREADS = 1  # SECCOMP_FILTER_FLAG_TSYNC
_READ = 0x4 | 0x8  # read files, list folders
_WRITE = 0x2 | 0x10 | 0x20 | 0x80 | 0x100 | 0x1000 | 0x2000
"""Write, remove folders and files, make folders, files and links, and link across folders."""
_ALL_ABI_1, _REFER, _TRUNCATE = 0x1FFF, 0x2000, 0x4000

_libc = ctypes.CDLL(None, use_errno=True)


def become(user: int) -> None:
    """Another user, with one right left: to open ports below 1024."""
    _call("prctl", _KEEP_CAPABILITIES, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user, user, user)
    for capability in range(64):
        if capability != _NET_BIND_SERVICE and _libc.prctl(_DROP_BOUND, capability, 0, 0, 0) != 0:
            break
    os.setresuid(user, user, user)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    bit = 1 << _NET_BIND_SERVICE
    _system_call(_CAPSET, header, struct.pack("=6I", bit, bit, 0, 0, 0, 0))


def confine(readable: Sequence[str], writable: Sequence[str]) -> list[str]:
    """Leaves these folders, and the system calls of a server. Gives what this kernel could not do."""
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    missing = [] if _landlock(readable, writable) else ["landlock"]
    program = filter_program()
    kept = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(kept))
    try:
        _system_call(_SECCOMP, 1, _FILTER_ALL_THREADS, described)
    except OSError:
        missing.append("seccomp")
    return missing


def _landlock(readable: Sequence[str], writable: Sequence[str]) -> bool:
    try:
        version = _system_call(_LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return False
    handled = _ALL_ABI_1 | (_REFER if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)  # noqa: PLR2004 - the version that has truncation
    rules = _system_call(_LANDLOCK_CREATE, struct.pack("=Q", handled), 8, 0)
    try:
        for folders, rights in ((readable, _READ), (writable, (_READ | _WRITE | _TRUNCATE) & handled)):
            for folder in folders:
                _allow(rules, folder, rights)
        _system_call(_LANDLOCK_RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return True


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - nothing is imported before the server that it can do without
            rights &= 0x4 | 0x2 | _TRUNCATE
        _system_call(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _system_call(number: int, *arguments: object) -> int:
    result = _libc.syscall(ctypes.c_long(number), *(_wide(each) for each in arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(result)


def _wide(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*(ctypes.c_ulong(each) for each in arguments)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
