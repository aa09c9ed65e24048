"""What is remembered of updates, for how long, and how many."""

from __future__ import annotations

import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from oakroot.primary import memory
from oakroot.primary.memory import ENTRIES_LIMIT, PENDING, Memory, Pending, identify
from oakroot.primary.verdict import FINE, Verdict

OTHER = Verdict(dns.rcode.NXRRSET)


def identity(number: int, signed: int = 0) -> memory.Identity:
    return identify(b"wire %d %d" % (number, signed), b"query %d" % number, b"\x03key\0")


def test_a_message_is_known_by_its_octets_and_for_a_shorter_time_signed_anew() -> None:
    known = Memory().noting({identity(1): FINE}, 0.0)
    assert known.find(identity(1), 599.0) == FINE
    assert known.find(identity(1), 601.0) is None
    assert known.find(identity(1, signed=1), 59.0) == FINE
    assert known.find(identity(1, signed=1), 61.0) is None
    assert known.find(identity(2), 0.0) is None


def test_what_one_key_sent_another_did_not() -> None:
    known = Memory().noting({identify(b"wire", b"query", b"\x03one\0"): FINE}, 0.0)
    assert known.find(identify(b"other wire", b"query", b"\x03two\0"), 0.0) is None


def test_the_newest_word_counts() -> None:
    known = Memory().noting({identity(1): PENDING}, 0.0)
    assert known.find(identity(1), 1.0) == PENDING
    known = known.noting({identity(1): OTHER}, 1.0)
    assert known.find(identity(1), 2.0) == OTHER
    assert known.noting({identity(1): None}, 2.0).find(identity(1), 2.0) is None
    assert known.find(identity(1), 2.0) == OTHER, "a memory is a value"


def test_the_number_of_messages_is_bounded_and_the_oldest_go_first() -> None:
    known = Memory()
    for start in range(0, 2 * ENTRIES_LIMIT, 1000):
        known = known.noting({identity(number): FINE for number in range(start, start + 1000)}, float(start))
    assert sum(map(len, known.layers)) <= 2 * ENTRIES_LIMIT
    assert known.find(identity(0), 0.0) is None
    assert known.find(identity(2 * ENTRIES_LIMIT - 1), 2.0 * ENTRIES_LIMIT - 900) == FINE


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([FINE, OTHER, PENDING, None])), max_size=60))
def test_a_memory_in_layers_is_a_plain_dictionary(
    noted: list[tuple[int, Verdict | Pending | None]],
) -> None:
    known, plain = Memory(), dict[int, Verdict | Pending | None]()
    for now, (number, verdict) in enumerate(noted):
        known = known.noting({identity(number): verdict}, now / 100)
        plain[number] = verdict
    for number in range(21):
        assert known.find(identity(number), 1.0) == plain.get(number)
