"""An event loop whose time is a number, whose threads are functions called in turn, and whose order is a seed's choice."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import weakref
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

EPOCH: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
# What only looks around: it may oversleep, as it does on a busy machine, so that hours pass in no time.
DOZERS: Final = frozenset({"wishes", "status", "supervision"})
DOZE_S: Final = 120.0
LOOK_S: Final = 1e-6
CLOSINGS_MOST: Final = 20
HANDLES_MOST: Final = 400_000  # of one life; a life that needs more turns in circles

_Work = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class EndlessLoop(AssertionError):
    """Report that a life came to no rest."""


class SimHandle:
    """What is to be called: an ``asyncio.Handle`` without what serves debugging, which costs a tenth of a seed."""

    __slots__ = ("_args", "_callback", "_context", "off")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context | None
    ) -> None:
        """Call *callback* in *context*, or a copy of this one."""
        self._callback = callback
        self._args = args
        self._context = contextvars.copy_context() if context is None else context
        self.off = False

    def cancel(self) -> None:
        """Do not call it."""
        self.off = True

    def cancelled(self) -> bool:
        """Return whether it is not to be called."""
        return self.off

    def call(self) -> None:
        """Call it; what it raises is the matter of its task."""
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:  # noqa: BLE001, S110 - a dead process complains of nothing
            pass


class SimTask(asyncio.Task[Any]):
    """A task that sets order by when it began: task groups cancel theirs in a set's order, which is one of addresses."""

    def __init__(self, number: int, coroutine: Any, **more: Any) -> None:
        """Be the *number*-th task of its loop."""
        self._number = number  # first: whoever is told of the new task puts it into a set
        super().__init__(coroutine, **more)

    def __hash__(self) -> int:
        return self._number


class SimLoop(asyncio.BaseEventLoop):
    """Run callbacks by a seed's order in virtual time. What is put off to threads runs here, later.

    Each lane (an executor with threads of its own) keeps its order, as one thread would; the shared threads keep
    none. A function never overlaps with anything: the sides of an ``await`` are where others come between.
    """

    def __init__(self, dice: Random, *, start_s: float, shuffled: bool) -> None:
        """Begin at *start_s* monotonic seconds; *shuffled* lets callbacks that are ready overtake each other."""
        super().__init__()
        self._dice = dice
        self._now_s = start_s
        self._shuffled = shuffled
        self._lanes: dict[Any, deque[_Work]] = {}
        self._waiting: deque[SimHandle] = deque()
        self._timers: list[tuple[float, int, SimHandle]] = []
        self._timed = itertools.count()
        self.handled = 0
        self._begun: list[weakref.ref[SimTask]] = []
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        """Return the virtual seconds."""
        return self._now_s

    def pass_time(self, seconds: float) -> None:
        """Let somebody take so long for what they do."""
        self._now_s += seconds

    def call_soon(  # type: ignore[override]  # as below: handles of its own
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> SimHandle:
        """Call *callback* as soon as its turn comes."""
        handle = SimHandle(callback, args, context)
        self._waiting.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Call *callback* at *when*."""
        handle = SimHandle(callback, args, context)
        heapq.heappush(self._timers, (when, next(self._timed), handle))
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> SimHandle:
        """Call *callback* in *delay* seconds."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # whatever is told by its own signature
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Call *func* later, in this thread, after what its lane has to do before."""
        future = self.create_future()
        self._lanes.setdefault(executor, deque()).append((future, func, args))
        roll = self._dice.random()
        if roll < 0.7:
            self.call_soon(self._work, executor)
        else:
            self.call_later(0.02 * (roll - 0.7), self._work, executor)
        return future

    def drive(self, over: Callable[[], bool], *, until_s: float) -> None:
        """Run until *over* says so, or the time is *until_s*.

        Raises:
            EndlessLoop: Too much happened.
        """
        asyncio._set_running_loop(self)
        try:
            while not over():
                if not self._waiting and not self._next_timer(until_s):
                    return
                self._step()
        finally:
            asyncio._set_running_loop(None)

    def wipe_out(self) -> None:
        """Let every task end where it stands, as a killed process does; nothing that it still does has any effect."""
        asyncio._set_running_loop(self)
        try:
            for known in self._begun:  # some begin others on their way out
                if (task := known()) is not None and not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    _close(task.get_coro())
        finally:
            asyncio._set_running_loop(None)
        self._waiting.clear()
        self._timers.clear()
        self._lanes.clear()
        self._closed = True

    def is_closed(self) -> bool:
        """Return whether its life is over."""
        return bool(getattr(self, "_closed", False))

    def _make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> SimTask:
        task = SimTask(len(self._begun), coroutine, loop=loop, **more)
        self._begun.append(weakref.ref(task))
        return task

    def _write_to_self(self) -> None:
        """Do nothing: nobody sleeps."""

    def _next_timer(self, until_s: float) -> bool:
        timers = self._timers
        while timers and timers[0][2].off:
            heapq.heappop(timers)
        if not timers or timers[0][0] > until_s:
            self._now_s = max(self._now_s, until_s)
            return False
        self._now_s = max(self._now_s, timers[0][0])
        while timers and timers[0][0] <= self._now_s:
            handle = heapq.heappop(timers)[2]
            if not handle.off:
                self._waiting.append(handle)
        return True

    def _step(self) -> None:
        self.handled += 1
        if self.handled > HANDLES_MOST:
            raise EndlessLoop(f"{HANDLES_MOST} callbacks and no rest")
        ready = self._waiting
        if self._shuffled and len(ready) > 1:
            ready.rotate(-self._dice.randrange(len(ready)))
        handle = ready.popleft()
        if not handle.off:
            handle.call()

    def _work(self, executor: Any) -> None:
        lane = self._lanes[executor]
        if executor is None and len(lane) > 1:
            lane.rotate(-self._dice.randrange(len(lane)))
        future, func, args = lane.popleft()
        if future.cancelled():
            return
        try:
            answer = func(*args)
        except BaseException as error:  # noqa: BLE001 - a thread gives everything to whoever waits
            if not future.cancelled():
                future.set_exception(error)
        else:
            if not future.cancelled():
                future.set_result(answer)


class WallClock:
    """The machine's wall clock, which people set, and which goes on while the machine sleeps."""

    def __init__(self) -> None:
        """Begin right."""
        self.ahead_s = 0.0
        self.slept_s = 0.0  # of everybody else's time
        self._since: list[tuple[float, float]] = [(0.0, 0.0)]  # from when on it was how far ahead

    def set(self, loop_s: float, seconds: float, *, asleep: bool = False) -> None:
        """Move it on by *seconds*, or back; *asleep*: because nobody here noticed how they passed."""
        self.ahead_s += seconds
        self.slept_s += seconds if asleep else 0.0
        self._since.append((loop_s, self.ahead_s))

    def catch_up(self, loop_s: float) -> None:
        """Show the latest time that it ever showed: so long it would take until what was put off is due."""
        self.set(loop_s, max(ahead_s for _, ahead_s in self._since) - self.ahead_s)

    def shown(self, until_s: float) -> list[datetime]:
        """Return moments of every day that it showed."""
        ends = [since for since, _ in self._since[1:]] + [until_s]
        return [
            EPOCH + timedelta(seconds=at_s + ahead_s)
            for (since, ahead_s), end in zip(self._since, ends, strict=True)
            for at_s in (since, end)
        ]


class SimClock:
    """A ``dropglow.clock.Clock`` on a loop's time; the wall clock goes beside it."""

    def __init__(self, loop: SimLoop, wall: WallClock) -> None:
        """Show *wall* on the loop's time."""
        self._loop = loop
        self.wall = wall
        self._dozing: dict[str, asyncio.Future[None]] = {}

    def now(self) -> datetime:
        """Return the wall-clock time."""
        return EPOCH + timedelta(seconds=self._loop.time() + self.wall.ahead_s)

    def jump(self, seconds: float, *, asleep: bool) -> None:
        """Let the wall clock be set, or the machine sleep."""
        self.wall.set(self._loop.time(), seconds, asleep=asleep)

    def monotonic(self) -> float:
        """Return the loop's seconds. Each look takes a moment: whoever looks until it is time comes to an end."""
        self._loop.pass_time(LOOK_S)
        return self._loop.time()

    async def sleep(self, delay_s: float) -> None:
        """Wait; who only looks around sleeps on until somebody calls."""
        task = asyncio.current_task()
        name = "" if task is None else task.get_name()
        if name not in DOZERS:
            await asyncio.sleep(max(0.0, delay_s))
            return
        await asyncio.sleep(delay_s)
        self._dozing[name] = doze = self._loop.create_future()
        self._loop.call_later(DOZE_S, _wake, doze)
        await doze

    def call(self, name: str) -> None:
        """Wake a dozer."""
        _wake(self._dozing.pop(name, None))


def _close(coroutine: Any) -> None:
    """End a coroutine, however often it awaits something on its way out."""
    for _ in range(CLOSINGS_MOST):
        try:
            coroutine.close()
        except BaseException:  # noqa: BLE001, S112 - a dead process has nothing to say
            continue
        return


def _wake(doze: asyncio.Future[None] | None) -> None:
    if doze is not None and not doze.done():
        doze.set_result(None)
