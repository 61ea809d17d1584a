"""Put the parts of the service together: the only module that names concrete classes.

Everything is built here from one ``Config`` and handed down as arguments;
nothing below reads settings, environment or clock by itself.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dropglow import polling
from dropglow.clock import Clock
from dropglow.config import Config, Survey
from dropglow.delivery.keep import KEEP_FOLDER, Keep
from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import Disk
from dropglow.errors import Unavailable
from dropglow.events import Accepted
from dropglow.firefly.client import FireflyClient
from dropglow.groundwork import make_folders
from dropglow.intake.atlas import ATLAS_FILE, Atlas
from dropglow.intake.copies import COPIES_FOLDER, Copies
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.watch import Doorbell
from dropglow.ledger.base import Ledger, Query
from dropglow.ledger.mailbox import WISHES_FOLDER, Mailbox
from dropglow.lifecycle import PAID_FOR, RESTING
from dropglow.model import Job, Submission
from dropglow.money import Switch
from dropglow.notify.sending import Sender
from dropglow.ops.systemd import Manager
from dropglow.pacing import DAY_S, Gate
from dropglow.reloading import Reloader
from dropglow.retry import Repeats
from dropglow.runtime.admitting import Doors
from dropglow.runtime.awaiting import Awaiting, Patience
from dropglow.runtime.bell import Bell
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.dispatcher import Dispatcher
from dropglow.runtime.fetching import Fetching
from dropglow.runtime.ground import Ground
from dropglow.runtime.health import Health
from dropglow.runtime.herald import Herald
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.links import Links
from dropglow.runtime.notifying import NotifiedFile, Notifier, Send
from dropglow.runtime.ordering import Ordering
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.outcomes import Outcomes
from dropglow.runtime.perform import Performer
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.purse import Purse
from dropglow.runtime.recruiting import Recruiter
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.reusing import Reuse
from dropglow.runtime.service import Service
from dropglow.runtime.setbacks import Setbacks
from dropglow.runtime.snapshots import Snapshots
from dropglow.runtime.staff import Exchange, Post, Staff
from dropglow.runtime.status import StatusFile
from dropglow.runtime.turns import Turns
from dropglow.runtime.uploads import Uploads
from dropglow.runtime.wishes import Wishes
from dropglow.runtime.worker import Worker
from dropglow.runtime.writers import Writers
from dropglow.sketch import remember

ASK_S: Final = 6.0  # below the patience of a command, see ``cli.wishing``
DOWNLOADS: Final = 8
QUEUE_FACTOR: Final = 2
QUEUE_FLOOR: Final = 16
MANY: Final = 100_000


async def build(
    config: Config,
    *,
    ledger: Ledger,
    client: FireflyClient,
    clock: Clock,
    disk: Disk,
    storage: str = "",
    sandbox: bool = False,
    decoder: Decoder = IN_PROCESS,
    board: Callable[[Job, Accepted], bool] = lambda _job, _accepted: False,
    back_up: Callable[[datetime], Path | None] = lambda _now: None,
    manager: Manager | None = None,
    survey: Callable[[], Survey] | None = None,
    reload: Bell | None = None,
    send: Send | None = None,
) -> Service:
    """Return the service over these parts; nothing runs yet.

    Args:
        config: Everything an operator settled.
        ledger: Where the books are.
        client: Speaks to Adobe.
        clock: The time of everything below.
        disk: Does every rename.
        storage: Names the upload storage where it is not Adobe's own, so that an id is never used where it is
            not known.
        sandbox: Whether a pretend Adobe answers.
        decoder: Looks into pictures.
        board: Keeps receipts safe that the ledger cannot take in; without it, they are lost with the process.
        back_up: Copies the ledger, if that is due, and returns the copy.
        manager: Told how the service is; None: there is none.
        survey: Reads the configuration again. None: it stands as it is.
        reload: Rung by whoever wants it read again at once.
        send: Sends notifications; None: as the receivers in *config* say, in the name of this host.
    """
    core = await _core(
        config,
        ledger=ledger,
        client=client,
        clock=clock,
        disk=disk,
        storage=storage,
        decoder=decoder,
        board=board,
    )
    manager, tally = manager or Manager(), Tally()
    notifier = Notifier(
        config.notify,
        send=send or Sender(environ=os.environ, host=socket.gethostname(), sandbox=sandbox).send,
        clock=clock,
        pulse=core.pulse,
        chance=random.SystemRandom().random,
        file=NotifiedFile(Path(config.state)),
    )
    reloader = Reloader(
        config,
        survey=survey,
        swap=lambda told: _swap(told, core, notifier, ledger=ledger, clock=clock, disk=disk),
        clock=clock,
        manager=manager,
        pulse=core.pulse,
        bell=reload or Bell(clock),
    )
    herald = Herald(manager, staff=core.staff, ledger=ledger, pulse=core.pulse, clock=clock)
    snapshots = _snapshots(config, core, clock, reloader, notifier, sandbox=sandbox)
    return Service(
        ledger=ledger,
        staff=core.staff,
        dispatcher=core.dispatcher,
        closer=_closer(ledger, disk, clock, tally, core.turns, core.ground),
        wishes=_wishes(ledger, client, clock, core.reopener, core.turns, core.dispatcher, core.purse),
        purse=core.purse,
        mailbox=Mailbox(Path(config.state) / WISHES_FOLDER),
        back_up=back_up,
        gate=core.gate,
        clock=clock,
        tally=tally,
        ripe=core.ripe,
        status=StatusFile(Path(config.state)),
        snapshot=snapshots,
        pulse=core.pulse,
        herald=herald,
        health=Health(
            herald=herald,
            snapshot=snapshots,
            ledger=ledger,
            purse=core.purse,
            rules=lambda: reloader.config.rules,
            state=Path(config.state),
        ),
        reload=reloader.run,
        notifier=notifier,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """The parts that files and jobs go through."""

    gate: Gate
    repeats: Repeats
    purse: Purse
    pulse: Pulse
    ripe: Bell
    ground: Ground
    turns: Turns
    reopener: Reopener
    awaiting: Awaiting
    outboxes: Outboxes
    dispatcher: Dispatcher
    staff: Staff
    posts: Callable[[Config], list[Post]]


async def _core(
    config: Config,
    *,
    ledger: Ledger,
    client: FireflyClient,
    clock: Clock,
    disk: Disk,
    storage: str,
    decoder: Decoder,
    board: Callable[[Job, Accepted], bool],
) -> _Core:
    gate, pulse = await _gate(config, ledger, clock), Pulse(clock)
    purse = await _purse(config, ledger, clock, gate)
    bells = {name: Bell(clock) for name in ("dispatch", "stages", "ripe")}
    owner = f"{socket.gethostname()}/{ledger.identity}"
    await ledger.release_all(owner)
    ground = Ground(memory := Atlas(str(Path(config.state) / ATLAS_FILE), disk))
    repeats = Repeats(places=config.limits.in_flight)
    performer, awaiting, outboxes = await _performer(
        config,
        repeats,
        ledger=ledger,
        client=client,
        clock=clock,
        disk=disk,
        gate=gate,
        purse=purse,
        storage=storage,
        decoder=decoder,
        ground=ground,
    )
    reopener, turns = Reopener(ledger=ledger, disk=disk, clock=clock), Turns()
    recruiter = Recruiter(
        ledger=ledger,
        clock=clock,
        disk=disk,
        keys=KeyMaker(random.SystemRandom().random),
        reopener=reopener,
        turns=turns,
        doors=Doors(admitted=bells["dispatch"], ripe=bells["ripe"]),
        purse=purse,
        decoder=decoder,
        memory=memory,
    )
    posts = functools.partial(_posts, recruiter)
    staff = Staff(
        posts(config), doorbell=functools.partial(Doorbell, asyncio.get_running_loop()), clock=clock
    )
    dispatcher = _dispatcher(config, performer, board, ledger, clock, gate, bells, owner, pulse, staff)
    return _Core(
        gate=gate,
        repeats=repeats,
        purse=purse,
        pulse=pulse,
        ripe=bells["ripe"],
        ground=ground,
        turns=turns,
        reopener=reopener,
        awaiting=awaiting,
        outboxes=outboxes,
        dispatcher=dispatcher,
        staff=staff,
        posts=posts,
    )


def _dispatcher(
    config: Config,
    performer: Performer,
    board: Callable[[Job, Accepted], bool],
    ledger: Ledger,
    clock: Clock,
    gate: Gate,
    bells: Mapping[str, Bell],
    owner: str,
    pulse: Pulse,
    staff: Staff,
) -> Dispatcher:
    return Dispatcher(
        ledger=ledger,
        worker=Worker(
            ledger=ledger,
            performer=performer,
            clock=clock,
            owner=owner,
            stage_changed=bells["stages"],
            board=board,
        ),
        clock=clock,
        gate=gate,
        owner=owner,
        in_flight=config.limits.in_flight,
        bell=bells["dispatch"],
        pulse=pulse,
        stage_changed=bells["stages"],
        ripe=bells["ripe"],
        room_came=staff.room_came,
    )


def _closer(ledger: Ledger, disk: Disk, clock: Clock, tally: Tally, turns: Turns, ground: Ground) -> Closer:
    return Closer(
        ledger=ledger,
        disk=disk,
        clock=clock,
        tally=tally,
        turns=turns,
        away=ground.last_folder_away,
    )


def _wishes(
    ledger: Ledger,
    client: FireflyClient,
    clock: Clock,
    reopener: Reopener,
    turns: Turns,
    dispatcher: Dispatcher,
    purse: Purse,
) -> Wishes:
    def switched(switch: Switch) -> None:
        purse.heed(switch)
        dispatcher.wake()

    return Wishes(
        ledger=ledger,
        reopener=reopener,
        clock=clock,
        turns=turns,
        ask=functools.partial(_ask, client),
        changed=dispatcher.nudge,
        switched=switched,
    )


async def _ask(client: FireflyClient, submission: Submission) -> None:
    """Ask Adobe about a job, for somebody who waits for the answer at a terminal."""
    try:
        async with asyncio.timeout(ASK_S):
            await client.status(submission)
    except TimeoutError as error:
        raise Unavailable(f"no answer came within {ASK_S:g} s", code="no_answer") from error


async def _copies(config: Config, disk: Disk, decoder: Decoder) -> Copies:
    """Return who makes copies, without those that a crash left."""
    copies = Copies(str(Path(config.state) / COPIES_FOLDER), disk, copier=decoder.copy)
    await asyncio.to_thread(copies.sweep_leftovers)
    return copies


async def _performer(
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
    spool, outbox = Spool(disk), Outbox(disk, owner=ledger.identity)
    outboxes = Outboxes(outbox=outbox, spool=spool, ledger=ledger, clock=clock, ground=ground)
    await outboxes.tidy()
    keep = Keep(str(Path(config.state) / KEEP_FOLDER), disk=disk, spool=spool)
    owed = await ledger.find(Query(stages=PAID_FOR - RESTING, limit=MANY))
    await asyncio.to_thread(keep.sweep_leftovers, owed)
    chance = random.SystemRandom().random
    outcomes = Outcomes(clock=clock, chance=chance, repeats=repeats)
    setbacks = Setbacks(gate=gate, clock=clock, chance=chance)
    durations = await _durations(ledger)
    awaiting = Awaiting(
        client=client,
        clock=clock,
        setbacks=setbacks,
        durations=durations,
        patience=_patience(config),
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
            writers=Writers(disk=disk),
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


def _patience(config: Config) -> Patience:
    limits = config.limits
    return Patience(
        poll_s_min=limits.poll_s_min, poll_s_max=limits.poll_s_max, job_timeout_s=limits.job_timeout_s
    )


async def _swap(
    config: Config, core: _Core, notifier: Notifier, *, ledger: Ledger, clock: Clock, disk: Disk
) -> Exchange:
    """Put *config* in force: limits at once, then the inboxes. Jobs carry their orders with them."""
    await asyncio.to_thread(make_folders, config, disk)
    await asyncio.to_thread(remember, config)
    limits = config.limits
    core.gate.limit(
        per_minute=limits.requests_per_minute,
        per_day=limits.requests_per_day,
        past_s=await insist(lambda: _past_s(ledger, clock), clock),
    )
    core.purse.allow(config.budgets)
    notifier.allow(config.notify)
    core.awaiting.patience = _patience(config)
    core.dispatcher.limit = core.repeats.places = limits.in_flight
    core.dispatcher.wake()
    return await core.staff.change(core.posts(config))


def _posts(recruiter: Recruiter, config: Config) -> list[Post]:
    """Return the inboxes of *config*, and how an attendant of each is made."""
    return [
        recruiter.post(
            plan,
            [rule for rule in config.rules if rule.inbox == plan.folder],
            queue_limit=_queue_limit(config, plan.folder),
        )
        for plan in config.inboxes
    ]


def _queue_limit(config: Config, inbox: str) -> int:
    """Return how many jobs of an inbox may be queued: enough to see that more wait than may without approval."""
    held_over = (config.budgets.hold_over(rule.name) or 0 for rule in config.rules if rule.inbox == inbox)
    return max(QUEUE_FLOOR, QUEUE_FACTOR * config.limits.in_flight, sum(held_over) + 1)


async def _gate(config: Config, ledger: Ledger, clock: Clock) -> Gate:
    """Return the request limits with what an earlier life used up, on the monotonic scale."""
    return Gate.of(
        per_minute=config.limits.requests_per_minute,
        per_day=config.limits.requests_per_day,
        past_s=await _past_s(ledger, clock),
    )


async def _purse(config: Config, ledger: Ledger, clock: Clock, gate: Gate) -> Purse:
    purse = Purse(ledger=ledger, clock=clock, gate=gate, budgets=config.budgets)
    await purse.open()
    return purse


async def _past_s(ledger: Ledger, clock: Clock) -> list[float]:
    now, now_s = clock.now(), clock.monotonic()
    past = await ledger.requests_since(now - timedelta(seconds=DAY_S))
    return [now_s - max(0.0, (now - at).total_seconds()) for at, _ in past]


async def _durations(ledger: Ledger) -> polling.Durations:
    durations = polling.Durations()
    for timing in reversed(await ledger.timings()):
        kind = polling.kind_named(
            operation=timing.operation, model=timing.model, size=timing.size, images=timing.images
        )
        durations.add(kind, timing.took_s)
    return durations


def _snapshots(
    config: Config, core: _Core, clock: Clock, reloader: Reloader, notifier: Notifier, *, sandbox: bool
) -> Snapshots:
    return Snapshots(
        config=str(config.path),
        dispatcher=core.dispatcher,
        gate=core.gate,
        clock=clock,
        staff=core.staff,
        outboxes=core.outboxes,
        standing=lambda: reloader.standing,
        receivers_failing=notifier.troubles,
        sandbox=sandbox,
        started_at=clock.now(),
    )
