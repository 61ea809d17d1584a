"""Make the sandbox's films: five seconds of a camera that moves over a painted scene or over dropped frames.

The same arguments give the same bytes. Motion JPEG in an MP4 file needs no codec to write and plays almost everywhere.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageOps

from dropglow.sandbox.brushes import noise
from dropglow.sandbox.camera import MOVES, WHOLE, View, between, look, sway
from dropglow.sandbox.finishing import printable, tie_ribbon
from dropglow.sandbox.moods import read_mood
from dropglow.sandbox.mp4 import write_film
from dropglow.sandbox.scenery import paint_scenery
from dropglow.sandbox.surroundings import open_photo

__all__ = ["FRAMES_PER_SECOND", "SECONDS", "paint_clip"]

SECONDS: Final = 5
FRAMES_PER_SECOND: Final = 8
COUNT: Final = SECONDS * FRAMES_PER_SECOND
# Scenes are painted at this many pixels on the longer side.
COARSE: Final = 900
# What a frame may weigh on average, so that a film is about two megabytes at most.
FRAME_BYTES: Final = 48_000
# From fine to coarse: the share of the detail that is kept, and the JPEG quality. The last is taken whatever it weighs.
FINENESS: Final = ((1.0, 70), (0.8, 46), (0.45, 32), (0.25, 22))
ACCENT: Final = (255, 122, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Hold a picture, when the film shows it alone (0 to 1), and how the camera moves over it in the whole film."""

    picture: Image.Image
    position: float
    first: View
    last: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Hold all that its frames are made from: the shots in order, the drifting light, the shaking hand, the ribbon."""

    shots: Sequence[Shot]
    light: Image.Image
    hand: float | None
    text: str
    seed: int
    size: tuple[int, int]


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

    ``frames`` are pictures and when to show them: 0 is the first frame, 1 the last; in between one fades into the next.
    ``camera_motion`` is one of Adobe's words (OpenAPI document, CameraMotion), with or without "camera" before it; any
    other, for example none, lets the seed choose.

    Raises:
        OSError: A frame cannot be read.
    """
    text = printable(prompt)
    dice = random.Random(f"clip|{text}|{seed}|{camera_motion}|{width}x{height}")
    motion = camera_motion.casefold().removeprefix("camera ").strip()
    if motion not in MOVES:
        # Drawing back would begin inside a dropped frame, and the first frame is to be all of it.
        choice = ("pan left", "pan right", "zoom in", "zoom out")
        motion = dice.choice(choice[:3] if frames else choice)
    size = width, height
    shots = [_dropped(content, position, size, motion) for position, content in sorted(frames)]
    if not shots or shots[0].position > 0.5:
        shots.insert(0, _painted(text, size, motion, dice))
    film = Film(
        shots=shots,
        light=_light(size, dice),
        hand=dice.random() if motion == "handheld" else None,
        text=text or "clip",
        seed=seed,
        size=size,
    )
    return write_film(_developed(film), size=size, frames_per_second=FRAMES_PER_SECOND)


def _painted(text: str, size: tuple[int, int], motion: str, dice: random.Random) -> Shot:
    scale = min(1.0, COARSE / max(size))
    coarse = max(16, round(size[0] * scale)), max(16, round(size[1] * scale))
    scene = paint_scenery(coarse, read_mood(text, dice), dice).resize(size, Image.Resampling.BICUBIC)
    first, last = MOVES[motion]
    return Shot(picture=scene, position=0.0, first=first, last=last)


def _dropped(content: bytes, position: float, size: tuple[int, int], motion: str) -> Shot:
    """Return the shot of a dropped frame: all of it is seen when its time has come, the camera moves before or after."""
    picture = ImageOps.fit(open_photo(content), size, Image.Resampling.LANCZOS)
    first, last = MOVES[motion]
    if motion == "zoom out":
        # What lies outside a photo is not known: the camera has come nearer before it draws back.
        first, last = View(zoom=1.3), WHOLE
    elif position > 0.5:
        last = WHOLE
    else:
        first = WHOLE
    return Shot(picture=picture, position=position, first=first, last=last)


def _light(size: tuple[int, int], dice: random.Random) -> Image.Image:
    """Return the shade that clouds cast (mode RGB, to be multiplied with), half as wide again as the film."""
    wide = size[0] * 3 // 2, size[1]
    light = noise(dice, (4, 3), (96, 54)).point([min(255, 226 + level // 7) for level in range(256)])
    light = light.resize(wide, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (light, light, light))


def _developed(film: Film) -> list[bytes]:
    """Return the frames as JPEG, at the finest setting at which the film stays small."""
    samples = (0.1, 0.9) if len(film.shots) > 1 else (0.5,)
    shown, quality = film, FINENESS[0][1]
    for fineness, quality in FINENESS:
        shown = _softer(film, fineness)
        if sum(len(_frame(shown, place, quality)) for place in samples) <= FRAME_BYTES * len(samples):
            break
    return [_frame(shown, index / (COUNT - 1), quality) for index in range(COUNT)]


def _softer(film: Film, fineness: float) -> Film:
    """Return the film with less detail: a share ``fineness`` of its pixels each way."""
    if fineness == 1:
        return film
    small = max(2, round(film.size[0] * fineness)), max(2, round(film.size[1] * fineness))
    shots = [replace(shot, picture=shot.picture.resize(small, Image.Resampling.BOX)) for shot in film.shots]
    return replace(film, shots=shots)


def _frame(film: Film, progress: float, quality: int) -> bytes:
    """Return the frame at a progress of 0 to 1 as JPEG, with a line at its foot that tells the progress."""
    shots, share = _visible(film.shots, progress)
    seen = [look(shot.picture, _view(film, shot, progress), film.size) for shot in shots]
    picture = Image.blend(seen[0], seen[1], share) if len(seen) == 2 else seen[0]
    left = round((film.light.width - film.size[0]) * (1 - progress))
    light = film.light.crop((left, 0, left + film.size[0], film.size[1]))
    picture = ImageChops.multiply(picture, light)
    tie_ribbon(picture, film.text, seed=film.seed)
    line = max(2, film.size[1] // 240)
    past = (0, film.size[1] - line, round(film.size[0] * progress), film.size[1])
    ImageDraw.Draw(picture).rectangle(past, fill=ACCENT)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def _visible(shots: Sequence[Shot], progress: float) -> tuple[Sequence[Shot], float]:
    """Return the one or two shots that are seen, and the share of the second.

    Between the times of two shots the first third shows the one, the last third the other.
    """
    for before, after in pairwise(shots):
        if progress > after.position:
            continue
        share = 3 * (progress - before.position) / max(1e-6, after.position - before.position) - 1
        if share <= 0:
            return (before,), 0.0
        if share >= 1:
            return (after,), 0.0
        return (before, after), share * share * (3 - 2 * share)
    return shots[-1:], 0.0


def _view(film: Film, shot: Shot, progress: float) -> View:
    view = between(shot.first, shot.last, progress)
    return view if film.hand is None else sway(view, progress, random.Random(film.hand))
