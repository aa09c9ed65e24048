"""A name server of one zone in memory, and a certifier, with a clock that a test moves: for dialogues.

The server answers and takes UPDATEs by dnspython alone, so that it shares no code with what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
import dns.zone

from oakroot.certificates.dialogue import Ask, Event, Pause, Step, Tell
from oakroot.client.server import ServerError

T = TypeVar("T")

ZONE = """\
$TTL 60
@ SOA ns hostmaster 1 7200 600 1209600 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
other CNAME www
_acme-challenge.www CNAME proof.elsewhere
"""
APEX = dns.name.from_text("example.org")


@dataclass
class World:
    """Carries out dialogues. `at`: what happens at a time, once; `rcode`: how UPDATEs are refused."""

    now: float
    at: dict[float, Callable[[World], None]] = field(default_factory=dict)
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    silent_until: float = 0
    authoritative: bool = True
    zone: dns.zone.Zone = field(default_factory=lambda: dns.zone.from_text(ZONE, APEX, relativize=False))
    updates: list[dns.update.UpdateMessage] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    _drawn: int = 0

    def draw(self) -> int:
        """An identifier."""
        self._drawn += 1
        return self._drawn

    def run(self, steps: Generator[Step, Event, T]) -> T:
        """What the dialogue comes to."""
        try:
            step = next(steps)
            while True:
                self._let_happen()
                reply = b""
                match step:
                    case Ask(message) if self.now < self.silent_until:
                        self.questions.append("in vain")
                        step = steps.throw(ServerError("no reply in time"))
                        continue
                    case Ask(message):
                        reply = self._answer(dns.message.from_wire(message))
                    case Pause(seconds):
                        self.now += seconds
                    case Tell(text):
                        self.told.append(text)
                step = steps.send(Event(self.now, reply))
        except StopIteration as end:
            value: T = end.value
            return value

    def rdatas(self, name: str, rtype: str) -> list[str]:
        """What is published, in capitals."""
        found = self.zone.get_rdataset(dns.name.from_text(name, APEX), rtype)
        return sorted(rdata.to_text(chunksize=0).upper() for rdata in found or ())

    def publish(self, name: str, rtype: str, *rdatas: str) -> None:
        """Adds records."""
        owner = dns.name.from_text(name, APEX)
        for rdata in rdatas:
            record = dns.rdata.from_text(dns.rdataclass.IN, rtype, rdata)
            self.zone.find_rdataset(owner, record.rdtype, create=True).add(record, 60)

    def withdraw(self, name: str, rtype: str) -> None:
        """Takes a record set away."""
        self.zone.delete_rdataset(dns.name.from_text(name, APEX), rtype)

    def _let_happen(self) -> None:
        for moment in sorted(moment for moment in self.at if moment <= self.now):
            self.at.pop(moment)(self)

    def _answer(self, message: dns.message.Message) -> bytes:
        reply = dns.message.make_response(message)
        if self.authoritative:
            reply.flags |= dns.flags.AA
        question = message.question[0]
        if isinstance(message, dns.update.UpdateMessage):
            self.updates.append(message)
            reply.set_rcode(self.rcode)
            if self.rcode == dns.rcode.NOERROR:
                self._change(message)
            return reply.to_wire()
        self.questions.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
        if not question.name.is_subdomain(APEX):
            reply.set_rcode(dns.rcode.REFUSED)
            reply.flags &= ~dns.flags.AA
        else:
            self._look_up(question.name, question.rdtype, reply)
        return reply.to_wire(max_size=65535)

    def _look_up(
        self, name: dns.name.Name, rtype: dns.rdatatype.RdataType, reply: dns.message.Message
    ) -> None:
        node = self.zone.get_node(name)
        alias = None if node is None else node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME)
        found = None if node is None else node.get_rdataset(dns.rdataclass.IN, rtype)
        if found is not None or alias is not None:
            reply.answer.append(dns.rrset.from_rdata_list(name, 60, list(found or alias or ())))
            return
        if node is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        soa = self.zone.find_rdataset(APEX, dns.rdatatype.SOA)
        reply.authority.append(dns.rrset.from_rdata_list(APEX, 60, list(soa)))

    def _change(self, message: dns.update.UpdateMessage) -> None:
        for rrset in message.update:
            for rdata in rrset:
                rdataset = self.zone.find_rdataset(rrset.name, rrset.rdtype, create=True)
                if rrset.deleting is None:
                    rdataset.add(rdata, rrset.ttl)
                else:
                    assert rrset.deleting == dns.rdataclass.NONE, "only single records are deleted"
                    rdataset.items.pop(rdata, None)
