"""PowerDNS with a database of its own; `pdnsutil` tells it what to serve. What it serves is for its roles."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

from oakroot.keys.key import Key
from tests.peers.nameservers import DaemonNameserver

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class PowerDns(DaemonNameserver):
    """PowerDNS Authoritative Server."""

    name = "pdns"
    program = "pdns_server"

    def configuration(self, port: int) -> str:
        """The text of pdns.conf: no caches, and a look at all zones every second."""
        return f"""
launch=gsqlite3
gsqlite3-database={self.directory}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
local-address={self.address[0]}
local-port={port}
query-local-address={self.address[0]}
socket-dir={self.directory}
daemon=no
guardian=no
primary=yes
secondary=yes
xfr-cycle-interval=1
allow-axfr-ips=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
zone-metadata-cache-ttl=0
domain-metadata-cache-ttl=0
loglevel=6
security-poll-suffix=
"""

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """It looks for pdns.conf in the directory."""
        return (f"--config-dir={configuration_file.parent}",)

    def prepare(self) -> bool:
        """Makes the database; False if it was there."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "pdns.conf").write_text(self.configuration(self.address[1]))
        database = self.directory / "pdns.sqlite3"
        if database.exists():
            return False
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA.read_text())
        connection.close()
        return True

    def tool(self, *words: str) -> None:
        """`pdnsutil`."""
        environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}
        command = ["pdnsutil", f"--config-dir={self.directory}", *words]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=30, env=environment
        )
        assert done.returncode == 0, f"pdnsutil {words[0]}: {done.stdout}{done.stderr}"

    def add_key(self, key: Key) -> None:
        """A key that it knows from now on."""
        self.tool("import-tsig-key", key_name(key), key.algorithm.text, key.secret.base64())


def key_name(key: Key) -> str:
    """As its database has it."""
    return key.name.to_text(omit_final_dot=True)
