"""The lock of a state folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dropglow.errors import LedgerUnavailable
from dropglow.ledger.lock import StateLock

HOLDER = "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); input()"


def test_only_one_has_the_lock(tmp_path: Path) -> None:
    """A second taker is refused until the first lets go; taking twice is fine."""
    first, second = StateLock(tmp_path), StateLock(tmp_path)

    tries = [first.acquire(), first.acquire(), second.acquire()]
    first.release()
    first.release()
    tries.append(second.acquire())
    second.release()

    assert [True, True, False, True] == tries


def test_the_holder_can_be_named(tmp_path: Path) -> None:
    """The lock file holds the process id of whoever has it; without one, nobody is named."""
    lock = StateLock(tmp_path)
    before = lock.owner_pid()
    lock.acquire()

    assert (None, os.getpid()) == (before, StateLock(tmp_path).owner_pid())
    lock.release()


def test_nonsense_in_the_lock_file_names_nobody(tmp_path: Path) -> None:
    """What is no number is no process id."""
    (tmp_path / "lock").write_text("me")

    assert StateLock(tmp_path).owner_pid() is None


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The lock of a process that was killed is free at once."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()
    lock = StateLock(tmp_path)

    held = lock.acquire()
    holder.kill()
    holder.wait()
    free = lock.acquire()

    assert (False, True) == (held, free)
    lock.release()
    holder.stdin.close()
    holder.stdout.close()


def test_a_lock_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """A folder that is missing, or a link in the lock's place, is the operator's to mend."""
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")

    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(LedgerUnavailable):
            StateLock(folder).acquire()
