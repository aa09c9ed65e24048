"""What is said over a control socket: one line of JSON asks, one line of JSON answers. Sans I/O.

    {"oakroot": 1, "command": "reload", "arguments": {"zone": "example.org."}}
    {"oakroot": 1, "version": "0.1.0", "result": {…}}
    {"oakroot": 1, "version": "0.1.0", "refused": "…", "hint": "…"}

The number is that of this protocol. It changes only if old and new could misunderstand each other; a command
that one side does not know is refused by its name, and fields that a reader does not know are left aside.
What must not live here: sockets, and what a command does.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import field

from oakroot.frozen import frozen

PROTOCOL = 1
REQUEST_LIMIT = 64 * 1024
ANSWER_LIMIT = 256 * 1024 * 1024
"""About a million zones."""


class ControlError(Exception):
    """A command that is not carried out: why, and how to mend that. It never holds a secret."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@frozen
class Request:
    """A command and its arguments."""

    command: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """An argument that is text, or absent."""
        value = self.arguments.get(name)
        if value is not None and not isinstance(value, str):
            raise ControlError(f"the argument {name} must be text")
        return value


def write_request(request: Request) -> bytes:
    """The line that asks."""
    return _line({"oakroot": PROTOCOL, "command": request.command, "arguments": dict(request.arguments)})


def read_request(line: bytes) -> Request:
    """The command of a line; ControlError for what is none."""
    message = _read(line, "this is no command")
    command, arguments = message.get("command"), message.get("arguments", {})
    if message.get("oakroot") != PROTOCOL:
        said = message.get("oakroot")
        text = f"this server speaks version {PROTOCOL} of the control protocol, and not {said!r}"
        raise ControlError(text, "use the oakroot command of the server's version")
    if not isinstance(command, str) or not isinstance(arguments, dict):
        raise ControlError("this is no command: it needs a command and arguments")
    return Request(command, arguments)


def write_result(result: Mapping[str, object], version: str) -> bytes:
    """The line that says what came of a command."""
    return _line({"oakroot": PROTOCOL, "version": version, "result": plain(result)})


def write_refusal(error: ControlError, version: str) -> bytes:
    """The line that says why a command was not carried out."""
    return _line({"oakroot": PROTOCOL, "version": version, "refused": error.message, "hint": error.hint})


def read_answer(line: bytes) -> Mapping[str, object]:
    """What came of a command; ControlError if it was refused, or if the line is no answer."""
    message = _read(line, "what answers there is no server of Oakroot")
    if message.get("oakroot") != PROTOCOL:
        text = f"the server speaks version {message.get('oakroot')!r} of the control protocol, not {PROTOCOL}"
        raise ControlError(
            text, f"use the oakroot command of its version, {message.get('version', 'unknown')}"
        )
    refused, result, hint = message.get("refused"), message.get("result"), message.get("hint")
    if refused is not None:
        raise ControlError(str(refused), None if hint is None else str(hint))
    if not isinstance(result, dict):
        raise ControlError("the server's answer has no result")
    return result


def unknown_command(command: str, known: Mapping[str, object], role: str, version: str) -> ControlError:
    """The refusal of a command that this role, or this version of it, does not have."""
    text = f"a {role} (Oakroot {version}) has no command {command!r}"
    return ControlError(text, f"its commands are {', '.join(sorted(known))}")


def plain(value: object) -> object:
    """A frozen value as JSON has it: dataclasses and mappings are objects, tuples and sets are arrays."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return value


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _read(line: bytes, otherwise: str) -> dict[str, object]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise ControlError(f"{otherwise}: it is not JSON") from None
    if not isinstance(message, dict):
        raise ControlError(f"{otherwise}: it is no JSON object")
    return message
