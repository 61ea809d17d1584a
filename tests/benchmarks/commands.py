"""How long commands take, from start to exit: in a folder whose service has run, with jobs to tell of and without.

They take turns, so that a busy machine is busy for each of them. The best of all rounds is what the
command itself takes; the middle one is what somebody meets. Both as time on the wall, and the best as processor time.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import ground

ROUNDS: Final = 15
AIM_MS: Final = 300
DROPS: Final = 20
COMMANDS: Final = (
    ("nothing: python -c pass", None),
    ("--help", ["--help"]),
    ("status --help", ["status", "--help"]),
    ("status", ["status"]),
    ("status --json", ["status", "--json"]),
    ("jobs", ["jobs"]),
    ("completion of an id", ["\t", "dropglow show 0"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What one command took, round by round."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, and print a table for a ledger with jobs, and one for an empty ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="more of them on a busy machine")
    chosen = parser.parse_args()
    for drops in (0, DROPS):
        ground.table(_table(drops, chosen.rounds))
        print()


def _table(drops: int, rounds: int) -> list[tuple[str, ...]]:
    with ground.folder() as folder, ground.Remote(folder) as remote:
        site = ground.Daemon(folder / "site", remote.url)
        site.drop(drops)
        with site.running():
            site.until(lambda: bool(site.times_of("inbox.watched")))
            site.until_done(drops)
        return _measured(site.folder, drops, rounds)


def _measured(site: Path, drops: int, rounds: int) -> list[tuple[str, ...]]:
    times = {name: Times() for name, _ in COMMANDS}
    for _ in range(rounds):
        for name, words in COMMANDS:
            _run(words, site, times[name])
    rows: list[tuple[str, ...]] = [(f"{drops} jobs in the ledger", "best", "middle", "CPU")]
    for name, taken in times.items():
        row = (min(taken.wall_ms), statistics.median(taken.wall_ms), min(taken.cpu_ms))
        rows.append((name, *(f"{each:.0f} ms" for each in row)))
    best = min(times["status"].wall_ms)
    rows.append((f"status in under {AIM_MS} ms", "yes" if best < AIM_MS else "NO", "", ""))
    return rows


def _run(words: list[str] | None, site: Path, times: Times) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["DROPGLOW_CONFIG"] = str(site)
    program = shutil.which("dropglow", path=str(Path(sys.executable).parent)) or "dropglow"
    command = [sys.executable, "-c", "pass"] if words is None else [program, *words]
    if words is not None and words[0] == "\t":
        typed = words[1]
        environ |= {
            "_DROPGLOW_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
        command = [program]
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    times.wall_ms.append(1000 * (time.perf_counter() - began_s))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    times.cpu_ms.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))


if __name__ == "__main__":
    main()
