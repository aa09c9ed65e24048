"""Frame Streams: what is written, byte by byte, and what of the other side is taken."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate.framestream import Control, Heard, StreamError, control, data


def frame(kind: int, *fields: tuple[int, bytes]) -> bytes:
    """A control frame as its specification draws it."""
    body = struct.pack("!I", kind) + b"".join(
        struct.pack("!II", tag, len(text)) + text for tag, text in fields
    )
    return struct.pack("!II", 0, len(body)) + body


def test_data_has_its_length_in_front() -> None:
    assert data(b"payload") == b"\0\0\0\7payload"


@pytest.mark.parametrize(
    ("word", "octets"),
    [
        (Control.READY, frame(4, (1, b"protobuf:dnstap.Dnstap"))),
        (Control.START, frame(2, (1, b"protobuf:dnstap.Dnstap"))),
        (Control.STOP, frame(3)),
    ],
)
def test_control_frames_are_as_the_specification_has_them(word: Control, octets: bytes) -> None:
    assert control(word) == octets


@given(st.sampled_from(Control), st.binary(max_size=40))
def test_a_word_is_heard_however_it_is_cut(word: Control, behind: bytes) -> None:
    octets = control(word)
    for end in range(len(octets)):
        assert Heard.of(octets[:end]) == Heard(None, octets[:end])
    assert Heard.of(octets + behind) == Heard(word, behind)


def test_a_collector_may_take_more_than_dnstap() -> None:
    assert Heard.of(frame(1, (1, b"other"), (1, b"protobuf:dnstap.Dnstap"))).word is Control.ACCEPT


def test_a_collector_that_names_nothing_takes_anything() -> None:
    assert Heard.of(frame(1)).word is Control.ACCEPT


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak Frame Streams"),
        (frame(1, (1, b"protobuf:other")), "does not take dnstap"),
        (frame(99), "unknown kind 99"),
        (struct.pack("!II", 0, 513), "does not speak Frame Streams"),
        (frame(1)[:4] + struct.pack("!II", 8, 1) + b"\0\0\0\1", "cut off"),
        (frame(1)[:4] + struct.pack("!IIII", 12, 1, 1, 9), "cut off"),
    ],
)
def test_who_speaks_otherwise_is_told_apart(octets: bytes, reason: str) -> None:
    with pytest.raises(StreamError, match=reason):
        Heard.of(octets)


@given(st.binary(max_size=600))
def test_no_octets_do_any_harm(octets: bytes) -> None:
    try:
        heard = Heard.of(octets)
    except StreamError:
        return
    assert octets.endswith(heard.rest)
