"""Where frames of dnstap go: a file, or a collector by a Unix socket or TCP.

Whoever is slow, or away, is not waited for: what may wait for him is bounded, the rest is counted and gone.
All is called by one thread, every few milliseconds. What must not live here: what is in a frame.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import stat
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Literal

from oakroot.frozen import frozen
from oakroot.operate.framestream import Control, Heard, StreamError, control, data

_log = logging.getLogger("oakroot.dnstap")

WAITING_LIMIT = 4 << 20
"""Octets that may wait for a collector."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until a collector that is away is tried again."""
PATIENCE = 10.0
"""Seconds that a collector may take to connect, to agree, or to take anything at all."""
PARTING = 1.0
"""Seconds for what still waits when we end."""
_PART = 32
"""Frames that are sent, or lost, together: the longest leave room for others."""
_MOMENT = 50
"""Milliseconds."""
_RECEIVED = 4096
_MODE = 0o640
"""Of new files: who may read one reads who asked for what."""


@frozen
class Destination:
    """`file:PATH`, `unix:PATH` or `tcp:HOST:PORT`."""

    kind: Literal["file", "unix", "tcp"]
    path: Path = Path()
    place: tuple[str, int] = ("", 0)

    def __str__(self) -> str:
        if self.kind == "tcp":
            host, port = self.place
            return f"tcp:[{host}]:{port}" if ":" in host else f"tcp:{host}:{port}"
        return f"{self.kind}:{self.path}"


@dataclass(slots=True)
class Count:
    """What became of what was to be written."""

    written: int = 0
    dropped: int = 0


class Trouble:
    """One line of the log when something begins to fail, and one when it is well again."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.reason: str | None = None
        """What was told last."""

    def tell(self, reason: str | None) -> None:
        """Why it fails now; None: it does not."""
        if reason is not None and self.reason is None:
            _log.warning("%s cannot be written to: %s", self._what, reason)
        if reason is None and self.reason is not None:
            _log.info("%s is written to again", self._what)
        self.reason = reason


class FrameFile:
    """A stream in a file. One that is there already is set aside under the time of its last change.

    An empty one is used as it is: with the owner and the mode that logrotate's `create` gave it.
    """

    def __init__(self, path: Path, count: Count) -> None:
        """One that cannot be written is tried again with the next frames."""
        self._path = path
        self._count = count
        self._trouble = Trouble(str(path))
        self._file: FileIO | None = None
        self.reopen()

    @property
    def trouble(self) -> str | None:
        """Why it cannot be written."""
        return self._trouble.reason

    def _begin(self) -> FileIO:
        file = _open(self._path, os.O_NOFOLLOW if set_aside(self._path) else os.O_EXCL)
        try:
            _write(file, control(Control.START))
        except OSError:
            file.close()
            raise
        return file

    def put(self, payloads: Sequence[bytes]) -> None:
        """Writes frames, or counts that it could not."""
        try:
            if self._file is None:
                self._file = self._begin()
            _write(self._file, b"".join(map(data, payloads)))
        except OSError as error:
            # Half a frame may be in it: what follows begins a new file.
            self._count.dropped += len(payloads)
            self._trouble.tell(error.strerror or str(error))
            self._let_go()
        else:
            self._count.written += len(payloads)
            self._trouble.tell(None)

    def turn(self) -> None:
        """Nothing waits here."""

    def reopen(self) -> None:
        """Ends this file and begins a new one, under the same name."""
        self.close()
        self.put(())

    def close(self) -> None:
        """Ends the stream."""
        if self._file is not None:
            with suppress(OSError):
                _write(self._file, control(Control.STOP))
            self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


class LineFile:
    """Lines behind those that a file has already."""

    def __init__(self, path: Path, count: Count) -> None:
        """One that cannot be written is tried again with the next lines."""
        self._path = path
        self._count = count
        self._trouble = Trouble(str(path))
        self._file: FileIO | None = None
        self.reopen()

    @property
    def trouble(self) -> str | None:
        """Why it cannot be written."""
        return self._trouble.reason

    def put(self, lines: Sequence[str]) -> None:
        """Writes lines, or counts that it could not."""
        try:
            if self._file is None:
                self._file = _open(self._path)
            _write(self._file, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            self._count.dropped += len(lines)
            self._trouble.tell(error.strerror or str(error))
            self.close()
        else:
            self._count.written += len(lines)
            self._trouble.tell(None)

    def reopen(self) -> None:
        """The name may mean another file now, which is opened at once, so that it is there."""
        self.close()
        self.put(())

    def close(self) -> None:
        """Lets go of the file."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


def _open(path: Path, flags: int = 0) -> FileIO:
    """To write behind what is there. A FIFO that nobody reads is an error, where `open` would wait."""
    flags |= os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    return FileIO(os.open(path, flags, _MODE), "wb")


def _write(file: FileIO, octets: bytes) -> None:
    """Without a buffer, so that what failed does not come later."""
    rest = memoryview(octets)
    while rest:
        written: int | None = file.write(rest)
        if written is None:  # a FIFO is full
            raise BlockingIOError(errno.EAGAIN, "it is not read as fast as it is written")
        rest = rest[written:]


def set_aside(path: Path) -> bool:
    """Renames a file to a name of its own, which tells when it was last written; whether an empty one stays.

    FileExistsError: it is no regular file. A symbolic link is none, wherever it leads.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        raise FileExistsError(errno.EEXIST, "this is no regular file, so it is left alone", str(path))
    if status.st_size == 0:
        return True
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(status.st_mtime))
    aside, number = path.with_name(f"{path.name}.{stamp}"), 1
    while aside.exists():
        aside, number = path.with_name(f"{path.name}.{stamp}.{number}"), number + 1
    path.rename(aside)
    return False


class Collector:
    """A collector, connected to whenever it is there."""

    def __init__(self, destination: Destination, count: Count) -> None:
        self._destination = destination
        self._count = count
        self._trouble = Trouble(str(destination))
        self._socket: socket.socket | None = None
        self._is_agreed = False
        self._heard = b""
        self._words = bytearray()
        """What is to be sent before all that waits."""
        self._waiting: deque[tuple[bytes, int]] = deque()
        """Frames that were put together, and how many they are. The first may be sent in part."""
        self._waiting_octets = 0
        self._sent = 0
        self._pause = FIRST_PAUSE
        self._next_try = 0.0
        self._deadline = 0.0

    @property
    def trouble(self) -> str | None:
        """Why it takes nothing."""
        return None if self._is_agreed else self._trouble.reason or "not connected yet"

    def put(self, payloads: Sequence[bytes]) -> None:
        """Has frames sent, or counts that there is no room for them."""
        for first in range(0, len(payloads), _PART):
            self._put_part(payloads[first : first + _PART])

    def _put_part(self, payloads: Sequence[bytes]) -> None:
        frames = b"".join(map(data, payloads))
        if self._waiting_octets + len(frames) > WAITING_LIMIT:
            self._count.dropped += len(payloads)
            return
        if not self._waiting:
            self._deadline = max(self._deadline, time.monotonic() + PATIENCE)
        self._waiting.append((frames, len(payloads)))
        self._waiting_octets += len(frames)

    def turn(self) -> None:
        """Does what can be done without waiting."""
        try:
            if self._socket is None:
                if time.monotonic() < self._next_try:
                    return
                self._connect()
            self._hear()
            self._send()
            if self._socket is not None and time.monotonic() > self._deadline and self._is_owed_something():
                raise TimeoutError(
                    "it does not take what is sent" if self._is_agreed else "it does not answer"
                )
        except (OSError, StreamError) as error:
            self._hang_up()
            self._trouble.tell(getattr(error, "strerror", None) or str(error))
            self._next_try = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def reopen(self) -> None:
        """Nothing: a collector has its own files. One that is away is tried at once."""
        self._next_try, self._pause = 0.0, FIRST_PAUSE

    def close(self) -> None:
        """Sends what waits, if that is soon done, and says that this was all."""
        end = time.monotonic() + PARTING
        while self._socket is not None and self._waiting and time.monotonic() < end:
            self.turn()
            self._wait()
        if self._socket is not None and self._is_agreed and not self._waiting:
            self._say(control(Control.STOP), end)
        self._count.dropped += sum(number for _, number in self._waiting)
        self._waiting.clear()
        self._hang_up()

    def _connect(self) -> None:
        self._deadline = time.monotonic() + PATIENCE
        if self._destination.kind == "unix":
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(PARTING)
            self._socket.connect(str(self._destination.path))
        else:
            self._socket = socket.create_connection(self._destination.place, PARTING)
        self._socket.settimeout(0)
        self._words += control(Control.READY)

    def _hear(self) -> None:
        if self._socket is None:
            return
        with suppress(BlockingIOError):
            octets = self._socket.recv(_RECEIVED)
            if not octets:
                raise ConnectionError("it has closed the connection")
            heard = Heard.of(self._heard + octets)
            self._heard = heard.rest
            if heard.word is Control.ACCEPT and not self._is_agreed:
                self._is_agreed = True
                self._pause = FIRST_PAUSE
                self._words += control(Control.START)
                self._trouble.tell(None)
            elif heard.word is not None:
                raise StreamError(f"it said {heard.word.name} where that means nothing")

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._socket is not None and self._words:
                del self._words[: self._progress(self._socket.send(self._words))]
            while self._socket is not None and self._is_agreed and self._waiting:
                frames, number = self._waiting[0]
                self._sent += self._progress(self._socket.send(memoryview(frames)[self._sent :]))
                if self._sent == len(frames):
                    self._forget_first()
                    self._count.written += number

    def _progress(self, octets: int) -> int:
        self._deadline = time.monotonic() + PATIENCE
        return octets

    def _is_owed_something(self) -> bool:
        return not self._is_agreed or bool(self._words or self._waiting)

    def _forget_first(self) -> None:
        frames, _ = self._waiting.popleft()
        self._waiting_octets -= len(frames)
        self._sent = 0

    def _wait(self) -> None:
        """A moment, for room, or for the word that comes before all frames."""
        if self._socket is not None:
            poll = select.poll()
            poll.register(self._socket, select.POLLOUT if self._is_agreed else select.POLLIN)
            poll.poll(_MOMENT)

    def _say(self, word: bytes, end: float) -> None:
        """Says this last word, and waits a moment for the other side's: then it has read all."""
        if self._socket is None:
            return
        with suppress(OSError, StreamError):
            self._socket.settimeout(max(0.05, end - time.monotonic()))
            self._socket.sendall(word)
            while Heard.of(self._heard).word is not Control.FINISH and time.monotonic() < end:
                octets = self._socket.recv(_RECEIVED)
                if not octets:
                    return
                self._heard += octets

    def _hang_up(self) -> None:
        """Frames that were sent in part are lost: a new connection begins with whole ones."""
        if self._sent:
            self._count.dropped += self._waiting[0][1]
            self._forget_first()
        if self._socket is not None:
            self._socket.close()
        self._socket, self._is_agreed, self._heard = None, False, b""
        self._words.clear()
