"""A thread of one's own for work that may hang: it delays nobody else, and the end of the service does not wait for it.

The threads of ``asyncio.to_thread`` are shared by everybody, few, and joined at
the exit; on a dead network share a single look takes for ever. These here are
daemon threads, which Python leaves behind.
"""

from __future__ import annotations

import asyncio
import queue
import threading
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


class DaemonThreads(ThreadPoolExecutor):
    """An executor whose threads end with the program, whatever they are at. Made for a loop's default one."""

    def __init__(self, width: int, name: str) -> None:
        """Have *width* threads at most, called *name*; each starts when it is needed."""
        super().__init__(1, thread_name_prefix=name)  # its own threads never start: ``submit`` is ours
        self._width = width
        self._name = name
        self._items: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._open = 0

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run *function* in one of the threads as soon as one is free."""
        told: Future[R] = Future()
        with self._lock:
            self._open += 1
            wanted = self._started < min(self._width, self._open)
            self._started += wanted
        told.add_done_callback(self._one_less)
        self._items.put((told, lambda: function(*args, **kwargs)))
        if wanted:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Let the threads end with what they are at; never waits, since what hangs never ends."""
        with self._lock:
            for _ in range(self._started):
                self._items.put(None)

    @property
    def busy(self) -> int:
        """Return how many functions run or wait here."""
        return self._open

    def _one_less(self, _: Future[Any]) -> None:
        with self._lock:
            self._open -= 1

    def _work(self) -> None:
        while (item := self._items.get()) is not None:
            told, function = item
            if told.set_running_or_notify_cancel():
                with _Outcome(told):
                    told.set_result(function())


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
