"""dulwich's clients over this room's connections."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any, cast

from dulwich.client import TraditionalGitClient
from dulwich.protocol import Protocol

from oakroot.git.connections import Allowance, Channel, SocketChannel, Timeouts, dial
from oakroot.git.credentials import Credentials
from oakroot.git.errors import GitError
from oakroot.git.remote import DEFAULT_PORTS, Remote, Transport
from oakroot.git.reports import ReportingClient, ReportListener
from oakroot.git.spares import Spares
from oakroot.late import Part, part

Connect = Callable[[str, str, bool], Channel]


class _Complaints(io.RawIOBase):
    """What dulwich takes for the server's stderr; read when the server hung up early."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def readlines(self, _hint: int | None = -1, /) -> list[bytes]:
        return self._channel.complaints()


class StreamClient(ReportingClient, TraditionalGitClient):
    """dulwich's protocol over channels; `close` ends every conversation it began."""

    def __init__(self, connect: Connect, allowance: Allowance, on_report: ReportListener | None) -> None:
        super().__init__(quiet=True)
        self._allowance = allowance
        self._open_channel = connect
        self._on_report = on_report
        self._conversations: list[Protocol] = []

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[Protocol, Callable[[], bool], IO[bytes] | None]:
        text = path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")
        # Only fetching knows the second version of the protocol.
        second_version = cmd == b"upload-pack" and protocol_version in {None, 2}
        channel = self._open_channel(f"git-{cmd.decode('ascii')}", text, second_version)
        conversation = Protocol(self._allowance.applied_to(channel.read), channel.write, channel.close)
        self._conversations.append(conversation)
        return conversation, channel.can_read, cast("IO[bytes]", _Complaints(channel))

    def close(self) -> None:
        """Ends all connections."""
        for conversation in self._conversations:
            conversation.close()
        self._conversations.clear()


def open_client(
    remote: Remote,
    credentials: Credentials,
    timeouts: Timeouts,
    allowance: Allowance,
    spares: Spares[Any],
    on_report: ReportListener | None = None,
) -> tuple[ReportingClient, bytes]:
    """A client for the remote's protocol, and the path to ask it for. Connects only when asked something.

    `spares`: where connections are kept between two clients of one remote, for protocols that can.
    """

    def over_ssh(service: str, path: str, second_version: bool) -> Channel:  # noqa: FBT001 - see Connect
        environment = {"GIT_PROTOCOL": "version=2"} if second_version else {}
        command = f"{service} {_quoted(path)}"
        channel = part(Part.SSH).open_channel(remote, credentials, timeouts, command, environment, spares)
        return cast("Channel", channel)

    def over_tcp(service: str, path: str, second_version: bool) -> Channel:  # noqa: FBT001 - see Connect
        channel = SocketChannel(dial(remote, timeouts), remote, timeouts)
        try:
            channel.write(_daemon_request(remote, service, path, second_version=second_version))
        except GitError:
            channel.close()
            raise
        return channel

    if remote.transport in {Transport.HTTP, Transport.HTTPS}:
        client = part(Part.HTTPS).HttpsClient(remote, credentials, timeouts, allowance, on_report)
        return cast("ReportingClient", client), b""
    connect = over_ssh if remote.transport is Transport.SSH else over_tcp
    # "/~user" in a URL means that user's home folder, which the server writes "~user".
    path = remote.path[1:] if remote.path.startswith("/~") else remote.path
    return StreamClient(connect, allowance, on_report), path.encode("utf-8")


def _quoted(path: str) -> str:
    """The path as one word for the server's shell, quoted as git does it: hosters parse exactly that."""
    return "'" + path.replace("'", "'\\''") + "'"


def _daemon_request(remote: Remote, service: str, path: str, *, second_version: bool) -> bytes:
    """The first line of git://; gitprotocol-pack(5), "Git Transport"."""
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    if remote.effective_port != DEFAULT_PORTS[Transport.GIT]:
        host = f"{host}:{remote.effective_port}"
    line = f"{service} {path}\0host={host}\0".encode()
    if second_version:
        line += b"\0version=2\0"
    return f"{len(line) + 4:04x}".encode("ascii") + line
