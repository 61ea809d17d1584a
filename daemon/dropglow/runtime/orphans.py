"""Deal with what lies in a work folder at a start: give it back, hold it, or open its closed drop again.

A claim is not durable before its admission, so all files of a drop that the
ledger does not know go back to where they were dropped; copies, where originals
stay, are removed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import UnknownKey
from dropglow.intake.inbox import Inbox
from dropglow.intake.returning import Orphan
from dropglow.ledger.base import Ledger
from dropglow.model import After, Drop, DropKey, DropState
from dropglow.runtime.insisting import insist
from dropglow.runtime.taking_back import found_again
from dropglow.runtime.telling import log
from dropglow.runtime.turns import Turns

_UNADMITTED: Final = "it was claimed but not admitted when the service stopped"
_FOREIGN: Final = "it was in work under another ledger, and may have been bought"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Clear the work folder of one inbox."""

    inbox: Inbox
    ledger: Ledger
    disk: Disk
    clock: Clock
    after: After  # where foreign files are held
    turns: Turns
    in_thread: Callable[..., Awaitable[Any]]  # runs a function in the inbox's thread

    async def deal(self) -> None:
        """Deal with everything in the work folder, and adopt the inbox if another ledger had it.

        Raises:
            DiskError: Something cannot be moved; the rest is left for the next try.
        """
        foreign = self.inbox.foreign_owner is not None
        families: dict[DropKey, list[Orphan]] = {}
        for orphan in await self.in_thread(self.inbox.returning.orphans):
            families.setdefault(orphan.key, []).append(orphan)
        for key, family in families.items():
            async with self.turns.of(key):
                drop = await self._known(key)
                if drop is None:
                    await self._let_go(family, foreign=foreign)
                elif drop.state is not DropState.OPEN or not drop.place:
                    await self._open_again(drop, family)
        if foreign:
            await self.in_thread(self.inbox.adopt)

    async def _let_go(self, family: Sequence[Orphan], *, foreign: bool) -> None:
        for orphan in family:
            await self.in_thread(self._put, orphan, foreign=foreign)
            self._say(orphan, foreign=foreign)

    def _put(self, orphan: Orphan, *, foreign: bool) -> None:
        if not foreign:
            self.inbox.returning.give_back(orphan)
            return
        self.inbox.returning.hold_foreign(orphan, held=self.after.held)

    def _say(self, orphan: Orphan, *, foreign: bool) -> None:
        log.warning(
            vocabulary.DROP_HELD if foreign else vocabulary.DROP_RETURNED,
            drop=orphan.key,
            rule=None,  # nobody knows it before the admission
            inbox=self.inbox.plan.folder,
            source=shown(orphan.path),
            reason=_FOREIGN if foreign else _UNADMITTED,
        )

    async def _known(self, key: DropKey) -> Drop | None:
        try:
            return await self._asked(lambda: self.ledger.drop(key))
        except UnknownKey:
            return None

    async def _open_again(self, drop: Drop, family: Sequence[Orphan]) -> None:
        """Finish what the service died in: a closed *drop* was being re-opened. It is closed anew, with its report.

        Or its file came back to one that was open without it.
        Where an inbox changes hands in a running service, files that were seen in work may have been put away since.
        """
        there = await self.in_thread(self._still_there, family)
        if not there:
            return
        found = found_again(drop, {orphan.path: orphan.place for orphan in there})
        after = replace(found, state=DropState.OPEN, closed_at=None)
        at, detail = self.clock.now(), "a re-opening was interrupted"
        await self._asked(lambda: self.ledger.save_drop(drop, after, event="Reopened", at=at, detail=detail))

    def _still_there(self, family: Sequence[Orphan]) -> list[Orphan]:
        return [orphan for orphan in family if self.disk.look(orphan.place) is not None]

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await insist(ask, self.clock)
