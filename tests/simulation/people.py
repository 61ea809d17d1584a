"""What people do with the folders and the commands while the service runs, or does not: a seed's choice."""

# ruff: noqa: PTH102, PTH103, PTH104, PTH112, PTH119, PTH120, PTH123, PTH208, PTH108
# Folders of ``os``, as in the machine below.

from __future__ import annotations

import functools
import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PIL import Image

from dropglow.ledger.mailbox import Verb, Wish
from dropglow.lifecycle import RESTING
from dropglow.model import Stage
from tests.simulation.rations import Manner
from tests.simulation.shares import REPORTS

if TYPE_CHECKING:
    from random import Random

    from dropglow.model import Job
    from dropglow.sandbox.world import World
    from tests.simulation.loop import SimClock
    from tests.simulation.machine import Machine
    from tests.simulation.mail import SimMailbox

PROMPTS: Final = "in/prompts"
PHOTOS: Final = "in/photos"
# The shares of names that somebody takes just before they are given: few files go back into their inbox.
TAKEN: Final = 0.05
TAKEN_BACK: Final = 0.5
CLOCKS: Final = 0.15  # the share of seeds in which the clock is not left alone
PAUSES: Final = 0.25  # the share of seeds in which spending is stopped for a while
JUMPS_S: Final = (60.0, 3600.0, 86400.0, 31 * 86400.0, -1.0, -60.0, -3600.0, -86400.0, -40 * 86400.0)
NAPS_S: Final = (70.0, 600.0, 8 * 3600.0, 3 * 86400.0)
# What a prompt may begin with: a model of one's own, a picture by its address; and how such a prompt ends.
FRONTS: Final = (
    *[("", "")] * 4,
    ("---\nmodel: image3_custom\ncustom_model_id: urn:aaid:sc:VA6C2:ours\n---\n", " as ours"),
    (
        '---\nstyle: {image_reference: "https://shop.s3.amazonaws.com/fox.png?X-Amz-Signature=f0"}\n---\n',
        " like this",
    ),
)
BEGUN: Final = 16  # bytes that a slow writer has written at first
_VERBS: Final = (Verb.RETRY, Verb.CANCEL, Verb.CANCEL, Verb.RESUBMIT, Verb.ABANDON, Verb.ATTACH)


@dataclass(slots=True)
class Belongings:
    """What people have, and expect to find."""

    inputs: Counter[str] = field(
        default_factory=Counter
    )  # digests of what was dropped, less what was taken away
    arrivals: Counter[str] = field(default_factory=Counter)  # how often each content came into an inbox
    foreign: dict[str, bytes] = field(default_factory=dict)  # files in outboxes that are none of ours
    intruders: set[str] = field(default_factory=set)  # files that took a name that was meant for another
    retried: set[str] = field(default_factory=set)  # jobs that somebody who pays wished to be tried again
    removed: set[str] = field(default_factory=set)  # results that somebody took away
    taken: set[str] = field(default_factory=set)  # digests of what somebody took away for good
    unfinished: dict[str, bytes] = field(default_factory=dict)  # what slow writers still have to write


@functools.lru_cache(maxsize=64)
def picture(number: int) -> bytes:
    """Return a small picture, another for each number."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 12), (number % 256, number // 256 % 256, 99)).save(stream, "PNG")
    return stream.getvalue()


class People:
    """Everybody who uses the folders of one seed."""

    def __init__(
        self, machine: Machine, dice: Random, mailbox: SimMailbox, world: World, manner: Manner
    ) -> None:
        """Act on *machine*'s folders by *dice*; photos are dropped as their rule wants them."""
        self._manner = manner
        self.own = Belongings()
        self.counts: Counter[str] = Counter()
        self._machine = machine
        self._dice = dice
        self._mailbox = mailbox
        self._world = world
        self._number = 0
        self._wishes = 0
        for folder in (PROMPTS, PHOTOS, "out/prompts", "out/photos", "state"):
            os.makedirs(f"{machine.root}/{folder}")

    def plan(self, horizon_s: float) -> list[tuple[float, str]]:
        """Return who does what and when: at least one file is dropped."""
        deeds = [(0.0, "drop")]
        menu = ("drop", "drop", "drop_again", "drop_slowly", "take_back", "take_back", "wish", "wish", "wish",
                "remove_result", "remove_input", "foreign")  # fmt: skip
        for _ in range(self._dice.choice((0, 1, 2, 3, 4, 6))):
            at_s, deed = self._dice.random() * horizon_s, self._dice.choice(menu)
            deeds.append((at_s, deed))
            if deed == "drop_slowly":
                deeds.append((at_s + 8 * self._dice.random(), "finish_slowly"))
        if self._dice.random() < PAUSES:
            at_s = self._dice.random() * horizon_s
            deeds += [(at_s, "pause"), (at_s + self._dice.uniform(0, 10), "resume")]
        while self._dice.random() < CLOCKS:
            deeds.append((self._dice.random() * horizon_s, self._dice.choice(("set_clock", "suspend"))))
        return sorted(deeds)

    def act(self, deed: str, clock: SimClock, jobs: tuple[Job, ...]) -> str | None:
        """Do one of these things; return the inbox that a kernel would tell of."""
        self._machine.everything_is_durable()
        self.counts[deed] += 1
        self._machine.note(f"somebody: {deed}")
        doer: Callable[[SimClock, tuple[Job, ...]], str | None] = getattr(self, f"_{deed}")
        return doer(clock, jobs)

    def intrude(self, clock: SimClock, path: str) -> None:
        """Take the name *path* that is about to be given to a result, or to a file in its last folder or on its way back."""
        below = path.removeprefix(self._machine.root)
        if self._dice.random() >= (TAKEN_BACK if os.path.dirname(below)[1:] in {PROMPTS, PHOTOS} else TAKEN):
            return
        if "/." in below or below.endswith(REPORTS) or os.path.lexists(path) or self._at(path) != path:
            return
        self._machine.everything_is_durable()
        if below.startswith("/out/"):
            self.counts["took a result's name"] += 1
            self._put_foreign(path)
        elif below.startswith("/in/"):
            self.counts["took a file's name"] += 1
            self._number += 1
            self.own.intruders.add(path)
            content = picture(self._number) if path.endswith(".png") else self._prompt()
            self._put(os.path.dirname(below)[1:], os.path.basename(below), content, clock)

    def finish_writing(self, clock: SimClock) -> None:
        """Write the rest of everything that was begun, wherever its file is by now."""
        for path, rest in list(self.own.unfinished.items()):
            self._finish(path, rest, clock)

    def _drop(self, clock: SimClock, _jobs: tuple[Job, ...]) -> str:
        self._number += 1
        if self._dice.random() < (0.7 if self._manner is Manner.DELETED else 0.4):
            return self._put(PROMPTS, f"{self._name()}.txt", self._prompt(), clock)
        return self._put_photo(clock)

    def _drop_again(self, clock: SimClock, _jobs: tuple[Job, ...]) -> str:
        if self._dice.random() < 0.7:
            return self._put(
                PROMPTS, f"{self._name()}.txt", f"fox number {self._number or 1}".encode(), clock
            )
        return self._put_photo(clock)

    def _put_photo(self, clock: SimClock) -> str:
        name, number = self._name(), self._number or 1
        if self._manner is not Manner.FOLDERS:
            return self._put(PHOTOS, f"{name}.png", picture(number), clock)
        inbox = f"{self._machine.root}/{PHOTOS}"
        if not os.path.lexists(self._at(f"{inbox}/{name}")):
            self.counts["folder"] += 1
            os.mkdir(self._at(f"{inbox}/{name}"))
            for other in range(self._dice.choice((1, 1, 2))):
                self._put(f"{PHOTOS}/{name}", f"{other}.png", picture(number + 1000 * other), clock)
        return inbox

    def _drop_slowly(self, clock: SimClock, _jobs: tuple[Job, ...]) -> str | None:
        self._number += 1
        path = f"{self._machine.root}/{PROMPTS}/{self._name()}.txt"
        if os.path.lexists(self._at(path)) or path in self.own.unfinished:
            return None
        whole = f"slow fox {self._number:03} in the deep white snow".encode()
        self._write(path, whole[:BEGUN], clock)
        self.own.inputs[_digest(whole)] += 1
        self.own.arrivals.update((_digest(whole), _digest(whole[:BEGUN])))
        self.own.unfinished[path] = whole
        return os.path.dirname(path)

    def _finish_slowly(self, clock: SimClock, _jobs: tuple[Job, ...]) -> str | None:
        for path, whole in list(self.own.unfinished.items()):
            self._finish(path, whole, clock)
            return os.path.dirname(path)
        return None

    def _take_back(self, clock: SimClock, _jobs: tuple[Job, ...]) -> str | None:
        folder = self._dice.choice(("_failed", "_failed", "_held"))
        for inbox in (PROMPTS, PHOTOS):
            place = self._at(f"{self._machine.root}/{inbox}/{folder}")
            for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
                target = self._at(f"{self._machine.root}/{inbox}/{name}")
                if name.endswith(REPORTS) or name.startswith(".") or os.path.lexists(target):
                    continue
                os.rename(f"{place}/{name}", target)
                for path in self._everywhere(target) if os.path.isdir(target) else (target,):
                    with open(path, "rb") as file:
                        self.own.arrivals[_digest(file.read())] += 1
                self.counts[f"took back from {folder}"] += 1
                return f"{self._machine.root}/{inbox}"
        return None

    def _remove_result(self, _clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        for path in self._visible("out"):
            if path not in self.own.foreign and not path.endswith((".json", *REPORTS)):
                os.unlink(self._at(path))
                self.own.removed.add(path)
                return

    def _remove_input(self, _clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        for path in self._visible("in"):
            if path.endswith(REPORTS) or path in self.own.unfinished:
                continue
            with open(self._at(path), "rb") as file:
                digest = _digest(file.read())
            if self.own.inputs[digest]:
                os.unlink(self._at(path))
                self.own.inputs[digest] -= 1
                self.own.taken.add(digest)
                return

    def _foreign(self, _clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        path = f"{self._machine.root}/out/{self._dice.choice(('prompts', 'photos'))}/{self._name()}.jpg"
        if os.path.lexists(self._at(path)):
            return
        self._put_foreign(path)

    def _wish(self, clock: SimClock, jobs: tuple[Job, ...]) -> None:
        if not jobs:
            return
        job = self._dice.choice(jobs)
        verb = self._dice.choice(_VERBS)
        if job.stage is Stage.IN_DOUBT:
            verb = self._dice.choice((Verb.RESUBMIT, Verb.ABANDON, Verb.ATTACH))
        elif job.stage is Stage.HELD:
            verb = self._dice.choice((Verb.APPROVE, Verb.APPROVE, Verb.CANCEL))
        self.ask(verb, job, clock)

    def _set_clock(self, clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        clock.jump(self._dice.choice(JUMPS_S), asleep=False)

    def _suspend(self, clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        clock.jump(self._dice.choice(NAPS_S), asleep=True)

    def _pause(self, clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        self.say(Verb.PAUSE, clock)

    def _resume(self, clock: SimClock, _jobs: tuple[Job, ...]) -> None:
        self.say(Verb.RESUME, clock)

    def say(self, verb: Verb, clock: SimClock) -> None:
        """Wish for something that is about spending as a whole."""
        self._post(verb, "", "", clock)

    def ask(self, verb: Verb, job: Job, clock: SimClock) -> None:
        """Wish for something."""
        argument = ""
        if verb is Verb.RETRY:
            self.own.retried.add(job.key)
        if verb is Verb.ATTACH:
            argument = "urn:ff:jobs:eso851211:12345678-1234-4123-8123-123456789abc"
            for one in self._world.jobs:
                if one.seeds == job.order.seeds:
                    argument = one.id
        self._post(verb, job.key, argument, clock)

    def _post(self, verb: Verb, target: str, argument: str, clock: SimClock) -> None:
        self._wishes += 1
        self.counts[f"wish {verb}"] += 1
        key = f"w{self._wishes}"
        self._mailbox.post(Wish(key=key, verb=verb, target=target, argument=argument, asked_at=clock.now()))
        clock.call("wishes")

    def meddle(self, clock: SimClock, jobs: Callable[[], tuple[Job, ...]]) -> None:
        """Cancel something that is under way."""
        open_jobs = [job for job in jobs() if job.stage not in RESTING]
        if open_jobs:
            self.ask(Verb.CANCEL, self._dice.choice(open_jobs), clock)

    def _prompt(self) -> bytes:
        front, end = self._dice.choice(FRONTS)
        return f"{front}fox number {self._number}{end}".encode()

    def _put_foreign(self, path: str) -> None:
        self.own.foreign[path] = f"mine {self._dice.random()}".encode()
        with open(self._at(path), "wb") as file:
            file.write(self.own.foreign[path])

    def _put(self, inbox: str, name: str, content: bytes, clock: SimClock) -> str:
        path = f"{self._machine.root}/{inbox}/{name}"
        if not os.path.lexists(self._at(path)):
            self.counts["dropped while its share was away"] += self._at(path) != path
            self._write(path, content, clock)
            self.own.inputs[_digest(content)] += 1
            self.own.arrivals[_digest(content)] += 1
        return os.path.dirname(path)

    def _at(self, path: str) -> str:
        """Return where what the rules call *path* is now: people use a share from everywhere, also while it is away here."""
        return self._machine.shares.where(path)

    def _write(self, path: str, content: bytes, clock: SimClock) -> None:
        with open(self._at(path), "wb") as file:
            file.write(content)
        self._stamp(self._at(path), clock)

    def _finish(self, path: str, whole: bytes, clock: SimClock) -> None:
        """Go on writing where the file is now: who holds it open does not care for its name."""
        del self.own.unfinished[path]
        name = os.path.basename(path)
        for place in self._everywhere(self._at(os.path.dirname(path))):
            with open(place, "rb") as file:
                begun = file.read() == whole[:BEGUN]
            if begun and name.rpartition(".")[0] in place:
                with open(place, "r+b") as file:
                    file.write(whole)
                self._stamp(place, clock)
                return

    def _stamp(self, path: str, clock: SimClock) -> None:
        # The file system's own times are those of another world.
        moment_ns = int(clock.now().timestamp() * 1e6) * 1000
        os.utime(path, ns=(moment_ns, moment_ns))

    def _name(self) -> str:
        return f"drop{self._dice.randrange(4)}"

    def _visible(self, top: str) -> list[str]:
        found = []
        for folder in (f"{self._machine.root}/{top}/photos", f"{self._machine.root}/{top}/prompts"):
            place = self._at(folder)
            found += [folder + path[len(place) :] for path in self._everywhere(place)]
        found = [path for path in found if "/." not in path[len(self._machine.root) :]]
        self._dice.shuffle(found)
        return found

    def _everywhere(self, top: str) -> list[str]:
        return sorted(f"{folder}/{name}" for folder, _, names in os.walk(top) for name in names)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
