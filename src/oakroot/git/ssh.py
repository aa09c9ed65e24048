"""git over ssh: one command on the server, its streams as a channel.

asyncssh is asynchronous and git's protocol here is spoken by blocking code, so each connection has an event
loop of its own, which the calling thread runs while it waits: no second thread, nothing to hand over. A
connection has one channel at a time; when that is done, the next one may have it.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncssh

from oakroot.git.connections import Timeouts, broken_off, dial, stalled
from oakroot.git.credentials import Credentials, LoginKey
from oakroot.git.errors import GitError, InvalidSetting, RemoteRefused, RemoteUnreachable, printable
from oakroot.git.hostkeys import HostTrust, among, refusal, trust_for, with_last
from oakroot.git.remote import Remote
from oakroot.git.spares import Spares

READ_AHEAD = 65536
# A push is written in a dozen pieces, most of them of a few octets: each would be a packet of its own.
WRITE_BEHIND = 65536
COMPLAINTS_LIMIT = 65536
FAREWELL_SECONDS = 2.0
SPARE_PATIENCE = 5.0

T = TypeVar("T")


class _Client(asyncssh.SSHClient):
    """Asked by asyncssh about the host key; remembers what was presented."""

    def __init__(self, trust: HostTrust) -> None:
        self._trust = trust
        self.presented: asyncssh.SSHKey | None = None
        self.presented_authority = False

    # asyncssh tells the host's name and address again; trust was looked up for them before.
    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.presented = key
        return self._trust.accepts(key)

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.presented, self.presented_authority = key, True
        return self._trust.accepts_authority(key)


class SshConnection:
    """A connection to an ssh server, logged in, with the event loop that it lives in."""

    def __init__(self, remote: Remote, credentials: Credentials, timeouts: Timeouts) -> None:
        """Connects, checks the host key and logs in.

        Raises:
            RemoteUnreachable, RemoteUntrusted, RemoteRefused, InvalidSetting: as the types say.
        """
        self._remote = remote
        self._timeouts = timeouts
        self._runner = asyncio.Runner()
        self._connection: asyncssh.SSHClientConnection | None = None
        try:
            self._connection = self._log_in(credentials)
        except BaseException:
            self.close()
            raise

    def start(
        self, command: str, environment: dict[str, str], seconds: float
    ) -> asyncssh.SSHClientProcess[bytes]:
        """Starts a command on the server; raises RemoteUnreachable."""
        if self._connection is None:
            raise AssertionError("a closed connection is not used")
        return self.run(_start(self._connection, command, environment), min(seconds, self._timeouts.stall))

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Runs work in the loop; RemoteUnreachable when it fails, or stalls."""
        try:
            return self._runner.run(_bounded(work, seconds or self._timeouts.stall))
        except TimeoutError:
            raise stalled(self._remote, self._timeouts) from None
        except (OSError, asyncssh.Error) as error:
            raise broken_off(self._remote, printable(str(error))) from None

    def close(self) -> None:
        """Ends it; a second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            # It is thrown away: how the other side takes it does not matter.
            with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
                self._runner.run(_bounded(connection.wait_closed(), FAREWELL_SECONDS))
        self._runner.close()

    def _log_in(self, credentials: Credentials) -> asyncssh.SSHClientConnection:
        """Tries one kind of host key after the other until one is accepted: a pin does not say its kind."""
        trust = trust_for(self._remote, credentials)
        offered = trust.algorithms()
        presented: list[asyncssh.SSHKey] = []
        while True:
            client = _Client(trust)
            try:
                return self._attempt(client, offered, credentials)
            except asyncssh.HostKeyNotVerifiable:
                if client.presented is None:
                    raise broken_off(self._remote, "its host key cannot be read") from None
            if among(client.presented, presented):
                break
            presented.append(client.presented)
            if not trust.expected and not trust.authorities:
                break
            offered = with_last(offered, client.presented, authority=client.presented_authority)
        raise refusal(self._remote, trust, presented)

    def _attempt(
        self, client: _Client, algorithms: tuple[str, ...], credentials: Credentials
    ) -> asyncssh.SSHClientConnection:
        stream = dial(self._remote, self._timeouts)
        work = _connect(stream, self._remote, client, algorithms, credentials.ssh_key)
        try:
            return self._runner.run(_bounded(work, self._timeouts.stall))
        except TimeoutError:
            stream.close()
            raise stalled(self._remote, self._timeouts) from None
        except asyncssh.HostKeyNotVerifiable:
            stream.close()
            raise
        except asyncssh.KeyExchangeFailed as error:
            stream.close()
            reason = printable(str(error))
            raise RemoteUnreachable(f"{self._remote.host} and we share no ssh algorithm: {reason}") from None
        except asyncssh.PermissionDenied:
            stream.close()
            raise _denied(self._remote, credentials.ssh_key) from None
        except (OSError, asyncssh.Error) as error:
            stream.close()
            raise broken_off(self._remote, printable(str(error))) from None


class SshChannel:
    """A channel to a command run on an ssh server; in the end its connection becomes a spare one."""

    def __init__(
        self,
        connection: SshConnection,
        spares: Spares[SshConnection],
        process: asyncssh.SSHClientProcess[bytes],
    ) -> None:
        self._buffer = bytearray()
        self._unwritten = bytearray()
        self._connection: SshConnection | None = connection
        self._spares = spares
        self._process = process
        self._is_sound = True

    def read(self, size: int) -> bytes:
        """See `Channel`."""
        self._flush()
        while len(self._buffer) < size:
            chunk = self._run(self._process.stdout.read(max(size - len(self._buffer), READ_AHEAD)))
            if not chunk:
                break
            self._buffer += chunk
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def write(self, data: bytes) -> None:
        """See `Channel`; what is little waits until something is read, or all is done."""
        self._unwritten += data
        if len(self._unwritten) >= WRITE_BEHIND:
            self._flush()

    def can_read(self) -> bool:
        """See `Channel`."""
        return bool(self._buffer)

    def complaints(self) -> list[bytes]:
        """See `Channel`."""
        return self._run(self._read_complaints()).splitlines()

    def close(self) -> None:
        """See `Channel`."""
        with contextlib.suppress(GitError):
            self._flush()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._process.close()
        try:
            # Until then the server may still send what belongs to this command.
            connection.run(self._process.wait_closed(), FAREWELL_SECONDS)
        except GitError:
            self._is_sound = False
        if self._is_sound:
            self._spares.give(connection)
        else:
            connection.close()

    def _flush(self) -> None:
        data = bytes(self._unwritten)
        self._unwritten.clear()
        if data:
            self._run(self._write(data))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._connection is None:
            work.close()
            raise AssertionError("a closed channel is not used")
        try:
            return self._connection.run(work)
        except BaseException:
            self._is_sound = False
            raise

    async def _write(self, data: bytes) -> None:
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def _read_complaints(self) -> bytes:
        said = b""
        while len(said) < COMPLAINTS_LIMIT and (chunk := await self._process.stderr.read(COMPLAINTS_LIMIT)):
            said += chunk
        return said


def open_channel(
    remote: Remote,
    credentials: Credentials,
    timeouts: Timeouts,
    command: str,
    environment: dict[str, str],
    spares: Spares[SshConnection],
) -> SshChannel:
    """Runs a command over a spare connection, or a new one if none works; raises GitError."""
    while (spare := spares.take()) is not None:
        try:
            return SshChannel(spare, spares, spare.start(command, environment, SPARE_PATIENCE))
        except GitError:
            # Nothing was said yet: to begin anew loses nothing.
            spare.close()
    connection = SshConnection(remote, credentials, timeouts)
    try:
        return SshChannel(connection, spares, connection.start(command, environment, timeouts.stall))
    except BaseException:
        connection.close()
        raise


async def _bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await work


async def _connect(
    stream: socket.socket,
    remote: Remote,
    client: _Client,
    algorithms: tuple[str, ...],
    key: LoginKey | None,
) -> asyncssh.SSHClientConnection:
    """The ssh handshake and login. Only what is named here counts: no ssh_config, no GSSAPI, no X.509."""
    return await asyncssh.connect(
        remote.host,
        remote.effective_port,
        sock=stream,
        config=None,
        client_factory=lambda: client,
        # An empty list, not None: None would accept every host key, and "" would read known_hosts again.
        known_hosts=([], [], []),
        server_host_key_algs=list(algorithms),
        x509_trusted_certs=None,
        gss_host=None,
        gss_kex=False,
        gss_auth=False,
        username=_user(remote),
        preferred_auth="publickey",
        client_keys=() if key is None else [asyncssh.import_private_key(key.openssh_private())],
        # With a key given, no other may be offered: servers tell repositories apart by key.
        agent_path=() if key is None else None,
    )


async def _start(
    connection: asyncssh.SSHClientConnection, command: str, environment: dict[str, str]
) -> asyncssh.SSHClientProcess[bytes]:
    return await connection.create_process(command, env=environment, encoding=None)


def _user(remote: Remote) -> str:
    if remote.user is not None:
        return remote.user
    try:
        return getpass.getuser()  # as ssh does
    except (OSError, KeyError):
        raise InvalidSetting(
            f"{remote} names no user, and this process has none; write ssh://USER@..."
        ) from None


def _denied(remote: Remote, key: LoginKey | None) -> RemoteRefused:
    if key is None:
        return RemoteRefused(
            f"{remote} accepts neither a key of the ssh agent nor one of ~/.ssh; give --ssh-key "
            "(`oakroot keygen ssh` makes one)"
        )
    return RemoteRefused(
        f"{remote} does not accept our ssh key {key.fingerprint}; "
        f"add this line to the keys the server knows: {key.public_line}"
    )
