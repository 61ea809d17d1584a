"""A file that is read keeps its own place in it, owns its descriptor, and hashes to its last byte."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Final

import pytest

from dropglow.disk import RealDisk, sha256_of
from dropglow.disk.reading import Reading

DATA: Final = bytes(range(100))
PIECE_BYTES: Final = 1 << 18


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").write_bytes(DATA)
    return tmp_path / "data"


def opened(path: Path) -> Reading:
    return Reading(os.open(path, os.O_RDONLY))


def is_open(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").exists()


@pytest.mark.parametrize(
    ("offset", "whence", "at_bytes"),
    [
        (0, os.SEEK_SET, 0),
        (70, os.SEEK_SET, 70),
        (5, os.SEEK_CUR, 15),
        (-10, os.SEEK_CUR, 0),
        (0, os.SEEK_END, 100),
        (-1, os.SEEK_END, 99),
        (7, os.SEEK_END, 107),
    ],
)
@pytest.mark.parametrize("buffered", [False, True])
def test_it_is_read_from_anywhere(
    path: Path, offset: int, whence: int, at_bytes: int, *, buffered: bool
) -> None:
    """From its beginning, from where it is read, from its end; behind that there is nothing."""
    with opened(path) as raw, io.BufferedReader(raw, 16) as reader:
        file = reader if buffered else raw
        file.read(10)
        there = file.seek(offset, whence)
        told = file.tell()
        found = file.read(3)

    assert (at_bytes, at_bytes, DATA[at_bytes : at_bytes + 3]) == (there, told, found)


@pytest.mark.parametrize(("offset", "whence"), [(-1, os.SEEK_SET), (-11, os.SEEK_CUR), (-101, os.SEEK_END)])
@pytest.mark.parametrize("buffered", [False, True])
def test_there_is_nothing_before_the_beginning(
    path: Path, offset: int, whence: int, *, buffered: bool
) -> None:
    """A damaged file may point there; it is read on from where it was."""
    with opened(path) as raw, io.BufferedReader(raw, 16) as reader:
        file = reader if buffered else raw
        file.read(10)
        with pytest.raises(ValueError, match="before the beginning"):
            file.seek(offset, whence)

        assert DATA[10:13] == file.read(3)


def test_two_readers_of_one_descriptor_are_in_nobodys_way(path: Path) -> None:
    """Another process may move the place of the open file itself: it is not asked."""
    with RealDisk().open_read(str(path)) as file:
        first = file.read(10)
        os.lseek(file.fileno(), 50, os.SEEK_SET)
        file.seek(0)

        assert (DATA[:10], DATA) == (first, file.read())


@pytest.mark.parametrize("size_bytes", [0, 1, PIECE_BYTES, 2 * PIECE_BYTES + 1])
@pytest.mark.parametrize("skipped_bytes", [0, 1])
def test_the_rest_is_read_at_once(tmp_path: Path, size_bytes: int, skipped_bytes: int) -> None:
    """From where it is read to its end, and nothing after that."""
    data = os.urandom(size_bytes)
    (tmp_path / "data").write_bytes(data)

    with RealDisk().open_read(str(tmp_path / "data")) as file:
        file.read(skipped_bytes)

        assert [data[skipped_bytes:], b""] == [file.read(), file.read()]


@pytest.mark.parametrize(
    "size_bytes",
    [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, (1 << 16) - 1, 1 << 16],
)
def test_a_digest_is_of_every_byte(tmp_path: Path, size_bytes: int) -> None:
    """Also where the last piece is a whole one; the file is at its end then."""
    data = os.urandom(size_bytes)
    (tmp_path / "data").write_bytes(data)

    with RealDisk().open_read(str(tmp_path / "data")) as file:
        sha256 = sha256_of(file)

        assert (hashlib.sha256(data).hexdigest(), size_bytes) == (sha256, file.tell())


def test_a_digest_is_of_what_is_still_to_come(path: Path) -> None:
    """What was read before does not count."""
    with RealDisk().open_read(str(path)) as file:
        file.read(30)

        assert hashlib.sha256(DATA[30:]).hexdigest() == sha256_of(file)


class Stingy(Reading):
    """Read a byte or two at a time, as some shares do."""

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return super().readinto(memoryview(buffer)[:2])


def test_a_digest_is_of_every_byte_although_the_share_gives_few_at_a_time(path: Path) -> None:
    """What is shorter than wanted is no end before the file system says so."""
    with io.BufferedReader(Stingy(os.open(path, os.O_RDONLY)), 16) as file:
        assert hashlib.sha256(DATA).hexdigest() == sha256_of(file)


def test_a_file_is_closed_once(path: Path) -> None:
    """The number belongs to somebody else by the second time."""
    raw = opened(path)
    file = io.BufferedReader(raw)
    number = file.fileno()
    file.close()
    other = os.open(path, os.O_RDONLY)  # the lowest number that is free: the same
    file.close()
    raw.close()
    alive = is_open(other)
    os.close(other)

    assert (number, True, True) == (other, alive, raw.closed)


def test_a_file_that_is_closed_tells_no_number_and_reads_nothing(path: Path) -> None:
    """Else it would be another file that is looked at."""
    raw = opened(path)
    raw.close()
    other = os.open(path, os.O_RDONLY)

    for use in (
        raw.fileno,
        lambda: raw.readinto(bytearray(1)),
        raw.readall,
        lambda: raw.seek(0, os.SEEK_END),
    ):
        with pytest.raises(ValueError, match="closed"):
            use()
    os.close(other)


def test_a_file_that_nobody_closed_goes_with_its_last_user(path: Path) -> None:
    """Nothing stays open."""
    file = RealDisk().open_read(str(path))
    number = file.fileno()
    before = is_open(number)
    del file

    assert (True, False) == (before, is_open(number))


def test_a_buffer_that_cannot_be_had_leaves_nothing_open(path: Path) -> None:
    """The file goes with what was to read it."""
    number = os.open(path, os.O_RDONLY)
    with pytest.raises(ValueError, match="buffer"):
        io.BufferedReader(Reading(number), 0)

    assert not is_open(number)


def test_a_file_that_nobody_closes_is_told_of(path: Path) -> None:
    """As Python does of its own; it is closed all the same."""
    reader = RealDisk().open_read(str(path))
    descriptor = reader.fileno()

    with pytest.warns(ResourceWarning, match="unclosed"):
        del reader

    assert not is_open(descriptor)


def test_nobody_counts_from_anywhere_else(path: Path) -> None:
    """There are three places to count from."""
    with opened(path) as file, pytest.raises(ValueError, match="count from there"):
        file.seek(0, 7)
