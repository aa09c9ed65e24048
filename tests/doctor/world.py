"""A small Internet on loopback addresses: a root and a parent zone, and zones that are ill in one way each.

Parent and children are real servers at one port; ill ways lead to them through relays.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdtypes.ANY.DNSKEY
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.doctor.relay import Relay, has_edns
from tests.peers.authority import Authority
from tests.peers.nameservers import Bind, DaemonNameserver, Knot, Nsd, ZoneFile
from tests.peers.ports import free_port

ROOT, FIRST, SECOND = "127.0.0.1", "127.0.9.2", "127.0.9.3"  # BIND takes addresses of interfaces only
NO_TCP, NO_EDNS, NO_LARGE, NOBODY = "127.0.9.4", "127.0.9.5", "127.0.9.6", "127.0.9.9"
DAY = 86400


class OpenRoot(Bind):
    """Root and parent, which is also a resolver for anybody, and speaks TLS."""

    host = ROOT
    tls = "", 0
    """The file of its certificate and key, and the port."""

    def configuration(self, port: int) -> str:
        file, tls_port = self.tls
        listening = (
            f"recursion yes; allow-recursion {{ any; }}; listen-on port {tls_port} tls own {{ {ROOT}; }};"
        )
        own = f'tls own {{ cert-file "{file}"; key-file "{file}"; }};\n'
        return own + super().configuration(port).replace("recursion no;", listening)


class FirstChild(Nsd):
    """A server of most zones, with answers as large as they come."""

    host = FIRST

    def configuration(self, port: int) -> str:
        return super().configuration(port).replace("ipv4-edns-size: 1232", "ipv4-edns-size: 4096")


class SecondChild(Knot):
    """Another one."""

    host = SECOND


@dataclass(frozen=True)
class Key:
    """A key of a signed zone."""

    private: ec.EllipticCurvePrivateKey
    public: dns.rdtypes.ANY.DNSKEY.DNSKEY

    @classmethod
    def made(cls) -> Key:
        """A new one."""
        private = ec.generate_private_key(ec.SECP256R1())
        algorithm = dns.dnssectypes.Algorithm.ECDSAP256SHA256
        return cls(private, dns.dnssec.make_dnskey(private.public_key(), algorithm, flags=257))

    def ds(self, zone: str, digest: str = "SHA256") -> str:
        """The DS record as text."""
        anything = dns.dnssec.allow_all_policy
        made = dns.dnssec.make_ds(dns.name.from_text(zone), self.public, digest, policy=anything)
        return f"{zone} DS {made.to_text()}"


def text(zone: str, *records: str, serial: int = 1, second: str = SECOND, first: str = FIRST) -> str:
    """A zone with two name servers within it."""
    lines = [
        f"{zone} 300 SOA ns1.{zone} hostmaster.{zone} {serial} 3600 600 86400 300",
        *(f"{zone} 300 NS {name}.{zone}" for name in ("ns1", "ns2")),
        f"ns1.{zone} 300 A {first}",
        f"ns2.{zone} 300 A {second}",
        *(record.replace(" ", " 300 ", 1) for record in records),
    ]
    return "\n".join(lines) + "\n"


def signed(zone: str, key: Key, *, ends_in: float = 30 * DAY, began: float = -60 * DAY) -> str:
    """The same, signed until then."""
    made = dns.zone.from_text(text(zone), zone, relativize=False)
    now = int(time.time())
    dns.dnssec.sign_zone(
        made,
        keys=[(key.private, key.public)],
        add_dnskey=True,
        dnskey_ttl=300,
        inception=int(now + began),
        expiration=int(now + ends_in),
    )
    return made.to_text()


def delegation(
    zone: str, *more: str, names: tuple[str, ...] = ("ns1", "ns2"), glue: tuple[str, ...] = (FIRST, SECOND)
) -> str:
    """What the parent has of a zone."""
    lines = [f"{zone} 300 NS {name}.{zone}" for name in names]
    lines += [f"{name}.{zone} 300 A {address}" for name, address in zip(names, glue, strict=False) if address]
    return "\n".join([*lines, *(record.replace(" ", " 300 ", 1) for record in more)]) + "\n"


@dataclass(frozen=True)
class Ports:
    """Where all servers are asked."""

    dns: int
    tls: int


class World:
    """All zones, by who serves them."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.second: dict[str, str] = {}
        self.root: dict[str, str] = {}
        self.parent = (
            f"test. 300 SOA ns.test. hostmaster.test. 1 3600 600 86400 300\ntest. 300 NS ns.test.\n"
            f"ns.test. 300 A {ROOT}\n"
        )
        self._sound()
        self._delegated_wrongly()
        self._served_wrongly()
        self._signed()

    def both(self, zone: str, content: str, delegated: str) -> None:
        """A zone that both children have."""
        self.first[zone] = self.second[zone] = content
        self.parent += delegated

    def _sound(self) -> None:
        self.both(
            "good.test.", text("good.test.", 'good.test. CAA 0 issue "ca.example"'), delegation("good.test.")
        )

    def _delegated_wrongly(self) -> None:
        for zone in ("noglue.test.", "glue.test.", "gone.test."):
            self.both(zone, text(zone), "")
        self.parent += delegation("noglue.test.", glue=("", SECOND))
        self.parent += delegation("glue.test.", glue=(FIRST, NOBODY))
        self.both(
            "names.test.",
            text("names.test.", "names.test. NS ns3.names.test.", f"ns3.names.test. A {FIRST}"),
            delegation("names.test.", "names.test. NS old.good.test."),
        )
        self.both("one.test.", text("one.test.", second=FIRST), delegation("one.test.", names=("ns1",)))
        aliased = "alias.test. SOA a. b. 1 3600 600 86400 300\nalias.test. NS ns.alias.test.\n"
        aliased += "ns.alias.test. CNAME ns1.good.test.\n"
        self.first["alias.test."] = "$TTL 300\n" + aliased
        self.parent += f"alias.test. 300 NS ns.alias.test.\nns.alias.test. 300 A {FIRST}\n"

    def _served_wrongly(self) -> None:
        self.first["lame.test."] = text("lame.test.")
        self.parent += delegation("lame.test.")
        self.first["lag.test."] = text("lag.test.", serial=2)
        self.second["lag.test."] = text("lag.test.", serial=1)
        self.parent += delegation("lag.test.")
        for zone, address in (
            ("notcp.test.", NO_TCP),
            ("noedns.test.", NO_EDNS),
            ("silent.test.", NOBODY),
            ("open.test.", ROOT),
        ):
            self.first[zone] = text(zone, second=address)
            self.parent += delegation(zone, glue=(FIRST, address))
        self.root["open.test."] = self.first["open.test."]
        keys = [f"large.test. DNSKEY {Key.made().public.to_text()}" for _ in range(20)]
        self.first["large.test."] = text("large.test.", *keys, second=NO_LARGE)
        self.parent += delegation("large.test.", glue=(FIRST, NO_LARGE))

    def _signed(self) -> None:
        key, other = Key.made(), Key.made()
        for zone, content, ds in (
            ("secure.test.", signed("secure.test.", key), key.ds("secure.test.")),
            ("mismatch.test.", signed("mismatch.test.", key), other.ds("mismatch.test.")),
            ("expired.test.", signed("expired.test.", key, ends_in=-DAY), key.ds("expired.test.")),
            ("ending.test.", signed("ending.test.", key, ends_in=DAY), key.ds("ending.test.")),
            ("unsigned.test.", text("unsigned.test."), key.ds("unsigned.test.")),
            ("weak.test.", signed("weak.test.", key), key.ds("weak.test.", "SHA1")),
        ):
            self.both(zone, content, delegation(zone, ds))
        self.both("island.test.", signed("island.test.", key), delegation("island.test."))
        asking = signed("cds.test.", key) + other.ds("cds.test.").replace(" DS ", " 300 CDS ") + "\n"
        self.both("cds.test.", asking, delegation("cds.test.", key.ds("cds.test.")))

    @contextmanager
    def running(self, directory: Path) -> Iterator[Ports]:
        """All servers; gives their ports."""
        root = (
            f". 300 SOA ns.test. hostmaster.test. 1 3600 600 86400 300\n. 300 NS ns.test.\n"
            f"test. 300 NS ns.test.\nns.test. 300 A {ROOT}\n"
        )
        self.root |= {".": root, "test.": self.parent}
        port, tls_port = free_port(), free_port()
        OpenRoot.tls = str(Authority(directory).issue("ns.test", hours=30 * 24)), tls_port
        children: tuple[tuple[type[DaemonNameserver], dict[str, str]], ...] = (
            (OpenRoot, self.root),
            (FirstChild, self.first),
            (SecondChild, self.second),
        )
        with ExitStack() as stack:
            for kind, zones in children:
                folder = directory / kind.__name__
                folder.mkdir()
                server = kind([_file(folder, apex, content) for apex, content in zones.items()], folder)
                server.port = port
                stack.enter_context(server)
            first = (FIRST, port)
            stack.enter_context(Relay((NO_TCP, port), first, tcp=False))
            stack.enter_context(Relay((NO_EDNS, port), first, passes=lambda query: not has_edns(query)))
            stack.enter_context(Relay((NO_LARGE, port), first, returns=lambda answer: len(answer) <= 1232))
            yield Ports(port, tls_port)


def _file(folder: Path, apex: str, content: str) -> ZoneFile:
    path = folder / f"{apex}zone"
    path.write_text(content)
    return ZoneFile(apex, path)
