"""UPDATEs by keys with limits: each add and delete is judged, and a refusal says what the key may."""

from __future__ import annotations

import pytest

from tests.primary.group import Build, Group, together
from tests.primary.test_writing import refusal, verdicts
from tests.zones.repositories import zone_text

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
ACME = "k._acme-challenge._update.www.mirage."
ONLY_A = "k._only-a._update.mirage."
NOT_NS = "k._not-ns-soa._update.mirage."
EXACT = "k._exact._update.www.mirage."
CHALLENGE = "_acme-challenge.www"


def group() -> Group:
    lines = "".join(f"{key} DNSKEY 0 3 163 {SECRET}\n" for key in (ACME, ONLY_A, NOT_NS, EXACT))
    zone = zone_text(7, "www A 192.0.2.80", "www TXT old", "sub NS ns.sub", "ns.sub A 192.0.2.9")
    return Group({"mirage": zone, "_keys": lines.encode()})


@pytest.mark.parametrize(
    ("key", "build"),
    [
        (ACME, lambda m: m.add(CHALLENGE, 60, "TXT", "token")),
        (ACME, lambda m: m.replace(CHALLENGE, 60, "TXT", "token")),
        (ACME, together(lambda m: m.present("www", "A"), lambda m: m.add(CHALLENGE, 60, "TXT", "token"))),
        (ONLY_A, lambda m: m.delete("www", "A")),
        (ONLY_A, lambda m: m.delete("www", "A", "192.0.2.80")),
        (NOT_NS, lambda m: m.delete("www", "TXT")),
        (EXACT, lambda m: m.delete("www")),
    ],
)
def test_what_is_within_the_limits_is_done(key: str, build: Build) -> None:
    place = group()
    before = place.files["mirage"]
    assert verdicts(place.write("mirage", build, key=key)) == [("NOERROR", "")]
    assert place.files["mirage"] != before


@pytest.mark.parametrize(
    ("key", "build", "may"),
    [
        (ACME, lambda m: m.add("www", 60, "TXT", "x"), "TXT, _acme-challenge names"),
        (ACME, lambda m: m.add(CHALLENGE, 60, "A", "192.0.2.1"), "and may not update _acme-challenge.www"),
        (ACME, lambda m: m.add("_acme-challenge", 60, "TXT", "x"), "update _acme-challenge.mirage. TXT"),
        (ACME, lambda m: m.delete(CHALLENGE), "as a whole: name the type"),
        (ACME, lambda m: m.delete("www", "A"), "www.mirage. A"),
        (
            ACME,
            together(lambda m: m.add(CHALLENGE, 60, "TXT", "x"), lambda m: m.delete("www", "TXT", "old")),
            "www.mirage. TXT",
        ),
        (ONLY_A, lambda m: m.add("new", 60, "AAAA", "2001:db8::1"), "(A)"),
        (ONLY_A, lambda m: m.replace("@", 60, "SOA", "ns1 host 9 1 1 1 1"), "mirage. SOA"),
        (ONLY_A, lambda m: m.delete("www"), "as a whole"),
        (NOT_NS, lambda m: m.delete("sub", "NS"), "(all but NS SOA)"),
        (NOT_NS, lambda m: m.delete("sub"), "as a whole"),
        (NOT_NS, lambda m: m.add("other", 60, "NS", "ns.example."), "other.mirage. NS"),
        (EXACT, lambda m: m.add("a.www", 60, "A", "192.0.2.1"), "the name alone"),
    ],
)
def test_one_thing_beyond_the_limits_refuses_all_of_an_update(key: str, build: Build, may: str) -> None:
    rcode, reason = refusal(group(), build, key=key)
    assert rcode == "REFUSED"
    assert reason.startswith(f"the key {key.rstrip('.')} may update at ")
    assert may in reason
