"""Keep an inbox tidy: remove the sub-folders that we emptied, and the reports whose file was taken away.

Only what the ledger knows to be ours is touched: a folder that drops came from, a report that names its drop. A
folder that somebody made and never filled stays for as long as they like. How long a folder is empty is counted on
our own clock from the first time that it was seen empty; a restart begins anew.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from dropglow.clock import Clock
from dropglow.disk import Disk
from dropglow.errors import DiskError, LedgerUnavailable
from dropglow.ledger.base import Ledger
from dropglow.model import Drop, DropState
from dropglow.runtime.reporting import forget_report

EVERY_S: Final = 600.0
EMPTY_FOR_S: Final = 3600.0
_LATEST: Final = 1000  # drops: what lies further back was looked at often enough


class Tidier:
    """Tidy one inbox, again and again."""

    def __init__(
        self,
        folder: str,
        *,
        ledger: Ledger,
        disk: Disk,
        clock: Clock,
        in_thread: Callable[..., Awaitable[Any]],
    ) -> None:
        """Tidy *folder* (absolute); *in_thread* runs a function in the inbox's thread."""
        self._folder = folder
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._in_thread = in_thread
        self._empty_since_s: dict[str, float] = {}

    async def tidy(self) -> None:
        """Look once over what drops left behind. What refuses now is tried again the next time."""
        failed = frozenset({DropState.FAILED})
        try:
            latest = await self._ledger.drops(inbox=self._folder, limit=_LATEST)
            taken_away = await self._ledger.drops(states=failed, inbox=self._folder, limit=_LATEST)
        except LedgerUnavailable:
            return  # told by those who cannot do without it
        await self._in_thread(self._forget_reports, taken_away)
        await self._in_thread(self._remove_emptied, latest)

    def forget(self) -> None:
        """Conclude nothing from before: the folder was away."""
        self._empty_since_s.clear()

    def _forget_reports(self, failed: Iterable[Drop]) -> None:
        for drop in failed:
            with suppress(DiskError):
                forget_report(self._disk, drop)

    def _remove_emptied(self, latest: Iterable[Drop]) -> None:
        now_s = self._clock.monotonic()
        folders = dict.fromkeys(folder for drop in latest for folder in _folders_of(drop))
        empty = [folder for folder in folders if self._empty(folder)]
        self._empty_since_s = {folder: self._empty_since_s.get(folder, now_s) for folder in empty}
        # The deepest first: a folder that held nothing but an emptied one has its own hour from then on.
        for folder in sorted(empty, key=len, reverse=True):
            if now_s - self._empty_since_s[folder] >= EMPTY_FOR_S:
                with suppress(DiskError):  # somebody was faster and put something in
                    self._disk.remove_folder(folder)

    def _empty(self, folder: str) -> bool:
        with suppress(DiskError):
            found = self._disk.look(folder)
            return found is not None and found.folder and not self._disk.names(folder)
        return False


def _folders_of(drop: Drop) -> Iterator[str]:
    """Yield every folder between the inbox and the files of *drop*, as they were dropped."""
    for path in (drop.path, *(each.path for each in drop.companions)):
        below = posixpath.dirname(path)
        while below:
            yield posixpath.join(drop.inbox, below)
            below = posixpath.dirname(below)
