"""Foresee when a drop would be ordered, and say what stands in its way now, money apart. Reads the ledger only.

The service decides by the same numbers; where it says of itself that something is wrong, that is repeated here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropglow.cli.documents import instant
from dropglow.cli.ledger_access import asked, holder, snapshot
from dropglow.cli.tables import counted, relative_time
from dropglow.errors import LedgerError
from dropglow.ledger.base import Counts, Reader
from dropglow.lifecycle import REMOTE_OPEN
from dropglow.model import Stage
from dropglow.naming import shown, storable
from dropglow.rules.units import spelled

if TYPE_CHECKING:
    from dropglow.config import Config, Limits
    from dropglow.intake.plan import InboxPlan

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that keeps an order from being sent now."""

    why: str
    until: datetime | None = None  # None: nobody can tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What stands in the way of an order, and when it would be sent."""

    obstacles: tuple[Obstacle, ...]

    @property
    def earliest(self) -> datetime | None:
        """Return when it would be sent; None: now, or nobody can tell."""
        moments = [each.until for each in self.obstacles if each.until is not None]
        return max(moments) if moments and len(moments) == len(self.obstacles) else None

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what to tell a person, each with its colour."""
        for each in self.obstacles:
            yield f"Not now: {shown(each.why)}.", "yellow"

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "reasons": [storable(each.why) for each in self.obstacles],
            "earliest": instant(self.earliest),
        }


def foreseen_start(
    config: Config, plan: InboxPlan, *, changed_at: datetime | None, now: datetime
) -> Start | None:
    """Return when a drop into the inbox of *plan* would be ordered; None where the ledger cannot be asked.

    Args:
        config: The limits, and where the state folder is.
        plan: The inbox.
        changed_at: When the file was touched last; None: it does not lie there.
        now: The moment.
    """
    state = Path(config.state)

    async def question(reader: Reader) -> tuple[Obstacle, ...]:
        times = [at for at, _ in await reader.requests_since(now - _DAY)]
        counts, unfunded = await reader.counts(), await reader.unfunded(now=now)
        return tuple(_of_limits(config.limits, counts, times, unfunded=unfunded, now=now))

    try:
        held_by = holder(state)
        told = snapshot(state, held_by)
        limits = asked(state, question)
    except LedgerError:
        return None  # explaining needs no ledger
    service = (
        () if held_by is not None else (Obstacle(why="no service runs; the next one takes it: dropglow run"),)
    )
    settling = _of_settling(plan, changed_at, now)
    return Start(obstacles=(*service, *_of_service(told or {}, plan.folder), *settling, *limits))


def touched_at(file: str) -> datetime | None:
    """Return when *file* was written, renamed or made last, whatever times it carries; None where nobody can tell."""
    try:
        found = os.lstat(file)
    except OSError:
        return None
    return datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), UTC)


def _of_service(told: Mapping[str, Any], folder: str) -> Iterator[Obstacle]:
    if trouble := told.get("trouble"):
        yield Obstacle(why=f"the service has trouble: {trouble}")
    for inbox in told.get("inboxes", ()):
        if inbox["folder"] == folder and inbox.get("offline"):
            yield Obstacle(why=f"the inbox is offline: {inbox['offline']}")


def _of_settling(plan: InboxPlan, changed_at: datetime | None, now: datetime) -> Iterator[Obstacle]:
    if changed_at is None:
        return
    until = changed_at + timedelta(seconds=plan.settle_s)
    if changed_at <= now < until:
        ago = relative_time(changed_at, now)
        why = f"it changed {ago}, and is taken when it lay still for {spelled(plan.settle_s)}"
        yield Obstacle(why=why, until=until)


def _of_limits(
    limits: Limits, counts: Counts, times: Sequence[datetime], *, unfunded: int, now: datetime
) -> Iterator[Obstacle]:
    windows = (
        ("minute", _MINUTE, limits.requests_per_minute),
        ("day", _DAY, limits.requests_per_day),
    )
    for name, length, most in windows:
        within = [at for at in times if at > now - length]
        if most is not None and len(within) >= most:
            until = within[len(within) - most] + length
            why = f"{len(within):,} of {most:,} requests went out in the last {name}; the next goes {relative_time(until, now)}"
            yield Obstacle(why=why, until=until)
    flying = sum(counts.jobs.get(stage, 0) for stage in REMOTE_OPEN)
    if flying >= limits.in_flight:
        yield Obstacle(
            why=f"{flying:,} of {limits.in_flight:,} jobs are at Adobe; the next goes when one of them ends"
        )
    queued = counts.jobs.get(Stage.QUEUED, 0) - unfunded
    if queued > 0:
        are = "is" if queued == 1 else "are"
        yield Obstacle(why=f"{counted(queued, 'job')} {are} queued before it")
