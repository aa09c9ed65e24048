"""BIND, Knot DNS and PowerDNS as primaries that take UPDATE signed by one key, as their manuals say.

Each keeps changes in its own way: BIND and Knot in a journal, PowerDNS in a database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from oakroot.keys.key import Key
from tests.peers.configurations import bind_options, knot_server
from tests.peers.nameservers import Bind, DaemonNameserver, Knot, NameserverError, ZoneFile
from tests.peers.ports import LOOPBACK

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class Updatable(DaemonNameserver):
    """A name server whose zones one key may update."""

    package: ClassVar[str] = ""
    """What has to be installed beside the program."""

    def __init__(self, zones: Sequence[ZoneFile], directory: Path, key: Key, *, workers: int = 1) -> None:
        """As `DaemonNameserver`; the zone files may be written to."""
        super().__init__(zones, directory, workers=workers)
        self.key = key


class UpdatableBind(Updatable):
    """ISC BIND 9; it writes a journal beside the zone file."""

    name = "bind"
    program = Bind.program
    arguments = Bind.arguments

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        algorithm, secret = self.key.algorithm.text, self.key.secret.base64()
        head = f'key "{self.key.name}" {{ algorithm {algorithm}; secret "{secret}"; }};'
        more = "notify no; tcp-clients 200; update-quota 1000;"
        head += bind_options(self.directory, (LOOPBACK, port), more)
        zones = [
            f'zone "{zone.apex}" {{ type primary; file "{zone.path}";'
            f' allow-update {{ key "{self.key.name}"; }}; }};\n'
            for zone in self.zones
        ]
        return head + "".join(zones)


class UpdatableKnot(Updatable):
    """CZ.NIC Knot DNS; it writes a journal of its own."""

    name = "knot"
    program = Knot.program
    arguments = Knot.arguments

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        address, more = (LOOPBACK, port), "tcp-max-clients: 200"
        head = knot_server(self.directory, address, more, workers=self.workers, loglevel="warning")
        head += f"""
key:
  - id: {self.key.name}
    algorithm: {self.key.algorithm.text}
    secret: {self.key.secret.base64()}
acl:
  - id: update
    key: {self.key.name}
    action: update
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
    acl: update
zone:
"""
        zones = [f'  - domain: "{zone.apex}"\n    file: "{zone.path}"\n' for zone in self.zones]
        return head + "".join(zones)


class UpdatablePowerDns(Updatable):
    """PowerDNS with its SQLite backend."""

    name = "pdns"
    program = "pdns_server"
    package = "pdns-backend-sqlite3"

    @classmethod
    def find(cls) -> str | None:
        """None also where the backend is missing, which is a package of its own."""
        return super().find() if _SCHEMA.exists() else None

    def configuration(self, port: int) -> str:
        """The text of pdns.conf; the database, which it reads at its start, is made at the same time."""
        self._make_database(port)
        return self._settings(port)

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """It looks for pdns.conf in a directory."""
        return (f"--config-dir={configuration_file.parent}", "--daemon=no", "--guardian=no")

    def _settings(self, port: int) -> str:
        return f"""
launch=gsqlite3
gsqlite3-database={self.directory}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
local-address={LOOPBACK}
local-port={port}
socket-dir={self.directory}
dnsupdate=yes
receiver-threads={self.workers}
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
expand-alias=no
version-string=anonymous
loglevel=4
"""

    def _make_database(self, port: int) -> None:
        database = self.directory / "pdns.sqlite3"
        database.unlink(missing_ok=True)
        with sqlite3.connect(database) as connection:
            connection.executescript(_SCHEMA.read_text())
        connection.close()
        (self.directory / "pdns.conf").write_text(self._settings(port))
        name, algorithm = self.key.name.to_text(omit_final_dot=True), self.key.algorithm.text
        for zone in self.zones:
            apex = zone.apex.rstrip(".")
            self._pdnsutil("load-zone", apex, str(zone.path))
            self._pdnsutil("set-meta", apex, "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
            self._pdnsutil("set-meta", apex, "TSIG-ALLOW-DNSUPDATE", name)
            self._pdnsutil("set-meta", apex, "SOA-EDIT-DNSUPDATE", "INCREASE")
        self._pdnsutil("import-tsig-key", name, algorithm, self.key.secret.base64())

    def _pdnsutil(self, *words: str) -> None:
        program = shutil.which("pdnsutil", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
        if program is None:
            message = "pdnsutil is not installed"
            raise NameserverError(message)
        command = [program, f"--config-dir={self.directory}", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


UPDATABLE: tuple[type[Updatable], ...] = (UpdatableBind, UpdatableKnot, UpdatablePowerDns)
