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
from tests.protocol.test_update_judge import APEX, TEXT, ZONE, change, outcome, zone_of


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


def test_each_type_of_a_name_is_listed_once() -> None:
    signature = "8 2 300 20300101000000 20200101000000 1 mirage. AAAA"
    records = ["A 192.0.2.1", "A 192.0.2.2", f"RRSIG A {signature}", "TXT x", f"RRSIG TXT {signature}"]
    unknown = [f"TYPE{number} \\# 1 00" for number in range(1000, 3000)]
    zone = zone_of(TEXT + "".join(f"many {record}\n" for record in records + unknown))
    types = zone.types_of("many.mirage.")
    assert sorted(types) == sorted(["A", "RRSIG", "TXT", *(f"TYPE{number}" for number in range(1000, 3000))])
