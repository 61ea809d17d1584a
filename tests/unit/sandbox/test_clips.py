"""The films the sandbox makes, judged by a player's own decoder."""

from __future__ import annotations

import io
import random
from fractions import Fraction
from typing import Any

import av
import av.logging
import pytest
from PIL import Image, ImageChops, ImageStat

from dropglow.sandbox.camera import MOVES
from dropglow.sandbox.clips import paint_clip

SIZE = (192, 108)
MOTIONS = sorted(f"camera {move}" for move in MOVES)


def clip(prompt: str = "a lake at sunset", **changed: Any) -> bytes:
    """Return a small film."""
    usual: dict[str, Any] = {"seed": 1, "width": SIZE[0], "height": SIZE[1], "frames": []}
    return paint_clip(prompt, **usual | {"camera_motion": "camera pan left"} | changed)


def decoded(content: bytes) -> list[Image.Image]:
    """Return the brightness of a film's frames."""
    with av.open(io.BytesIO(content), "r") as film:
        return [brightness(frame) for frame in film.decode(video=0)]


def brightness(frame: av.VideoFrame) -> Image.Image:
    """Return the brightness of a frame, without its colours: converting those has warnings of its own."""
    plane = frame.planes[0]
    padded = Image.frombytes("L", (plane.line_size, plane.height), bytes(plane))
    return padded.crop((0, 0, plane.width, plane.height))


def picture(colour: str, size: tuple[int, int] = SIZE) -> bytes:
    """Return a picture of one colour with some unevenness."""
    plain = Image.new("RGB", size, colour)
    rough = Image.frombytes("RGB", (12, 12), random.Random(2).randbytes(432)).resize(size)
    buffer = io.BytesIO()
    Image.blend(plain, rough, 0.2).save(buffer, "PNG")
    return buffer.getvalue()


def level(frame: Image.Image) -> float:
    """Return a frame's average brightness above the ribbon."""
    return ImageStat.Stat(frame.crop((0, 0, frame.width, frame.height * 3 // 4))).mean[0]


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return how much two frames differ on average above the ribbon, 0 to 255."""
    return level(ImageChops.difference(first, second))


@pytest.mark.parametrize(("width", "height"), [(192, 108), (108, 192), (120, 120), (90, 51)])
def test_a_film_has_the_size_and_length_that_were_ordered(width: int, height: int) -> None:
    """A decoder finds forty frames of the right size in five seconds."""
    with av.open(io.BytesIO(clip(width=width, height=height)), "r") as film:
        stream = film.streams.video[0]
        frames = len(list(film.decode(stream)))

        assert ("mjpeg", width, height) == (stream.codec_context.name, stream.width, stream.height)
        assert (40, 40, Fraction(8)) == (frames, stream.frames, stream.average_rate)
        assert 5_000_000 == film.duration


def test_a_player_finds_nothing_to_complain_about() -> None:
    """The decoder's log stays empty of warnings."""
    content, before = clip(), av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as log:
            decoded(content)
    finally:
        av.logging.set_level(before)

    assert [] == log


def test_the_same_order_gives_the_same_bytes() -> None:
    """A run can be repeated byte for byte."""
    assert clip() == clip()


@pytest.mark.parametrize(
    "changed", [{"seed": 2}, {"prompt": "a city at night"}, {"camera_motion": "camera zoom in"}]
)
def test_another_order_gives_another_film(changed: dict[str, Any]) -> None:
    """Seed, prompt and camera are seen."""
    first, second = decoded(clip())[-1], decoded(clip(**changed))[-1]

    assert difference(first, second) > 2


@pytest.mark.parametrize("motion", [each for each in MOTIONS if each != "camera locked down"])
def test_the_camera_moves(motion: str) -> None:
    """What is seen at the beginning, in the middle and at the end differs."""
    frames = decoded(clip(camera_motion=motion))

    assert difference(frames[0], frames[20]) > 1
    assert difference(frames[20], frames[-1]) > 1


def test_a_camera_that_is_locked_stays() -> None:
    """Only the light changes before a camera that does not move."""
    locked, moved = (decoded(clip(camera_motion=each)) for each in ("camera locked down", "camera pan left"))

    assert 2 * difference(locked[0], locked[-1]) < difference(moved[0], moved[-1])


@pytest.mark.parametrize("motion", ["", "none", "camera dolly"])
def test_an_unknown_motion_is_chosen_by_the_seed(motion: str) -> None:
    """Without a known word the camera moves all the same."""
    frames = decoded(clip(camera_motion=motion))

    assert difference(frames[0], frames[-1]) > 1


def test_the_word_camera_may_be_left_out() -> None:
    """`zoom in` and `camera zoom in` are the same motion."""
    short, long = (
        decoded(clip(camera_motion=each, frames=[(0.0, picture("red"))]))
        for each in ("zoom in", "Camera Zoom In")
    )

    assert difference(short[-1], long[-1]) < 8


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_dropped_frame_is_what_is_seen(motion: str) -> None:
    """A film over a bright picture is bright, over a dark one dark."""
    bright, dark = (
        decoded(clip(frames=[(0.0, picture(each))], camera_motion=motion)) for each in ("white", "black")
    )

    assert level(bright[0]) > 180
    assert level(bright[-1]) > 180
    assert level(dark[0]) < 60
    assert level(dark[-1]) < 60


@pytest.mark.parametrize("motion", MOTIONS)
def test_the_first_frame_fades_into_the_last(motion: str) -> None:
    """Of two dropped frames the first is seen first and the last last, in whatever order they come."""
    pair = [(1.0, picture("white")), (0.0, picture("black"))]
    frames = decoded(clip(frames=pair, camera_motion=motion))
    levels = [level(frame) for frame in frames]

    assert levels[0] < 60
    assert levels[-1] > 180
    assert levels[0] + 30 < levels[20] < levels[-1] - 30


def test_a_last_frame_alone_ends_a_painted_scene() -> None:
    """The film begins with what the prompt says and ends with the picture."""
    levels = [level(frame) for frame in decoded(clip("a city at night", frames=[(1.0, picture("white"))]))]

    assert levels[0] < 120
    assert levels[-1] > 180


def test_a_frame_in_the_middle_is_seen_there() -> None:
    """Three frames are seen one after the other."""
    three = [(0.0, picture("black")), (0.5, picture("white")), (1.0, picture("black"))]
    levels = [level(frame) for frame in decoded(clip(frames=three))]

    assert levels[0] < 60
    assert levels[20] > 160
    assert levels[-1] < 60


def test_a_film_of_noise_stays_small() -> None:
    """A picture that cannot be compressed is softened instead."""
    noise = Image.frombytes("RGB", (640, 360), random.Random(3).randbytes(640 * 360 * 3))
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    content = clip(width=640, height=360, frames=[(0.0, buffer.getvalue())])

    assert len(content) < 2_100_000


def test_a_broken_frame_is_an_error() -> None:
    """Bytes that are no picture raise what the caller is told to expect."""
    with pytest.raises(OSError, match=r"."):
        clip(frames=[(0.0, b"no picture")])


def test_a_film_without_a_prompt_is_painted_too() -> None:
    """An empty prompt and one that no font can write give films."""
    assert 40 == len(decoded(clip(""))) == len(decoded(clip("\ud83d\x00")))


@pytest.mark.parametrize("seed", range(8))
def test_a_first_frame_is_seen_whole_whatever_the_seed(seed: int) -> None:
    """Where no motion was ordered, none is chosen that begins inside the picture."""
    edged = Image.new("RGB", SIZE, "white")
    edged.paste("black", (24, 0, SIZE[0] - 24, SIZE[1]))
    buffer = io.BytesIO()
    edged.save(buffer, "PNG")

    first = decoded(clip(seed=seed, camera_motion="", frames=[(0.0, buffer.getvalue())]))[0]

    assert ImageStat.Stat(first.crop((0, 0, 12, SIZE[1] // 2))).mean[0] > 150
