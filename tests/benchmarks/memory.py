"""What 20,000 waiting prompts cost the daemon in memory, against the same daemon with 20.

The jobs never end, so that the rest waits where files wait: in the inbox. The
figures are taken twice, half a minute apart, so that a whole look over the
inbox lies between them; what that look costs in processor time is told too.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import ground

MANY: Final = 20_000
FEW: Final = 20
WATCHED_S: Final = 35.0
MEGABYTE: Final = 1024 * 1024


def main() -> None:
    """Measure with few and with many, and print the ratio."""
    loads = {count: _load(count) for count in (FEW, MANY)}
    rows: list[tuple[str, ...]] = [("prompts", "resident", "/ with 20", "CPU while waiting")]
    for count, load in loads.items():
        rows.append(
            (
                f"{count:,}",
                f"{load.memory_bytes / MEGABYTE:.1f} MB",
                f"{load.memory_bytes / loads[FEW].memory_bytes:.2f}",
                f"{100 * load.cpu_share:.1f} % of a core",
            )
        )
    ground.table(rows)


def _load(count: int) -> ground.Load:
    with ground.folder() as folder, ground.Remote(folder, "--fault", "never=1") as remote:
        site = ground.Daemon(folder / "site", remote.url)
        site.drop(count)
        with site.running():
            site.until(lambda: seen(site) >= count, every_s=0.5)
            time.sleep(3)
            return site.load(WATCHED_S)


def seen(site: ground.Daemon) -> int:
    """Return how many prompts the daemon knows of: ordered, admitted or ready in the inbox."""
    status = site.folder / "state" / "status.json"
    if not status.exists():
        return 0
    document = json.loads(status.read_text(encoding="utf-8"))
    return len(site.times_of("drop.admitted")) + sum(int(inbox["ready"]) for inbox in document["inboxes"])


if __name__ == "__main__":
    main()
