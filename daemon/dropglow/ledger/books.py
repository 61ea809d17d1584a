"""The books in lists: what was bought, booked and given back, for the ledger in memory. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from datetime import datetime

from dropglow.errors import OverBudget, SpendingStopped
from dropglow.events import Accepted, Attached, Began, CancelConfirmed, Completed, Declined, Event, GaveUp
from dropglow.ledger.base import Entry
from dropglow.ledger.receipts import BOUGHT
from dropglow.model import Job, JobKey, Order, RuleName, Stage
from dropglow.money import PAUSED, Amount, Booking, Fate, Period, Switch, Turn, cost, labels, turned


@dataclass(slots=True, kw_only=True)
class Bought:
    """One submission, from its intent to its end."""

    job: JobKey
    rule: RuleName
    folder: str
    order: Order
    begun_at: datetime
    day: str
    month: str
    remote_id: str = ""
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    live: bool = True
    returned: bool = False
    in_doubt: bool = False
    cancelled: bool = False

    @property
    def told(self) -> bool:
        """Return whether anything is known to have become of it that is not undone."""
        if self.returned or self.cancelled:
            return False
        return not self.live or self.completed_at is not None or self.in_doubt

    @property
    def fate(self) -> Fate:
        """Return what became of it."""
        if self.returned:
            return Fate.RETURNED
        if not self.remote_id:
            return Fate.IN_DOUBT
        return Fate.BOUGHT if self.completed_at is not None or self.live else Fate.FAILED


class MemoryBooks:
    """The questions and verbs of ``base.Ledger`` that are about money, but for those about jobs."""

    def __init__(self) -> None:
        """Begin with empty books."""
        self.bought: list[Bought] = []
        self._turns: dict[Period, Turn] = {}
        self._switch: Switch | None = None

    async def spending(self, period: Period, label: str, rule: RuleName | None) -> Amount:
        """Return what was spent on a day or in a month, by one rule or by all."""
        spent = (
            cost(bought.order)
            for bought in self.bought
            if not bought.returned
            and rule in {None, bought.rule}
            and label == (bought.day if period is Period.DAY else bought.month)
        )
        return sum(spent, start=Amount())

    async def costs(self, *, since: str = "", until: str = "") -> tuple[Entry, ...]:
        """Return the books from day *since* to day *until*, both included."""
        found: dict[tuple[str, RuleName, str, str, str | None, Fate], list[Amount]] = {}
        for each in self.bought:
            if since <= each.day and (not until or each.day <= until):
                line = (each.day, each.rule, each.folder, each.order.operation, each.order.model, each.fate)
                found.setdefault(line, []).append(cost(each.order))
        return tuple(
            Entry(
                day=day,
                rule=rule,
                folder=folder,
                operation=operation,
                model=model,
                fate=fate,
                orders=len(amounts),
                amount=sum(amounts, start=Amount()),
            )
            for (day, rule, folder, operation, model, fate), amounts in sorted(
                found.items(), key=lambda line: tuple(str(each or "") for each in line[0])
            )
        )

    async def fates(self, *, since: datetime, limit: int) -> tuple[Fate, ...]:
        """Return what became of the latest orders begun at or after *since*, newest first."""
        ended = [each for each in self.bought if each.begun_at >= since and each.told]
        newest = sorted(ended, key=lambda each: each.begun_at, reverse=True)
        return tuple(each.fate for each in newest[:limit])

    async def turn_of(self, period: Period) -> Turn | None:
        """Return which day or month is being spent from, as far as anybody asked."""
        return self._turns.get(period)

    async def switch(self) -> Switch | None:
        """Return whether spending is stopped; None: nobody ever stopped it."""
        return self._switch

    async def turn(self, *, booking: Booking, now: datetime) -> Booking:
        """Return *booking* on the day and month that are being spent from."""
        for period in Period:
            known = self._turns.get(period)
            self._turns[period] = turned(period, booking.label(period), now, known)
        return replace(booking, day=self._turns[Period.DAY].label, month=self._turns[Period.MONTH].label)

    async def set_switch(self, switch: Switch) -> None:
        """Store that spending is stopped, or goes on."""
        self._switch = switch

    def keep_submission(self, before: Job, after: Job, event: Event) -> None:
        """Write down what *event* means for the submission of a job."""
        if isinstance(event, Began):
            self.bought.append(_begun(before, event))
        for bought in self.bought:
            if bought.job == before.key and bought.live:
                _note(bought, event)
                bought.live = after.stage in BOUGHT
                bought.cancelled = isinstance(event, CancelConfirmed)
                bought.in_doubt = after.stage is Stage.IN_DOUBT
                bought.returned = (
                    not bought.live and not bought.remote_id and isinstance(event, Declined | GaveUp)
                )

    async def refuse_excess(self, job: Job, booking: Booking | None) -> None:
        """Refuse an order that does not fit, and any while spending is paused.

        Raises:
            OverBudget: It does not.
            SpendingStopped: It is.
        """
        if self._switch is not None and self._switch.stopped:
            raise SpendingStopped(PAUSED)
        if booking is None:
            return
        for ceiling in booking.ceilings:
            spent = await self.spending(ceiling.period, booking.label(ceiling.period), ceiling.rule)
            if not ceiling.fits(spent, cost(job.order)):
                raise OverBudget(f"{ceiling} has no room for this order")


def _begun(job: Job, event: Began) -> Bought:
    booking = event.booking
    day, month = labels(event.at) if booking is None else (booking.day, booking.month)
    return Bought(
        job=job.key,
        rule=job.rule,
        folder=posixpath.join(job.inbox, posixpath.dirname(job.source)).rstrip("/") or "/",
        order=job.order,
        begun_at=event.at,
        day=day,
        month=month,
    )


def _note(bought: Bought, event: Event) -> None:
    match event:
        case Accepted(submission=submission, at=at):
            bought.remote_id = submission.remote_id
            bought.accepted_at = at
        case Attached(submission=submission):
            bought.remote_id = submission.remote_id
        case Completed(at=at):
            bought.completed_at = bought.completed_at or at
        case _:
            pass
