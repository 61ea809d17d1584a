"""Put the parts together that carry acts out for every worker: order, ask, fetch, deliver."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Final

from dropglow.clock import Clock
from dropglow.config import Config
from dropglow.delivery.keep import KEEP_FOLDER, Keep
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import Disk
from dropglow.firefly.client import FireflyClient
from dropglow.heritage import durations_of
from dropglow.intake.copies import COPIES_FOLDER, Copies
from dropglow.intake.decoding import Decoder
from dropglow.ledger.base import Ledger, Query
from dropglow.lifecycle import PAID_FOR, RESTING
from dropglow.pacing import Gate
from dropglow.retry import Repeats
from dropglow.runtime.awaiting import Awaiting, Patience
from dropglow.runtime.fetching import Fetching
from dropglow.runtime.ground import Ground
from dropglow.runtime.links import Links
from dropglow.runtime.ordering import Ordering
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.outcomes import Outcomes
from dropglow.runtime.perform import Performer
from dropglow.runtime.purse import Purse
from dropglow.runtime.reusing import Reuse
from dropglow.runtime.setbacks import Setbacks
from dropglow.runtime.uploads import Uploads
from dropglow.runtime.writers import Writers

MANY: Final = 100_000
DOWNLOADS: Final = 8


async def performer_of(
    config: Config,
    repeats: Repeats,
    *,
    ledger: Ledger,
    client: FireflyClient,
    clock: Clock,
    disk: Disk,
    gate: Gate,
    purse: Purse,
    storage: str,
    decoder: Decoder,
    ground: Ground,
) -> tuple[Performer, Awaiting, Outboxes]:
    """Return who performs, and those of its parts that others need as well. Tidies up after an earlier life."""
    spool, outbox = Spool(disk), Outbox(disk, owner=ledger.identity)
    outboxes = Outboxes(outbox=outbox, spool=spool, ledger=ledger, clock=clock, ground=ground)
    await outboxes.tidy(rule.outbox for rule in config.rules)
    keep = await _keep(config, ledger, disk, spool)
    chance = random.SystemRandom().random
    outcomes = Outcomes(clock=clock, chance=chance, repeats=repeats)
    setbacks = Setbacks(gate=gate, clock=clock, chance=chance)
    durations = await durations_of(ledger)
    awaiting = Awaiting(
        client=client,
        clock=clock,
        setbacks=setbacks,
        durations=durations,
        patience=patience_of(config),
        outcomes=outcomes,
    )
    performer = Performer(
        reuse=Reuse(
            ledger=ledger, disk=disk, clock=clock, outboxes=outboxes, outcomes=outcomes, chance=chance
        ),
        purse=purse,
        ordering=Ordering(
            client=client,
            uploads=Uploads(
                client=client,
                ledger=ledger,
                disk=disk,
                clock=clock,
                gate=gate,
                copies=await _copies(config, disk, decoder),
                storage=storage,
                decoder=decoder,
            ),
            links=Links(ledger=ledger, disk=disk, clock=clock),
            writers=Writers(disk=disk, ground=ground),
            outboxes=outboxes,
            ground=ground,
            clock=clock,
            gate=gate,
            setbacks=setbacks,
            durations=durations,
            outcomes=outcomes,
            chance=chance,
        ),
        awaiting=awaiting,
        fetching=Fetching(
            client=client,
            ledger=ledger,
            spool=spool,
            outbox=outbox,
            outboxes=outboxes,
            keep=keep,
            clock=clock,
            outcomes=outcomes,
            downloads=DOWNLOADS,
        ),
    )
    return performer, awaiting, outboxes


async def _keep(config: Config, ledger: Ledger, disk: Disk, spool: Spool) -> Keep:
    """Return where results are kept, without what an earlier life left there and nobody is owed."""
    keep = Keep(str(Path(config.state) / KEEP_FOLDER), disk=disk, spool=spool)
    owed = await ledger.find(Query(stages=PAID_FOR - RESTING, limit=MANY))
    await asyncio.to_thread(keep.sweep_leftovers, owed)
    return keep


def patience_of(config: Config) -> Patience:
    """Return how long remote jobs are waited for."""
    limits = config.limits
    return Patience(
        poll_s_min=limits.poll_s_min, poll_s_max=limits.poll_s_max, job_timeout_s=limits.job_timeout_s
    )


async def _copies(config: Config, disk: Disk, decoder: Decoder) -> Copies:
    """Return who makes copies, without those that a crash left."""
    copies = Copies(str(Path(config.state) / COPIES_FOLDER), disk, copier=decoder.copy)
    await asyncio.to_thread(copies.sweep_leftovers)
    return copies
