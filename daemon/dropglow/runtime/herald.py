"""Tell the service manager how the service is: one line for its status, and a sign of life only when there is life.

The watchdog is fed when every eternal task came round, the observer lives and
the ledger answered. A ledger that refuses, on a full disk for example, has
answered: the service waits for better times, and a restart would bring none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.errors import LedgerUnavailable
from dropglow.ledger.base import Ledger
from dropglow.ops.systemd import Manager
from dropglow.runtime.pulse import SLACK_S, Pulse
from dropglow.runtime.staff import Staff
from dropglow.runtime.status import Snapshot
from dropglow.runtime.telling import log

# Of the watchdog's patience: two signs may get lost or come late.
SHARE: Final = 1 / 3
UNASKED_S: Final = 3600.0


class Herald:
    """Speak for the service."""

    def __init__(self, manager: Manager, *, staff: Staff, ledger: Ledger, pulse: Pulse, clock: Clock) -> None:
        """Tell *manager*, looking at the other parts."""
        self._manager = manager
        self._staff = staff
        self._ledger = ledger
        self._pulse = pulse
        self._clock = clock

    def ready(self) -> None:
        """Say that the service serves."""
        self._manager.ready()

    def stopping(self) -> None:
        """Say that the service stops."""
        self._manager.stopping()

    def show(self, snapshot: Snapshot) -> None:
        """Show *snapshot* in one line."""
        self._manager.status(one_line(snapshot))

    async def watch(self) -> None:
        """Feed the watchdog, where there is one, for as long as nothing ails."""
        said = ""
        every_s = UNASKED_S if self._manager.watchdog_s is None else SHARE * self._manager.watchdog_s
        while True:
            if self._manager.watchdog_s is not None:
                ailment = await self.ailment(patience_s=every_s)
                if not ailment:
                    self._manager.alive()
                elif ailment != said:
                    log.critical(vocabulary.SERVICE_STUCK, reason=ailment)
                said = ailment
            await self._clock.sleep(every_s)

    async def ailment(self, *, patience_s: float) -> str:
        """Return what a restart would mend, or nothing. The ledger is given *patience_s* seconds to answer."""
        if missing := self._pulse.missing():
            return f"did not come back: {', '.join(missing)}"
        if self._staff.late_s() > SLACK_S:
            return "an inbox is not looked at any more"
        if not self._staff.watches():
            return "the thread that watches the inboxes ended"
        try:
            await asyncio.wait_for(self._ledger.next_due(now=self._clock.now()), patience_s)
        except LedgerUnavailable:
            return ""
        except TimeoutError:
            return "the ledger does not answer"
        return ""


def one_line(snapshot: Snapshot) -> str:
    """Return what ``systemctl status`` shows: trouble first, then inboxes, jobs and requests."""
    return "; ".join((*_troubles(snapshot), _inboxes(snapshot), _jobs(snapshot)))


def _troubles(snapshot: Snapshot) -> Sequence[str]:
    troubles = [snapshot.trouble] if snapshot.trouble else []
    if snapshot.spending_paused:
        troubles.append("spending is paused: dropglow resume")
    if snapshot.config_faults:
        count = len(snapshot.config_faults)
        faults = "a fault" if count == 1 else f"{count} faults"
        troubles.append(f"the configuration on disk has {faults}, the old one is in force: dropglow check")
    if snapshot.restart_for:
        troubles.append(f"needs a restart for {', '.join(snapshot.restart_for)}")
    return troubles


def _inboxes(snapshot: Snapshot) -> str:
    count, away = len(snapshot.inboxes), sum(bool(each.offline) for each in snapshot.inboxes)
    inboxes = f"{count} inbox" if count == 1 else f"{count} inboxes"
    return f"{inboxes}, {away} offline" if away else inboxes


def _jobs(snapshot: Snapshot) -> str:
    waiting = sum(each.ready + each.settling for each in snapshot.inboxes)
    parts = [
        f"{waiting:,} waiting" if waiting else "",
        f"{snapshot.in_hand:,} in hand" if snapshot.in_hand else "",
        f"{snapshot.in_flight:,} at Adobe" if snapshot.in_flight else "",
        f"{snapshot.requests_last_day:,} requests in the last day",
    ]
    return ", ".join(part for part in parts if part)
