"""Rules, dashboard and Prometheus's configuration: right by Prometheus's own tool, and about what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from faces.messaging.topology import DEAD, PICTURES_QUEUE
from tests.conftest import missing
from tests.support.containers.manifests import values

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/monitoring/rules.yaml"
OPERATOR_RULES = ROOT / "k8s/components/monitoring/prometheusrule.yaml"
DASHBOARD = ROOT / "k8s/components/monitoring/facefleet.json"
METRIC = re.compile(
    r"\b(?:facefleet|process|rabbitmq|python_gc|kube|kubelet|container|keda)_\w+(?=[{\[ )\n]|$)"
)


def promtool(*arguments: str | Path) -> None:
    if shutil.which("promtool") is None:
        missing("promtool: apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def shown() -> list[str]:
    """What the dashboard asks Prometheus."""
    asked = list(values(json.loads(DASHBOARD.read_text()), "expr"))
    return [question.replace("$__rate_interval", "1m") for question in asked]


def documented() -> set[str]:
    """Every series of docs/metrics.md, those of histograms included."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in rows for end in ends.get(kind, ("",))}


def test_configuration_and_rules_are_prometheus_own() -> None:
    promtool("check", "config", ROOT / "deploy/monitoring/prometheus.yaml")


def test_alerts_come_when_they_should() -> None:
    promtool("test", "rules", Path(__file__).with_name("alerts.yaml"))


def test_every_alert_is_tested_both_ways() -> None:
    cases = list(
        values(yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text()), "alert_rule_test")
    )
    tested = {(case["alertname"], "exp_alerts" in case) for some in cases for case in some}
    assert tested == {(rule["alert"], comes) for rule in alerts() for comes in (False, True)}


def test_the_dashboard_asks_what_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": asked} for number, asked in enumerate(shown())]
    assert len(rules) > 20
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yaml")


@pytest.mark.parametrize("asked", [*shown(), *(rule["expr"] for rule in alerts())])
def test_metrics_that_are_used_are_documented(asked: str) -> None:
    used = set(METRIC.findall(asked))
    assert used
    assert used - documented() == set()


def test_queues_are_ours() -> None:
    queues = re.findall(r'queue="([\w.]+)"', RULES.read_text() + DASHBOARD.read_text().replace("\\", ""))
    assert set(queues) == {DEAD, PICTURES_QUEUE}


def test_every_alert_has_a_section_for_who_is_woken() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    section = text.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (\w+)$", section, re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    for text in re.split(r"^### .*$", section, flags=re.MULTILINE)[1:]:
        parts = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
        assert parts == ["Users", "Cause", "Do", "Do not"], text[:60]


@pytest.mark.parametrize("words", [[], ["https://wiki.example.org/facefleet"]])
def test_the_operator_gets_the_same_rules(words: list[str], tmp_path: Path) -> None:
    for folder in ("deploy/monitoring", "k8s/components/monitoring"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    subprocess.run([tmp_path / "deploy/monitoring/generate", *words], check=True)
    made = (tmp_path / OPERATOR_RULES.relative_to(ROOT)).read_text()
    if not words:
        assert made == OPERATOR_RULES.read_text(), "run deploy/monitoring/generate"
        assert yaml.safe_load(made)["spec"] == yaml.safe_load(RULES.read_text())
    for rule in values(yaml.safe_load(made), "annotations"):
        assert rule["runbook_url"].startswith(words[0] if words else "https://facefleet.example.org/")


def test_every_alert_leads_to_its_section() -> None:
    for rule in alerts():
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/operations.md#{rule['alert'].lower()}")


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        cells = set(_cells(panel["gridPos"]))
        assert not cells & taken, panel["title"]
        taken |= cells


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for row in range(place["y"], place["y"] + place["h"]):
        yield from ((row, column) for column in range(place["x"], place["x"] + place["w"]))
