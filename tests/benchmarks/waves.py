"""How close the daemon comes to the ideal when jobs take seconds and a fixed number may run at once.

``N·D/C`` is the work spread evenly over all places. It cannot be reached: the last
jobs end one by one. What any client needs that starts jobs in their order is
the *floor*: greedy scheduling of the durations that were drawn, without any delay.
The rest above it is ours: learning too late that a job ended, and filling its place.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import ground

JOBS: Final = 256
IN_FLIGHT: Final = 32
SIZES: Final = {"1024x1024": 2.2, "1344x768": 3.0, "2048x2048": 3.8}
WORLDS: Final = {
    "evenly 2-4 s": ("--fault", "duration=2-4"),
    "three kinds: 2.2, 3.0, 3.8 s ± 5 %": ("--typical", json.dumps(SIZES)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one client did: seconds, and the remote's books."""

    client: str
    ended_at: float  # when the last result was on disk, in seconds since 1970
    books: dict[str, Any]

    @property
    def durations_s(self) -> list[float]:
        """Return how long each job took remotely, in the order of acceptance."""
        return [job["ends_at"] - job["accepted_at"] for job in self.books["jobs"]]

    @property
    def wall_s(self) -> float:
        """Return the time from the first acceptance to the last result."""
        return self.ended_at - min(float(job["accepted_at"]) for job in self.books["jobs"])

    def row(self) -> tuple[str, ...]:
        """Return the run as a line of the table."""
        ideal_s = sum(self.durations_s) / IN_FLIGHT
        floor_s = floor(self.durations_s, IN_FLIGHT)
        return (
            self.client,
            f"{self.wall_s:.2f} s",
            f"{self.wall_s / ideal_s:.3f}",
            f"{floor_s / ideal_s:.3f}",
            f"{self.wall_s / floor_s:.3f}",
            f"{self.books['polls'] / len(self.durations_s):.2f}",
        )


def main() -> None:
    """Measure the daemon, without and with progress, and the once-a-second loop in each world."""
    for name, arguments in WORLDS.items():
        sizes = tuple(SIZES) if "--typical" in arguments else ("1024x1024",)
        rows: list[tuple[str, ...]] = [
            ("client", "wall", "/ ideal", "floor / ideal", "/ floor", "polls a job")
        ]
        rows += [run.row() for run in runs(arguments, sizes)]
        print(f"\n{JOBS} jobs, {IN_FLIGHT} in flight, {name}")
        ground.table(rows)


def runs(arguments: Sequence[str], sizes: Sequence[str]) -> Iterator[Run]:
    """Yield what each client does in the same world; once it tells the progress of running jobs as well."""
    yield daemon("dropglow", arguments, sizes)
    yield daemon("dropglow, progress told", (*arguments, "--fault", "progress=yes"), sizes)
    yield simple_loop(arguments, sizes)


def daemon(name: str, arguments: Sequence[str], sizes: Sequence[str]) -> Run:
    """Let the daemon do it; the prompts lie in its inbox when it starts."""
    drops = -(-JOBS // len(sizes))
    with ground.folder() as folder:
        with ground.Remote(folder, *arguments) as remote:
            site = ground.Daemon(folder / "site", remote.url, in_flight=IN_FLIGHT, sizes=sizes)
            site.drop(drops)
            with site.running():
                site.until_done(drops)
        return Run(client=name, ended_at=max(site.times_of("result.delivered")), books=remote.books)


def simple_loop(arguments: Sequence[str], sizes: Sequence[str]) -> Run:
    """Let the loop of Adobe's guide do it: submit, ask once a second, download; as many at once."""
    with ground.folder() as folder:
        with ground.Remote(folder, *arguments) as remote:
            ended_at = asyncio.run(_loop(remote.url, folder, sizes))
        return Run(client="once a second", ended_at=ended_at, books=remote.books)


async def _loop(url: str, folder: Path, sizes: Sequence[str]) -> float:
    count = len(sizes) * -(-JOBS // len(sizes))
    work = iter(range(count))
    async with ground.signed_in(url) as client, ground.storage() as storage:
        await asyncio.gather(*(_one_place(client, storage, work, folder, sizes) for _ in range(IN_FLIGHT)))
    return time.time()


async def _one_place(
    client: httpx.AsyncClient,
    storage: httpx.AsyncClient,
    work: Iterator[int],
    folder: Path,
    sizes: Sequence[str],
) -> None:
    for number in work:
        accepted = await ground.submit(client, number, sizes[number % len(sizes)])
        status = (await client.get(accepted["statusUrl"])).json()
        while status["status"] != "succeeded":
            await asyncio.sleep(1)
            status = (await client.get(accepted["statusUrl"])).json()
        picture = await storage.get(status["result"]["outputs"][0]["image"]["url"])
        picture.raise_for_status()
        (folder / f"{number}.jpg").write_bytes(picture.content)


def floor(durations_s: Sequence[float], places: int) -> float:
    """Return how long these jobs take, started in order as places come free, without any delay."""
    free_at = [0.0] * places
    for duration_s in durations_s:
        heapq.heapreplace(free_at, free_at[0] + duration_s)
    return max(free_at)


if __name__ == "__main__":
    main()
