"""Ask the ledger which settled files of an inbox were taken before, where originals stay.

Each file is asked about once for as long as it stays as it is; so a steady inbox asks nothing, however big it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dropglow.clock import Clock
from dropglow.intake.inbox import Inbox
from dropglow.intake.sweep import Sweep
from dropglow.ledger.base import Ledger
from dropglow.model import Original, Sighting
from dropglow.runtime.insisting import insist

BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalling:
    """Recall what was taken out of one inbox."""

    inbox: Inbox
    ledger: Ledger
    clock: Clock
    in_thread: Callable[..., Awaitable[Any]]  # runs a function in the inbox's thread

    async def recall(self, sweep: Sweep) -> Sweep:
        """Return *sweep* with what is known told apart. Waits for a ledger that is unavailable."""
        if not sweep.unasked:
            return sweep
        known: set[str] = set()
        for start in range(0, len(sweep.unasked), BATCH):
            batch = sweep.unasked[start : start + BATCH]
            originals = await self._originals(batch)
            known |= {
                each.path
                for each in batch
                if (original := originals.get(each.path)) is not None and original.is_like(each)
            }
        recalled: Sweep = await self.in_thread(self.inbox.recall, sweep, known)
        return recalled

    async def _originals(self, batch: Sequence[Sighting]) -> dict[str, Original]:
        paths = [each.path for each in batch]
        return await insist(lambda: self.ledger.originals(self.inbox.plan.folder, paths), self.clock)
