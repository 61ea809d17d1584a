"""What may be spent, and what an order is booked on: budgets, their days and months, and whether an order fits.

Pure: the time comes in, the sums come from the ledger. A *ceiling* is one line of a
budget: so much in one day or month, of one rule or of all. A *booking* names
the day and the month that an order counts in, and the ceilings that it must stay below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from dropglow.model import Failure, Job, Order, RuleName, Stage

WAITS_FOR_MONEY: Final = "budget"  # the code of the reason of a job that waits for its budget
WAITS_FOR_APPROVAL: Final = "approval"  # of one that is held until a person says `approve`
PAUSED: Final = "spending is paused"
BRAKE_ORDERS: Final = 20  # so many orders the brake looks at


class Unit(StrEnum):
    """Say what a budget counts."""

    IMAGES = "images"  # pictures and clips
    OPERATIONS = "operations"  # what Adobe bills: see the table of prices


class Period(StrEnum):
    """Say how long a budget lasts."""

    DAY = "day"
    MONTH = "month"


# A clock that was set back must show so much of its own time before its earlier days count again.
PATIENCE: Final[Mapping[Period, timedelta]] = {
    Period.DAY: timedelta(days=1),
    Period.MONTH: timedelta(days=28),
}


class Fate(StrEnum):
    """Say what became of one order, for the books."""

    BOUGHT = "bought"  # it runs, or brought its results
    IN_DOUBT = "in_doubt"  # nobody knows whether it stands: counted as spent
    FAILED = "failed"  # accepted, and failed or cancelled there; whether it is billed Adobe does not say: counted as spent
    RETURNED = "returned"  # certainly not accepted: it costs nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much was, or would be, bought."""

    images: int = 0
    operations: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(images=self.images + other.images, operations=self.operations + other.operations)

    def count(self, unit: Unit) -> int:
        """Return the amount in *unit*."""
        return self.images if unit is Unit.IMAGES else self.operations


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So much and no more."""

    most: int
    unit: Unit = Unit.IMAGES

    def __str__(self) -> str:
        noun = self.unit.value[:-1] if self.most == 1 else self.unit.value
        return f"{self.most:,} {noun}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one rule, or all of them together, may spend. None: no limit."""

    per_day: Limit | None = None
    per_month: Limit | None = None
    hold_over: int | None = None  # images that may wait unpaid under one rule; what comes on top is held
    says_hold_over: bool = False  # it stands there, if only as `off`


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """One line of a budget."""

    period: Period
    rule: RuleName | None  # None: all rules together
    limit: Limit

    def fits(self, spent: Amount, more: Amount) -> bool:
        """Return whether *more* may be bought where *spent* was."""
        return spent.count(self.limit.unit) + more.count(self.limit.unit) <= self.limit.most

    def left(self, spent: Amount) -> int:
        """Return how much is left, in the unit of the limit."""
        return max(0, self.limit.most - spent.count(self.limit.unit))

    def __str__(self) -> str:
        whose = "" if self.rule is None else f" of rule {self.rule}"
        return f"the budget{whose}, {self.limit} a {self.period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """The day and the month that an order is counted in, and what must not be exceeded by it."""

    day: str  # 2026-11-29
    month: str  # 2026-11
    ceilings: tuple[Ceiling, ...] = ()

    def label(self, period: Period) -> str:
        """Return the day or the month."""
        return self.day if period is Period.DAY else self.month


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The day or month that is being spent from, and since when the clock has shown it, or one before it."""

    label: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether spending is stopped, since when and why; or since when it goes on again."""

    stopped: bool
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The budget of all rules together, and those of single rules."""

    common: Budget = field(default_factory=Budget)
    by_rule: Mapping[RuleName, Budget] = field(default_factory=dict)
    brake: bool = True

    def ceilings(self) -> Iterator[Ceiling]:
        """Yield every ceiling."""
        yield from _ceilings(None, self.common)
        for rule, budget in self.by_rule.items():
            yield from _ceilings(rule, budget)

    def over(self, rule: RuleName) -> tuple[Ceiling, ...]:
        """Return the ceilings that an order of *rule* must stay below."""
        own = self.by_rule.get(rule)
        common = tuple(_ceilings(None, self.common))
        return common if own is None else (*_ceilings(rule, own), *common)

    def hold_over(self, rule: RuleName) -> int | None:
        """Return how many images of *rule* may wait unpaid before more are held; None: as many as come."""
        own = self.by_rule.get(rule)
        return own.hold_over if own is not None and own.says_hold_over else self.common.hold_over


def _ceilings(rule: RuleName | None, budget: Budget) -> Iterator[Ceiling]:
    for period, limit in ((Period.DAY, budget.per_day), (Period.MONTH, budget.per_month)):
        if limit is not None:
            yield Ceiling(period=period, rule=rule, limit=limit)


def labels(local: datetime) -> tuple[str, str]:
    """Return the day and the month of a moment, which is given in the time zone that people live by."""
    return f"{local:%Y-%m-%d}", f"{local:%Y-%m}"


def turned(period: Period, label: str, now: datetime, known: Turn | None) -> Turn:
    """Return which day or month is being spent from, now that the clock shows *label*.

    A later one begins at once. An earlier one means that the clock was set back: the later one goes on, so that no
    day is handed out twice, until this clock itself has shown a day's (or a month's) time. What was booked keeps
    its label for ever, so a day that comes a second time is as spent as it was.
    """
    if known is None or label > known.label:
        return Turn(label=label, seen_at=now)
    if label == known.label:
        return known
    if now < known.seen_at:
        return replace(known, seen_at=now)
    return Turn(label=label, seen_at=now) if now - known.seen_at >= PATIENCE[period] else known


def cost(order: Order) -> Amount:
    """Return what *order* would cost."""
    return Amount(images=order.results, operations=order.images)


def parked(job: Job) -> bool:
    """Return whether *job* waits for nothing but its budget, or that of its twin."""
    return job.stage is Stage.QUEUED and job.failure is not None and job.failure.code == WAITS_FOR_MONEY


def refused(job: Job) -> bool:
    """Return whether *job* was cancelled instead of approved: nobody who pays ever let it go on."""
    return job.stage is Stage.CANCELLED and job.failure is not None and job.failure.code == WAITS_FOR_APPROVAL


def spent_failure(ceiling: Ceiling, order: Order, *, spent: Amount, until: str) -> Failure:
    """Return why *order* waits at *ceiling*, of which *spent* is gone; *until* says when it goes on."""
    limit, wanted = ceiling.limit, cost(order).count(ceiling.limit.unit)
    if wanted > limit.most:
        why = f"this order alone needs {Limit(most=wanted, unit=limit.unit)}"
        return Failure(
            code=WAITS_FOR_MONEY,
            what=f"{ceiling}, is too small for this order",
            why=why,
            hint="raise the budget, or: dropglow cancel",
        )
    when = "today" if ceiling.period is Period.DAY else "this month"
    gone = spent.count(limit.unit)
    return Failure(
        code=WAITS_FOR_MONEY,
        what=f"{ceiling}, is spent for {when}",
        why=f"{gone:,} of {limit.most:,} are gone, and this order needs {wanted:,}",
        hint=f"it goes on by itself {until}; sooner with a higher budget",
    )


def woken_failure(failure: Failure) -> Failure:
    """Return why a job waits that waited with *failure* for money, now that there is some: for its turn alone.

    It is *parked* still, since what it will cost is promised to it until it begins.
    """
    if failure.twin is None:
        what, why = "there is money for it again", "it waits for its turn"
    else:
        what, why = f"there is money again for job {failure.twin}, which buys the same", "it waits for that"
    return replace(failure, what=what, why=why, hint="it goes on by itself")


def as_it_stands(job: Job, *, now: datetime) -> Job:
    """Return *job* with the reason for which it waits *now*: if its day or month came by itself, for its turn alone.

    What it carries was written when it was put off, and nobody writes it anew before that turn comes.
    """
    failure = job.failure
    if failure is None or not parked(job) or failure == woken_failure(failure):
        return job
    if job.not_before is not None and job.not_before > now:
        return job
    what = "its turn" if failure.twin is None else f"job {failure.twin}, which buys the same"
    return replace(
        job,
        failure=replace(
            failure, what=f"it waits for {what}", why="its budget began anew", hint="it goes on by itself"
        ),
    )


def held_failure(rule: RuleName, *, most: int, waiting: int, more: int) -> Failure:
    """Return why a drop is held: with it, more images would wait unpaid under *rule* than may."""
    return Failure(
        code=WAITS_FOR_APPROVAL,
        what=f"more than {most:,} unpaid images would wait under rule {rule}",
        why=f"{waiting:,} wait already, and this file asks for {more:,}",
        hint="a person lets it go on with: dropglow approve",
    )


def abnormal(fates: tuple[Fate, ...]) -> str:
    """Return what is abnormal about the latest orders, newest first, so that spending should stop; else nothing."""
    if len(fates) < BRAKE_ORDERS:
        return ""
    wasted = sum(fate in {Fate.FAILED, Fate.IN_DOUBT} for fate in fates)
    if wasted * 2 <= len(fates):
        return ""
    return f"of the last {len(fates)} orders, {wasted} failed at Adobe or are in doubt: they may be billed and brought nothing"
