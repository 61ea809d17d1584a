"""Know whether the eternal tasks come round: each says when it will be back, before it waits.

A blocked loop needs no such book-keeping, since then nobody says anything any
more. This finds the task that waits for what never comes while the loop goes on.
"""

from __future__ import annotations

from typing import Final

from dropglow.clock import Clock

# On top of what a task announced: it may move a thousand files, or meet a share that answers slowly.
SLACK_S: Final = 300.0


class Pulse:
    """When each eternal task is back at the latest."""

    def __init__(self, clock: Clock) -> None:
        """Measure by *clock*."""
        self._clock = clock
        self._due_s: dict[str, float] = {}

    def back_within(self, task: str, wait_s: float) -> float:
        """Note that *task* goes to wait, and is back within *wait_s* seconds; return *wait_s*."""
        self._due_s[task] = self._clock.monotonic() + wait_s
        return wait_s

    def missing(self) -> tuple[str, ...]:
        """Return the tasks that did not come back, with all the patience there is."""
        now_s = self._clock.monotonic()
        return tuple(task for task, due_s in self._due_s.items() if now_s > due_s + SLACK_S)
