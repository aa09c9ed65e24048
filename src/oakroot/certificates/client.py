"""Certificates for a program's own use, or for files: the public face of this room, and its shell.

    client = Client("ns.example.org", "@/etc/oakroot/certify.key")
    identity = client.obtain("www.example.org", folder="/var/lib/www/tls")
    context = identity.server_context()

What is asked and what follows is decided in `dialogue`; here are clock, sockets and folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import dns.name

from oakroot.certificates import dialogue
from oakroot.certificates.carrying import Progress, run, run_async
from oakroot.certificates.certificate import is_fresh, matches
from oakroot.certificates.dialogue import Ask, Chain, Dialogue, Event, Step, Tell, Wanted
from oakroot.certificates.folder import Folder, FolderError, Kept
from oakroot.certificates.identity import Identity
from oakroot.certificates.names import records_name, write_name
from oakroot.certificates.private_key import PrivateKey, read_private_key
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.wish import Wish
from oakroot.client.exchange import Deadline
from oakroot.client.server import Server, ServerError, read_server
from oakroot.client.signed import ask
from oakroot.keys.grant import Operation, read_grant
from oakroot.keys.key import Key
from oakroot.keys.notation import read_key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.source import find_key_text

PATIENCE = 600
"""Seconds to wait for a certificate: an authority may look at the challenge from several places, slowly."""
REPLY_PATIENCE = 20.0
"""Seconds to wait for a reply: an Oakroot primary answers an UPDATE when it has pushed it."""
RETRY = 3600.0
"""Seconds from a renewal that failed to the next try."""
_LOOK_PATIENCE = 5.0
_UPDATE_PATIENCE = 60.0
_LONGEST_SLEEP = 3600.0

_log = logging.getLogger(__name__)


class Client:
    """Gets certificates by way of a primary, whose zone a certifier watches.

    `server`: `HOST[:PORT]`. `key`: a TSIG key that may update the zone, as on the command line; without one
    only what is published already can be had. Raises ValueError or KeyRejectedError for what is none.
    """

    def __init__(self, server: Server | str, key: Key | str | None = None) -> None:
        self._server = read_server(server) if isinstance(server, str) else server
        self._key = _read_key(key) if isinstance(key, str) else key

    def obtain(
        self,
        wish: Wish | str,
        *,
        folder: Path | str | None = None,
        private_key: str | None = None,
        patience: float = PATIENCE,
        progress: Progress | None = None,
    ) -> Identity:
        """A good certificate and its key: from the folder, from DNS, or by asking for one and waiting.

        With `folder` both are kept there in PEM, and the key is used again; otherwise `private_key` (in PEM)
        is taken. Without either there is a new key, and so a new certificate, each time, which authorities
        limit.

        Raises ServerError (the server, or no certifier within `patience` seconds), RejectedError (a name or a
        key), FolderError and OSError (the folder).
        """
        return run(self._obtaining(wish, folder, private_key, patience), self._answer, progress)

    async def obtain_async(
        self,
        wish: Wish | str,
        *,
        folder: Path | str | None = None,
        private_key: str | None = None,
        patience: float = PATIENCE,
        progress: Progress | None = None,
    ) -> Identity:
        """As `obtain`, without holding up the event loop."""
        steps = self._obtaining(wish, folder, private_key, patience)
        return await run_async(steps, self._answer, progress)

    async def follow(
        self, wish: Wish | str, *, folder: Path | str | None = None, private_key: str | None = None
    ) -> AsyncIterator[Identity]:
        """The identity now, and each one that follows it, until the iteration is given up.

        Only the first may fail; a renewal that fails is logged and tried again hourly.
        """
        identity = await self.obtain_async(wish, folder=folder, private_key=private_key)
        while True:
            yield identity
            following = identity
            while following == identity:
                await _sleep_until(identity.renewal_due.timestamp())
                try:
                    following = await self.obtain_async(wish, folder=folder, private_key=identity.key.pem())
                except (ServerError, RejectedError, FolderError, OSError) as error:
                    _log.warning("no new certificate for %s: %s", ", ".join(identity.names), error)
                    await asyncio.sleep(RETRY)
            identity = following

    def _obtaining(
        self, wish: Wish | str, folder: Path | str | None, private_key: str | None, patience: float
    ) -> Generator[Step, Event, Identity]:
        wish = Wish.of(wish) if isinstance(wish, str) else wish
        if folder is not None:
            return (yield from self._obtaining_into(wish, Folder(Path(folder)), patience))
        key = _key_in_memory(wish, private_key)
        wanted = self._wanted(wish, key)
        return Identity(key, (yield from dialogue.obtain(wanted, time.time(), patience, _draw)))

    def _obtaining_into(
        self, wish: Wish, folder: Folder, patience: float
    ) -> Generator[Step, Event, Identity]:
        with folder.locked():
            kept = folder.kept()
            key = _key_of_folder(wish, folder, kept)
            wanted = self._wanted(wish, key)
            have = kept.chain if kept and kept.chain and matches(kept.chain[0], wanted.request) else ()
            if have and is_fresh(have[0], time.time()) and not wish.renew:
                chain = yield from self._newer(wanted, have)
            else:
                if kept is None or key.public_key != kept.key.public_key:
                    folder.keep_next_key(key)
                chain = yield from dialogue.obtain(wanted, time.time(), patience, _draw)
            if chain != have:
                folder.install(key, chain)
        return Identity(key, chain)

    def _newer(self, wanted: Wanted, have: Chain) -> Dialogue:
        """What is in DNS if that is newer: a certifier may renew early, when the authority says so."""
        try:
            chain = yield from dialogue.look(wanted, time.time(), _draw)
        except ServerError as error:
            yield Tell(f"is there a newer one? {error.message}")
            return have
        return chain if chain and chain[0].not_after > have[0].not_after else have

    def _wanted(self, wish: Wish, key: PrivateKey) -> Wanted:
        request = key.request_for(wish.names)
        return Wanted(str(self._server), wish.host, request, wish.renew, self._obstacle(wish.host))

    def _obstacle(self, host: dns.name.Name) -> ServerError | None:
        """Why a request cannot be published, as far as the key's name tells."""
        if self._key is None:
            return ServerError(
                f"a request for {write_name(host)} has to be signed",
                hint="give a key that may update the zone",
            )
        try:
            grant = read_grant(self._key.name)
        except KeyRejectedError:
            return None  # another server's key, whose name means nothing
        if grant.allows(Operation.UPDATE, records_name(host), "TLSA"):
            return None
        return ServerError(
            f"the key {self._key.text} may not update {write_name(host)}",
            hint="such a key is named anything._update.ZONE, with a ZONE that the host is in",
        )

    def _answer(self, question: Ask) -> bytes:
        """The reply; raises ServerError."""
        patience = _UPDATE_PATIENCE if question.is_change else _LOOK_PATIENCE
        deadline = Deadline.after(patience)
        return ask(self._server, question.message, self._key, deadline, tcp=question.is_change).message


def _key_of_folder(wish: Wish, folder: Folder, kept: Kept | None) -> PrivateKey:
    """The key in use; or where another is wanted, one that waits for its certificate, or a new one."""
    if kept is not None and wish.accepts(kept.key) and not wish.new_key:
        return kept.key
    waiting = folder.next_key()
    return waiting if waiting is not None and wish.accepts(waiting) else wish.make_key()


def _key_in_memory(wish: Wish, pem: str | None) -> PrivateKey:
    given = None if pem is None else read_private_key(pem.encode())
    return given if given is not None and wish.accepts(given) and not wish.new_key else wish.make_key()


def _read_key(text: str) -> Key:
    return read_key(find_key_text(text, os.environ, lambda file: Path(file).read_text(encoding="utf-8")))


def _draw() -> int:
    return secrets.randbelow(1 << 16)


async def _sleep_until(moment: float) -> None:
    """Until then by the clock on the wall, which may be set, or have stood still."""
    while (left := moment - time.time()) > 0:  # noqa: ASYNC110 - nobody sets an event when a clock was set
        await asyncio.sleep(min(left, _LONGEST_SLEEP))
