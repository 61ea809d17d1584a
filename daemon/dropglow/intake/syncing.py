"""Remember whether the disk of an inbox syncs folders; while it does not, nothing is taken out of that inbox.

What was moved and not synced may lie in the inbox again after a power cut, with a drop of its own that was bought
meanwhile. So what a disk does not keep is not admitted, and a disk that refuses again and again is asked at growing
distances, and told as one state of the inbox instead of file by file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dropglow.disk import Disk
from dropglow.errors import DiskError, FileGone

FIRST_REST_S: Final = 2.0
LONGEST_REST_S: Final = 600.0


class Syncing:
    """The folders of one inbox, as far as it was seen whether they can be synced."""

    def __init__(self, folders: Sequence[str], *, disk: Disk) -> None:
        """Ask *disk* about *folders* (absolute); all is well until ``failed`` says otherwise."""
        self._folders = tuple(folders)
        self._disk = disk
        self._reason = ""
        self._faults = 0  # batches in a row
        self._rest_s = FIRST_REST_S
        self._until_s = 0.0

    @property
    def refuses(self) -> bool:
        """Return whether the disk did not sync the inbox's own folders when it was asked last."""
        return bool(self._reason)

    def worked(self) -> None:
        """Note that a batch was moved and synced."""
        self._faults, self._rest_s = 0, FIRST_REST_S

    def failed(self, *, now_s: float) -> bool:
        """Note that the disk refused something, and ask it; return whether that is more than a moment's fault.

        See ``refuses`` for whether it is the whole inbox that has to wait.
        """
        self._faults += 1
        self._ask(now_s)
        return self._faults > 1

    def trouble(self, *, now_s: float) -> str | None:
        """Return why nothing can be taken out of the inbox now; None: something can. Asks the disk when that is due."""
        if self._reason and now_s >= self._until_s:
            self._ask(now_s)
        return f"{self._reason}; nothing is taken until that works" if self._reason else None

    def _ask(self, now_s: float) -> None:
        self._reason = self._refusal()
        if self._reason:
            self._until_s = now_s + self._rest_s
            self._rest_s = min(LONGEST_REST_S, 2 * self._rest_s)

    def _refusal(self) -> str:
        for folder in self._folders:
            try:
                self._disk.sync_folder(folder)
            except FileGone:
                continue  # nothing in it that could be lost
            except DiskError as error:
                return error.message
        return ""
