"""Take the service's picture for ``status``, from the parts that know."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from dropglow import __version__
from dropglow.clock import Clock
from dropglow.pacing import Gate
from dropglow.runtime.dispatcher import Dispatcher
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.staff import Staff
from dropglow.runtime.status import ConfigStanding, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Take the service's picture whenever it is asked for."""

    config: str  # the path of the configuration
    dispatcher: Dispatcher
    gate: Gate
    clock: Clock
    staff: Staff
    outboxes: Outboxes
    standing: Callable[[], ConfigStanding]
    receivers_failing: Callable[[], dict[str, str]]
    sandbox: bool
    started_at: datetime

    def __call__(self) -> Snapshot:
        """Return the service as it is now."""
        now_s, standing = self.clock.monotonic(), self.standing()
        return Snapshot(
            pid=os.getpid(),
            version=__version__,
            started_at=self.started_at,
            config=self.config,
            sandbox=self.sandbox,
            in_flight=self.dispatcher.places_taken(),
            in_flight_limit=self.dispatcher.limit,
            in_hand=self.dispatcher.in_hand,
            trouble=self.gate.trouble(now_s),
            requests_last_minute=self.gate.minute.used(now_s),
            requests_last_day=self.gate.day.used(now_s),
            inboxes=[replace(each.state) for each in self.staff.attendants.values()],
            outboxes_away=dict(self.outboxes.away),
            spending_paused=self.gate.stopped,
            config_faults=standing.faults,
            config_faults_since=standing.faults_since,
            config_read_at=standing.read_at,
            restart_for=standing.restart_for,
            receivers_failing=self.receivers_failing(),
        )
