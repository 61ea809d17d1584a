"""The examples for Prometheus and Grafana name what there is, and are what those programs read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from dropglow.measures import MEASURES, Measure
from dropglow.ops.listening import PORT

FOLDER: Final = Path(__file__).parents[1] / "systemd" / "monitoring"
BY_SERIES: Final[dict[str, Measure]] = {name: each for each in MEASURES for name in each.series()}
ALERTS: Final = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
RULES: Final[list[dict[str, Any]]] = ALERTS["groups"][0]["rules"]
DASHBOARD: Final = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
GIVEN: Final = {"job", "instance", "le"}  # by Prometheus itself
FUNCTIONS: Final = {"rate", "increase", "sum", "min", "max", "time", "histogram_quantile", "and", "by"}


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression, with the name of the alert or the panel that it stands in."""
    yield from ((rule["alert"], rule["expr"]) for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def without_texts(expression: str) -> str:
    """Return *expression* without what stands in braces, brackets and quotes."""
    return re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", "", expression)


@pytest.mark.parametrize(("where", "expression"), [*expressions()])
def test_every_metric_that_is_named_exists(where: str, expression: str) -> None:
    """With its labels: a misspelt one would never alert, and nobody would know."""
    bare = without_texts(re.sub(r"by \([^)]*\)", "", expression))
    words = set(re.findall(r"\b[a-z_]+", bare)) - FUNCTIONS
    assert words - {"up"} <= BY_SERIES.keys(), where
    matched = re.findall(r"([a-z_]+)\{([^}]*)\}", expression)
    for name, matchers in matched:
        labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!=|=)", matchers))
        assert labels <= ({*BY_SERIES[name].labels} if name in BY_SERIES else GIVEN), where
    known = GIVEN.union(*(BY_SERIES[word].labels for word in words if word in BY_SERIES))
    for names in re.findall(r"by \(([^)]*)\)", expression):
        assert set(re.split(r",\s*", names)) <= known, where


@pytest.mark.parametrize(("where", "expression"), [*expressions()])
def test_only_what_grows_is_asked_how_fast(where: str, expression: str) -> None:
    """The rate of a gauge means nothing, and the bare value of a counter begins anew with each start."""
    for name in re.findall(r"(?:rate|increase)\(([a-z_]+)", expression):
        assert name.endswith(("_total", "_bucket")), where
    for name in set(re.findall(r"[a-z_]+(?:_total|_bucket)\b", expression)):
        bare = re.findall(rf"(?<!rate\()(?<!increase\()\b{name}\b", expression)
        assert [] == bare, where


@pytest.mark.parametrize(("where", "expression"), [*expressions()])
def test_brackets_are_closed(where: str, expression: str) -> None:
    """In the right order."""
    left = re.sub(r"\"[^\"]*\"|[^][(){}]", "", expression)
    while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", left)) != left:
        left = shorter

    assert "" == left, where


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_and_what_to_do(rule: dict[str, Any]) -> None:
    """In the form that Prometheus takes, with a severity and nothing else."""
    assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= {
        "alert", "expr", "for", "labels", "annotations",
    }  # fmt: skip
    assert re.fullmatch(r"Dropglow[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    assert {"severity"} == rule["labels"].keys()
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert {"summary", "action"} == rule["annotations"].keys()
    used = set(re.findall(r"\$labels\.([a-z]+)", json.dumps(rule["annotations"])))
    assert used <= {label for each in MEASURES for label in each.labels}


def test_prometheus_takes_the_rules() -> None:
    """As its own tool says."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed")

    done = subprocess.run([tool, "check", "rules", FOLDER / "alerts.yaml"], capture_output=True, text=True)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_no_alert_and_no_panel_stands_twice() -> None:
    """Each has a name, and each panel a place, of its own."""
    for names in (
        [rule["alert"] for rule in RULES],
        [panel["title"] for panel in DASHBOARD["panels"]],
        [panel["id"] for panel in DASHBOARD["panels"]],
        [tuple(panel["gridPos"][side] for side in "xy") for panel in DASHBOARD["panels"]],
    ):
        assert len(names) == len(set(names))


def test_panels_do_not_lie_on_each_other() -> None:
    """And fit the width of a dashboard."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_the_page_lists_every_metric_in_the_words_of_the_code() -> None:
    """In order, with labels."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `((?:dropglow|process)_\w+)` \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)

    assert [
        (each.name, ", ".join(f"`{label}`" for label in each.labels), each.text) for each in MEASURES
    ] == rows


def test_prometheus_asks_where_the_service_answers() -> None:
    """The example, the socket unit and the program agree on the port."""
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    socket = (FOLDER.parent / "dropglow-http.socket").read_text(encoding="utf-8")
    job = configuration["scrape_configs"][0]

    assert [f"127.0.0.1:{PORT}"] == job["static_configs"][0]["targets"]
    assert f"ListenStream=127.0.0.1:{PORT}" in socket.splitlines()
    assert ("dropglow", ["alerts.yaml"]) == (job["job_name"], configuration["rule_files"])
