"""What looking after big inboxes costs: a look over 100,000 files against ``find``, idle inboxes, a waiting backlog.

``find`` prints of each file what a look tells of it (path, size, times, inode), so
that both ask the kernel the same. Everything is in the kernel's cache; they take
turns, and the best of each counts. The first look meets every file for the
first time; the steady one finds them all as they were.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dropglow.clock import RealClock
from dropglow.disk import RealDisk
from dropglow.intake.inbox import Inbox
from dropglow.intake.plan import InboxPlan
from tests.benchmarks import ground
from tests.benchmarks.memory import MEGABYTE, seen

FILES: Final = 100_000
A_FOLDER: Final = 100
ROUNDS: Final = 7
INBOXES: Final = 20
FEW: Final = 20
IDLE_S: Final = 600.0
RESCANS_S: Final = 65.0  # two whole looks lie within it
FIND: Final = ("-type", "f", "-printf", r"%p %s %T@ %C@ %i %D\n")

RULE: Final = """
  - name: inbox{number}
    inbox: inboxes/{number}
    outbox: outboxes/{number}
    match: {{kind: prompt}}
    generate: {{size: 1024x1024}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something took, in seconds."""

    wall_s: float
    cpu_s: float


class ManyInboxes(ground.Daemon):
    """A daemon with further inboxes that nobody drops anything into."""

    def __init__(self, folder: Path, url: str, *, further: int) -> None:
        """Write the configuration; nothing runs yet."""
        super().__init__(folder, url, settle="2s")
        with (folder / "dropglow.yaml").open("a", encoding="utf-8") as settings:
            for number in range(further):
                (folder / "inboxes" / str(number)).mkdir(parents=True)
                (folder / "outboxes" / str(number)).mkdir(parents=True)
                settings.write(RULE.format(number=number))


def main() -> None:
    """Measure, and print a table for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=IDLE_S, metavar="SECONDS", help="watched while idle")
    parser.add_argument("--only", choices=("looks", "idle", "backlog"), help="answer one question")
    chosen = parser.parse_args()
    if chosen.only in {None, "looks"}:
        ground.table(_looks())
    if chosen.only in {None, "idle"}:
        ground.table(_idle(chosen.idle))
    if chosen.only in {None, "backlog"}:
        ground.table(_backlog())


def _looks() -> list[tuple[str, ...]]:
    with ground.folder() as folder:
        tree = folder / "inbox"
        _plant(tree)
        costs: dict[str, list[Cost]] = {"find": [], "first look": [], "steady look": []}
        for _ in range(ROUNDS):
            costs["find"].append(_cost(partial(_find, tree)))
            inbox = _opened(tree)
            costs["first look"].append(_cost(partial(_look, inbox)))
            _look(inbox)
            costs["steady look"].append(_cost(partial(_look, inbox)))
            inbox.close()
    best = {name: _best(several) for name, several in costs.items()}
    find = best["find"]
    rows: list[tuple[str, ...]] = [(f"{FILES:,} files", "wall", "/ find", "CPU", "/ find", "CPU a file")]
    for name, cost in best.items():
        wall = (f"{cost.wall_s:.2f} s", f"{cost.wall_s / find.wall_s:.2f}")
        cpu = (f"{cost.cpu_s:.2f} s", f"{cost.cpu_s / find.cpu_s:.2f}")
        rows.append((name, *wall, *cpu, f"{1e6 * cost.cpu_s / FILES:.1f} µs"))
    return rows


def _best(several: Sequence[Cost]) -> Cost:
    return Cost(wall_s=min(each.wall_s for each in several), cpu_s=min(each.cpu_s for each in several))


def _plant(tree: Path) -> None:
    for number in range(FILES):
        folder = tree / f"{number // A_FOLDER:04}"
        if not number % A_FOLDER:
            folder.mkdir(parents=True)
        (folder / f"IMG_{number:06}.jpg").touch()


def _find(tree: Path) -> None:
    subprocess.run(["find", str(tree), *FIND], stdout=subprocess.DEVNULL, check=True)


def _opened(tree: Path) -> Inbox:
    plan = InboxPlan(folder=str(tree), settle_s=0.01)
    inbox = Inbox(plan, disk=RealDisk(), clock=RealClock(), ledger_identity="benchmark")
    inbox.open()
    return inbox


def _look(inbox: Inbox) -> None:
    sweep = inbox.sweep()
    assert len(sweep.seen) == FILES


def _cost(act: Callable[[], None]) -> Cost:
    """Return what *act* took, in this process and in those that it started."""
    began_s, before = time.perf_counter(), sum(os.times()[:4])
    act()
    return Cost(wall_s=time.perf_counter() - began_s, cpu_s=sum(os.times()[:4]) - before)


def _idle(watched_s: float) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(f"idle for {watched_s:.0f} s", "resident", "CPU", "wake-ups")]
    for further in (0, INBOXES - 1):
        with ground.folder() as folder, ground.Remote(folder) as remote:
            site = ManyInboxes(folder / "site", remote.url, further=further)
            load = _load(site, lambda site: len(site.times_of("inbox.watched")), further + 1, watched_s)
        resident = f"{load.memory_bytes / MEGABYTE:.1f} MB"
        rows.append(
            (
                f"{further + 1} inboxes",
                resident,
                f"{100 * load.cpu_share:.3f} % of a core",
                f"{load.wakeups_per_s:.1f} a second",
            )
        )
    return rows


def _backlog() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("prompts that wait", "resident", "CPU", "a prompt")]
    few_bytes = 0
    for count in (FEW, FILES):
        with ground.folder() as folder, ground.Remote(folder, "--fault", "never=1") as remote:
            site = ground.Daemon(folder / "site", remote.url, settle="2s")
            site.drop(count)
            load = _load(site, seen, count, RESCANS_S)
        few_bytes = few_bytes or load.memory_bytes
        resident = f"{load.memory_bytes / MEGABYTE:.1f} MB"
        a_prompt = f"{(load.memory_bytes - few_bytes) / count:.0f} bytes"
        rows.append((f"{count:,}", resident, f"{100 * load.cpu_share:.1f} % of a core", a_prompt))
    return rows


def _load(
    site: ground.Daemon, ready: Callable[[ground.Daemon], int], count: int, watched_s: float
) -> ground.Load:
    """Return what the daemon takes while it is watched, once *ready* has come to *count*."""
    with site.running():
        site.until(lambda: ready(site) >= count, every_s=0.5)
        time.sleep(3)
        return site.load(watched_s)


if __name__ == "__main__":
    main()
