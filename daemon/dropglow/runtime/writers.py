"""Notice who went on writing a file after it was taken: what is ordered belongs to what was claimed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DiskError, SourceFault
from dropglow.landmarks import Role
from dropglow.model import Drop, Job
from dropglow.runtime.ground import Ground
from dropglow.runtime.sources import File, files_of

REWRITTEN: Final = "somebody wrote into it after it was taken"
DROP_AGAIN: Final = "when it is whole, bring it into the inbox again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """Look, before an order is paid for, whether its files still are what was taken."""

    disk: Disk
    ground: Ground

    async def fault(self, job: Job, drop: Drop) -> SourceFault | None:
        """Return what somebody went on writing of *drop* that *job* is about; None also where nobody can see it now."""
        try:
            told = await self.ground.glance(Role.INBOX, drop.inbox, lambda: growth(self.disk, drop, job))
        except DiskError:
            return None  # it is looked at again when the drop is closed
        return SourceFault(told, hint=DROP_AGAIN) if told else None


def growth(disk: Disk, drop: Drop, job: Job | None = None) -> str:
    """Return in words that a file of *drop* is longer, or shorter, than when it was taken; nothing where none is.

    Costs one look at each file; of a folder with a *job*, only at those that it is about. A marker may become longer: nothing depends on it.

    Raises:
        DiskError: The file system refused.
    """
    for file, name in _named(drop, job):
        found = disk.look(file.place) if file.place else None
        if found is not None and found.size_bytes != file.size_bytes:
            return (
                f"somebody went on writing {name} after it was taken: it had {file.size_bytes:,} bytes then, "
                f"now it has {found.size_bytes:,}"
            )
    return ""


def _named(drop: Drop, job: Job | None) -> Iterator[tuple[File, str]]:
    """Yield each file that is bought with, and how to call it in its report."""
    for number, file in enumerate(files_of(drop, job)):
        alone = number == 0 and not drop.folder
        if file.kind is not None:
            yield (
                file,
                "this file" if alone else shown(file.path if drop.folder else PurePath(file.path).name),
            )
