"""The peers as they are measured, set up for speed.

NSD, Knot DNS and BIND are those of the tests, but put no more into an answer than is needed, as Oakroot does;
PowerDNS and YADIFA are added. What must not live here: Oakroot (`contestants`).
"""

from __future__ import annotations

from pathlib import Path

from tests.peers.nameservers import Bind, DaemonNameserver, Knot, Nsd
from tests.peers.ports import LOOPBACK


class LeanNsd(Nsd):
    """NSD without the NS records that it would put behind each answer, as its manual recommends for speed."""

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        return (
            super()
            .configuration(port)
            .replace("minimal-responses: no", "minimal-responses: yes")
            # One-query connections need room; NSD's own default would make it refuse most.
            .replace("tcp-count: 100", "tcp-count: 1000")
            # Its default: without it SIGHUP reads no zone file again.
            .replace("zonefiles-check: no", "zonefiles-check: yes")
        )


class LeanKnot(Knot):
    """Knot DNS, which is lean as it is."""

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        return super().configuration(port).replace("tcp-max-clients: 100", "tcp-max-clients: 1000")


class LeanBind(Bind):
    """BIND without the NS records behind each answer."""

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        return (
            super()
            .configuration(port)
            .replace("minimal-responses no", "minimal-responses yes")
            .replace("tcp-clients 100", "tcp-clients 1000")
        )


class PowerDns(DaemonNameserver):
    """PowerDNS with zone files (its bind backend) and the packet cache that makes it fast."""

    name = "pdns"
    program = "pdns_server"

    def configuration(self, port: int) -> str:
        """The text of pdns.conf, beside which the list of zones is written."""
        zones = [
            f'zone "{zone.apex.removesuffix(".")}" {{ type master; file "{zone.path}"; }};\n'
            for zone in self.zones
        ]
        (self.directory / "zones.conf").write_text("".join(zones))
        return f"""
launch=bind
bind-config={self.directory}/zones.conf
bind-check-interval=0
local-address={LOOPBACK}
local-port={port}
socket-dir={self.directory}
receiver-threads={self.workers}
reuseport=yes
distributor-threads=1
signing-threads=1
max-tcp-connections=1000
disable-axfr=yes
security-poll-suffix=
version-string=anonymous
guardian=no
loglevel=3
"""

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Foreground, and this configuration alone."""
        return (
            "--daemon=no",
            "--disable-syslog",
            f"--config-dir={configuration_file.parent}",
        )


YADIFA = """
<main>
    daemon off
    chroot off
    logpath "{directory}"
    pidfile "{directory}/yadifad.pid"
    datapath "{directory}"
    keyspath "{keys}"
    xfrpath "{transfers}"
    listen {address} port {port}
    port {port}
    user root
    group root
    edns0-max-size 1232
    max-tcp-queries 255
    statistics off
    queries-log-type 0
    network-model multi
    thread-count-by-address {workers}
    zone-load-thread-count 1
    allow-query any
    allow-transfer none
    allow-update none
    allow-notify none
    allow-control none
</main>
<rrl>
    enabled off
</rrl>
<channels>
    all stderr
</channels>
<loggers>
    system err all
    server err all
    database err all
    dnssec err all
    zone err all
</loggers>
"""


class Yadifa(DaemonNameserver):
    """EURid's YADIFA."""

    name = "yadifa"
    program = "yadifad"

    def configuration(self, port: int) -> str:
        """The text of yadifad.conf."""
        keys, transfers = self.directory / "keys", self.directory / "xfr"
        for directory in (keys, transfers):
            directory.mkdir(exist_ok=True)
        head = YADIFA.format(
            directory=self.directory,
            keys=keys,
            transfers=transfers,
            address=LOOPBACK,
            port=port,
            workers=self.workers,
        )
        zones = [
            f"<zone>\n    type primary\n    domain {zone.apex.removesuffix('.')}\n    file {zone.path}\n"
            "    true-multiprimary off\n    no-primary-updates on\n    maintain-dnssec off\n"
            "    notify-auto off\n</zone>\n"
            for zone in self.zones
        ]
        return head + "".join(zones)

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """Foreground."""
        return ("--nodaemon", "-c", str(configuration_file))


PEERS: tuple[type[DaemonNameserver], ...] = (LeanNsd, LeanKnot, LeanBind, PowerDns, Yadifa)
