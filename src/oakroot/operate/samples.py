"""The words that metrics are written in: what is looked at, and what is read off it. Frozen, no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Literal

from oakroot.frozen import frozen
from oakroot.operate.agreement import Verdict
from oakroot.operate.overview import Histogram, Overview

Kind = Literal["counter", "gauge", "histogram"]


@frozen
class Scene:
    """What is measured: a role, and what is known of the name servers of its zones."""

    overview: Overview
    zones_limit: int = 1000
    """How many zones have samples of their own."""
    agreement: Mapping[str, Verdict] = field(default_factory=dict)
    """By apex."""
    signatures: Mapping[str, int] = field(default_factory=dict)
    """When the first signature of a signed zone expires, by apex."""
    events: Mapping[str, int] = field(default_factory=dict)
    """What the logs and taps of this process count."""


@frozen
class Sample:
    """One value, under the values of its family's labels."""

    value: float
    labels: tuple[str, ...] = ()


Read = Callable[[Scene], Iterable[Sample | Histogram]]


@frozen
class Metric:
    """A family of samples: its name without the prefix, its meaning, and how its samples are read."""

    name: str
    kind: Kind
    meaning: str
    read: Read
    labels: tuple[str, ...] = ()


@frozen
class Family:
    """A metric with its samples at one moment."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...]
    samples: tuple[Sample | Histogram, ...]
