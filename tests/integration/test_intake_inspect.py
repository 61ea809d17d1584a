"""What a look inside real files tells, and in which words it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from dropglow.disk import RealDisk
from dropglow.intake.inspect import examine, glance, peek
from dropglow.intake.prompts import MAX_PROMPT_BYTES
from dropglow.intake.signatures import HEAD_BYTES
from dropglow.model import Colours, Facts, Format, Kind
from dropglow.preparing import LARGEST_FILE_BYTES


def facts_of(path: Path) -> Facts:
    with RealDisk().open_read(str(path)) as stream:
        return examine(stream, path.name)


def photo(path: Path, kind: str = "jpeg") -> bytes:
    Image.effect_noise((300, 200), 60).convert("RGB").save(path, kind)
    return path.read_bytes()


def test_a_photo_is_an_image_with_its_size(tmp_path: Path) -> None:
    """The facts that rules match on."""
    data = photo(tmp_path / "beach.jpg")

    expected = Facts(
        kind=Kind.IMAGE,
        format=Format.JPEG,
        width=300,
        height=200,
        size_bytes=len(data),
        colours=Colours.RGB,
    )
    assert expected == facts_of(tmp_path / "beach.jpg")


@pytest.mark.parametrize("name", ["beach.jpg", "beach.txt", "beach"])
def test_the_bytes_decide_and_not_the_name(tmp_path: Path, name: str) -> None:
    """A PNG stays one whatever it is called."""
    photo(tmp_path / name, "png")

    assert Format.PNG is facts_of(tmp_path / name).format
    assert facts_of(tmp_path / name).fault is None


@pytest.mark.parametrize("name", ["hill.txt", "hill.PROMPT"])
def test_a_prompt_is_its_text(tmp_path: Path, name: str) -> None:
    """Read whole at the first glance already."""
    (tmp_path / name).write_text("  a green hill\n")

    assert Facts(kind=Kind.PROMPT, text="a green hill") == facts_of(tmp_path / name)


def test_a_prompt_that_begins_like_a_bitmap_is_a_prompt(tmp_path: Path) -> None:
    """``BM`` also begins the name of a car."""
    (tmp_path / "car.txt").write_text("BMW on a mountain road")

    assert "BMW on a mountain road" == facts_of(tmp_path / "car.txt").text


def test_what_is_neither_has_no_kind(tmp_path: Path) -> None:
    """No rule takes it, and it stays where it is."""
    (tmp_path / "song.mp3").write_bytes(b"ID3\x04")

    assert Facts() == facts_of(tmp_path / "song.mp3")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (
            "logo.png",
            b"%!PS-Adobe-3.0 EPSF-3.0\n",
            "this is an EPS file named .png; Firefly reads JPEG, PNG, WebP",
        ),
        ("beach.heic", b"\x00\x00\x00\x18ftypheic", "this is a HEIC file; Firefly reads"),
        ("beach.jpg", b"\x00\x00\x00\x18ftypheic", "this is a HEIC file named .jpg"),
        ("beach.gif", b"GIF89a", "the picture is damaged: it begins like a GIF"),
        ("beach.jp2", b"\x00\x00\x00\x0cjP  \r\n", "this is a JPEG 2000 file;"),
        ("page.jpg", b"<!DOCTYPE html>", "this is an HTML file named .jpg"),
        ("beach.jpg", b"not a picture", "holds no picture that is known here"),
        ("beach.jpg", bytes(5000), "its copy was never finished"),
        ("beach.png", b"", "the file is empty"),
        ("raw.nef", b"MM\x00*\x00\x00\x00\x08", "camera raw"),
    ],
)
def test_a_wrong_picture_is_an_image_with_a_fault(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    """It matches, so that it ends in ``_failed`` with a reason and not in the inbox without one."""
    (tmp_path / name).write_bytes(data)
    facts = facts_of(tmp_path / name)

    assert Kind.IMAGE is facts.kind
    assert words in (facts.fault or "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"caf\xe9 au lait", "line 1 is not UTF-8 text (byte 0xE9)"),
        (b"x" * 1_100_000, "a prompt file may have 1048576"),
    ],
)
def test_a_wrong_prompt_is_a_prompt_with_a_fault(tmp_path: Path, data: bytes, words: str) -> None:
    """The same for texts."""
    (tmp_path / "hill.txt").write_bytes(data)
    facts = facts_of(tmp_path / "hill.txt")

    assert Kind.PROMPT is facts.kind
    assert words in (facts.fault or "")


@pytest.mark.parametrize(
    ("name", "data", "unfinished"),
    [
        ("beach.jpg", b"", True),
        ("beach.jpg", b"\xff\xd8", True),
        ("beach.jpg", bytes(5000), True),
        ("beach.gif", b"GIF89a", True),
        ("hill.txt", b"", True),
        ("hill.txt", b"caf\xc3", True),
        ("beach.jpg", b"<!DOCTYPE html>", False),
        ("beach.jpg", b"not a picture", False),
        ("raw.nef", b"MM\x00*\x00\x00\x00\x08", False),
        ("hill.txt", b"caf\xe9 au lait", False),
        ("hill.txt", b"x" * 1_100_000, False),
    ],
)
def test_what_may_be_whole_soon_is_told_from_what_never_will(
    tmp_path: Path, name: str, data: bytes, unfinished: bool
) -> None:
    """The first is waited for."""
    (tmp_path / name).write_bytes(data)

    assert unfinished == facts_of(tmp_path / name).unfinished


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "gif", "bmp"])
def test_a_cut_picture_may_be_whole_soon(tmp_path: Path, kind: str) -> None:
    """Also one whose room on the disk was made before its content came."""
    data = photo(tmp_path / "beach", kind)
    (tmp_path / "beach").write_bytes(data[: len(data) // 2])
    cut = facts_of(tmp_path / "beach")
    os.truncate(tmp_path / "beach", len(data))
    zeros = facts_of(tmp_path / "beach")

    assert cut.unfinished
    assert zeros.unfinished or kind in {"tiff", "bmp"}  # there they are black pixels


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_peek_sees_a_missing_end(tmp_path: Path, kind: str) -> None:
    """So that the file need not be claimed in vain; a whole one, and one of no known format, are as glanced at."""
    data = photo(tmp_path / "beach", kind)
    (tmp_path / "half").write_bytes(data[:-40])
    (tmp_path / "note.txt").write_text("a fox")
    told = []
    for name in ("beach", "half", "note.txt"):
        with RealDisk().open_read(str(tmp_path / name)) as stream:
            told.append(peek(stream, name).unfinished)

    assert [False, True, False] == told


def test_only_the_examination_finds_a_cut_off_photo(tmp_path: Path) -> None:
    """A glance reads the header; every pixel is looked at once, after the claim."""
    data = photo(tmp_path / "beach.jpg")
    (tmp_path / "beach.jpg").write_bytes(data[: len(data) // 2])
    with RealDisk().open_read(str(tmp_path / "beach.jpg")) as stream:
        glanced = glance(stream, "beach.jpg")

    assert glanced.fault is None
    assert (facts_of(tmp_path / "beach.jpg").fault or "").startswith(
        "the picture is cut off: it ends before its last"
    )


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_picture_beyond_the_upload_limit_is_no_fault(tmp_path: Path, kind: str) -> None:
    """A copy of it may be sent."""
    data = photo(tmp_path / "beach", kind)
    (tmp_path / "beach").write_bytes(data + bytes(16 * 1024 * 1024))

    assert facts_of(tmp_path / "beach").fault is None


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_file_beyond_every_picture_is_not_opened(tmp_path: Path, kind: str) -> None:
    """Half a gigabyte is no picture for an image service, whatever it begins with."""
    photo(tmp_path / "beach", kind)
    os.truncate(tmp_path / "beach", LARGEST_FILE_BYTES + 1)

    assert "more than the 500 MB that are opened" in (facts_of(tmp_path / "beach").fault or "")


@pytest.mark.parametrize("past_bytes", [-1, 0, 1])
def test_a_prompt_as_long_as_the_first_look_is_read_whole(tmp_path: Path, past_bytes: int) -> None:
    """One byte less, just as many, and one more."""
    text = "x" * (HEAD_BYTES + past_bytes)
    (tmp_path / "hill.txt").write_text(text)

    assert Facts(kind=Kind.PROMPT, text=text) == facts_of(tmp_path / "hill.txt")


@pytest.mark.parametrize("past_bytes", [0, 1])
def test_a_prompt_may_be_as_long_as_is_said(tmp_path: Path, past_bytes: int) -> None:
    """What is longer is read far enough to be refused."""
    (tmp_path / "hill.txt").write_text("x" * (MAX_PROMPT_BYTES + past_bytes))

    assert (past_bytes > 0) is (facts_of(tmp_path / "hill.txt").fault is not None)
