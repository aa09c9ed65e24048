"""A small name server on loopback that lives by `protocol.tsig`: what the tools of others are to believe.

Answers any query with one A record, AXFR with a chain of messages, NOTIFY by `protocol.notify`, UPDATE with
NOERROR.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Self

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from oakroot.keys.keyring import Keyring
from oakroot.protocol import notify
from oakroot.protocol.tsig import Refused, Unsigned, Verified, sign_next, verify

SOA = "ns.example.org. hostmaster.example.org. 2026112201 7200 600 1209600 3600"
ZONE = "example.org."


@dataclass(frozen=True)
class Behaviour:
    """How this server differs from an honest one with a good clock."""

    clock_error: int = 0
    reply_clock_error: int = 0
    spoils_replies: bool = False
    messages_per_transfer: int = 4


class SignedServer:
    """Serves from `with` on; `address` is where."""

    def __init__(self, keyring: Keyring, behaviour: Behaviour | None = None) -> None:
        self.keyring = keyring
        self.behaviour = behaviour or Behaviour()
        self.verdicts: list[Unsigned | Verified | Refused] = []
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._bind()
        self._threads = [threading.Thread(target=self._serve_udp), threading.Thread(target=self._serve_tcp)]

    def _bind(self) -> None:
        """The same port for both, chosen by the kernel."""
        while True:
            self._tcp.bind(("127.0.0.1", 0))
            self.address: tuple[str, int] = self._tcp.getsockname()
            try:
                self._udp.bind(self.address)
            except OSError:
                self._tcp.close()
                self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                continue
            self._tcp.listen()
            return

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._udp.sendto(b"", self.address)
        with contextlib.suppress(OSError):
            socket.create_connection(self.address).close()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65535)
            if not wire:
                return
            for reply in self.replies(wire):
                self._udp.sendto(reply, peer)

    def _serve_tcp(self) -> None:
        """One connection after the other; one without a request ends the server."""
        while True:
            connection, _ = self._tcp.accept()
            # A client that does not believe the first message of a transfer hangs up.
            with connection, connection.makefile("rb") as stream, contextlib.suppress(ConnectionError):
                length = stream.read(2)
                if not length:
                    return
                while length:
                    for reply in self.replies(stream.read(int.from_bytes(length))):
                        connection.sendall(struct.pack("!H", len(reply)) + reply)
                    length = stream.read(2)

    def replies(self, wire: bytes) -> list[bytes]:
        """What is sent back for a request."""
        now = int(time.time())
        verdict = verify(wire, self.keyring, now + self.behaviour.clock_error)
        self.verdicts.append(verdict)
        if isinstance(verdict, Refused):
            return [] if verdict.response is None else [verdict.response]
        query = wire if isinstance(verdict, Unsigned) else verdict.query
        replies = self._answer(query, verdict)
        if isinstance(verdict, Verified):
            context, signed = verdict.context, []
            for reply in replies:
                octets, context = sign_next(reply, context, now + self.behaviour.reply_clock_error)
                signed.append(octets)
            replies = signed
        if self.behaviour.spoils_replies:
            # CD flipped: the message stays well formed, the signature fails.
            replies = [reply[:3] + bytes([reply[3] ^ 0x10]) + reply[4:] for reply in replies]
        return replies

    def _answer(self, query: bytes, verdict: Unsigned | Verified) -> list[bytes]:
        message = dns.message.from_wire(query)
        if message.opcode() == dns.opcode.NOTIFY:
            judged = notify.judge(query, verdict.signer if isinstance(verdict, Verified) else None)
            told = judged.response if isinstance(judged, notify.Rejected) else notify.acknowledge(query)
            return [] if told is None else [told]
        if message.opcode() == dns.opcode.UPDATE:
            return [dns.message.make_response(message).to_wire()]
        kind = message.question[0].rdtype
        if kind == dns.rdatatype.AXFR:
            return self._transfer(message)
        reply = dns.message.make_response(message)
        reply.flags |= dns.flags.AA
        if kind == dns.rdatatype.SOA:
            reply.answer.append(dns.rrset.from_text(ZONE, 60, "IN", "SOA", SOA))
        else:
            reply.answer.append(dns.rrset.from_text(message.question[0].name, 60, "IN", "A", "192.0.2.1"))
        return [reply.to_wire()]

    def _transfer(self, message: dns.message.Message) -> list[bytes]:
        count = self.behaviour.messages_per_transfer
        soa = dns.rrset.from_text(ZONE, 60, "IN", "SOA", SOA)
        replies = []
        for number in range(count):
            reply = dns.message.make_response(message)
            reply.flags |= dns.flags.AA
            reply.answer += [soa] if number == 0 else []
            reply.answer.append(
                dns.rrset.from_text(f"host{number}.{ZONE}", 60, "IN", "A", f"192.0.2.{number}")
            )
            if number == count - 1:
                reply.answer.append(dns.rrset.from_text(ZONE, 60, "IN", "SOA", SOA))
            replies.append(reply.to_wire())
        return replies
