"""An inbox that does not let the service in at once: it is tried again, and nobody else suffers."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from dropglow.disk import RealDisk, refusal

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


class StubbornDisk(RealDisk):
    """A disk that refuses its first moves out of a work folder."""

    def __init__(self) -> None:
        self.refusals = 2

    def move(self, source: str, target: str) -> None:
        if "/.dropglow/work/" in source and self.refusals:
            self.refusals -= 1
            raise refusal("move to", target, OSError(errno.EIO, os.strerror(errno.EIO)))
        super().move(source, target)


async def test_an_orphan_that_cannot_be_given_back_yet_ends_nothing(make_daemon: DaemonMaker) -> None:
    """A file that an earlier life left in work goes back once the disk lets it, and is delivered."""
    daemon = make_daemon()
    daemon.disk = StubbornDisk()
    work = daemon.photos / ".dropglow" / "work"
    work.mkdir(parents=True)
    daemon.photo().rename(work / "1rx0000000~beach.jpg")
    daemon.prompt()

    await daemon.run_until((daemon.photos / "_done/beach.jpg").exists)

    assert 3 == len(daemon.results())
