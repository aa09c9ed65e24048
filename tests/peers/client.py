"""Asks a name server many questions fast, over UDP or one TCP connection; answers are octets.

Queries are matched to answers by their ID alone, which this module writes. What must not live here: reading
messages.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence

Address = tuple[str, int]

WINDOW = 48
"""Questions under way at once: few enough for the smallest default socket buffer."""
ATTEMPTS = 4


def ask_udp(address: Address, queries: Sequence[bytes], seconds: float = 1.5) -> list[bytes | None]:
    """The answer to each query, None where `ATTEMPTS` times nothing came within `seconds`."""
    answers: list[bytes | None] = [None] * len(queries)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(address)
        for start in range(0, len(queries), WINDOW):
            waiting = {number: queries[number] for number in range(start, min(start + WINDOW, len(queries)))}
            for _attempt in range(ATTEMPTS):
                for number, query in waiting.items():
                    udp.send(_with_id(query, number))
                _collect_datagrams(udp, waiting, answers, seconds)
                if not waiting:
                    break
    return answers


def _collect_datagrams(
    udp: socket.socket,
    waiting: dict[int, bytes],
    answers: list[bytes | None],
    seconds: float,
) -> None:
    """Takes answers until none is waited for or none has come for `seconds`."""
    by_id = {number & 0xFFFF: number for number in waiting}
    udp.settimeout(seconds)
    while by_id:
        try:
            datagram = udp.recv(65535)
        except TimeoutError:
            return
        # A late answer to an earlier attempt is as good as any; one to an earlier window is none of ours.
        number = by_id.pop(int.from_bytes(datagram[:2]), None)
        if number is not None:
            answers[number] = datagram
            del waiting[number]


def ask_tcp(address: Address, queries: Sequence[bytes], seconds: float = 5.0) -> list[bytes | None]:
    """The answer to each query, pipelined; None where `ATTEMPTS` times none came."""
    answers: list[bytes | None] = [None] * len(queries)
    missing = list(range(len(queries)))
    for _attempt in range(ATTEMPTS):
        while missing:
            before = len(missing)
            _ask_on_one_connection(address, queries, missing, answers, seconds)
            missing = [number for number in missing if answers[number] is None]
            if len(missing) == before:
                break
    return answers


def _ask_on_one_connection(
    address: Address,
    queries: Sequence[bytes],
    numbers: Sequence[int],
    answers: list[bytes | None],
    seconds: float,
) -> None:
    """Asks the numbered queries until all are answered, the server hangs up or is silent for `seconds`."""
    with socket.create_connection(address, timeout=seconds) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = bytearray()
        for start in range(0, len(numbers), WINDOW):
            window = numbers[start : start + WINDOW]
            frames = (_with_id(queries[number], number) for number in window)
            try:
                tcp.sendall(b"".join(struct.pack("!H", len(frame)) + frame for frame in frames))
            except (BrokenPipeError, ConnectionResetError):
                return
            if not _collect_frames(
                tcp, received, {number & 0xFFFF: number for number in window}, answers, seconds
            ):
                return


def _collect_frames(
    tcp: socket.socket,
    received: bytearray,
    by_id: dict[int, int],
    answers: list[bytes | None],
    seconds: float,
) -> bool:
    """Takes answers until none is waited for; False when the connection ended or was silent before that."""
    deadline = time.monotonic() + seconds
    while by_id:
        readable, _, _ = select.select([tcp], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return False
        # Without this the peer's last small segment waits 40 ms for an acknowledgement that waits for a
        # segment.
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            octets = tcp.recv(1 << 18)
        except ConnectionResetError:
            return False
        if not octets:
            return False
        received += octets
        deadline = time.monotonic() + seconds
        for message in _take_frames(received):
            number = by_id.pop(int.from_bytes(message[:2]), None)
            if number is not None:
                answers[number] = message
    return True


def _take_frames(received: bytearray) -> list[bytes]:
    """The whole messages at the start of `received`, which keeps the rest (RFC 1035 §4.2.2)."""
    messages = []
    at = 0
    while len(received) >= at + 2:
        end = at + 2 + int.from_bytes(received[at : at + 2])
        if end > len(received):
            break
        messages.append(bytes(received[at + 2 : end]))
        at = end
    del received[:at]
    return messages


def _with_id(query: bytes, number: int) -> bytes:
    return struct.pack("!H", number & 0xFFFF) + query[2:]
