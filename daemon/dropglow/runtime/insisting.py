"""Ask the ledger until it answers: for whoever holds something that must not be dropped meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dropglow import retry, vocabulary
from dropglow.clock import Clock
from dropglow.errors import LedgerUnavailable
from dropglow.runtime.telling import log

T = TypeVar("T")


async def insist(
    ask: Callable[[], Awaitable[T]], clock: Clock, *, at_first: Callable[[], object] = lambda: None
) -> T:
    """Return what *ask* answers, asking again by *clock* while the ledger is unavailable; say so once.

    *at_first* is called at the first refusal, before any waiting.

    Raises:
        LedgerError: Any other refusal of the ledger.
    """
    trips = 0
    while True:
        try:
            return await ask()
        except LedgerUnavailable as trouble:
            if trips == 0:
                at_first()
                log.critical(vocabulary.LEDGER_UNAVAILABLE, reason=trouble.message, hint=trouble.hint)
        await clock.sleep(retry.ASKING.delay_s(trips, chance=0.5))
        trips += 1
