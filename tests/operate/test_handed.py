"""What one process leaves to the next is read as it was left, or refused."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate.handed import Handed, HandedError, pack

SECRET = bytes(range(16))


def in_memory(content: bytes, flags: int = os.MFD_ALLOW_SEALING) -> int:
    descriptor = os.memfd_create("test", flags)
    os.write(descriptor, content)
    return descriptor


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=99), max_size=9))
def test_what_was_left_is_read_as_it_was(secret: bytes, entries: list[bytes]) -> None:
    handed = Handed(pack(secret, entries))
    assert (handed.cookie_secret, list(handed.entries())) == (secret, entries)
    assert list(handed.entries()) == entries
    handed.close()


def test_what_has_no_room_is_left_out() -> None:
    handed = Handed(pack(SECRET, [b"x" * 100, b"y" * 1000, b"z" * 100], most=400))
    assert list(handed.entries()) == [b"x" * 100, b"z" * 100]
    handed.close()


def test_nobody_can_change_what_was_left() -> None:
    descriptor = pack(SECRET, [b"zone"])
    for change in (lambda: os.pwrite(descriptor, b"x", 0), lambda: os.ftruncate(descriptor, 0)):
        with pytest.raises(PermissionError):
            change()
    os.close(descriptor)


@pytest.mark.parametrize(
    "content",
    [b"", b"oakroot handed 1\n" + SECRET, b"oakroot handed 1\n" + SECRET[1:], b"x" * 99],
    ids=["nothing", "not sealed", "too short", "something else"],
)
def test_what_is_something_else_is_refused_and_closed(content: bytes) -> None:
    descriptor = in_memory(content)
    with pytest.raises(HandedError, match="does not begin as it should"):
        Handed(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_is_no_memory_is_refused_and_closed() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(HandedError, match="cannot be read"):
        Handed(reading)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


def test_an_entry_that_is_cut_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oakroot.operate.handed._LENGTH", 1)
    handed = Handed(pack(SECRET, [b"zone"]))
    monkeypatch.setattr("oakroot.operate.handed._LENGTH", 2)
    with pytest.raises(HandedError, match="ends too early"):
        list(handed.entries())
    handed.close()
