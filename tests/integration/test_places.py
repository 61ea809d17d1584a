"""A drop's file on its way into its last folder and back, on real folders."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dropglow.disk import RealDisk
from dropglow.model import After, Drop, DropKey, DropState, Kind, RuleName
from dropglow.runtime import places

LONG = "n" * 246 + ".txt"


def failed_drop(inbox: Path, name: str = "fox.txt", text: bytes = b"a fox") -> Drop:
    """Return a drop that failed: its file and its report stand in ``_failed``."""
    place = inbox / "_failed" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    found = place.stat()
    drop = Drop(
        key=DropKey("abc"),
        inbox=str(inbox),
        path=name,
        place=str(place),
        rule=RuleName("art"),
        rule_digest="d",
        sha256=hashlib.sha256(text).hexdigest(),
        size_bytes=len(text),
        device=found.st_dev,
        inode=found.st_ino,
        kind=Kind.PROMPT,
        after=After(done=str(inbox / "_done"), failed=str(inbox / "_failed"), held=str(inbox / "_held")),
        state=DropState.FAILED,
        admitted_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    places.write_report(RealDisk(), drop, DropState.FAILED, "it failed")
    return drop


def test_a_file_with_a_long_name_comes_back(tmp_path: Path) -> None:
    """The report beside a name that leaves no room for its ending is found and removed, too."""
    drop = failed_drop(tmp_path, LONG)

    back = places.take_back(RealDisk(), drop)

    assert b"a fox" == Path(back.place).read_bytes()
    assert [] == list((tmp_path / "_failed").iterdir())


def test_a_long_name_moved_back_is_exchanged(tmp_path: Path) -> None:
    """Moved back into the inbox by hand, it goes on in its own drop, and its report goes."""
    drop = failed_drop(tmp_path, LONG)
    work = tmp_path / ".dropglow" / "work" / "new" / LONG
    work.parent.mkdir(parents=True)
    Path(drop.place).rename(work)

    back = places.exchange(RealDisk(), drop, replace(drop, key=DropKey("new"), place=str(work)))

    assert b"a fox" == Path(back.place).read_bytes()
    assert [] == list((tmp_path / "_failed").iterdir())


def test_another_file_of_the_same_name_is_not_taken(tmp_path: Path) -> None:
    """Where the drop's own file was taken away, the one that failed later under its name stays, and its report."""
    drop = failed_drop(tmp_path)
    failed_drop(tmp_path, text=b"another fox")

    back = places.take_back(RealDisk(), drop)

    assert "" == back.place
    assert ["fox.txt", "fox.txt.error.txt"] == sorted(path.name for path in (tmp_path / "_failed").iterdir())
