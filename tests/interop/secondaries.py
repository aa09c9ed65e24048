"""BIND, Knot DNS, NSD and PowerDNS as secondaries, by a key, as their manuals and `oakroot keygen` say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from oakroot.keys.key import Key
from oakroot.keys.snippets import Primary, write_for
from tests.peers.configurations import PATIENT_KNOT, bind_options, knot_server, nsd_server
from tests.peers.nameservers import Bind, DaemonNameserver, Knot, Nsd
from tests.peers.ports import Address
from tests.peers.powerdns import PowerDns, key_name


@dataclass(frozen=True)
class Trust:
    """The authority that a primary's certificate must be of, and the name it must be for."""

    authority: Path
    name: str


class Secondary(DaemonNameserver):
    """A name server with an address of its own, that has one zone of a primary."""

    trust: Trust | None = None
    """Where zones are transferred over TLS; BIND and NSD alone can do that."""

    follows_catalogs: ClassVar[bool] = True
    """Whether it knows catalog zones."""
    catalog: str | None = None
    """One to follow."""

    def __init__(self, address: Address, primary: Address, zone: str, key: Key, directory: Path) -> None:
        super().__init__((), directory)
        self.host, self.port = self.address = address
        self.primary = primary
        self.zone = zone
        self.key = key

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
        (primary, primary_port), key = self.primary, self.key
        tls, over_tls = "", ""
        if self.trust is not None:
            over_tls = " tls xot"
            tls = f'tls xot {{ ca-file "{self.trust.authority}"; remote-hostname "{self.trust.name}"; }};'
        return f"""
{tls}
{write_for("bind", key)}
{self.options(port)}
zone "{self.zone}" {{
  type secondary; file "secondary.zone";
  primaries port {primary_port} {{ {primary} key "{key.name}"{over_tls}; }};
}};
{self._catalog()}
"""

    def options(self, port: int) -> str:
        """All but keys and zones."""
        more = f"notify no; transfer-source {self.host}; max-cache-size 2M;\n  {self._catalog_zones()}"
        return bind_options(self.directory, (self.host, port), more)

    def _catalog_zones(self) -> str:
        if self.catalog is None:
            return ""
        primary, port = self.primary
        members = f'default-primaries {{ {primary} port {port} key "{self.key.name}"; }}'
        return f'catalog-zones {{ zone "{self.catalog}" {members} in-memory yes min-update-interval 1; }};'

    def _catalog(self) -> str:
        if self.catalog is None:
            return ""
        primary, port = self.primary
        place = f'primaries port {port} {{ {primary} key "{self.key.name}"; }};'
        return f'zone "{self.catalog}" {{ type secondary; file "catalog.zone"; {place} }};'


class KnotSecondary(Secondary):
    """CZ.NIC Knot DNS."""

    name = "knot"
    program = Knot.program
    arguments = Knot.arguments

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        host, (primary, primary_port), key = self.address[0], self.primary, self.key
        return f"""
{knot_server(self.directory, (host, port), PATIENT_KNOT)}
{write_for("knot", key)}
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
{self._members()}
zone:
  - domain: "{self.zone}"
    storage: {self.directory}
    master: primary
    acl: primary
{self._catalog()}
"""

    def _members(self) -> str:
        return f"""
template:
  - id: member
    storage: {self.directory}
    master: primary
    acl: primary
"""

    def _catalog(self) -> str:
        if self.catalog is None:
            return ""
        return f"""
  - domain: "{self.catalog}"
    storage: {self.directory}
    master: primary
    acl: primary
    catalog-role: interpret
    catalog-template: member
"""


class NsdSecondary(Secondary):
    """NLnet Labs NSD."""

    name = "nsd"
    program = Nsd.program
    follows_catalogs = False
    arguments = Nsd.arguments

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        host, (primary, primary_port), key = self.address[0], self.primary, self.key
        key_name, bundle, authentication = key.name.to_text(omit_final_dot=True), "", ""
        request = f"{primary}@{primary_port} {key_name}"
        if self.trust is not None:
            request = f"AXFR {request} xot"
            bundle = f'tls-cert-bundle: "{self.trust.authority}"'
            authentication = f'tls-auth:\n    name: "xot"\n    auth-domain-name: "{self.trust.name}"'
        return f"""
{self.server(port)}
    {bundle}
{write_for("nsd", key)}
{authentication}
zone:
    name: "{self.zone}"
    zonefile: "secondary.zone"
    request-xfr: {request}
    allow-notify: {primary} {key_name}
    outgoing-interface: {host}
"""

    def server(self, port: int) -> str:
        """All but keys and zones; the section of the server is the last one."""
        remote = "remote-control:\n    control-enable: no\n"
        return remote + nsd_server(self.directory, (self.host, port), "verbosity: 2")


class PrintedBind(BindSecondary):
    """BIND with no zones but what `oakroot keygen` prints."""

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        return self.options(port) + write_for("bind", self.key, Primary(*self.primary))


class PrintedKnot(KnotSecondary):
    """Knot DNS with no servers and zones but what `oakroot keygen` prints."""

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        storage = f"template:\n  - id: default\n    storage: {self.directory}\n"
        server = knot_server(self.directory, (self.host, port), PATIENT_KNOT)
        return server + storage + write_for("knot", self.key, Primary(*self.primary))


class PrintedNsd(NsdSecondary):
    """NSD with no zones but what `oakroot keygen` prints."""

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        return self.server(port) + write_for("nsd", self.key, Primary(*self.primary))


class PowerDnsSecondary(PowerDns, Secondary):
    """PowerDNS Authoritative Server."""

    def launch(self) -> None:
        """As the others, once the database says what they have in their configuration."""
        if self.prepare():
            self.add_key(self.key)
            self._add_zone(self.zone)
            self.tool("set-meta", self.zone, "IXFR", "1")
            if self.catalog is not None:
                self._add_zone(self.catalog)
                self.tool("set-kind", self.catalog, "consumer")
        Secondary.launch(self)

    def use(self, key: Key) -> None:
        """Has the new key for its zones."""
        self.add_key(key)
        for zone in (self.zone, self.catalog):
            if zone is not None:
                self.tool("set-meta", zone, "AXFR-MASTER-TSIG", key_name(key))
        super().use(key)

    def _add_zone(self, zone: str) -> None:
        host, port = self.primary
        self.tool("create-secondary-zone", zone, f"{host}:{port}")
        self.tool("set-meta", zone, "AXFR-MASTER-TSIG", key_name(self.key))


PRINTED: tuple[tuple[type[Secondary], str], ...] = (
    (PrintedBind, "127.0.0.1"),
    (PrintedKnot, "127.0.0.3"),
    (PrintedNsd, "127.0.0.4"),
)
"""Configured by `oakroot keygen` alone."""

SECONDARIES: tuple[tuple[type[Secondary], str], ...] = (
    # BIND listens on addresses of interfaces only, and there is but this one on every machine.
    (BindSecondary, "127.0.0.1"),
    (KnotSecondary, "127.0.0.3"),
    (NsdSecondary, "127.0.0.4"),
    (PowerDnsSecondary, "127.0.0.5"),
)
