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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.simulation.story import Verdict, run

BATCH: Final = 100
SWEEP: Final = 20  # seeds between two collections of garbage: each leaves the same again
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
    parser.add_argument("--json", action="store_true", help="print the tally as JSON")
    return parser.parse_args()


def main() -> int:
    """Run what the arguments say; return 1 if a promise was broken."""
    wanted = _arguments()
    if wanted.seed is not None:
        return _one(wanted.seed, tell=wanted.tell)
    first, _, end = wanted.seeds.partition("..")
    tally, began_s = Tally(), time.monotonic()
    seeds = range(int(first), int(end))
    if wanted.jobs == 1:
        parts: Iterator[Tally] = (run_all(batch, stop_at=wanted.stop_at) for batch in _batches(seeds))
        _gather(tally, parts, wanted.stop_at, began_s, quiet=wanted.json)
    else:
        with multiprocessing.get_context("spawn").Pool(wanted.jobs, gc.freeze) as pool:
            _gather(
                tally,
                pool.imap_unordered(run_all, _batches(seeds)),
                wanted.stop_at,
                began_s,
                quiet=wanted.json,
            )
    _tell(tally, time.monotonic() - began_s, as_json=wanted.json)
    return 1 if tally.broken else 0


def _gather(tally: Tally, parts: Iterator[Tally], stop_at: int, began_s: float, *, quiet: bool) -> None:
    for number, part in enumerate(parts):
        tally.add(part)
        for seed, broken in part.broken.items():
            if not quiet:
                print(f"seed {seed}: {broken}\n  again: {AGAIN.format(seed)}", flush=True)
        if not quiet and number % 10 == 9:
            print(
                f"{tally.seeds} seeds, {tally.seeds / (time.monotonic() - began_s):.0f} a second", flush=True
            )
        if stop_at and len(tally.broken) >= stop_at:
            return


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
