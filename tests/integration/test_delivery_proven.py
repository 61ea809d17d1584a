"""What was proven as it came is not read again before it gets its name, unless anything about it is another."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image

from dropglow.delivery.outbox import Outbox
from dropglow.delivery.proven import Proven
from dropglow.delivery.spool import Spool
from dropglow.disk import RealDisk
from dropglow.errors import DeliveryError, FileGone
from dropglow.model import Job, Output

if TYPE_CHECKING:
    from tests.integration.conftest import Delivery, DiskMaker


def a_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 8), (1, 90, 160)).save(stream, "JPEG")
    return stream.getvalue()


PICTURE: Final = a_picture()


def fetched(delivery: Delivery, spool: Spool) -> Job:
    file = spool.open(delivery.job, Output(index=0, seed=70, url="https://h/x?sig=s"))
    file.write(PICTURE)
    return replace(delivery.job, artifacts=(file.finish(expected_bytes=len(PICTURE)),))


class CountingDisk(RealDisk):
    """The real disk; it remembers which files were hashed."""

    def __init__(self) -> None:
        self.digested: list[str] = []

    def digest(self, path: str) -> str:
        self.digested.append(path)
        return super().digest(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A spool and an outbox that know what one of them has proven, on a disk that counts what is read."""

    disk: CountingDisk
    spool: Spool
    outbox: Outbox

    def fetch(self, delivery: Delivery) -> Job:
        """Return the job with one result in the spool."""
        return fetched(delivery, self.spool)


def a_life() -> Life:
    disk, proven = CountingDisk(), Proven()
    return Life(disk=disk, spool=Spool(disk, proven=proven), outbox=Outbox(disk, proven=proven))


def test_a_result_that_is_as_it_was_proven_is_not_read_again(delivery: Delivery) -> None:
    """It has the bytes that it had."""
    life = a_life()
    job = life.fetch(delivery)

    life.outbox.deliver(job, delivery.drop, now=delivery.now)

    assert ({"beach_70.jpg": PICTURE}, []) == (delivery.visible(), life.disk.digested)


def test_a_result_that_another_life_proved_is_read_again(delivery: Delivery) -> None:
    """Once, before it gets its name."""
    life, later = a_life(), a_life()
    job = life.fetch(delivery)

    later.outbox.deliver(job, delivery.drop, now=delivery.now)

    assert [job.artifacts[0].temporary] == later.disk.digested


def _of_other_bytes(path: Path) -> None:
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:  # the kernel's clock ticks a few hundred times a second
        path.write_bytes(b"x" * len(PICTURE))


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"x" * len(PICTURE))
    other.rename(path)


def _of_other_bytes_and_old_times(path: Path) -> None:
    before = path.stat()
    _of_other_bytes(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "tamper", [_of_other_bytes, _replaced, _of_other_bytes_and_old_times], ids=lambda each: each.__name__
)
def test_a_result_that_was_tampered_with_after_it_was_proven_is_not_delivered(
    delivery: Delivery, tamper: Callable[[Path], None]
) -> None:
    """Its stat tells, the time of its change at the latest, which nobody can set."""
    life = a_life()
    job = life.fetch(delivery)
    tamper(Path(job.artifacts[0].temporary))

    with pytest.raises(FileGone):
        life.outbox.deliver(job, delivery.drop, now=delivery.now)

    assert not delivery.visible()


def test_a_result_whose_name_was_refused_is_read_at_the_next_try(
    delivery: Delivery, faulty_disk: DiskMaker
) -> None:
    """What was proven is believed once; what came between is not known."""
    proven = Proven()
    full = faulty_disk(faulty_disk.fault(verb="publish", number=errno.ENOSPC))
    job = fetched(delivery, Spool(full, proven=proven))
    with pytest.raises(DeliveryError, match="is full"):
        Outbox(full, proven=proven).deliver(job, delivery.drop, now=delivery.now)
    counting = CountingDisk()

    Outbox(counting, proven=proven).deliver(job, delivery.drop, now=delivery.now)

    assert [job.artifacts[0].temporary] == counting.digested
    assert {"beach_70.jpg": PICTURE} == delivery.visible()
