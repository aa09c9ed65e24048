"""Worlds: sets of generated zones that one server serves together.

The root zone swallows every name, so each root has a world of its own. What must not live here: how a
single zone looks (`themes`) and how it is signed (`signing`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from tests.interop.signing import DENIALS, Denial, sign
from tests.interop.themes import aliases, cuts, families, mixtures, names, types
from tests.interop.zones import LONGEST_TTL, TTLS, Zone, ZoneBuilder, label_starts

Theme = Callable[[ZoneBuilder], None]

# How many zones each theme gives, at the full size of the test.
THEMES: dict[Theme, int] = {
    names.hosts: 15,
    names.wildcards: 40,
    names.wildcard_oddities: 22,
    names.wildcard_cuts: 3,
    names.empty_nonterminals: 20,
    names.escapes: 12,
    names.long_names: 12,
    aliases.cname_targets: 25,
    aliases.cname_chains: 20,
    aliases.long_chains: 4,
    aliases.cname_loops: 12,
    aliases.dnames: 25,
    aliases.dname_loops: 10,
    aliases.dname_at_apex: 8,
    aliases.dname_with_occluded: 3,
    cuts.glue: 25,
    cuts.ds_at_cuts: 15,
    cuts.occluded: 25,
    types.odd_types: 25,
    types.large_sets: 12,
    types.reverse: 5,
    mixtures.mixture: 150,
}
FAMILIES = 6
# How many zones each theme gives to be signed, for each kind of denial. Long names are left out: the
# wildcards that NSEC3 proofs need would be too long for them, so the tools refuse.
SIGNED_THEMES: dict[Theme, int] = {
    names.hosts: 1,
    names.wildcards: 3,
    names.wildcard_oddities: 2,
    names.empty_nonterminals: 2,
    names.escapes: 1,
    aliases.cname_targets: 2,
    aliases.cname_chains: 2,
    aliases.cname_loops: 1,
    aliases.dnames: 2,
    aliases.dname_at_apex: 1,
    cuts.glue: 1,
    cuts.ds_at_cuts: 2,
    cuts.occluded: 2,
    types.odd_types: 1,
    types.large_sets: 1,
    mixtures.mixture: 6,
}
TOOLS = ("dnssec-signzone", "ldns-signzone")
ODD_APEXES = (
    "single.",
    "UPPER.Case.test.",
    r"0\04728.2.0.192.in-addr.arpa.",
    r"dot\.ted.test.",
    r"sp\032ace.test.",
    r"\255\000.test.",
    "*.test.",
    "xn--bcher-kva.test.",
    f"{'l' * 63}.{'m' * 63}.{'n' * 40}.test.",
    "a.b.c.d.e.f.g.h.i.j.k.test.",
)


@dataclass(frozen=True, repr=False)
class World:
    """Zones that are served together."""

    name: str
    zones: tuple[Zone, ...]

    @cached_property
    def apexes(self) -> dict[bytes, Zone]:
        """The zones by their apexes, wire names in lower case."""
        return {zone.apex_wire: zone for zone in self.zones}

    def apex_of(self, name: bytes) -> bytes | None:
        """The apex of the zone that a name lies in (RFC 1034 §4.3.2 step 2), if one is served."""
        lowered = name.lower()
        return next(
            (lowered[start:] for start in label_starts(lowered) if lowered[start:] in self.apexes), None
        )

    def crosses(self, owner: bytes, target: bytes) -> bool:
        """Whether an alias leads from one served zone into another."""
        apex = self.apex_of(target)
        return apex is not None and apex != self.apex_of(owner)

    @cached_property
    def _hidden(self) -> frozenset[bytes]:
        """Names in a zone's file, and their ancestors, to which another served zone is nearer."""
        return frozenset(
            name
            for zone in self.zones
            for owner in {owner.lower() for owner, _ in zone.owners}
            for name in (owner[start:] for start in label_starts(owner))
            if len(name) > len(zone.apex_wire) and self.apex_of(name) != zone.apex_wire
        )

    def is_hidden_by_a_child(self, name: bytes) -> bool:
        """Whether a parent's file holds this name, or one below it, in a served child's place."""
        return name.lower() in self._hidden


def make_zone(
    theme: Theme, apex: str, neighbours: tuple[str, ...] = (), *, seed: str = "", signed: bool = False
) -> Zone:
    """The zone that a theme makes of this apex; the same for the same arguments."""
    builder = ZoneBuilder(
        apex=apex,
        theme=theme.__name__.replace("_", " "),
        random=Random(f"{theme.__name__} {apex} {seed}"),
        neighbours=neighbours,
        # The tools give signatures that outlive them a shorter TTL, and RFC 4034 §3 wants it equal to the
        # RRset's.
        ttls=TTLS if signed else (*TTLS, LONGEST_TTL),
    )
    theme(builder)
    return builder.build()


def unsigned_world(scale: float = 1.0) -> World:
    """All themes, families and odd apexes; `scale` below 1 makes a smaller world of the same mixture."""
    neighbours = tuple(f"hosts{number}.test." for number in range(max(1, round(THEMES[names.hosts] * scale))))
    zones = [
        make_zone(theme, f"{theme.__name__.replace('_', '-')}{number}.test.", neighbours)
        for theme, count in THEMES.items()
        for number in range(max(1, round(count * scale)))
    ]
    for number in range(max(1, round(FAMILIES * scale))):
        zones += _family(f"family{number}.test.", signed=False)
    zones += [make_zone(names.wildcards, apex, neighbours) for apex in ODD_APEXES]
    return World("unsigned", tuple(zones))


def _family(apex: str, *, signed: bool) -> list[Zone]:
    roles = {"parent": families.parent, "child": families.child}
    return [make_zone(roles[role], member, signed=signed) for member, role in families.family(apex)]


def signed_world(directory: Path, scale: float = 1.0) -> World:
    """Zones of most themes and a family, signed with each kind of denial by each tool in turn."""
    zones: list[Zone] = []
    for denial in DENIALS:
        suffix = f"{denial.name.lower().replace(' ', '-')}.signed."
        for theme, count in SIGNED_THEMES.items():
            for number in range(max(1, round(count * scale))):
                apex = f"{theme.__name__.replace('_', '-')}{number}.{suffix}"
                zones.append(make_zone(theme, apex, (f"hosts0.{suffix}",), signed=True))
        zones += _family(f"family.{suffix}", signed=True)
    return World(
        "signed",
        tuple(
            sign(zone, _denial_of(zone), TOOLS[number % 2], directory / str(number))
            for number, zone in enumerate(zones)
        ),
    )


def _denial_of(zone: Zone) -> Denial:
    return next(
        denial
        for denial in DENIALS
        if zone.apex.endswith(f".{denial.name.lower().replace(' ', '-')}.signed.")
    )


def root_world(number: int, denial: Denial | None, directory: Path) -> World:
    """A root zone, signed or not, and in every other world one of its children beside it."""
    zones = [make_zone(families.root, ".", seed=str(number), signed=True)]
    if number % 2:
        zones.append(make_zone(families.child, "tld1.", signed=True))
    if denial is not None:
        zones = [sign(zone, denial, TOOLS[number % 2], directory / zone.apex) for zone in zones]
    return World(f"root, {denial.name}" if denial else "root", tuple(zones))
