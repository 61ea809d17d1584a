"""Jobs per second and processor time a job, against a bare httpx loop that makes the same requests.

Jobs take no time at all and their pictures are plain, so that what is left is
the daemon's own work: watching, matching, claiming, hashing, the ledger's
commits, every sync, the verified download, names, and the log. The bare loop
submits, asks once and writes the download to a file; it survives nothing.
Only the process of the client is counted; the remote has its own.

Much of what the bare loop takes is httpcore's search for a package that is
absent; our client stops that search. So it is told twice: as anybody would
write it, and with that search stopped as well.

The clients take turns, and what one costs is compared with what another cost in
the same turn: the processor's speed is not the same from minute to minute.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import ground

JOBS: Final = 1000
ROUNDS: Final = 5
IN_FLIGHT: Final = 32
INSTANT: Final = ("--fault", "duration=0")
STOPPED: Final = (
    f"import sys, runpy; sys.modules['sniffio'] = None; runpy.run_path({__file__!r}, run_name='__main__')"
)
POLL: Final = "{min: 10ms, max: 10ms}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one client took for all jobs, in seconds."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure the clients by turns, and print what is in the middle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", metavar="URL", help="be the bare loop, and print its cost as JSON")
    parser.add_argument("--into", type=Path, default=Path())
    chosen = parser.parse_args()
    if chosen.bare:
        print(json.dumps(asdict(asyncio.run(_bare(chosen.bare, chosen.into)))))
        return
    clients: dict[str, Callable[[], Cost]] = {
        "dropglow": daemon,
        "bare httpx": bare,
        "bare httpx, search stopped": functools.partial(bare, "-c", STOPPED),
    }
    rounds = [{name: client() for name, client in clients.items()} for _ in range(ROUNDS)]
    _tell(rounds)


def _tell(rounds: Sequence[dict[str, Cost]]) -> None:
    rows: list[tuple[str, ...]] = [("client", "jobs a second", "CPU a job", "dropglow's CPU / this")]
    for name in rounds[0]:
        rate = JOBS / statistics.median(each[name].wall_s for each in rounds)
        cpu_ms = [1000 * each[name].cpu_s / JOBS for each in rounds]
        ratios = [each["dropglow"].cpu_s / each[name].cpu_s for each in rounds]
        rows.append(
            (
                name,
                f"{rate:.0f}",
                f"{statistics.median(cpu_ms):.2f} ms ({min(cpu_ms):.2f} to {max(cpu_ms):.2f})",
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            )
        )
    print(f"{JOBS} instant jobs, {IN_FLIGHT} in flight, the middle of {ROUNDS}")
    ground.table(rows)


def daemon() -> Cost:
    """Let the daemon do it: it has started and rests when the prompts are dropped."""
    with ground.folder() as folder, ground.Remote(folder, *INSTANT) as remote:
        site = ground.Daemon(folder / "site", remote.url, in_flight=IN_FLIGHT, poll=POLL)
        with site.running():
            site.until(lambda: bool(site.times_of("inbox.watched")))
            time.sleep(1)
            before_s = site.cpu_s()
            site.drop(JOBS)
            site.until_done(JOBS)
            cpu_s = site.cpu_s() - before_s
        wall_s = max(site.times_of("drop.done")) - min(site.times_of("drop.admitted"))
        return Cost(wall_s=wall_s, cpu_s=cpu_s)


def bare(*how: str) -> Cost:
    """Let the bare loop do it, in a process of its own; *how* are options of Python before this script."""
    with ground.folder() as folder, ground.Remote(folder, *INSTANT) as remote:
        command = [sys.executable, *(how or (__file__,)), "--bare", remote.url, "--into", str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return Cost(**json.loads(done.stdout))


async def _bare(url: str, folder: Path) -> Cost:
    async with ground.signed_in(url) as client, ground.storage() as storage:
        wall_s, cpu_s = time.monotonic(), time.process_time()
        work = iter(range(JOBS))
        await asyncio.gather(*(_one_place(client, storage, work, folder) for _ in range(IN_FLIGHT)))
        return Cost(wall_s=time.monotonic() - wall_s, cpu_s=time.process_time() - cpu_s)


async def _one_place(
    client: httpx.AsyncClient, storage: httpx.AsyncClient, work: Iterator[int], folder: Path
) -> None:
    for number in work:
        accepted = await ground.submit(client, number)
        status = (await client.get(accepted["statusUrl"])).json()
        picture = status["result"]["outputs"][0]["image"]["url"]
        async with storage.stream("GET", picture) as answer:
            answer.raise_for_status()
            with (folder / f"{number}.jpg").open("wb") as file:
                async for piece in answer.aiter_raw():
                    file.write(piece)


if __name__ == "__main__":
    main()
