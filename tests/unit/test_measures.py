"""Names of metrics: by the conventions, each once, and known to those who show them."""

from __future__ import annotations

import re

import pytest

from dropglow.measures import MEASURES, Measure, Sort

UNITS = ("_seconds", "_bytes", "_info", "_fds")
COUNTS = (  # gauges that count things, and so have no unit
    "dropglow_jobs",
    "dropglow_inbox_files",
    "dropglow_jobs_in_flight",
    "dropglow_jobs_in_flight_limit",
    "dropglow_config_faults",
    "dropglow_api_quota_used",
    "dropglow_budget_limit",
    "dropglow_budget_left",
)
STATES = ("_online", "_paused", "_trouble", "_live", "_ready", "_needed")  # 0 or 1


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_name_follows_the_conventions(measure: Measure) -> None:
    """``dropglow_`` (or ``process_``) first; ``_total`` for exactly what only grows; a unit or a statement last."""
    assert re.fullmatch(r"(dropglow|process)_[a-z_]+", measure.name)
    assert measure.name.endswith("_total") is (measure.sort is Sort.COUNTER)
    assert measure.sort is Sort.COUNTER or measure.name in COUNTS or measure.name.endswith((*UNITS, *STATES))
    assert measure.text.endswith(".")


def test_no_name_stands_twice() -> None:
    """Two things that are counted have two names."""
    assert len(MEASURES) == len({measure.name for measure in MEASURES})


def test_no_label_tells_a_path_or_an_id() -> None:
    """Whoever may connect may read them."""
    labels = {label for measure in MEASURES for label in measure.labels}

    assert {
        "rule", "outcome", "state", "stage", "period", "unit", "call", "window", "version", "python",
    } == labels  # fmt: skip


def test_histograms_have_buckets_in_order() -> None:
    """And nothing else has any."""
    for measure in MEASURES:
        assert bool(measure.buckets) is (measure.sort is Sort.HISTOGRAM)
        assert list(measure.buckets) == sorted(set(measure.buckets))
        assert len(measure.series()) == (3 if measure.sort is Sort.HISTOGRAM else 1)
