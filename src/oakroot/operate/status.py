"""The status page over HTTP: the page, its style and script, and the numbers that its plots go on with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import resources

from oakroot.operate.changes import Change
from oakroot.operate.history import PULSE_SECONDS, History, Pulse
from oakroot.operate.page import Shown, page
from oakroot.operate.plots import PLOTS, newest, values
from oakroot.operate.samples import Scene
from oakroot.operate.web import Answer, Handler, Request

# Nothing from elsewhere, nothing written into the page itself, and nobody may put it into a frame.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML = "text/html; charset=utf-8"


class StatusPage:
    """Its handlers by path, and the memory of its plots."""

    def __init__(
        self,
        scene: Callable[[], Scene],
        pulse: Callable[[], Pulse],
        changes: Callable[[], Awaitable[Sequence[Change]]],
        title: str,
    ) -> None:
        self._scene = scene
        self._pulse = pulse
        self._changes = changes
        self._title = title
        self._history = History()
        self._writing = asyncio.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """By path."""
        return {
            "/": self._page,
            "/live.json": self._live,
            "/status.css": _file("status.css", "text/css; charset=utf-8"),
            "/status.js": _file("status.js", "text/javascript; charset=utf-8"),
        }

    async def keep_counting(self) -> None:
        """Remembers what is counted, until it is cancelled."""
        while True:
            self._history.add(self._pulse())
            await asyncio.sleep(PULSE_SECONDS)

    async def _page(self, _request: Request) -> Answer:
        async with self._writing:
            shown = Shown(self._scene(), self._history.points(), await self._changes(), self._title)
            text = await asyncio.to_thread(page, shown)
        return Answer(text.encode(), _HTML, headers={"Content-Security-Policy": POLICY})

    async def _live(self, _request: Request) -> Answer:
        points = self._history.points()
        plots = {plot.name: {"points": values(plot, points), "text": newest(plot, points)} for plot in PLOTS}
        moment = points[-1].moment if points else 0
        return Answer(json.dumps({"moment": moment, "plots": plots}).encode(), "application/json")


def _file(name: str, content_type: str) -> Handler:
    text = resources.files("oakroot.operate").joinpath(name).read_bytes()

    async def answer(_request: Request) -> Answer:
        return Answer(text, content_type)

    return answer
