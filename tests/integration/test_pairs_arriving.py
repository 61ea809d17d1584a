"""A picture and its mask arrive in any order, with restarts and crashes between: they are taken together, and once."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dropglow.clock import RealClock
from dropglow.disk import RealDisk
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan
from dropglow.ledger.memory import MemoryLedger
from dropglow.model import After
from dropglow.rules.assemble import Folders, assemble
from dropglow.rules.positions import parse
from dropglow.rules.review import review
from dropglow.rules.schema import RuleShape
from dropglow.runtime.keys import KeyMaker
from dropglow.runtime.orphans import Orphans
from dropglow.runtime.taking import Taken, Taker
from dropglow.runtime.turns import Turns

PHOTO: Final = "beach.jpg"
MASK: Final = "beach.mask.png"
PATIENCE_S: Final = 60.0
RULE: Final = """
name: masked
inbox: in
outbox: out
patience: 60s
expand: {mask: {sidecar: "{stem}.mask.png"}}
"""
STEPS: Final = (
    "photo",
    "mask",
    "photo again",
    "mask again",
    "mask away",
    "moment",
    "sweep",
    "restart",
    "crash",
)


class HandClock(RealClock):
    """A clock that runs when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


class Life:
    """One inbox, through several lives of the service. What is admitted is only noted."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "in"
        self.clock = HandClock()
        self.keys = KeyMaker(random.Random(1).random)
        self.admitted: list[Taken] = []
        self.begin()

    def begin(self) -> None:
        folders = Folders(
            base=str(self.root.parent), inbox=str(self.root), outbox=str(self.root.parent / "out")
        )
        rule = assemble(
            review(RuleShape, parse(RULE, environ={}).value).value, file="/r.yaml", line=1, folders=folders
        )
        disk = RealDisk()
        self.inbox = Inbox(InboxPlan(folder=str(self.root)), disk=disk, clock=self.clock, ledger_identity="l")
        self.taker = Taker(inbox=self.inbox, rules=[rule], disk=disk, clock=self.clock, keys=self.keys)
        self.inbox.open()
        orphans = Orphans(
            inbox=self.inbox,
            ledger=MemoryLedger(),
            disk=disk,
            clock=self.clock,
            after=After(done=None, failed="/f", held="/h"),
            turns=Turns(),
            in_thread=asyncio.to_thread,
        )
        asyncio.run(orphans.deal())

    def do(self, step: str) -> None:
        match step:
            case "photo" | "photo again":
                self.drop(PHOTO)
            case "mask" | "mask again":
                self.drop(MASK)
            case "mask away":
                (self.root / MASK).unlink(missing_ok=True)
            case "moment":
                self.clock.seconds += 2
            case "sweep":
                self.sweep(admit=True)
            case _:
                self.sweep(admit=step == "restart")
                self.inbox.close()
                self.begin()

    def drop(self, name: str) -> None:
        """Write a file as it arrives, unless its pair was taken already."""
        if not self.admitted:
            Image.new("RGB", (30, 20), (len(name), 9, int(self.clock.seconds) % 256)).save(self.root / name)

    def sweep(self, *, admit: bool) -> None:
        """Take what can be taken; without *admit* the service dies before it is durable."""
        haul = self.taker.take(self.taker.look().ready)
        if not admit:
            return
        for taken in haul.taken:
            self.admitted.append(taken)
            for place in (taken.claimed.place, *(each.place for each in taken.claimed.partners)):
                Path(place).unlink()

    def rest(self) -> None:
        """Let both arrive, if they did not, and time go by."""
        for name in (PHOTO, MASK):
            if not (self.root / name).exists():
                self.drop(name)
        for _ in range(5):
            self.clock.seconds += 2
            self.sweep(admit=True)

    def left(self) -> list[str]:
        return [path.name for path in self.root.iterdir() if path.is_file()]


@contextmanager
def a_life() -> Iterator[Life]:
    folder = Path(tempfile.mkdtemp(prefix="pairs-"))
    try:
        life = Life(folder)
        yield life
        life.inbox.close()
    finally:
        shutil.rmtree(folder)


@settings(max_examples=60)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=14))
def test_whatever_happens_while_they_arrive_they_are_taken_together_and_once(steps: list[str]) -> None:
    """Any order, files that change or vanish again, restarts, and crashes between claim and admission."""
    with a_life() as life:
        for step in steps:
            life.do(step)
        life.rest()

        (taken,) = life.admitted
        assert (PHOTO, [MASK]) == (
            taken.claimed.sighting.path,
            [each.path for each in taken.claimed.partners],
        )
        assert taken.fault is None
        assert [] == life.left()


@settings(max_examples=20)
@given(pauses_s=st.lists(st.floats(min_value=0.1, max_value=20), min_size=1, max_size=12))
def test_the_patience_is_kept_to_the_second(pauses_s: list[float]) -> None:
    """However often the inbox is swept, the drop fails at the first sweep after its patience, and not before."""
    with a_life() as life:
        life.drop(PHOTO)
        life.sweep(admit=True)
        life.clock.seconds += 2
        life.sweep(admit=True)
        settled_s = life.clock.seconds
        for pause_s in pauses_s:
            life.clock.seconds += pause_s
            life.sweep(admit=True)

            assert (life.clock.seconds >= settled_s + PATIENCE_S) is bool(life.admitted)
