"""BIND, Knot DNS and NSD configured as secondaries of one zone, by a key, as their manuals say."""

from __future__ import annotations

import subprocess
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from oakroot.keys.key import Key
from tests.peers.nameservers import Address, Bind, DaemonNameserver, Knot, NameserverError, Nsd


@dataclass(frozen=True)
class Trust:
    """The authority that a primary's certificate must be of, and the name it must be for."""

    authority: Path
    name: str


class Secondary(DaemonNameserver):
    """A name server with an address of its own, that has one zone of a primary."""

    trust: Trust | None = None
    """Where zones are transferred over TLS; BIND and NSD alone can do that."""

    def __init__(self, address: Address, primary: Address, zone: str, key: Key, directory: Path) -> None:
        super().__init__((), directory)
        self.address = address
        self.primary = primary
        self.zone = zone
        self.key = key

    @abstractmethod
    def configuration(self, port: int) -> str:
        """The text of the configuration file."""

    def launch(self) -> None:
        """As for any daemon, but at the address that was given."""
        program = self.find()
        if program is None:
            message = f"{self.program} is not installed"
            raise NameserverError(message)
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / f"{self.name}.conf"
        file.write_text(self.configuration(self.address[1]))
        with self._log_file().open("ab") as log:
            self._process = subprocess.Popen(
                [program, *self.arguments(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )

    def use(self, key: Key) -> None:
        """Starts it anew, with another key."""
        self.stop()
        self.key = key
        self.start()


class BindSecondary(Secondary):
    """ISC BIND 9."""

    name = "bind"
    program = Bind.program
    arguments = Bind.arguments

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        host, (primary, primary_port), key = self.address[0], self.primary, self.key
        tls, over_tls = "", ""
        if self.trust is not None:
            over_tls = " tls xot"
            tls = f'tls xot {{ ca-file "{self.trust.authority}"; remote-hostname "{self.trust.name}"; }};'
        return f"""
{tls}
key "{key.name}" {{ algorithm {key.algorithm.text}; secret "{key.secret.base64()}"; }};
options {{
  directory "{self.directory}"; pid-file none; session-keyfile "{self.directory}/session.key"; lock-file none;
  listen-on port {port} {{ {host}; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; empty-zones-enable no; transfer-source {host};
  memstatistics no; max-cache-size 2M;
}};
controls {{ }};
zone "{self.zone}" {{
  type secondary; file "secondary.zone";
  primaries port {primary_port} {{ {primary} key "{key.name}"{over_tls}; }};
}};
"""


class KnotSecondary(Secondary):
    """CZ.NIC Knot DNS."""

    name = "knot"
    program = Knot.program
    arguments = Knot.arguments

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        host, (primary, primary_port), key = self.address[0], self.primary, self.key
        return f"""
server:
    rundir: {self.directory}
    listen: {host}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {self.directory}
control:
    listen: {self.directory}/knot.sock
key:
  - id: {key.name}
    algorithm: {key.algorithm.text}
    secret: {key.secret.base64()}
remote:
  - id: primary
    address: {primary}@{primary_port}
    via: {host}
    key: {key.name}
acl:
  - id: primary
    address: {primary}
    key: {key.name}
    action: notify
zone:
  - domain: "{self.zone}"
    storage: {self.directory}
    master: primary
    acl: primary
"""


class NsdSecondary(Secondary):
    """NLnet Labs NSD."""

    name = "nsd"
    program = Nsd.program
    arguments = Nsd.arguments

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        host, (primary, primary_port), key = self.address[0], self.primary, self.key
        request, bundle, authentication = f"{primary}@{primary_port} {key.name}", "", ""
        if self.trust is not None:
            request = f"AXFR {request} xot"
            bundle = f'tls-cert-bundle: "{self.trust.authority}"'
            authentication = f'tls-auth:\n    name: "xot"\n    auth-domain-name: "{self.trust.name}"'
        return f"""
server:
    {bundle}
    ip-address: {host}@{port}
    username: ""
    chroot: ""
    zonesdir: "{self.directory}"
    database: ""
    zonelistfile: "{self.directory}/zone.list"
    xfrdfile: "{self.directory}/xfrd.state"
    xfrdir: "{self.directory}"
    pidfile: "{self.directory}/nsd.pid"
    server-count: 1
    verbosity: 2
remote-control:
    control-enable: no
key:
    name: "{key.name}"
    algorithm: {key.algorithm.text}
    secret: "{key.secret.base64()}"
{authentication}
zone:
    name: "{self.zone}"
    zonefile: "secondary.zone"
    request-xfr: {request}
    allow-notify: {primary} {key.name}
    outgoing-interface: {host}
"""


SECONDARIES: tuple[tuple[type[Secondary], str], ...] = (
    # BIND listens on addresses of interfaces only, and there is but this one on every machine.
    (BindSecondary, "127.0.0.1"),
    (KnotSecondary, "127.0.0.3"),
    (NsdSecondary, "127.0.0.4"),
)
