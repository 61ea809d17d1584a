"""Real decoding processes: they decode what is sound, and die of the rest without harm."""

from __future__ import annotations

import io
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from dropglow.disk import RealDisk
from dropglow.fitness import MB, Demands
from dropglow.intake.copies import Copies, copied
from dropglow.intake.darkroom import Allowance, Darkroom
from dropglow.intake.darkroom.messages import Answer, Question
from dropglow.intake.darkroom.process import PROGRAM, Process
from dropglow.intake.inspect import examine, glance
from dropglow.model import Facts, Format
from dropglow.preparing import Copy, plan

FORMATS = ["jpeg", "png", "webp", "tiff", "gif", "bmp", "avif"]


class Room(Darkroom):
    """A darkroom that keeps what it complains about."""

    def __init__(
        self, allowance: Allowance | None = None, start: Callable[[Allowance], Process] = Process
    ) -> None:
        self.complaints: list[str] = []
        super().__init__(impossible=self.complaints.append, allowance=allowance, start=start)


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.close()


def photo(path: Path, kind: str = "jpeg", *, size: tuple[int, int] = (300, 200)) -> Path:
    Image.effect_noise(size, 60).convert("RGB").save(path, kind)
    return path


def facts_of(path: Path, room: Room | None = None) -> Facts:
    with RealDisk().open_read(str(path)) as stream:
        return examine(stream, path.name) if room is None else examine(stream, path.name, decoder=room)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_known_as_well_as_in_the_own_process(room: Room, tmp_path: Path, kind: str) -> None:
    """Every format that is read, to its last pixel."""
    path = photo(tmp_path / f"beach.{kind}", kind)

    assert facts_of(path) == facts_of(path, room)
    assert facts_of(path, room).fault is None


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_a_cut_picture_is_refused_in_the_same_words(room: Room, tmp_path: Path, kind: str) -> None:
    """Where it is decoded is nobody's business."""
    path = photo(tmp_path / f"beach.{kind}", kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert facts_of(path).fault == facts_of(path, room).fault is not None


def test_one_process_decodes_many_pictures(room: Room, tmp_path: Path) -> None:
    """Starting one costs as much as decoding a hundred."""
    path = photo(tmp_path / "beach.jpg")
    facts_of(path, room)
    before = room.pids

    for _ in range(20):
        facts_of(path, room)

    assert before == room.pids
    assert 1 == len(before)


def test_no_picture_no_process(room: Room, tmp_path: Path) -> None:
    """Who drops prompts only pays for nothing."""
    (tmp_path / "fox.txt").write_text("a fox")
    facts_of(tmp_path / "fox.txt", room)

    assert () == room.pids


def test_the_position_in_the_file_stays(room: Room, tmp_path: Path) -> None:
    """It is the same open file in both processes."""
    path = photo(tmp_path / "beach.png", "png", size=(900, 600))
    with RealDisk().open_read(str(path)) as stream:
        head = stream.read(10)
        glance(stream, path.name, decoder=room)
        stream.seek(10)
        rest = stream.read()

    assert path.read_bytes() == head + rest


def test_a_copy_is_the_same_as_in_the_own_process(room: Room, tmp_path: Path) -> None:
    """Byte for byte, and kept by the service: the process cannot write."""
    path = photo(tmp_path / "beach.tif", "tiff", size=(1200, 900))
    facts = facts_of(path, room)
    wanted = plan(facts, Demands(largest_bytes=MB), prepared=True, stripped=False)
    assert isinstance(wanted, Copy)

    made = Copies(str(tmp_path / "copies"), RealDisk(), copier=room.copy).make(str(path), facts, wanted)

    with RealDisk().open_read(str(path)) as stream:
        assert (made.format, Path(made.path).read_bytes()) == copied(stream, facts, wanted)


def test_the_process_inherits_nothing(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret, no file, no way to write; and it stands in no folder that somebody wants to unmount."""
    monkeypatch.setenv("FIREFLY_SERVICES_CLIENT_SECRET", "canary")
    with (tmp_path / "ledger").open("wb") as ledger:
        os.set_inheritable(ledger.fileno(), True)
        facts_of(photo(tmp_path / "beach.jpg"), room)
    (pid,) = room.pids
    proc = Path(f"/proc/{pid}")

    assert b"canary" not in (proc / "environ").read_bytes()
    assert {"0", "1", "2"} == {entry.name for entry in (proc / "fd").iterdir()}
    assert "/" == str((proc / "cwd").readlink())
    assert (0, 0) == resource.prlimit(pid, resource.RLIMIT_FSIZE)
    assert Allowance().memory_bytes == resource.prlimit(pid, resource.RLIMIT_AS)[0]


def test_a_process_that_is_killed_between_pictures_is_replaced(room: Room, tmp_path: Path) -> None:
    """Nobody learns of it."""
    path = photo(tmp_path / "beach.jpg")
    facts_of(path, room)
    (before,) = room.pids
    os.kill(before, signal.SIGKILL)

    assert facts_of(path, room).fault is None
    assert (before,) != room.pids
    assert [] == room.complaints


def test_a_picture_that_needs_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    """Its header is honest, and there is not memory enough all the same."""
    small = Room(Allowance(memory_bytes=200 << 20))
    path = tmp_path / "wide.png"
    Image.new("RGB", (7000, 7000)).save(path, compress_level=1)
    try:
        fault = facts_of(path, small).fault
        after = facts_of(photo(tmp_path / "beach.jpg"), small).fault
    finally:
        small.close()

    assert fault is not None
    assert "needs more memory" in fault
    assert after is None


def endless(path: Path) -> Path:
    """Make a small progressive JPEG whose last scan comes again and again."""
    stream = io.BytesIO()
    Image.new("RGB", (900, 900), (90, 120, 200)).save(stream, "jpeg", progressive=True)
    data = stream.getvalue()
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    path.write_bytes(data[:last] + scan * 60_000 + b"\xff\xd9")
    return path


def test_a_picture_that_takes_for_ever_is_refused(tmp_path: Path) -> None:
    """Thousands of scans over few pixels: all of it allowed by the format."""
    hasty = Room(Allowance(least_cpu_s=1))
    try:
        fault = facts_of(endless(tmp_path / "beach.jpg"), hasty).fault
        after = facts_of(photo(tmp_path / "good.jpg"), hasty).fault
    finally:
        hasty.close()

    assert fault is not None
    assert "s of computing" in fault
    assert after is None


class Frail(Process):
    """A process that dies of every large file, as a decoder with a hole in it does."""

    def ask(self, question: Question, file: int) -> Answer:
        if os.fstat(file).st_size > 50_000:
            os.kill(self.pid, signal.SIGSEGV)
        return super().ask(question, file)


def test_a_picture_that_brings_the_process_down_is_refused_and_the_next_one_is_decoded(
    tmp_path: Path,
) -> None:
    """A decoder with a hole in it: the service lives."""
    frail = Room(start=Frail)
    evil = photo(tmp_path / "evil.png", "png", size=(400, 400))
    good = photo(tmp_path / "good.jpg", size=(40, 40))
    try:
        faults = [facts_of(each, frail).fault for each in (good, evil, good)]
    finally:
        frail.close()

    assert [None, None] == [faults[0], faults[2]]
    assert "brought down the process" in (faults[1] or "")


# The decoding process as it is, with a share below it that goes at the moment when a picture is closed.
GOING: Final = """
import io, os

class Going(io.BufferedReader):
    def close(self):
        super().close()
        raise OSError(107, "Transport endpoint is not connected")

os.fdopen = lambda descriptor, mode: Going(io.FileIO(descriptor, mode))
"""


def test_a_share_that_goes_as_a_picture_is_closed_harms_no_picture(tmp_path: Path) -> None:
    """The picture had been decoded by then: it is no fault of its own, and no reason to give it up."""
    leaving = Room(start=lambda allowance: Process(allowance, program=f"{GOING}{PROGRAM}"))
    try:
        fault = facts_of(photo(tmp_path / "beach.jpg"), leaving).fault
    finally:
        leaving.close()

    assert fault is None


def test_a_picture_on_a_dead_share_is_the_shares_fault(room: Room) -> None:
    """What cannot be read is tried again later, and is not refused."""
    with Path("/proc/self/mem").open("rb") as dead, pytest.raises(OSError, match="Input/output error"):
        room.look(dead, Format.PNG)


def test_a_slow_picture_does_not_hold_up_others(tmp_path: Path) -> None:
    """A second process is started where the first is busy for longer than a moment."""
    begun = threading.Event()

    class Telling(Process):
        def ask(self, question: Question, file: int) -> Answer:
            begun.set()
            return super().ask(question, file)

    room = Room(start=Telling)
    slow, quick = endless(tmp_path / "slow.jpg"), photo(tmp_path / "quick.jpg")
    waiting = threading.Thread(target=lambda: _ignoring(slow, room))
    waiting.start()
    begun.wait(20)

    assert facts_of(quick, room).fault is None
    assert waiting.is_alive()
    assert 2 == len(room.pids)
    room.close()
    waiting.join(20)
    assert not waiting.is_alive()


def _ignoring(path: Path, room: Room) -> None:
    try:
        facts_of(path, room)
    except OSError:
        return


def test_closing_ends_the_process_and_refuses_what_comes_later(room: Room, tmp_path: Path) -> None:
    """Nothing is left behind, and no picture is blamed for it."""
    path = photo(tmp_path / "beach.jpg")
    facts_of(path, room)
    (pid,) = room.pids

    room.close()

    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(OSError, match="is being stopped"):
        facts_of(path, room)


SERVICE = """
import sys
from dropglow.intake.darkroom import Darkroom
from dropglow.intake.inspect import examine

room = Darkroom(impossible=print)
with open(sys.argv[1], "rb") as stream:
    examine(stream, "beach.jpg", decoder=room)
print(*room.pids, flush=True)
sys.stdin.read()
"""


def test_a_service_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    """There is nobody to ask it anything any more."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(photo(tmp_path / "beach.jpg"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        gone = os.pidfd_open(pid)
        service.kill()

    ended, _, _ = select.select([gone], [], [], 20)
    os.close(gone)
    assert ended


def test_a_process_heeds_no_signal_that_is_meant_for_the_service(room: Room, tmp_path: Path) -> None:
    """Ctrl-C and a manager's SIGTERM reach the whole group; a copy in the making is finished."""
    path = photo(tmp_path / "beach.jpg")
    facts_of(path, room)
    before = room.pids
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(before[0], number)

    assert facts_of(path, room).fault is None
    assert before == room.pids


def refuse(allowance: Allowance) -> Process:
    """Be a container that allows no more processes."""
    raise BlockingIOError(11, "Resource temporarily unavailable", allowance)


def test_where_no_process_can_be_started_it_is_said_once_and_done_here(tmp_path: Path) -> None:
    """A service in a tight container works, with less protection."""
    barren = Room(start=refuse)
    path = photo(tmp_path / "beach.jpg")

    faults = [facts_of(path, barren).fault for _ in range(3)]

    assert [None] * 3 == faults
    assert 1 == len(barren.complaints)
    assert "temporarily unavailable" in barren.complaints[0]
    barren.close()


def test_where_no_python_is_to_be_started_it_is_done_here(tmp_path: Path) -> None:
    """The process starts, and ends before it is ready."""
    barren = Room(start=lambda allowance: Process(allowance, program="raise SystemExit(3)"))

    assert facts_of(photo(tmp_path / "beach.jpg"), barren).fault is None
    assert ["a decoding process ended with 3"] == barren.complaints
    barren.close()


def test_a_shortage_later_on_blames_no_picture(tmp_path: Path) -> None:
    """The file rests, and is looked at again."""
    starts = iter([Process, refuse, refuse])

    def start(allowance: Allowance) -> Process:
        return next(starts)(allowance)

    room = Room(start=start)
    path = photo(tmp_path / "beach.jpg")
    facts_of(path, room)
    os.kill(room.pids[0], signal.SIGKILL)

    with pytest.raises(OSError, match="could be started"):
        facts_of(path, room)

    room.close()


READY = "line.sendall(struct.pack('>II', 19, 0) + b'{\"answer\": \"Ready\"}'); "
FALLEN = f"import socket, struct; line = socket.socket(fileno=0); {READY} line.recv(1); line.sendall("


@pytest.mark.parametrize(
    "says",
    [
        "struct.pack('>II', 1 << 30, 0)",  # a gigabyte of words
        "struct.pack('>II', 4, 0) + b'boo!'",
        "struct.pack('>II', 19, 0) + b'{\"answer\": \"Ready\"}'",  # sense, but not now
        "b'half a'",
    ],
)
def test_what_a_fallen_process_says_is_not_believed(tmp_path: Path, says: str) -> None:
    """A picture may have made it somebody else's program; nobody waits for the rest of its tale, either."""
    fallen = Room(start=lambda allowance: Process(allowance, program=f"{FALLEN}{says})"))

    fault = facts_of(photo(tmp_path / "beach.jpg"), fallen).fault

    assert "brought down" in (fault or "")
    assert () == fallen.pids
    fallen.close()
