"""Mind the money: what fits its budget, what waits for it, what a person must approve, and when to stop altogether.

Decides nothing by itself: ``money`` says what fits and what is abnormal, the ledger says what was spent. The last word
is the ledger's too, when it stores *Began*; what is asked here before spares uploads and requests that buy nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from dropglow import vocabulary
from dropglow.clock import Clock, next_turn
from dropglow.errors import LedgerUnavailable
from dropglow.events import Event, Postponed
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import Wait, next_step
from dropglow.model import Failure, Job, JobKey, RuleName
from dropglow.money import (
    BRAKE_ORDERS,
    Amount,
    Booking,
    Budgets,
    Ceiling,
    Period,
    Switch,
    abnormal,
    cost,
    held_failure,
    labels,
    parked,
    spent_failure,
    woken_failure,
)
from dropglow.pacing import Gate
from dropglow.runtime.insisting import insist
from dropglow.runtime.rousing import rouse
from dropglow.runtime.telling import log

WAKE_S: Final = 5.0
AT_ONCE: Final = 1000
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_FIRST: Final = "look at what went wrong (dropglow status), then: dropglow resume"


class Purse:
    """Mind the money of one service."""

    def __init__(self, *, ledger: Ledger, clock: Clock, gate: Gate, budgets: Budgets) -> None:
        """Ask *ledger* what was spent under *budgets*; stop all orders at *gate*."""
        self._ledger = ledger
        self._clock = clock
        self._gate = gate
        self._budgets = budgets
        self._said: set[tuple[Ceiling, str]] = set()
        self._seen: tuple[tuple[Ceiling, str, Amount], ...] | None = None
        self._put_off = 0  # how often a job was put off for want of money
        self._looked_after = 0  # how often that had been, when it was last looked what there is money for
        self._switch: Switch | None = None

    async def open(self) -> None:
        """Take up what an earlier life, or a command, said about spending."""
        switch = await self._ledger.switch()
        self.heed(switch)
        if switch is not None and switch.stopped:
            log.warning(vocabulary.SPENDING_PAUSED, reason=switch.reason, hint=LOOK_FIRST)

    def allow(self, budgets: Budgets) -> None:
        """Spend under these *budgets* from now on; what waits for money is looked at again within seconds."""
        self._budgets = budgets
        self._seen = None

    def heed(self, switch: Switch | None) -> None:
        """Stop all orders, or let them go on, as *switch* says."""
        self._switch = switch
        self._gate.stopped = switch is not None and switch.stopped

    def seen(self) -> tuple[tuple[Ceiling, Amount], ...]:
        """Return every line of the budgets and what was spent of it, as it was seen some seconds ago at most."""
        return tuple((ceiling, spent) for ceiling, _, spent in self._seen or ())

    async def booking(self, rule: RuleName) -> Booking:
        """Return what an order of *rule* is booked on now. Asks the ledger only where there is a budget."""
        day, month = labels(self._clock.now().astimezone())
        booking = Booking(day=day, month=month, ceilings=self._budgets.over(rule))
        if not booking.ceilings:
            return booking
        return await insist(lambda: self._ledger.turn(booking=booking, now=self._clock.now()), self._clock)

    async def shortfall(self, job: Job) -> Event | None:
        """Return *Postponed* where the order of *job* does not fit its budget; None: it may be placed."""
        if not self._budgets.over(job.rule):
            return None
        booking = await self.booking(job.rule)
        short = [
            (ceiling, spent)
            for ceiling in booking.ceilings
            if not ceiling.fits(spent := await self._spending(ceiling, booking), cost(job.order))
        ]
        if not short:
            return None
        ceiling, spent = max(short, key=lambda each: self._turn_of(each[0].period))
        until = self._turn_of(ceiling.period)
        failure = spent_failure(ceiling, job.order, spent=spent, until=_spoken(until))
        self._say(ceiling, booking, failure, until)
        return Postponed(until=until, failure=failure)

    async def reason_to_hold(
        self, rule: RuleName, jobs: Sequence[Job], *, wave: dict[RuleName, int]
    ) -> Failure | None:
        """Return why new *jobs* of *rule* have to be approved by a person; None: they need not.

        What waited when the first file of a *wave* came, and all that came since and was let through, counts to its end:
        otherwise a folder full of files would pass as fast as its first ones are bought.
        """
        most = self._budgets.hold_over(rule)
        if most is None:
            return None
        waiting = max(wave.get(rule, 0), await insist(lambda: self._ledger.unpaid(rule), self._clock))
        more = sum(cost(job.order).images for job in jobs)
        if waiting + more > most:
            return held_failure(rule, most=most, waiting=waiting, more=more)
        wave[rule] = waiting + more
        return None

    def holds(self, rule: RuleName) -> bool:
        """Return whether jobs of *rule* may have to be approved by a person."""
        return self._budgets.hold_over(rule) is not None

    def put_off(self, job: Job) -> None:
        """Look once more whether there is money for *job*, if it waits for that: some may have come while it was stored."""
        self._put_off += parked(job)

    async def weigh(self) -> None:
        """Stop all orders where the latest of them brought nothing: a person shall look first."""
        if not self._budgets.brake or self._stopped():
            return
        since = _BEGINNING if self._switch is None else self._switch.at
        fates = await insist(lambda: self._ledger.fates(since=since, limit=BRAKE_ORDERS), self._clock)
        if self._stopped() or not (why := abnormal(fates)):
            return  # others that failed at the same time may have said it meanwhile
        switch = Switch(stopped=True, at=self._clock.now(), reason=why)
        self.heed(switch)
        await insist(lambda: self._ledger.set_switch(switch), self._clock)
        log.error(vocabulary.SPENDING_PAUSED, reason=why, hint=LOOK_FIRST)

    def _stopped(self) -> bool:
        return self._gate.stopped

    async def watch(self, changed: Callable[[JobKey], None]) -> None:
        """Wake what waits for its budget whenever there is money again, until cancelled; *changed* is told."""
        while True:
            with contextlib.suppress(LedgerUnavailable):  # told by the dispatcher, which meets it too
                await self.wake(changed)
            await self._clock.sleep(WAKE_S)

    async def wake(self, changed: Callable[[JobKey], None]) -> None:
        """Wake as many jobs as there is money for: it was given back, raised, or its day began.

        Their own time would come with the next day; where nothing changed since the last look, nothing is asked of jobs.
        What another job pays for goes on when that one does, and after it.

        Raises:
            LedgerUnavailable: Call again.
        """
        budgets, put_off = self._budgets, self._put_off  # both may change while the ledger is asked
        standing = await self._standing(budgets)
        if standing == self._seen and put_off == self._looked_after:
            return
        waiting = await self._ledger.parked(limit=AT_ONCE)
        payers = [job for job in waiting if _twin(job) is None]
        payable = _payable(payers, budgets, {ceiling: amount for ceiling, _, amount in standing})
        for job in payable:
            await self._wake_one(job, changed)
        asleep = {job.key for job in payers} - {job.key for job in payable}
        for job in waiting:
            twin = _twin(job)
            if twin is not None and twin not in asleep and not await self._sleeps(twin):
                await self._wake_one(job, changed)
            elif twin is not None:
                asleep.add(job.key)
        if await self._may_be_more(waiting, asleep):
            return
        self._looked_after = put_off
        if self._budgets is budgets:
            self._seen = standing  # last: a ledger that failed in between is asked again

    async def _may_be_more(self, told: Sequence[Job], asleep: Collection[JobKey]) -> bool:
        """Return whether there may be money for jobs that were not *told*, behind the last of a rule that has some."""
        last = {job.rule: job.key for job in told}
        return any(key not in asleep for key in last.values()) and await self._parked() > len(told)

    async def _parked(self) -> int:
        return (await self._ledger.counts()).parked

    async def _sleeps(self, twin: JobKey) -> bool:
        """Return whether *twin*, which may be none of those that were told, waits for money, and for more than a moment."""
        job = await self._ledger.job(twin)
        return parked(job) and isinstance(next_step(job, now=self._clock.now()), Wait)

    async def _wake_one(self, job: Job, changed: Callable[[JobKey], None]) -> None:
        now = self._clock.now()
        if job.failure is None or not isinstance(next_step(job, now=now), Wait):
            return
        await rouse(job, ledger=self._ledger, now=now, failure=woken_failure(job.failure))
        changed(job.key)

    async def _standing(self, budgets: Budgets) -> tuple[tuple[Ceiling, str, Amount], ...]:
        ceilings = tuple(budgets.ceilings())
        if not ceilings:
            return ()
        day, month = labels(self._clock.now().astimezone())
        booking = await self._ledger.turn(
            booking=Booking(day=day, month=month, ceilings=ceilings), now=self._clock.now()
        )
        return tuple(
            [(each, booking.label(each.period), await self._spending(each, booking)) for each in ceilings]
        )

    async def _spending(self, ceiling: Ceiling, booking: Booking) -> Amount:
        label = booking.label(ceiling.period)
        return await insist(lambda: self._ledger.spending(ceiling.period, label, ceiling.rule), self._clock)

    def _turn_of(self, period: Period) -> datetime:
        return next_turn(period, self._clock.now().astimezone())

    def _say(self, ceiling: Ceiling, booking: Booking, failure: Failure, until: datetime) -> None:
        """Say once a day, or month, that a budget is spent, however many jobs wait for it."""
        key = (ceiling, booking.label(ceiling.period))
        if key in self._said:
            return
        self._said = {each for each in self._said if each[0] != ceiling} | {key}
        log.warning(
            vocabulary.BUDGET_SPENT,
            budget=str(ceiling),
            rule=ceiling.rule,
            reason=f"{failure.what}: {failure.why}",
            until=until.isoformat(timespec="seconds"),
        )


def _twin(job: Job) -> JobKey | None:
    """Return the job that pays for what *job* waits for; None: that is *job* itself."""
    return None if job.failure is None else job.failure.twin


def _payable(jobs: Sequence[Job], budgets: Budgets, spent: dict[Ceiling, Amount]) -> list[Job]:
    """Return those of *jobs* that there is money for, in their order, with so much *spent* before them."""
    found = []
    for job in jobs:
        ceilings, price = budgets.over(job.rule), cost(job.order)
        if all(ceiling.fits(spent[ceiling], price) for ceiling in ceilings):
            spent |= {ceiling: spent[ceiling] + price for ceiling in ceilings}
            found.append(job)
    return found


def _spoken(at: datetime) -> str:
    return f"at {at.astimezone():%Y-%m-%d %H:%M %Z}"
