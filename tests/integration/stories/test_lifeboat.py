"""A receipt that the ledger cannot take in survives the end of the process."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from dropglow.errors import LedgerUnavailable
from dropglow.events import Accepted
from dropglow.holding import own
from dropglow.ledger.base import Ledger
from dropglow.ledger.lifeboat import LIFEBOAT_FILE, SIZE_BYTES
from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


class FullLedger:
    """A ledger that has no room left once an order was accepted."""

    def __init__(self, healthy: Ledger) -> None:
        self._healthy = healthy
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._healthy, name)

    async def save(self, before: Any, after: Any, event: Any, **options: Any) -> Any:
        if isinstance(event, Accepted):
            self.refused += 1
        if self.refused:
            raise LedgerUnavailable("the ledger cannot be used now: disk full")
        return await self._healthy.save(before, after, event, **options)


async def test_an_accepted_order_is_not_in_doubt_after_a_full_disk(make_daemon: DaemonMaker) -> None:
    """The process ends while nothing can be stored; the next one knows the job id and delivers, and buys nothing."""
    daemon = make_daemon(hurry=20)
    daemon.prompt()
    full: list[FullLedger] = []

    def filled(healthy: Ledger) -> FullLedger:
        full.append(FullLedger(healthy))
        return full[-1]

    daemon.ledger = filled
    await daemon.run_until(lambda: full and full[-1].refused)
    daemon.ledger = lambda healthy: healthy

    async with own(daemon.folder / "state") as owned:
        stages = [job.stage for job in owned.landed.jobs]
    await daemon.run_once()

    assert [Stage.RUNNING] == stages
    assert 1 == daemon.books()["accepted"]
    assert 1 == len(daemon.results())
    assert [] == [each for each in (await daemon.history()).values() if "Doubted" in each]


async def test_a_receipt_that_is_safe_nowhere_is_told(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Where the lifeboat has no room either, the log is the only place that knows the job id."""
    daemon = make_daemon(hurry=20)
    await daemon.run_once()
    told = {
        "attempt": 1,
        "at": "2026-11-03T12:00:00+00:00",
        "remote_id": "x",
        "status_url": "",
        "cancel_url": "",
    }
    aboard = [json.dumps({"job": f"unknown{number:03}.1", **told}) for number in range(1000)]
    boat = "\n".join(aboard).encode()[: SIZE_BYTES - 50]
    (daemon.folder / "state" / LIFEBOAT_FILE).write_bytes(
        boat.rpartition(b"\n")[0].ljust(SIZE_BYTES - 1) + b"\n"
    )
    daemon.prompt()
    full: list[FullLedger] = []

    def filled(healthy: Ledger) -> FullLedger:
        full.append(FullLedger(healthy))
        return full[-1]

    daemon.ledger = filled
    await daemon.run_until(lambda: full and full[-1].refused)

    [said] = [json.loads(line) for line in log.getvalue().splitlines() if "receipt.unsafe" in line]
    assert daemon.books()["jobs"][0]["id"] == said["job_id"]
