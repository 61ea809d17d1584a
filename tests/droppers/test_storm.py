"""A storm of files while the service stands still, and no room for events: the timer finds what no event told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.droppers import equipment
from tests.droppers.bed import Site

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WRITERS = 6
RESCAN_S = 30.0 if equipment.thorough() else 5.0
LOOK_S = 5.0  # what a look over fifty thousand files may take on a busy machine
QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")
SMALL_QUEUE = 64
WRITER = """
import pathlib, sys
folder, writer, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    (folder / f"{writer}-{number:05}.txt").write_text(f"lighthouse {number} of writer {writer}")
"""


@contextmanager
def small_queue() -> Iterator[None]:
    """Give inotify little room for events while the service starts; it belongs to the whole machine, so be brief."""
    if not (equipment.thorough() and os.access(QUEUE, os.W_OK)):
        yield
        return
    before = QUEUE.read_text(encoding="ascii")
    QUEUE.write_text(str(SMALL_QUEUE), encoding="ascii")
    try:
        yield
    finally:
        QUEUE.write_text(before, encoding="ascii")


def storm(inbox: Path, count: int) -> int:
    """Let six processes write *count* files, more or less; return how many it were."""
    words = [sys.executable, "-c", WRITER, str(inbox)]
    writers = [subprocess.Popen([*words, str(number), str(count // WRITERS)]) for number in range(WRITERS)]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    return count // WRITERS * WRITERS


@pytest.mark.parametrize("watch", ["auto", "poll"])
def test_a_storm_is_found_within_one_rescan(watch: str, make_site: Callable[..., Site]) -> None:
    """The files of six writers, written while the service was halted, are all found within a rescan's time."""
    site = make_site(settle="2s", rescan=f"{RESCAN_S:g}s", watch=watch)
    with small_queue():
        site.start()
    site.send(signal.SIGSTOP)
    count = storm(site.inbox("many"), 50_000 if equipment.thorough() else 3_000)

    site.send(signal.SIGCONT)
    took_s = site.until(lambda: site.found("many") == count, limit_s=RESCAN_S + LOOK_S)
    site.until(lambda: site.found("many", settling=False) == count, limit_s=RESCAN_S + LOOK_S)

    print(f"{watch}: {count} files found {took_s:.1f} s after the service went on")
    assert site.stop() == 0
    claimed = [each["source"] for each in site.events("drop.admitted", rule="many")]
    assert len(set(claimed)) == len(claimed)
    assert len(site.prompts("many")) == len(set(site.prompts("many"))) == count
