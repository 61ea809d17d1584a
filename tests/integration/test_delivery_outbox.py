"""Results get their final names: once, whole, and beside everybody else's files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dropglow.delivery.outbox import Outbox
from dropglow.delivery.spool import Spool
from dropglow.disk import RealDisk
from dropglow.errors import DeliveryError, FileGone
from dropglow.model import Collision, RemoteId, Submission

if TYPE_CHECKING:
    from tests.integration.conftest import Delivery, DiskMaker

SHARED = {"beach_70.jpg": b"theirs", "beach_70_2.jpg.json": b'{"theirs": true}', "beach_71.jpg.json": b"{"}


@pytest.fixture
def disk() -> RealDisk:
    return RealDisk()


def share(delivery: Delivery) -> None:
    """Put somebody else's files where the results want to be."""
    delivery.outbox.mkdir(exist_ok=True)
    for name, data in SHARED.items():
        (delivery.outbox / name).write_bytes(data)


def test_results_get_their_names(delivery: Delivery, disk: RealDisk) -> None:
    """After delivery the results are there with the bytes that came, and nothing else is."""
    job = delivery.fetch(disk, count=2)
    fetched = sorted(delivery.files().values())

    names = delivery.deliver(disk, job)

    assert ["beach_70.jpg", "beach_71.jpg"] == names
    assert fetched == sorted(delivery.files().values())
    assert set(names) == set(delivery.files())


def test_a_taken_name_is_left_alone(delivery: Delivery, disk: RealDisk) -> None:
    """By default the result takes the next free name."""
    share(delivery)

    names = delivery.deliver(disk, delivery.fetch(disk))

    assert ["beach_70_2.jpg"] == names
    assert b"theirs" == (delivery.outbox / "beach_70.jpg").read_bytes()


def test_with_sidecars_both_names_must_be_free(delivery: Delivery, disk: RealDisk) -> None:
    """A foreign JSON file beside a free name makes that name taken."""
    share(delivery)
    planned = delivery.planned(sidecar=True)

    names = planned.deliver(disk, planned.fetch(disk, count=2))

    assert ["beach_70_3.jpg", "beach_71_2.jpg"] == names
    assert SHARED.items() <= delivery.files().items()


def test_a_sidecar_tells_of_its_result(delivery: Delivery, disk: RealDisk) -> None:
    """It names the file that it stands beside, and has the same permissions."""
    planned = delivery.planned(sidecar=True, mode=0o640)
    job = planned.fetch(disk)

    planned.deliver(disk, job)

    sidecar = delivery.outbox / "beach_70.jpg.json"
    document = json.loads(sidecar.read_bytes())
    assert "beach_70.jpg" == document["result"]["name"]
    assert job.artifacts[0].sha256 == document["result"]["sha256"]
    assert 0o640 == sidecar.stat().st_mode & 0o777


def test_a_sidecar_appears_before_its_result(delivery: Delivery, faulty_disk: DiskMaker) -> None:
    """Whoever waits for the picture finds the sidecar there."""
    disk = faulty_disk()
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk)

    planned.deliver(disk, job)

    published = [Path(path).name for verb, path in disk.calls if verb == "publish"]
    assert ["beach_70.jpg.json", "beach_70.jpg"] == published


def test_overwrite_replaces_what_stood_there(delivery: Delivery, disk: RealDisk) -> None:
    """The rule asked for it; the old sidecar goes as well."""
    share(delivery)
    (delivery.outbox / "beach_70.jpg.json").write_bytes(b"old")
    planned = delivery.planned(collision=Collision.OVERWRITE, sidecar=True)

    names = planned.deliver(disk, planned.fetch(disk))

    assert ["beach_70.jpg"] == names
    assert b"theirs" not in delivery.files().values()
    assert 1 == json.loads(delivery.files()["beach_70.jpg.json"])["version"]


def test_overwrite_spares_folders_links_and_the_jobs_own_results(delivery: Delivery, disk: RealDisk) -> None:
    """Two results of one order never replace each other, whatever the template."""
    planned = delivery.planned(collision=Collision.OVERWRITE, name="{stem}{ext}")
    (delivery.outbox / "beach.jpg").mkdir(parents=True)
    (delivery.outbox / "beach_2.jpg").symlink_to("/etc/hostname")

    names = planned.deliver(disk, planned.fetch(disk, count=2))

    assert ["beach_3.jpg", "beach_4.jpg"] == names


def test_skip_leaves_what_stood_there_and_drops_the_result(delivery: Delivery, disk: RealDisk) -> None:
    """The existing file stays, nothing hidden is left, and doing it again says the same."""
    share(delivery)
    planned = delivery.planned(collision=Collision.SKIP, sidecar=True)
    job = planned.fetch(disk)

    first = planned.deliver(disk, job)
    second = planned.deliver(disk, job)

    assert [] == first == second
    assert SHARED == delivery.files()


def test_subfolders_are_mirrored(delivery: Delivery, disk: RealDisk) -> None:
    """A file dropped into a folder has its results in the same folder of the outbox."""
    planned = delivery.planned(folder="summer/../beach")

    names = planned.deliver(disk, planned.fetch(disk))

    assert ["summer/_/beach/beach_70.jpg"] == names


def test_a_template_may_make_folders(delivery: Delivery, disk: RealDisk) -> None:
    """A name with slashes makes sub folders, and one that mentions the folder replaces the mirroring."""
    planned = delivery.planned(folder="summer", name="{folder}-{stem}/{index}{ext}")
    planned = replace(
        planned,
        job=replace(
            planned.job, order=replace(planned.job.order, tokens={"stem": "beach", "folder": "summer"})
        ),
    )

    names = planned.deliver(disk, planned.fetch(disk))

    assert ["summer-beach/1.jpg"] == names


def test_a_size_that_no_order_names_is_measured(delivery: Delivery, disk: RealDisk) -> None:
    """Where Adobe chooses the size, the result tells it."""
    planned = delivery.planned(name="{stem}_{size}{ext}")

    names = planned.deliver(disk, planned.fetch(disk))

    assert ["beach_16x8.jpg"] == names


@pytest.mark.parametrize(
    ("remote_id", "name"),
    [("urn:ff:jobs:eso851211:86ffe2ea-d765", "beach_86ffe2ea-d765.jpg"), ("plain", "beach_plain.jpg")],
)
def test_a_name_may_hold_adobes_job_id(delivery: Delivery, disk: RealDisk, remote_id: str, name: str) -> None:
    """The last part of the id tells the job apart; the rest is the same for all."""
    planned = delivery.planned(name="{stem}_{job_id}{ext}")
    submission = Submission(remote_id=RemoteId(remote_id), status_url="https://h/status")
    planned = replace(planned, job=replace(planned.job, submission=submission))

    assert [name] == planned.deliver(disk, planned.fetch(disk))


def test_a_job_without_a_receipt_leaves_its_id_out(delivery: Delivery, disk: RealDisk) -> None:
    """Nothing stands where nothing is known."""
    planned = delivery.planned(name="{stem}_{job_id}{ext}")
    planned = replace(planned, job=replace(planned.job, submission=None))

    assert ["beach.jpg"] == planned.deliver(disk, planned.fetch(disk))


def test_delivering_again_changes_nothing(delivery: Delivery, disk: RealDisk) -> None:
    """A delivery that the ledger did not hear of is found on the disk."""
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk, count=3)
    first = planned.deliver(disk, job)
    before = delivery.files()

    second = planned.deliver(disk, job)

    assert first == second
    assert before == delivery.files()


def test_a_result_that_somebody_renamed_is_found(delivery: Delivery, disk: RealDisk) -> None:
    """The inode speaks, not the name."""
    job = delivery.fetch(disk)
    delivery.deliver(disk, job)
    (delivery.outbox / "beach_70.jpg").rename(delivery.outbox / "best.jpg")

    assert ["best.jpg"] == delivery.deliver(disk, job)


def test_equal_bytes_of_somebody_else_are_not_ours(delivery: Delivery, disk: RealDisk) -> None:
    """A copy with the same bytes does not pass for the result."""
    job = delivery.fetch(disk)
    shutil.copy(job.artifacts[0].temporary, delivery.outbox / "beach_70.jpg")
    os.unlink(job.artifacts[0].temporary)  # noqa: PTH108

    with pytest.raises(FileGone) as gone:
        delivery.deliver(disk, job)

    assert "fetched again" in gone.value.hint


def test_with_a_sidecar_a_result_is_known_without_its_inode(delivery: Delivery, disk: RealDisk) -> None:
    """Where a share numbers its files anew, the sidecar beside the result says whose it is."""
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk)
    planned.deliver(disk, job)
    renumbered = replace(job, artifacts=(replace(job.artifacts[0], inode=1),))

    assert ["beach_70.jpg"] == planned.deliver(disk, renumbered)


def test_a_tampered_temporary_file_is_not_delivered(delivery: Delivery, disk: RealDisk) -> None:
    """Bytes that are not the ones that came count as gone."""
    job = delivery.fetch(disk)
    temporary = Path(job.artifacts[0].temporary)
    temporary.write_bytes(b"x" * temporary.stat().st_size)

    with pytest.raises(FileGone):
        delivery.deliver(disk, job)

    assert not delivery.visible()


def test_a_lost_outbox_is_told_in_words(delivery: Delivery, disk: RealDisk) -> None:
    """An outbox that vanished with the folder above it is a share that is not mounted."""
    planned = delivery.planned(outbox=f"{delivery.outbox}/deep")
    (delivery.outbox / "deep").mkdir()
    job = planned.fetch(disk)
    shutil.rmtree(delivery.outbox)

    with pytest.raises(DeliveryError, match="is not there") as refused:
        planned.deliver(disk, job)

    assert "mounted" in refused.value.hint


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES])
def test_a_refusal_postpones_and_loses_nothing(
    delivery: Delivery, faulty_disk: DiskMaker, disk: RealDisk, number: int
) -> None:
    """As soon as the disk works again, the delivery succeeds."""
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk)
    broken = faulty_disk(faulty_disk.fault(verb="publish", number=number, lasting=True))

    for _ in range(2):
        with pytest.raises(DeliveryError) as refused:
            planned.deliver(broken, job)
        assert refused.value.hint

    assert ["beach_70.jpg"] == planned.deliver(disk, job)
    assert {"beach_70.jpg", "beach_70.jpg.json"} == set(delivery.files())


def test_no_sidecar_is_laid_under_a_bare_mount_point(
    delivery: Delivery, disk: RealDisk, faulty_disk: DiskMaker
) -> None:
    """The share went when its result had been seen; back again, it gets both."""
    planned = delivery.planned(sidecar=True)
    job, away = planned.fetch(disk), delivery.outbox.with_name("away")

    def unmount() -> None:
        delivery.outbox.rename(away)
        delivery.outbox.mkdir()

    with pytest.raises(DeliveryError, match="is not there any more"):
        planned.deliver(faulty_disk(faulty_disk.fault(verb="create", deed=unmount)), job)

    delivery.outbox.rmdir()
    away.rename(delivery.outbox)
    assert ["beach_70.jpg"] == planned.deliver(disk, job)
    assert {"beach_70.jpg", "beach_70.jpg.json"} == set(delivery.files())


def test_an_outbox_that_is_a_link_to_a_folder_works(
    delivery: Delivery, disk: RealDisk, tmp_path: Path
) -> None:
    """Operators link outboxes to shares."""
    (tmp_path / "share").mkdir()
    delivery.outbox.rmdir()
    delivery.outbox.symlink_to(tmp_path / "share")

    delivery.deliver(disk, delivery.fetch(disk))

    assert ["beach_70.jpg"] == [path.name for path in (tmp_path / "share").iterdir()]


def test_a_probe_leaves_nothing(delivery: Delivery, disk: RealDisk) -> None:
    """A healthy outbox passes, is made when it is new and only it is missing, and stays empty."""
    Outbox(disk).probe(str(delivery.outbox), needed_bytes=1)
    Outbox(disk).probe(f"{delivery.outbox}/new", needed_bytes=1, make=True)

    assert ["new"] == [path.name for path in delivery.outbox.rglob("*")]


def test_an_outbox_that_went_meanwhile_is_not_made_again(delivery: Delivery, disk: RealDisk) -> None:
    """Whoever looked for it a moment ago does not hide what is on its share behind a new folder."""
    job = delivery.fetch(disk)
    share = delivery.outbox.rename(delivery.outbox.with_name("share"))

    for attempt in (
        lambda: delivery.deliver(disk, job),
        lambda: delivery.fetch(disk),
        lambda: Outbox(disk).probe(str(delivery.outbox)),
    ):
        with pytest.raises(DeliveryError, match="is not there"):
            attempt()

    assert not delivery.outbox.exists()
    share.rename(delivery.outbox)
    assert ["beach_70.jpg"] == delivery.deliver(disk, job)


def test_a_probe_tells_what_a_delivery_would_meet(
    delivery: Delivery, disk: RealDisk, faulty_disk: DiskMaker
) -> None:
    """Missing, too small, full and read-only outboxes are refused before money is spent."""
    outbox = str(delivery.outbox)

    with pytest.raises(DeliveryError, match="is not there"):
        Outbox(disk).probe(f"{outbox}/not/mounted")
    with pytest.raises(DeliveryError, match="nearly full"):
        Outbox(disk).probe(outbox, needed_bytes=1 << 62)
    for verb in ("create", "file.finish", "publish", "remove"):
        broken = faulty_disk(faulty_disk.fault(verb=verb, number=errno.EROFS))
        with pytest.raises(DeliveryError, match="read-only"):
            Outbox(broken).probe(outbox)

    assert [] == list(delivery.outbox.iterdir())


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", [None, errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("collision", list(Collision))
def test_an_interruption_anywhere_leaves_every_result_exactly_once(
    delivery: Delivery,
    faulty_disk: DiskMaker,
    disk: RealDisk,
    *,
    collision: Collision,
    number: int | None,
    after: bool,
) -> None:
    """Fail at each change of the disk in turn, do it again: one of each, and theirs untouched."""
    planned = delivery.planned(collision=collision, sidecar=True)
    expected: dict[str, bytes] | None = None
    step = 0
    interrupted = True
    while interrupted:
        shutil.rmtree(delivery.outbox, ignore_errors=True)
        share(delivery)
        job = planned.fetch(disk, count=2)
        broken = faulty_disk(faulty_disk.fault(nth=step, number=number, after=after))
        with contextlib.suppress(DeliveryError, faulty_disk.power_cut):
            planned.deliver(broken, job)
        interrupted = broken.bites > 0 or step == 0
        step += 1

        Spool(disk).sweep_leftovers([job])  # as at every start
        planned.deliver(disk, job)

        files = delivery.files()
        expected = expected or files
        assert expected == files, f"interrupted at {step - 1}: {broken.calls[-1:]}"
    assert step > 10


def test_a_sidecar_does_not_stay_beside_somebody_elses_file(
    delivery: Delivery, faulty_disk: DiskMaker, disk: RealDisk
) -> None:
    """Interrupted after the sidecar, and the name taken meanwhile: the sidecar moves on with the result."""
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk)
    broken = faulty_disk(faulty_disk.fault(verb="publish", nth=2, number=None))
    with contextlib.suppress(faulty_disk.power_cut):
        planned.deliver(broken, job)
    (delivery.outbox / "beach_70.jpg").write_bytes(b"theirs")

    names = planned.deliver(disk, job)

    assert ["beach_70_2.jpg"] == names
    assert {"beach_70.jpg", "beach_70_2.jpg", "beach_70_2.jpg.json"} == set(delivery.files())


@pytest.mark.parametrize(("nth", "taken"), [(1, "beach_70.jpg.json"), (2, "beach_70.jpg")])
@pytest.mark.parametrize("collision", [Collision.UNIQUE, Collision.SKIP])
def test_a_name_taken_at_the_last_moment_is_left_alone(
    delivery: Delivery, faulty_disk: DiskMaker, *, nth: int, taken: str, collision: Collision
) -> None:
    """Somebody is faster between the look and the rename: theirs stays, and no sidecar of ours beside it."""
    theirs = delivery.outbox / taken
    planned = delivery.planned(sidecar=True, collision=collision)
    disk = faulty_disk(faulty_disk.fault(verb="publish", nth=nth, deed=lambda: theirs.write_bytes(b"theirs")))
    job = planned.fetch(disk)

    names = planned.deliver(disk, job)

    skipped = collision is Collision.SKIP and taken == "beach_70.jpg"
    assert ([] if skipped else ["beach_70_2.jpg"]) == names
    assert b"theirs" == theirs.read_bytes()
    assert {taken, *names, *(f"{name}.json" for name in names)} == set(delivery.files())


@pytest.mark.parametrize("sidecar", [True, False])
def test_what_a_delivery_had_placed_is_known_when_the_rest_got_lost(
    delivery: Delivery, disk: RealDisk, *, sidecar: bool
) -> None:
    """Of two results with the same bytes, the one that has its final name is known, and the other one is not."""
    planned = delivery.planned(sidecar=sidecar)
    data = Path(planned.fetch(disk).artifacts[0].temporary).read_bytes()
    job = planned.fetch(disk, count=2, data=data)
    Path(job.artifacts[1].temporary).unlink()
    with pytest.raises(FileGone):
        planned.deliver(disk, job)

    standing = Outbox(disk).standing(job)

    assert job.artifacts[:1] == standing
    lost = replace(job, artifacts=standing)
    before = delivery.files()
    planned.deliver(disk, lost)
    assert before == delivery.files()


def test_nothing_stands_where_nothing_was_placed(delivery: Delivery, disk: RealDisk) -> None:
    """What has a temporary name only, or whose folder went, is to be fetched."""
    job = delivery.fetch(disk)

    at_first = Outbox(disk).standing(job)
    shutil.rmtree(delivery.outbox)

    assert ((), ()) == (at_first, Outbox(disk).standing(job))


def test_an_interrupted_move_by_link_is_finished(delivery: Delivery, disk: RealDisk) -> None:
    """A crash between linking and unlinking shows the result once, and nothing hidden stays."""
    planned = delivery.planned(sidecar=True)
    job = planned.fetch(disk)
    os.link(job.artifacts[0].temporary, delivery.outbox / "beach_70.jpg")

    names = planned.deliver(disk, job)

    assert ["beach_70.jpg"] == names
    assert {"beach_70.jpg", "beach_70.jpg.json"} == set(delivery.files())


def test_a_result_is_synced_before_it_is_reported(
    delivery: Delivery, faulty_disk: DiskMaker, disk: RealDisk
) -> None:
    """If the folder's sync failed, the next run syncs it before it says that all is well."""
    job = delivery.fetch(disk)
    broken = faulty_disk(faulty_disk.fault(verb="sync_folder"))
    with pytest.raises(DeliveryError):
        delivery.deliver(broken, job)
    again = faulty_disk()

    delivery.deliver(again, job)

    assert [str(delivery.outbox)] == again.synced
