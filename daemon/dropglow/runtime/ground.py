"""Ask whether a folder is there and the one that it was, without ever waiting for a dead share for long.

Each folder has a few threads of its own. While one of them hangs, nobody asks
again: the answer is known, and the threads would all be gone after a while.

Every delivery and every file that is put away asks, so those who ask at the same
time share one look. An answer is never older than the question.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final, TypeVar

from dropglow.disk import shown
from dropglow.errors import DiskError
from dropglow.intake.survey import absence, survey, unlike
from dropglow.landmarks import Memory, Role
from dropglow.model import Drop
from dropglow.runtime.lane import PATIENCE_S, Lane

R = TypeVar("R")

_Folder = tuple[Role, str]

WIDTH: Final = 4


class Ground:
    """Look at inboxes and outboxes on behalf of the jobs."""

    def __init__(self, memory: Memory, *, patience_s: float = PATIENCE_S) -> None:
        """Compare with *memory*; a folder that does not answer within *patience_s* seconds is away."""
        self._memory = memory
        self._patience_s = patience_s
        self._lanes: dict[_Folder, Lane] = {}
        self._hanging: set[_Folder] = set()
        self._turns: defaultdict[_Folder, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._coming: dict[_Folder, asyncio.Task[DiskError | None]] = {}  # looks that did not begin yet

    async def away(self, role: Role, folder: str) -> DiskError | None:
        """Return why nothing can be said about what is in *folder* (absolute) now; None when it is there."""
        coming = self._coming.get((role, folder))
        if coming is None:
            looking = self._look(role, folder)
            coming = asyncio.create_task(looking, name=f"look at {role.value} {folder}")
            self._coming[role, folder] = coming
        return await asyncio.shield(coming)  # others wait for it, too

    async def last_folder_away(self, drop: Drop) -> DiskError | None:
        """Return why the last folder of *drop* is not there now: its inbox, or where reports go if its original stays.

        Reports usually go into an outbox; nothing may be made under the mount point of one that is away.
        """
        if not drop.after.workshop:
            return await self.away(Role.INBOX, drop.inbox)
        folder = drop.after.failed
        outboxes = self._memory.folders(Role.OUTBOX)
        above = (each for each in outboxes if f"{folder}/".startswith(f"{each}/"))
        return await self.away(Role.OUTBOX, max(above, key=len, default=folder))

    async def ask(self, role: Role, folder: str, look: Callable[[], R]) -> R:
        """Return what *look* returns, which looks at *folder*.

        Raises:
            DiskError: The folder does not answer; *look* may end one day, and nobody will hear of it.
        """
        name = role, folder
        lane = self._lanes.setdefault(name, Lane(f"{role.value} {folder}", width=WIDTH))
        if name in self._hanging and lane.busy:
            raise _silence(folder)
        self._hanging.discard(name)
        try:
            return await asyncio.wait_for(lane(look), self._patience_s)
        except TimeoutError as error:
            self._hanging.add(name)
            raise _silence(folder) from error

    async def glance(self, role: Role, folder: str, look: Callable[[], R]) -> R:
        """Return what *look* returns, which asks for a name or two in *folder*, and changes nothing there.

        Of a local disk that is asked in the loop: a thread would cost many times more than the answer.
        """
        known = self._memory.known(role, folder)
        if known is not None and known.mount is not None and not known.mount.remote:
            return look()
        return await asyncio.to_thread(look)

    async def _look(self, role: Role, folder: str) -> DiskError | None:
        async with self._turns[role, folder]:
            del self._coming[role, folder]  # who asks from now on would hear of what was before
            try:
                return await self.ask(role, folder, lambda: absence(role, folder, self._memory))
            except DiskError as silence:
                return silence

    def is_new(self, role: Role, folder: str) -> bool:
        """Return whether *folder* was never there, as far as is known."""
        return self._memory.known(role, folder) is None

    def remember(self, role: Role, folder: str) -> None:
        """Take *folder*, as it is now, for the one that is meant, unless it went since that was asked. Blocks.

        Raises:
            DiskError: It is not, or cannot be looked at.
        """
        found = survey(folder)
        if (absence := unlike(role, folder, found, self._memory)) is not None:
            raise absence
        self._memory.remember(role, folder, found)

    def is_remote(self, role: Role, folder: str) -> bool:
        """Return whether *folder*, as it was last, is on a share, which may hang in the middle of anything."""
        known = self._memory.known(role, folder)
        return known is not None and known.mount is not None and known.mount.remote


def _silence(folder: str) -> DiskError:
    return DiskError(
        f"{shown(folder)} does not answer", hint="is its server there? work goes on by itself once it is"
    )
