"""Metrics of zones: what is served of each, and whether their name servers agree. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from oakroot.operate.agreement import Standing
from oakroot.operate.overview import Condition, Zone
from oakroot.operate.samples import Metric, Read, Sample, Scene


def shown_zones(scene: Scene) -> tuple[Zone, ...]:
    """The zones that have samples of their own: those that are not as they should be come first.

    Then come those that are signed, the first to expire before all.
    """
    zones = scene.overview.zones
    if len(zones) > scene.zones_limit:
        zones = tuple(sorted(zones, key=lambda zone: _need(zone, scene))[: scene.zones_limit])
    return zones


def _need(zone: Zone, scene: Scene) -> tuple[bool, float, str]:
    is_current = zone.condition is Condition.CURRENT
    return is_current, scene.signatures.get(zone.apex, math.inf), zone.apex


def _of_zones(read: Callable[[Zone], float | None]) -> Read:
    return lambda scene: [
        Sample(value, (zone.apex,)) for zone in shown_zones(scene) if (value := read(zone)) is not None
    ]


def _zones(scene: Scene) -> Iterator[Sample]:
    counts = Counter(zone.condition for zone in scene.overview.zones)
    return (Sample(counts[condition], (condition.value,)) for condition in Condition)


def _degraded(scene: Scene) -> Iterator[Sample]:
    for zone in shown_zones(scene):
        if zone.condition is not Condition.CURRENT:
            yield Sample(1, (zone.apex, zone.condition.value))


def _hidden_zones(scene: Scene) -> tuple[Sample]:
    return (Sample(max(0, len(scene.overview.zones) - scene.zones_limit)),)


def _nameservers(scene: Scene) -> Iterator[Sample]:
    for apex in _agreed(scene):
        for standing in Standing:
            yield Sample(scene.agreement[apex].count(standing), (apex, standing.value))


def _divergence(scene: Scene) -> Iterator[Sample]:
    return (Sample(scene.agreement[apex].divergence, (apex,)) for apex in _agreed(scene))


def _signatures(scene: Scene) -> Iterator[Sample]:
    for zone in shown_zones(scene):
        if zone.apex in scene.signatures:
            yield Sample(scene.signatures[zone.apex], (zone.apex,))


def _agreed(scene: Scene) -> Iterable[str]:
    return (zone.apex for zone in shown_zones(scene) if zone.apex in scene.agreement)


TABLE: tuple[Metric, ...] = (
    Metric(
        "zones",
        "gauge",
        "Zones by condition: current; last-good and held-back serve an older version than the newest; stale "
        "is not confirmed lately; expired and unavailable are answered SERVFAIL.",
        _zones,
        ("condition",),
    ),
    Metric(
        "zone_degraded", "gauge", "1 for each zone that is not current.", _degraded, ("zone", "condition")
    ),
    Metric("zone_serial", "gauge", "The serial served.", _of_zones(lambda zone: zone.serial), ("zone",)),
    Metric(
        "zone_records",
        "gauge",
        "Records served.",
        _of_zones(lambda zone: zone.records if zone.is_served else None),
        ("zone",),
    ),
    Metric(
        "zone_changed_timestamp_seconds",
        "gauge",
        "When the version served came.",
        _of_zones(lambda zone: zone.since),
        ("zone",),
    ),
    Metric(
        "zone_confirmed_timestamp_seconds",
        "gauge",
        "When a primary last said that this version is the newest (secondaries).",
        _of_zones(lambda zone: zone.confirmed),
        ("zone",),
    ),
    Metric(
        "zone_expiry_timestamp_seconds",
        "gauge",
        "When the zone expires unless a primary confirms it (secondaries).",
        _of_zones(lambda zone: zone.expires),
        ("zone",),
    ),
    Metric(
        "zone_signatures_expiry_timestamp_seconds",
        "gauge",
        "When the first of the zone's RRSIG records expires; zones without signatures have none.",
        _signatures,
        ("zone",),
    ),
    Metric("zones_without_samples", "gauge", "Zones above the limit of --metrics-zones.", _hidden_zones),
    Metric(
        "zone_nameservers",
        "gauge",
        "The zone's name servers as they answered when asked for its SOA: agrees, behind, ahead, lame (no "
        "authoritative answer) or silent.",
        _nameservers,
        ("zone", "standing"),
    ),
    Metric(
        "zone_serial_divergence",
        "gauge",
        "The largest distance between our serial and that of one of the zone's name servers.",
        _divergence,
        ("zone",),
    ),
)
