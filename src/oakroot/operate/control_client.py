"""Asking a running service over its control socket. Blocking; every way to fail has words of its own."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path

from oakroot.operate.control import ANSWER_LIMIT, ControlError, Request, read_answer, write_request

_PIECE = 1 << 16


class NobodyThereError(ControlError):
    """The service that made this socket is gone, or was never there."""


def ask(path: Path, request: Request, seconds: float) -> Mapping[str, object]:
    """What the service at this socket says came of the command; ControlError."""
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(seconds)
            connection.connect(str(path))
            connection.sendall(write_request(request))
            line = _read_line(connection, deadline)
        except TimeoutError:
            hint = "its log may say what it is busy with"
            raise ControlError(f"the service at {path} does not answer within {seconds:g} s", hint) from None
        except OSError as problem:
            raise _explained(path, problem) from None
    if not line.endswith(b"\n"):
        raise ControlError(f"the service at {path} hung up without an answer", "is it being stopped?")
    return read_answer(line)


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    pieces, length = [], 0
    while length <= ANSWER_LIMIT:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(_PIECE)
        pieces.append(piece)
        length += len(piece)
        if not piece or piece.endswith(b"\n"):
            return b"".join(pieces)
    raise ControlError(f"the service's answer has more than {ANSWER_LIMIT} octets")


def _explained(path: Path, problem: OSError) -> ControlError:
    match problem:
        case FileNotFoundError():
            hint = "is the service running, and with --control? The log says where its socket is"
            return NobodyThereError(f"there is no control socket {path}", hint)
        case PermissionError():
            hint = (
                "ask as root or as the service's user, or run it with --control-mode 0660 and join its group"
            )
            return ControlError(f"you may not use the control socket {path}", hint)
        case ConnectionRefusedError() if path.is_socket():
            hint = "its process has ended without removing it; a start of the service will replace it"
            return NobodyThereError(f"nobody answers at the control socket {path}", hint)
        case ConnectionRefusedError():
            return ControlError(f"{path} is no control socket", "give the path of --control")
        case _:
            return ControlError(f"the control socket {path}: {problem.strerror or problem}")
