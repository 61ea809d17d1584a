"""What is known of inboxes and outboxes survives a restart; without it they are as new."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dropglow.disk import RealDisk
from dropglow.intake.atlas import Atlas
from dropglow.landmarks import Landmark, Mount, Role

MOUNT = Mount(point="/srv", kind="ext4", source="/dev/sdb1", remote=False)
LANDMARK = Landmark(device=11, inode=7, place="/srv/in", file_system=99, mount=MOUNT, mark="ours")


def an_atlas(folder: Path) -> Atlas:
    return Atlas(str(folder / "folders.json"), RealDisk())


def test_it_remembers_over_a_restart(tmp_path: Path) -> None:
    """Role, name and everything that tells the folder, also where the name is no UTF-8."""
    odd = os.fsdecode(b"/srv/caf\xe9")
    atlas = an_atlas(tmp_path)
    atlas.remember(Role.INBOX, "/srv/in", LANDMARK)
    atlas.remember(Role.OUTBOX, odd, Landmark(device=1, inode=2))
    again = an_atlas(tmp_path)

    assert LANDMARK == again.known(Role.INBOX, "/srv/in")
    assert Landmark(device=1, inode=2) == again.known(Role.OUTBOX, odd)
    assert again.known(Role.OUTBOX, "/srv/in") is None


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Paths may tell secrets."""
    an_atlas(tmp_path).remember(Role.INBOX, "/srv/in", LANDMARK)

    assert 0o600 == (tmp_path / "folders.json").stat().st_mode & 0o777


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[1]", '[{"role": "cellar"}]', '[{"role": "inbox", "folder": 1}]']
)
def test_a_broken_file_knows_nothing(tmp_path: Path, text: str) -> None:
    """And is no reason not to start."""
    (tmp_path / "folders.json").write_text(text)

    assert an_atlas(tmp_path).known(Role.INBOX, "/srv/in") is None


def test_a_full_disk_is_no_reason_to_stop(tmp_path: Path) -> None:
    """What cannot be written down is known for this life."""
    atlas = an_atlas(tmp_path / "missing")
    atlas.remember(Role.INBOX, "/srv/in", LANDMARK)

    assert LANDMARK == atlas.known(Role.INBOX, "/srv/in")
