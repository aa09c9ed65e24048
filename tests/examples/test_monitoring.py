"""What is in examples/monitoring, judged by Prometheus' own tool; it asks for metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from oakroot.operate.metrics import PREFIX, TABLE

_NAME = re.compile(rf"\b{PREFIX}[a-z_]+")


@pytest.fixture
def folder(project_root: Path) -> Path:
    return project_root / "examples" / "monitoring"


def queries(folder: Path) -> Iterator[str]:
    """The expression of every panel and annotation, with Grafana's variables filled in."""
    dashboard = json.loads((folder / "dashboard.json").read_text())
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", ())]
    for target in [*targets, *dashboard["annotations"]["list"]]:
        yield target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")


def promtool(require: Callable[[str], str], *words: str, cwd: Path) -> str:
    done = subprocess.run(
        [require("promtool"), *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(words: tuple[str, ...], folder: Path, require: Callable[[str], str]) -> None:
    assert "SUCCESS" in promtool(require, *words, cwd=folder)


def test_every_alert_has_a_test(folder: Path) -> None:
    rules = yaml.safe_load((folder / "alerts.yml").read_text())["groups"][0]["rules"]
    tests = yaml.safe_load((folder / "alerts.test.yml").read_text())["tests"]
    fired = {
        case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    assert fired == {rule["alert"] for rule in rules}


def test_every_query_of_the_dashboard_is_one(
    folder: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    rules = [{"record": f"query:{number}", "expr": text} for number, text in enumerate(queries(folder))]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool(require, "check", "rules", "rules.yml", cwd=tmp_path)


def test_only_metrics_that_there_are_are_asked_for(folder: Path) -> None:
    known = {PREFIX + metric.name for metric in TABLE}
    texts = [*queries(folder), (folder / "alerts.yml").read_text(), (folder / "alerts.test.yml").read_text()]
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for text in texts for name in _NAME.findall(text)}
    assert asked <= known
