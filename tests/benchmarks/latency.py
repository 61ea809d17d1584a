"""How long a file lies in the inbox before its order reaches Firefly, as a multiple of ``settle``.

One prompt at a time is written elsewhere and renamed into the inbox of a
daemon that rests. Nothing can be quicker than ``settle``: that long a file has to lie still.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import ground

DROPS: Final = 30
SETTLE_S: Final = 0.2


def main() -> None:
    """Drop, wait for the order, and print the times."""
    taken_s = sorted(_latencies())
    rows = [("", "time", "/ settle")]
    for name, share in (("quickest", 0.0), ("median", 0.5), ("95 %", 0.95)):
        value_s = ground.quantile(taken_s, share)
        rows.append((name, f"{1000 * value_s:.0f} ms", f"{value_s / SETTLE_S:.2f}"))
    print(f"{DROPS} single drops, settle {1000 * SETTLE_S:.0f} ms, from the rename to the order's arrival")
    ground.table(rows)


def _latencies() -> list[float]:
    dropped_at: dict[str, float] = {}
    dice = random.Random(0)
    with ground.folder() as folder, ground.Remote(folder, "--fault", "duration=0") as remote:
        settle = f"{1000 * SETTLE_S:.0f}ms"
        site = ground.Daemon(folder / "site", remote.url, settle=settle, poll="{min: 50ms, max: 50ms}")
        with site.running():
            site.until(lambda: bool(site.times_of("inbox.watched")))
            for number in range(DROPS):
                written = folder / f"{number:05}.txt"
                written.write_text(ground.prompt(number), encoding="utf-8")
                # At no moment in particular of whatever the daemon does now and then.
                time.sleep(dice.uniform(0.3, 1.3))
                dropped_at[ground.prompt(number)] = time.time()
                written.rename(site.inbox / written.name)
                site.until_done(number + 1)
    return [float(job["accepted_at"]) - dropped_at[job["prompt"]] for job in remote.books["jobs"]]


if __name__ == "__main__":
    main()
