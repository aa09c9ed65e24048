"""Reads and plays scenarios: one line, one step. The words are listed in `README.md` beside this file."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.update

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.secret import Secret
from oakroot.primary import core, events
from oakroot.primary.state import Task
from oakroot.protocol.message import read_reply
from oakroot.protocol.tsig_client import (
    Authentic,
    ReplyExpectation,
    SignatureRefused,
    sign_request,
    verify_reply,
)
from oakroot.zones.serials import SERIAL_POLICIES
from tests.scenarios.stage import Packet, Stage
from tests.zones.repositories import zone_text

SECRET = Secret(b"thirty-two octets that are known")
OTHER_SECRET = Secret(b"thirty-two octets of another key")
TASKS = {"idle": Task.NONE, "pulling": Task.PULL, "pushing": Task.PUSH, "writing": Task.WRITE}


PARTS: dict[str, Callable[..., None]] = {
    "add": dns.update.UpdateMessage.add,
    "delete": dns.update.UpdateMessage.delete,
    "need": dns.update.UpdateMessage.present,
    "lack": dns.update.UpdateMessage.absent,
}


@dataclass(frozen=True)
class Scenario:
    """A title, and the numbered lines below it."""

    title: str
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Sent:
    """A request that was sent, and what is known for checking its reply."""

    packet: Packet
    unsigned: bytes
    key: Key | None
    expectation: ReplyExpectation | None


def read_scenarios(path: Path) -> Iterator[Scenario]:
    """The scenarios of one file; `==` begins each."""
    title, lines = "", list[tuple[int, str]]()
    for number, line in enumerate([*path.read_text().splitlines(), "== end"], start=1):
        if line.startswith("== "):
            if title:
                yield Scenario(title, tuple(lines))
            title, lines = line.removeprefix("== "), []
        elif line.strip() and not line.lstrip().startswith("#"):
            lines.append((number, line.strip()))


def make_key(name: str, secret: Secret = SECRET) -> Key:
    """The key of this name; all of them have the same secret, which the scenarios' remotes hold."""
    return Key(dns.name.from_text(name), Algorithm.SHA256, secret)


class Player:
    """Plays one scenario; a step that does not come true is an AssertionError that names its line."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.sent: dict[str, Sent] = {}
        self.identifier = 100
        self._steps: dict[str, Callable[[Sequence[str]], None]] = {
            "policy": self._policy,
            "poll": self._poll,
            "remote": self._remote,
            "start": lambda _: self.stage.happens(events.Started()),
            "hangup": lambda _: self.stage.happens(events.PullRequested()),
            "wait": lambda words: self.stage.passes(float(words[0])),
            "git": self._git,
            "notify": self._notify,
            "update": self._update,
            "again": self._again,
            "reply": self._reply,
            "silence": self._silence,
            "ask": self._ask,
            "serves": self._serves,
            "told": self._told,
            "untold": self._untold,
            "pulls": lambda words: _equal(self.stage.pulls, int(words[0])),
        }

    def play(self, scenario: Scenario) -> None:
        """All steps."""
        for number, line in scenario.lines:
            words = shlex.split(line, comments=True)
            try:
                self.step(words)
            except AssertionError as error:
                message = f"line {number}: {line}\n{error}"
                raise AssertionError(message) from error

    def step(self, words: Sequence[str]) -> None:
        """One step."""
        self._steps[words[0]](words[1:])

    # --- the world ---

    def _policy(self, words: Sequence[str]) -> None:
        (self.stage.policy,) = (policy for policy in SERIAL_POLICIES if policy == words[0])

    def _poll(self, words: Sequence[str]) -> None:
        settings = replace(self.stage.settings, poll=float(words[0]))
        self.stage.state = core.new_state(settings)

    def _remote(self, words: Sequence[str]) -> None:
        remote = self.stage.remote
        match words:
            case ["lacks", path, fragment]:
                assert fragment.encode() not in remote.files[path], remote.files[path].decode()
            case ["has", path, fragment]:
                assert fragment.encode() in remote.files[path], remote.files[path].decode()
            case ["got", fragment]:
                assert any(fragment in message for message in remote.messages), remote.messages
            case [path, "serial", serial, *records]:
                remote.change(path, zone_text(int(serial), *records))
            case [path, "keys", *names]:
                remote.change(path, "".join(f"{write_dnskey(make_key(name))}\n" for name in names).encode())
            case [path, "text", text]:
                remote.change(path, text.encode())
            case [path, "removed"]:
                remote.change(path, None)
            case _:
                self._remote_mood(words)

    def _remote_mood(self, words: Sequence[str]) -> None:
        remote = self.stage.remote
        match words:
            case ["is", "down", reason]:
                remote.down = reason
            case ["is", "up"]:
                remote.down = None
            case ["refuses", "pushes", reason]:
                remote.read_only = reason
            case ["minds", fragment]:
                remote.minds = fragment
            case ["takes", "pushes"]:
                remote.read_only = remote.loses_answers = None
            case ["loses", "answers", reason]:
                remote.loses_answers = reason
            case _:
                raise AssertionError("no such step")

    def _git(self, words: Sequence[str]) -> None:
        match words:
            case ["answers"]:
                self.stage.git_answers()
            case ["is", task]:
                _equal(self.stage.state.task, TASKS[task])
            case _:
                raise AssertionError("no such step")

    # --- requests ---

    def _notify(self, words: Sequence[str]) -> None:
        label, zone, *options = words
        message = self._message(zone, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags |= dns.flags.AA
        self._send(label, message.to_wire(), options)

    def _update(self, words: Sequence[str]) -> None:
        label, zone, *options = words
        self.identifier += 1
        message = dns.update.UpdateMessage(zone, id=self.identifier)
        message.use_edns(0)
        others: list[str] = []
        for word, value in zip(options[::2], options[1::2], strict=True):
            if word in PARTS:
                PARTS[word](message, *value.split(None, 3 if word == "add" else 2))
            else:
                others += [word, value]
        self._send(label, message.to_wire(), others)

    def _message(self, name: str, kind: str) -> dns.message.Message:
        self.identifier += 1
        message = dns.message.make_query(name, kind, use_edns=0, id=self.identifier)
        message.flags = dns.flags.Flag(0)
        return message

    def _send(self, label: str, wire: bytes, options: Sequence[str]) -> None:
        given = dict(zip(options[::2], options[1::2], strict=True))
        peer = (given.get("from", "192.0.2.200"), 40000 + self.identifier)
        packet = Packet(wire, "tcp" if given.get("over") == "tcp" else "udp", peer)
        key = None
        if "by" in given:
            secret = OTHER_SECRET if given.get("secret") == "wrong" else SECRET
            key = make_key(given["by"], secret)
        late = int(given.get("late", "0"))
        self._transmit(label, packet, wire, key, late)

    def _transmit(self, label: str, packet: Packet, wire: bytes, key: Key | None, late: int = 0) -> None:
        expectation = None
        if key is not None:
            signed, expectation = sign_request(wire, key, int(self.stage.now.wall) - late)
            packet = replace(packet, wire=signed)
        self.sent[label] = Sent(packet, wire, key, expectation)
        self.stage.receives(packet)

    def _again(self, words: Sequence[str]) -> None:
        sent = self.sent[words[0]]
        if words[1:] == ["anew"]:
            self._transmit(words[0], sent.packet, sent.unsigned, sent.key)
        else:
            self.stage.receives(sent.packet)

    # --- what became of them ---

    def _reply(self, words: Sequence[str]) -> None:
        label, rcode, *fragments = words
        sent = self.sent[label]
        wires = [wire for packet, wire in self.stage.replies if packet.peer == sent.packet.peer]
        assert len(wires) == 1, f"{len(wires)} replies"
        self.stage.replies = [pair for pair in self.stage.replies if pair[1] is not wires[0]]
        reply = read_reply(sent.packet.wire, self._verified(sent, wires[0]))
        assert reply is not None, "what came is no reply"
        _equal(reply.rcode_text, rcode)
        told = " ".join(map(str, reply.extended_errors))
        for fragment in fragments:
            assert fragment in told, f"told was: {told}"

    def _verified(self, sent: Sent, wire: bytes) -> bytes:
        """The reply to an unsigned request as it is; a signed one's must be signed, or say why it is not."""
        if sent.expectation is None:
            return wire
        verdict = verify_reply(wire, sent.expectation, int(self.stage.now.wall))
        if isinstance(verdict, Authentic):
            return verdict.message
        assert isinstance(verdict, SignatureRefused), verdict
        return wire

    def _silence(self, words: Sequence[str]) -> None:
        peers = {packet.peer for packet, _ in self.stage.replies}
        for label in words:
            assert self.sent[label].packet.peer not in peers, "there is a reply"

    def _ask(self, words: Sequence[str]) -> None:
        """`ask NAME TYPE [by KEY …] gets RCODE [RDATA …]`."""
        at = words.index("gets")
        name, kind, *options = words[:at]
        rcode, *wanted = words[at + 1 :]
        wire = self._message(name, kind).to_wire()
        if options:
            self._send("query", wire, options)
            _, reply = self.stage.replies.pop()
            reply = self._verified(self.sent["query"], reply)
        else:
            found = self.stage.catalogue.answer(wire)
            assert found is not None
            reply = found
        message = dns.message.from_wire(reply, ignore_trailing=True)
        _equal(dns.rcode.to_text(message.rcode()), rcode)
        answers = sorted(rdata.to_text() for rrset in message.answer for rdata in rrset)
        if wanted or rcode == "NOERROR":
            _equal(answers, sorted(wanted))

    def _serves(self, words: Sequence[str]) -> None:
        apex, expected = words
        zone = self.stage.catalogue.zone(apex)
        _equal("nothing" if zone is None else str(zone.serial), expected)

    def _told(self, words: Sequence[str]) -> None:
        level, *fragments = words
        found = [log for log in self.stage.logs if log.level == level]
        for fragment in fragments:
            assert any(fragment in log.text for log in found), "\n".join(log.text for log in self.stage.logs)

    def _untold(self, words: Sequence[str]) -> None:
        for fragment in words:
            assert not any(fragment in log.text for log in self.stage.logs), "it was told"


def _equal(found: object, expected: object) -> None:
    assert found == expected, f"found {found}, expected {expected}"
