"""Make the sandbox's films: five seconds of a camera that moves over a painted scene or over dropped frames.

The same arguments give the same bytes. Motion JPEG in an MP4 file needs no codec to write and plays almost everywhere.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageOps

from dropglow.sandbox.brushes import clouds
from dropglow.sandbox.camera import MOVES, WHOLE, View, between, look, sway
from dropglow.sandbox.finishing import printable, tie_ribbon
from dropglow.sandbox.images import paint_scene
from dropglow.sandbox.mp4 import write_film
from dropglow.sandbox.surroundings import open_photo

__all__ = ["FRAMES_PER_SECOND", "SECONDS", "paint_clip"]

SECONDS: Final = 5
FRAMES_PER_SECOND: Final = 8
COUNT: Final = SECONDS * FRAMES_PER_SECOND
# What a frame may weigh on average: forty of them are less than two megabytes.
FRAME_BYTES: Final = 44_000
# From fine to coarse: the share of the detail that is kept, and the JPEG quality. The last is taken whatever it weighs.
FINENESS: Final = ((1.0, 72), (1.0, 58), (1.0, 44), (0.7, 44), (0.5, 40), (0.35, 36))
SAMPLES: Final = (0.0, 0.4, 0.8)

Show: TypeAlias = Callable[[float, tuple[int, int]], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Hold a picture, when the film shows nothing else (0 to 1), and how the camera moves over it in the whole film."""

    picture: Image.Image
    position: float
    first: View
    last: View


def paint_clip(
    prompt: str,
    *,
    seed: int,
    width: int,
    height: int,
    frames: Sequence[tuple[float, bytes]],
    camera_motion: str,
) -> bytes:
    """Return an MP4 of five seconds and of the given size in pixels.

    ``frames`` are pictures and when to show them: 0 is the first frame, 1 the last; what lies between fades over.
    ``camera_motion`` is one of Adobe's words (OpenAPI document, CameraMotion), with or without "camera" before it;
    any other, for example none, lets the seed choose.

    Raises:
        OSError: A frame cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"clip|{text}|{seed}|{camera_motion}|{width}x{height}")
    motion = camera_motion.casefold().removeprefix("camera ").strip()
    if motion not in MOVES:
        motion = dice.choice(("pan left", "pan right", "zoom in", "zoom out"))
    size = width, height
    shots = [_dropped(content, position, size, motion) for position, content in sorted(frames)]
    if not shots or shots[0].position > 0.5:
        first, last = MOVES[motion]
        scene = paint_scene(text, size, content_class="photo", dice=dice)
        shots.insert(0, Shot(picture=scene, position=0.0, first=first, last=last))
    show = _director(shots, motion, dice)
    pictures = _developed(show, text or "clip", seed=seed, size=size)
    return write_film(pictures, size=size, frames_per_second=FRAMES_PER_SECOND)


def _dropped(content: bytes, position: float, size: tuple[int, int], motion: str) -> Shot:
    """Return the shot of a dropped frame: all of it is seen when its time has come, and the camera moves before and after."""
    picture = ImageOps.fit(open_photo(content), size, Image.Resampling.LANCZOS)
    first, last = MOVES[motion]
    if motion == "zoom out":
        first, last = View(zoom=1.3), WHOLE
    elif position > 0.5:
        last = WHOLE
    else:
        first = WHOLE
    return Shot(picture=picture, position=position, first=first, last=last)


def _director(shots: Sequence[Shot], motion: str, dice: random.Random) -> Show:
    """Return what shows the film at a progress of 0 to 1, at a size in pixels."""
    light = clouds(dice, (96, 54), cells=5)
    light = light.point([128 + round((level - 128) * 0.3) for level in range(256)])
    hand = dice.random()

    def show(progress: float, at: tuple[int, int]) -> Image.Image:
        visible = [_seen(shot, progress, motion, hand, at) for shot in _near(shots, progress)]
        picture = (
            visible[0] if len(visible) == 1 else Image.blend(visible[0], visible[1], _fade(shots, progress))
        )
        return _breathed(picture, light, progress)

    return show


def _near(shots: Sequence[Shot], progress: float) -> Sequence[Shot]:
    for before, after in pairwise(shots):
        if progress <= after.position:
            share = _share(before, after, progress)
            return (before,) if share <= 0 else (after,) if share >= 1 else (before, after)
    return (shots[-1],)


def _fade(shots: Sequence[Shot], progress: float) -> float:
    before, after = _near(shots, progress)
    return _share(before, after, progress)


def _share(before: Shot, after: Shot, progress: float) -> float:
    """Return how much of the later shot is seen: nothing in the first third between the two, all in the last."""
    span = max(1e-6, after.position - before.position)
    share = max(0.0, min(1.0, 3 * (progress - before.position) / span - 1))
    return share * share * (3 - 2 * share)


def _seen(shot: Shot, progress: float, motion: str, hand: float, at: tuple[int, int]) -> Image.Image:
    view = between(shot.first, shot.last, progress)
    if motion == "handheld":
        view = sway(view, progress, random.Random(hand))
    return look(shot.picture, view, at)


def _breathed(picture: Image.Image, light: Image.Image, progress: float) -> Image.Image:
    """Return the picture with light and shade that drift over it, as from clouds."""
    moved = ImageChops.offset(light, round(progress * light.width * 0.5), 0).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    return ImageChops.soft_light(picture, Image.merge("RGB", (moved, moved, moved)))


def _developed(show: Show, text: str, *, seed: int, size: tuple[int, int]) -> list[bytes]:
    """Return the frames as JPEG, at the finest setting at which the film stays small."""

    def frame(progress: float, fineness: float, quality: int) -> bytes:
        at = max(2, round(size[0] * fineness)), max(2, round(size[1] * fineness))
        picture = show(progress, at)
        picture = picture if at == size else picture.resize(size, Image.Resampling.BICUBIC)
        tie_ribbon(picture, text, seed=seed)
        line = max(2, size[1] // 240)
        past = (0, size[1] - line, round(size[0] * progress), size[1])
        ImageDraw.Draw(picture).rectangle(past, fill=(255, 122, 60))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    chosen = FINENESS[-1]
    for setting in FINENESS:
        samples = [frame(progress, *setting) for progress in SAMPLES]
        if sum(map(len, samples)) <= FRAME_BYTES * len(samples):
            chosen = setting
            break
    return [frame(index / (COUNT - 1), *chosen) for index in range(COUNT)]
