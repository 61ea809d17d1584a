"""Make drops and jobs of what was claimed, and store them; or give the files back to the drop that had them before.

Where originals stay, what was taken is remembered in the same commit. The same content under the same path is
taken once: saved again without a change, it is only remembered anew; unless it failed, which is how somebody
without a terminal asks once more, or the rule wants the same content bought again.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, assert_never

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, SourceFault
from dropglow.events import Held
from dropglow.intake.claiming import Claimed
from dropglow.intake.plan import InboxPlan
from dropglow.intake.work import WorkFolder
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import advance
from dropglow.model import (
    Companion,
    Drop,
    DropKey,
    DropState,
    Duplicates,
    Facts,
    Job,
    Kind,
    Original,
    RuleName,
    Stage,
)
from dropglow.rules.beside import partner, partners
from dropglow.rules.order import orders
from dropglow.rules.rule import Rule
from dropglow.rules.source import Beside
from dropglow.runtime.bell import Bell
from dropglow.runtime.comeback import Comeback, wanted_again
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import job_key
from dropglow.runtime.places import clear_report, put_away
from dropglow.runtime.purse import Purse
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
        drop = self._drop_of(taken)
        try:
            jobs = self._jobs_of(drop, taken)
        except SourceFault as fault:
            drop, jobs = replace(drop, reason=fault.message, hint=fault.hint), ()
        if (earlier := await self._came_back(drop, taken, jobs)) is not None:
            await self._remember(taken, earlier)
            self.doors.admitted.ring()
            return
        if (known := await self._known(drop, jobs)) is not None:
            await self._remember(taken, known.key)
            await self._let_go(drop, known)
            return
        jobs = await self._admitted(drop, jobs, self._originals(taken, drop.key))
        with suppress(DiskError):  # only a note; the next failure writes its own
            await self.in_thread(clear_report, self.disk, drop)
        log.info(
            vocabulary.DROP_ADMITTED,
            drop=drop.key,
            rule=drop.rule,
            source=shown(drop.path),
            sha256=drop.sha256,
            companions=[shown(each.path) for each in drop.companions],
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
            return await self.comeback.of(drop)
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

    def _drop_of(self, taken: Taken) -> Drop:
        file, rule = taken.claimed, taken.rules[0]
        fault = _fault_of(taken)
        return Drop(
            key=file.key,
            inbox=self.plan.folder,
            path=file.sighting.path,
            place=file.place,
            rule=rule.name,
            rule_digest="+".join(each.digest for each in taken.rules),
            sha256=file.sha256,
            size_bytes=file.sighting.size_bytes,
            device=file.sighting.device,
            inode=file.sighting.inode,
            kind=file.facts.kind or Kind.IMAGE,
            companions=_companions(file),
            after=replace(rule.after, workshop=self.plan.workshop),
            reason=fault.message if fault else "",
            hint=fault.hint if fault else "",
            admitted_at=self.clock.now(),
        )

    def _jobs_of(self, drop: Drop, taken: Taken) -> tuple[Job, ...]:
        """Return the jobs of a sound drop, none for one with a fault.

        Raises:
            SourceFault: A rule cannot make an order of this file.
        """
        if drop.reason:
            return ()
        jobs: list[Job] = []
        for rule in taken.rules:
            rendered = orders(
                rule,
                drop_key=drop.key,
                path=drop.path,
                facts=taken.claimed.facts,
                companions={each.path: each.facts for each in taken.claimed.partners if not each.marker},
                first_ordinal=len(jobs) + 1,
                now=drop.admitted_at.astimezone(),  # names of results are read by people
            )
            jobs += [
                Job(
                    key=job_key(drop.key, ordinal),
                    drop=drop.key,
                    rule=rule.name,
                    inbox=drop.inbox,
                    source=shown(drop.path),
                    order=order,
                    priority=rule.priority,
                    attempts=rule.attempts,
                    on_doubt=rule.on_doubt,
                    duplicates=rule.duplicates,
                    created_at=drop.admitted_at,
                )
                for ordinal, order in enumerate(rendered, start=len(jobs) + 1)
            ]
        return tuple(jobs)

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the ledger until it answers: what was claimed has nobody else, and the service goes on."""
        return await insist(ask, self.clock)


def _companions(file: Claimed) -> tuple[Companion, ...]:
    return tuple(
        Companion(
            path=each.path,
            place=each.place,
            sha256=each.sha256,
            size_bytes=each.sighting.size_bytes,
            device=each.sighting.device,
            inode=each.sighting.inode,
            kind=None if each.marker else each.facts.kind or Kind.IMAGE,
        )
        for each in file.partners
    )


def _fault_of(taken: Taken) -> SourceFault | None:
    """Return what keeps the drop from being used: the file itself, one that did not come, or those that did."""
    facts = taken.claimed.facts
    if facts.fault is not None:
        return SourceFault(facts.fault, hint=facts.hint)
    return taken.fault or _companions_fault(taken)


def _companions_fault(taken: Taken) -> SourceFault | None:
    """Return what keeps the files that belong to a drop from being used, naming each."""
    wanted: dict[str, Kind] = {}
    for rule in taken.rules:
        wanted |= _kinds(rule, taken.claimed.sighting.path)
    faults = {
        shown(posixpath.basename(each.path)): fault
        for each in taken.claimed.partners
        if not each.marker and (fault := _fault(each.facts, wanted[each.path])) is not None
    }
    if not faults:
        return None
    whys = "; ".join(f"{name}: {fault.message}" for name, fault in faults.items())
    hints = "; ".join(f"{name}: {fault.hint}" for name, fault in faults.items())
    return SourceFault(whys, hint=f"{hints}, with the file that it belongs to")


def _kinds(rule: Rule, path: str) -> dict[str, Kind]:
    """Return what each file that belongs to the drop at *path* should be."""
    said = rule.parameters.said_prompt
    prompt = partner(said.sidecar, path) if isinstance(said, Beside) else None
    return {each: Kind.PROMPT if each == prompt else Kind.IMAGE for each in partners(rule.companions, path)}


def _fault(facts: Facts, wanted: Kind) -> SourceFault | None:
    again = "replace it and drop it again"
    if facts.kind is None:
        return SourceFault("it is neither a picture nor a prompt", hint=again)
    if facts.kind is wanted:
        return None if facts.fault is None else SourceFault(facts.fault, hint=facts.hint or again)
    match wanted:
        case Kind.IMAGE:
            return SourceFault("it is a prompt, and the rule sends a picture there", hint=again)
        case Kind.PROMPT:
            return SourceFault("it is a picture, and the rule reads a prompt there", hint=again)
        case _:
            assert_never(wanted)
