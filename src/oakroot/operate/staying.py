"""Serving on while systemd restarts the service, until the process that it starts next serves.

systemd ends a service before it starts it anew, and looks at one process of it, the main one. So before it
begins, it is told that another process is the main one: one that does nothing, and that it may end. We stay.
What systemd keeps for a service (`FDSTORE`) outlives a restart and nothing else, and there we put an end of a
pair of sockets. Whoever is started next gets it, and takes our place as a successor does (`handover`); when
systemd stops the service, or gives it up, it closes that end, and we hear of it.

What must not live here: what is still to be done before we end.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Callable

from oakroot.frozen import frozen
from oakroot.operate import handed
from oakroot.operate.inheritance import STAYING_NAME
from oakroot.operate.systemd import Supervisor

_SHELL_PATIENCE = 10.0
# It waits for a line that never comes: until systemd ends it, or the other end of its input is closed. Its
# parent ends at once, so that it becomes a child of systemd, which hears of its end. A signal that asks the
# service for something must not end it: systemd would take that for a crash.
_PLACEHOLDER = "exec 3<&0; trap '' HUP USR2; (read -r line) <&3 >/dev/null 2>&1 & echo $!"


class StayError(Exception):
    """We cannot stay; the text says why."""


@frozen
class Stay:
    """What we hold while we stay."""

    channel: socket.socket
    """Says `complete` once the next process serves, and ends when systemd has given the service up."""
    placeholder: int
    """The process that systemd takes for the main one."""
    leash: int
    """The descriptor that ends the placeholder when it is closed."""

    def close(self) -> None:
        """Lets go of both."""
        self.channel.close()
        os.close(self.leash)


def begin(supervisor: Supervisor, pack: Callable[[], int]) -> Stay:
    """Has systemd keep the other end, and what `pack` makes, and starts the placeholder.

    StayError, OSError: nothing was changed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with theirs:
            supervisor.store(STAYING_NAME, theirs.fileno())
        _see_that_it_is_kept(supervisor, ours)
        _leave(supervisor, pack())
        placeholder, leash = _start_placeholder()
    except BaseException:
        ours.close()
        supervisor.forget(handed.NAME)
        raise
    ours.setblocking(False)  # noqa: FBT003 - it has no name
    return Stay(ours, placeholder, leash)


def _leave(supervisor: Supervisor, descriptor: int) -> None:
    # Of what an elder one has left, nothing is to be found any more.
    supervisor.forget(handed.NAME)
    try:
        supervisor.store(handed.NAME, descriptor)
    finally:
        os.close(descriptor)


def _see_that_it_is_kept(supervisor: Supervisor, ours: socket.socket) -> None:
    if not supervisor.is_heard():
        raise StayError("systemd does not listen to this process")
    if has_ended(ours):
        raise StayError("systemd keeps no descriptors for this service; give it FileDescriptorStoreMax=")


def has_ended(channel: socket.socket) -> bool:
    """Whether nobody has the other end any more."""
    # A socket with a time-out waits for something to read, whatever recv(2) is told.
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        return channel.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _start_placeholder() -> tuple[int, int]:
    theirs, ours = os.pipe()
    try:
        told = subprocess.run(  # noqa: S603 - words of our own
            ["/bin/sh", "-c", _PLACEHOLDER],
            stdin=theirs,
            stdout=subprocess.PIPE,
            timeout=_SHELL_PATIENCE,
            check=True,
        ).stdout
        return int(told), ours
    except (subprocess.SubprocessError, ValueError) as error:
        os.close(ours)
        raise StayError(f"no process can be started to stand in for this one: {error}") from None
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
