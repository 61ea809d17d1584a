"""Decide how one inbox is listened to: by its events as long as they can be believed, else by looking often."""

from __future__ import annotations

from typing import Final, Protocol

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.intake.meter import Meter
from dropglow.intake.mounts import polling_s
from dropglow.intake.plan import InboxPlan, WatchMode
from dropglow.intake.sweep import Sweep
from dropglow.runtime.telling import log

NOTIFY: Final = "notify"
POLL: Final = "poll"
DISBELIEVED: Final = "events did not announce {} files, so it is polled"


class Shown(Protocol):
    """What ``status`` shows of it."""

    mode: str
    mode_reason: str
    missed: int  # files that no event announced, since the start


class Listening:
    """Remember for one inbox what was decided, and weigh its events."""

    def __init__(self, plan: InboxPlan, *, shown: Shown, clock: Clock) -> None:
        """Tell *shown* what is decided."""
        self.every_s = plan.rescan_s  # between two looks, without any hint
        self.stale = True  # it is to be watched afresh: it never was, or was away
        self._plan = plan
        self._shown = shown
        self._clock = clock
        self._meter = Meter()
        self._decided = (self.every_s, "", "")  # whatever the meter makes of it

    def rang(self) -> None:
        """Note an event."""
        self._meter.rang(now_s=self._clock.monotonic())

    def decide(self, *, every_s: float, mode: str, reason: str) -> None:
        """Look every *every_s* seconds at least; *mode* and *reason* are for ``status``. Events are believed anew."""
        self._decided = every_s, mode, reason
        self.stale = False
        self._meter.begin_anew()
        self._apply(every_s, mode, reason)

    def weigh(self, sweep: Sweep) -> None:
        """Poll the inbox while its events cannot be believed, unless the rule wants it otherwise."""
        every_s, mode, reason = self._decided
        believed = self._meter.swept(sweep.arrived, now_s=self._clock.monotonic())
        self._shown.missed = self._meter.missed
        if mode != NOTIFY or self._plan.watch is not WatchMode.AUTO:
            return
        if believed:
            self._apply(every_s, mode, reason)
        elif self._shown.mode == NOTIFY:
            self._apply(polling_s(self._plan), POLL, DISBELIEVED.format(self._meter.missed))

    def _apply(self, every_s: float, mode: str, reason: str) -> None:
        news = (mode, reason) != (self._shown.mode, self._shown.mode_reason)
        self.every_s = every_s
        self._shown.mode, self._shown.mode_reason = mode, reason
        if news:
            log.info(vocabulary.INBOX_WATCHED, inbox=self._plan.folder, mode=mode, reason=reason)
