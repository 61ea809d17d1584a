"""Money: budgets hold whatever happens, what waits for a person costs nothing, and the books are Adobe's books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.ledger.mailbox import Mailbox, Verb, Wish
from dropglow.ledger.sqlite import SqliteReader
from dropglow.model import DropState, Job, Stage
from dropglow.money import WAITS_FOR_MONEY, Amount, Fate
from dropglow.sandbox.world import World

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HEAD = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 200ms, max: 1s}}
"""
RULE = """
  - name: NAME
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    match: {kind: prompt, name: "PATTERN*"}
    generate: {size: 1024x1024}
"""


def configuration(budget: str, **rules: str) -> str:
    """Return a configuration with this budget, and these rules with what they say besides; each takes its own files."""
    told = "".join(
        RULE.replace("NAME", name).replace("PATTERN", name) + (f"    {more}\n" if more else "")
        for name, more in rules.items()
    )
    return f"{HEAD}{f'budget: {budget}' if budget else ''}\nrules:{told}"


class JumpingClock:
    """A clock whose wall can be set, and whose seconds are shorter than others'."""

    def __init__(self, hurry: float = 20.0) -> None:
        """Begin at noon."""
        self._hurry = hurry
        self._began_s = time.monotonic()
        self._offset = timedelta()

    def now(self) -> datetime:
        return NOON + self._offset + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began_s) * self._hurry

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(max(0.0, delay_s / self._hurry))

    def jump(self, by: timedelta) -> None:
        """Set the wall clock on or back; the monotonic one never jumps."""
        self._offset += by


async def until(seen: Callable[[], bool]) -> None:
    """Wait until *seen*."""
    deadline = time.monotonic() + 120
    while not seen():  # a world outside tells nobody
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


class Site:
    """A daemon, the clock that it lives by, and the questions of this page."""

    def __init__(self, daemon: Daemon, clock: JumpingClock) -> None:
        """Let *daemon* live by *clock*. Adobe has a clock of its own, which never jumps."""
        self.daemon, self.clock = daemon, clock
        daemon.clock = clock
        daemon.world = World(now=clock.monotonic, faults=daemon.world.faults, seed=7)

    def configure(self, text: str) -> None:
        (self.daemon.folder / "dropglow.yaml").write_text(text)

    def prompts(self, name: str, count: int) -> None:
        for number in range(count):
            self.daemon.prompt(f"{name}-{number:03}.txt", f"{name} number {number}")

    @property
    def accepted(self) -> int:
        return int(self.daemon.books()["accepted"])

    async def once(self) -> str:
        """Run until nothing more can happen; return why it gave up, if it did."""
        async with self.daemon.service() as service:
            return (await asyncio.wait_for(service.run(asyncio.Event(), once=True), 120)).gave_up

    async def until(self, seen: Callable[[], bool]) -> None:
        """Run until *seen*, and stop in the middle of whatever goes on."""
        stop = asyncio.Event()
        async with self.daemon.service() as service:
            running = asyncio.create_task(service.run(stop, once=False))
            await until(lambda: seen() or running.done())
            stop.set()
            await asyncio.wait_for(running, 30)

    def for_a_while(self, seconds: float) -> Callable[[], bool]:
        """Return a question that is true once so many of the clock's seconds have passed."""
        end = self.clock.monotonic() + seconds
        return lambda: self.clock.monotonic() >= end

    async def jobs(self, stage: Stage, rule: str = "") -> list[Job]:
        return [job for job in await self.daemon.jobs() if job.stage is stage and rule in {"", job.rule}]

    async def costs(self) -> dict[Fate, Amount]:
        reader = SqliteReader.open(self.daemon.folder / "state" / "ledger.sqlite3")
        try:
            entries = await reader.costs()
        finally:
            await reader.close()
        return {
            fate: sum((each.amount for each in entries if each.fate is fate), start=Amount()) for fate in Fate
        }

    def wish(self, verb: Verb, target: str = "") -> None:
        asked = Wish(
            key=f"{verb}-{target or 'all'}".replace(".", "-"), verb=verb, target=target, asked_at=NOON
        )
        Mailbox(self.daemon.folder / "state" / "wishes").post(asked)


@pytest.fixture
def make_site(make_daemon: DaemonMaker) -> Callable[..., Site]:
    """Return a maker of sites: ``make_site("submit_lost=first:1", text=…)``."""

    def make(*faults: str, text: str) -> Site:
        return Site(make_daemon(*faults, text=text), JumpingClock())

    return make


async def test_a_days_budget_holds_across_restarts_and_clock_jumps(make_site: Any) -> None:
    """Of 250 prompts exactly 100 are bought on a day of 100, through three restarts and two jumps; then come the next."""
    site: Site = make_site(text=configuration("{per_day: 100}", art=""))
    site.prompts("art", 250)

    await site.until(lambda: site.accepted >= 30)
    site.clock.jump(timedelta(days=-2))
    await site.until(lambda: site.accepted >= 60)
    site.clock.jump(timedelta(days=2, hours=1))
    reason = await site.once()
    again = await site.once()
    waiting = await site.jobs(Stage.QUEUED)

    assert 100 == site.accepted == site.daemon.books()["images"]
    assert 150 == len(waiting)
    assert {WAITS_FOR_MONEY} == {job.failure.code for job in waiting if job.failure is not None}
    assert reason == again == "the budget, 100 images a day, is spent for today"
    assert Amount(images=100, operations=100) == (await site.costs())[Fate.BOUGHT]
    assert [] == [
        each
        for each in await site.daemon.broken_promises()
        if "is queued" not in each and "left in work" not in each
    ]

    site.clock.jump(timedelta(days=1))
    await site.once()
    assert 200 == site.accepted
    site.clock.jump(timedelta(days=1))
    assert "" == await site.once()
    assert 250 == site.accepted == site.daemon.books()["images"]
    assert Amount(images=250, operations=250) == (await site.costs())[Fate.BOUGHT]


async def test_a_clock_that_is_set_back_in_full_run_hands_no_day_out_twice(make_site: Any) -> None:
    """Set back over midnight, and on again, under a running service: the day that is spent stays spent."""
    site: Site = make_site(text=configuration("{per_day: 3}", art=""))
    site.prompts("art", 8)
    stop = asyncio.Event()
    async with site.daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=False))
        for jump in (timedelta(), timedelta(hours=-13), timedelta(hours=13)):
            site.clock.jump(jump)
            enough = site.for_a_while(20)
            await until(enough)
            await until(lambda: site.accepted >= 3)
            assert 3 == site.accepted
        site.clock.jump(timedelta(hours=12, minutes=1))
        await until(lambda: site.accepted >= 6)
        stop.set()
        await asyncio.wait_for(running, 30)

    assert 6 == site.accepted


async def test_a_spent_rule_keeps_no_other_from_its_turn(make_site: Any) -> None:
    """In one inbox, a rule whose budget is spent waits alone, however many files it has."""
    site: Site = make_site(text=configuration("", art="budget: {per_day: 2}", other=""))
    site.prompts("art", 40)
    await site.once()
    site.prompts("other", 5)

    reason = await site.once()

    assert 5 == len(await site.jobs(Stage.DELIVERED, "other"))
    assert 2 == len(await site.jobs(Stage.DELIVERED, "art"))
    assert 38 == len(await site.jobs(Stage.QUEUED, "art"))
    assert reason == "the budget of rule art, 2 images a day, is spent for today"


async def test_a_higher_budget_wakes_what_waits(make_site: Any) -> None:
    """A new start with a higher budget buys more at once, and one without any the rest; nobody waits for midnight."""
    site: Site = make_site(text=configuration("{per_day: 2}", art=""))
    site.prompts("art", 9)
    await site.once()
    first = site.accepted

    site.configure(configuration("{per_day: 5 operations}", art=""))
    await site.until(lambda: site.accepted >= 5)
    await site.once()
    second = site.accepted
    site.configure(configuration("", art=""))
    await site.until(lambda: site.accepted >= 9)

    assert (2, 5) == (first, second)
    assert "" == await site.once()


async def test_money_that_comes_back_is_spent(make_site: Any) -> None:
    """What Adobe declined is given back, and goes to what waits, on the same day."""
    site: Site = make_site("moderation=first:2", text=configuration("{per_day: 4}", art=""))
    site.prompts("art", 8)

    await site.until(lambda: site.accepted >= 4)
    await site.once()

    costs = await site.costs()
    assert 4 == site.accepted
    assert (4, 2) == (costs[Fate.BOUGHT].images, costs[Fate.RETURNED].images)


async def test_what_is_in_doubt_counts_as_spent(make_site: Any) -> None:
    """An order without an answer takes its place in the budget, and the books say so."""
    site: Site = make_site("submit_lost=first:1", text=configuration("{per_day: 3}", art=""))
    site.prompts("art", 6)

    await site.until(lambda: site.accepted >= 3)
    await site.once()

    costs = await site.costs()
    assert 3 == site.accepted == site.daemon.books()["images"]
    assert (2, 1) == (costs[Fate.BOUGHT].images, costs[Fate.IN_DOUBT].images)
    assert [f.name for f in site.daemon.prompts.glob("_held/*.txt")] != []


async def test_a_month_is_a_budget_too(make_site: Any) -> None:
    """The month's budget outlives the day, and the next month brings a new one."""
    site: Site = make_site(text=configuration("{per_month: 3, per_day: 2}", art=""))
    site.prompts("art", 6)

    bought = []
    for days in (0, 1, 1, 28):
        site.clock.jump(timedelta(days=days))
        await site.once()
        bought.append(site.accepted)

    assert [2, 3, 3, 5] == bought


async def test_what_is_over_is_held_until_a_person_approves(make_site: Any) -> None:
    """More than `hold_over` images wait: the rest goes to `_held`, costs nothing, and is bought once approved."""
    site: Site = make_site(text=configuration("", art="budget: {hold_over: 3}"))
    site.prompts("art", 7)

    await site.once()
    held = await site.jobs(Stage.HELD)
    bought, reports = (
        site.accepted,
        [each.read_text() for each in site.daemon.prompts.glob("_held/*.held.txt")],
    )
    for job in held[:2]:
        site.wish(Verb.APPROVE, job.key)
    await site.once()
    site.wish(Verb.CANCEL, held[2].key)
    site.wish(Verb.APPROVE, held[3].drop)
    outcome = await site.once()

    assert (3, 4, 4) == (bought, len(held), len(reports))
    assert any(f"dropglow approve {held[0].drop}" in report for report in reports)
    assert 6 == site.accepted
    assert [held[2].key] == [job.key for job in await site.jobs(Stage.CANCELLED)]
    assert "" == outcome
    inputs = [site.daemon.prompts / f"art-{number:03}.txt" for number in range(7)]
    assert [] == await site.daemon.broken_promises(*inputs)


async def test_moving_a_held_file_approves_of_nothing(make_site: Any) -> None:
    """Whoever drops is not who pays: a file that is moved from `_held` back into the inbox is held again."""
    site: Site = make_site(text=configuration("", art="budget: {hold_over: 0}"))
    path = site.daemon.prompt("art-1.txt", "a fox")
    await site.once()

    (path.parent / "_held" / path.name).rename(path)
    await site.once()

    assert 0 == site.accepted
    assert (path.parent / "_held" / path.name).exists()
    assert 1 == len(await site.daemon.drops(DropState.HELD))


async def test_moving_what_was_not_approved_approves_of_nothing(make_site: Any) -> None:
    """What was cancelled instead of approved is not bought because somebody moves its file back: it is held again."""
    site: Site = make_site(text=configuration("", art="budget: {hold_over: 0}"))
    path = site.daemon.prompt("art-1.txt", "a fox")
    await site.once()
    [job] = await site.jobs(Stage.HELD)
    site.wish(Verb.CANCEL, job.key)
    await site.once()
    cancelled = (path.parent / "_failed" / path.name).exists()

    (path.parent / "_failed" / path.name).rename(path)
    await site.once()

    assert (True, 0) == (cancelled, site.accepted)
    assert (path.parent / "_held" / path.name).exists()
    assert 1 == len(await site.jobs(Stage.HELD))


async def test_the_same_content_is_held_with_its_twin(make_site: Any) -> None:
    """A copy of what is held is held as well, and once both are approved it is bought once."""
    text = configuration("", art="budget: {hold_over: 0}")
    site: Site = make_site(text=text)
    site.daemon.prompt("art-1.txt", "a fox")
    await site.once()
    site.configure(configuration("", art=""))
    site.daemon.prompt("art-2.txt", "a fox")

    await site.once()
    held = await site.jobs(Stage.HELD)
    for job in held:
        site.wish(Verb.APPROVE, job.key)
    await site.once()

    assert 2 == len(held)
    assert 1 == site.accepted
    assert 2 == len(await site.jobs(Stage.DELIVERED))


async def test_paused_nothing_is_bought_and_all_is_delivered(make_site: Any) -> None:
    """`pause` stops orders and outlives restarts, what was bought is delivered, and `resume` lets the rest go on."""
    site: Site = make_site("duration=2-3", text=configuration("", art=""))
    site.daemon.faults("duration=3-4")
    site.prompts("art", 20)
    await site.until(lambda: site.accepted >= 8)
    site.wish(Verb.PAUSE)
    while_paused = await site.once()
    bought = site.accepted
    restarted = await site.once()

    assert "paused" in while_paused
    assert "paused" in restarted
    assert bought == site.accepted == len(await site.jobs(Stage.DELIVERED))
    assert 20 > bought

    site.wish(Verb.RESUME)
    assert "" == await site.once()
    assert 20 == site.accepted


async def test_paused_what_waited_for_its_budget_ends_a_single_run(make_site: Any) -> None:
    """A single run does not wait for ever for a person, also where there is money again for all that is left."""
    site: Site = make_site(text=configuration("{per_day: 2}", art=""))
    site.prompts("art", 5)
    await site.once()
    site.configure(configuration("{per_day: 50}", art=""))
    site.wish(Verb.PAUSE)

    while_paused = await site.once()

    assert "dropglow resume" in while_paused
    assert 2 == site.accepted


async def test_pausing_bites_at_once(make_site: Any) -> None:
    """A running service orders nothing more within two seconds of the wish, and goes on as fast."""
    site: Site = make_site(text=configuration("", art=""))
    stop = asyncio.Event()
    async with site.daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=False))
        site.wish(Verb.PAUSE)
        answers = site.daemon.folder / "state" / "wishes"
        await until((answers / "pause-all.answer").exists)
        site.prompts("art", 3)
        await until(lambda: not site.daemon.inbox())
        await until(site.for_a_while(20))
        before = site.accepted
        site.wish(Verb.RESUME)
        await until(lambda: site.accepted >= 3)
        stop.set()
        await asyncio.wait_for(running, 30)

    assert 0 == before


async def test_the_brake_stops_what_brings_nothing(make_site: Any) -> None:
    """When most of twenty orders failed at Adobe, spending stops until a person says go on, across restarts."""
    site: Site = make_site("job_failed=1", text=configuration("", art=""))
    site.daemon.faults("job_failed=1")
    site.prompts("art", 60)

    first = await site.once()
    bought = site.accepted
    second = await site.once()

    assert "paused" in first
    assert "paused" in second
    assert 20 <= bought == site.accepted <= 20 + 16
    costs = await site.costs()
    assert (0, bought) == (costs[Fate.BOUGHT].images, costs[Fate.FAILED].images)
    assert 0 == site.daemon.books()["images"]

    site.daemon.faults()
    site.wish(Verb.RESUME)
    assert "" == await site.once()
    assert 60 == site.accepted


async def test_that_spending_is_paused_is_said_once_and_at_each_start(make_site: Any, log: StringIO) -> None:
    """Many orders fail in one moment: the brake is one line; and whoever starts the service again reads of it."""
    site: Site = make_site("job_failed=1", text=configuration("", art=""))
    site.daemon.faults("job_failed=1", "duration=3")
    site.prompts("art", 60)

    await site.once()
    first = log.getvalue().count("spending.paused")
    await site.once()

    assert (1, 2) == (first, log.getvalue().count("spending.paused"))


async def test_the_brake_can_be_taken_off(make_site: Any) -> None:
    """`brake: off` spends on, whatever comes of it."""
    site: Site = make_site("job_failed=1", text=configuration("{brake: off}", art=""))
    site.daemon.faults("job_failed=1")
    site.prompts("art", 40)

    assert "" == await site.once()
    assert 40 == site.accepted


async def test_an_order_beyond_its_whole_budget_says_so(make_site: Any) -> None:
    """An order that needs more than a whole day's budget waits, with words that say why."""
    site: Site = make_site(text=configuration("{per_day: 0}", art=""))
    site.prompts("art", 1)

    reason = await site.once()

    (job,) = await site.jobs(Stage.QUEUED)
    assert job.failure is not None
    assert (reason, "this order alone needs 1 image") == (job.failure.what, job.failure.why)
    assert "the budget, 0 images a day, is too small for this order" == reason
    assert 0 == site.accepted


async def test_prices_are_corrected_by_the_operator(make_site: Any) -> None:
    """A budget in operations counts by the corrected table, and so do the books."""
    text = configuration("{per_day: 7 operations}", art="") + "prices: {generate: 3}\n"
    site: Site = make_site(text=text)
    site.prompts("art", 4)

    await site.once()

    assert 2 == site.accepted
    assert Amount(images=2, operations=6) == (await site.costs())[Fate.BOUGHT]


@pytest.mark.parametrize("fault", ["forbidden=quota_exhausted", "unauthorised=1"])
async def test_the_account_is_the_trouble_and_nothing_is_spent(make_site: Any, fault: str) -> None:
    """Quota used up, or a secret that was rotated: every file stays, one question at a time, and it resumes by itself."""
    site: Site = make_site(text=configuration("{per_day: 12}", art=""))
    site.prompts("art", 12)
    site.daemon.faults(fault)
    stop = asyncio.Event()
    async with site.daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=False))
        await until(lambda: bool(service.snapshot().trouble))
        await until(site.for_a_while(1))
        asked = orders(site)
        await until(site.for_a_while(200))
        waiting, again = await site.jobs(Stage.QUEUED), orders(site) - asked
        spent, trouble = await site.costs(), service.snapshot().trouble
        site.daemon.faults()
        await until(lambda: site.accepted >= 12)
        stop.set()
        await asyncio.wait_for(running, 30)

    assert 12 == len(waiting)
    assert again <= 8  # in more than three minutes
    assert trouble
    assert 0 == sum(amount.images for fate, amount in spent.items() if fate is not Fate.RETURNED)
    assert 12 == (await site.costs())[Fate.BOUGHT].images == site.accepted
    assert "" == await site.once()
    inputs = [site.daemon.prompts / f"art-{number:03}.txt" for number in range(12)]
    assert [] == await site.daemon.broken_promises(*inputs)


def orders(site: Site) -> int:
    """Return how many orders Adobe was asked for."""
    requests: dict[str, int] = site.daemon.books()["requests"]
    return sum(times for name, times in requests.items() if name.startswith("POST /v3"))
