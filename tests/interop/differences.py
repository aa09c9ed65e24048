"""Where NSD, Knot and BIND differ: each row says who stands apart, when, and why Oakroot does not.

Rows excuse peers, never Oakroot. When a row applies is told by `situations`. What must not live here: how
responses are compared (`compare`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.interop import situations as when
from tests.interop import wire
from tests.interop.compare import Case

EVERYTHING = frozenset({"rcode", "authoritative", "answer", "order", "authority", "proof", "glue"})
PEERS = ("nsd", "knot", "bind")


@dataclass(frozen=True)
class Difference:
    """One way in which peers stand apart."""

    name: str
    peers: tuple[str, ...]
    aspects: frozenset[str]
    applies: Callable[[Case, str], bool]
    """Whether this peer is in that situation."""
    does: str
    """What the peers do, as the rest of a sentence that begins with their names."""
    reason: str
    """Why Oakroot takes the other side."""


ROWS: tuple[Difference, ...] = (
    Difference(
        "cd-copied",
        ("bind",),
        frozenset({"header"}),
        when.asked_with_cd,
        "copies the CD bit into its answer",
        "RFC 4035 §3.1.6: an authoritative answer should have it clear",
    ),
    Difference(
        "loop-servfail",
        ("bind",),
        frozenset({"rcode", "authority", "proof", "glue"}),
        when.chain_given_up,
        "answers SERVFAIL beside the chain when that is a loop or too long",
        "RFC 1034 §3.6.2: software should not fail at loops; the resolver sees the loop in the answer",
    ),
    Difference(
        "chain-of-five",
        ("knot",),
        EVERYTHING,
        when.five_aliases_given,
        "stops after five CNAMEs",
        "RFC 1034 §4.3.2 step 3a has no limit; ours, 16, is beyond any chain in use",
    ),
    Difference(
        "growing-dname",
        ("nsd",),
        EVERYTHING,
        when.dname_leads_below_itself,
        "does not follow a DNAME whose target is below its owner",
        "RFC 6672 §3.2 makes no exception; the chain ends at the limit, or when the name gets too long",
    ),
    Difference(
        "stays-in-zone",
        ("knot", "bind"),
        EVERYTHING,
        when.chain_leaves_the_zone,
        "does not follow a CNAME or DNAME into another zone that it serves",
        "RFC 1034 §4.3.2 step 3a goes back to step 1, where the zone is chosen anew",
    ),
    Difference(
        "names-of-other-zones",
        ("nsd",),
        EVERYTHING,
        when.hidden_by_a_child,
        "keeps all zones in one tree, so what a parent's file holds below a child's apex exists in the child",
        "RFC 1034 §4.3.2 step 2: the nearest enclosing zone alone decides",
    ),
    Difference(
        "too-long-nxdomain",
        ("knot",),
        frozenset({"rcode", "authority", "proof"}),
        when.name_gets_too_long,
        "answers NXDOMAIN when a DNAME makes the name too long",
        "RFC 6672 §2.2: YXDOMAIN",
    ),
    Difference(
        "dname-at-asterisk",
        ("knot",),
        EVERYTHING,
        when.dname_at_asterisk_used,
        "gives a DNAME at an asterisk the query's name as owner, or SERVFAIL when the zone is signed",
        "RFC 4592 §2.3: below an asterisk that exists nothing is expanded",
    ),
    Difference(
        "any-over-tcp",
        ("nsd", "knot"),
        EVERYTHING,
        when.asked_for(wire.ANY),
        "answers ANY with one RRset over TCP too, and follows a DNAME for it",
        "RFC 8482 §4.4: over TCP there may be all; RFC 6672 §3.2: ANY matches the CNAME that was made",
    ),
    Difference(
        "grouped-by-owner",
        ("bind",),
        frozenset({"order"}),
        when.owner_comes_twice,
        "puts RRsets of one owner together, so that a chain through one name twice is out of order",
        "RFC 1034 §4.3.2 adds records in the order in which they are found",
    ),
    Difference(
        "glue-without-tc",
        ("nsd", "bind"),
        frozenset({"glue"}),
        when.glue_left_out,
        "leaves out glue that does not fit and sets no TC",
        "RFC 9471 §3.1: when not all in-domain glue fits, TC must be set",
    ),
    Difference(
        "soa-without-tc",
        ("knot",),
        frozenset({"authority"}),
        when.soa_left_out,
        "leaves out the SOA of a negative answer that does not fit and sets no TC",
        "RFC 2308 §3: the SOA must be there; RFC 2181 §9: TC when a required RRset is missing",
    ),
    Difference(
        "meta-types-are-data",
        ("nsd", "knot"),
        EVERYTHING,
        when.asked_for(*when.META_TYPES),
        "answers a question for OPT, TKEY, MAILA or MAILB like one for a type that the name lacks",
        "RFC 6895 §3.1: meta types are no data that a name could have or lack",
    ),
    Difference(
        "type-0",
        ("knot",),
        EVERYTHING,
        when.asked_for(0),
        "answers NOTIMP to a question for TYPE0",
        "RFC 3597 §3: a type that is not known is no error",
    ),
    Difference(
        "wildcard-cut",
        ("knot",),
        EVERYTHING,
        when.below_wildcard_ns,
        "makes referrals of NS records that a wildcard owns",
        "RFC 4592 §4.2 leaves it undefined; a referral to an owner that is above nothing helps nobody",
    ),
    Difference(
        "one-signature",
        ("knot",),
        frozenset({"answer", "order"}),
        when.asked_for(wire.RRSIG),
        "answers a question for RRSIG with the signatures of one RRset",
        "RFC 4035 §3.1 makes RRSIG no exception: who asks for a type gets all of it",
    ),
    Difference(
        "nsec-at-alias",
        ("knot", "bind"),
        EVERYTHING,
        when.nsec_asked_at_alias,
        "does not follow a CNAME for a question for NSEC, even where the zone has NSEC3",
        "RFC 1034 §4.3.2 step 3a; the CNAME bit makes the denial bogus (RFC 6840 §4.3)",
    ),
    Difference(
        "nsec3-at-alias",
        ("nsd",),
        EVERYTHING,
        when.asked_for(wire.NSEC3),
        "does not follow a CNAME that a wildcard gave for a question for NSEC3",
        "RFC 5155 §7.2.8: a question for NSEC3 is answered as if the record were not there",
    ),
    Difference(
        "nsec-at-cut",
        ("bind",),
        EVERYTHING,
        when.asked_for(wire.NSEC),
        "answers a question for the NSEC at a cut instead of referring",
        "RFC 4035 §3.1.4.1 makes this exception for DS alone",
    ),
    Difference(
        "proves-too-little",
        PEERS,
        frozenset({"proof"}),
        when.proof_incomplete,
        "sends NSEC or NSEC3 records that do not prove its answer",
        "RFC 4035 §3.1.3, RFC 5155 §7.2: a validating resolver calls the answer bogus",
    ),
    Difference(
        "proves-too-much",
        PEERS,
        frozenset({"proof"}),
        when.proof_has_more,
        "sends NSEC or NSEC3 records that the proof does not need",
        "RFC 4035 §3.1.3, RFC 5155 §7.2 tell which are needed",
    ),
)


@dataclass(frozen=True)
class KnownRefusal:
    """Zones that some servers will not serve."""

    zones: str
    theme: str
    apexes: tuple[str, ...]
    """Only these zones of the theme, if not empty."""
    servers: tuple[str, ...]
    reason: str


REFUSALS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        "with records below a DNAME",
        "dname with occluded",
        (),
        ("nsd", "knot"),
        "RFC 6672 §2.4 forbids them; BIND serves the zone without them",
    ),
    KnownRefusal(
        "with NS records at a wildcard",
        "wildcard cuts",
        (),
        ("bind",),
        "RFC 4592 §4.2 calls them undefined and discouraged",
    ),
    KnownRefusal(
        "whose apex begins with an asterisk",
        "wildcards",
        (r"*.test.",),
        ("bind",),
        "their apex has NS records at a wildcard; RFC 4592 §2.1.1 calls the name legal",
    ),
)
