"""A primary of another make and `oakroot secondary`, and all cases of the table with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.opcode
import dns.rcode

from oakroot.keys.key import Key
from tests.interop.matrix import YES
from tests.interop.pair import Pair
from tests.peers.ports import free_port
from tests.peers.primaries import KnotPrimary, PowerDnsPrimary, Primary
from tests.peers.secondary_process import PATIENCE, SecondaryProcess, ask, serial_in
from tests.protocol.keys import make_key
from tests.secondary.authority import hosts, zone_text

SECONDARY = "127.0.0.2"
ZONE, NEW_ZONE, LISTED, CATALOG = "example.org.", "example.net.", "example.com.", "catalog.invalid."
KEYS = [make_key(f"{word}._transfer.", secret=word.encode().ljust(32, b".")) for word in ("first", "second")]
CATALOG_KEY = make_key(f"list._transfer.{CATALOG}")
# What a test may wait for; NOTIFY should make that needless.
TIMES = "20 5 3600 60"
HOSTS = hosts(300)


class Followed(Pair):
    """A primary of this kind, and ours as its secondary."""

    def __init__(self, kind: type[Primary], address: str, directory: Path) -> None:
        here = (SECONDARY, free_port())
        self._primary = kind((address, free_port()), here, KEYS, directory / kind.name)
        self._secondary = SecondaryProcess(here, KEYS[:1], self._primary.address, directory / "oakroot")
        self._secondary.options = ["--catalog", CATALOG]
        self._secondary.state = directory / "state"
        super().__init__(directory, here, self._primary.address)

    def stop(self) -> None:
        """Ends both."""
        self._secondary.stop()
        self._primary.stop()

    @property
    def cases(self) -> dict[str, Callable[[], str]]:
        """What is played, in this order."""
        return {
            "whole": self._whole,
            "differences": self._differences,
            "key": self._key,
            "added": self._added,
            "removed": self._removed,
            "listed": self._listed,
            "unlisted": self._unlisted,
            "primary restarts": self._primary_restarts,
            "secondary restarts": self._secondary_restarts,
        }

    # --- the cases ---

    def _whole(self) -> str:
        self._publish(1)
        self._primary.start()
        self._secondary.start()
        # One that has just started notifies once, perhaps before we listened; a change tells us for sure.
        self._publish(2)
        self._secondary.until_serial(ZONE, 2)
        self._secondary.until(f"host299.{ZONE}", "TXT", lambda reply: bool(reply.answer))
        return YES

    def _differences(self) -> str:
        for serial in range(3, 8):
            self._publish(serial)
            self._secondary.until_serial(ZONE, serial)
        for serial in range(8, 13):
            self._publish(serial)
        self._secondary.until_serial(ZONE, 12)
        assert "given up" not in self._secondary.log
        last = [line for line in self._secondary.log.splitlines() if "finished, serial 12" in line][-1]
        # The zone has 60 kB: a difference is far smaller, and a whole zone far larger than this.
        return YES if int(last.split(" octets")[0].rsplit(" ", 1)[1]) < 10_000 else "whole zones only"

    def _key(self) -> str:
        self._secondary.stop()
        self._primary.stop()
        self._primary.keys = KEYS[1:]
        self._secondary.keys = list(KEYS)
        self._publish(13)
        self._primary.start()
        self._secondary.start()
        self._publish(14)
        self._secondary.until_serial(ZONE, 14)
        self._use(KEYS[1])
        return YES

    def _added(self) -> str:
        self._publish(1, NEW_ZONE)
        self._publish(2, NEW_ZONE)
        self._secondary.until_serial(NEW_ZONE, 2)
        return YES

    def _removed(self) -> str:
        self._primary.serve({NEW_ZONE: None})
        self._until_gone(NEW_ZONE)
        # None of them says goodbye: somebody else has to.
        self._notify(NEW_ZONE)
        if self._primary.signs_refusals:
            self._secondary.until_refused(NEW_ZONE)
            return YES
        self._secondary.until_said("the reply is not signed (it says REFUSED")
        self._secondary.until_serial(NEW_ZONE, 2)
        return "refusals unsigned"

    def _listed(self) -> str:
        outcome = YES
        # A key for all zones would bring this one without a list.
        self._use(CATALOG_KEY)
        match self._primary:
            case KnotPrimary():
                self._primary.catalog = CATALOG
                self._publish(1, LISTED)
            case PowerDnsPrimary():
                self._publish(1, LISTED)
                self._primary.offer(CATALOG, LISTED)
            case _:
                self._publish(1, LISTED)
                self._primary.serve({CATALOG: catalog_text(1, LISTED)})
                outcome = "list by hand"
        self._notify(CATALOG)
        self._secondary.until_serial(LISTED, 1)
        self._secondary.until_said(f"the catalog zone {CATALOG} lists it")
        return outcome

    def _unlisted(self) -> str:
        outcome = YES
        if isinstance(self._primary, KnotPrimary | PowerDnsPrimary):
            self._primary.serve({LISTED: None})
        else:
            self._primary.serve({CATALOG: catalog_text(2), LISTED: None})
            outcome = "list by hand"
        self._secondary.until_refused(LISTED)
        self._use(KEYS[1])
        return outcome

    def _primary_restarts(self) -> str:
        self._primary.stop()
        self._publish(15)
        self._primary.start()
        self._secondary.until_serial(ZONE, 15)
        return YES

    def _secondary_restarts(self) -> str:
        self._secondary.stop()
        self._publish(16)
        self._secondary.start()
        self._secondary.until_serial(ZONE, 16)
        return YES

    # --- the world ---

    def _use(self, key: Key) -> None:
        """Both are started anew with this key, and no other."""
        self._secondary.stop()
        self._primary.stop()
        self._primary.keys = self._secondary.keys = [key]
        self._primary.serve({})
        self._primary.start()
        self._secondary.start()

    def _publish(self, serial: int, apex: str = ZONE) -> None:
        """The primary has a new version, and answers with it if it runs."""
        more = HOSTS if apex == ZONE else []
        text = zone_text(serial, *more, f"www A 192.0.2.{serial}", times=TIMES)
        self._primary.serve({apex: text})
        deadline = time.monotonic() + PATIENCE
        while self._primary.is_running and self._serial(apex) != serial:
            assert time.monotonic() < deadline, self._primary.log_tail()

    def _until_gone(self, apex: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._serial(apex) is not None:
            assert time.monotonic() < deadline, self._primary.log_tail()

    def _serial(self, apex: str) -> int | None:
        return serial_in(ask(self._primary.address, dns.message.make_query(apex, "SOA")))

    def _notify(self, apex: str) -> None:
        """A signed NOTIFY, as the primary could have sent it."""
        message = dns.message.make_query(apex, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        key = self._primary.key
        message.use_tsig({key.name: key.for_dnspython()}, key.name)
        assert ask(self._secondary.address, message).rcode() == dns.rcode.NOERROR


def catalog_text(serial: int, *members: str) -> str:
    """A catalog zone as somebody may write it."""
    lines = [f"@ 0 SOA invalid. invalid. {serial} 20 5 3600 0", "@ 0 NS invalid.", 'version 0 TXT "2"']
    lines += [f"member{number}.zones 0 PTR {member}" for number, member in enumerate(members)]
    return "".join(f"{line}\n" for line in lines)
