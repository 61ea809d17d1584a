"""Spare Python's collector of reference cycles the search where there is nothing to find.

It begins with every seven hundredth new object that stays a while, and every so often it goes through all that
there are: a hundred thousand of modules, classes and rules, which never go. That took half a millisecond a job.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Objects that came and did not go, before the youngest are searched: a few megabytes, a few dozen jobs.
_YOUNG: Final = 10_000


@contextmanager
def sparing() -> Iterator[None]:
    """Search rarely, and never through what is there now, for as long as the block lasts."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
