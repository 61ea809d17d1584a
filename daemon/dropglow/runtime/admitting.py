"""Store what was claimed as drops with their jobs; or give the files back to the drop that had them before.

Where originals stay, what was taken is remembered in the same commit. The same content under the same path is
taken once: saved again without a change, it is only remembered anew; unless it failed, which is how somebody
without a terminal asks once more, or the rule wants the same content bought again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError
from dropglow.events import Held
from dropglow.intake.plan import InboxPlan
from dropglow.intake.work import WorkFolder
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import advance
from dropglow.model import Drop, DropKey, DropState, Duplicates, Job, Original, RuleName, Stage
from dropglow.runtime.bell import Bell
from dropglow.runtime.comeback import Comeback, wanted_again
from dropglow.runtime.drafting import drafted
from dropglow.runtime.insisting import insist
from dropglow.runtime.places import put_away
from dropglow.runtime.purse import Purse
from dropglow.runtime.reporting import clear_report
from dropglow.runtime.reusing import same_content
from dropglow.runtime.taking import Taken
from dropglow.runtime.telling import log

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Whom an attendant tells: the dispatcher and the closer."""

    admitted: Bell
    ripe: Bell


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitter:
    """Admit what was claimed in one inbox."""

    plan: InboxPlan
    ledger: Ledger
    disk: Disk
    clock: Clock
    comeback: Comeback
    doors: Doors
    purse: Purse
    in_thread: Callable[..., Awaitable[Any]]  # runs a function in the inbox's thread
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    wave: dict[RuleName, int] = field(
        default_factory=dict
    )  # images that came together, of rules that count them

    async def admit(self, taken: Taken) -> None:
        """Store a drop with its jobs, or, with none, why it cannot be used. Waits for a ledger that is unavailable."""
        drop, jobs = drafted(taken, plan=self.plan, now=self.clock.now())
        if (earlier := await self._came_back(drop, taken, jobs)) is not None:
            await self._remember(taken, earlier)
            self.doors.admitted.ring()
            return
        if (known := await self._known(drop, jobs)) is not None:
            await self._remember(taken, known.key)
            await self._let_go(drop, known)
            return
        jobs = await self._admitted(drop, jobs, self._originals(taken, drop.key))
        if taken.reported:
            with suppress(DiskError):  # only a note; the next failure writes its own
                await self.in_thread(clear_report, self.disk, drop)
        log.info(
            vocabulary.DROP_ADMITTED,
            drop=drop.key,
            rule=drop.rule,
            source=shown(drop.path),
            sha256=drop.sha256,
            companions=[shown(each.path) for each in drop.companions],
            **({"files": len(drop.members)} if drop.folder else {}),
            jobs=len(jobs),
            images=sum(job.order.images for job in jobs),
        )
        await self._warn(drop, jobs)
        at_rest = all(job.stage is Stage.HELD for job in jobs)
        (self.doors.ripe if at_rest else self.doors.admitted).ring()

    async def _admitted(
        self, drop: Drop, jobs: tuple[Job, ...], originals: tuple[Original, ...]
    ) -> tuple[Job, ...]:
        """Store *drop* with its *jobs*, and return them: those that a person has to approve of are held."""
        if not any(self.purse.holds(job.rule) for job in jobs):
            await self._asked(lambda: self.ledger.admit(drop, jobs, originals=originals))
            return jobs
        async with self.counting:  # several files are admitted at a time, and each must be counted
            weighed = await self._weighed(jobs)
            await self._asked(lambda: self.ledger.admit(drop, weighed, originals=originals))
        return weighed

    async def _weighed(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        found: list[Job] = []
        for rule in dict.fromkeys(job.rule for job in jobs):
            mine = [job for job in jobs if job.rule == rule]
            reason = await self.purse.reason_to_hold(rule, mine, wave=self.wave)
            found += mine if reason is None else [advance(job, Held(failure=reason)) for job in mine]
        return tuple(found)

    async def _warn(self, drop: Drop, jobs: Sequence[Job]) -> None:
        """Say that the same content is bought once more, where a rule wants to hear it."""
        if all(job.duplicates is not Duplicates.WARN for job in jobs):
            return
        earlier = await self._asked(lambda: same_content(self.ledger, drop))
        if earlier:
            log.warning(
                vocabulary.DROP_DUPLICATE,
                drop=drop.key,
                rule=drop.rule,
                source=shown(drop.path),
                earlier=[each.key for each in earlier],
            )

    async def _came_back(self, drop: Drop, taken: Taken, jobs: tuple[Job, ...]) -> DropKey | None:
        """Return the earlier drop that has the files now.

        A held file that was moved without its partner is held again: what is in doubt fails by no patience.
        """
        if jobs:
            buys_copies = any(job.duplicates is not Duplicates.REUSE for job in jobs)
            return await self.comeback.of(drop, buys_copies=buys_copies)
        return None if taken.fault is None else await self.comeback.held(drop)

    async def _known(self, drop: Drop, jobs: Sequence[Job]) -> Drop | None:
        """Return the earlier drop that stands for an original which was saved again without a change."""
        if not self.plan.keeps:
            return None
        earlier = await self._asked(
            lambda: self.ledger.same_original(
                inbox=drop.inbox,
                path=drop.path,
                sha256=drop.sha256,
                companions=drop.contents,
            )
        )
        if earlier is None or await self._failed_whole(earlier):
            return None
        wanted_again = any(job.duplicates is not Duplicates.REUSE for job in jobs)
        # One in work is not bought again at once: many programs write the times after the content.
        return None if wanted_again and earlier.state is DropState.DONE else earlier

    async def _failed_whole(self, drop: Drop) -> bool:
        """Return whether nothing came of *drop*, and nobody wanted it so."""
        if drop.state is not DropState.FAILED:
            return False
        jobs = await self._asked(lambda: self.ledger.jobs_of(drop.key))
        return all(wanted_again(drop, job) for job in jobs)

    async def _remember(self, taken: Taken, drop: DropKey) -> None:
        """Remember anew the originals of *taken*, which belong to *drop*, an earlier one."""
        if kept := self._originals(taken, drop):
            await self._asked(lambda: self.ledger.remember_originals(kept))

    def _originals(self, taken: Taken, drop: DropKey) -> tuple[Original, ...]:
        if not self.plan.keeps:
            return ()
        file = taken.claimed
        return tuple(
            Original(
                inbox=self.plan.folder,
                path=sighting.path,
                size_bytes=sighting.size_bytes,
                mtime_ns=sighting.mtime_ns,
                drop=drop,
            )
            for sighting in (file.sighting, *(each.sighting for each in file.partners))
        )

    async def _let_go(self, drop: Drop, known: Drop) -> None:
        """Remove the copies of what is no drop of its own; what refuses is removed at the next start."""
        with suppress(DiskError):
            await self.in_thread(put_away, self.disk, drop, DropState.DONE)
        work = WorkFolder(drop.inbox, disk=self.disk, workshop=drop.after.workshop)
        await self.in_thread(work.forget, drop.key)
        log.info(vocabulary.DROP_KNOWN, drop=known.key, rule=known.rule, source=shown(drop.path))

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the ledger until it answers: what was claimed has nobody else, and the service goes on."""
        return await insist(ask, self.clock)
