"""`oakroot primary` and a secondary of another make, and all cases of the table with them.

Both are processes with an address of their own in 127.0.0.0/8 and one port, as in life all have 53.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from tests.interop.matrix import YES
from tests.interop.pair import Pair
from tests.interop.secondaries import PowerDnsSecondary, Secondary
from tests.peers.commands import Primary
from tests.peers.git_servers import BareRepository
from tests.peers.ports import free_port
from tests.peers.powerdns import key_name
from tests.peers.secondary_process import PATIENCE, ask, serial_in
from tests.protocol.keys import make_key
from tests.secondary.authority import hosts
from tests.zones.repositories import zone_text

PRIMARY = "127.0.0.2"
ZONE, NEW_ZONE, CATALOG = "example.org.", "example.net.", "catalog.invalid."
HOSTS = hosts(300)


class Following(Pair):
    """A secondary of this kind, and ours as its primary."""

    def __init__(self, kind: type[Secondary], address: str, directory: Path) -> None:
        port = free_port()
        self._directory = directory
        self._keys = [
            make_key(f"{word}.{PRIMARY}.{address}._transfer.", secret=word.encode().ljust(32, b"."))
            for word in ("first", "second")
        ]
        self._remote = BareRepository(directory / "zones.git")
        self._secondary = kind((address, port), (PRIMARY, port), ZONE, self._keys[0], directory / kind.name)
        if kind.follows_catalogs:
            self._secondary.catalog = CATALOG
        super().__init__(directory, self._secondary.address, (PRIMARY, port))
        self._primary: Primary | None = None
        self._starts = 0

    def stop(self) -> None:
        """Ends both."""
        self._secondary.stop()
        self._stop_primary()

    @property
    def cases(self) -> dict[str, Callable[[], str]]:
        """What is played, in this order."""
        return {
            "whole": self._whole,
            "differences": self._differences,
            "key": self._key,
            "added": self._added,
            "removed": self._removed,
            "primary restarts": self._primary_restarts,
            "secondary restarts": self._secondary_restarts,
        }

    # --- the cases ---

    def _whole(self) -> str:
        self._remote.commit({"example.org": zone_text(1, *HOSTS), "_keys": key_file(self._keys[0])})
        self._start_primary()
        self._secondary.start()
        self._until_serial(ZONE, 1)
        self._until(f"host299.{ZONE}", "TXT", lambda reply: bool(reply.answer))
        return YES

    def _differences(self) -> str:
        for serial in range(2, 7):
            self._push_version(serial)
            self._until_serial(ZONE, serial)
        for serial in range(7, 12):
            self._push_version(serial)
        self._until_serial(ZONE, 11)
        return YES if "differences from serial" in self._log else "whole zones only"

    def _key(self) -> str:
        old, new = self._keys
        self._push({"_keys": key_file(old, new)})
        self._secondary.use(new)
        self._until_serial(ZONE, 11)
        self._push({"_keys": key_file(new)})
        self._push_version(12)
        self._until_serial(ZONE, 12)
        return YES

    def _added(self) -> str:
        if not self._secondary.follows_catalogs:
            return self._without_catalogs()
        self._push({"example.net": zone_text(5)})
        outcome = YES
        if isinstance(self._secondary, PowerDnsSecondary):
            self._until_said(f"must be signed by a key for {NEW_ZONE}")
            self._secondary.tool("set-meta", NEW_ZONE, "AXFR-MASTER-TSIG", key_name(self._keys[1]))
            outcome = "no key for members"
        self._until_serial(NEW_ZONE, 5)
        return outcome

    def _removed(self) -> str:
        if not self._secondary.follows_catalogs:
            return self._without_catalogs()
        self._push({"example.net": None})
        self._until(NEW_ZONE, "SOA", lambda reply: reply.rcode() == dns.rcode.REFUSED)
        return YES

    def _primary_restarts(self) -> str:
        # PowerDNS may ask of itself before history was looked through, and gets the whole zone then.
        waits = isinstance(self._secondary, PowerDnsSecondary)
        if waits:
            self._secondary.stop()
        self._stop_primary()
        self._commit_version(13)
        self._start_primary()
        if waits:
            self._until_said("earlier versions found in")
            self._secondary.start()
        self._until_serial(ZONE, 13)
        self._until_said("serial 13 sent")
        return YES if "differences from serial 12" in self._log else "whole zones only"

    def _secondary_restarts(self) -> str:
        self._secondary.stop()
        self._push_version(14)
        self._secondary.start()
        self._until_serial(ZONE, 14)
        return YES

    def _without_catalogs(self) -> str:
        """Its configuration must say no to them: else this page is out of date."""
        file = self._secondary.directory / "catalogs.conf"
        file.write_text(f'zone:\n    name: "{CATALOG}"\n    catalog: consumer\n')
        done = subprocess.run(["/usr/sbin/nsd-checkconf", file], capture_output=True, check=False)
        return "no catalog zones" if done.returncode else "catalog zones are known"

    # --- the world ---

    @property
    def _log(self) -> str:
        assert self._primary is not None
        return self._primary.log

    def _start_primary(self) -> None:
        self._starts += 1
        arguments: list[str | Path] = ["--remote", self._remote.path, "--catalog", CATALOG]
        log = self._directory / f"primary-{self._starts}.log"
        self._primary = Primary(arguments, log, host=PRIMARY, port=self._secondary.address[1])
        self._primary.__enter__()

    def _stop_primary(self) -> None:
        primary, self._primary = self._primary, None
        if primary is not None:
            primary.__exit__()

    def _push(self, files: Mapping[str, bytes | None]) -> None:
        self._remote.commit(files)
        assert self._primary is not None
        self._primary.hang_up()

    def _commit_version(self, serial: int) -> None:
        self._remote.commit({"example.org": zone_text(serial, *HOSTS, f"www A 192.0.2.{serial}")})

    def _push_version(self, serial: int) -> None:
        self._commit_version(serial)
        self._push({})

    def _until(self, name: str, kind: str, wanted: Callable[[dns.message.Message], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        reply = None
        while time.monotonic() < deadline:
            try:
                reply = ask(self._secondary.address, dns.message.make_query(name, kind), seconds=0.5)
            except (dns.exception.Timeout, OSError):
                self._secondary.check_alive()
                continue
            if wanted(reply):
                return
        message = f"{name} {kind}: {reply}\n{self._log}\n{self._secondary.log_tail()}"
        raise AssertionError(message)

    def _until_serial(self, zone: str, serial: int) -> None:
        self._until(zone, "SOA", lambda reply: serial_in(reply) == serial)

    def _until_said(self, text: str) -> None:
        assert self._primary is not None
        self._primary.said(text)


def key_file(*keys: Key) -> bytes:
    """A file of the repository."""
    return "".join(f"{write_dnskey(key)}\n" for key in keys).encode()
