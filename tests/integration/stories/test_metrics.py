"""What a whole service tells of itself to whoever asks: health, and numbers that agree with the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from dropglow import measures
from dropglow.census import Census
from dropglow.measures import MEASURES, Measure, Sort
from dropglow.model import Stage
from dropglow.ops.metrics import Metrics
from dropglow.runtime.counting import counted
from dropglow.runtime.health import ABSENT, Health

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: bytes) -> Samples:
    """Return every sample of Prometheus' text, as Prometheus reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(samples: Samples, measure: Measure, **labels: str) -> float:
    return samples[measure.name, frozenset(labels.items())]


def with_metrics(daemon: Daemon) -> Metrics:
    """Have what happens to *daemon*'s jobs counted."""
    metrics = Metrics()
    metrics.know(["social-sizes", "prompts"])
    daemon.ledger = lambda ledger: counted(ledger, metrics, daemon.clock)
    return metrics


async def test_what_happens_is_counted(make_daemon: DaemonMaker) -> None:
    """Drops, jobs, orders, money, results and times, by rule."""
    daemon = make_daemon()
    metrics = with_metrics(daemon)
    daemon.prompt("fox.txt")
    daemon.prompt("hare.txt", "a hare in the grass")
    rule = "prompts"

    await daemon.run_once()
    samples = read(metrics.text({}))

    jobs = await daemon.jobs()
    assert [2.0] * 6 == [
        value(samples, measures.DROPS_ADMITTED, rule=rule),
        value(samples, measures.DROPS_CLOSED, rule=rule, outcome="done"),
        value(samples, measures.JOBS_ENDED, rule=rule, outcome="delivered"),
        value(samples, measures.ORDERS, rule=rule, outcome="accepted"),
        value(samples, measures.SPENT_IMAGES, rule=rule),
        value(samples, measures.RESULTS_DELIVERED, rule=rule),
    ]
    stored = sum(artifact.size_bytes for job in jobs for artifact in job.artifacts)
    latest = max(job.ended_at.timestamp() for job in jobs if job.ended_at is not None)
    assert stored == value(samples, measures.RESULT_BYTES, rule=rule)
    assert abs(value(samples, measures.LAST_DELIVERY, rule=rule) - latest) < 1
    for measure in (measures.ORDER_WAIT, measures.REMOTE_DURATION, measures.JOB_DURATION):
        assert 2 == samples[f"{measure.name}_count", frozenset({("rule", rule)})]
    assert 0 < samples[f"{measures.LEDGER_WRITE.name}_count", frozenset()]
    assert 0 == value(samples, measures.JOBS_ENDED, rule="social-sizes", outcome="failed")


async def test_doubts_and_refusals_are_counted_as_money_is(make_daemon: DaemonMaker) -> None:
    """What is in doubt counts as spent, what Adobe refuses does not."""
    daemon = make_daemon("submit_lost=first:1")
    metrics = with_metrics(daemon)
    daemon.prompt("lost.txt")
    await daemon.run_once()
    daemon.faults("moderation=every:1")
    daemon.prompt("refused.txt", "something else")
    await daemon.run_once()

    samples = read(metrics.text({}))

    assert {Stage.IN_DOUBT, Stage.FAILED} == {job.stage for job in await daemon.jobs()}
    orders = {
        outcome: value(samples, measures.ORDERS, rule="prompts", outcome=outcome)
        for outcome in ("accepted", "in_doubt", "refused")
    }
    assert {"accepted": 0, "in_doubt": 1, "refused": 1} == orders
    assert 1 == value(samples, measures.SPENT_IMAGES, rule="prompts")
    assert 1 == value(samples, measures.DROPS_CLOSED, rule="prompts", outcome="held")
    assert 1 == value(samples, measures.DROPS_CLOSED, rule="prompts", outcome="failed")


async def test_everything_is_shown_and_nothing_given_away(make_daemon: DaemonMaker) -> None:
    """Every metric there is; no folder, no file's name, no secret."""
    daemon = make_daemon()
    metrics = with_metrics(daemon)
    metrics.asked("submit", "ok", 0.1)
    daemon.prompt("secret-campaign.txt")
    seen: list[bytes] = []

    async def look(health: Health) -> None:
        while not daemon.results():  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.01)
        counted_jobs = await Census(daemon.folder / "state" / "ledger.sqlite3").latest()
        seen.append(metrics.text(await health.reading(counted_jobs)))

    async with daemon.service() as service:
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop, once=False))
        await asyncio.wait_for(look(service.health), 60)
        stop.set()
        await running

    text, samples = seen[0].decode(), read(seen[0])
    shown = {name for name, _ in samples}
    budgets = {measures.BUDGET_LIMIT, measures.BUDGET_LEFT}  # there are none here
    assert [] == [
        name
        for measure in MEASURES
        if measure not in budgets
        for name in measure.series()
        if name not in shown
    ]
    assert [] == [word for word in (str(daemon.folder), "secret-campaign", "canary") if word in text]
    assert (1, 1) == (value(samples, measures.LIVE), value(samples, measures.READY))
    assert 1 == value(samples, measures.INBOX_ONLINE, rule="prompts")


async def test_health_follows_the_service_s_life(make_daemon: DaemonMaker) -> None:
    """Alive from the first moment, ready from the moment on that files are taken in, until it stops."""
    daemon = make_daemon()

    async with daemon.service() as service:
        health, stop = service.health, asyncio.Event()
        before = (await health.ailments(), await health.hindrances())
        running = asyncio.create_task(service.run(stop, once=False))
        while health.phase == "starting":  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.01)
        while_running = (await health.ailments(), await health.hindrances())
        stop.set()
        await running
        after = (await health.ailments(), await health.hindrances())

    assert ((), ("it is starting",)) == before
    assert ((), ()) == while_running
    assert ((), ("it is stopping",)) == after


async def test_without_any_inbox_it_is_not_ready(make_daemon: DaemonMaker, tmp_path: Path) -> None:
    """And says so without naming a folder; it lives all the same."""
    daemon = make_daemon()

    async with daemon.service() as service:
        health, stop = service.health, asyncio.Event()
        running = asyncio.create_task(service.run(stop, once=False))
        while health.phase == "starting":  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.01)
        daemon.photos.parent.rename(tmp_path / "away")
        while len(service.staff.offline()) < 2:  # noqa: ASYNC110 - a world outside tells nobody
            await asyncio.sleep(0.01)
        hindrances, ailments = await health.hindrances(), await health.ailments()
        stop.set()
        await running

    assert ((ABSENT,), ()) == (hindrances, ailments)


def test_the_text_says_of_each_metric_what_it_is() -> None:
    """Prometheus is told the sort of every metric that is counted, and what it means."""
    metrics = Metrics()
    metrics.know(["a"])
    metrics.asked("submit", "ok", 0.1)
    text = metrics.text({measures.LIVE: [((), 1)], measures.CPU: [((), 1.5)]}).decode()

    for measure in (measures.LIVE, measures.CPU, measures.ORDERS, measures.API_DURATION):
        sort = "counter" if measure.sort is Sort.COUNTER else measure.sort.value
        assert f"# HELP {measure.name} {measure.text}" in text
        assert f"# TYPE {measure.name} {sort}" in text
    assert "_created" not in text


async def test_jobs_are_counted_beside_the_service(make_daemon: DaemonMaker) -> None:
    """From the ledger's file; asked again at once, the answer is the one before; without a ledger there is none."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    census = Census(daemon.folder / "state" / "ledger.sqlite3")

    first, second = await census.latest(), await census.latest()

    assert {("prompts", Stage.IN_DOUBT): 1} == first
    assert first is second
    assert await Census(daemon.folder / "nothing").latest() is None
