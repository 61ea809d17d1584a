"""What a start takes out of outboxes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import RealDisk
from dropglow.landmarks import Memory
from dropglow.ledger.memory import MemoryLedger
from dropglow.runtime.ground import Ground
from dropglow.runtime.outboxes import Outboxes

if TYPE_CHECKING:
    from tests.conftest import FakeClock


async def test_a_start_takes_away_what_a_killed_probe_left(tmp_path: Path, clock: FakeClock) -> None:
    """Also where no order is open that would look again; what another Dropglow tries at the moment stays."""
    for name in ("me-1", "me-2", "another-1"):
        (tmp_path / f".dropglow-probe-{name}.part").touch()
    disk = RealDisk()
    outboxes = Outboxes(
        outbox=Outbox(disk, owner="me"),
        spool=Spool(disk),
        ledger=MemoryLedger(),
        clock=clock,
        ground=Ground(Memory()),
    )

    await outboxes.tidy([str(tmp_path)])

    assert [".dropglow-probe-another-1.part"] == [path.name for path in tmp_path.iterdir()]
