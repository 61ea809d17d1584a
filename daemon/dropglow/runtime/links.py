"""Look up the addresses that a drop's own text gives for pictures, when an order is about to be sent.

Such an address is signed: whoever has it can read the picture. So it is kept
in the file that somebody dropped and nowhere else, neither in the ledger nor
in a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.errors import FileGone, SourceFault
from dropglow.firefly.wire import NO_LINKS
from dropglow.intake.prompts import MAX_PROMPT_BYTES, read_prompt
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, Job, Kind
from dropglow.rules.frontmatter import addresses, divided
from dropglow.rules.operations import OPERATIONS
from dropglow.runtime.insisting import insist
from dropglow.runtime.sources import files_of


class Links:
    """Read addresses where they stand."""

    def __init__(self, *, ledger: Ledger, disk: Disk, clock: Clock) -> None:
        """Find drops in *ledger* and their files on *disk*."""
        self._ledger = ledger
        self._disk = disk
        self._clock = clock

    async def of(self, job: Job) -> Mapping[str, str]:
        """Return the address for each slot of the job's order that has one.

        Raises:
            DiskError: The file cannot be read; ``FileGone`` where it is not there.
            SourceFault: It does not give these addresses any more.
        """
        wanted = [reference.slot for reference in job.order.references if reference.linked]
        if not wanted:
            return NO_LINKS
        drop = await insist(lambda: self._ledger.drop(job.drop), self._clock)
        front = await asyncio.to_thread(self._front, _text_file(drop, job))
        found = addresses(OPERATIONS[job.order.operation].parameters, front)
        if missing := [slot for slot in wanted if slot not in found]:
            raise SourceFault(
                f"the file gives no address for {missing[0].removesuffix('.source')} any more",
                hint="write it between the --- lines again and drop the file again",
            )
        return found

    def _front(self, path: str) -> str:
        data = self._disk.read(path, limit_bytes=MAX_PROMPT_BYTES)
        return divided(read_prompt(data)).front or ""


def _text_file(drop: Drop, job: Job) -> str:
    """Return the place of the file that gives the prompt: what the job is about, or what was dropped beside it."""
    texts = [each.place for each in files_of(drop, job) if each.kind is Kind.PROMPT]
    if not texts:
        raise FileGone("the file that gave the address is no longer there", hint="drop both files again")
    return texts[0]
