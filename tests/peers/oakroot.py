"""Oakroot's engine as one more name server, its threads in this process, without git and roles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from oakroot._engine import Catalogue, Diagnostic, Server, Zone, read_zone
from tests.peers.nameservers import Nameserver, ZoneFile
from tests.peers.ports import LOOPBACK


class Oakroot(Nameserver):
    """The engine, serving the zones that it can read; the others it answers with SERVFAIL."""

    name = "oakroot"
    rate_limit: ClassVar[int] = 0

    def __init__(self, zones: Sequence[ZoneFile], directory: Path, *, workers: int = 1) -> None:
        """As `Nameserver`; `workers` is how many threads answer."""
        super().__init__(zones, directory)
        self.workers = workers
        self.diagnostics: dict[str, list[Diagnostic]] = {}
        """What was found wrong with each zone that is not served, by apex."""
        self._server: Server | None = None

    def launch(self) -> None:
        """Reads the zones and starts the threads."""
        server = Server([(LOOPBACK, 0)], workers=self.workers, rate_limit=self.rate_limit)
        self._server = server
        self.address = server.addresses[0]
        server.publish(self._catalogue())
        server.start()

    def _catalogue(self) -> Catalogue:
        readable: list[Zone] = []
        for file in self.zones:
            zone, diagnostics = read_zone(file.path.read_bytes(), file.apex, file.path.name)
            if zone is None:
                self.diagnostics[file.apex] = diagnostics
            else:
                readable.append(zone)
        return Catalogue().with_zones(readable).with_unavailable(list(self.diagnostics))

    def counters(self) -> Mapping[str, int]:
        """What its threads have counted."""
        return {} if self._server is None else self._server.counters()

    def check_alive(self) -> None:
        """Threads end only when told to."""

    def stop(self) -> None:
        """Ends the threads."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def process_ids(self) -> tuple[int, ...]:
        """This very process."""
        return (os.getpid(),)
