"""Move a camera over a picture that is larger than what it shows.

A view is a part of the picture: how far the camera is zoomed in, and where within the free room it looks.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PIL import Image

__all__ = ["MOVES", "WHOLE", "View", "between", "look", "sway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Hold a zoom (1 shows everything) and a place in the room that it leaves, each way from -1 to 1."""

    zoom: float
    across: float = 0.0
    down: float = 0.0


WHOLE: Final = View(zoom=1.0)
STILL: Final = View(zoom=1.06)
# By the names of Adobe's OpenAPI document (CameraMotion), without their common first word: where a move begins and ends.
MOVES: Final[Mapping[str, tuple[View, View]]] = {
    "pan left": (View(zoom=1.28, across=0.95), View(zoom=1.28, across=-0.95)),
    "pan right": (View(zoom=1.28, across=-0.95), View(zoom=1.28, across=0.95)),
    "tilt up": (View(zoom=1.28, down=0.95), View(zoom=1.28, down=-0.95)),
    "tilt down": (View(zoom=1.28, down=-0.95), View(zoom=1.28, down=0.95)),
    "zoom in": (View(zoom=1.02), View(zoom=1.42)),
    "zoom out": (View(zoom=1.42), View(zoom=1.02)),
    "locked down": (STILL, STILL),
    "handheld": (View(zoom=1.1), View(zoom=1.1)),
}


def between(first: View, last: View, progress: float) -> View:
    """Return the view at a progress of 0 to 1, starting and ending gently."""
    share = progress * progress * (3 - 2 * progress)
    return View(
        zoom=first.zoom * (last.zoom / first.zoom) ** share,
        across=first.across + (last.across - first.across) * share,
        down=first.down + (last.down - first.down) * share,
    )


def sway(view: View, progress: float, dice: random.Random) -> View:
    """Return the view a hand holds at a progress of 0 to 1; the dice must be the same ones for every frame."""
    across, down = 0.0, 0.0
    for rate in (1.3, 2.9, 5.3):
        across += math.sin(math.tau * (rate * progress + dice.random())) / rate
        down += math.sin(math.tau * (rate * 0.8 * progress + dice.random())) / rate
    return View(
        zoom=view.zoom,
        across=max(-1.0, min(1.0, view.across + 0.55 * across)),
        down=max(-1.0, min(1.0, view.down + 0.55 * down)),
    )


def look(picture: Image.Image, view: View, size: tuple[int, int]) -> Image.Image:
    """Return what a view shows of a picture at a size in pixels; the picture has the same shape."""
    width, height = picture.width / view.zoom, picture.height / view.zoom
    left = (picture.width - width) * (1 + view.across) / 2
    top = (picture.height - height) * (1 + view.down) / 2
    part = (left, top, min(picture.width, left + width), min(picture.height, top + height))
    return picture.resize(size, Image.Resampling.BILINEAR, box=part)
