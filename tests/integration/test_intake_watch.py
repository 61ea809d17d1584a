"""The doorbell rings for arrivals, once for many, and for nothing of our own."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dropglow.errors import DiskError
from dropglow.intake.watch import Doorbell

PATIENCE_S = 60.0

Arrival = Callable[[Path, Path], object]


class Hall:
    """Where the bell is heard."""

    def __init__(self) -> None:
        self.rings: list[str] = []
        self._rung = asyncio.Event()

    def ring(self, folder: str) -> None:
        self.rings.append(folder)
        self._rung.set()

    async def next_ring(self) -> str:
        await asyncio.wait_for(self._rung.wait(), PATIENCE_S)
        self._rung.clear()
        return self.rings[-1]


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
async def bell(hall: Hall) -> AsyncIterator[Doorbell]:
    bell = Doorbell(asyncio.get_running_loop(), hall.ring)
    await bell.start()
    yield bell
    await bell.stop()


async def test_a_written_file_rings(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """The plainest way to drop something."""
    await bell.watch(str(tmp_path))
    (tmp_path / "beach.jpg").write_bytes(b"x")

    assert str(tmp_path) == await hall.next_ring()


@pytest.mark.parametrize("how", [os.rename, os.link])
async def test_a_file_that_was_never_written_here_rings(
    bell: Doorbell, hall: Hall, tmp_path: Path, how: Arrival
) -> None:
    """A rename or a hard link into the inbox closes no file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "beach.jpg").touch()
    await bell.watch(str(tmp_path / "in"))
    how(tmp_path / "beach.jpg", tmp_path / "in" / "beach.jpg")

    assert str(tmp_path / "in") == await hall.next_ring()


async def test_a_folder_moved_in_rings(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """Nothing is told of the files inside."""
    (tmp_path / "in").mkdir()
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").touch()
    await bell.watch(str(tmp_path / "in"))
    (tmp_path / "holiday").rename(tmp_path / "in" / "holiday")

    assert str(tmp_path / "in") == await hall.next_ring()


async def test_our_own_moves_and_temporary_names_do_not_ring(
    bell: Doorbell, hall: Hall, tmp_path: Path
) -> None:
    """A claim, a file put into ``_done`` and a copy under way are no arrivals."""
    home, other = tmp_path / "in", tmp_path / "other"
    for folder in (home / ".dropglow", home / "_done", other):
        folder.mkdir(parents=True)
    (home / "beach.jpg").touch()
    await bell.watch(str(home), reserved=(str(home / "_done"),))
    await bell.watch(str(other))
    (home / "beach.jpg").rename(home / ".dropglow" / "beach.jpg")
    (home / ".dropglow" / "beach.jpg").rename(home / "_done" / "beach.jpg")
    (home / "big.jpg.part").write_bytes(b"x")
    (home / "@eaDir").mkdir()
    (other / "last.jpg").touch()
    await hall.next_ring()

    assert {str(other)} == set(hall.rings)


async def test_a_storm_rings_a_few_times(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """The loop wakes once for whatever came meanwhile."""
    await bell.watch(str(tmp_path))
    for number in range(500):
        (tmp_path / f"{number}.jpg").touch()
    await hall.next_ring()

    assert len(hall.rings) < 100


async def test_an_unwatched_folder_is_silent(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """Both may be told again and again."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    await bell.watch(str(tmp_path / "a"))
    await bell.watch(str(tmp_path / "b"))
    await bell.unwatch(str(tmp_path / "a"))
    await bell.unwatch(str(tmp_path / "a"))
    (tmp_path / "a" / "beach.jpg").touch()
    (tmp_path / "b" / "beach.jpg").touch()
    await hall.next_ring()

    assert {str(tmp_path / "b")} == set(hall.rings)


async def test_a_folder_watched_again_still_rings(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """The way back after a share returned."""
    await bell.watch(str(tmp_path))
    await bell.watch(str(tmp_path))
    (tmp_path / "beach.jpg").touch()

    assert str(tmp_path) == await hall.next_ring()


async def test_an_exchanged_folder_is_known_as_deaf(bell: Doorbell, tmp_path: Path) -> None:
    """Watchdog stays alive and silent when the root is renamed away."""
    (tmp_path / "in").mkdir()
    await bell.watch(str(tmp_path / "in"))
    before = bell.deaf()
    (tmp_path / "in").rename(tmp_path / "out")
    (tmp_path / "in").mkdir()

    assert () == before
    assert (str(tmp_path / "in"),) == bell.deaf()


async def test_with_watches_left_nothing_is_short(bell: Doorbell, tmp_path: Path) -> None:
    """Nor is what is not watched at all."""
    before = bell.is_short(str(tmp_path))
    await bell.watch(str(tmp_path))

    assert (False, False) == (before, bell.is_short(str(tmp_path)))


async def test_a_missing_folder_cannot_be_watched(bell: Doorbell, tmp_path: Path) -> None:
    """It is an error here, where the kernel would say nothing."""
    with pytest.raises(DiskError, match="missing"):
        await bell.watch(str(tmp_path / "none"))


async def test_an_overflow_rings_everywhere(bell: Doorbell, hall: Hall, tmp_path: Path) -> None:
    """Events were lost, nobody knows whose."""
    await bell.watch(str(tmp_path))
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")

    assert str(tmp_path) == await hall.next_ring()


async def test_it_is_alive_between_start_and_stop(tmp_path: Path, hall: Hall) -> None:
    """And may be stopped twice."""
    bell = Doorbell(asyncio.get_running_loop(), hall.ring)
    before = bell.alive()
    await bell.start()
    during = bell.alive()
    await bell.stop()
    await bell.stop()

    assert [False, True, False] == [before, during, bell.alive()]


def test_a_stop_is_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What watchdog's own thread says of having been stopped is kept out of the log; all else stays."""
    watchdog = logging.getLogger("watchdog.observers.inotify")

    watchdog.error("InotifyEmitter.queue_events() called when the thread is inactive")
    watchdog.error("something else")

    assert ["something else"] == caplog.messages
