"""The ledger of a simulation: the memory ledger, which outlives its process, with a writer's thread before it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from dropglow.errors import LedgerUnavailable
from dropglow.model import DropState
from tests.simulation.machine import Died

if TYPE_CHECKING:
    from random import Random

    from dropglow.ledger.memory import MemoryLedger
    from dropglow.model import Drop
    from tests.simulation.machine import Machine

PROMPT: Final = 0.7  # the share of questions that are answered at once
WRITES: Final = frozenset({
    "admit", "save", "save_drop", "remember_upload", "release_all", "turn", "set_switch", "remember_originals",
})  # fmt: skip


def protest(why: str) -> None:
    """Say at once that something was stored which may never be."""
    raise AssertionError(why)


class SimLedger:
    """The ledger as one life sees it: each write is a commit that may fail, and at which the process may die.

    As with a writer's thread, somebody who stops waiting does not call a write back.
    """

    def __init__(
        self,
        ledger: MemoryLedger,
        machine: Machine,
        dice: Random,
        complain: Callable[[str], None] = protest,
    ) -> None:
        """Keep everything in *ledger*: what it says is durable. By *dice*, others come between question and answer.

        Of what may never be stored, *complain* is told.
        """
        self._complain = complain
        self._dice = dice
        self._ledger = ledger
        self._machine = machine

    @property
    def identity(self) -> str:
        """Return the ledger's own id."""
        return self._ledger.identity

    def __getattr__(self, name: str) -> Any:
        verb: Callable[..., Awaitable[Any]] = getattr(self._ledger, name)
        ask = self._write if name in WRITES else self._read

        async def asked(*args: Any, **kwargs: Any) -> Any:
            if self._machine.dead:
                raise Died
            if ask == self._read and self._dice.random() < PROMPT:
                return ask(name, verb, args, kwargs)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self, functools.partial(ask, name, verb, args, kwargs))  # type: ignore[arg-type]

        return asked

    def _read(self, _name: str, verb: Any, args: Any, kwargs: Any) -> Any:
        return answered(verb(*args, **kwargs))

    def _write(self, name: str, verb: Any, args: Any, kwargs: Any) -> Any:
        label = _label(name, args)
        try:
            self._machine.step("commit", label)
        except OSError as error:
            raise LedgerUnavailable(f"the ledger cannot be written: {error.strerror}") from error
        stopped = (switch := answered(self._ledger.switch())) is not None and switch.stopped
        answer = answered(verb(*args, **kwargs))
        # What was begun before somebody paused may still go out.
        if stopped and label.startswith("save Began "):
            self._complain(f"I8: {args[0].key} was begun while spending was paused")
        if name == "save_drop" and (why := _closed_early(answer)):
            self._complain(why)
        self._machine.past("commit", label)
        return answer


def _closed_early(drop: Drop) -> str:
    if drop.state is DropState.OPEN or "/.dropglow/work/" not in drop.place:
        return ""
    return f"I1: drop {drop.key} was closed, and its file is in work"


def _label(name: str, args: Any) -> str:
    return f"save {type(args[2]).__name__} {args[0].key}" if name == "save" else name


def answered(coroutine: Any) -> Any:
    """Return what a verb of the memory ledger returns: none of them ever waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the memory ledger waited for something")
