"""Time each exchange with Adobe, and name what came of it in one word, for whoever counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import assert_never

from dropglow.clock import Clock
from dropglow.firefly.faults import Answer, Broken, Call

Heard = Callable[[str, str, float], None]  # what was asked, what came of it, and how many seconds it took


def nobody(call: str, outcome: str, took_s: float) -> None:
    """Count nothing."""


class Stopwatch:
    """Tell *heard* of every exchange that ended, by *clock*."""

    def __init__(self, clock: Clock, heard: Heard) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._heard = heard

    async def time(self, call: Call, exchange: Awaitable[Answer | Broken]) -> Answer | Broken:
        """Return what came of *exchange*. One that its caller gave up is not told: nobody knows how it ended."""
        began_s = self._clock.monotonic()
        reply = await exchange
        self._heard(call.name.lower(), outcome(reply), self._clock.monotonic() - began_s)
        return reply


def outcome(reply: Answer | Broken) -> str:
    """Return *reply* in one word: few of them, since each is a series of its own."""
    match reply:
        case Broken(sent=sent):
            return "cut" if sent else "unreached"
        case Answer(status=401 | 403):
            return "unauthorized"
        case Answer(status=429):
            return "throttled"
        case Answer(status=status):
            if status >= 500:
                return "failed"
            return "refused" if status >= 400 else "ok"
        case _:
            assert_never(reply)
