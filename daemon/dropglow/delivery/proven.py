"""Remember which temporary files this process has proven, and how they were then.

A file whose inode, size and times are what they were has the bytes that it had. So a result that was proven as it
came need not be read once more right before it gets its name, which of a film on a share takes its time. What
another life has proven is read again.
"""

from __future__ import annotations

from typing import Final

from dropglow.disk import Stat

_MOST: Final = 4096  # far more than can be fetched and not delivered; what is given up may stay behind here


class Proven:
    """Files that are what they were when they were proven. Safe to use from several threads."""

    def __init__(self) -> None:
        """Know of none."""
        self._stats: dict[str, Stat] = {}

    def note(self, path: str, stat: Stat) -> None:
        """Remember that the file at *path* was proven when it was *stat*."""
        if len(self._stats) >= _MOST:
            self._stats.clear()
        self._stats[path] = stat

    def settle(self, path: str, found: Stat) -> bool:
        """Return whether the file at *path*, which is *found* now, is as it was proven. Answers once."""
        return self._stats.pop(path, None) == found
