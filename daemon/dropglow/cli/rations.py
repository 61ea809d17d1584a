"""How the money stands: what is left of each budget, what waits for it, what a person must approve. For who asks.

Reads the ledger and never writes: which day is being spent from is worked out with the very function of the service.

``daemon/json.md`` describes it as JSON, under ``money``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dropglow.cli.documents import instant
from dropglow.clock import next_turn
from dropglow.ledger.base import Query, Reader
from dropglow.model import RuleName, Stage
from dropglow.money import Amount, Booking, Budgets, Ceiling, Period, Switch, labels, turned
from dropglow.naming import storable

MANY: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """One ceiling, and how much of it is gone."""

    ceiling: Ceiling
    label: str  # the day or month
    spent: Amount
    turns_at: datetime

    @property
    def left(self) -> int:
        """Return how much is left, in the unit of the ceiling."""
        return self.ceiling.left(self.spent)

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        limit = self.ceiling.limit
        return {
            "period": self.ceiling.period.value,
            "of": self.label,
            "rule": self.ceiling.rule,
            "limit": limit.most,
            "unit": limit.unit.value,
            "spent": self.spent.count(limit.unit),
            "left": self.left,
            "turns_at": instant(self.turns_at),
        }

    def words(self) -> str:
        """Return it as a line for a person."""
        limit = self.ceiling.limit
        whose = "all rules" if self.ceiling.rule is None else f"rule {self.ceiling.rule}"
        again = "" if self.left else f"; goes on at {self.turns_at.astimezone():%Y-%m-%d %H:%M %Z}"
        gone = f"{self.spent.count(limit.unit):,} of {limit}"
        return f"{whose}, {self.ceiling.period} {self.label}: {gone} spent, {self.left:,} left{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """How the money stands."""

    switch: Switch | None
    rations: tuple[Ration, ...]
    waiting: int  # jobs
    held: Mapping[RuleName, int]  # jobs, by rule

    @property
    def paused(self) -> Switch | None:
        """Return since when and why spending is stopped, or None."""
        return self.switch if self.switch is not None and self.switch.stopped else None

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        paused = self.paused
        return {
            "paused": None
            if paused is None
            else {"since": instant(paused.at), "reason": storable(paused.reason)},
            "budgets": [each.document() for each in self.rations],
            "waiting": self.waiting,
            "held": dict(self.held),
        }


async def funds(reader: Reader, budgets: Budgets, *, now: datetime) -> Funds:
    """Ask *reader* how the money stands under *budgets*.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    held = await reader.find(Query(stages=frozenset({Stage.HELD}), limit=MANY))
    return Funds(
        switch=await reader.switch(),
        rations=await rations(reader, budgets, now=now),
        waiting=await reader.unfunded(now=now),
        held=dict(sorted(Counter(job.rule for job in held).items())),
    )


async def rations(reader: Reader, budgets: Budgets, *, now: datetime) -> tuple[Ration, ...]:
    """Ask *reader* how much of each of *budgets* is gone. Costs the same however many jobs there are.

    Raises:
        LedgerUnavailable: The ledger cannot be read.
    """
    day, month = labels(now.astimezone())
    shown = Booking(day=day, month=month)
    current: dict[Period, str] = {}
    for period in Period:
        known = await reader.turn_of(period)
        current[period] = turned(period, shown.label(period), now, known).label
    return tuple(
        [
            Ration(
                ceiling=ceiling,
                label=current[ceiling.period],
                spent=await reader.spending(ceiling.period, current[ceiling.period], ceiling.rule),
                turns_at=next_turn(ceiling.period, now.astimezone()),
            )
            for ceiling in budgets.ceilings()
        ]
    )
