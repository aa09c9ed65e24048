"""Metrics in InfluxDB's line protocol, pushed over TCP: Telegraf's socket_listener and many others take it.

`lines` is pure. `Pusher` keeps a connection while it lasts; who does not take what is sent, or is not there,
is tried again at the next push, and nothing is kept for him: what counts is in the next push, too.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator

from oakroot.operate.metrics import measure
from oakroot.operate.overview import Histogram
from oakroot.operate.samples import Family, Sample, Scene
from oakroot.operate.watchable import INFLUX_SECONDS

_log = logging.getLogger(__name__)

PATIENCE = 5.0
"""For connecting, and for taking what is sent."""

_SPECIAL = re.compile(r"([,= \\])")
_NANOSECONDS = 1_000_000_000


def lines(scene: Scene, name: str) -> Iterator[str]:
    """A line for each sample, tagged with the name of this server; all numbers are floats."""
    moment = int(scene.overview.moment * _NANOSECONDS)
    for family in measure(scene):
        for sample in family.samples:
            yield f"{family.name}{_tags(family, sample, name)} {_fields(sample)} {moment}"


def _tags(family: Family, sample: Sample | Histogram, name: str) -> str:
    values = () if isinstance(sample, Histogram) else sample.labels
    tags = [("name", name), *zip(family.labels, values, strict=True)]
    return "".join(f",{tag}={_escaped(value)}" for tag, value in tags if value)


def _escaped(value: str) -> str:
    """As a tag's value: nothing that ends a line, and commas, blanks and equal signs behind a backslash."""
    printable = (character if character.isprintable() else "?" for character in value)
    return _SPECIAL.sub(r"\\\1", "".join(printable))


def _fields(sample: Sample | Histogram) -> str:
    if isinstance(sample, Sample):
        return f"value={float(sample.value)!r}"
    bounds = [f"le_{bound}={float(count)!r}" for bound, count in sample.cumulative()]
    return ",".join((*bounds, f"count={float(sample.count)!r}", f"sum={sample.total!r}"))


class Pusher:
    """Sends all metrics to one place, every few seconds."""

    def __init__(self, place: tuple[str, int], name: str, scene: Callable[[], Scene]) -> None:
        self._place = place
        self._name = name
        self._scene = scene
        self._writer: asyncio.StreamWriter | None = None
        self._is_in_trouble = False

    async def keep_pushing(self, seconds: float = INFLUX_SECONDS) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await self._push()
                await asyncio.sleep(seconds)
        finally:
            self._hang_up()

    async def _push(self) -> None:
        scene, name = self._scene(), self._name
        text = await asyncio.to_thread(lambda: "".join(f"{line}\n" for line in lines(scene, name)))
        try:
            async with asyncio.timeout(PATIENCE):
                if self._writer is None or self._writer.is_closing():
                    _, self._writer = await asyncio.open_connection(*self._place)
                self._writer.write(text.encode())
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            self._hang_up()
            self._tell(str(error) or "it does not take what is sent")
        else:
            self._tell(None)

    def _tell(self, trouble: str | None) -> None:
        """One line when it begins to fail, and one when it is well again."""
        if trouble is not None and not self._is_in_trouble:
            _log.warning("metrics cannot be pushed to %s port %d: %s", *self._place, trouble)
        if trouble is None and self._is_in_trouble:
            _log.info("metrics are pushed to %s port %d again", *self._place)
        self._is_in_trouble = trouble is not None

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
