"""What is remembered of updates, for how long, and how many."""

from __future__ import annotations

import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from oakroot.primary import memory
from oakroot.primary.memory import ENTRIES_LIMIT, PENDING, Answered, Memory, Pending, identify
from oakroot.primary.verdict import FINE, Verdict

FINE_AT_1 = Answered(FINE, 1)
OTHER = Answered(Verdict(dns.rcode.NXRRSET), 1)


def identity(number: int, signed: int = 0) -> memory.Identity:
    return identify(b"mac %d %d" % (number, signed), b"--query %d" % number, 7, b"\x03key\0")


def test_a_message_is_known_by_its_signature_and_for_a_shorter_time_signed_anew() -> None:
    known = Memory().noting({identity(1): FINE_AT_1}, 0.0)
    assert known.find(identity(1), 1, 600.9) == FINE
    assert known.find(identity(1), 1, 601.1) is None
    assert known.find(identity(1, signed=1), 1, 59.0) == FINE
    assert known.find(identity(1, signed=1), 1, 61.0) is None
    assert known.find(identity(2), 1, 0.0) is None


def test_what_one_key_sent_another_did_not() -> None:
    known = Memory().noting({identify(b"mac", b"--query", 7, b"\x03one\0"): FINE_AT_1}, 0.0)
    assert known.find(identify(b"other mac", b"--query", 7, b"\x03two\0"), 1, 0.0) is None


def test_a_message_is_known_by_the_identifier_that_was_signed() -> None:
    known = Memory().noting({identify(b"mac", b"12query", 7, b"\x03key\0"): FINE_AT_1}, 0.0)
    assert known.find(identify(b"anew", b"34query", 7, b"\x03key\0"), 1, 0.0) == FINE
    assert known.find(identify(b"anew", b"12query", 8, b"\x03key\0"), 1, 0.0) is None


def test_what_is_signed_anew_after_another_change_is_another_message() -> None:
    known = Memory().noting({identity(1): FINE_AT_1}, 0.0)
    assert known.find(identity(1), 2, 1.0) == FINE
    assert known.find(identity(1, signed=1), 2, 1.0) is None


def test_what_is_in_work_is_known_for_longer_than_what_is_answered() -> None:
    known = Memory().noting({identity(1): PENDING}, 0.0)
    assert known.find(identity(1, signed=1), 5, 600.0) == PENDING


def test_a_further_signature_is_known_without_more_time_for_the_message() -> None:
    known = (
        Memory().noting({identity(1): FINE_AT_1}, 0.0).noting_signatures(identity(1, signed=1), FINE, 50.0)
    )
    assert known.find(identity(1, signed=1), 2, 650.0) == FINE
    assert known.find(identity(1, signed=2), 1, 61.0) is None


def test_the_newest_word_counts() -> None:
    known = Memory().noting({identity(1): PENDING}, 0.0)
    assert known.find(identity(1), 1, 1.0) == PENDING
    known = known.noting({identity(1): OTHER}, 1.0)
    assert known.find(identity(1), 1, 2.0) == OTHER.verdict
    assert known.noting({identity(1): None}, 2.0).find(identity(1), 1, 2.0) is None
    assert known.find(identity(1), 1, 2.0) == OTHER.verdict, "a memory is a value"


def test_the_number_of_messages_is_bounded_and_the_oldest_go_first() -> None:
    known = Memory()
    for start in range(0, 2 * ENTRIES_LIMIT, 1000):
        known = known.noting(
            {identity(number): FINE_AT_1 for number in range(start, start + 1000)}, float(start)
        )
    assert sum(map(len, known.layers)) <= 2 * ENTRIES_LIMIT
    assert known.find(identity(0), 1, 0.0) is None
    assert known.find(identity(2 * ENTRIES_LIMIT - 1), 1, 2.0 * ENTRIES_LIMIT - 900) == FINE


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from([FINE_AT_1, OTHER, PENDING, None])), max_size=60)
)
def test_a_memory_in_layers_is_a_plain_dictionary(
    noted: list[tuple[int, Answered | Pending | None]],
) -> None:
    known, plain = Memory(), dict[int, Answered | Pending | None]()
    for now, (number, verdict) in enumerate(noted):
        known = known.noting({identity(number): verdict}, now / 100)
        plain[number] = verdict
    for number in range(21):
        expected = plain.get(number)
        told = expected.verdict if isinstance(expected, Answered) else expected
        assert known.find(identity(number), 1, 1.0) == told
