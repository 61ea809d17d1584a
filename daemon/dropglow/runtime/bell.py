"""A bell: something may have changed, look again. Rings collapse into one."""

from __future__ import annotations

import asyncio

from dropglow.clock import Clock


class Bell:
    """Wake one waiting loop early. Ringing an unattended bell is remembered once."""

    def __init__(self, clock: Clock) -> None:
        """Wait by *clock*, so that a test owns the time."""
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter, now or at its next ``wait``. Only from the loop's own thread."""
        self._rung.set()

    async def wait(self, timeout_s: float | None) -> bool:
        """Wait for a ring, at most *timeout_s* seconds (None: for ever); return whether it rang."""
        if not self._rung.is_set() and (timeout_s is None or timeout_s > 0):
            await self._sleep(timeout_s)
        rang = self._rung.is_set()
        self._rung.clear()
        return rang

    async def _sleep(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            await self._rung.wait()
            return
        alarm = asyncio.ensure_future(self._clock.sleep(timeout_s))
        ring = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait((alarm, ring), return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Not awaited: who is cancelled while waiting for these to end would take the one for the other.
            alarm.cancel()
            ring.cancel()
