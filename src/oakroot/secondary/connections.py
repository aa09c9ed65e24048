"""Keeps the TCP connections to primaries that the core calls links: opens, reads, writes, tells of the end.

What is said over them is the core's business. Nothing ends a link because it is quiet: that is its purpose.
The system probes it now and then, so that a NAT on the way does not forget it, and a dead peer is noticed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from oakroot.secondary.encryption import Encryption, UntrustedError, explain, prove, server_name
from oakroot.secondary.events import LinkClosed, LinkHeard, LinkOpened
from oakroot.secondary.sources import Server

_log = logging.getLogger("oakroot.secondary")

CONNECT_SECONDS = 10.0
UNREAD_LIMIT = 1 << 20
"""Octets that a primary may leave unread before it is hung up on."""
# Seconds. RFC 5382 §5 asks NATs to remember a quiet connection for two hours; many forget it within minutes.
_PROBE_AFTER, _PROBE_EVERY, _PROBES = 60, 20, 3

LinkEvent = LinkOpened | LinkHeard | LinkClosed


class Connections:
    """All links of one secondary; to be used on the thread of the running event loop."""

    def __init__(self, happened: Callable[[LinkEvent], None], encryption: Encryption) -> None:
        self._happened = happened
        self._encryption = encryption
        self._tasks: dict[Server, asyncio.Task[None]] = {}
        self._writers: dict[Server, asyncio.StreamWriter] = {}

    def open(self, server: Server, local: str | None) -> None:
        """Ends in LinkOpened or LinkClosed. `local` is the address of ours to come from, if it matters."""
        task = asyncio.create_task(self._run(server, local), name=f"link to {server}")
        self._tasks[server] = task
        task.add_done_callback(_tell_of_bug)

    def send(self, server: Server, wire: bytes) -> None:
        """Sends a message; to a link that is gone nothing is sent, as its end is on the way to the core."""
        writer = self._writers.get(server)
        if writer is None or writer.is_closing():
            return
        writer.write(len(wire).to_bytes(2) + wire)
        if writer.transport.get_write_buffer_size() > UNREAD_LIMIT:
            writer.transport.abort()

    def hang_up(self, server: Server) -> None:
        """Ends the link; nothing more is told of it."""
        task = self._tasks.pop(server, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Ends all links."""
        tasks = list(self._tasks.values())
        for server in list(self._tasks):
            self.hang_up(server)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, server: Server, local: str | None) -> None:
        reason = await self._talk(server, local)
        self._tasks.pop(server, None)
        self._happened(LinkClosed(server, reason))

    async def _talk(self, server: Server, local: str | None) -> str:
        """Opens and reads; why it ended."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await self._connect(server, local)
        except TimeoutError:
            return f"cannot connect within {CONNECT_SECONDS:.0f} s"
        except OSError as error:
            return f"cannot connect: {explain(error)}"
        try:
            _keep_alive(writer)
            self._writers[server] = writer
            self._happened(LinkOpened(server))
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                self._happened(LinkHeard(server, await reader.readexactly(length)))
        except EOFError:
            return "it closed the connection"
        except OSError as error:
            return f"the connection broke ({error.strerror or 'it was aborted'})"
        finally:
            if self._writers.get(server) is writer:
                del self._writers[server]
            writer.transport.abort()

    async def _connect(
        self, server: Server, local: str | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Over TLS the primary has proved who it is; raises OSError."""
        place, source = (server.address, server.port), None if local is None else (local, 0)
        if server.identity is None:
            return await asyncio.open_connection(*place, local_addr=source)
        name = server_name(server.identity)
        context = self._encryption.context(server.identity)
        # Without a name to compare, none is sent either: that of an address never is.
        reader, writer = await asyncio.open_connection(
            *place, local_addr=source, ssl=context, server_hostname=name or server.address
        )
        try:
            prove(writer.get_extra_info("ssl_object"), server.identity)
        except UntrustedError:
            writer.transport.abort()
            raise
        return reader, writer


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    settings = {"TCP_KEEPIDLE": _PROBE_AFTER, "TCP_KEEPINTVL": _PROBE_EVERY, "TCP_KEEPCNT": _PROBES}
    for name, value in settings.items():
        # Not every system lets a program choose.
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _tell_of_bug(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("this is a bug in Oakroot, please report it", exc_info=task.exception())
