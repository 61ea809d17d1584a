"""What a start takes over from earlier lives, by the ledger: requests that still count, money, how long jobs take."""

from __future__ import annotations

from datetime import timedelta

from dropglow import polling
from dropglow.clock import Clock
from dropglow.config import Config
from dropglow.ledger.base import Ledger
from dropglow.pacing import DAY_S, Gate
from dropglow.runtime.purse import Purse


async def gate_of(config: Config, ledger: Ledger, clock: Clock) -> Gate:
    """Return the request limits with what an earlier life used up, on the monotonic scale."""
    return Gate.of(
        per_minute=config.limits.requests_per_minute,
        per_day=config.limits.requests_per_day,
        past_s=await past_s(ledger, clock),
    )


async def purse_of(config: Config, ledger: Ledger, clock: Clock, gate: Gate) -> Purse:
    """Return the money as the books have it."""
    purse = Purse(ledger=ledger, clock=clock, gate=gate, budgets=config.budgets)
    await purse.open()
    return purse


async def past_s(ledger: Ledger, clock: Clock) -> list[float]:
    """Return when the requests of the last day were sent, on the monotonic scale."""
    now, now_s = clock.now(), clock.monotonic()
    past = await ledger.requests_since(now - timedelta(seconds=DAY_S))
    return [now_s - max(0.0, (now - at).total_seconds()) for at, _ in past]


async def durations_of(ledger: Ledger) -> polling.Durations:
    """Return how long jobs of each kind took."""
    durations = polling.Durations()
    for timing in reversed(await ledger.timings()):
        kind = polling.kind_named(
            operation=timing.operation, model=timing.model, size=timing.size, images=timing.images
        )
        durations.add(kind, timing.took_s)
    return durations
