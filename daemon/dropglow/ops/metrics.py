"""Count for Prometheus, and write what was counted in its text format.

The only module that knows prometheus-client. What is counted here begins at nought with the process; what is shown
as it stands is given by whoever asks for the text. Nothing here may block or carry a path, an id or an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dropglow import measures
from dropglow.events import Accepted, Borrowed, Declined, Delivered, Doubted, Event, GaveUp, Kept, RanLate
from dropglow.events import Completed as RemoteDone
from dropglow.lifecycle import ENDED
from dropglow.measures import Measure, Reading, Sort
from dropglow.model import Drop, DropState, Job, Stage
from dropglow.money import cost

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

# Counted here, while it happens; everything else is read when somebody asks.
_COUNTED: Final = (
    measures.DROPS_ADMITTED,
    measures.DROPS_CLOSED,
    measures.JOBS_ADMITTED,
    measures.JOBS_ENDED,
    measures.JOBS_LATE,
    measures.JOBS_REUSED,
    measures.RESULTS_DELIVERED,
    measures.RESULT_BYTES,
    measures.ORDERS,
    measures.SPENT_IMAGES,
    measures.SPENT_OPERATIONS,
    measures.API_REQUESTS,
    measures.LEDGER_FAILURES,
)
_TIMED: Final = (
    measures.ORDER_WAIT,
    measures.REMOTE_DURATION,
    measures.JOB_DURATION,
    measures.API_DURATION,
    measures.LEDGER_WRITE,
)
READ: Final = tuple(
    each for each in measures.MEASURES if each not in {*_COUNTED, *_TIMED, measures.LAST_DELIVERY}
)
_ORDER_OUTCOMES: Final = ("accepted", "declined", "refused", "in_doubt")
_OUTCOMES: Final = {
    measures.DROPS_CLOSED: tuple(state.value for state in DropState if state is not DropState.OPEN),
    measures.JOBS_ENDED: tuple(stage.value for stage in Stage if stage in ENDED),
    measures.ORDERS: _ORDER_OUTCOMES,
}


class Metrics:
    """Everything that is counted in this process. Belongs to one event loop, but for ``text``."""

    def __init__(self) -> None:
        """Begin at nought."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the text, and the start of the process says the same
        registry = self._registry = CollectorRegistry()
        self._counters = {
            each: Counter(each.name, each.text, each.labels, registry=registry) for each in _COUNTED
        }
        self._times = {
            each: Histogram(each.name, each.text, each.labels, buckets=each.buckets, registry=registry)
            for each in _TIMED
        }
        last = measures.LAST_DELIVERY
        self._last_delivery = Gauge(last.name, last.text, last.labels, registry=registry)
        self._rules: set[str] = set()

    def know(self, rules: Sequence[str]) -> None:
        """Show every series of these *rules* from now on, as nought until something happens.

        Without it the first failure of a rule would be no increase to Prometheus, but a new series.
        """
        for rule in rules:
            if rule not in self._rules:
                self._rules.add(rule)
                self._begin(rule)

    def happened(self, before: Job, after: Job, event: Event) -> None:
        """Note that *event* made *after* of the job *before*."""
        if after.stage in ENDED and before.stage is not after.stage:
            self._count(measures.JOBS_ENDED, after.rule, after.stage.value)
        match event:
            case Accepted(at=at):
                self._ordered(after, "accepted")
                self._time(measures.ORDER_WAIT, (at - after.created_at).total_seconds(), after.rule)
            case Declined():
                self._count(measures.ORDERS, after.rule, "declined")
            case Doubted():
                self._ordered(after, "in_doubt")
            case GaveUp() if before.stage is Stage.SUBMITTING:
                self._count(measures.ORDERS, after.rule, "refused")
            case RemoteDone(at=at) if after.accepted_at is not None:
                self._time(measures.REMOTE_DURATION, (at - after.accepted_at).total_seconds(), after.rule)
            case RanLate():
                self._count(measures.JOBS_LATE, after.rule)
            case Kept() | Borrowed():
                self._count(measures.JOBS_REUSED, after.rule)
            case Delivered():
                self._delivered(after, event)
            case _:
                pass

    def admitted(self, drop: Drop, jobs: Sequence[Job]) -> None:
        """Note that *drop* was taken in, with its *jobs*."""
        self._count(measures.DROPS_ADMITTED, drop.rule)
        for job in jobs:
            self._count(measures.JOBS_ADMITTED, job.rule)

    def closed(self, drop: Drop) -> None:
        """Note that *drop* was put away."""
        self._count(measures.DROPS_CLOSED, drop.rule, drop.state.value)

    def wrote(self, took_s: float) -> None:
        """Note that a change was safe after *took_s* seconds."""
        self._time(measures.LEDGER_WRITE, took_s)

    def could_not_write(self) -> None:
        """Note that the ledger could not take a change in."""
        self._count(measures.LEDGER_FAILURES)

    def asked(self, call: str, outcome: str, took_s: float) -> None:
        """Note that a *call* of Adobe's ended so, after *took_s* seconds."""
        self._count(measures.API_REQUESTS, call, outcome)
        self._time(measures.API_DURATION, took_s, call)

    def text(self, reading: Reading) -> bytes:
        """Return everything in Prometheus' text format, with what *reading* shows. May be called in any thread."""
        shown = CollectorRegistry()
        shown.register(_Shown(reading))
        return generate_latest(self._registry) + generate_latest(shown)

    def _begin(self, rule: str) -> None:
        for each in _COUNTED:
            if each.labels == ("rule",):
                self._counters[each].labels(rule)
            for outcome in _OUTCOMES.get(each, ()):
                self._counters[each].labels(rule, outcome)
        for each in _TIMED:
            if each.labels == ("rule",):
                self._times[each].labels(rule)

    def _ordered(self, job: Job, outcome: str) -> None:
        price = cost(job.order)
        self._count(measures.ORDERS, job.rule, outcome)
        self._count(measures.SPENT_IMAGES, job.rule, by=price.images)
        self._count(measures.SPENT_OPERATIONS, job.rule, by=price.operations)

    def _delivered(self, job: Job, event: Delivered) -> None:
        self._count(measures.RESULTS_DELIVERED, job.rule, by=len(event.paths))
        self._count(measures.RESULT_BYTES, job.rule, by=sum(each.size_bytes for each in job.artifacts))
        self._time(measures.JOB_DURATION, (event.at - job.created_at).total_seconds(), job.rule)
        self._last_delivery.labels(job.rule).set(event.at.timestamp())

    def _count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        counter = self._counters[measure]
        (counter.labels(*labels) if labels else counter).inc(by)

    def _time(self, measure: Measure, took_s: float, *labels: str) -> None:
        histogram = self._times[measure]
        (histogram.labels(*labels) if labels else histogram).observe(max(0.0, took_s))


class _Shown(Collector):
    """Show a reading, in the order in which the measures stand."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        for measure in READ:
            if measure in self._reading:
                yield _family(measure, self._reading[measure])


def _family(measure: Measure, values: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily
    if measure.sort is Sort.COUNTER:
        family = CounterMetricFamily(measure.name, measure.text, labels=measure.labels)
    else:
        family = GaugeMetricFamily(measure.name, measure.text, labels=measure.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family
