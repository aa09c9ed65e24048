"""What is read of an UPDATE, and what is answered to one that RFC 2136 does not allow."""

from __future__ import annotations

import struct

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.update
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oakroot.protocol.update import (
    Add,
    DeleteName,
    DeleteRecord,
    DeleteRrset,
    Denied,
    NameInUse,
    NameNotInUse,
    RrsetAbsent,
    RrsetExists,
    RrsetIs,
    Update,
    read,
)

# Where their counts stand in the header, counted from the zone section.
PREREQUISITE, UPDATE = 1, 2


def message(zone: str = "mirage.") -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(zone, id=2136)  # the same in each run: messages are names of tests


def raw(section: int, owner: str, class_: str, ttl: int, kind: str, rdata: str | None = None) -> bytes:
    """An UPDATE with one record as written, lawful or not."""
    name = dns.name.from_text(owner).to_wire() or b""
    data = b"" if rdata is None else dns.rdata.from_text("IN", kind, rdata).to_wire() or b""
    numbers = (dns.rdatatype.from_text(kind), dns.rdataclass.from_text(class_), ttl, len(data))
    wire = bytearray(message().to_wire())
    wire[4 + 2 * section : 6 + 2 * section] = (1).to_bytes(2)
    return bytes(wire) + name + struct.pack("!HHIH", *numbers) + data


def read_well(wire: bytes) -> Update:
    found = read(wire)
    assert isinstance(found, Update), found
    return found


def denied(wire: bytes) -> tuple[str, str]:
    found = read(wire)
    assert isinstance(found, Denied), found
    return dns.rcode.to_text(found.rcode), found.reason.text


def test_every_kind_of_prerequisite_is_told_apart() -> None:
    made = message()
    made.present("a")
    made.absent("b")
    made.present("c", "A")
    made.absent("d", "AAAA")
    made.present("e", "A", "192.0.2.1")
    made.present("E", "A", "192.0.2.2")
    assert read_well(made.to_wire()).prerequisites == (
        NameInUse("a.mirage."),
        NameNotInUse("b.mirage."),
        RrsetExists("c.mirage.", "A"),
        RrsetAbsent("d.mirage.", "AAAA"),
        RrsetIs("e.mirage.", "A", frozenset({"192.0.2.1", "192.0.2.2"})),
    )


def test_every_kind_of_operation_is_told_apart() -> None:
    made = message()
    made.add("a", 60, "CNAME", "Elsewhere.")
    made.delete("b")
    made.delete("c", "A")
    made.delete("d", "MX", "10 mail")
    update = read_well(made.to_wire())
    assert update.operations == (
        Add("a.mirage.", 60, "CNAME", "Elsewhere."),
        DeleteName("b.mirage."),
        DeleteRrset("c.mirage.", "A"),
        DeleteRecord("d.mirage.", "MX", "10 mail.mirage."),
    )
    assert list(map(str, update.owners)) == ["a.mirage.", "b.mirage.", "c.mirage.", "d.mirage."]


def test_the_zone_section_may_name_a_name_within_a_zone() -> None:
    made = message("host.mirage.")
    made.add("@", 60, "A", "192.0.2.1")
    assert read_well(made.to_wire()).scope == dns.name.from_text("host.mirage.")


def test_an_opt_record_is_no_part_of_the_update() -> None:
    made = message()
    made.use_edns(0)
    assert read_well(made.to_wire()).operations == ()


def test_a_ttl_beyond_31_bits_is_0() -> None:
    (operation,) = read_well(raw(UPDATE, "a.mirage.", "IN", 2**31, "A", "192.0.2.1")).operations
    assert operation == Add("a.mirage.", 0, "A", "192.0.2.1")


def test_a_type_of_which_nothing_is_known_is_as_good_as_any() -> None:
    wire = raw(UPDATE, "a.mirage.", "IN", 60, "TYPE65280", "\\# 2 abcd")
    assert read_well(wire).operations == (Add("a.mirage.", 60, "TYPE65280", "\\# 2 ABCD"),)


@pytest.mark.parametrize(
    ("class_", "ttl", "operation"),
    [
        ("IN", 60, Add("a.mirage.", 60, "TYPE65280", "\\# 0")),
        ("NONE", 0, DeleteRecord("a.mirage.", "TYPE65280", "\\# 0")),
    ],
)
def test_a_type_of_which_nothing_is_known_may_have_no_octets(
    class_: str, ttl: int, operation: Add | DeleteRecord
) -> None:
    assert read_well(raw(UPDATE, "a.mirage.", class_, ttl, "TYPE65280")).operations == (operation,)


@pytest.mark.parametrize("kind", ["A", "TXT", "MX", "SOA"])
def test_a_type_that_is_never_empty_has_octets(kind: str) -> None:
    assert denied(raw(UPDATE, "a.mirage.", "IN", 60, kind))[0] == "FORMERR"


@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=63), st.text(".\\09", min_size=1, max_size=63).map(str.encode)
        ),
        max_size=3,
    )
)
@example([b"\\.\\\\", b"\\", b"."])
def test_owners_of_any_octets_are_read(labels: list[bytes]) -> None:
    owner = dns.name.Name((*labels, b"mirage", b""))
    made = message()
    made.add(owner, 60, "A", "192.0.2.1")
    assert read_well(made.to_wire()).owners[0].labels == owner.labels


@pytest.mark.parametrize(("section", "owner"), [(PREREQUISITE, "a.other."), (UPDATE, "amirage.")])
def test_a_name_outside_the_zone_is_answered_notzone(section: int, owner: str) -> None:
    rcode, text = denied(raw(section, owner, "ANY", 0, "A"))
    assert rcode == "NOTZONE"
    assert owner in text
    assert "mirage." in text


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (raw(PREREQUISITE, "a.mirage.", "ANY", 1, "A"), "has a TTL or data"),
        (raw(PREREQUISITE, "a.mirage.", "ANY", 0, "A", "192.0.2.1"), "has a TTL or data"),
        (raw(PREREQUISITE, "a.mirage.", "NONE", 0, "A", "192.0.2.1"), "has a TTL or data"),
        (raw(PREREQUISITE, "a.mirage.", "CH", 0, "A"), "a class that is not IN, ANY or NONE"),
        (raw(PREREQUISITE, "a.mirage.", "IN", 5, "A", "192.0.2.1"), "has a TTL"),
        (raw(PREREQUISITE, "a.mirage.", "IN", 0, "A"), "cannot be read"),
        (raw(PREREQUISITE, "a.mirage.", "ANY", 0, "AXFR"), "a type that no zone can hold"),
        (raw(UPDATE, "a.mirage.", "IN", 0, "A"), "cannot be read"),
        (raw(UPDATE, "a.mirage.", "IN", 0, "ANY"), "a type that no zone can hold"),
        (raw(UPDATE, "a.mirage.", "IN", 0, "OPT"), "a type that no zone can hold"),
        (raw(UPDATE, "a.mirage.", "ANY", 1, "A"), "a TTL that is not 0"),
        (raw(UPDATE, "a.mirage.", "ANY", 0, "A", "192.0.2.1"), "a whole RRset and has data"),
        (raw(UPDATE, "a.mirage.", "ANY", 0, "MAILB"), "a type that no zone can hold"),
        (raw(UPDATE, "a.mirage.", "NONE", 1, "A", "192.0.2.1"), "a TTL that is not 0"),
        (raw(UPDATE, "a.mirage.", "NONE", 0, "ANY"), "a type that no zone can hold"),
        (raw(UPDATE, "a.mirage.", "NONE", 0, "A"), "cannot be read"),
        (raw(UPDATE, "a.mirage.", "HS", 0, "A", "192.0.2.1"), "a class that is not IN, ANY or NONE"),
        (message().to_wire()[:-1], "cut off"),
        (dns.message.make_query("mirage.", "A", id=2136).to_wire(), "one zone, with type SOA"),
        (dns.message.make_query("mirage.", "SOA", "CH", id=2136).to_wire(), "one zone, with type SOA"),
    ],
)
def test_what_rfc_2136_calls_malformed_is_answered_formerr(wire: bytes, words: str) -> None:
    rcode, text = denied(wire)
    assert rcode == "FORMERR"
    assert words in text


@given(st.binary(max_size=80))
def test_any_octets_are_read_or_denied(octets: bytes) -> None:
    read(octets)
    read(message().to_wire() + octets)


@given(st.data())
def test_a_changed_octet_is_read_or_denied(data: st.DataObject) -> None:
    made = message()
    made.present("e", "A", "192.0.2.1")
    made.add("a", 60, "CNAME", "b.mirage.")
    made.delete("d", "MX", "10 mail")
    wire = bytearray(made.to_wire())
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(wire))


def test_the_root_is_an_owner_where_it_is_the_zone() -> None:
    made = message(".")
    made.add(".", 60, "NS", "a.")
    assert read_well(made.to_wire()).owners == (dns.name.root,)
