"""New folders for the state, on a machine that cannot make their names last."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dropglow.ledger.belongings import make_folder, make_state_folder


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """Let nothing be opened, and so no folder be synced, during the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_one = os.dup(0)
    os.close(next_one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("make", "below"),
    [(make_state_folder, "srv/dropglow/state"), (make_state_folder, "state"), (make_folder, "wishes")],
)
def test_a_folder_whose_name_does_not_last_is_not_left_there(
    tmp_path: Path, make: Callable[[Path], None], below: str
) -> None:
    """The next start would find it, keep its ledger in it, and lose both to a power cut."""
    for _ in range(2):
        with no_more_files(), pytest.raises(OSError, match="Too many open files"):
            make(tmp_path / below)

    assert [] == list(tmp_path.iterdir())
    make(tmp_path / below)
    assert 0o700 == (tmp_path / below).stat().st_mode & 0o777
