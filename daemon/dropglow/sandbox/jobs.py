"""Hold what the sandbox remembers of a job, and say how it stands.

Pure. A job is not moved forward by anybody: its state follows from the clock. Times are seconds since 1970 on the
world's clock.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dropglow.sandbox.orders import Order

__all__ = ["Ending", "Job", "State"]

# Adobe names `pending` beside `running` and says nothing of its length; a short beginning is believable.
PENDING_SHARE: Final = 0.05


class Ending(enum.Enum):
    """Name how a job will end if nobody cancels it; decided when it is accepted."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"


class State(enum.Enum):
    """Name how a job stands, in the words of Adobe's OpenAPI document (JobPollPayload, JobSucceededPayload)."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCEL_PENDING = "cancel_pending"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Return whether the job stays like this."""
        return self not in {State.PENDING, State.RUNNING, State.CANCEL_PENDING}


@dataclass(slots=True, kw_only=True)
class Job:
    """Hold one accepted order and what happens to it. Owned and changed by the world only."""

    id: str
    order: Order
    seeds: tuple[int, ...]
    outputs: int
    accepted_at: float
    ends_at: float | None
    ending: Ending
    error_code: str
    cancelled_at: float | None = None
    cancel_takes_s: float = 0.0
    held: bool = False
    polls: int = 0
    downloads: int = 0

    @property
    def uuid(self) -> str:
        """Return the id without its URN prefix."""
        return self.id.rpartition(":")[2]

    def state(self, now: float) -> State:
        """Return how the job stands at the given moment."""
        if self.cancelled_at is not None:
            waiting = now < self.cancelled_at + self.cancel_takes_s
            return State.CANCEL_PENDING if waiting else State.CANCELLED
        if self.held or self.ends_at is None:
            return State.RUNNING
        if now >= self.ends_at:
            return State(self.ending.value)
        if now < self.accepted_at + PENDING_SHARE * (self.ends_at - self.accepted_at):
            return State.PENDING
        return State.RUNNING

    def progress(self, now: float) -> int:
        """Return how far the job is, in percent; never 100 before its end."""
        if self.held or self.ends_at is None or self.ends_at <= self.accepted_at:
            return 0
        done = (now - self.accepted_at) / (self.ends_at - self.accepted_at)
        return max(0, min(99, int(100 * done)))

    def charged(self, now: float) -> int:
        """Return the operations this job costs: those of the whole order, unless it failed or was cancelled."""
        unpaid = {State.FAILED, State.TIMEOUT, State.CANCELLED}
        return 0 if self.state(now) in unpaid else self.order.operations
