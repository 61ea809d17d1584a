"""Each call of the real program that lasts goes wrong once: it is killed there, the power goes, or the call fails.

A small run brings one photo and one prompt in. What lasts is what changes a file below the run's folder, or sends on a
socket; ``shim/shim.c`` counts it and lets it go wrong. Afterwards the program runs once more, undisturbed, and nothing
may be lost or bought twice. A few points of each kind run as a rule; ``TEST_SYSTEM_CALLS=all`` takes every one:

    TEST_SYSTEM_CALLS=all python3 daemon test tests/e2e/test_system_calls.py -n 4 -rP

A C compiler is needed; without one the tests are skipped, and say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from dropglow.lifecycle import RESTING
from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.e2e.conftest import Site, SiteMaker

SHIM: Final = Path(__file__).parent / "shim" / "shim.c"
NURSERY: Final = Path(__file__).parent / "nursery.py"
ALL: Final = os.environ.get("TEST_SYSTEM_CALLS") == "all"
PARTS: Final = 24 if ALL else 1  # a test each, so that none takes longer than a test may
SAMPLE: Final = 3
MODES: Final = ("kill", "tear", "cut", "patch", "once", "ever")
PATIENCE_S: Final = 60.0
# A disk or a network that fails for ever gets so long to show what it does.
ENDURED_S: Final = 4.0
COMPILER: Final = shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.crash,
    pytest.mark.skipif(COMPILER is None, reason="there is no C compiler to make the shim with"),
]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shim, compiled."""
    made = tmp_path_factory.mktemp("shim") / "shim.so"
    assert COMPILER is not None
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", str(made), str(SHIM), "-ldl"], check=True)
    return made


class Nursery:
    """Runs the program, again and again, without its code being read each time."""

    def __init__(self, process: asyncio.subprocess.Process, shim: Path) -> None:
        self._process = process
        self._shim = shim

    async def run(self, site: Site, *, limit_s: float = PATIENCE_S, **settings: str) -> int:
        """Run until everything rests, at most *limit_s* seconds, with these settings of the shim; return the exit code."""
        environ = site.environ | (shimmed(site, self._shim, **settings) if settings else {})
        order = {
            "arguments": ["--config", str(site.folder), "run", "--once"],
            "environ": environ,
            "log": str(site.log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        pid, code = await self._answer(), asyncio.ensure_future(self._answer())
        done, _ = await asyncio.wait({code}, timeout=limit_s)
        if not done:
            with contextlib.suppress(ProcessLookupError):  # it ends at this very moment
                os.kill(pid, signal.SIGKILL)
        return await code

    async def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(await self._process.stdout.readline())


@pytest.fixture
async def nursery(shim: Path) -> AsyncIterator[Nursery]:
    """Return whoever runs the program, with the shim beneath it."""
    environ = {**os.environ, "PYTHONWARNINGS": "error", "LD_PRELOAD": str(shim)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(NURSERY),
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Nursery(process, shim)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def small_run(make_site: SiteMaker) -> Site:
    """Return a site with one photo and one prompt in its inboxes, and two jobs to come of them."""
    site = await make_site("duration=0.02-0.04", settle="50ms")
    configuration = site.folder / "dropglow.yaml"
    text = configuration.read_text()
    for usual, small in (("[800x600, 900x700, 1000x800]", "[800x600]"), ("max: 500ms", "max: 100ms")):
        assert usual in text
        text = text.replace(usual, small)
    configuration.write_text(text)
    await site.drop(site.photo_source(1), site.photos, 0)
    await site.drop(site.prompt_source(1), site.prompts, 0)
    return site


def shimmed(site: Site, shim: Path, **settings: str) -> dict[str, str]:
    return {"LD_PRELOAD": str(shim), "SHIM_ROOT": str(site.folder), **settings}


async def calls_of(site: Site, nursery: Nursery) -> list[str]:
    """Return the names of the calls of an undisturbed run, in their order."""
    log = site.folder.parent / "calls.txt"
    code = await nursery.run(site, SHIM_LOG=str(log))
    assert 0 == code, site.tail()
    assert 2 == len(site.results())
    return log.read_text().split()


async def broken_promises(site: Site) -> list[str]:
    """Return what is lost, torn, foreign, or bought twice, now that everything rests."""
    jobs, books = await site.jobs(), site.world.books()
    wrong = [f"{job.key} is {job.stage.value}" for job in jobs if job.stage not in RESTING]
    wrong += [f"bought twice: {books['same_body_twice']}"] if books["same_body_twice"] else []
    known = {job.submission.remote_id for job in jobs if job.submission is not None}
    doubts = [list(job.order.seeds) for job in jobs if job.stage is Stage.IN_DOUBT]
    wrong += [
        f"nobody knows of {entry['id']}"
        for entry in books["jobs"]
        if entry["id"] not in known and entry["seeds"] not in doubts
    ]
    wrong += [f"{job.key} failed: {job.failure}" for job in jobs if job.stage is Stage.FAILED]
    digests = {sum_ for job in jobs for sum_ in (artifact.sha256 for artifact in job.artifacts)}
    found = {hashlib.sha256(path.read_bytes()).hexdigest() for path in site.results()}
    delivered = [job for job in jobs if job.stage is Stage.DELIVERED]
    wrong += [] if len(found) == len(delivered) and found <= digests else [f"results: {site.results()}"]
    return wrong + list(misplaced(site)) + [f"left: {path}" for path in leftovers(site)]


def misplaced(site: Site) -> Iterator[str]:
    """Yield each input that is not in exactly one place."""
    for inbox, name in ((site.photos, "photo001.jpg"), (site.prompts, "prompt001.txt")):
        places = [folder for folder in ("", "_done", "_held") if (inbox / folder / name).exists()]
        if places not in (["_done"], ["_held"]):
            yield f"{name} is at {places}"


def leftovers(site: Site) -> list[Path]:
    """Return what should have been cleared away."""
    return [*site.folder.glob("inbox/*/.dropglow/work/*"), *site.outbox.rglob(".*")]


def points(count: int, part: int, mode: str) -> Sequence[int]:
    """Return which calls go wrong in this part of the run."""
    if ALL:
        return range(1 + part, count + 1, PARTS)
    step = count // SAMPLE
    return range(1 + MODES.index(mode) * step // len(MODES), count + 1, step)


WRITER: Final = """
import os, sys
a, b, c = (os.open(f"{sys.argv[1]}/{name}", os.O_RDWR | os.O_CREAT) for name in "abc")
os.write(c, b"last"); os.fsync(c); os.ftruncate(c, 1)
os.write(a, b"before"); os.fsync(a); os.pwrite(a, b"BEF", 0); os.write(a, b" and after"); os.write(a, b" all")
os.write(b, b"one"); os.write(b, b"two")
for name in ("kept", "gone"):
    os.mkdir(f"{sys.argv[1]}/{name}"); os.mkdir(f"{sys.argv[1]}/{name}/below")
    if name == "kept":
        os.fsync(os.open(sys.argv[1], os.O_RDONLY))
os.write(c, b"never")
"""


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("kill", (b"BEFore and after all", b"onetwo", b"l")),
        ("cut", (b"before", b"", b"last")),
        ("patch", (b"BEFore" + bytes(10) + b" all", bytes(3) + b"two", b"last")),
    ],
)
def test_what_was_not_synced_is_gone_when_the_power_goes(
    mode: str, expected: tuple[bytes, ...], shim: Path, tmp_path: Path
) -> None:
    """The shim forgets what a disk may forget, and nothing that was synced; otherwise the tests below prove nothing."""
    site = tmp_path / "site"
    site.mkdir()
    environ = {"LD_PRELOAD": str(shim), "SHIM_ROOT": str(site), "SHIM_MODE": mode, "SHIM_AT": "16"}

    ended = subprocess.run([sys.executable, "-I", "-c", WRITER, str(site)], env=environ)

    assert -signal.SIGKILL == ended.returncode
    assert expected == tuple((site / name).read_bytes() for name in "abc")
    folders = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_dir()}
    assert ({"kept", "kept/below", "gone", "gone/below"} if mode == "kill" else {"kept"}) == folders


OWNER: Final = """
import asyncio, sys
from pathlib import Path
from dropglow.holding import own

async def main():
    async with own(Path(sys.argv[1], "var", "state")):
        Path(sys.argv[1], "owned").mkdir()

asyncio.run(main())
"""


def test_a_state_folder_that_was_made_outlives_a_power_cut(shim: Path, tmp_path: Path) -> None:
    """Whatever is stored in it lasts only if its own name does, and those of the folders around it."""
    site, log = tmp_path / "site", tmp_path / "calls.txt"
    environ = os.environ | {"LD_PRELOAD": str(shim), "SHIM_ROOT": str(site), "SHIM_LOG": str(log)}
    site.mkdir()
    subprocess.run([sys.executable, "-c", OWNER, str(site)], env=environ, check=True)
    calls = log.read_text().split()
    owned_at = len(calls) - calls[::-1].index("mkdir")
    shutil.rmtree(site)
    site.mkdir()

    cut = environ | {"SHIM_MODE": "cut", "SHIM_AT": str(owned_at)}
    subprocess.run([sys.executable, "-c", OWNER, str(site)], env=cut)

    assert not (site / "owned").exists()
    assert (site / "var" / "state" / "ledger.sqlite3").stat().st_size


async def test_a_forked_run_makes_the_calls_of_a_started_one(
    nursery: Nursery, shim: Path, make_site: SiteMaker, tmp_path: Path
) -> None:
    """The same kinds of calls, and as many, but for those that hang on the time."""
    forked = await calls_of(await small_run(make_site), nursery)
    shutil.rmtree(tmp_path / "site")
    site, log = await small_run(make_site), tmp_path / "started.txt"
    site.environ.update(shimmed(site, shim, SHIM_LOG=str(log)))

    process = await site.start("--once")
    code = await asyncio.wait_for(process.wait(), PATIENCE_S)

    started = log.read_text().split()
    assert 0 == code
    assert set(forked) == set(started)
    assert abs(len(forked) - len(started)) <= len(started) // 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", MODES)
async def test_a_call_goes_wrong_and_nothing_is_lost_or_bought_twice(
    mode: str, part: int, nursery: Nursery, make_site: SiteMaker, tmp_path: Path
) -> None:
    """Whichever it is: after one more run everything is delivered once, or held in doubt."""
    calls = await calls_of(await small_run(make_site), nursery)
    shutil.rmtree(tmp_path / "site")
    met: Counter[str] = Counter()
    doubts = 0
    for number in points(len(calls), part, mode):
        site = await small_run(make_site)
        limit_s = ENDURED_S if mode == "ever" else PATIENCE_S
        code = await nursery.run(site, SHIM_MODE=mode, SHIM_AT=str(number), limit_s=limit_s)
        again = await nursery.run(site)

        assert again in {0, 1}, f"{mode} at call {number}: exit code {again}\n{site.tail()}"
        wrong = await broken_promises(site)
        assert [] == wrong, (
            f"{mode} at call {number} of {len(calls)} (exit code {code}): {wrong}\n{site.tail()}"
        )
        met[calls[number - 1]] += 1
        doubts += len(await site.jobs(Stage.IN_DOUBT))
        shutil.rmtree(tmp_path / "site")
    tally(mode, len(calls), met, doubts)


def tally(mode: str, calls: int, met: Counter[str], doubts: int) -> None:
    """Print what went wrong, for whoever wants to know."""
    kinds: dict[str, Any] = dict(met.most_common())
    print(f"{mode}: {sum(met.values())} of {calls} calls: {kinds}; {doubts} orders in doubt")
