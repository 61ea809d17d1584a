"""Send mutants through everything that a file goes through before it is paid for, in a process of its own.

``python -m tests.mutants.gauntlet SEED COUNT FOLDER`` prints its tally as JSON. Whatever it does not
expect ends it with a traceback, after which mutant: the seed and the number make it again.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final

from dropglow.clock import RealClock
from dropglow.config import load_config
from dropglow.disk import RealDisk
from dropglow.errors import SourceFault
from dropglow.fitness import MB, Demands
from dropglow.intake.claiming import Party
from dropglow.intake.darkroom import Darkroom
from dropglow.intake.ignore import is_ignored_file, is_ignored_folder
from dropglow.intake.inbox import Inbox
from dropglow.intake.inspect import examine
from dropglow.intake.plan import InboxPlan
from dropglow.intake.scan import MAX_DEPTH
from dropglow.intake.work import WorkFolder
from dropglow.model import DropKey, Facts, Order
from dropglow.naming import candidates, render, shown
from dropglow.preparing import Copy, Stripped, plan
from dropglow.rules.match import decide
from dropglow.rules.order import orders
from dropglow.runtime.keys import KeyMaker
from tests.mutants.mutation import mutated_name, mutated_picture, mutated_prompt, pictures

CONFIGURATION: Final = """
state: ./state
rules:
  - {name: small, inbox: inbox, outbox: outbox, match: {kind: image, name: "*small*"}, upscale: {}}
  - {name: sizes, inbox: inbox, outbox: outbox, match: {kind: image}, expand: {sizes: [800x600, 900x700]}}
  - {name: lines, inbox: inbox, outbox: outbox, match: {kind: prompt, name: "*.prompt"}, split: lines, generate: {}}
  - {name: clips, inbox: inbox, outbox: outbox, match: {kind: prompt, text: "(?i)clip"}, video: {}}
  - {name: art, inbox: inbox, outbox: outbox, match: {kind: prompt}, delivery: {name: "{folder}/{stem}/{stem}_{size}_{seed}{ext}"}, generate: {}}
"""
PICTURES, PROMPTS = 30, 30  # of a hundred; the rest are names
COPIED_OF_A_HUNDRED: Final = 10
BATCH: Final = 100
SMALL: Final = Demands(largest_bytes=MB, largest_area=1000, largest_ratio=20)
NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY: Final = DropKey("1abcdefghj")


class Gauntlet:
    """One run: a darkroom, an inbox, some rules, and a tally of what became of the mutants."""

    def __init__(self, seed: int, folder: Path) -> None:
        """Work in *folder*, which is new."""
        self.tally: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._sound = pictures()
        self._folder = folder
        self._inbox = folder / "inbox"
        self._inbox.mkdir(parents=True)
        (folder / "dropglow.yaml").write_text(CONFIGURATION)
        (folder / "neighbour.txt").write_text("nobody touches this")
        self._rules = load_config(str(folder), environ={}, cwd=str(folder)).rules
        self._outbox = str(folder / "outbox")
        self.darkroom = Darkroom(impossible=self._complain)
        self._disk = RealDisk()
        self._keys = KeyMaker(self._dice.random)
        self._pids: set[int] = set()
        self._waiting: list[str] = []
        self._desk = folder / "desk"
        self._desk.mkdir()

    def run(self, count: int) -> None:
        """Send so many mutants through."""
        for number in range(count):
            self._one(number)
        self._claim()
        self.darkroom.close()
        self.tally["processes"] = len(self._pids)
        left = sorted(str(path.relative_to(self._folder)) for path in self._folder.rglob("*"))
        expected = ["desk", "desk/mutant", "dropglow.yaml", "inbox", "neighbour.txt"]
        strays = [path for path in left if path not in expected and not path.startswith("inbox/.dropglow")]
        assert not strays, strays
        assert (self._folder / "neighbour.txt").read_text() == "nobody touches this"

    def _one(self, number: int) -> None:
        kind = self._dice.randrange(100)
        if kind < PICTURES:
            self._picture(mutated_picture(self._sound, self._dice))
        elif kind < PICTURES + PROMPTS:
            self._prompt(mutated_prompt(self._dice))
        else:
            self._name(mutated_name(self._dice))
        self._pids.update(self.darkroom.pids)
        if number % BATCH == 0:
            self._claim()

    def _picture(self, data: bytes) -> None:
        facts = self._facts(data, self._dice.choice(("small.jpg", "beach.png", "beach")))
        self.tally["pictures"] += 1
        if facts.fault is not None:
            self.tally["refused pictures"] += 1
            self._tally_harm(facts.fault)
            return
        self._ordered("shoes/small beach.jpg", facts)
        if facts.format is not None and self._dice.randrange(100) < COPIED_OF_A_HUNDRED:
            self._copied(facts)

    def _tally_harm(self, fault: str) -> None:
        for words in ("brought down", "of computing", "more memory", "ended the process"):
            if words in fault:
                self.tally[words] += 1

    def _copied(self, facts: Facts) -> None:
        demands = self._dice.choice((SMALL, Demands(largest_bytes=MB)))
        wanted = plan(facts, demands, prepared=True, stripped=self._dice.random() < 0.5)
        if not isinstance(wanted, Copy | Stripped):
            return
        self.tally["copies"] += 1
        with self._disk.open_read(str(self._desk / "mutant")) as stream:
            try:
                form, data = self.darkroom.copy(stream, facts, wanted)
            except SourceFault as fault:
                self.tally["refused copies"] += 1
                self._tally_harm(fault.message)
                return
        made = self._facts(data, "copy")
        assert made.fault is None or isinstance(wanted, Stripped), made.fault
        assert made.format is form

    def _prompt(self, data: bytes) -> None:
        path = self._dice.choice(("fox.txt", "fox.prompt", "a/clip.txt"))
        facts = self._facts(data, path)
        self.tally["prompts"] += 1
        self.tally["refused prompts"] += facts.fault is not None
        self._ordered(path, facts)

    def _name(self, name: str) -> None:
        self.tally["names"] += 1
        shown(name)
        self._ordered(name, Facts(text="a fox"))
        path = self._inbox / name
        if not self._dropped(path):
            self.tally["impossible names"] += 1
            return
        parts = path.relative_to(self._inbox).parts
        if is_ignored_file(parts[-1]) or any(is_ignored_folder(part) for part in parts[:-1]):
            path.unlink()
            self.tally["ignored names"] += 1
            return
        if len(parts) > MAX_DEPTH:
            path.unlink()
            self.tally["names too deep"] += 1
            return
        self._waiting.append("/".join(parts))

    def _dropped(self, path: Path) -> bool:
        """Return whether a file could be made there, which is below the inbox."""
        try:
            below = os.path.realpath(path).startswith(f"{os.path.realpath(self._inbox)}/")
            if not below or path.exists():
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"a fox")
        except (OSError, ValueError):
            return False
        return True

    def _claim(self) -> None:
        """Take every file that was dropped, as an inbox does, and bring it out of the way."""
        names, self._waiting = set(self._waiting), []
        if not names:
            return
        settings = InboxPlan(folder=str(self._inbox), settle_s=0.0)
        inbox = Inbox(
            settings, disk=self._disk, clock=RealClock(), ledger_identity="me", decoder=self.darkroom
        )
        inbox.open()
        settled = (*inbox.sweep().settled, *inbox.sweep().settled)
        found = {each.path: each for each in settled}
        assert names <= found.keys(), names - found.keys()
        parties = [Party(key=self._keys.drop_key(NOW), drop=each) for each in found.values()]
        claimed = inbox.claim(parties)
        assert len(claimed) == len(found)
        for each in claimed:
            assert each.place.startswith(f"{self._inbox}/.dropglow/work/")
            Path(each.place).unlink()
            WorkFolder(str(self._inbox), disk=self._disk).forget(each.key)
        inbox.close()
        self.tally["claimed names"] += len(claimed)
        for folder in sorted(self._inbox.rglob("*"), reverse=True):
            if folder.is_dir() and ".dropglow" not in folder.parts:
                folder.rmdir()

    def _facts(self, data: bytes, path: str) -> Facts:
        file = self._desk / "mutant"
        file.write_bytes(data)
        with self._disk.open_read(str(file)) as stream:
            return examine(stream, path, decoder=self.darkroom)

    def _ordered(self, path: str, facts: Facts) -> None:
        """Let the rules decide, and look at what they would order and where results would be."""
        for rule in decide(self._rules, path=path, size_bytes=5, facts=facts).taken:
            try:
                found = orders(rule, drop_key=KEY, path=path, facts=facts, first_ordinal=1, now=NOW)
            except SourceFault:
                self.tally["refused orders"] += 1
                continue
            self.tally["orders"] += len(found)
            for order in found[:3]:
                self._check_results(order)

    def _check_results(self, order: Order) -> None:
        values = {**order.tokens, "index": "1", "seed": "7", "ext": ".jpg", "job_id": "urn:1"}
        name = render(order.delivery.name, values)
        for candidate, _ in zip(candidates(name), range(2), strict=False):
            final = PurePath(order.delivery.outbox, order.delivery.folder, candidate)
            assert str(final).startswith(f"{self._outbox}/"), final
            assert not {"..", ""}.intersection(final.parts), final
            longest = max(len(os.fsencode(part)) for part in final.relative_to(self._outbox).parts)
            assert longest < 255, final

    def _complain(self, reason: str) -> None:
        raise AssertionError(f"pictures are decoded without protection: {reason}")


def main() -> None:
    """Run as the command line says."""
    seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    began_s = time.monotonic()
    gauntlet = Gauntlet(seed, folder)
    gauntlet.run(count)
    print(json.dumps({**gauntlet.tally, "took_s": round(time.monotonic() - began_s, 1)}))


if __name__ == "__main__":
    main()
