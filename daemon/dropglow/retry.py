"""How long to wait before asking again. Pure arithmetic; chance comes in as a number.

Waits live in the ledger as ``not_before``, so a restart neither shortens nor
forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# Of the questions and downloads that were answered, so large a share may be repeats.
SHARE: Final = 0.1
BURST: Final = 10.0  # as many beyond that, at once
PLACE_S: Final = 30.0  # and one in so many seconds for each place of a remote job
LONGEST_S: Final = 300.0  # nobody waits longer for a turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off with full jitter between ``floor_s`` and a growing ceiling."""

    floor_s: float = 1.0
    base_s: float = 2.0
    cap_s: float = 300.0

    def delay_s(self, trips: int, *, chance: float) -> float:
        """Return the seconds to wait after *trips* failures in a row.

        Args:
            trips: 0 for the first failure.
            chance: A number from 0 to 1; spreads many waiters over the whole span.
        """
        # 2 ** 40 is far beyond any cap; the bound keeps the power from overflowing.
        ceiling_s = min(self.cap_s, self.base_s * 2.0 ** min(trips, 40))
        return self.floor_s + chance * max(0.0, ceiling_s - self.floor_s)


ORDERING = Backoff(floor_s=2.0, base_s=5.0, cap_s=300.0)
ASKING = Backoff(floor_s=1.0, base_s=2.0, cap_s=60.0)
STORING = Backoff(floor_s=2.0, base_s=5.0, cap_s=60.0)
SERVICE = Backoff(floor_s=0.5, base_s=2.0, cap_s=300.0)


def again_at(
    now: datetime, backoff: Backoff, trips: int, *, chance: float, not_before: datetime | None = None
) -> datetime:
    """Return when to ask again: after the back-off, and never before *not_before*.

    Somebody who names a time (``Retry-After``) is obeyed, plus jitter, so that
    many waiters do not come back in the same instant.
    """
    waited = now + timedelta(seconds=backoff.delay_s(trips, chance=chance))
    if not_before is None:
        return waited
    return max(waited, not_before + timedelta(seconds=chance * backoff.floor_s))


@dataclass(slots=True)
class Repeats:
    """How many questions and downloads may be made again, over all jobs.

    Each job waits longer from failure to failure; but every job that is open does, so that an outage would be asked
    about by all of them together. Repeats are paid from what was answered well, and from a trickle beside it by
    which the end of the outage is noticed. Orders and uploads need none of this: behind a failed one all others wait.
    """

    places: int  # of remote jobs; may be changed at any time
    _credit: float = BURST
    _counted_s: float | None = None
    _failing_since_s: float | None = None

    def answered(self) -> None:
        """Note that a question or a download was answered."""
        self._credit = min(BURST, self._credit + SHARE)
        self._failing_since_s = None

    def failing_s(self, now_s: float) -> float:
        """Return for how many seconds no question and no download was answered, and some were made again; else 0.0."""
        return 0.0 if self._failing_since_s is None else max(0.0, now_s - self._failing_since_s)

    def book_s(self, now_s: float) -> float:
        """Book one repeat at *now_s* on a steady scale; return in how many seconds it may be made at the earliest."""
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        spacing_s = PLACE_S / max(1, self.places)
        passed_s = 0.0 if self._counted_s is None else max(0.0, now_s - self._counted_s)
        self._counted_s = now_s
        self._credit = min(BURST, self._credit + passed_s / spacing_s)
        self._credit = max(self._credit - 1.0, -LONGEST_S / spacing_s)
        return max(0.0, -self._credit * spacing_s)
