"""One seed: people, faults and several lives of the real service on one machine, and whether its promises held."""

from __future__ import annotations

import asyncio
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from dropglow import vocabulary
from dropglow.assembly import build
from dropglow.disk import RealDisk
from dropglow.errors import DropglowError
from dropglow.events import Accepted
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.intake import atlas
from dropglow.intake.atlas import ATLAS_FILE
from dropglow.landmarks import Role
from dropglow.ledger.base import Query
from dropglow.ledger.lifeboat import Lifeboat
from dropglow.ledger.mailbox import Verb
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import RESTING
from dropglow.model import DropState, Job, Stage
from dropglow.runtime.service import Service
from tests.simulation import trials
from tests.simulation.books import SimLedger, answered
from tests.simulation.loop import EPOCH, EndlessLoop, SimClock, SimLoop, WallClock
from tests.simulation.machine import Died, Fate, Machine
from tests.simulation.mail import QuietStatus, SimDoorbell, SimMailbox
from tests.simulation.people import People
from tests.simulation.promises import Promises
from tests.simulation.rations import FREE, RATIONS, Manner, configuration
from tests.simulation.shares import Share
from tests.simulation.weather import Weather
from tests.simulation.wire import Front, SimWire, SimWorld

HORIZON_S: Final = 40.0  # of what people do
LOOK_S: Final = 10.0  # between two looks whether everything rests
HEALING_S: Final = 4 * 3600.0  # in which everything has to come to rest
MANNERS: Final = (*[Manner.DELETED] * 5, Manner.FOLDERS, Manner.KEPT)
MEDDLED: Final = (
    0.5  # how often somebody cancels while an answer is on its way, where Adobe has trouble with that
)
RATIONED: Final = 0.2  # the share of seeds with budgets
SHARED: Final = 0.25  # the share of seeds whose folders come and go
DROPPED: Final = 0.3  # how often somebody drops a file while one is away
TOLD: Final = 0.5  # how often the kernel tells that one is unmounted
RECOVERED: Final = 0.3  # the share whose last troubled life has to get well by itself, without a restart
CALM_S: Final = 1500.0  # longer than anything waits for the next try once all goes well again
BUGS: Final = frozenset({vocabulary.SERVICE_BUG})


@dataclass(slots=True)
class Verdict:
    """What came of one seed."""

    seed: int
    broken: list[str] = field(default_factory=list)
    trace: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)


def run(seed: int, root: Path, *, told: bool = False) -> Verdict:
    """Run one seed in *root*; with *told*, keep every line of its trace."""
    return Story(seed, root, told=told).run()


class Story:
    """Everything that belongs to one seed."""

    def __init__(self, seed: int, root: Path, *, told: bool = False) -> None:
        """Prepare the folders, the people and the world."""
        self._seed = seed
        self._dice = random.Random(seed)
        self._ration = self._dice.choice(RATIONS) if self._dice.random() < RATIONED else FREE
        self._manner = self._dice.choice(MANNERS)
        self._config = configuration(str(root), self._ration, self._manner)
        self._wall = WallClock()
        self._machine = Machine(root, random.Random(f"{seed} machine"))
        if told:
            self._machine.story = []
        self._now_s = 1000.0
        self._loop: SimLoop | None = None
        self._world = SimWorld(self._machine.counts, now=self._server_time, seed=seed)
        self._front = Front(self._world)
        self._ledger = MemoryLedger(identity=f"ledger{seed}")
        self._mailbox = SimMailbox()
        self._people = People(
            self._machine, random.Random(f"{seed} people"), self._mailbox, self._world, self._manner
        )
        self._promises = Promises(
            str(root),
            world=self._world,
            front=self._front,
            ledger=self._ledger,
            own=self._people.own,
            ration=self._ration,
            wall=self._wall,
            shares=self._machine.shares,
        )
        self._tides = random.Random(f"{seed} shares")
        if self._tides.random() < SHARED:
            self._add_shares()
        self._deeds = [(self._now_s + at_s, deed) for at_s, deed in self._people.plan(HORIZON_S)]
        self._bugs: list[str] = []
        self._service: Service | None = None
        self._weather = Weather()
        self._recovers = self._ration is FREE and random.Random(f"{seed} recovery").random() < RECOVERED
        self._recovered = False

    def run(self) -> Verdict:
        """Live through all of it."""
        verdict = Verdict(self._seed)
        with self._machine.installed(), SimDoorbell.installed(), self._listened():
            try:
                lives = self._dice.choice((0, 1, 1, 1, 2, 2, 3))
                while lives > 0 or (lives == 0 and self._machine.pending):
                    lives -= 1
                    recovering = self._recovers and lives == 0 and not self._machine.pending
                    self._live(
                        self._fate(recovering=recovering),
                        until_s=self._now_s + self._dice.uniform(2, HORIZON_S),
                        recovering=recovering,
                    )
                    verdict.broken += self._promises.broken_now(self._now_s)
                    if self._recovered:
                        verdict.broken += self._promises.broken_at_rest(kept=self._machine.kept)
                self._heal()
                if self._parked():
                    self._machine.counts["came to rest without money"] += 1
                    verdict.broken += self._promises.broken_now(self._now_s)
                    self._lift_budgets()
                    self._heal()
                verdict.broken += self._promises.broken_at_rest(kept=self._machine.kept)
            except EndlessLoop as endless:
                verdict.broken.append(f"I7: {endless}")
        verdict.broken += [*self._bugs, *self._machine.shares.broken]
        verdict.trace = self._machine.trace.hexdigest()
        verdict.counts = self._machine.counts + self._people.counts
        verdict.story = self._machine.story or []
        return verdict

    # Shares.

    def _add_shares(self) -> None:
        for nature in trials.shares(self._tides):
            times = self._tides.choice((1, 2, 3, 4))
            outages = [trials.outage(self._tides, nature, HORIZON_S) for _ in range(times)]
            self._machine.shares.add(nature, outages)
        self._machine.shares.knows = self._knows

    def _knows(self, share: Share) -> bool:
        """Return whether the service that runs has seen every folder of *share*: of others it knows nothing."""
        if self._service is None:
            return False
        memory = next(iter(self._service.staff.attendants.values())).inbox._root._memory
        return all(
            memory.known(Role.INBOX if "/in/" in folder else Role.OUTBOX, folder) for folder in share.tops
        )

    def _remembered(self, folder: str) -> bool:
        """Return whether the file says so in which the service remembers folders over restarts."""
        path = f"{self._machine.root}/state/{ATLAS_FILE}"
        return any(found == folder for (_, found), _ in atlas._read(path, RealDisk()))

    def _gone(self, loop: SimLoop, clock: SimClock, share: Share, lasts_s: float) -> None:
        """Have the kernel tell that *share* went, which it may, and somebody use it on another machine, which still has it."""
        if self._tides.random() < DROPPED:
            loop.call_later(self._tides.uniform(0, lasts_s), self._act, "drop", clock)
        if self._tides.random() < TOLD:
            for folder in share.tops:
                loop.call_later(self._tides.uniform(0, lasts_s), self._ring, folder)

    def _ring(self, folder: str) -> None:
        if self._service is not None and not self._machine.dead:
            bell: Any = self._service.staff._doorbell
            bell.ring(folder)

    def _tide(self, *, recovering: bool) -> None:
        """Have shares come back for good, at once or after a while, or go once more first."""
        shares = self._machine.shares
        again = self._tides.random() < 0.5
        for share in shares.all:
            share.outages.clear()
            if again and (recovering or share.away is None):
                share.outages.append(trials.outage(self._tides, share.nature, HORIZON_S))
                shares.well.add(share.number)
            elif self._tides.random() < 0.5 and share.away is not None:
                shares.back(share)

    # Lives.

    def _fate(self, *, recovering: bool) -> Fate:
        if recovering:
            return trials.illness(self._dice, self._machine.root)
        return trials.fate(self._dice, self._machine.root, pending=self._machine.pending)

    def _live(self, fate: Fate, *, until_s: float, healing: bool = False, recovering: bool = False) -> None:
        """Run the service once, until it dies, is stopped or refuses to run; with *recovering*, on to its rest if it lives."""
        self._machine.begin(fate)
        loop = self._loop = SimLoop(
            random.Random(self._dice.random()), start_s=self._now_s, shuffled=self._dice.random() < 0.5
        )
        clock, stop = SimClock(loop, self._wall), asyncio.Event()
        self._mailbox.begin_anew()
        self._mailbox.machine = self._machine
        self._machine.intruder = partial(self._people.intrude, clock)
        self._service = None
        self._machine.shares.gone = partial(self._gone, loop, clock)
        self._machine.shares.begin(loop, remembered=self._remembered)
        life = loop.create_task(self._life(clock, stop, healing=healing), name="life")
        self._schedule(loop, clock)
        if healing:
            self._until_rest(loop, clock, life, until_s)
        else:
            self._change_weather(loop, until_s)
            loop.drive(lambda: self._machine.dead or life.done(), until_s=until_s)
        self._recovered = recovering and not self._machine.dead and not life.done()
        if self._recovered:
            self._recover(loop, clock, life)
        self._end(loop, life, stop, gently=healing or self._recovered or self._dice.random() < 0.5)
        self._now_s = loop.time() + self._dice.choice((0.1, 1.0, 5.0))
        self._deeds = [deed for deed in self._deeds if deed[0] > loop.time()]

    def _end(self, loop: SimLoop, life: asyncio.Task[None], stop: asyncio.Event, *, gently: bool) -> None:
        machine = self._machine
        if gently and not machine.dead and not life.done():
            machine.counts["stopped"] += 1
            stop.set()
            loop.drive(lambda: machine.dead or life.done(), until_s=loop.time() + 120)
            if not self._machine.dead and not life.done():
                self._bugs.append("I7: the service does not stop")
        if life.done() and not machine.dead and (error := life.exception()) is not None:
            if not isinstance(error, DropglowError):
                raise error
            machine.counts["ended by a refusal"] += 1
            machine.note(f"ended: {error.message}")
        if machine.dead or not life.done():
            machine.go_down()
        machine.dead = True
        loop.wipe_out()
        for attendant in self._service.staff.attendants.values() if self._service is not None else ():
            attendant.inbox.close()
        machine.dead = False

    async def _life(self, clock: SimClock, stop: asyncio.Event, *, healing: bool) -> None:
        weather = Weather() if healing or self._machine.fate.late else trials.weather(self._dice)
        self._weather = weather
        if trials.about_cancelling(self._world.faults):
            weather.meddled = max(weather.meddled, MEDDLED)
        meddle = partial(self._people.meddle, clock, self._jobs)
        wire = SimWire(self._front, self._machine, random.Random(self._dice.random()), weather, meddle)
        client = FireflyClient(
            self._config.api,
            FixedCredentials(client_id="me", client_secret="secret"),
            clock,
            connections=16,
            transport=wire,
        )
        boat = Lifeboat(Path(self._config.state))
        ledger: Any = SimLedger(
            self._ledger, self._machine, random.Random(self._dice.random()), self._bugs.append
        )
        try:
            boat.open()
            await boat.land(ledger)
            service = await build(
                self._config,
                ledger=ledger,
                client=client,
                clock=clock,
                disk=RealDisk(),
                storage="@simulated",
                board=partial(self._board, boat),
            )
            edges: Any = self._mailbox, QuietStatus()
            service.mailbox, service.status = edges
            self._service = service
            await service.run(stop, once=False)
        finally:
            boat.close()
            await client.close()

    def _board(self, boat: Lifeboat, job: Job, accepted: Accepted) -> bool:
        self._machine.step("board", job.key)
        return boat.board(job, accepted)

    # What happens meanwhile.

    def _schedule(self, loop: SimLoop, clock: SimClock) -> None:
        for at_s, deed in self._deeds:
            loop.call_at(max(at_s, loop.time()), self._act, deed, clock)

    def _act(self, deed: str, clock: SimClock) -> None:
        if self._machine.dead:
            return
        heard = self._people.act(deed, clock, self._jobs())
        if heard is not None and self._service is not None and self._dice.random() < 0.7:
            bell: Any = self._service.staff._doorbell
            bell.ring(heard)

    def _jobs(self) -> tuple[Job, ...]:
        jobs: tuple[Job, ...] = answered(self._ledger.find(Query(limit=1000)))
        return jobs

    def _change_weather(self, loop: SimLoop, until_s: float) -> None:
        if self._machine.fate.late:
            late = trials.late_faults(self._dice) if self._dice.random() < 0.4 else trials.healthy(2)
            self._world.set_faults(late)
            return
        self._world.set_faults(trials.faults(self._dice))
        changes_at = self._dice.uniform(loop.time(), until_s)
        loop.call_at(changes_at, lambda: self._world.set_faults(trials.faults(self._dice)))

    def _server_time(self) -> float:
        now_s = self._now_s if self._loop is None else self._loop.time()
        return EPOCH.timestamp() + now_s + self._wall.slept_s

    # The end.

    def _lift_budgets(self) -> None:
        self._promises.ration = FREE
        self._config = configuration(self._machine.root, FREE, self._manner)

    def _parked(self) -> tuple[Job, ...]:
        jobs: tuple[Job, ...] = answered(self._ledger.parked(limit=1000))
        return jobs

    def _heal(self) -> None:
        """Let everything go well, and wait for rest."""
        self._be_well()
        self._tide(recovering=False)
        self._wall.catch_up(self._now_s)
        self._live(Fate(), until_s=self._now_s + HEALING_S, healing=True)

    def _recover(self, loop: SimLoop, clock: SimClock, life: asyncio.Task[None]) -> None:
        """Let nothing go wrong any more, and wait for rest: nobody starts a service anew that runs."""
        self._machine.counts["got well without a restart"] += 1
        self._machine.fate = Fate()
        self._weather.clear_up()
        self._be_well()
        self._tide(recovering=True)
        loop.drive(life.done, until_s=loop.time() + CALM_S)
        self._until_rest(loop, clock, life, loop.time() + HEALING_S)
        if self._service is not None:
            self._bugs += self._offline()

    def _be_well(self) -> None:
        self._world.faults = trials.healthy()
        for job in self._world.jobs:
            if job.ends_at is None:
                self._world.finish(job.id)

    def _until_rest(self, loop: SimLoop, clock: SimClock, life: asyncio.Task[None], until_s: float) -> None:
        settled_s = max([loop.time(), *(at_s for at_s, _ in self._deeds)]) + 5.0
        loop.drive(life.done, until_s=settled_s)
        self._people.finish_writing(clock)
        self._wall.catch_up(loop.time())
        if (switch := answered(self._ledger.switch())) is not None and switch.stopped:
            self._people.say(Verb.RESUME, clock)
        settling = self._dice.random() < 0.6
        while not life.done() and loop.time() < until_s:
            loop.drive(life.done, until_s=loop.time() + LOOK_S)
            if not self._rests():
                continue
            doubts = [job for job in self._jobs() if job.stage in {Stage.IN_DOUBT, Stage.HELD}]
            if not settling or not doubts:
                break
            doubt = self._dice.choice(doubts)
            ways = (Verb.RESUBMIT, Verb.ABANDON, Verb.ATTACH, Verb.ABANDON)
            verb = self._dice.choice(ways if doubt.stage is Stage.IN_DOUBT else (Verb.APPROVE, Verb.CANCEL))
            self._people.ask(verb, doubt, clock)
        self._still_away()
        if life.done():
            self._bugs.append(f"I7: the healthy service ended: {life.exception()!r}")

    def _still_away(self) -> None:
        """Note what the service does not take up although it is back, and let nothing go any more."""
        if self._machine.shares.all:
            self._bugs += self._offline()
            self._machine.shares.calm()

    def _offline(self) -> list[str]:
        if self._service is None:
            return []
        away = (why.replace(self._machine.root, "") for why in self._service.staff.offline())
        return [f"I7: offline although all is well: {why}" for why in away]

    def _rests(self) -> bool:
        if self._service is None or self._mailbox.waiting:
            return False
        if self._machine.shares.all and (not self._machine.shares.all_back or self._offline()):
            return False
        counts, parked = answered(self._ledger.counts()), self._parked()
        moving = sum(count for stage, count in counts.jobs.items() if stage not in RESTING)
        waiting = {job.drop for job in parked}
        return (
            self._service.staff.idle()
            and moving == len(parked)
            and counts.drops.get(DropState.OPEN, 0) == len(waiting)
        )

    @contextmanager
    def _listened(self) -> Iterator[None]:
        """Hear what the service says of faults of its own, and nothing else."""

        def note(_logger: Any, _method: str, event: Any) -> Any:
            if event["event"] in BUGS and not self._machine.dead:
                error = event.get("exc_info")
                if not isinstance(error, Died):
                    self._bugs.append(f"bug: {error!r}")
            raise structlog.DropEvent

        structlog.configure(
            processors=[note],
            wrapper_class=structlog.make_filtering_bound_logger(50),
            cache_logger_on_first_use=False,
        )
        complain = sys.unraisablehook
        sys.unraisablehook = lambda _: None  # what a dead process leaves half done
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                yield
        finally:
            sys.unraisablehook = complain
            structlog.reset_defaults()
