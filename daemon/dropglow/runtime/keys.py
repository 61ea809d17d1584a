"""Ids of our own: short, sortable by time, readable aloud.

Ten letters and digits of Crockford's alphabet, without i, l, o and u: six of
the second, four that count up from a random start. Adobe's ids are stored and
shown as received.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

from dropglow.model import DropKey, JobKey

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
SPAN = 32**4


class KeyMaker:
    """Make drop keys that never repeat within this process and hardly ever across processes. For any thread."""

    def __init__(self, chance: Callable[[], float]) -> None:
        """Begin counting anywhere: *chance* returns numbers from 0 to 1."""
        # Asked from the thread of every inbox; one step of an iterator cannot be cut in two.
        self._numbers = itertools.count(int(chance() * SPAN) + 1)

    def drop_key(self, now: datetime) -> DropKey:
        """Return a new key for something that happens at *now*."""
        second = max(0, int((now - EPOCH).total_seconds()))
        return DropKey(_spelled(second, 6) + _spelled(next(self._numbers), 4))


def job_key(drop: DropKey, ordinal: int) -> JobKey:
    """Return the key of the *ordinal*-th job of *drop*, counted from 1."""
    return JobKey(f"{drop}.{ordinal}")


def _spelled(number: int, width: int) -> str:
    letters = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
