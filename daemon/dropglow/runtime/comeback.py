"""Recognise a file that somebody moved back into its inbox, or saved again, and give it to the drop that it belongs to.

One from ``_failed`` goes on where it failed, if path, content and rule are the same: only what failed or was
cancelled is done again. One from ``_held`` is held again, whatever it is called now: moving it settles no doubt.

The companions are part of the content, for they are part of what is bought: the same photo with another mask is
a new order. A held drop is recognised by those of its files that came back, if no other file came with them.
"""

from __future__ import annotations

import asyncio
import posixpath
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError
from dropglow.events import RetryAsked
from dropglow.ledger.base import Ledger
from dropglow.lifecycle import advance, given_up
from dropglow.model import Drop, DropKey, DropState, Job, Stage
from dropglow.money import refused
from dropglow.runtime import places
from dropglow.runtime.insisting import insist
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.telling import log, told
from dropglow.runtime.turns import Turns

_CAN_RETRY: Final = frozenset({Stage.FAILED, Stage.CANCELLED})


def wanted_again(drop: Drop, job: Job) -> bool:
    """Return whether *job* is to be tried again once the files of its failed *drop* are back.

    Nobody moves a file back by chance, but a whole share may get new times by itself: where originals stay, what a
    person cancelled or gave up stays so. And whoever moves files is not who pays: what was cancelled instead of
    approved has to be approved after all, as a drop of its own.
    """
    if not drop.after.workshop:
        return job.stage in _CAN_RETRY and not refused(job)
    return job.stage is Stage.FAILED and not given_up(job)


def _lacks(drop: Drop, claimed: Drop) -> bool:
    """Return whether *drop* was opened again without its file, and *claimed* is that."""
    gone = drop.state is DropState.OPEN and not drop.place and not drop.after.workshop
    return gone and (drop.device, drop.inode) == (claimed.device, claimed.inode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comeback:
    """Give files back to their drops. Waits for a ledger that is unavailable: the file is claimed already."""

    ledger: Ledger
    disk: Disk
    reopener: Reopener
    turns: Turns
    clock: Clock

    async def of(self, claimed: Drop, *, buys_copies: bool) -> DropKey | None:
        """Return the earlier drop that the files of *claimed* belong to, and which has them now.

        If there is none, *claimed* has to become a drop of its own. Unless its rule *buys_copies*, that one
        waits for what the earlier one gets.
        """
        followed = await self._followed(claimed) if buys_copies else None
        return followed or await self.held(claimed) or await self._resumed(claimed)

    async def held(self, claimed: Drop) -> DropKey | None:
        """Return the held drop that the files of *claimed* belong to, and which has them now."""
        held = await insist(
            lambda: self.ledger.held_content(inbox=claimed.inbox, sha256=claimed.sha256), self.clock
        )
        came = set(claimed.contents)
        for drop in held:
            if not came <= set(drop.contents):
                continue
            async with self.turns.of(drop.key):
                if await self._held_again(drop.key, claimed):
                    return drop.key
        return None

    async def _followed(self, claimed: Drop) -> DropKey | None:
        """Return the open drop that this very file belongs to, and which has it now.

        Whoever moves a file back and asks for its drop as well, in either order, asks for one thing.
        """
        alike = await insist(
            lambda: self.ledger.same_content(
                inbox=claimed.inbox,
                sha256=claimed.sha256,
                companions=claimed.contents,
                rule=claimed.rule,
                rule_digest=claimed.rule_digest,
            ),
            self.clock,
        )
        for drop in alike:
            if not _lacks(drop, claimed):
                continue
            async with self.turns.of(drop.key):
                with suppress(DiskError):  # then it becomes a drop of its own
                    if _lacks(current := await self._drop(drop.key), claimed):
                        await self.reopener.adopt(current, claimed)
                        return drop.key
        return None

    async def _held_again(self, key: DropKey, claimed: Drop) -> bool:
        """Return whether this is the file of a held drop: moving it must not buy again what is in doubt."""
        held = await self._drop(key)
        if held.state is not DropState.HELD or await asyncio.to_thread(self._stands, held, claimed):
            return False  # one that lies where it was still is another file, dropped on purpose
        jobs = await self._jobs(key)
        stages = {job.stage for job in jobs}
        way = "resolve" if Stage.IN_DOUBT in stages else "approve" if Stage.HELD in stages else "retry"
        try:
            held = await self.reopener.hold_again(held, claimed, jobs)
        except DiskError as trouble:
            log.error(
                vocabulary.INBOX_TROUBLE,
                inbox=claimed.inbox,
                source=shown(claimed.path),
                reason=trouble.message,
                hint=trouble.hint,
            )
            return True
        touching = "saving" if held.after.workshop else "moving"
        log.error(
            vocabulary.DROP_HELD,
            drop=held.key,
            rule=held.rule,
            source=shown(held.path),
            reason=f"a person has to decide about it, and {touching} the file does not settle that",
            hint=f"dropglow {way} {held.key}",
            place=shown(held.place),
        )
        return True

    def _stands(self, drop: Drop, claimed: Drop) -> bool:
        """Return whether the file of *drop* lies in its last folder, or in its inbox if it stays there.

        Another file may have its name by now. Where the disk does not tell, it does not stand: that buys nothing.
        """
        with suppress(DiskError):
            saved_again = drop.after.workshop and claimed.path == drop.path
            return not saved_again and places.lies_there(self.disk, drop)
        return False

    async def _resumed(self, claimed: Drop) -> DropKey | None:
        earlier = await insist(
            lambda: self.ledger.reopenable(
                inbox=claimed.inbox,
                path=claimed.path,
                # It may have another name than it was dropped under, since that was taken there.
                place=posixpath.join(claimed.after.failed, claimed.path),
                sha256=claimed.sha256,
                companions=claimed.contents,
                rule_digest=claimed.rule_digest,
            ),
            self.clock,
        )
        if earlier is None:
            return None
        async with self.turns.of(earlier.key):
            retried = await self._retried(earlier.key, claimed)
        if not retried:
            return None
        log.info(
            vocabulary.DROP_REOPENED,
            drop=earlier.key,
            rule=earlier.rule,
            source=shown(earlier.path),
            jobs=retried,
        )
        return earlier.key

    async def _retried(self, key: DropKey, claimed: Drop) -> int:
        """Return how many jobs of the failed drop *key* are tried again, now that its file is back."""
        earlier = await self._drop(key)
        failed = [job for job in await self._jobs(key) if wanted_again(earlier, job)]
        if earlier.state is not DropState.FAILED or not failed:
            return 0  # somebody was faster; the file becomes a drop of its own
        try:
            await self.reopener.adopt(earlier, claimed)
        except DiskError:
            return 0
        for job in failed:
            await self._retry(job)
        return len(failed)

    async def _retry(self, job: Job) -> None:
        event = RetryAsked(at=self.clock.now())
        after = advance(job, event)
        saved = await insist(lambda: self.ledger.save(job, after, event, at=event.at, owner=None), self.clock)
        told(saved, event)

    async def _drop(self, key: DropKey) -> Drop:
        return await insist(lambda: self.ledger.drop(key), self.clock)

    async def _jobs(self, key: DropKey) -> tuple[Job, ...]:
        return await insist(lambda: self.ledger.jobs_of(key), self.clock)
