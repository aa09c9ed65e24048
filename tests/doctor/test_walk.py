"""The way from the root on a made-up Internet: who leads us astray costs a bounded number of questions."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest

from oakroot.doctor.walk import QUESTIONS_LIMIT, LostError, Walk

ROOT = "192.0.2.1"


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


class Internet:
    """Answers by what is asked; counts the questions."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        self.questions = 0

    def ask(
        self, address: str, qname: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> dns.message.Message | None:
        """A referral to the zone of the longest line that fits: `ADDRESS ZONE NS TARGET [GLUE]`."""
        self.questions += 1
        reply = dns.message.make_response(dns.message.make_query(qname, rdtype))
        fitting = [line.split() for line in self.lines if line.startswith(f"{address} ")]
        fitting = [words for words in fitting if qname.is_subdomain(name(words[1]))]
        if not fitting:
            reply.flags |= dns.flags.AA
            return reply
        _, zone, _, target, *glue = max(fitting, key=lambda words: len(words[1]))
        reply.authority.append(dns.rrset.from_text(zone, 300, "IN", "NS", target))
        reply.additional += [dns.rrset.from_text(target, 300, "IN", "A", address) for address in glue]
        return dns.message.from_wire(reply.to_wire())

    def walk(self) -> Walk:
        """From its root."""
        return Walk({dns.name.root: (ROOT,)}, self.ask)


def test_the_parent_is_found_and_the_way_remembered() -> None:
    internet = Internet(
        f"{ROOT} org. NS ns.org. 192.0.2.2", "192.0.2.2 example.org. NS ns.example.org. 192.0.2.3"
    )
    walk = internet.walk()
    cut = walk.parent(name("example.org."))
    assert (cut.name, cut.addresses) == (name("org."), ("192.0.2.2",))
    asked = internet.questions
    walk.parent(name("other.org."))
    assert internet.questions == asked + 2


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((f"{ROOT} org. NS ns.org.",), "name servers without an address"),
        ((f"{ROOT} org. NS ns.net.", f"{ROOT} net. NS ns.org."), "without an address"),
    ],
)
def test_a_way_without_addresses_ends(lines: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(LostError, match=complaint):
        Internet(*lines).walk().parent(name("example.org."))


def test_servers_that_lead_upwards_or_aside_are_not_followed() -> None:
    internet = Internet(f"{ROOT} org. NS ns.org. 192.0.2.2", "192.0.2.2 . NS ns.org. 192.0.2.2")
    assert internet.walk().parent(name("example.org.")).name == name("org.")


def test_endless_delegations_cost_a_bounded_number_of_questions() -> None:
    deep = ".".join("a" * 100) + "."
    labels = deep.split(".")
    lines = [f"{ROOT} {'.'.join(labels[-2 - depth :])} NS ns{depth}.x. {ROOT}" for depth in range(100)]
    internet = Internet(*lines, *[f"{ROOT} x{depth}. NS ns.x{depth + 1}." for depth in range(99)])
    host = internet.walk().host(name("www.x0."))
    assert host.trouble is not None
    assert internet.questions <= QUESTIONS_LIMIT + 1


def test_a_silent_internet_is_told() -> None:
    walk = Walk({dns.name.root: (ROOT, "192.0.2.9")}, lambda *_: None)
    with pytest.raises(LostError, match=r"no name server of \. answers"):
        walk.parent(name("example.org."))
