"""Giving up the rights of root, once the sockets are bound that need them.

Order matters: groups before the user, since he may not change them; the bounding set before that, for the
same reason. Afterwards nothing that this process starts can gain anything (PR_SET_NO_NEW_PRIVS). Some of it
is said of one thread, so it is to be done before there are others. What must not live here: which user.
"""

from __future__ import annotations

import ctypes
import errno
import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_USER = "oakroot"

# Numbers of prctl(2).
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_MOST_CAPABILITIES = 64


class PrivilegeError(Exception):
    """Rights cannot be given up; the text says why."""


@dataclass(frozen=True)
class Account:
    """Whom a server is to run as."""

    name: str
    user: int
    group: int
    home: str


def find_account(text: str) -> Account:
    """Reads `USER[:GROUP]`, names or numbers; PrivilegeError where there is none, or it is root."""
    user, _, group = text.partition(":")
    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        raise PrivilegeError(f"there is no user {user}; make one: adduser --system --group {user}") from None
    try:
        number = (
            entry.pw_gid if not group else int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
        )
    except KeyError:
        raise PrivilegeError(f"there is no group {group}") from None
    if entry.pw_uid == 0 or number == 0:
        raise PrivilegeError(
            f"{text} is root, or of its group, and has all the rights that are to be given up"
        )
    return Account(entry.pw_name, entry.pw_uid, number, entry.pw_dir)


def default_account() -> Account | None:
    """The user made for us, where there is one."""
    try:
        return find_account(DEFAULT_USER)
    except PrivilegeError:
        return None


def become(account: Account, folders: Iterable[Path]) -> None:
    """Gives up all rights but this user's, for ever. `folders`, where they are empty or absent, become his.

    PrivilegeError: they were not given up, or not all of them.
    """
    try:
        for folder in folders:
            _hand(folder, account)
        _forget_capabilities()
        os.setgroups([])
        os.setresgid(account.group, account.group, account.group)
        os.setresuid(account.user, account.user, account.user)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        # Files of root's home, such as git's settings, are none of his.
        os.environ.update(HOME=account.home, USER=account.name, LOGNAME=account.name)
    except OSError as error:
        raise PrivilegeError(f"cannot become {account.name}: {error.strerror}") from None
    _see_that_they_are_gone(account)


def _hand(folder: Path, account: Account) -> None:
    """A folder with something in it has an owner already, who may be meant."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        os.chown(folder, account.user, account.group, follow_symlinks=False)


def _forget_capabilities() -> None:
    """Takes every capability out of the bounding set: no program started from here can have one."""
    _prctl(_PR_SET_KEEPCAPS, 0)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_MOST_CAPABILITIES):
        try:
            _prctl(_PR_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno == errno.EINVAL:  # the kernel knows no capability of this number, nor a higher one
                return
            raise


def _see_that_they_are_gone(account: Account) -> None:
    if (os.getresuid(), os.getresgid()) != ((account.user,) * 3, (account.group,) * 3) or os.getgroups():
        raise PrivilegeError(f"this process is not what {account.name} is, though the system said so")
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise PrivilegeError("rights that were given up could be taken back")


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), *(ctypes.c_ulong(0),) * 3) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
