"""Hold every order back while the service is the trouble, and not the order."""

from __future__ import annotations

from collections.abc import Callable

from dropglow import retry
from dropglow.clock import Clock
from dropglow.errors import AuthError, FireflyError, Verdict
from dropglow.pacing import Gate

# Nobody mends credentials within seconds, and each question may be counted.
PERSON_S = 60.0


class Setbacks:
    """Tell the gate what became of requests."""

    def __init__(self, *, gate: Gate, clock: Clock, chance: Callable[[], float]) -> None:
        """Pause *gate* by *clock*; *chance* returns numbers from 0 to 1."""
        self._gate = gate
        self._clock = clock
        self._chance = chance

    def heed(self, who: str, error: FireflyError) -> bool:
        """Hold every order back where *error* is the service's; return whether it counts against *who*."""
        if error.verdict is Verdict.NO:
            self._gate.answered()
            return True
        now = self._clock.now()
        until = retry.again_at(
            now, retry.SERVICE, self._gate.setbacks, chance=self._chance(), not_before=error.retry_at
        )
        needs_person = isinstance(error, AuthError)
        pause_s = (until - now).total_seconds()
        counts = self._gate.setback(
            self._clock.monotonic(),
            pause_s=max(pause_s, PERSON_S) if needs_person else pause_s,
            reason=error.message,
            hint=error.hint,
            who=who,
            kind=_kind(error),
            needs_person=needs_person,
        )
        return counts and not error.service_wide


def _kind(error: FireflyError) -> str:
    """Return what is the same about errors of which one is told: each has other words, and its own request id."""
    return error.code if isinstance(error, AuthError) else type(error).__name__
