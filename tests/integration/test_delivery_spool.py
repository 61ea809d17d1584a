"""Downloads on their way to disk: complete and verified, or not there at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from dropglow.delivery.spool import Spool, SpoolFile
from dropglow.disk import RealDisk
from dropglow.errors import DeliveryError, FileGone
from dropglow.model import Output

if TYPE_CHECKING:
    from tests.integration.conftest import Delivery, DiskMaker

OUTPUT = Output(index=0, seed=7, url="https://h/x?sig=secret")


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("RGB").save(stream, kind)
    return stream.getvalue()


def opened(delivery: Delivery, data: bytes) -> SpoolFile:
    file = Spool(RealDisk()).open(delivery.job, OUTPUT)
    file.write(data[:100])
    file.write(data[100:])
    return file


@pytest.mark.parametrize(
    ("kind", "media_type", "extension"),
    [
        ("JPEG", "image/jpeg", ".jpg"),
        ("PNG", "image/png", ".png"),
        ("WEBP", "image/webp", ".webp"),
        ("TIFF", "image/tiff", ".tiff"),
        ("GIF", "image/gif", ".gif"),
    ],
)
def test_a_complete_picture_becomes_an_artifact(
    delivery: Delivery, kind: str, media_type: str, extension: str
) -> None:
    """Type, extension and size come from the bytes, and the bytes are as they came."""
    data = encoded(kind)

    artifact = opened(delivery, data).finish(expected_bytes=len(data))

    assert (media_type, extension) == (artifact.media_type, artifact.extension)
    assert (40, 30) == (artifact.width, artifact.height)
    assert hashlib.sha256(data).hexdigest() == artifact.sha256
    assert [data] == list(delivery.files().values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("missing", [1, 2, 10, 200])
def test_a_picture_that_is_cut_off_is_refused(delivery: Delivery, kind: str, missing: int) -> None:
    """Even when no length was announced, what is missing at the end is noticed, and nothing stays."""
    file = opened(delivery, encoded(kind)[:-missing])

    with pytest.raises(DeliveryError):
        file.finish(expected_bytes=None)

    assert not delivery.files()


@pytest.mark.parametrize(
    ("data", "expected", "message"),
    [
        (b"<html><body>Bad Gateway</body></html>", None, "no picture or video"),
        (b"", None, "empty"),
        (b"\xff\xd8\xff" + b"x" * 60, None, "damaged or cut off image/jpeg"),
        (b"\xff\xd8\xff", 1000, "3 of 1000 bytes came"),
    ],
)
def test_what_is_no_picture_is_refused(
    delivery: Delivery, data: bytes, expected: int | None, message: str
) -> None:
    """A server's error page, nothing, damage and a broken connection are told apart, with a hint."""
    file = opened(delivery, data)

    with pytest.raises(DeliveryError, match=message) as refused:
        file.finish(expected_bytes=expected)

    assert "fetched again" in refused.value.hint
    assert not delivery.files()


@pytest.mark.parametrize(
    ("told", "asked", "results", "expected"),
    [
        (7, (1, 2), 2, 7),
        (None, (1, 2), 2, 2),
        (None, (1, 2, 3), 2, None),
        (None, (), 2, None),
    ],
    ids=["told", "not told", "fewer than asked for", "none asked for"],
)
def test_a_seed_that_is_not_told_is_the_orders(
    delivery: Delivery, told: int | None, asked: tuple[int, ...], results: int, expected: int | None
) -> None:
    """The second result has the second seed, unless some are missing, which leaves it open."""
    outputs = tuple(replace(OUTPUT, index=index, seed=told) for index in range(results))
    job = replace(delivery.job, order=replace(delivery.job.order, seeds=asked), outputs=outputs)
    file = Spool(RealDisk()).open(job, outputs[1])
    file.write(encoded("PNG"))

    assert expected == file.finish(expected_bytes=None).seed


def test_a_temporary_file_is_hidden_and_the_jobs_own(delivery: Delivery) -> None:
    """It stands in the folder where the result will be."""
    file = Spool(RealDisk()).open(delivery.planned(folder="a/b").job, OUTPUT)

    assert file.path.startswith(f"{delivery.outbox}/a/b/.dropglow-abcdefghij.1-0-")
    assert file.path.endswith(".part")
    file.discard()


def test_a_discard_removes_only_what_is_unfinished(delivery: Delivery) -> None:
    """A worker may discard in any case: a finished download stays."""
    data = encoded("PNG")
    broken, whole = opened(delivery, data), opened(delivery, data)
    whole.finish(expected_bytes=None)

    broken.discard()
    whole.discard()

    assert [data] == list(delivery.files().values())


def test_permissions_are_the_rules(delivery: Delivery) -> None:
    """A rule's mode is set before the result can be seen; without one the umask decides."""
    umask = os.umask(0o022)
    try:
        opened(delivery.planned(mode=0o640), encoded("PNG")).finish(expected_bytes=None)
        ruled = [stat.S_IMODE(path.stat().st_mode) for path in delivery.outbox.iterdir()]
        plain = opened(delivery, encoded("PNG"))
        unruled = stat.S_IMODE(os.stat(plain.path).st_mode)  # noqa: PTH116
        plain.discard()
    finally:
        os.umask(umask)

    assert [0o640] == ruled
    assert 0o644 == unruled


@pytest.mark.parametrize("verb", ["create", "file.write", "file.finish"])
def test_a_full_outbox_is_told_in_words(delivery: Delivery, faulty_disk: DiskMaker, verb: str) -> None:
    """The operator reads which outbox is full, and that nothing else is to be done."""
    disk = faulty_disk(faulty_disk.fault(verb=verb, number=errno.ENOSPC))

    with pytest.raises(DeliveryError, match="is full") as refused:
        delivery.fetch(disk)

    assert str(delivery.outbox) in refused.value.message
    assert "by itself" in refused.value.hint


def test_a_missing_outbox_is_told_in_words(delivery: Delivery) -> None:
    """A share that is not mounted is not replaced by folders of ours."""
    missing = delivery.planned(outbox=f"{delivery.outbox}/not/mounted")

    with pytest.raises(DeliveryError, match="is not there") as refused:
        Spool(RealDisk()).open(missing.job, OUTPUT)

    assert "mounted" in refused.value.hint
    assert [] == list(delivery.outbox.iterdir())


def test_a_temporary_file_that_somebody_removed_is_gone(delivery: Delivery) -> None:
    """The download did not fail; its file is gone, and is fetched again."""
    file = opened(delivery, encoded("PNG"))
    os.unlink(file.path)  # noqa: PTH108

    with pytest.raises(FileGone):
        file.finish(expected_bytes=None)


def test_leftovers_of_a_crash_are_swept(delivery: Delivery) -> None:
    """What the job remembers stays, and so does everything that is not this job's."""
    disk = RealDisk()
    job = delivery.fetch(disk)
    opened(delivery, b"half")
    foreign = delivery.outbox / ".dropglow-zzzzzzzzzz.1-0-00.part"
    foreign.write_bytes(b"another Dropglow's")
    similar = delivery.outbox / ".dropglow-abcdefghij.12-0-00.part"
    similar.write_bytes(b"another job's")

    Spool(disk).sweep_leftovers([job])

    kept = {os.path.basename(job.artifacts[0].temporary), foreign.name, similar.name}  # noqa: PTH119
    assert kept == set(delivery.files())


def test_forgetting_a_job_removes_its_fetched_results(delivery: Delivery) -> None:
    """A job that is given up leaves nothing hidden behind; a missing outbox has nothing to forget."""
    disk = RealDisk()
    job = delivery.fetch(disk, count=2)

    Spool(disk).forget(job)
    Spool(disk).forget(replace(job, order=delivery.planned(outbox="/nowhere/at/all").job.order))

    assert not delivery.files()


@pytest.mark.parametrize("foreign", [b"more", None], ids=["longer", "cut"])
def test_what_somebody_else_made_of_a_download_is_refused(delivery: Delivery, foreign: bytes | None) -> None:
    """It is not what came, although it may be a picture all the same."""
    data = encoded("JPEG")
    file = opened(delivery, data + b"the end of what came")
    with open(file.path, "r+b") as other:  # noqa: PTH123
        if foreign is None:
            other.truncate(len(data))
        else:
            other.seek(0, os.SEEK_END)
            other.write(foreign)

    with pytest.raises(DeliveryError, match="bytes of the"):
        file.finish(expected_bytes=None)

    assert not delivery.files()


@pytest.mark.parametrize("missing", ["out/a", "out/a/b"])
def test_a_missing_folder_is_made(delivery: Delivery, missing: str) -> None:
    """What is mirrored below the outbox."""
    planned = delivery.planned(folder="a/b")
    (delivery.outbox.parent / missing).parent.mkdir(parents=True, exist_ok=True)

    file = Spool(RealDisk()).open(planned.job, OUTPUT)

    assert [f"{delivery.outbox}/a/b"] == [os.path.dirname(file.path)]  # noqa: PTH120
    file.discard()


@pytest.mark.parametrize("folder", ["", "a/b"])
def test_an_outbox_that_is_not_there_gets_nothing(delivery: Delivery, folder: str) -> None:
    """It was there when somebody looked, so it is on a share that is just going: no folder is made."""
    planned = delivery.planned(folder=folder, outbox=f"{delivery.outbox}/deep")

    with pytest.raises(DeliveryError, match="is not there"):
        Spool(RealDisk()).open(planned.job, OUTPUT)

    assert [] == list(delivery.outbox.iterdir())


def test_an_outbox_without_room_is_not_asked_twice(delivery: Delivery, faulty_disk: DiskMaker) -> None:
    """A folder more would not help."""
    disk = faulty_disk(faulty_disk.fault(verb="create", number=errno.EDQUOT, lasting=True))

    with pytest.raises(DeliveryError, match="is full"):
        Spool(disk).open(delivery.planned(folder="a").job, OUTPUT)

    assert ["create"] == [verb for verb, _ in disk.calls]
