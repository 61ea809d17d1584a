"""What it costs to decode pictures in a process that may die, against a thread of the service: ``python tests/benchmarks/decoding.py``.

Both in one run, turn by turn, on the same files, so that the ratio stands whatever else the machine does.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image

from dropglow.disk import RealDisk
from dropglow.intake.darkroom import Darkroom
from dropglow.intake.decoding import IN_PROCESS, Decoder
from dropglow.intake.inspect import examine

# Width, height, and how often each is decoded.
SIZES: Final = ((160, 120, 300), (1200, 800, 60), (4000, 3000, 12), (8000, 6000, 4))


def timed(deed: Callable[[], object]) -> float:
    """Return how many milliseconds *deed* took."""
    began_s = time.perf_counter()
    deed()
    return (time.perf_counter() - began_s) * 1000


def examined(path: Path, decoder: Decoder) -> None:
    """Look through one picture, as a claim does."""
    with RealDisk().open_read(str(path)) as stream:
        assert examine(stream, path.name, decoder=decoder).fault is None


def compare(path: Path, room: Darkroom, times: int) -> tuple[float, float]:
    """Return the medians, in milliseconds, of the own process and of the other one."""
    here, there = [], []
    for _ in range(times):
        here.append(timed(lambda: examined(path, IN_PROCESS)))
        there.append(timed(lambda: examined(path, room)))
    return statistics.median(here), statistics.median(there)


def main() -> None:
    """Measure and print."""
    room = Darkroom(impossible=print)
    with tempfile.TemporaryDirectory() as folder:
        for width, height, times in SIZES:
            path = Path(folder) / f"{width}.jpg"
            Image.effect_noise((width, height), 60).convert("RGB").save(path)
            first = timed(lambda path=path: examined(path, room)) if not room.pids else 0.0  # type: ignore[misc]
            here, there = compare(path, room, times)
            print(
                f"{width:5} x {height:<5} own process {here:8.2f} ms, darkroom {there:8.2f} ms: {there / here:.2f} x"
            )
            if first:
                print(f"the first picture, which starts the process: {first:.0f} ms")
    print(f"memory of the idle process: {resident_mb(room.pids[0]):.0f} MB")
    room.close()


def resident_mb(pid: int) -> float:
    """Return what a process has in memory, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
