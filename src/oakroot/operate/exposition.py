"""Metrics as Prometheus reads them, by its own library: text or OpenMetrics, as the scraper prefers.

Loaded late (`oakroot.late`): only who offers metrics needs the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from oakroot.operate.metrics import measure
from oakroot.operate.overview import Histogram
from oakroot.operate.samples import Family, Scene


def expose(scene: Scene, accept: str) -> tuple[str, bytes]:
    """The content type and the text, in the format that the `Accept` header asks for."""
    registry = CollectorRegistry()
    registry.register(_Families(scene))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Families(Collector):
    """The families of one scene, in the shape that the library takes."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are unique by the test of the table, and need not be looked through here."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        return map(_metric, measure(self._scene))


def _metric(family: Family) -> Metric:
    if family.kind == "histogram":
        return _histogram(family)
    made: Metric = (
        CounterMetricFamily(family.name, family.meaning, labels=family.labels)
        if family.kind == "counter"
        else GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
    )
    for sample in family.samples:
        if not isinstance(sample, Histogram):
            labels = dict(zip(family.labels, sample.labels, strict=True))
            made.add_sample(family.name, labels, sample.value)
    return made


def _histogram(family: Family) -> Metric:
    made = HistogramMetricFamily(family.name, family.meaning)
    for sample in family.samples:
        if isinstance(sample, Histogram):
            buckets = [
                ("+Inf" if bound == float("inf") else str(bound), float(count))
                for bound, count in sample.cumulative()
            ]
            made.add_metric((), buckets, sample.total)
    return made
