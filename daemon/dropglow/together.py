"""Have a thread do at once what came while it was at the last.

What costs as much for one as for many, a durable commit or the sync of a folder, is shared by those who come
while it is busy with others. The queue is bounded by its callers, each of whom waits for its own answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Hands what comes at the same time to one function. Belongs to one event loop."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer | BaseException]],
        *,
        most: int,
        name: str,
        executor: Executor | None = None,
    ) -> None:
        """Hand at most *most* items at a time to *work*, in a thread of *executor* (None: of the loop's own).

        For each item, in order, it returns an answer, or an error to raise; what it raises concerns all of them.
        *name* is for whoever looks at the loop's tasks.
        """
        self._work = work
        self._most = most
        self._name = name
        self._executor = executor
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._under_way: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Answer:
        """Return the answer for *item*, which is worked on even when its caller is cancelled meanwhile.

        Raises:
            BaseException: What came of it in place of an answer.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answer))
        if self._under_way is None:
            # A turn of the loop later, so that all who run now come along.
            self._under_way = loop.create_task(self._drain(), name=self._name)
        return await answer

    async def settled(self) -> None:
        """Wait until everything that came is answered."""
        if self._under_way is not None:
            await self._under_way

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                together = self._begun([item for item, _ in batch])
                await asyncio.wait([together])
                _answer([answer for _, answer in batch], together)
        finally:
            self._under_way = None

    def _begun(self, items: Sequence[Item]) -> asyncio.Future[Sequence[Answer | BaseException]]:
        """Return what comes of *items*; where no thread can be had, those who wait have to hear of that, too."""
        loop = asyncio.get_running_loop()
        try:
            return loop.run_in_executor(self._executor, self._work, items)
        except RuntimeError as error:
            refused: asyncio.Future[Sequence[Answer | BaseException]] = loop.create_future()
            refused.set_exception(error)
            return refused


def _answer(
    waiting: Sequence[asyncio.Future[Answer]], together: asyncio.Future[Sequence[Answer | BaseException]]
) -> None:
    failed = together.exception()
    outcomes = [failed] * len(waiting) if failed is not None else together.result()
    for answer, outcome in zip(waiting, outcomes, strict=True):
        if answer.done():  # its caller was cancelled
            continue
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
