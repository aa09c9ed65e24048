"""BIND, Knot DNS, NSD and PowerDNS as primaries of zones that a key may transfer, as their manuals say.

Zones are files; a change is a new file and a reload, which makes each of them send NOTIFY and keep the
differences for IXFR. Knot is also changed through its control socket, and BIND by UPDATE.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from oakroot.keys.key import Key
from tests.peers.configurations import PATIENT_KNOT, bind_options, knot_server, nsd_server
from tests.peers.git_servers import wait_until
from tests.peers.nameservers import Bind, DaemonNameserver, Knot, Nsd
from tests.peers.ports import Address
from tests.peers.powerdns import PowerDns, key_name


class Primary(DaemonNameserver):
    """A name server that has zones, which a secondary at one address may transfer and is notified of."""

    signs_refusals: ClassVar[bool] = True
    """Whether it signs that it does not have a zone."""

    def __init__(self, address: Address, secondary: Address, keys: Sequence[Key], directory: Path) -> None:
        super().__init__((), directory)
        self.host, self.port = self.address = address
        self.secondary = secondary
        self.keys = list(keys)
        self.texts: dict[str, str] = {}
        self.tls: tuple[int, Path] | None = None
        """The port to speak TLS on, and a file with certificate and key; BIND and NSD alone can do that."""

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    @property
    def key(self) -> Key:
        """The key that NOTIFYs are signed with."""
        return self.keys[0]

    def serve(self, texts: dict[str, str | None]) -> None:
        """Changes, adds and (None) removes zones; at once if the server runs."""
        for apex, text in texts.items():
            if text is None:
                del self.texts[apex]
                continue
            self.texts[apex] = text
            self.directory.mkdir(parents=True, exist_ok=True)
            new = self.zone_file(apex).with_suffix(".new")
            new.write_text(text)
            new.replace(self.zone_file(apex))
        if self._process is not None:
            self.write_configuration()
            self.reload()

    def reload(self) -> None:
        """Has it read configuration and zones again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def zone_file(self, apex: str) -> Path:
        """Where a zone's text is."""
        return self.directory / f"{apex}zone"

    def log_text(self) -> str:
        """All that it logged."""
        with contextlib.suppress(FileNotFoundError):
            return self._log_file().read_text(errors="replace")
        return ""


class BindPrimary(Primary):
    """ISC BIND 9."""

    name = "bind"
    program = Bind.program
    arguments = Bind.arguments
    takes_updates = False

    def serve(self, texts: dict[str, str | None]) -> None:
        """A file that changes while it does not run must not meet a journal of before (rndc(8), freeze)."""
        if not self.is_running:
            for apex in texts:
                self.zone_file(apex).with_name(f"{self.zone_file(apex).name}.jnl").unlink(missing_ok=True)
        super().serve(texts)

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        (host, _), (secondary, secondary_port) = self.address, self.secondary
        keys = "\n".join(
            f'key "{key.name}" {{ algorithm {key.algorithm.text}; secret "{key.secret.base64()}"; }};'
            for key in self.keys
        )
        allowed = " ".join(f'key "{key.name}";' for key in self.keys)
        tls, listen_tls = "", ""
        if self.tls is not None:
            tls_port, file = self.tls
            tls = f'tls own {{ cert-file "{file}"; key-file "{file}"; protocols {{ TLSv1.3; }}; }};'
            listen_tls = f"listen-on port {tls_port} tls own {{ {host}; }};"
        options = f"""{listen_tls}
  allow-transfer {{ {allowed} }}; ixfr-from-differences yes; notify-delay 0; notify explicit;
  also-notify {{ {secondary} port {secondary_port} key "{self.key.name}"; }};
  max-cache-size 2M;"""
        head = f"{keys}\n{tls}{bind_options(self.directory, (host, port), options)}"
        more = f"allow-update {{ {allowed} }};" if self.takes_updates else ""
        zones = [
            f'zone "{apex}" {{ type primary; file "{self.zone_file(apex)}"; {more} }};\n'
            for apex in self.texts
        ]
        return head + "".join(zones)


class UpdatableBindPrimary(BindPrimary):
    """BIND that takes UPDATEs by the keys that may transfer."""

    takes_updates = True


class KnotPrimary(Primary):
    """CZ.NIC Knot DNS."""

    name = "knot"
    program = Knot.program
    arguments = Knot.arguments
    signs_refusals = False  # its keys belong to zones
    catalog: str | None = None
    """A catalog zone of all its zones, to be generated."""

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        (host, _), (secondary, secondary_port) = self.address, self.secondary
        head = f"""
{knot_server(self.directory, (host, port), PATIENT_KNOT)}
key:
{self._keys()}
remote:
  - id: secondary
    address: {secondary}@{secondary_port}
    key: {self.key.name}
acl:
  - id: secondary
    key: [{", ".join(str(key.name) for key in self.keys)}]
    action: transfer
template:
  - id: default
    storage: {self.directory}
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
    notify: secondary
    acl: secondary
zone:
"""
        return head + "".join(map(self._zone, self.texts)) + self._catalog()

    def _zone(self, apex: str) -> str:
        member = (
            "" if self.catalog is None else f"    catalog-role: member\n    catalog-zone: {self.catalog}\n"
        )
        return f'  - domain: "{apex}"\n    file: "{self.zone_file(apex)}"\n{member}'

    def _catalog(self) -> str:
        return "" if self.catalog is None else f'  - domain: "{self.catalog}"\n    catalog-role: generate\n'

    def _keys(self) -> str:
        return "".join(
            f"  - id: {key.name}\n    algorithm: {key.algorithm.text}\n    secret: {key.secret.base64()}\n"
            for key in self.keys
        )

    def control(self, *words: str) -> None:
        """`knotc`."""
        command = ["knotc", "--socket", f"{self.directory}/knot.sock", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def set_record(self, apex: str, owner: str, ttl: int, kind: str, rdata: str) -> None:
        """One record more, by a transaction; Knot raises the serial itself."""
        self.control("zone-begin", apex)
        self.control("zone-set", apex, owner, str(ttl), kind, rdata)
        self.control("zone-commit", apex)


class NsdPrimary(Primary):
    """NLnet Labs NSD."""

    name = "nsd"
    program = Nsd.program
    arguments = Nsd.arguments

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        (host, _), (secondary, secondary_port) = self.address, self.secondary
        keys = "".join(
            f'key:\n    name: "{key.name}"\n    algorithm: {key.algorithm.text}\n'
            f'    secret: "{key.secret.base64()}"\n'
            for key in self.keys
        )
        more = ["verbosity: 2", "xfrd-reload-timeout: 0"]
        if self.tls is not None:
            tls_port, file = self.tls
            more += [f"ip-address: {host}@{tls_port}", f"tls-port: {tls_port}"]
            more += [f'tls-service-key: "{file}"', f'tls-service-pem: "{file}"']
        head = f"""
{nsd_server(self.directory, (host, port), *more)}
remote-control:
    control-enable: yes
    control-interface: "{self.directory}/nsd.sock"
{keys}"""
        return head + "".join(self._zone(apex, secondary, secondary_port) for apex in self.texts)

    def reload(self) -> None:
        """Zones come and go by `reconfig`, their content by `reload`."""
        for word in ("reconfig", "reload"):
            command = ["nsd-control", "-c", f"{self.directory}/nsd.conf", word]
            path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
            environment = {**os.environ, "PATH": path}
            subprocess.run(command, check=True, capture_output=True, timeout=30, env=environment)

    def _zone(self, apex: str, secondary: str, port: int) -> str:
        allowed = "".join(f"    provide-xfr: 127.0.0.0/8 {key.name}\n" for key in self.keys)
        return f"""
zone:
    name: "{apex}"
    zonefile: "{self.zone_file(apex)}"
    notify: {secondary}@{port} {self.key.name}
    create-ixfr: yes
    store-ixfr: yes
{allowed}"""


class PowerDnsPrimary(PowerDns, Primary):
    """PowerDNS Authoritative Server, which sends whole zones only."""

    def launch(self) -> None:
        """As the others; it has its zones from the database."""
        self.prepare()
        Primary.launch(self)

    def serve(self, texts: dict[str, str | None]) -> None:
        """Changes the database, where it finds what must be notified by itself."""
        self.prepare()
        for key in self.keys:
            self.add_key(key)
        for apex, text in texts.items():
            if text is None:
                self.tool("delete-zone", apex)
                del self.texts[apex]
                continue
            self.texts[apex] = text
            self.zone_file(apex).write_text(text)
            self.tool("load-zone", apex, str(self.zone_file(apex)))
        for apex in self.texts:
            self._settle(apex, "primary")

    def offer(self, catalog: str, *members: str) -> None:
        """Makes a catalog zone of some of its zones.

        Once a second PowerDNS compares its list with the one it saw last, and raises the serial if they
        differ. Who changes the list twice in between changed nothing, so this waits until the list was seen.
        """
        self.zone_file(catalog).write_text("@ 0 SOA invalid. invalid. 1 60 60 86400 0\n@ 0 NS invalid.\n")
        self.tool("load-zone", catalog, str(self.zone_file(catalog)))
        for member in members:
            self.tool("set-catalog", member, catalog)
        self._settle(catalog, "producer")  # from here on it is looked at, and never without its members
        wait_until("the catalog zone to be seen", lambda: "new CATALOG-HASH" in self.log_text())

    def _settle(self, apex: str, kind: str) -> None:
        host, port = self.secondary
        self.tool("set-meta", apex, "ALSO-NOTIFY", f"{host}:{port}")
        self.tool("set-meta", apex, "TSIG-ALLOW-AXFR", *map(key_name, self.keys))
        self.tool("set-kind", apex, kind)


PRIMARIES: tuple[tuple[type[Primary], str], ...] = (
    # BIND listens on addresses of interfaces only, and there is but this one on every machine.
    (BindPrimary, "127.0.0.1"),
    (KnotPrimary, "127.0.0.3"),
    (NsdPrimary, "127.0.0.4"),
    (PowerDnsPrimary, "127.0.0.5"),
)
