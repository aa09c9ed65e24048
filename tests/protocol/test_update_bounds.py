"""What an update costs beside what its names hold, and how much it may bring a name to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import cast

import dns.rcode
import dns.update

from oakroot._engine import Zone
from oakroot.protocol.update import Denied, Update, read
from oakroot.protocol.update_judge import MOST_TYPES, Change, judge
from oakroot.zones.edits import TextRecord
from tests.protocol.test_update_judge import APEX, ZONE, change, outcome


@dataclass
class Counting:
    """A zone that counts what it is asked."""

    zone: Zone
    asked: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def apex(self) -> str:
        return self.zone.apex

    def types_of(self, owner: str) -> list[str]:
        self.asked.append((owner.lower(),))
        return self.zone.types_of(owner)

    def records_of(self, owner: str, rtype: str) -> list[TextRecord]:
        self.asked.append((owner.lower(), rtype))
        return self.zone.records_of(owner, rtype)


def test_a_zone_is_asked_for_each_thing_once_by_all_of_an_update() -> None:
    message = dns.update.UpdateMessage(APEX)
    for name in ("www", "WWW"):
        message.present(name)
        message.present(name, "A")
        message.present(name, "A", "192.0.2.80", "192.0.2.81")
        message.absent(name, "TXT")
        message.add(name, 300, "A", "192.0.2.82")
        message.delete(name, "A", "192.0.2.80")
        message.delete(name)
        message.add(name, 300, "TXT", "new")
    update = read(message.to_wire())
    assert isinstance(update, Update)
    zone = Counting(ZONE)
    assert isinstance(judge(update, cast("Zone", zone)), Change)
    assert sorted(zone.asked) == [("www.mirage.",), ("www.mirage.", "A"), ("www.mirage.", "AAAA")]


def test_a_name_has_at_most_100_types() -> None:
    adds = [partial(add_unknown, number=65280 + number) for number in range(100)]
    assert len(change(*adds).added) == MOST_TYPES == len(adds)
    found = outcome(*adds, lambda m: m.add("new", 60, "A", "192.0.2.9"))
    assert isinstance(found, Denied)
    assert dns.rcode.to_text(found.rcode) == "REFUSED"
    assert found.reason.text == "new.mirage. A: a name has at most 100 types here"
    assert change(*adds, lambda m: m.delete("new", "TYPE65280"), lambda m: m.add("new", 60, "A", "192.0.2.9"))


def add_unknown(message: dns.update.UpdateMessage, number: int) -> None:
    message.add("new", 60, f"TYPE{number}", "\\# 1 00")
