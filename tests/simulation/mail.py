"""What stands in for the outermost edges of the service: its wishes, its status file, its doorbell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dropglow import assembly
from dropglow.errors import LedgerUnavailable

if TYPE_CHECKING:
    from dropglow.ledger.mailbox import Wish
    from tests.simulation.machine import Machine


class SimMailbox:
    """Wishes that outlive the process; one that was taken and not answered is taken again."""

    def __init__(self) -> None:
        """Begin empty."""
        self.waiting: list[Wish] = []
        self.answers: list[tuple[Wish, bool, str]] = []
        self.machine: Machine | None = None
        self._taken: list[Wish] = []

    def post(self, wish: Wish) -> None:
        """Ask for something."""
        self.waiting.append(wish)

    def begin_anew(self) -> None:
        """Take up again what the last life left unanswered."""
        self.waiting = [*self._taken, *self.waiting]
        self._taken = []

    def take(self) -> list[Wish]:
        """Return what was asked for."""
        taken, self.waiting = self.waiting, []
        self._taken += taken
        return taken

    def answer(self, wish: Wish, *, ok: bool, text: str) -> None:
        """Keep the answer; one that cannot be kept is not taken again either."""
        assert self.machine is not None, "a life has begun"
        try:
            self.machine.step("commit", f"answer {wish.verb}")
        except OSError as error:
            self._taken.remove(wish)
            raise LedgerUnavailable(f"the answer cannot be written: {error.strerror}") from error
        self._taken.remove(wish)
        self.answers.append((wish, ok, text))

    def forget_old(self, before: datetime) -> None:
        """Do nothing: a simulation is short."""


class QuietStatus:
    """A status file that nobody reads."""

    def publish(self, snapshot: Any) -> None:
        """Do nothing."""

    def withdraw(self) -> None:
        """Do nothing."""


class SimDoorbell:
    """Announces an arrival when the simulated kernel does, which it need not."""

    def __init__(self, _loop: asyncio.AbstractEventLoop, ring: Callable[[str], None]) -> None:
        """Call *ring* with an inbox's folder."""
        self.ring = ring

    @classmethod
    @contextmanager
    def installed(cls) -> Iterator[None]:
        """Be the bell that the service is made with, for a while: the real one starts threads."""
        before = assembly.Doorbell  # type: ignore[attr-defined]
        assembly.Doorbell = cls  # type: ignore[attr-defined,assignment]
        try:
            yield
        finally:
            assembly.Doorbell = before  # type: ignore[attr-defined]

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    async def watch(self, folder: str, **_: Any) -> None:
        """Do nothing."""

    async def unwatch(self, folder: str, **_: Any) -> None:
        """Do nothing."""

    def alive(self) -> bool:
        """Return that it is well."""
        return True

    def is_deaf(self, _folder: str) -> bool:
        """Return that it is not."""
        return False

    def is_short(self, _folder: str) -> bool:
        """Return that it is not."""
        return False
