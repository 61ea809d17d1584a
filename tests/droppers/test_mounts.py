"""Inboxes on FUSE mounts, written to from the other side, that go for a minute and come back."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.droppers import bed, equipment
from tests.droppers.mounts import MOUNTS, Mount, mounted

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse is not there for us"),
]
RESCAN_S = 5.0
SETTLE_S = 1.0
SLACK_S = 3.0  # for the looks themselves, and for the work after them
AWAY_S = 60.0 if equipment.thorough() else 7.0  # more than a rescan
ALL_S = 180.0
LINKLESS = "rclone"


@pytest.fixture(params=[name for name in MOUNTS if name != LINKLESS])
def share(request: pytest.FixtureRequest, tmp_path: Path, equipped: None) -> Iterator[Mount]:
    """Return a mounted inbox."""
    yield from inbox_on(str(request.param), tmp_path)


@pytest.fixture
def linkless(tmp_path: Path, equipped: None) -> Iterator[Mount]:
    """Return a mounted inbox on which nothing can be moved without the danger of replacing something."""
    yield from inbox_on(LINKLESS, tmp_path)


def inbox_on(name: str, folder: Path) -> Iterator[Mount]:
    if lacking := equipment.missing(MOUNTS[name].needs):
        pytest.skip(f"{', '.join(lacking)} is not here")
    point = folder / "site" / "inbox" / "share"
    point.mkdir(parents=True)
    with mounted(name, folder, point) as one:
        yield one


def put(source: bed.Source, share: Mount) -> None:
    """Write a file on the other side, and let it appear there at once, as a server's own program may."""
    shutil.copyfile(source.path, share.server / source.name)


def test_a_mounted_inbox_goes_and_comes_back(
    share: Mount, tmp_path: Path, adobe: bed.Adobe, sources: list[bed.Source]
) -> None:
    """What is written on the other side is taken within two looks; while it is away nothing is lost, or taken twice."""
    site = bed.Site(
        tmp_path / "site",
        adobe.url,
        inboxes=["share"],
        settle=f"{SETTLE_S:g}s",
        rescan=f"{RESCAN_S:g}s",
    )
    half = len(sources) // 2
    try:
        site.start()
        mode = site.inboxes()[0]["mode"]
        put(sources[0], share)
        limit_s = 2 * RESCAN_S + SETTLE_S + share.cache_s + SLACK_S
        took_s = site.until(lambda: len(site.taken("share")) == 1, limit_s=limit_s)
        for source in sources[1:half]:
            put(source, share)
        share.unmount()
        site.until(lambda: bool(lines(site, "inbox.offline")), limit_s=2 * RESCAN_S + SLACK_S)
        gone_s = time.monotonic()
        for source in sources[half:]:
            put(source, share)
        site.until(lambda: time.monotonic() > gone_s + AWAY_S, limit_s=AWAY_S + SLACK_S)
        bare = list(share.point.iterdir())
        share.mount()
        site.until(lambda: site.rested("share") >= len(sources), limit_s=ALL_S)
        assert site.stop() == 0
    finally:
        site.kill()

    print(f"{share.needs[0]}: a file was taken after {took_s:.1f} s; away for {AWAY_S:g} s")
    assert mode == "poll"
    assert bare == []
    assert (len(lines(site, "inbox.offline")), len(lines(site, "inbox.online"))) == (1, 1)
    wanted = Counter((source.name, source.sha256) for source in sources)
    assert site.taken("share") == wanted
    assert site.kept("share") == wanted
    assert site.left("share") == []


def test_a_mount_that_can_neither_link_nor_rename_safely_is_not_used(
    linkless: Mount, tmp_path: Path, adobe: bed.Adobe, sources: list[bed.Source]
) -> None:
    """It is offline, with the reason, and what lies there stays as it is: nobody's file is put at risk."""
    site = bed.Site(tmp_path / "site", adobe.url, inboxes=["share"], rescan="1s")
    put(sources[0], linkless)
    try:
        site.begin()
        site.until(lambda: bool(lines(site, "inbox.offline")), limit_s=ALL_S)
        site.until(lambda: bool(site.inboxes()), limit_s=ALL_S)
        (reason,) = (each["offline"] for each in site.inboxes())
        assert site.stop() == 0
    finally:
        site.kill()

    assert "can neither rename without replacing nor link" in reason
    assert len(lines(site, "inbox.offline")) == 1
    assert site.left("share") == [sources[0].name]


def lines(site: bed.Site, event: str) -> list[str]:
    """Return the lines of the log that tell this event."""
    return [line for line in site.log.read_text(encoding="utf-8").splitlines() if f'"{event}"' in line]
