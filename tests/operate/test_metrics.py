"""Metrics: the table keeps Prometheus' conventions, and what is written is what Prometheus reads."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from oakroot.operate.exposition import expose
from oakroot.operate.metrics import TABLE, measure
from oakroot.operate.overview import Condition, Histogram, Overview, Zone
from oakroot.operate.samples import Metric, Sample, Scene
from tests.operate.scenes import HOSTILE, NOON, scene

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def values(name: str, shown: Scene) -> dict[tuple[str, ...], float]:
    """The samples of one metric, by their labels."""
    families = {family.name: family for family in measure(shown)}
    return {
        sample.labels: sample.value
        for sample in families[f"oakroot_{name}"].samples
        if isinstance(sample, Sample)
    }


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.meaning.endswith(".")
    assert not {"peer", "client", "name"} & set(metric.labels), "what strangers choose is no label"


def test_every_metric_is_there_once_and_shows_something() -> None:
    names = [metric.name for metric in TABLE]
    assert len(names) == len(set(names))
    assert {family.name for family in measure(scene())} == {f"oakroot_{name}" for name in names}


def test_promtool_has_no_objection(require: Callable[[str], str]) -> None:
    promtool = require("promtool")
    _, text = expose(scene(), "text/plain")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_both_formats_say_the_same_and_survive_any_name(accept: str) -> None:
    shown = scene(Zone(HOSTILE, Condition.CURRENT, 9))
    content_type, text = expose(shown, accept)
    assert content_type.startswith(accept.partition(";")[0])
    read = read_openmetrics if accept == OPENMETRICS else text_string_to_metric_families
    samples = {
        (sample.name, sample.labels.get("zone")): sample.value
        for family in read(text.decode())
        for sample in family.samples
    }
    assert samples["oakroot_zone_serial", HOSTILE] == 9
    assert samples["oakroot_update_duration_seconds_count", None] == 3
    assert samples["oakroot_tsig_unknown_key_total", None] == 4


def test_numbers_of_the_engine_have_their_mnemonics() -> None:
    assert values("queries_by_type_total", scene()) == {("A",): 7, ("HTTPS",): 1, ("other",): 1}
    assert values("responses_total", scene()) == {("NOERROR",): 8, ("BADCOOKIE",): 1}
    assert values("queries_total", scene()) == {("udp",): 10, ("tcp",): 3, ("tls",): 2}
    assert values("cookies_total", scene()) == {("good",): 1, ("new",): 3}


def test_zones_above_the_limit_have_no_series_and_broken_ones_come_first() -> None:
    zones = [Zone(f"{number}.example.", Condition.CURRENT, 1) for number in range(50)]
    zones.append(Zone("z.example.", Condition.LAST_GOOD, 1))
    shown = scene(*zones, zones_limit=3)
    assert set(values("zone_serial", shown)) == {("z.example.",), ("0.example.",), ("1.example.",)}
    assert values("zones_without_samples", shown) == {(): 48}
    assert values("zones", shown)[("current",)] == 50
    assert not any(family.name == "oakroot_zone_serial" for family in measure(scene(*zones, zones_limit=0)))


def test_above_the_limit_zones_whose_signatures_expire_first_are_shown() -> None:
    zones = [Zone(f"{number}.example.", Condition.CURRENT, 1) for number in range(9)]
    shown = replace(
        scene(*zones, zones_limit=2), signatures={"7.example.": 300, "5.example.": 200, "8.example.": 100}
    )
    expected = {("8.example.",): 100, ("5.example.",): 200}
    assert values("zone_signatures_expiry_timestamp_seconds", shown) == expected


def test_name_servers_are_counted_by_their_standing() -> None:
    counted = values("zone_nameservers", scene())
    assert counted["example.org.", "agrees"] == counted["example.org.", "behind"] == 1
    assert counted["example.org.", "silent"] == 0
    assert values("zone_serial_divergence", scene()) == {("example.org.",): 2}


def test_a_role_without_git_shows_none() -> None:
    shown = Scene(Overview("secondary", "1", NOON, NOON))
    assert not any("git" in family.name or "certificate" in family.name for family in measure(shown))


def test_a_histogram_is_cumulative() -> None:
    assert list(Histogram((0.1, 1.0), (2, 1, 4)).cumulative()) == [(0.1, 2), (1.0, 3), (float("inf"), 7)]
