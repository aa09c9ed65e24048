"""Plays scenarios with a secondary: one line, one step. The words are listed in `secondary/README.md`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from oakroot.distribution.actions import Enlist, SendTransfer
from oakroot.keys.key import Key
from oakroot.protocol.message import read_reply
from oakroot.protocol.transfer_server import Steps
from oakroot.protocol.tsig_client import (
    Authentic,
    ReplyExpectation,
    SignatureRefused,
    sign_request,
    verify_reply,
)
from oakroot.secondary import events
from oakroot.secondary.sources import Server
from tests.scenarios.script import Scenario, make_key
from tests.scenarios.secondary_stage import Packet, Primary, Stage
from tests.secondary.authority import Authority, make_catalog, make_zone

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
TIMES = "86400 7200 1048576 3600"
GARBAGE = b"\xff" * 10 + b"\0\0" + b"\xff" * 28


def seconds(text: str) -> float:
    """`90`, `15m`, `2w`."""
    return float(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else float(text)


def signed_seconds(text: str) -> float:
    """The same, perhaps with a sign."""
    return -seconds(text[1:]) if text.startswith("-") else seconds(text)


class SecondaryPlayer:
    """Plays one scenario; a step that does not come true is an AssertionError that names its line."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.identifier = 100
        self.sent: dict[str, tuple[bytes, object, ReplyExpectation | None]] = {}
        self._steps: dict[str, Callable[[Sequence[str]], None]] = {
            "key": self._key,
            "we": self._we_listen,
            "transfer": self._transfer,
            "no": lambda _: self.stage.keys.clear(),
            "for": self._default_primary,
            "at": self._at_most,
            "follow": self._follow,
            "clock": self._clock,
            "primary": self._primary,
            "start": lambda _: self.stage.starts(),
            "restart": lambda _: self.stage.starts(),
            "refresh": lambda _: self.stage.happens(events.RefreshRequested()),
            "retransfer": lambda words: self.stage.happens(events.RetransferRequested(words[0])),
            "renotify": lambda words: self.stage.happens(events.NotifyRequested(*words)),
            "reread": lambda _: self.stage.rereads(),
            "wait": lambda words: self.stage.passes(seconds(words[0])),
            "sleep": self._sleep,
            "hold": lambda words: self._hold(words, on=True),
            "release": lambda words: self._hold(words, on=False),
            "notify": self._notify,
            "flood": self._flood,
            "reply": self._reply,
            "silence": self._silence,
            "ask": self._ask,
            "serves": self._serves,
            "disk": self._disk,
            "transfers": self._transfers,
            "followers": self._followers,
            "told": self._told,
            "untold": self._untold,
        }

    def play(self, scenario: Scenario) -> None:
        """All steps."""
        for number, line in scenario.lines:
            words = shlex.split(line, comments=True)
            try:
                self._steps[words[0]](words[1:])
            except AssertionError as error:
                message = f"line {number}: {line}\n{error}"
                raise AssertionError(message) from error

    # --- the world ---

    def _key(self, names: Sequence[str]) -> None:
        for name in names:
            self.stage.keys.append(make_key(name))
            for primary in self.stage.primaries.values():
                primary.authority.keys = tuple(self.stage.keys)

    def _default_primary(self, words: Sequence[str]) -> None:
        """`for ADDRESS`: what `--primary` says."""
        self.stage.default_primary = Server(words[0])

    def _we_listen(self, words: Sequence[str]) -> None:
        """`we listen on ADDRESS`."""
        self.stage.own = words[2]

    def _at_most(self, words: Sequence[str]) -> None:
        """`at most N transfers`."""
        self.stage.settings = replace(self.stage.settings, transfers=int(words[1]))

    def _follow(self, words: Sequence[str]) -> None:
        """`follow NAME…`: what `--catalog` says."""
        names = frozenset(map(dns.name.from_text, words))
        self.stage.settings = replace(self.stage.settings, catalogs=names)

    def _clock(self, words: Sequence[str]) -> None:
        """Somebody sets the world's clock."""
        now = self.stage.now
        self.stage.now = replace(now, wall=now.wall + signed_seconds(words[0]))

    def _primary(self, words: Sequence[str]) -> None:
        address, *rest = words
        made = Primary(Authority(tuple(self.stage.keys)))
        primary = self.stage.primaries.setdefault(address, made)
        authority = primary.authority
        match rest:
            case ["serves", apex, "serial", serial, *records]:
                times = (
                    records.pop(0).removeprefix("times=") if records[:1] and "times=" in records[0] else TIMES
                )
                authority.serve(make_zone(int(serial), *records, apex=apex, times=times))
            case ["lists", apex, "serial", serial, *lines]:
                version = lines.pop(0).removeprefix("version=") if lines[:1] and "=" in lines[0] else "2"
                zone = make_catalog(int(serial), *lines, apex=apex, version=version or None)
                authority.serve(zone)
            case ["drops", apex]:
                authority.drop(apex)
            case ["is", "down", reason]:
                primary.down = reason
            case ["is", "silent"]:
                primary.silent = True
            case ["is", "fine"]:
                primary.down, primary.silent, primary.cuts_transfers_after = None, False, None
                authority.spoil.clear()
                authority.unsigned, authority.clock_error = False, 0
            case ["hangs", "up"]:
                self.stage.hangs_up(Server(address))
            case _:
                self._fault(primary, rest)

    def _fault(self, primary: Primary, words: Sequence[str]) -> None:
        authority = primary.authority
        match words:
            case ["clock", error]:
                authority.clock_error = int(signed_seconds(error))
            case ["knows", *names]:
                authority.keys = tuple(make_key(name) for name in names)
            case ["signs", "nothing"]:
                authority.unsigned = True
            case ["answers", kind, "with", fault]:
                authority.spoil[dns.rdatatype.from_text(kind)] = FAULTS[fault]
            case ["cuts", "transfers", "after", count, "messages"]:
                primary.cuts_transfers_after = int(count)
                authority.records_per_message = 1
            case ["asked", count]:
                _equal(primary.questions, int(count))
                primary.questions = 0
            case ["connected", count]:
                _equal(primary.connections, int(count))
                primary.connections = 0
            case _:
                raise AssertionError("no such step")

    def _sleep(self, words: Sequence[str]) -> None:
        """The process is stopped for so long: the clocks go on, nothing else does."""
        self.stage.sleeps(seconds(words[0]))

    def _hold(self, words: Sequence[str], *, on: bool) -> None:
        if words[0] == "transfers":
            self.stage.holds_transfers = on
            if not on:
                self.stage.happens(events.TimePassed())
        else:
            self.stage.holds_answers = on

    # --- requests ---

    def _notify(self, words: Sequence[str]) -> None:
        """`notify LABEL ZONE from ADDRESS [by KEY] [serial N] [over link]`."""
        label, zone, *options = words
        given = dict(zip(options[::2], options[1::2], strict=True))
        message = self._message(zone, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags |= dns.flags.AA
        if "serial" in given:
            soa = f"ns1.{zone} hostmaster.{zone} {given['serial']} 1 2 3 4"
            message.answer.append(dns.rrset.from_text(zone, 0, "IN", "SOA", soa))
        key = make_key(given["by"]) if "by" in given else None
        self._send(label, message.to_wire(), given["from"], key, given.get("over", "udp"))

    def _flood(self, words: Sequence[str]) -> None:
        """`flood N NOTIFYs from ADDRESS`, each of another zone, none of them signed."""
        for number in range(int(words[0])):
            self._notify(["flood", f"zone{number}.example.", "from", words[3]])

    def _message(self, name: str, kind: str) -> dns.message.Message:
        self.identifier += 1
        message = dns.message.make_query(name, kind, use_edns=0, id=self.identifier)
        message.flags = dns.flags.Flag(0)
        return message

    def _send(self, label: str, wire: bytes, peer: str, key: Key | None, over: str) -> None:
        signed, expectation = wire, None
        if key is not None:
            signed, expectation = sign_request(wire, key, int(self.stage.now.wall))
        if over == "link":
            request: events.LinkRequest | Packet = events.LinkRequest(Server(peer), signed)
            self.sent[label] = (wire, request, expectation)
            self.stage.happens(events.LinkHeard(Server(peer), signed))
            return
        request = Packet(signed, "tcp" if over == "tcp" else "udp", (peer, 40000 + self.identifier))
        self.sent[label] = (wire, request, expectation)
        self.stage.happens(events.PacketReceived(request))

    # --- what became of them ---

    def _replies(self, label: str) -> list[bytes]:
        _, request, _ = self.sent[label]
        return [wire for other, wire in self.stage.replies if other == request]

    def _reply(self, words: Sequence[str]) -> None:
        label, rcode, *fragments = words
        asked, _, expectation = self.sent[label]
        wires = self._replies(label)
        assert len(wires) == 1, f"{len(wires)} replies"
        wire = wires[0]
        if expectation is not None:
            verdict = verify_reply(wire, expectation, int(self.stage.now.wall))
            assert isinstance(verdict, Authentic | SignatureRefused), verdict
            wire = verdict.message if isinstance(verdict, Authentic) else wire
        reply = read_reply(asked, wire)
        assert reply is not None, "what came is no reply"
        _equal(reply.rcode_text, rcode)
        told = " ".join(map(str, reply.extended_errors))
        for fragment in fragments:
            assert fragment in told, f"told was: {told}"

    def _silence(self, words: Sequence[str]) -> None:
        for label in words:
            assert not self._replies(label), "there is a reply"

    def _ask(self, words: Sequence[str]) -> None:
        """`ask NAME TYPE [by KEY|nobody [over tcp]] gets RCODE [RDATA …]`."""
        at = words.index("gets")
        name, kind, *options = words[:at]
        rcode, *wanted = words[at + 1 :]
        wire = self._message(name, kind).to_wire()
        if options:
            key = None if options[1] == "nobody" else make_key(options[1])
            over = options[3] if len(options) > 2 else "udp"
            self._send("query", wire, "192.0.2.200", key, over)
            self._reply(["query", rcode])
            reply = self._replies("query")[0]
        else:
            found = self.stage.catalogue.answer(wire)
            assert found is not None
            reply = found
        message = dns.message.from_wire(reply, ignore_trailing=True, continue_on_error=True)
        _equal(dns.rcode.to_text(message.rcode()), rcode)
        answers = sorted(rdata.to_text() for rrset in message.answer for rdata in rrset)
        if wanted or rcode == "NOERROR":
            _equal(answers, sorted(wanted))

    def _transfer(self, words: Sequence[str]) -> None:
        """`transfer ZONE [from SERIAL] by KEY`: one who follows us asks for it."""
        given = dict(zip(words[1::2], words[2::2], strict=True))
        message = self._message(words[0], "IXFR" if "from" in given else "AXFR")
        message.use_edns(edns=False)
        if "from" in given:
            soa = dns.rrset.from_text(words[0], 0, "IN", "SOA", f". . {given['from']} 0 0 0 0")
            message.authority.append(soa)
        self._send("transfer", message.to_wire(), "192.0.2.3", make_key(given["by"]), "tcp")

    def _serves(self, words: Sequence[str]) -> None:
        """`serves ZONE SERIAL`, or what is answered instead: SERVFAIL, REFUSED."""
        apex, expected = words
        zone = self.stage.served(apex)
        if zone is not None:
            _equal(str(zone.serial), expected)
            return
        reply = self.stage.catalogue.answer(self._message(apex, "SOA").to_wire())
        assert reply is not None
        _equal(dns.rcode.to_text(dns.message.from_wire(reply).rcode()), expected)

    def _disk(self, words: Sequence[str]) -> None:
        """`disk holds ZONE SERIAL|nothing`, `disk loses ZONE`."""
        match words:
            case ["holds", apex, "nothing"]:
                assert apex not in self.stage.disk
            case ["holds", apex, serial]:
                _equal(self.stage.disk[apex].zone.serial, int(serial))
            case ["loses", apex]:
                del self.stage.disk[apex]
            case _:
                raise AssertionError("no such step")

    def _transfers(self, words: Sequence[str]) -> None:
        """`transfers N` began since this was last looked at; `transfers under way N`."""
        match words:
            case ["under", "way", count]:
                _equal(len(self.stage.transfers), int(count))
            case [count]:
                _equal(self.stage.transfer_count, int(count))
                self.stage.transfer_count = 0
            case _:
                raise AssertionError("no such step")

    def _followers(self, words: Sequence[str]) -> None:
        """`followers hear ZONE SERIAL|nothing`: of what they were told last; `followers get STYLE`."""
        match words:
            case ["hear", apex, serial]:
                _equal(self.stage.spread[-1], (apex, None if serial == "nothing" else int(serial)))
            case ["were", "told", count, "times"]:
                _equal(len(self.stage.spread), int(count))
            case ["get", plan, *serials]:
                sent = [each for each in self.stage.distributed if isinstance(each, SendTransfer)][-1]
                _equal(type(sent.plan).__name__.lower(), plan)
                zones = sent.plan.versions if isinstance(sent.plan, Steps) else (sent.plan.zone,)
                _equal([zone.serial for zone in zones], [int(serial) for serial in serials])
            case ["stay", "connected", "for", apex]:
                enlisted = [each.zone for each in self.stage.distributed if isinstance(each, Enlist)]
                assert dns.name.from_text(apex) in enlisted, enlisted
            case _:
                raise AssertionError("no such step")

    def _told(self, words: Sequence[str]) -> None:
        level, *fragments = words
        texts = [log.text for log in self.stage.logs if log.level == level]
        for fragment in fragments:
            assert any(fragment in text for text in texts), self._log()

    def _untold(self, words: Sequence[str]) -> None:
        for fragment in words:
            assert not any(fragment in log.text for log in self.stage.logs), self._log()

    def _log(self) -> str:
        return "\n".join(f"{log.level} [{log.zone or ''}] {log.text}" for log in self.stage.logs)


def _garbage(_: list[bytes]) -> list[bytes]:
    return [GARBAGE]


def _rcode(code: dns.rcode.Rcode) -> Callable[[list[bytes]], list[bytes]]:
    def change(messages: list[bytes]) -> list[bytes]:
        message = dns.message.from_wire(messages[0])
        message.answer = []
        message.set_rcode(code)
        return [message.to_wire()]

    return change


def _without_type(kind: dns.rdatatype.RdataType) -> Callable[[list[bytes]], list[bytes]]:
    def change(messages: list[bytes]) -> list[bytes]:
        message = dns.message.from_wire(messages[0], one_rr_per_rrset=True)
        message.answer = [rrset for rrset in message.answer if rrset.rdtype != kind]
        return [message.to_wire()]

    return change


def _endless(messages: list[bytes]) -> list[bytes]:
    message = dns.message.from_wire(messages[0], one_rr_per_rrset=True)
    message.answer = message.answer[:-1]
    return [message.to_wire()] * 200


FAULTS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "garbage": _garbage,
    "nothing": lambda _: [],
    "SERVFAIL": _rcode(dns.rcode.SERVFAIL),
    "REFUSED": _rcode(dns.rcode.REFUSED),
    "NOTIMP": _rcode(dns.rcode.NOTIMP),
    "no-NS": _without_type(dns.rdatatype.NS),
    "endless": _endless,
}


def _equal(found: object, expected: object) -> None:
    assert found == expected, f"found {found}, expected {expected}"
