"""What has to be true of a run: the promises, checked against the world's books and the disk, whatever the service says."""

# ruff: noqa: PTH119, PTH120, PTH123, PTH113

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dropglow.ledger.base import Query, Record
from dropglow.lifecycle import RESTING, TWIN_IN_DOUBT, allowed
from dropglow.model import Billed, Drop, DropState, Job, JobKey, OnDoubt, Stage
from dropglow.money import cost, labels
from tests.simulation.books import answered
from tests.simulation.shares import REPORTS

if TYPE_CHECKING:
    from dropglow.ledger.memory import MemoryLedger
    from dropglow.sandbox.world import World
    from tests.simulation.loop import WallClock
    from tests.simulation.people import Belongings
    from tests.simulation.rations import Ration
    from tests.simulation.shares import Shares
    from tests.simulation.wire import Front

# What lets an order be placed once more. Nothing else does.
PERMISSIONS: Final = frozenset({"Declined", "RetryAsked", "ResubmitAsked"})
BOUGHT: Final = frozenset(Stage) - {Stage.QUEUED, Stage.HELD, Stage.FAILED, Stage.CANCELLED}
AHEAD_S: Final = 120.0  # its clock, and how long a cancelling takes
REPORTED: Final = {"_failed": ".error.txt", "_held": ".held.txt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that the ledger says."""

    drops: tuple[Drop, ...]
    jobs: dict[JobKey, Job]
    history: dict[JobKey, list[Record]]
    everything: tuple[Record, ...]  # in the order in which it was stored

    @classmethod
    def by(cls, ledger: MemoryLedger) -> Told:
        """Return what *ledger* says now."""
        drops = answered(ledger.drops(limit=1000))
        jobs = {job.key: job for job in answered(ledger.find(Query(limit=1000)))}
        history: dict[JobKey, list[Record]] = defaultdict(list)
        for drop in drops:
            for record in answered(ledger.history(drop.key)):
                if record.job is not None:
                    history[record.job].append(record)
        everything = tuple(ledger._history)
        return cls(drops=drops, jobs=jobs, history=history, everything=everything)


class Promises:
    """Check one seed's world."""

    def __init__(
        self,
        root: str,
        *,
        world: World,
        front: Front,
        ledger: MemoryLedger,
        own: Belongings,
        ration: Ration,
        wall: WallClock,
        shares: Shares,
    ) -> None:
        """Compare what is in *root* with what everybody knows; *shares* tell where files are while they are away."""
        self._root = root
        self._shares = shares
        self._world = world
        self._front = front
        self._ledger = ledger
        self._own = own
        self._wall = wall
        self.ration = ration  # may be lifted

    def broken_now(self, now_s: float) -> list[str]:
        """Return what must hold at every moment, and does not: called where a process died, at the loop's *now_s*."""
        told = Told.by(self._ledger)
        return [
            *self._money(told),
            *self._overspent(told, now_s),
            *self._torn(),
            *self._foreign(),
            *self._front.strangers,
        ]

    def broken_at_rest(self, *, kept: set[str]) -> list[str]:
        """Return what must hold once everything rests, and does not.

        What the disk *kept*, since it refused to remove it or forgot with the power that it had, may be left over: once
        its job rests, nobody looks for it.
        """
        told = Told.by(self._ledger)
        return [
            *self._money(told),
            *self._known(told),
            *self._needlessly_doubted(told),
            *self._bought_again(told),
            *self._admitted_again(told),
            *self._wrongly_free(told),
            *self._left_over(kept),
            *self._illegal(told),
            *self._torn(),
            *self._foreign(),
            *self._lost(told),
            *self._forgotten(told),
            *self._undelivered(told),
            *self._unreported(told),
            *self._front.strangers,
        ]

    # I2, I3, I6: nothing is bought twice, and the ledger knows of everything.

    def _money(self, told: Told) -> Iterator[str]:
        charges = Counter(job.seeds for job in self._world.jobs)
        by_seeds = {job.order.seeds: job for job in told.jobs.values()}
        for seeds, count in charges.items():
            job = by_seeds.get(seeds)
            if job is None:
                yield f"I6: {count} orders with seeds {seeds} that no job has"
                continue
            events = told.history[job.key]
            begun = sum(record.event == "Began" for record in events)
            declined = sum(record.event == "Declined" for record in events)
            if count > begun - declined:
                yield f"I2/I6: {job.key} was bought {count} times, begun {begun}, declined {declined}"
        for key, events in told.history.items():
            yield from _repeated(told.jobs[key], events)

        counted = sum(cost(each.order).images for each in self._ledger.bought if not each.returned)
        charged = sum(job.order.images for job in self._world.jobs)
        if counted < charged:
            yield f"I6: {charged} images are charged, and {counted} are counted as spent"

    # I8: no budget is exceeded, on whatever day.

    def _overspent(self, told: Told, now_s: float) -> Iterator[str]:
        if self.ration.approved:
            for key, events in told.history.items():
                names = [record.event for record in events]
                asked = "Approved" in names[: names.index("Began")] if "Began" in names else True
                if not asked and key not in self._own.retried:
                    yield f"I8: nobody approved of {key}, and it was ordered"
        if not self.ration.limited:
            return
        shown = [labels(moment.astimezone()) for moment in self._wall.shown(now_s)]
        days, months = len({day for day, _ in shown}), len({month for _, month in shown})
        by_seeds = {job.order.seeds: job for job in told.jobs.values()}
        every = sum(job.order.images for job in self._world.jobs)
        prompts = sum(job.order.images for job in self._world.jobs if by_seeds[job.seeds].rule == "prompts")
        for name, bought, most in (
            ("a day", every, self.ration.per_day * days),
            ("a month", every, self.ration.per_month * months),
            ("a day for prompts", prompts, self.ration.prompts_per_day * days),
        ):
            if bought > most:
                yield f"I8: {bought} images were bought, and the budget of {name} allows {most}"

    def _known(self, told: Told) -> Iterator[str]:
        """Yield what was bought under an id that nobody has, and is not in doubt."""
        known = {job.submission.remote_id.rpartition(":")[2] for job in told.jobs.values() if job.submission}
        by_seeds = {job.order.seeds: job for job in told.jobs.values()}
        for bought in self._world.jobs:
            job = by_seeds[bought.seeds]
            events = [record.event for record in told.history[job.key]]
            settled = {"Doubted", "RetryAsked", "ResubmitAsked"} & set(events)
            if bought.uuid not in known | self._front.unnamed and not settled:
                yield f"I6: nobody knows of {bought.id}, which {job.key} bought"

    def _needlessly_doubted(self, told: Told) -> Iterator[str]:
        """Yield what is in doubt although there never was a connection for its order."""
        for job in told.jobs.values():
            if job.stage is Stage.IN_DOUBT and job.request_id not in self._front.connected:
                yield f"I6: {job.key} is in doubt, and its order found no connection"

    def _bought_again(self, told: Told) -> Iterator[str]:
        """Yield where content was bought that had been bought, or may have been, for another drop.

        Whose retry a person asks for is bought for itself, while the drop that came first may wait still for its own.
        """
        stages: dict[JobKey, Stage] = {}
        asked: set[JobKey] = set()
        for record in told.everything:
            if record.job is None:
                continue
            job = told.jobs[record.job]
            if record.event in {"RetryAsked", "ResubmitAsked"}:
                asked.add(job.key)
            if job.rule != "prompts":
                continue
            if record.event == "Began" and job.key not in asked:
                twins = (
                    twin
                    for twin in told.jobs.values()
                    if twin.key != job.key
                    and stages.get(twin.key) in BOUGHT
                    and not (twin.key in asked and twin.created_at > job.created_at)
                    and twin.order.body["prompt"] == job.order.body["prompt"]
                )
                for twin in twins:
                    yield f"I2: {job.key} was bought while {twin.key}, which is the same, was {stages[twin.key]}"
            stages[job.key] = Stage(record.after)

    def _admitted_again(self, told: Told) -> Iterator[str]:
        """Yield what became more drops than it was dropped: each of them buys."""
        contents = (file.sha256 for drop in told.drops for file in drop.members or (drop,))
        for digest, count in Counter(contents).items():
            if count > self._own.arrivals[digest]:
                yield f"I2: {digest[:8]} came {self._own.arrivals[digest]} times, and was admitted {count} times"

    def _wrongly_free(self, told: Told) -> Iterator[str]:
        """Yield what was charged, and is said to be free or cancelled."""
        # What Adobe cancelled while its clock was ahead is over a little later by the clock that it shows at the end.
        now = self._world.now() + AHEAD_S
        by_seeds = {job.order.seeds: job for job in told.jobs.values()}
        for bought in self._world.jobs:
            job = by_seeds[bought.seeds]
            events = {record.event for record in told.history[job.key]}
            if not bought.charged(now) or events & {"RetryAsked", "ResubmitAsked", "Doubted"}:
                continue
            if job.stage is Stage.CANCELLED or _free_of_charge(job):
                yield f"I6: {job.key} is {job.stage} and free, but {bought.id} is charged"

    def _left_over(self, kept: set[str]) -> Iterator[str]:
        for path in _files(f"{self._root}/out") + _files(f"{self._root}/in"):
            inside = path.removeprefix(self._root)
            if "/." in inside and "/.dropglow/" not in inside and path not in kept | self._shares.begun:
                yield f"{inside} is left over"

    # The ledger's own story.

    def _illegal(self, told: Told) -> Iterator[str]:
        for key, events in told.history.items():
            for before, after in itertools.pairwise(events):
                if after.before != before.after:
                    yield f"{key}: {after.event} came from {after.before}, but it was {before.after}"
                if not allowed(Stage(after.before), Stage(after.after)):
                    yield f"{key}: no arrow from {after.before} to {after.after}"
            if events and told.jobs[key].stage.value != events[-1].after:
                yield f"{key} is {told.jobs[key].stage}, its history says {events[-1].after}"
        for job in told.jobs.values():
            if job.stage not in RESTING:
                yield f"I7: {job.key} is {job.stage}"
        for drop in told.drops:
            if drop.state is DropState.OPEN:
                yield f"I7: drop {drop.key} is open"

    # I5: nobody else's file.

    def _foreign(self) -> Iterator[str]:
        for path, content in self._own.foreign.items():
            place = self._shares.where(path)
            if not os.path.isfile(place) or _read(place) != content:
                yield f"I5: {path.removeprefix(self._root)} is not as its owner left it"

    # I4: complete, once, and as it came.

    def _torn(self) -> Iterator[str]:
        served = set().union(*self._front.served.values()) if self._front.served else set()
        for path in self._results():
            if path not in self._own.foreign and _digest(self._shares.where(path)) not in served:
                yield f"I4: {path.removeprefix(self._root)} is not what came from Adobe"

    def _undelivered(self, told: Told) -> Iterator[str]:
        """Yield results that are missing, of another job, or there twice."""
        owners: dict[str, str] = {}
        for job in told.jobs.values():
            if job.stage is not Stage.DELIVERED:
                continue
            assert job.submission is not None, "what is delivered was ordered"
            served = self._front.served[job.submission.remote_id.rpartition(":")[2]]
            for path in job.delivered:
                owners[path] = job.key
                if path in self._own.removed or path in self._own.foreign:
                    continue
                if not os.path.isfile(path):
                    yield f"I4: {path.removeprefix(self._root)} of {job.key} is missing"
                elif job.reuses is None and _digest(path) not in served:
                    yield f"I4: {path.removeprefix(self._root)} is no result of {job.key}"
            if job.reuses is None and len(job.delivered) != len(job.artifacts):
                yield f"I4: {job.key} delivered {len(job.delivered)} of {len(job.artifacts)}"
        for path in self._results():
            if path not in owners and path not in self._own.foreign and not self._of_retried(path, told):
                yield f"I4: {path.removeprefix(self._root)} belongs to no job"

    def _of_retried(self, path: str, told: Told) -> bool:
        """Return whether a result stands under a name that its job gave up, failing on the way, or no longer knew.

        Where a share numbers its files anew, only a sidecar tells whose result has a name already: without one it is
        fetched again, and stands there twice.
        """
        digest = _digest(path)
        unknown = self._shares.renumbers(path) and not os.path.lexists(f"{path}.json")
        return any(
            digest in {artifact.sha256 for artifact in job.artifacts}
            and (unknown or job.stage in {Stage.FAILED, Stage.CANCELLED})
            for job in told.jobs.values()
        )

    # I1: every input is in one place.

    def _lost(self, told: Told) -> Iterator[str]:
        found: Counter[str] = Counter()
        for path in _files(f"{self._root}/in"):
            if "/.dropglow/" in path and "/.dropglow/work/" not in path:
                continue
            if path.endswith(REPORTS) or os.path.basename(path).startswith(".dropglow-"):
                continue
            if "/.dropglow/work/" in path:
                yield f"I1: {path.removeprefix(self._root)} is left in work"
            found[_digest(path)] += 1
        # The rule says: deleted once it is delivered.
        gone = Counter(
            drop.sha256
            for drop in told.drops
            if drop.state is DropState.DONE and not drop.place and not drop.after.workshop
        )
        for digest in self._own.inputs.keys() | found.keys():
            wanted = self._own.inputs[digest]
            if not found[digest] <= wanted <= found[digest] + gone[digest]:
                yield f"I1: {digest[:8]} was dropped {wanted} times and is at {found[digest]} places"

    def _forgotten(self, told: Told) -> Iterator[str]:
        """Yield what lies in a last folder while its drop is said to be nowhere. Of a copy that came, no drop has the first.

        Where a share numbers its files anew, what an interrupted try moved to the folder of another state is not known.
        """
        places = {
            place for drop in told.drops for place in (drop.place, *(each.place for each in drop.companions))
        }
        nowhere: dict[str, set[str]] = defaultdict(set)
        for drop in told.drops:
            if (
                drop.state is not DropState.DONE
                and not drop.after.workshop
                and not os.path.lexists(drop.place)
            ):
                nowhere[drop.sha256].add(f"_{drop.state}")
        for path in _files(f"{self._root}/in"):
            inside = path.removeprefix(self._root)
            if path in places or path.endswith(REPORTS) or "/." in inside or path in self._own.intruders:
                continue
            folder = next((name for name in REPORTED if f"/{name}/" in inside), "")
            digest = _digest(path)
            if not folder or digest in self._own.taken or not nowhere[digest]:
                continue
            if folder in nowhere[digest] or not self._shares.renumbers(path):
                yield f"I1: {inside} is there, and the ledger does not know it"

    def _unreported(self, told: Told) -> Iterator[str]:
        for drop in told.drops:
            place = self._beside(drop)
            suffix = REPORTED.get(
                os.path.basename(os.path.dirname(place)), ".report.txt" if drop.members else ""
            )
            # Who puts a file of their own there, where somebody took ours away, knows why.
            there = os.path.lexists(drop.place or place) and drop.place not in self._own.intruders
            if suffix and there and not os.path.isfile(place + suffix):
                yield f"I1: {place.removeprefix(self._root)} has no report"
            doubtful = any(_doubtful(job) for job in told.jobs.values() if job.drop == drop.key)
            if doubtful is not (drop.state is DropState.HELD):
                yield f"drop {drop.key} is {drop.state}, and in doubt: {doubtful}"

    def _beside(self, drop: Drop) -> str:
        """Return what the report about *drop* lies beside, or where that would be."""
        folders = {DropState.FAILED: drop.after.failed, DropState.HELD: drop.after.held}
        if not drop.after.workshop:
            return drop.place
        folder = folders.get(drop.state, "")
        return f"{folder}/{drop.path}" if folder else ""

    def _results(self) -> Iterator[str]:
        for folder in ("out/photos", "out/prompts"):
            yield from self._results_in(f"{self._root}/{folder}")

    def _results_in(self, folder: str) -> Iterator[str]:
        place = self._shares.where(folder)
        for path in (folder + found[len(place) :] for found in _files(place)):
            if not path.endswith((".json", *REPORTS)) and "/." not in path.removeprefix(self._root):
                yield path


def _doubtful(job: Job) -> bool:
    """Return whether a person has to say how *job*, or the one that stands for it, goes on."""
    if job.stage is Stage.FAILED and job.reuses is not None:
        return True  # what another job bought cannot be had any more: only a person buys it again
    return job.stage in {Stage.IN_DOUBT, Stage.HELD} or (
        job.failure is not None and job.failure.code == TWIN_IN_DOUBT
    )


def _free_of_charge(job: Job) -> bool:
    return job.failure is not None and job.failure.billed is Billed.NO and job.stage is Stage.FAILED


def _repeated(job: Job, events: list[Record]) -> Iterator[str]:
    """Yield where an order was begun again that nobody had refused or asked for again."""
    free = True
    for record in events:
        if record.event == "Began":
            if not free:
                yield f"I3: {job.key} was begun again: {[each.event for each in events]}"
            free = False
        elif record.event in PERMISSIONS or (record.event == "Doubted" and job.on_doubt is OnDoubt.RESUBMIT):
            free = True


def _files(top: str) -> list[str]:
    return sorted(f"{folder}/{name}" for folder, _, names in os.walk(top) for name in names)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _digest(path: str) -> str:
    return hashlib.sha256(_read(path)).hexdigest()
