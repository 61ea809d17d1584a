"""Paint what a poster artist might print: few colours, clear shapes.

Drawn at twice the size and reduced, for smooth edges. The same dice give the same picture.
"""

from __future__ import annotations

import math
import random
from typing import Final

from PIL import Image, ImageDraw

from dropglow.sandbox.brushes import Colour, colour_at, gradient, mix, shade
from dropglow.sandbox.moods import Mood

__all__ = ["paint_graphics"]

PAPER: Final = (244, 236, 222)
INK: Final = (26, 28, 38)
SUNS: Final = ((232, 92, 60), (244, 184, 72), (222, 118, 132), (250, 226, 180))


def paint_graphics(size: tuple[int, int], mood: Mood, dice: random.Random) -> Image.Image:
    """Return a poster of a size in pixels; some hundred pixels a side are meant."""
    colours = _palette(mood, dice)
    canvas = (size[0] * 2, size[1] * 2)
    scenic = (
        "water" in mood.things or "peaks" in mood.things or "dunes" in mood.things or "trees" in mood.things
    )
    styles = (_waves, _waves, _facets, _tiles) if scenic else (_tiles, _facets, _rings, _waves)
    return dice.choice(styles)(canvas, mood, colours, dice).reduce(2)


def _palette(mood: Mood, dice: random.Random) -> list[Colour]:
    accents = [(226, 84, 58), (240, 176, 60), (38, 126, 130), (46, 74, 128), (214, 110, 130), (92, 140, 92)]
    own = [mood.zenith, mood.horizon, mood.land, mix(mood.land, mood.zenith, 0.5)]
    return [*own, *dice.sample(accents, 3), PAPER]


def _waves(size: tuple[int, int], mood: Mood, colours: list[Colour], dice: random.Random) -> Image.Image:
    """Paint bands of hills or waves under a large sun."""
    width, height = size
    picture = gradient(
        size, [(0.0, mix(mood.zenith, PAPER, 0.2)), (0.65, mix(mood.horizon, PAPER, 0.25)), (1.0, PAPER)]
    )
    draw = ImageDraw.Draw(picture)
    x, y = width * dice.uniform(0.25, 0.75), height * dice.uniform(0.26, 0.46)
    radius = min(size) * dice.uniform(0.15, 0.24)
    sun = PAPER if mood.dark else dice.choice(SUNS)
    for ring in range(4, 0, -1):
        wide = radius * (1 + ring * 0.22)
        tone = mix(colour_at(picture, (x, y - wide)), sun, 0.26 - 0.05 * ring)
        draw.ellipse((x - wide, y - wide, x + wide, y + wide), fill=tone)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=sun)
    bands = dice.randint(6, 9)
    first, last = mix(mood.horizon, colours[5], 0.45), mix(mood.land, INK, 0.5)
    for band in range(bands):
        share = band / (bands - 1)
        level = height * (0.46 + 0.46 * share)
        swing = height * dice.uniform(0.02, 0.07) * (1.5 - share if "peaks" in mood.things else 0.9)
        waves, phase = dice.uniform(0.7, 2.4), dice.uniform(0, math.tau)
        outline = [
            (
                at,
                level
                + swing
                * _swell(at / width * math.tau * waves + phase, sharp="peaks" in mood.things and band < 3),
            )
            for at in range(0, width + 16, 16)
        ]
        colour = mix(first, last, share)
        if dice.random() < 0.24:
            colour = mix(colour, dice.choice(colours[4:7]), 0.6)
        draw.polygon([*outline, (width, height), (0, height)], fill=colour)
        draw.line(outline, fill=mix(colour, PAPER, 0.35), width=max(2, height // 420))
    return picture


def _swell(angle: float, *, sharp: bool) -> float:
    if sharp:
        return abs((angle / math.pi) % 2 - 1) * 3.4 - 2.4 + 0.25 * math.sin(angle * 3.7)
    return math.sin(angle) + 0.4 * math.sin(angle * 2.3 + 1)


def _facets(size: tuple[int, int], mood: Mood, colours: list[Colour], dice: random.Random) -> Image.Image:
    """Paint a scene cut into triangles."""
    width, height = size
    across = dice.randint(9, 14)
    down = max(4, round(across * height / width))
    base = gradient(
        (across * 4, down * 4),
        [(0.0, mood.zenith), (0.45, mood.horizon), (0.6, colours[4]), (1.0, shade(mood.land, 0.7))],
    )
    glow_x, glow_y = dice.uniform(0.25, 0.75), dice.uniform(0.2, 0.5)
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    points = [
        [
            (
                (column + (dice.uniform(-0.42, 0.42) if 0 < column < across else 0)) * width / across,
                (row + (dice.uniform(-0.42, 0.42) if 0 < row < down else 0)) * height / down,
            )
            for column in range(across + 1)
        ]
        for row in range(down + 1)
    ]
    for row in range(down):
        for column in range(across):
            a, b = points[row][column], points[row][column + 1]
            c, d = points[row + 1][column], points[row + 1][column + 1]
            for triangle in ((a, b, c), (b, d, c)) if dice.random() < 0.5 else ((a, b, d), (a, d, c)):
                x = sum(point[0] for point in triangle) / 3 / width
                y = sum(point[1] for point in triangle) / 3 / height
                under = colour_at(base, (x * base.width, y * base.height))
                colour = shade(under, dice.uniform(0.84, 1.16))
                near = math.hypot((x - glow_x) * width, (y - glow_y) * height) / min(size)
                colour = mix(colour, mood.light, max(0.0, 0.75 - near * 2.2))
                draw.polygon(triangle, fill=colour)
    return picture


def _tiles(size: tuple[int, int], _mood: Mood, colours: list[Colour], dice: random.Random) -> Image.Image:
    """Paint a sheet of quarter circles, discs and bars on a grid."""
    short = min(size)
    cell = short // dice.choice((4, 5, 6))
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    for left in range(0, size[0], cell):
        for top in range(0, size[1], cell):
            ground, figure = dice.sample(colours, 2)
            box = (left, top, left + cell, top + cell)
            draw.rectangle(box, fill=ground)
            _figure(draw, box, figure, dice.choice(colours), dice)
    return picture


def _figure(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    colour: Colour,
    second: Colour,
    dice: random.Random,
) -> None:
    left, top, right, bottom = box
    cell = right - left
    kind = dice.randrange(6)
    if kind == 0:
        x, y = dice.choice((left, right)), dice.choice((top, bottom))
        for radius, tone in ((cell, colour), (cell * 0.55, second)):
            start = {(True, True): 0, (False, True): 90, (False, False): 180, (True, False): 270}[
                x == left, y == top
            ]
            draw.pieslice((x - radius, y - radius, x + radius, y + radius), start, start + 90, fill=tone)
    elif kind == 1:
        draw.ellipse(
            (left + cell * 0.14, top + cell * 0.14, right - cell * 0.14, bottom - cell * 0.14), fill=colour
        )
        draw.ellipse(
            (left + cell * 0.36, top + cell * 0.36, right - cell * 0.36, bottom - cell * 0.36), fill=second
        )
    elif kind == 2:
        for bar in range(4):
            draw.rectangle((left, top + cell * bar / 4, right, top + cell * (bar / 4 + 0.125)), fill=colour)
    elif kind == 3:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        start = dice.randrange(4)
        draw.polygon([corners[(start + step) % 4] for step in range(3)], fill=colour)
    elif kind == 4:
        start = dice.choice((0, 90, 180, 270))
        draw.pieslice(box, start, start + 180, fill=colour)
    else:
        for ring, tone in ((1.0, colour), (0.72, second), (0.44, colour)):
            inset = cell * (1 - ring) / 2
            draw.ellipse((left + inset, top + inset, right - inset, bottom - inset), fill=tone)


def _rings(size: tuple[int, int], mood: Mood, colours: list[Colour], dice: random.Random) -> Image.Image:
    """Paint overlapping systems of rings."""
    picture = gradient(size, [(0.0, mix(mood.horizon, PAPER, 0.5)), (1.0, PAPER)])
    for _ in range(dice.randint(4, 6)):
        sheet = picture.copy()
        draw = ImageDraw.Draw(sheet)
        x, y = size[0] * dice.random(), size[1] * dice.random()
        reach = min(size) * dice.uniform(0.22, 0.5)
        rings = dice.randint(4, 9)
        tones = dice.sample(colours[:7], 3)
        for ring in range(rings, 0, -1):
            radius = reach * ring / rings
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tones[ring % 3])
        picture = Image.blend(picture, sheet, 0.82)
    return picture
