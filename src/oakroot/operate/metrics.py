"""What is measured, as one table: each family of metrics with its meaning, and how its samples are read.

Names follow Prometheus' conventions: base units, `_total` for what only grows, moments as
`_timestamp_seconds`, so that an age is `time() - X`. Labels are bounded: types and response codes by the
protocol, keys and secondaries by what the operator has configured, zones by `Scene.zones_limit`. No peer is
ever a label. Pure; `docs/metrics.md` is made of `TABLE`, and whoever writes metrics writes what `measure`
gives.
"""

from __future__ import annotations

from collections.abc import Iterator

from oakroot.operate import metrics_packets, metrics_state, metrics_zones
from oakroot.operate.samples import Family, Metric, Scene

PREFIX = "oakroot_"

TABLE: tuple[Metric, ...] = (*metrics_state.TABLE, *metrics_zones.TABLE, *metrics_packets.TABLE)


def measure(scene: Scene) -> Iterator[Family]:
    """All families that have a sample; those that the role has nothing to do with have none."""
    for metric in TABLE:
        samples = tuple(metric.read(scene))
        if samples:
            yield Family(PREFIX + metric.name, metric.kind, metric.meaning, metric.labels, samples)
