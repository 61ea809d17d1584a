"""Notice who went on writing a file after it was taken: what is ordered belongs to what was claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from dropglow.clock import Clock
from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, SourceFault
from dropglow.ledger.base import Ledger
from dropglow.model import Companion, Drop, Job
from dropglow.runtime.insisting import insist

REWRITTEN: Final = "somebody wrote into it after it was taken"
DROP_AGAIN: Final = "when it is whole, bring it into the inbox again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """Look, before an order is paid for, whether its files still are what was taken."""

    ledger: Ledger
    disk: Disk
    clock: Clock

    async def fault(self, job: Job) -> SourceFault | None:
        """Return what somebody went on writing of the drop of *job*; None also where nobody can see it now."""
        drop = await insist(lambda: self.ledger.drop(job.drop), self.clock)
        try:
            told = await asyncio.to_thread(growth, self.disk, drop)
        except DiskError:
            return None  # it is looked at again when the drop is closed
        return SourceFault(told, hint=DROP_AGAIN) if told else None


def growth(disk: Disk, drop: Drop) -> str:
    """Return in words that a file of *drop* is longer, or shorter, than when it was taken; nothing where none is.

    Costs one look at each file. A marker may become longer: nothing depends on it.

    Raises:
        DiskError: The file system refused.
    """
    for file, name in _files(drop):
        found = disk.look(file.place) if file.place else None
        if found is not None and found.size_bytes != file.size_bytes:
            return (
                f"somebody went on writing {name} after it was taken: it had {file.size_bytes:,} bytes then, "
                f"now it has {found.size_bytes:,}"
            )
    return ""


def _files(drop: Drop) -> Iterator[tuple[Drop | Companion, str]]:
    """Yield each file of a drop that is bought with, and how to call it in its report."""
    yield drop, "this file"
    for companion in drop.companions:
        if companion.kind is not None:
            yield companion, shown(PurePath(companion.path).name)
