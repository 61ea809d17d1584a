"""Gather what ``status`` tells: the service, its inboxes, and what needs a person.

Numbers of jobs and requests come from the ledger, which is the truth; what
only the service knows (what lies in the inboxes, its trouble) from its own
report, and is absent while none runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dropglow.cli.documents import failure_document, instant, job_document
from dropglow.cli.ledger_access import Holder
from dropglow.cli.rations import Funds, funds
from dropglow.cli.words import advice
from dropglow.ledger.base import Counts, Query, Reader
from dropglow.lifecycle import REMOTE_OPEN, RESTING
from dropglow.model import Billed, Drop, DropKey, DropState, Failure, Job, Stage
from dropglow.naming import shown, storable
from dropglow.sketch import Sketch

MANY: Final = 1000
LATEST: Final = 3
DAY: Final = timedelta(days=1)
_UNDER_WAY: Final = frozenset(Stage) - RESTING - {Stage.QUEUED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One failure of the last day: a job's, or a drop's whose file could not be used."""

    at: datetime
    drop: str
    job: str | None
    source: str
    rule: str
    failure: Failure
    hint: str  # what to do, as things are now


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that ``status`` tells."""

    at: datetime
    sketch: Sketch  # of the configuration, as far as it can be read
    holder: Holder | None
    snapshot: Mapping[str, Any] | None  # the service's own report
    counts: Counts
    requests_last_minute: int
    requests_last_day: int
    doubts: tuple[Job, ...]  # oldest first
    late: tuple[Job, ...]
    waiting: tuple[Job, ...]  # something outside stands in their way
    failures: tuple[Ended, ...]  # of the last day, newest first
    funds: Funds

    def in_flight(self) -> int:
        """Return how many jobs are at Adobe, or on the way there: whether a service runs or not."""
        return sum(self.counts.jobs.get(stage, 0) for stage in REMOTE_OPEN)

    def inboxes(self) -> tuple[dict[str, Any], ...]:
        """Return each inbox of the configuration, then those of the service that are not in it any more."""
        told = {each["folder"]: each for each in (self.snapshot or {}).get("inboxes", ())}
        folders = dict.fromkeys([*self.sketch.inboxes, *told])
        return tuple(self._inbox(folder, told.get(folder, {})) for folder in folders)

    def outboxes_away(self) -> tuple[dict[str, str], ...]:
        """Return each outbox that the service found away, and why."""
        told = (self.snapshot or {}).get("outboxes_away", {})
        return tuple({"folder": shown(folder), "reason": reason} for folder, reason in sorted(told.items()))

    def receivers_failing(self) -> tuple[dict[str, str], ...]:
        """Return each receiver of notifications that nothing arrives at, and why."""
        told = (self.snapshot or {}).get("receivers_failing", {})
        return tuple({"receiver": name, "reason": reason} for name, reason in told.items())

    def _inbox(self, folder: str, told: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "folder": shown(folder),
            "mode": told.get("mode") or None,
            "mode_reason": told.get("mode_reason", ""),
            "ready": told.get("ready"),
            "settling": told.get("settling"),
            "unready": told.get("unready"),
            "unmatched": told.get("unmatched"),
            "unmarked": told.get("unmarked"),
            "incomplete": told.get("incomplete"),
            "lonely": told.get("lonely"),
            "passed_over": told.get("passed_over"),
            "known": told.get("known"),
            "files": told.get("files"),
            "look_s": told.get("look_s"),
            "missed": told.get("missed"),
            "offline": told.get("offline") or None,
            "open_jobs": self.counts.open_jobs_by_inbox.get(folder, 0),
        }


async def gather(
    reader: Reader,
    sketch: Sketch,
    *,
    holder: Holder | None,
    snapshot: Mapping[str, Any] | None,
    now: datetime,
) -> Standing:
    """Ask *reader* for everything that ``status`` tells.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    requests = await reader.requests_since(now - DAY)
    under_way = await reader.find(Query(stages=_UNDER_WAY, limit=MANY))
    doubts = await reader.find(Query(stages=frozenset({Stage.IN_DOUBT}), limit=MANY))
    return Standing(
        at=now,
        sketch=sketch,
        holder=holder,
        snapshot=snapshot,
        counts=await reader.counts(),
        requests_last_minute=sum(at > now - timedelta(minutes=1) for at, _ in requests),
        requests_last_day=len(requests),
        doubts=doubts[::-1],
        late=tuple(job for job in under_way if job.late),
        waiting=tuple(job for job in under_way if job.failure is not None),
        failures=await _failures(reader, since=now - DAY),
        funds=await funds(reader, sketch.budgets, now=now),
    )


async def _failures(reader: Reader, *, since: datetime) -> tuple[Ended, ...]:
    found = await latest_failures(reader, limit=MANY)
    return tuple(each for each in found if each.at >= since)


async def latest_failures(reader: Reader, *, limit: int) -> tuple[Ended, ...]:
    """Return what failed among the *limit* newest failed jobs and as many failed drops, the latest first.

    Only the latest few, which are shown, say what was paid.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    jobs = await reader.find(Query(stages=frozenset({Stage.FAILED}), limit=limit))
    drops = await reader.drops(states=frozenset({DropState.FAILED}), limit=limit)
    found = sorted([*_of_jobs(jobs), *_of_drops(drops)], key=lambda each: each.at, reverse=True)
    return tuple([await _billed(reader, each) for each in found[:LATEST]] + found[LATEST:])


async def _billed(reader: Reader, ended: Ended) -> Ended:
    """Return *ended* with what was paid for it: a file may fail when its results are there already."""
    if ended.job is not None:
        return ended
    jobs = await reader.jobs_of(DropKey(ended.drop))
    if not any(job.stage is Stage.DELIVERED and job.reuses is None for job in jobs):
        return ended
    return replace(ended, failure=replace(ended.failure, billed=Billed.YES))


def _of_jobs(jobs: Iterable[Job]) -> Iterable[Ended]:
    for job in jobs:
        if job.ended_at is not None and job.failure is not None:
            yield Ended(
                at=job.ended_at,
                drop=job.drop,
                job=job.key,
                source=job.source,
                rule=job.rule,
                failure=job.failure,
                hint=advice(job),
            )


def _of_drops(drops: Iterable[Drop]) -> Iterable[Ended]:
    for drop in drops:
        if drop.closed_at is not None and drop.reason:
            failure = Failure(
                code="source",
                what=drop.reason,
                hint=drop.hint or "mend the file and drop it again",
                billed=Billed.NO,
            )
            yield Ended(
                at=drop.closed_at,
                drop=drop.key,
                job=None,
                source=drop.path,
                rule=drop.rule,
                failure=failure,
                hint=failure.hint,
            )


def document(standing: Standing) -> dict[str, Any]:
    """Return *standing* in the shape that ``status --json`` documents."""
    sketch = standing.sketch
    return {
        "at": instant(standing.at),
        "config": shown(sketch.path),
        "state": shown(sketch.state),
        "config_faults": [storable(fault) for fault in sketch.faults],
        "service": _service(standing),
        "in_flight": standing.in_flight(),
        "in_flight_limit": sketch.in_flight,
        "requests": {
            "last_minute": standing.requests_last_minute,
            "per_minute": sketch.requests_per_minute,
            "last_day": standing.requests_last_day,
            "per_day": sketch.requests_per_day,
        },
        "inboxes": list(standing.inboxes()),
        "outboxes_away": list(standing.outboxes_away()),
        "receivers_failing": list(standing.receivers_failing()),
        "jobs": {stage.value: standing.counts.jobs.get(stage, 0) for stage in Stage},
        "drops": {state.value: standing.counts.drops.get(state, 0) for state in DropState},
        "in_doubt": [job_document(job) for job in standing.doubts],
        "late": [job_document(job) for job in standing.late],
        "waiting": [job_document(job) for job in standing.waiting],
        "money": standing.funds.document(),
        "failures": {
            "last_day": len(standing.failures),
            "latest": [_ended(each) for each in standing.failures[:LATEST]],
        },
    }


def _service(standing: Standing) -> dict[str, Any]:
    told = standing.snapshot or {}
    return {
        "running": standing.holder is not None,
        "pid": None if standing.holder is None else standing.holder.pid,
        "version": told.get("version"),
        "started_at": told.get("started_at"),
        "sandbox": told.get("sandbox"),
        "config": told.get("config"),
        "trouble": told.get("trouble") or None,
        "config_read_at": told.get("config_read_at"),
        "config_faults": [storable(fault) for fault in told.get("config_faults", ())],
        "config_faults_since": told.get("config_faults_since"),
        "restart_for": list(told.get("restart_for", ())),
    }


def _ended(each: Ended) -> dict[str, Any]:
    return {
        "at": instant(each.at),
        "drop": each.drop,
        "job": each.job,
        "source": shown(each.source),
        "rule": each.rule,
        "failure": failure_document(each.failure),
    }
