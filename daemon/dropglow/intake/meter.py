"""Count arrivals that no event announced, and tell whether events can be believed. Pure.

Some file systems take watches and announce nothing, or not everything, and no
test from here finds out which. What the timer finds alone does.
"""

from __future__ import annotations

from typing import Final

MISSES: Final = 3  # within WINDOW_S: events are not believed any more
WINDOW_S: Final = 3600.0
# An event announces whatever the looks of this time find: a folder is announced, and not what is inside.
ANNOUNCED_S: Final = 10.0
LATE_S: Final = 2.0  # an event may come after the look that saw its file


class Meter:
    """Judge the events of one inbox. All times are monotonic seconds."""

    def __init__(self) -> None:
        """Begin with belief; what the first look finds was there before."""
        self.missed = 0  # files, since the start
        self._first = True
        self._rung_at_s: float | None = None
        self._suspects: tuple[float, int] | None = None  # when a look found unannounced files, and how many
        self._misses: list[float] = []
        self._believed = True
        self._heard = False

    def begin_anew(self) -> None:
        """Forget what was judged: the folder is watched afresh."""
        self.__init__()  # type: ignore[misc]  # its attributes are all there is to it

    def rang(self, *, now_s: float) -> None:
        """Note an event."""
        if self._suspects is not None and now_s <= self._suspects[0] + LATE_S:
            self._suspects, self._heard = None, True
        self._rung_at_s = now_s

    def swept(self, arrived: int, *, now_s: float) -> bool:
        """Note that a look found *arrived* new files; return whether events can be believed.

        Once they are not, an hour without a miss and with something that was announced brings belief back.
        """
        self._judge(now_s)
        first, self._first = self._first, False
        if arrived and not first:
            if self._rung_at_s is not None and now_s <= self._rung_at_s + ANNOUNCED_S:
                self._heard = True
            elif self._suspects is None:
                self._suspects = (now_s, arrived)
        return self._verdict(now_s)

    def _judge(self, now_s: float) -> None:
        if self._suspects is not None and now_s > self._suspects[0] + LATE_S:
            self.missed += self._suspects[1]
            self._misses.append(self._suspects[0])
            self._suspects, self._heard = None, False

    def _verdict(self, now_s: float) -> bool:
        self._misses = [at_s for at_s in self._misses if now_s < at_s + WINDOW_S]
        if self._believed:
            self._believed = len(self._misses) < MISSES
        elif not self._misses and self._heard:
            self._believed = True
        return self._believed
