"""How far a long command is: a line that lives on a terminal, and plain lines anywhere else."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self, TextIO

_CLEAR_LINE = "\r\x1b[2K"
_TICK = 1.0


class Progress:
    """Called with what is being done now, which stays in sight on a terminal, with the time it takes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lives = stream.isatty()
        self._began = time.monotonic()
        self._text = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._lives:
            self._ticker.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._lives:
            self._ticker.join()
            self._write(_CLEAR_LINE)

    def __call__(self, text: str) -> None:
        """Tells what is being done now."""
        with self._lock:
            if self._lives:
                self._text = text
                self._paint()
            else:
                self._write(f"{text}\n")

    def _tick(self) -> None:
        while not self._over.wait(_TICK):
            with self._lock:
                self._paint()

    def _paint(self) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._write(f"{_CLEAR_LINE}{minutes}:{seconds:02} {self._text}" if self._text else "")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
