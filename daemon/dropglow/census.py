"""Count the jobs that are not over, beside the service: where a hundred thousand are held, that takes a second.

In a thread and over a connection of its own, so that neither the loop nor the ledger's writer waits for it; and not
again before fifty times as long as it took, so that whoever asks often costs no more than whoever asks seldom.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from dropglow.errors import LedgerError
from dropglow.ledger.sqlite import SqliteReader
from dropglow.runtime.health import PATIENCE_S, Unfinished

REST_FACTOR: Final = 50.0


class Census:
    """The latest count, and who makes the next one."""

    def __init__(self, ledger: Path) -> None:
        """Count in the file *ledger*."""
        self._ledger = ledger
        self._latest: Unfinished | None = None
        self._not_before_s = 0.0
        self._under_way: asyncio.Task[None] | None = None

    async def latest(self) -> Unfinished | None:
        """Return how many jobs stand where, by rule; None where the ledger does not say.

        Waits some seconds at most: then the count before this one is as good an answer as any.
        """
        if self._under_way is None and time.monotonic() >= self._not_before_s:
            self._under_way = asyncio.create_task(self._count(), name="census")
        if self._under_way is not None:
            await asyncio.wait((self._under_way,), timeout=PATIENCE_S)
        return self._latest

    async def _count(self) -> None:
        began_s = time.monotonic()
        try:
            self._latest = await asyncio.to_thread(_counted, self._ledger)
        except LedgerError:
            self._latest = None
        finally:
            now_s = time.monotonic()
            self._not_before_s = now_s + REST_FACTOR * (now_s - began_s)
            self._under_way = None


def _counted(ledger: Path) -> Unfinished:
    return asyncio.run(_asked(ledger))


async def _asked(ledger: Path) -> Unfinished:
    reader = SqliteReader.open(ledger)
    try:
        return await reader.unfinished()
    finally:
        await reader.close()
