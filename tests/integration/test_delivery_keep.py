"""Results that are paid for are kept at home while their outbox is away."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from dropglow.delivery.keep import Keep
from dropglow.delivery.spool import Spool
from dropglow.disk import RealDisk
from dropglow.errors import DeliveryError, FileGone
from dropglow.model import Artifact, Output

if TYPE_CHECKING:
    from tests.integration.conftest import Delivery

OUTPUT = Output(index=0, seed=70, url="https://h/x?sig=s")


def a_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 8), (1, 90, 160)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return Keep(str(tmp_path / "state" / "results"), disk=RealDisk(), spool=Spool(RealDisk()))


def downloaded(keep: Keep, delivery: Delivery, data: bytes) -> Artifact:
    file = keep.open(delivery.job, OUTPUT)
    file.write(data)
    return file.finish(expected_bytes=len(data))


def test_a_kept_result_is_brought_to_its_outbox(keep: Keep, delivery: Delivery, tmp_path: Path) -> None:
    """Byte for byte, as a temporary file of the very job, proven like a download."""
    data = a_picture()
    keep.keep(delivery.job, downloaded(keep, delivery, data))
    artifact = keep.bring(delivery.job, OUTPUT)

    assert [data] == list(delivery.files().values())
    assert (str(delivery.outbox), 70, "png") == (
        str(Path(artifact.temporary).parent),
        artifact.seed,
        artifact.extension.strip("."),
    )


def test_only_what_is_whole_counts_as_kept(keep: Keep, delivery: Delivery) -> None:
    """A download that breaks off, or was not given its name yet, is none."""
    before = keep.has(delivery.job, OUTPUT)
    with pytest.raises(DeliveryError):
        downloaded(keep, delivery, a_picture()[:-9])
    artifact = downloaded(keep, delivery, a_picture())
    nameless = keep.has(delivery.job, OUTPUT)
    keep.keep(delivery.job, artifact)

    assert (False, False, True) == (before, nameless, keep.has(delivery.job, OUTPUT))


def test_what_is_kept_is_for_its_owners_eyes(keep: Keep, delivery: Delivery, tmp_path: Path) -> None:
    """Whatever permissions the rule gives its results; and no sub-folder is mirrored."""
    mirrored = delivery.planned(folder="a/b", mode=0o666)
    keep.keep(mirrored.job, downloaded(keep, mirrored, a_picture()))
    (kept,) = (tmp_path / "state" / "results").iterdir()

    assert (0o600, 0o700) == (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777)


def test_a_forgotten_result_is_gone(keep: Keep, delivery: Delivery, tmp_path: Path) -> None:
    """It is delivered; to forget it twice is fine."""
    keep.keep(delivery.job, downloaded(keep, delivery, a_picture()))
    keep.forget(delivery.job.key, 1)
    keep.forget(delivery.job.key, 1)

    with pytest.raises(FileGone):
        keep.bring(delivery.job, OUTPUT)
    assert not delivery.files()


def test_a_start_clears_away_what_nobody_is_owed(keep: Keep, delivery: Delivery, tmp_path: Path) -> None:
    """Halves of a crash and results of jobs that rest go, the others stay."""
    folder = tmp_path / "state" / "results"
    keep.sweep_leftovers([])
    downloaded(keep, delivery, a_picture())
    keep.keep(delivery.job, downloaded(keep, delivery, a_picture()))
    (folder / "zzzzzzzzzz.1-0").touch()
    keep.sweep_leftovers([replace(delivery.job, outputs=(OUTPUT,))])
    owed = [path.name for path in folder.iterdir()]
    keep.sweep_leftovers([])

    assert ([f"{delivery.job.key}-0"], []) == (owed, list(folder.iterdir()))


def test_a_start_without_kept_results_knows_of_none_until_one_is(keep: Keep, delivery: Delivery) -> None:
    """What is kept afterwards is found, brought and forgotten as ever."""
    keep.sweep_leftovers([])
    before = keep.has(delivery.job, OUTPUT)
    keep.keep(delivery.job, downloaded(keep, delivery, a_picture()))
    kept = keep.has(delivery.job, OUTPUT)
    keep.forget(delivery.job.key, 1)

    assert (False, True, False) == (before, kept, keep.has(delivery.job, OUTPUT))


def test_a_start_with_kept_results_finds_them(keep: Keep, delivery: Delivery, tmp_path: Path) -> None:
    """Those of another life, also where all that it left was half a download."""
    keep.keep(delivery.job, downloaded(keep, delivery, a_picture()))
    later = Keep(str(tmp_path / "state" / "results"), disk=RealDisk(), spool=Spool(RealDisk()))
    unswept = later.has(delivery.job, OUTPUT)
    later.sweep_leftovers([replace(delivery.job, outputs=(OUTPUT,))])

    assert (True, True) == (unswept, later.has(delivery.job, OUTPUT))


def test_a_state_folder_that_does_not_tell_is_not_taken_for_an_empty_one(
    delivery: Delivery, tmp_path: Path
) -> None:
    """Whether something is kept there is asked anew each time."""
    (tmp_path / "results").write_bytes(b"no folder")
    keep = Keep(str(tmp_path / "results"), disk=RealDisk(), spool=Spool(RealDisk()))
    keep.sweep_leftovers([])
    (tmp_path / "results").unlink()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / f"{delivery.job.key}-0").touch()

    assert keep.has(delivery.job, OUTPUT)
