"""Run seeds: ``python -m tests.simulation.run --seeds 0..1000 --jobs 2``, or one again: ``--seed 7 --tell``."""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.simulation.story import Verdict, run

BATCH: Final = 100
SWEEP: Final = 20  # seeds between two collections of garbage: each leaves the same again
RENEWED: Final = 50  # batches: whoever died in the middle of something leaves a little of it in memory
MEMORY: Final = Path("/dev/shm")
AGAIN: Final = "python -m tests.simulation.run --seed {} --tell"


@dataclass(slots=True)
class Tally:
    """What came of many seeds."""

    seeds: int = 0
    broken: dict[int, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what came of others."""
        self.seeds += other.seeds
        self.broken |= other.broken
        self.counts += other.counts


def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new folder, in memory where there is a file system in memory."""
    return tempfile.TemporaryDirectory(prefix="dropglow-simulation-", dir=MEMORY if MEMORY.is_dir() else None)


def run_all(seeds: range, *, stop_at: int = 0) -> Tally:
    """Run *seeds* one after the other; with *stop_at*, until so many failed."""
    tally = Tally()
    with folder() as root, _tidied() as tidy:
        for seed in seeds:
            tidy()
            verdict = _run(seed, Path(root))
            tally.seeds += 1
            tally.counts += verdict.counts
            if verdict.broken:
                tally.broken[seed] = verdict.broken
                if stop_at and len(tally.broken) >= stop_at:
                    break
    return tally


@contextmanager
def _tidied() -> Iterator[Callable[[], None]]:
    """Collect garbage between seeds alone, and look at nothing that was there before the first."""
    enabled, calls = gc.isenabled(), itertools.count(1)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield lambda: None if next(calls) % SWEEP else _collect()
    finally:
        if enabled:
            gc.enable()


def _collect() -> None:
    gc.collect()


def _run(seed: int, root: Path) -> Verdict:
    try:
        return run(seed, root)
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed makes it again
        return Verdict(seed, broken=[f"bug: {error!r}"])


def _batches(seeds: range) -> Iterator[range]:
    for start in range(seeds.start, seeds.stop, BATCH):
        yield range(start, min(start + BATCH, seeds.stop))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulate the service under crashes, faults and people.")
    parser.add_argument("--seeds", default="0..1000", help="the first, and the one after the last: 0..1000")
    parser.add_argument("--seed", type=int, help="one seed only")
    parser.add_argument("--tell", action="store_true", help="with --seed: print its whole trace")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--stop-at", type=int, default=0, help="stop once so many seeds failed")
    parser.add_argument(
        "--keep", type=Path, help="write each hundred down there, and go on after what is there"
    )
    parser.add_argument("--json", action="store_true", help="print the tally as JSON")
    return parser.parse_args()


def main() -> int:
    """Run what the arguments say; return 1 if a promise was broken."""
    wanted = _arguments()
    if wanted.seed is not None:
        return _one(wanted.seed, tell=wanted.tell)
    first, _, end = wanted.seeds.partition("..")
    seeds = range(int(first), int(end))
    with _Diary(wanted.keep) as diary:
        todo = [batch for batch in _batches(seeds) if batch.start not in diary.known]
        began_s = time.monotonic()
        if wanted.jobs == 1:
            parts: Iterator[Tally] = (run_all(batch, stop_at=wanted.stop_at) for batch in todo)
            tally = _gather(zip(todo, parts, strict=False), diary, wanted, began_s)
        else:
            with multiprocessing.get_context("spawn").Pool(wanted.jobs, maxtasksperchild=RENEWED) as pool:
                tally = _gather(zip(todo, pool.imap(run_all, todo), strict=False), diary, wanted, began_s)
    _tell(tally, time.monotonic() - began_s, as_json=wanted.json)
    return 1 if tally.broken else 0


class _Diary:
    """What came of hundreds of seeds, a line each, so that a run of hours can be looked at and taken up again."""

    def __init__(self, path: Path | None) -> None:
        """Read what is at *path*, and go on there."""
        self.known: dict[int, Tally] = {}
        self._file = None if path is None else path.open("a+", encoding="utf-8")
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                self._read(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, batch: range, part: Tally) -> None:
        """Keep what came of *batch*."""
        if self._file is not None:
            document = {
                "first": batch.start,
                "seeds": part.seeds,
                "broken": part.broken,
                "counts": part.counts,
            }
            print(json.dumps(document), file=self._file, flush=True)

    def _read(self, document: dict[str, Any]) -> None:
        broken = {int(seed): said for seed, said in document["broken"].items()}
        self.known[document["first"]] = Tally(document["seeds"], broken, Counter(document["counts"]))


def _gather(
    parts: Iterable[tuple[range, Tally]], diary: _Diary, wanted: argparse.Namespace, began_s: float
) -> Tally:
    tally, before = Tally(), sum(part.seeds for part in diary.known.values())
    for part in diary.known.values():
        tally.add(part)
    for number, (batch, part) in enumerate(parts):
        tally.add(part)
        diary.write(batch, part)
        for seed, broken in part.broken.items():
            if not wanted.json:
                print(f"seed {seed}: {broken}\n  again: {AGAIN.format(seed)}", flush=True)
        if not wanted.json and number % 10 == 9:
            rate = (tally.seeds - before) / (time.monotonic() - began_s)
            print(f"{tally.seeds} seeds, {rate:.1f} a second", flush=True)
        if wanted.stop_at and len(tally.broken) >= wanted.stop_at:
            break
    return tally


def _one(seed: int, *, tell: bool) -> int:
    with folder() as root:
        verdict = run(seed, Path(root), told=tell)
    for line in verdict.story:
        print(line)
    for line in verdict.broken:
        print(f"BROKEN {line}")
    print(f"seed {seed}: {'broken' if verdict.broken else 'all promises kept'}, trace {verdict.trace[:16]}")
    return 1 if verdict.broken else 0


def _tell(tally: Tally, took_s: float, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"seeds": tally.seeds, "broken": tally.broken, "counts": tally.counts}))
        return
    for name, count in sorted(tally.counts.items()):
        print(f"{count:10} {name}")
    print(
        f"{tally.seeds} seeds in {took_s:.1f} s, {tally.seeds / took_s:.1f} a second, {len(tally.broken)} broken"
    )


if __name__ == "__main__":
    gc.freeze()
    os.environ["TZ"] = "UTC"
    sys.exit(main())
