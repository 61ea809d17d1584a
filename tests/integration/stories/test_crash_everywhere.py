"""The process dies at one effect after the other; the next one finds everything, and buys nothing twice.

Before and after each change on the disk, each write into the ledger and each request to Firefly. By default one
of each kind, any of those that there are; every point with ``TEST_EVERY_CRASH=1``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.integration.conftest import DiskMaker
    from tests.integration.stories.conftest import Daemon, DaemonMaker

EVERY: Final = os.environ.get("TEST_EVERY_CRASH") == "1"
WRITES: Final = frozenset({"admit", "save", "save_drop", "remember_upload", "remember_originals"})

Point = tuple[str, int]


class Doom:
    """Count effects, and let the process die at one of them: from then on nothing has any effect."""

    def __init__(self, cut: type[BaseException], at: Point | None) -> None:
        """Die at *at*: the name of an effect, and which of that name, from one; None counts only."""
        self.points: Counter[str] = Counter()
        self.dead = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._cut = cut
        self._at = at
        self._died = False

    def step(self, name: str) -> None:
        """Go past one point, or die there."""
        with self._lock:
            if self._died:
                raise self._cut
            self.points[name] += 1
            if self._at == (name, self.points[name]):
                self._died = True
                self._loop.call_soon_threadsafe(self.dead.set)
                raise self._cut

    def ledger(self, ledger: Any) -> Any:
        """Return *ledger* as a process sees it that may die."""
        return DoomedLedger(ledger, self)

    def wire(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Return *transport* likewise."""
        return DoomedWire(transport, self)


class DoomedLedger:
    """A ledger whose writes are points at which the process may die."""

    def __init__(self, ledger: Any, doom: Doom) -> None:
        self._ledger = ledger
        self._doom = doom

    def __getattr__(self, name: str) -> Any:
        verb: Callable[..., Awaitable[Any]] = getattr(self._ledger, name)
        if name not in WRITES:
            return verb

        async def write(*args: Any, **kwargs: Any) -> Any:
            self._doom.step(f"before {name}")
            answer = await verb(*args, **kwargs)
            self._doom.step(f"after {name}")
            return answer

        return write


class DoomedWire(httpx.AsyncBaseTransport):
    """A network whose requests are such points."""

    def __init__(self, transport: httpx.AsyncBaseTransport, doom: Doom) -> None:
        self._transport = transport
        self._doom = doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._doom.step(f"before {request.method} {request.url.path[:12]}")
        response = await self._transport.handle_async_request(request)
        self._doom.step(f"after {request.method} {request.url.path[:12]}")
        return response


async def live(daemon: Daemon, faulty_disk: DiskMaker, at: Point | None) -> Doom:
    """Run until everything rests or the process dies; return how far it came."""
    doom = Doom(faulty_disk.power_cut, at)
    fault = faulty_disk.fault
    disk = daemon.disk = faulty_disk()
    before = fault(lasting=True, deed=lambda: doom.step(f"before {disk.calls[-1][0]}"))
    after = fault(lasting=True, after=True, deed=lambda: doom.step(f"after {disk.calls[-1][0]}"))
    disk.faults = (before, after)
    daemon.ledger, daemon.wire = doom.ledger, doom.wire
    stop = asyncio.Event()
    with contextlib.suppress(faulty_disk.power_cut, BaseExceptionGroup):
        async with daemon.service() as service:
            life = asyncio.create_task(service.run(stop, once=True))
            death = asyncio.create_task(doom.dead.wait())
            await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED, timeout=60)
            death.cancel()
            stop.set()  # nothing that it still does has any effect
            await life
    return doom


async def revive(daemon: Daemon) -> None:
    """Run a new process on what the dead one left, with nothing going wrong any more."""
    fresh: Any = type(daemon.disk).__mro__[1]
    daemon.disk = fresh()
    daemon.ledger = daemon.wire = lambda part: part
    await daemon.run_once()


def dropped(daemon: Daemon) -> list[Path]:
    """Drop what has to survive."""
    return [daemon.photo(), daemon.prompt()]


PAIRS: Final = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: masked
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    patience: 1s
    match: {kind: image}
    expand: {mask: {sidecar: "{stem}.mask.png"}, size: 300x200}
"""


def dropped_together(daemon: Daemon) -> list[Path]:
    """Drop a picture and its mask."""
    mask = daemon.photos / "beach.mask.png"
    Image.new("L", (240, 160), 255).save(mask)
    return [daemon.photo(), mask]


KEEPING: Final = PAIRS.replace("patience: 1s", "patience: 1s\n    done: keep")


def copies_of(daemon: Daemon) -> list[Path]:
    """Return every copy of an original that is left."""
    return [path for path in (daemon.folder / "state" / "kept").rglob("*") if path.is_file()]


async def results_of(daemon: Daemon) -> list[str]:
    """Return what the one job delivered; a report, for instance, is something else."""
    (job,) = await daemon.jobs()
    (path,) = job.delivered
    return [str(Path(path).relative_to(daemon.outbox))]


FOLDERS: Final = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: shoots
    inbox: inbox/photos
    outbox: outbox/photos
    drop: folder
    settle: 20ms
    rescan: 100ms
    match: {kind: image}
    expand: {size: 300x200}
"""


def dropped_whole(daemon: Daemon) -> list[Path]:
    """Drop a folder with a picture, and with a text in a folder below that no rule takes."""
    folder = daemon.photo("shoot/beach.jpg").parent
    (folder / "papers").mkdir()
    (folder / "papers" / "notes.pdf").write_text("no picture")
    return [folder]


def torn_apart(inputs: list[Path]) -> list[str]:
    """Return where a mask is not with its picture, or a folder not with what was in it, in one place."""
    return [*_masks_apart(inputs), *(torn for path in inputs if not path.suffix for torn in _gutted(path))]


def _gutted(folder: Path) -> list[str]:
    found = [path for path in folder.parent.rglob(folder.name) if path.is_dir()]
    held = [sorted(path.name for path in each.rglob("*") if path.is_file()) for each in found]
    return [] if held == [["beach.jpg", "notes.pdf"]] else [f"{found} hold {held}"]


def _masks_apart(inputs: list[Path]) -> list[str]:
    masks = [path for path in inputs if ".mask." in path.name]
    folders = {path.name: [found.parent for found in path.parent.glob(f"**/{path.name}")] for path in inputs}
    return [
        f"apart: {folders}"
        for mask in masks
        if folders[mask.name] != folders[mask.name.replace(".mask.png", ".jpg")]
        or len(folders[mask.name]) != 1
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "drop"),
    [(None, dropped), (PAIRS, dropped_together), (KEEPING, dropped_together), (FOLDERS, dropped_whole)],
)
@pytest.mark.usefixtures("log")
async def test_dying_anywhere_breaks_no_promise(
    tmp_path: Path,
    make_daemon: DaemonMaker,
    faulty_disk: DiskMaker,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    drop: Callable[[Daemon], list[Path]],
) -> None:
    """At each point: every input is in one place, every result is whole, what was bought is known or in doubt."""
    made = 0

    def make() -> Daemon:
        nonlocal made
        made += 1
        maker = type(make_daemon)(tmp_path / str(made))
        return maker() if text is None else maker(text=text)

    healthy = make()
    drop(healthy)
    points = (await live(healthy, faulty_disk, None)).points
    every = [(name, nth) for name, count in points.items() for nth in range(1, count + 1)]
    dice = random.Random(1)
    chosen = every if EVERY else [(name, dice.randint(1, count)) for name, count in points.items()]
    broken: dict[Point, list[str]] = {}
    died = 0
    for at in chosen:
        daemon = make()
        inputs = drop(daemon)
        doom = await live(daemon, faulty_disk, at)
        died += doom.dead.is_set()
        await revive(daemon)
        reported = [path for path in inputs if ".mask." not in path.name]
        if wrongs := [*await daemon.broken_promises(*reported), *torn_apart(inputs)]:
            broken[at] = wrongs
    with capsys.disabled():
        print(f" died at {died} of {len(every)} points", end="")

    assert {} == broken
    assert died > len(chosen) // 2


@pytest.mark.slow
@pytest.mark.usefixtures("log")
async def test_dying_while_an_original_is_taken_again_buys_nothing_twice(
    tmp_path: Path, make_daemon: DaemonMaker, faulty_disk: DiskMaker
) -> None:
    """A failed original that stays, saved again: at each point, it is delivered once, and the inbox is as it was."""
    made = 0

    async def make() -> Daemon:
        nonlocal made
        made += 1
        daemon = type(make_daemon)(tmp_path / str(made))("job_failed=first:1", text=KEEPING)
        photo, _ = dropped_together(daemon)
        await daemon.run_once()
        os.utime(photo, ns=(1, 1))
        return daemon

    healthy = await make()
    points = (await live(healthy, faulty_disk, None)).points
    verbs = {"create", "move", "remove", "save_drop", "remember_originals"}
    local = {name: count for name, count in points.items() if name.split()[1] in verbs}
    every = [(name, nth) for name, count in local.items() for nth in range(1, count + 1)]
    dice = random.Random(1)
    broken: dict[Point, list[str]] = {}
    for name, nth in every if EVERY else [(name, dice.randint(1, count)) for name, count in local.items()]:
        daemon = await make()
        await live(daemon, faulty_disk, (name, nth))
        await revive(daemon)
        found = [*daemon.inbox(), *daemon.results()], daemon.books()["accepted"], list(copies_of(daemon))
        if found != (["photos/beach.jpg", "photos/beach.mask.png", *await results_of(daemon)], 2, []):
            broken[name, nth] = [f"{found}"]

    assert {} == broken


@pytest.mark.slow
@pytest.mark.parametrize(("text", "drop"), [(PAIRS, dropped_together), (FOLDERS, dropped_whole)])
@pytest.mark.usefixtures("log")
async def test_dying_while_a_drop_comes_back_loses_and_parts_nothing(
    tmp_path: Path,
    make_daemon: DaemonMaker,
    faulty_disk: DiskMaker,
    text: str,
    drop: Callable[[Daemon], list[Path]],
) -> None:
    """A failed picture and its mask, or a folder, moved back into the inbox: at each point, it stays together."""
    made = 0

    async def make() -> tuple[Daemon, list[Path]]:
        nonlocal made
        made += 1
        daemon = type(make_daemon)(tmp_path / str(made))("job_failed=first:1", text=text)
        inputs = drop(daemon)
        await daemon.run_once()
        for path in inputs:
            (path.parent / "_failed" / path.name).rename(path)
        return daemon, inputs

    healthy, _ = await make()
    points = (await live(healthy, faulty_disk, None)).points
    every = [(name, nth) for name, count in points.items() for nth in range(1, count + 1)]
    disk = [at for at in every if at[0].split()[1] in {"move", "move_many", "save_drop"}]
    broken: dict[Point, list[str]] = {}
    for at in every if EVERY else disk:
        daemon, inputs = await make()
        await live(daemon, faulty_disk, at)
        await revive(daemon)
        if wrongs := torn_apart(inputs):
            broken[at] = wrongs
        elif len(daemon.results()) != ("_done" in str(daemon.inbox())):
            broken[at] = [f"results: {daemon.results()}, files: {daemon.inbox()}"]

    assert {} == broken
