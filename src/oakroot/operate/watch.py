"""Lets an operator watch a running role: metrics and health over HTTP, pushes, and questions to name servers.

All of it runs beside the role in its event loop, and only reads. A scrape is written in a thread, one at a
time.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

from oakroot.late import Part, part
from oakroot.operate.influx import Pusher
from oakroot.operate.nameservers import Nameservers, asking, resolve
from oakroot.operate.samples import Scene
from oakroot.operate.signatures import Signatures
from oakroot.operate.status import StatusPage
from oakroot.operate.watchable import Role, Settings
from oakroot.operate.web import Answer, Handler, Request, listening

_log = logging.getLogger(__name__)


class Watch:
    """What is shown over HTTP of one role."""

    def __init__(self, role: Role, settings: Settings) -> None:
        self._role = role
        self._settings = settings
        self._writing = asyncio.Lock()
        self.page = StatusPage(self.scene, role.pulse, role.changes, settings.name or socket.gethostname())
        self.nameservers = Nameservers(role.overview, lambda: role.catalogue, asking(settings.port), resolve)
        self.signatures = Signatures(role.overview, lambda: role.catalogue)

    def handlers(self) -> Mapping[str, Handler]:
        """By path."""
        own: Mapping[str, Handler] = {
            "/metrics": self._metrics,
            "/healthz": self._health,
            "/readyz": self._readiness,
        }
        return {**self.page.handlers(), **own}

    def scene(self) -> Scene:
        """What is measured now."""
        return Scene(
            self._role.overview(),
            self._settings.zones_limit,
            self.nameservers.verdicts,
            self.signatures.expiries,
            self._settings.counts(),
        )

    async def _metrics(self, request: Request) -> Answer:
        exposition = part(Part.EXPOSITION)
        async with self._writing:
            scene, accept = self.scene(), request.header("accept")
            content_type, text = await asyncio.to_thread(exposition.expose, scene, accept)
        return Answer(text, content_type)

    async def _health(self, _request: Request) -> Answer:
        """Whoever reads this has been answered by the loop that everything runs in."""
        return Answer.text("ok")

    async def _readiness(self, _request: Request) -> Answer:
        obstacles = self._role.overview().obstacles
        if obstacles:
            return Answer.text("\n".join(obstacles), HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer.text("ready")


@asynccontextmanager
async def watched(role: Role, settings: Settings) -> AsyncIterator[tuple[str, int] | None]:
    """Shows and pushes while the block runs; gives the address where it is shown.

    OSError: the address cannot be bound.
    """
    watch = Watch(role, settings)
    async with AsyncExitStack() as stack:
        address = None
        if settings.address is not None:
            address = await stack.enter_async_context(listening(watch.handlers(), settings.address))
            _beside(stack, watch.page.keep_counting())
            _log.info("status and metrics on http://%s/ and /metrics", _shown(address))
        if settings.is_wanted:
            _beside(stack, watch.signatures.keep_looking())
        if settings.ask_seconds and settings.is_wanted:
            _beside(stack, watch.nameservers.keep_asking(settings.ask_seconds))
        if settings.influx is not None:
            _beside(stack, Pusher(settings.influx, settings.name, watch.scene).keep_pushing())
        yield address


def _beside(stack: AsyncExitStack, work: Coroutine[object, object, None]) -> None:
    """Does this until the block ends."""

    async def guarded() -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - the role goes on; the log keeps what is needed to mend it
            _log.exception("this is a bug in Oakroot, please report it")

    stack.callback(asyncio.create_task(guarded()).cancel)


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
