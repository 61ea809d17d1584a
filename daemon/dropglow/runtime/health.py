"""Say whether the service lives, whether it takes files in, and how it stands in numbers.

Whoever asks is answered within seconds, whatever hangs: what cannot be found out in time is left out, or is itself
the answer. No reason names a folder or a file, since anybody who may connect may ask.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from dropglow import __version__, measures
from dropglow.errors import LedgerUnavailable
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import ENDED
from dropglow.measures import Measure, Reading
from dropglow.model import RuleName, Stage
from dropglow.ops.process import free_bytes, usage
from dropglow.rules.rule import Rule
from dropglow.runtime.herald import Herald
from dropglow.runtime.purse import Purse
from dropglow.runtime.status import Snapshot

PATIENCE_S: Final = 3.0
NO_LEDGER: Final = "the ledger cannot be used"
ABSENT: Final = "every inbox is offline"

Unfinished = Mapping[tuple[RuleName, Stage], int]  # jobs that are not over
_Value = tuple[tuple[str, ...], float]


class Phase(StrEnum):
    """Say where in its life the service is."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


@dataclass(slots=True, kw_only=True)
class Health:
    """Look at the parts of a service on behalf of somebody outside."""

    herald: Herald
    snapshot: Callable[[], Snapshot]
    ledger: Ledger
    purse: Purse
    rules: Callable[[], Sequence[Rule]]  # those in force
    state: Path
    phase: Phase = field(default=Phase.STARTING, init=False)

    async def ailments(self) -> tuple[str, ...]:
        """Return what a restart would mend; nothing while the service lives."""
        if self.phase is not Phase.SERVING:
            return ()
        ailment = await self.herald.ailment(patience_s=PATIENCE_S)
        return (ailment,) if ailment else ()

    async def hindrances(self) -> tuple[str, ...]:
        """Return what keeps the service from taking files in; nothing while it is ready.

        That Adobe takes no orders, or that spending is paused, is no hindrance: files are taken in and wait.
        """
        if self.phase is not Phase.SERVING:
            return (f"it is {self.phase}",)
        if ailments := await self.ailments():
            return ailments
        inboxes = self.snapshot().inboxes
        absent = (ABSENT,) if inboxes and all(each.offline for each in inboxes) else ()
        return (*absent, *(() if await self._ledger_answers() else (NO_LEDGER,)))

    async def reading(self, unfinished: Unfinished | None) -> Reading:
        """Return everything that is shown as it stands; *unfinished* jobs are others' to count, since it may take long."""
        hindrances, ailments = await self.hindrances(), await self.ailments()
        free = await asyncio.to_thread(free_bytes, self.state)
        snapshot, rules = self.snapshot(), self.rules()
        values: dict[Measure, list[_Value]] = {
            measures.LIVE: [((), not ailments)],
            measures.READY: [((), not hindrances)],
            measures.BUILD: [((__version__, platform.python_version()), 1)],
            **_of_snapshot(snapshot, rules),
            **self._of_money(),
            **_of_process(snapshot),
        }
        if unfinished is not None:
            values[measures.JOBS] = list(_jobs(unfinished, [rule.name for rule in rules]))
        if free is not None:
            values[measures.STATE_FREE] = [((), free)]
        return values

    async def _ledger_answers(self) -> bool:
        try:
            await asyncio.wait_for(self.ledger.counts(), PATIENCE_S)
        except (LedgerUnavailable, TimeoutError):
            return False
        return True

    def _of_money(self) -> dict[Measure, list[_Value]]:
        limits: list[_Value] = []
        left: list[_Value] = []
        for ceiling, spent in self.purse.seen():
            labels = (ceiling.rule or "", ceiling.period.value, ceiling.limit.unit.value)
            limits.append((labels, ceiling.limit.most))
            left.append((labels, ceiling.left(spent)))
        return {measures.BUDGET_LIMIT: limits, measures.BUDGET_LEFT: left}


def _jobs(unfinished: Unfinished, rules: Sequence[RuleName]) -> Iterator[_Value]:
    """Yield every stage of every rule: what stood there a moment ago and is gone counts nought."""
    open_stages = [stage for stage in Stage if stage not in ENDED]
    for rule in dict.fromkeys((*rules, *(rule for rule, _ in unfinished))):
        for stage in open_stages:
            yield (rule, stage.value), unfinished.get((rule, stage), 0)


def _of_snapshot(snapshot: Snapshot, rules: Sequence[Rule]) -> dict[Measure, list[_Value]]:
    inboxes = {each.folder: each for each in snapshot.inboxes}
    waiting = ("ready", "settling", "unready", "unmatched", "unmarked", "incomplete", "lonely", "passed_over")
    return {
        measures.INBOX_FILES: [
            ((state,), sum(getattr(each, state) for each in snapshot.inboxes)) for state in waiting
        ],
        measures.INBOX_ONLINE: [
            ((rule.name,), not inboxes[rule.inbox].offline) for rule in rules if rule.inbox in inboxes
        ],
        measures.OUTBOX_ONLINE: [((rule.name,), rule.outbox not in snapshot.outboxes_away) for rule in rules],
        measures.MISSED_FILES: [((), sum(each.missed for each in snapshot.inboxes))],
        measures.IN_FLIGHT: [((), snapshot.in_flight)],
        measures.IN_FLIGHT_LIMIT: [((), snapshot.in_flight_limit)],
        measures.API_TROUBLE: [((), bool(snapshot.trouble))],
        measures.API_QUOTA_USED: [
            (("minute",), snapshot.requests_last_minute),
            (("day",), snapshot.requests_last_day),
        ],
        measures.SPENDING_PAUSED: [((), snapshot.spending_paused)],
        measures.CONFIG_FAULTS: [((), len(snapshot.config_faults))],
        measures.RESTART_NEEDED: [((), bool(snapshot.restart_for))],
    }


def _of_process(snapshot: Snapshot) -> dict[Measure, list[_Value]]:
    used = usage()
    values: dict[Measure, list[_Value]] = {
        measures.START_TIME: [((), snapshot.started_at.timestamp())],
        measures.CPU: [((), used.cpu_s)],
    }
    if used.memory_bytes is not None:
        values[measures.MEMORY] = [((), used.memory_bytes)]
    if used.open_files is not None:
        values[measures.OPEN_FILES] = [((), used.open_files)]
    return values
