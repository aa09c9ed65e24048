"""What is done to a house all the time, each kind in a thread of its own, and what came of it.

What was acknowledged is written down, to be looked for in the end. What must not live here: who takes part.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import threading
import time
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone

from bench.soak.house import CHANGED, PUSHED, QUIET, House, requests
from oakroot.keys.key import Key
from oakroot.operate import control_client
from oakroot.operate.control import Request
from tests.peers.git_servers import NOBODYS_CONFIG
from tests.peers.ports import Address

PATIENCE = 15.0
LIVING = 200
"""Records of updates that are there at a time: older ones are deleted again."""


class FailureError(Exception):
    """Something is not as it should be."""


def expect(holds: bool, text: str) -> None:  # noqa: FBT001 - it reads as what it is
    """FailureError with this text, unless it holds."""
    if not holds:
        raise FailureError(text)


def of_dnspython(key: Key) -> dns.tsig.Key:
    """The key as dnspython takes it."""
    return dns.tsig.Key(key.name, key.secret.reveal(), "hmac-sha256")


class Work(ABC):
    """One kind of work, `pause` seconds apart, until it is told to stop."""

    name: str
    pause: float

    def __init__(self, house: House) -> None:
        self.house = house
        self.done = 0
        self.failures: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @abstractmethod
    def step(self) -> None:
        """Does it once; an exception is a failure."""

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the step that is under way."""
        self._is_over.set()
        self._thread.join(10 * PATIENCE)

    def _run(self) -> None:
        while not self._is_over.wait(self.pause):
            try:
                self.step()
                self.done += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure, and the work goes on
                self.failures.append(f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}")


class Queries(Work):
    """Questions to everybody that stays; one in ten by TCP."""

    name = "queries"
    pause = 0.005

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._places = itertools.cycle([house.address, *(each.address for each in house.lasting)])
        self._random = random.Random(1)  # noqa: S311 - names of questions

    def step(self) -> None:
        """Asks for something that is there, or is not."""
        zone = f"quiet{self._random.randrange(QUIET)}.example"
        host = self._random.choice(("www", "r1", "ns1", "missing"))
        query = dns.message.make_query(f"{host}.{zone}", "A")
        address, port = next(self._places)
        ask = dns.query.tcp if self.done % 10 == 0 else dns.query.udp
        answer = ask(query, address, PATIENCE, port)
        wanted = dns.rcode.NXDOMAIN if host == "missing" else dns.rcode.NOERROR
        expect(answer.rcode() == wanted, dns.rcode.to_text(answer.rcode()))


class Updates(Work):
    """Signed updates: one record more each time, and the oldest one gone."""

    name = "updates"
    pause = 1.0

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.living: list[int] = []
        self.unknown: set[int] = set()
        """Those whose answer did not come: they may be there or not."""
        self._number = 0

    def step(self) -> None:
        """NOERROR means that it is in git."""
        self._number += 1
        update = dns.update.UpdateMessage(CHANGED, keyring=of_dnspython(self.house.update_key))
        update.add(f"u{self._number}", 60, "TXT", str(self._number))
        oldest = self.living[0] if len(self.living) >= LIVING else None
        if oldest is not None:
            update.delete(f"u{oldest}")
        self.unknown |= {self._number} | ({oldest} if oldest is not None else set())
        address, port = self.house.address
        answer = dns.query.tcp(update, address, PATIENCE, port)
        expect(answer.rcode() == dns.rcode.NOERROR, answer.to_text())
        self.living.append(self._number)
        if oldest is not None:
            self.living.remove(oldest)
        self.unknown -= {self._number, oldest}


class Pushes(Work):
    """An operator who commits in a clone of his own, and pushes again when somebody was faster."""

    name = "pushes"
    pause = 8.0

    def __init__(self, house: House, directory: Path) -> None:
        super().__init__(house)
        self._clone = directory / "clone"
        self.number = 1
        self._git("clone", "--quiet", str(house.repository.path), str(self._clone), cwd=directory)
        self._git("config", "user.name", "Operator")
        self._git("config", "user.email", "op@example.org")

    def step(self) -> None:
        """Raises a number in a zone, pushes, and waits until the primary serves it."""
        number = self.number + 1
        for _ in range(10):
            self._git("pull", "--quiet", "--rebase")
            file = self._clone / PUSHED
            text = file.read_text()
            lines = [line for line in text.splitlines() if not line.startswith("push ")]
            lines = [line.replace(f"hostmaster {self.number} ", f"hostmaster {number} ") for line in lines]
            file.write_text("\n".join([*lines, f"push TXT {number}"]) + "\n")
            self._git("commit", "--quiet", "--all", "--message", f"push {number}")
            try:
                self._git("push", "--quiet")
            except subprocess.CalledProcessError:
                self._git("reset", "--quiet", "--hard", "HEAD~1")
                continue
            self.number = number
            break
        expect(self.number == number, "never as fast as the primary")
        deadline = time.monotonic() + 4 * PATIENCE
        while text_at(self.house.address, f"push.{PUSHED}") != str(number):
            expect(time.monotonic() < deadline, f"push {number} is not served")
            time.sleep(0.5)

    def _git(self, *arguments: str, cwd: Path | None = None) -> None:
        environment = {**os.environ, **NOBODYS_CONFIG}
        subprocess.run(
            ["git", *arguments], cwd=cwd or self._clone, env=environment, check=True, capture_output=True
        )


class Transfers(Work):
    """Whole zones, signed, from the primary and from a secondary."""

    name = "transfers"
    pause = 5.0

    def step(self) -> None:
        """Both zones that change."""
        for apex in (CHANGED, PUSHED):
            for place in (self.house.address, self.house.lasting[0].address):
                zone = whole_zone(place, apex, self.house.transfer_key)
                expect(zone.get_rdataset("@", "SOA") is not None, f"no SOA in {apex}")


class Comings(Work):
    """A secondary with nothing on disk that starts, gets all zones, and is killed or asked to end."""

    name = "secondaries started"
    pause = 20.0

    def step(self) -> None:
        """Ends the one that runs, and starts the next."""
        passing = self.house.passing
        if passing.is_running:
            (passing.kill if self.done % 2 else passing.stop)()
        passing.start()
        deadline = time.monotonic() + 4 * PATIENCE
        for apex in (CHANGED, PUSHED, "quiet1.example"):
            while (reply := passing.ask(apex)) is None or not reply.answer:
                expect(time.monotonic() < deadline, f"{apex} is not there")
                time.sleep(0.2)


class Looks(Work):
    """Whoever watches: metrics, health, the status page, and the primary's status over its control socket."""

    name = "looks"
    pause = 1.0
    PAGES = ("/metrics", "/healthz", "/readyz", "/")

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._pages = itertools.cycle(itertools.product(house.watched, self.PAGES))

    def step(self) -> None:
        """One page, and now and then the status."""
        (host, port), page = next(self._pages)
        with urllib.request.urlopen(f"http://{host}:{port}{page}", timeout=PATIENCE) as answer:
            expect(bool(answer.read()), f"{page} is empty")
        if self.done % 5 == 0:
            overview = control_client.ask(self.house.control, Request("status"), PATIENCE)["overview"]
            zones = overview["zones"] if isinstance(overview, dict) else ()
            expect(len(zones) == QUIET + 2, f"{len(zones)} zones are in the status")


class Hangups(Work):
    """SIGHUP: settings are read again, and the repository is looked at."""

    name = "SIGHUPs"
    pause = 20.0

    def step(self) -> None:
        """To all that stay."""
        for process in self.house.processes().values():
            os.kill(process, signal.SIGHUP)


class Renewals(Work):
    """Requests for certificates; what the certifier makes of them is counted as it comes."""

    name = "certificates"
    pause = 5.0

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._wanted = dict(requests())
        self._seen: dict[str, set[str]] = {name: set() for name in self._wanted}
        self._is_published = False

    def step(self) -> None:
        """Publishes the requests once; afterwards looks for certificates never seen before."""
        if not self._is_published:
            update = dns.update.UpdateMessage(CHANGED, keyring=of_dnspython(self.house.update_key))
            for name, record in self._wanted.items():
                update.add(dns.name.from_text(name), 3600, "TLSA", record)
            address, port = self.house.address
            answer = dns.query.tcp(update, address, PATIENCE, port)
            expect(answer.rcode() == dns.rcode.NOERROR, answer.to_text())
            self._is_published = True
        for name, seen in self._seen.items():
            seen.update(certificates_at(self.house.address, name))

    @property
    def issued(self) -> int:
        """How many were seen."""
        return sum(map(len, self._seen.values()))


def certificates_at(place: Address, name: str) -> set[str]:
    """The certificates (TLSA 3 0 0) published there."""
    answer = dns.query.tcp(dns.message.make_query(name, "TLSA"), place[0], PATIENCE, place[1])
    texts = (rdata.to_text() for rrset in answer.answer for rdata in rrset)
    return {text for text in texts if text.startswith("3 0 0 ")}


def text_at(place: Address, name: str) -> str | None:
    """The TXT record of a name, without quotes."""
    answer = dns.query.udp(dns.message.make_query(name, "TXT"), place[0], PATIENCE, place[1])
    return answer.answer[0][0].to_text().strip('"') if answer.answer else None


def whole_zone(place: Address, apex: str, key: Key) -> dns.zone.Zone:
    """The zone by AXFR."""
    zone = dns.zone.Zone(apex)
    query, _ = dns.xfr.make_query(zone, keyring=of_dnspython(key))
    dns.query.inbound_xfr(place[0], zone, query, port=place[1], timeout=PATIENCE, lifetime=4 * PATIENCE)
    return zone
