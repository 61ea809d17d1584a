"""Attend all inboxes: one attendant each, exchanged while the service runs when its rules change.

An attendant that is dismissed finishes the batch in its hands first, so that
nothing is half claimed; only then the next one opens the inbox. One whose share
hangs is waited for, however long that takes: nobody else could do more there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dropglow import vocabulary
from dropglow.clock import Clock
from dropglow.errors import DiskError, DropglowError
from dropglow.intake.mounts import polling_s, watching_mode
from dropglow.intake.watch import Doorbell
from dropglow.runtime.admission import Attendant
from dropglow.runtime.eternal import ended_by_itself, for_ever
from dropglow.runtime.listening import NOTIFY, POLL
from dropglow.runtime.telling import log

SUPERVISE_S: Final = 5.0
OPEN_S: Final = 5.0  # an inbox that hangs is left to open by itself
WATCH_AGAIN_S: Final = 300.0  # it walks the whole tree
EXCHANGE_S: Final = 10.0  # whoever changes the rules waits so long for it; what hangs follows by itself
OFFLINE: Final = "it is offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An inbox to be attended. On the same terms, whoever attends it already stays."""

    folder: str  # absolute
    terms: object  # what the attendant is made of: compared, and nothing else
    make: Callable[[], Attendant] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What became of the inboxes when the rules changed: absolute folders."""

    begun: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()  # of all these: they do not answer, and follow once they do


class Staff:
    """Attend the inboxes that are asked for, for as long as the service runs."""

    def __init__(
        self, posts: Sequence[Post], *, doorbell: Callable[[Callable[[str], None]], Doorbell], clock: Clock
    ) -> None:
        """Prepare an attendant for each of *posts*; *doorbell* makes the bell that announces arrivals."""
        self.attendants: dict[str, Attendant] = {post.folder: post.make() for post in posts}
        self._wanted = {post.folder: post for post in posts}
        self._held = dict(self._wanted)
        self._clock = clock
        self._doorbell = doorbell(self._announced)
        self._unheard: dict[str, float] = {}  # folders, and when to try a watch again
        self._group: asyncio.TaskGroup | None = None  # while it runs
        self._work: dict[str, tuple[asyncio.Task[None], asyncio.Task[None]]] = {}
        self._exchanges: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Take hold of every inbox that answers soon.

        Raises:
            DropglowError: Another daemon attends one of them.
        """
        await asyncio.gather(*(each.open_within(OPEN_S) for each in self.attendants.values()))
        await self._doorbell.start()
        for attendant in self.attendants.values():
            await self._listen(attendant)

    async def run(self) -> None:
        """Attend until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for folder in self.attendants:
                self._start(folder, group)
            await for_ever(self._supervise, "supervision")

    async def close(self) -> None:
        """Let go of every inbox; of those that hang, without waiting for them."""
        await self._doorbell.stop()
        await asyncio.gather(*(_let_go(each) for each in self.attendants.values()))

    async def change(self, posts: Sequence[Post]) -> Exchange:
        """Attend the inboxes of *posts* from now on, and no others; wait some seconds until it is so.

        To be called while it runs.
        """
        assert self._group is not None, "it does not run"
        before, self._wanted = self._wanted, {post.folder: post for post in posts}
        concerned = [
            folder
            for folder in {**self._held, **self._wanted}
            if self._held.get(folder) != self._wanted.get(folder)
        ]
        for folder in concerned:
            if folder not in self._exchanges:
                task = self._group.create_task(self._exchange(folder), name=f"exchange {folder}")
                self._exchanges[folder] = task
        if under_way := [self._exchanges[folder] for folder in concerned]:
            await asyncio.wait(under_way, timeout=EXCHANGE_S)
        begun = tuple(folder for folder in self._wanted if folder not in before)
        ended = tuple(folder for folder in before if folder not in self._wanted)
        return Exchange(
            begun=begun,
            ended=ended,
            changed=tuple(folder for folder in concerned if folder not in {*begun, *ended}),
            pending=tuple(folder for folder in concerned if folder in self._exchanges),
        )

    def idle(self) -> bool:
        """Return whether nothing settles, waits or is admitted in any inbox."""
        return not self._exchanges and all(each.idle() for each in self.attendants.values())

    def still(self) -> bool:
        """Return whether nothing moves in any inbox: what is ready waits for room in the queue."""
        return not self._exchanges and all(each.still() for each in self.attendants.values())

    def offline(self) -> tuple[str, ...]:
        """Return why inboxes are away, one line for each that is."""
        return tuple(each.state.offline for each in self.attendants.values() if each.state.offline)

    def room_came(self) -> None:
        """Have every inbox look whether the queue has room for what is ready."""
        for attendant in self.attendants.values():
            attendant.room_came()

    def watches(self) -> bool:
        """Return whether every thread that should watch still lives."""
        return self._doorbell.alive()

    def late_s(self) -> float:
        """Return by how many seconds an inbox was not looked at although nothing kept its attendant from it."""
        return max((each.late_s() for each in self.attendants.values()), default=0.0)

    def _announced(self, folder: str) -> None:
        if (attendant := self.attendants.get(folder)) is not None:  # an event may come after the end
            attendant.announced()

    def _start(self, folder: str, group: asyncio.TaskGroup) -> None:
        attendant = self.attendants[folder]
        self._work[folder] = (
            group.create_task(_attend(attendant), name=f"inbox {folder}"),
            group.create_task(for_ever(attendant.tidy, f"tidying {folder}"), name=f"tidying {folder}"),
        )

    async def _exchange(self, folder: str) -> None:
        """Bring one inbox to what is wanted of it, which may change meanwhile."""
        try:
            while (wanted := self._wanted.get(folder)) != self._held.get(folder):
                if folder in self._held:
                    await self._dismiss(folder)
                if wanted is not None:
                    await self._engage(wanted)
        finally:
            del self._exchanges[folder]

    async def _dismiss(self, folder: str) -> None:
        attendant, (work, tidying) = self.attendants[folder], self._work.pop(folder)
        if not attendant.retire():
            work.cancel()  # it never had the inbox, and may hang before its door
        await asyncio.wait((work,))
        tidying.cancel()
        with contextlib.suppress(DiskError):
            await self._doorbell.unwatch(folder, in_thread=attendant.in_thread)
        await _let_go(attendant)
        self._unheard.pop(folder, None)
        del self.attendants[folder], self._held[folder]

    async def _engage(self, post: Post) -> None:
        assert self._group is not None
        attendant = self.attendants[post.folder] = post.make()
        self._held[post.folder] = post
        await attendant.join_within(OPEN_S)
        await self._listen(attendant)
        self._start(post.folder, self._group)

    async def _listen(self, attendant: Attendant) -> None:
        if attendant.state.offline:
            attendant.listening.decide(every_s=SUPERVISE_S, mode=POLL, reason=OFFLINE)
        else:
            await self._watch(attendant)

    async def _watch(self, attendant: Attendant) -> None:
        """Have the doorbell ring for this inbox, or poll it where events do not come."""
        plan = attendant.inbox.plan
        watching = await attendant.in_thread(watching_mode, plan)
        every_s, mode, reason = watching.every_s, NOTIFY if watching.notify else POLL, watching.reason
        try:
            if watching.notify:
                await self._doorbell.watch(plan.folder, reserved=plan.reserved, in_thread=attendant.in_thread)
            else:
                await self._doorbell.unwatch(plan.folder, in_thread=attendant.in_thread)
        except DiskError as trouble:
            every_s, mode, reason = polling_s(plan), POLL, trouble.message
            self._unheard[plan.folder] = self._clock.monotonic() + WATCH_AGAIN_S
        attendant.listening.decide(every_s=every_s, mode=mode, reason=reason)

    async def _supervise(self) -> None:
        """Watch the watcher: a deaf observer is said once, and the timers go on without it."""
        dead = False
        while True:
            await self._clock.sleep(SUPERVISE_S)
            alive = self.watches()
            if not alive and not dead:
                log.error(vocabulary.WATCHER_DEAF, reason="the watching thread ended; inboxes are polled")
            dead = not alive
            await asyncio.gather(*(self._listen_anew(each) for each in self._settled()))

    def _settled(self) -> Iterable[Attendant]:
        """Return the attendants that are not being exchanged just now."""
        return [each for folder, each in self.attendants.items() if folder not in self._exchanges]

    async def _listen_anew(self, attendant: Attendant) -> None:
        """Watch an inbox afresh that was away, was exchanged, or for which there were no watches left."""
        if attendant.busy or attendant.state.offline:
            return  # the former may hang; whatever it is, the next round sees to it
        folder = attendant.state.folder
        try:
            lost = await asyncio.wait_for(attendant.in_thread(self._lost, folder), SUPERVISE_S)
        except TimeoutError:
            return
        due = folder in self._unheard and self._clock.monotonic() >= self._unheard[folder]
        if lost or due or attendant.listening.stale:
            self._unheard.pop(folder, None)
            await self._watch(attendant)
            attendant.hint()

    def _lost(self, folder: str) -> bool:
        return self._doorbell.is_deaf(folder) or self._doorbell.is_short(folder)


async def _attend(attendant: Attendant) -> None:
    await attendant.run()
    if not attendant.retiring:
        raise ended_by_itself(f"inbox {attendant.state.folder}")


async def _let_go(attendant: Attendant) -> None:
    with contextlib.suppress(DropglowError):
        await attendant.close()
