"""Serve a pretend Firefly in a process of its own, until SIGTERM; then write its books.

The first line of the standard output is the address. The durations of jobs are
drawn in the order of acceptance from the same seed each time, so that several
clients, one after the other, meet the same work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
from pathlib import Path
from typing import Final

from dropglow.sandbox.faults import Faults, parse_faults
from dropglow.sandbox.orders import Order
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

SPREAD: Final = 0.05


class KindsOfWork(World):
    """A world in which the length of a job follows from its size, within five percent."""

    def __init__(self, typical_s: dict[str, float], *, seed: int, faults: Faults) -> None:
        """Take *typical_s* seconds for each ``WIDTHxHEIGHT``."""
        super().__init__(seed=seed, faults=faults)
        self._typical_s = typical_s
        self._spread = random.Random(f"{seed} spread")

    def _duration(self, order: Order) -> float:
        typical_s = self._typical_s[f"{order.width}x{order.height}"]
        return typical_s * self._spread.uniform(1 - SPREAD, 1 + SPREAD)


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--typical", type=json.loads, default={}, help='{"1024x1024": 2.5, …}')
    chosen = parser.parse_args()
    faults = parse_faults(["pictures=plain", *chosen.fault])
    world = (
        KindsOfWork(chosen.typical, seed=chosen.seed, faults=faults)
        if chosen.typical
        else World(seed=chosen.seed, faults=faults)
    )
    asyncio.run(_serve(world))
    chosen.books.write_text(json.dumps(world.books()), encoding="utf-8")


async def _serve(world: World) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Sandbox(world) as served:
        print(served.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    main()
