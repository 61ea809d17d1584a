"""A thread of one's own for work that may hang: it delays nobody else, and the end of the service does not wait for it.

The threads of ``asyncio.to_thread`` are shared by everybody, few, and joined at
the exit; on a dead network share a single look takes for ever. These here are
daemon threads, which Python leaves behind.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# How long a folder has for an answer before it counts as hanging.
PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Give what a function raises to whoever waits for it, and never to the thread."""

    told: Future[Any]

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self.told.set_exception(error)
        return True


_Item = tuple[Future[Any], Callable[[], Any]]
_Box = queue.SimpleQueue[_Item | None]


class DaemonThreads(ThreadPoolExecutor):
    """An executor whose threads end with the program, whatever they are at. Made for a loop's default one.

    The thread that became free last gets the next function, and one that becomes free takes what waits: few
    threads in turn cost a fraction of many that are woken one after the other.
    """

    def __init__(self, width: int, name: str) -> None:
        """Have *width* threads at most, called *name*; each starts when all others are busy."""
        super().__init__(1, thread_name_prefix=name)  # its own threads never start: ``submit`` is ours
        self._width = width
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[_Item] = deque()
        self._free: list[_Box] = []  # one for each thread that is free
        self._started = 0
        self._closed = False

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run *function* in one of the threads as soon as one is free.

        Raises:
            RuntimeError: The system gives no thread; the next one that is wanted may be had.
        """
        told: Future[R] = Future()
        item: _Item = told, lambda: function(*args, **kwargs)
        with self._lock:
            box = self._free.pop() if self._free else None
            wanted = box is None and self._started < self._width
            self._started += wanted
            if box is None and not wanted:
                self._waiting.append(item)
        if box is not None:
            box.put(item)
        elif wanted:
            self._start(item)
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Let the threads end with what they are at and what waits; never waits, since what hangs never ends."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
            self._started -= len(free)
        for box in free:
            box.put(None)

    @property
    def busy(self) -> int:
        """Return how many functions run or wait here."""
        with self._lock:
            return self._started - len(self._free) + len(self._waiting)

    def _start(self, first: _Item) -> None:
        started = False
        try:
            threading.Thread(target=self._work, args=(first,), name=self._name, daemon=True).start()
            started = True
        finally:
            if not started:
                with self._lock:
                    self._started -= 1

    def _work(self, first: _Item) -> None:
        box: _Box = queue.SimpleQueue()
        item: _Item | None = first
        while item is not None:
            told, function = item
            if told.set_running_or_notify_cancel():
                with _Outcome(told):
                    told.set_result(function())
            del told, function, item  # what was done is not kept alive by who waits for more
            item = self._next(box)

    def _next(self, box: _Box) -> _Item | None:
        """Return what to run next, or None at the end. Waits for it at *box*."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                self._started -= 1
                return None
            self._free.append(box)
        return box.get()


class Lane:
    """Run functions one after the other, or a few at once, apart from everybody else's."""

    def __init__(self, name: str, *, width: int = 1) -> None:
        """Prepare *width* threads, called *name*; they start with the first function."""
        self._threads = DaemonThreads(width, name)

    @property
    def busy(self) -> int:
        """Return how many functions run or wait here."""
        return self._threads.busy

    async def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run *function* in this lane and return what it returns.

        Somebody who stops waiting leaves a function behind that runs to its end, unless it did not begin.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Let the threads end with what they are at; what hangs is left behind."""
        self._threads.shutdown()
