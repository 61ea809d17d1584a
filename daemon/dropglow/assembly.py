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
from datetime import datetime
from pathlib import Path
from typing import Final

from dropglow.clock import Clock
from dropglow.config import Config, Survey
from dropglow.disk import Disk
from dropglow.errors import Unavailable
from dropglow.events import Accepted
from dropglow.firefly.client import FireflyClient
from dropglow.groundwork import make_folders
from dropglow.heritage import gate_of, past_s, purse_of
from dropglow.intake.atlas import ATLAS_FILE, Atlas
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.watch import Doorbell
from dropglow.ledger.base import Ledger
from dropglow.ledger.mailbox import WISHES_FOLDER, Mailbox
from dropglow.model import Job, Submission
from dropglow.money import Switch
from dropglow.notify.sending import Send, Sender
from dropglow.ops.systemd import Manager
from dropglow.pacing import Gate
from dropglow.performing import patience_of, performer_of
from dropglow.reloading import Reloader
from dropglow.retry import Repeats
from dropglow.runtime.admitting import Doors
from dropglow.runtime.awaiting import Awaiting
from dropglow.runtime.bell import Bell
from dropglow.runtime.closing import Closer, Tally
from dropglow.runtime.dispatcher import Dispatcher
from dropglow.runtime.ground import Ground
from dropglow.runtime.health import Health
from dropglow.runtime.herald import Herald
from dropglow.runtime.insisting import insist
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.notifying import NotifiedFile, Notifier
from dropglow.runtime.outboxes import Outboxes
from dropglow.runtime.perform import Performer
from dropglow.runtime.probing import Probing
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.purse import Purse
from dropglow.runtime.recruiting import Recruiter
from dropglow.runtime.reopening import Reopener
from dropglow.runtime.service import Service
from dropglow.runtime.setbacks import Setbacks
from dropglow.runtime.silence import Silence
from dropglow.runtime.snapshots import Snapshots
from dropglow.runtime.staff import Exchange, Post, Staff
from dropglow.runtime.status import StatusFile
from dropglow.runtime.turns import Turns
from dropglow.runtime.wishes import Wishes
from dropglow.runtime.worker import Worker
from dropglow.sketch import remember

ASK_S: Final = 6.0  # below the patience of a command, see ``cli.wishing``
QUEUE_FACTOR: Final = 2
QUEUE_FLOOR: Final = 16


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
        probing=_probing(client, core, clock),
        silence=Silence(ledger=ledger, gate=core.gate, repeats=core.repeats),
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
    gate, pulse = await gate_of(config, ledger, clock), Pulse(clock)
    purse = await purse_of(config, ledger, clock, gate)
    bells = {name: Bell(clock) for name in ("dispatch", "stages", "ripe")}
    owner = f"{socket.gethostname()}/{ledger.identity}"
    await ledger.release_all(owner)
    ground = Ground(memory := Atlas(str(Path(config.state) / ATLAS_FILE), disk))
    repeats = Repeats(places=config.limits.in_flight)
    performer, awaiting, outboxes = await performer_of(
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
    reopener, turns = Reopener(ledger=ledger, disk=disk, clock=clock, ground=ground), Turns()
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


def _probing(client: FireflyClient, core: _Core, clock: Clock) -> Probing:
    setbacks = Setbacks(gate=core.gate, clock=clock, chance=random.SystemRandom().random)
    return Probing(client=client, gate=core.gate, setbacks=setbacks, clock=clock, pulse=core.pulse)


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
        past_s=await insist(lambda: past_s(ledger, clock), clock),
    )
    core.purse.allow(config.budgets)
    notifier.allow(config.notify)
    core.awaiting.patience = patience_of(config)
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
