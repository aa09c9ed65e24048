"""A small zone, and a zone of 10,000 names of every kind, unsigned and signed, with questions for all of it.

What must not live here: the zones that are large for the sake of being large (`workloads`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from bench.workloads import HEAD, QUERIES, Check, Workload, address, commit, host_checks, write_mixes
from tests.interop.signing import Denial, sign
from tests.interop.zones import Zone

SMALL_HOSTS = 10
MIXED_NAMES = 10_000
# Of 100 questions for the mixed zone: 70 for A and AAAA, the rest for what else there is, and is not.
SHARES = {
    "A": 45,
    "AAAA": 25,
    "CNAME": 6,
    "MX": 4,
    "referral": 6,
    "NXDOMAIN": 7,
    "NODATA": 4,
    "wildcard": 3,
}


def small_zone(directory: Path) -> Workload:
    """One zone of a few names, as most zones are."""
    apex = "small.example."
    lines = [f"h{number} IN A {address(number)[0]}\n" for number in range(SMALL_HOSTS)]
    commit(directory, {apex: [HEAD, *lines]})
    random = Random(3)  # noqa: S311 - questions, no secrets
    return Workload(
        name="a small zone",
        directory=directory,
        apexes=(apex,),
        last=Check(f"h{SMALL_HOSTS - 1}.{apex}", address(SMALL_HOSTS - 1)[1]),
        checks=host_checks(apex, SMALL_HOSTS, random),
        mixes=write_mixes(
            directory.with_name("questions-small"),
            {"hosts": (f"h{random.randrange(SMALL_HOSTS)}.{apex} A" for _ in range(QUERIES))},
        ),
    )


def mixed_zone(directory: Path, denial: Denial | None = None) -> Workload:
    """One zone of 10,000 names: hosts, aliases, mail, delegations, wildcards; signed if a denial is given."""
    kind = "mixed" if denial is None else denial.name.replace(" ", "-").lower()
    apex = f"{kind}.example."
    text = HEAD + "".join(_mixed_lines())
    if denial is not None:
        zone = Zone(apex=apex, theme="bench", text=f"$ORIGIN {apex}\n{text}", owners=(), probes=())
        text = sign(zone, denial, "ldns-signzone", directory.with_name(f"signing-{kind}")).text
    commit(directory, {apex: [text]})
    random = Random(4)  # noqa: S311 - the same
    signed = "" if denial is None else f", signed with {denial.name}"
    return Workload(
        name=f"1 zone of {MIXED_NAMES:,} mixed names{signed}",
        directory=directory,
        apexes=(apex,),
        last=Check(f"h{HOSTS - 1}.{apex}", address(HOSTS - 1)[1]),
        checks=host_checks(apex, HOSTS, random),
        mixes=write_mixes(
            directory.with_name(f"questions-{kind}"),
            {
                "mixed": _mixed_questions(apex, random),
                "random missing names": (f"n{random.randrange(10**12)}.{apex} A" for _ in range(QUERIES)),
            },
        ),
        is_signed=denial is not None,
    )


# How the names are divided up.
HOSTS = MIXED_NAMES * 7 // 10
ALIASES = MIXED_NAMES // 10
EXCHANGES = MIXED_NAMES // 20
CUTS = MIXED_NAMES // 20
WILDCARDS = MIXED_NAMES // 20


def _mixed_lines() -> Iterator[str]:
    for number in range(HOSTS):
        yield f"h{number} IN A {address(number)[0]}\n"
        yield f"h{number} IN AAAA 2001:db8::{number:x}\n"
    for number in range(ALIASES):
        yield f"c{number} IN CNAME h{number * 7 % HOSTS}\n"
    for number in range(EXCHANGES):
        yield f"m{number} IN MX 10 h{number}\nm{number} IN MX 20 h{number + 1}\n"
    for number in range(CUTS):
        yield f"d{number} IN NS ns.d{number}\nd{number} IN NS ns.example.net.\nns.d{number} IN A 192.0.2.53\n"
    for number in range(WILDCARDS):
        yield f"*.w{number} IN A {address(number)[0]}\n"


def _mixed_questions(apex: str, random: Random) -> Iterator[str]:
    makers: dict[str, Callable[[], str]] = {
        "A": lambda: f"h{random.randrange(HOSTS)}.{apex} A",
        "AAAA": lambda: f"h{random.randrange(HOSTS)}.{apex} AAAA",
        "CNAME": lambda: f"c{random.randrange(ALIASES)}.{apex} A",
        "MX": lambda: f"m{random.randrange(EXCHANGES)}.{apex} MX",
        "referral": lambda: f"www.d{random.randrange(CUTS)}.{apex} A",
        "NXDOMAIN": lambda: f"n{random.randrange(10**6)}.{apex} A",
        "NODATA": lambda: f"h{random.randrange(HOSTS)}.{apex} TXT",
        "wildcard": lambda: f"x{random.randrange(10**6)}.w{random.randrange(WILDCARDS)}.{apex} A",
    }
    kinds = random.choices(list(SHARES), list(SHARES.values()), k=QUERIES)
    return (makers[kind]() for kind in kinds)
