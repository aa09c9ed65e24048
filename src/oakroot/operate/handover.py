"""One process takes the place of another, with the same sockets, and is seen to serve before the other ends.

Between the two is a pair of connected sockets. The elder sends what it listens by (as SCM_RIGHTS, unix(7));
the younger says `complete`. An end of either closes the pair, which tells the other. Both have the *same*
sockets: a datagram that waits is read by whoever comes first, and none is lost with a socket that is closed.

What must not live here: when to begin, and what the elder still has to do before it ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from oakroot.operate.inheritance import InheritanceError, Socket
from oakroot.operate.staying import has_ended

VARIABLE = "OAKROOT_PREDECESSOR"
"""Holds the number of the younger's end of the pair."""
HANDED = "OAKROOT_HANDED_FD"
"""Holds the number of what the elder has left (`handed`)."""

COMPLETE = b"complete"
_MOST_DESCRIPTORS = 200
_LONGEST = 1 << 16
_PATIENCE = 30.0
# Process, user and group (unix(7), SO_PEERCRED).
_CREDENTIALS = struct.Struct("=iII")
# They tell our own state to systemd, not our successor's.
_OURS_ALONE = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID")


@dataclass
class Successor:
    """A process that was started to take our place, and our end of the pair."""

    process: subprocess.Popen[bytes]
    channel: socket.socket

    def close(self) -> None:
        """Lets go of the pair."""
        self.channel.close()


def start_successor(
    sockets: Sequence[Socket],
    environment: Mapping[str, str],
    handed: int | None = None,
    command: Sequence[str] | None = None,
) -> Successor:
    """Starts the program anew, as it is installed now, with the arguments that this process was started with.

    `handed` is the descriptor of what is left to it. OSError: it cannot be started.
    """
    command = [sys.executable, *sys.orig_argv[1:]] if command is None else command
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        theirs.set_inheritable(True)
        variables = {name: value for name, value in environment.items() if name not in _OURS_ALONE}
        variables[VARIABLE] = str(theirs.fileno())
        passed = [theirs.fileno()]
        if handed is not None:
            variables[HANDED] = str(handed)
            passed.append(handed)
        process = subprocess.Popen(  # noqa: S603 - the very program that runs
            command, env=variables, pass_fds=passed, stdin=subprocess.DEVNULL
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    successor = Successor(process, ours)
    try:
        _send(ours, sockets)
    except OSError:
        process.terminate()
        successor.close()
        raise
    return successor


class Predecessor:
    """The process whose place we take."""

    def __init__(self, channel: socket.socket, *others: socket.socket, stays: bool = False) -> None:
        """`others` lead to processes before it that have not ended either."""
        self._channel = channel
        self._channels = (channel, *others)
        for each in self._channels:
            each.set_inheritable(False)
            each.settimeout(_PATIENCE)
        self.stays = stays
        """Whether it only stays until we serve: systemd has ended it already, and started us (`staying`)."""

    @staticmethod
    def of(environment: dict[str, str]) -> Predecessor | None:
        """Who has started us; None: nobody of ours. The variable that tells so is taken away."""
        number = environment.pop(VARIABLE, "")
        if not number:
            return None
        try:
            return Predecessor(socket.socket(fileno=int(number)))
        except (ValueError, OSError):
            raise InheritanceError(f"${VARIABLE} is set, and no predecessor of ours has set it") from None

    @staticmethod
    def kept(channels: Iterable[socket.socket]) -> Predecessor | None:
        """Who stays until we serve, of whom systemd has kept these; None: nobody."""
        living = []
        # In which order systemd passes them, it does not promise.
        for channel in channels:
            if has_ended(channel):
                channel.close()
            else:
                living.append(channel)
        return Predecessor(*living, stays=True) if living else None

    @property
    def has_ended(self) -> bool:
        """Whether it is there no more."""
        return all(has_ended(channel) for channel in self._channels)

    def descriptors(self) -> tuple[int, ...]:
        """What becomes readable when it ends, or one before it that had not ended."""
        return tuple(channel.fileno() for channel in self._channels)

    def receive(self) -> tuple[Socket, ...]:
        """What it listens by."""
        found: list[Socket] = []
        try:
            while True:
                message, descriptors, _flags, _address = socket.recv_fds(
                    self._channel, _LONGEST, _MOST_DESCRIPTORS
                )
                if not message:
                    raise InheritanceError("the process whose place we take has ended")
                words = json.loads(message)
                for descriptor, (transport, host, port) in zip(descriptors, words["sockets"], strict=True):
                    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name
                    found.append(Socket(transport, (host, port), descriptor))
                if words["is_last"]:
                    return tuple(found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = "the process whose place we take has sent no sockets"
            raise InheritanceError(f"{what}: {type(error).__name__}") from None

    def tell_complete(self) -> None:
        """It may go: we serve all that it does."""
        for channel in self._channels:
            # Who is gone already does not wait for us.
            with suppress(OSError):
                channel.send(COMPLETE)

    def kill(self) -> None:
        """Ends who has not ended by itself, be it that it hangs; OSError."""
        for channel in self._channels:
            process, *_ = _CREDENTIALS.unpack(
                channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            handle = os.pidfd_open(process)
            try:
                # As long as it has the other end, no other process has its number.
                if not has_ended(channel):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)

    def wait_for_end(self, patience: float) -> bool:
        """Whether it has ended within these seconds."""
        self._channel.settimeout(patience)
        try:
            return self._channel.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


def _send(channel: socket.socket, sockets: Sequence[Socket]) -> None:
    channel.settimeout(_PATIENCE)
    starts = range(0, max(len(sockets), 1), _MOST_DESCRIPTORS)
    for start in starts:
        batch = sockets[start : start + _MOST_DESCRIPTORS]
        words = {
            "sockets": [(each.transport, *each.address) for each in batch],
            "is_last": start == starts[-1],
        }
        socket.send_fds(channel, [json.dumps(words).encode()], [each.descriptor for each in batch])
    channel.setblocking(False)  # noqa: FBT003 - it has no name
