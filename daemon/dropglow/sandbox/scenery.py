"""Paint what a photographer might bring home: a sky, a light in it, land in layers, water.

Painted small and scaled up by the caller; softness belongs to the style. The same dice give the same picture.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from dropglow.sandbox.brushes import Colour, clouds, colour_at, gradient, mix, noise, screen, shade
from dropglow.sandbox.moods import Mood

__all__ = ["paint_scenery"]

WHITE: Final = (255, 255, 255)
# What Pillow's radial gradient has reached at the middle of its edges; its corners are 255.
RADIAL_EDGE: Final = 178


def paint_scenery(size: tuple[int, int], mood: Mood, dice: random.Random) -> Image.Image:
    """Return a landscape of a size in pixels; some hundred pixels a side are meant."""
    width, height = size
    horizon = round(height * dice.uniform(0.52, 0.66))
    light = (round(width * dice.uniform(0.18, 0.82)), round(horizon * dice.uniform(0.35, 0.86)))
    picture = _sky(size, horizon, mood)
    if mood.dark:
        _scatter_stars(picture, horizon, dice)
    picture = _cloud(picture, horizon, mood, dice)
    picture = _shine(picture, light, mood)
    far = (
        [("peaks", 0.52), ("hills", 0.18)]
        if "peaks" in mood.things or "snow" in mood.things
        else [("hills", 0.12)]
    )
    for index, (kind, rise) in enumerate(far):
        haze = 0.72 - 0.3 * index / max(1, len(far))
        colour = mix(mood.land, mood.horizon, haze)
        top = horizon - round(height * rise * (0.5 if index else 0.6))
        picture = _layer(
            picture, top, rise=height * rise * 0.6, rough=kind == "peaks", colour=colour, dice=dice
        )
    if "city" in mood.things:
        _build_city(picture, horizon, mood, dice)
    if "water" in mood.things:
        picture = _flood(picture, horizon, light, mood, dice)
        picture = _foreground(picture, round(height * 0.93), mood, dice, rise=height * 0.06)
    else:
        picture = _land(picture, horizon, mood, dice)
    if "mist" in mood.things:
        picture = _lay_mist(picture, horizon, mood, dice)
    return picture


def _sky(size: tuple[int, int], horizon: int, mood: Mood) -> Image.Image:
    line = horizon / size[1]
    middle = mix(mood.zenith, mood.horizon, 0.45)
    return gradient(
        size, [(0.0, mood.zenith), (line * 0.6, middle), (line, mood.horizon), (1.0, mood.horizon)]
    )


def _scatter_stars(picture: Image.Image, horizon: int, dice: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(260):
        spot = (dice.randrange(picture.width), dice.randrange(horizon))
        draw.point(spot, mix((70, 84, 130), WHITE, dice.random() ** 3))


def _cloud(picture: Image.Image, horizon: int, mood: Mood, dice: random.Random) -> Image.Image:
    veil = clouds(dice, picture.size, cells=4, stretch=3.2)
    threshold = dice.uniform(118, 146)
    veil = veil.point([max(0, min(210, round((level - threshold) * 4.2))) for level in range(256)])
    # Towards the zenith clouds are thin, on the land there are none.
    line = horizon / picture.height
    fade = gradient(
        picture.size, [(0.0, (70,) * 3), (line * 0.7, (220,) * 3), (line, (150,) * 3), (1.0, (0,) * 3)]
    )
    veil = ImageChops.multiply(veil, fade.getchannel(0))
    bright = mix(mood.light, WHITE, 0.35) if not mood.dark else mix(mood.horizon, mood.light, 0.25)
    shaded = mix(bright, mood.zenith, 0.35)
    tone = gradient(picture.size, [(0.0, bright), (line, shaded), (1.0, shaded)])
    return Image.composite(tone, picture, veil)


def _shine(picture: Image.Image, light: tuple[int, int], mood: Mood) -> Image.Image:
    reach = max(picture.size)
    for share, level in ((1.3, 150), (0.4, 170), (0.13, 200)):
        glow = _radial(picture.size, light, radius=reach * share * (0.6 if mood.dark else 1.0), level=level)
        picture = screen(picture, shade(mood.light, 0.55 if share > 1 else 0.9), glow)
    radius = reach * (0.022 if mood.dark else 0.026)
    disc = Image.new("L", picture.size)
    box = (light[0] - radius, light[1] - radius, light[0] + radius, light[1] + radius)
    ImageDraw.Draw(disc).ellipse(box, fill=255)
    disc = disc.filter(ImageFilter.GaussianBlur(radius * 0.12))
    return Image.composite(Image.new("RGB", picture.size, mix(mood.light, WHITE, 0.6)), picture, disc)


def _radial(size: tuple[int, int], centre: tuple[int, int], *, radius: float, level: int) -> Image.Image:
    # Squared, because light falls off faster than a straight line.
    fall = [round(level * max(0.0, 1 - distance / RADIAL_EDGE) ** 2) for distance in range(256)]
    ball = Image.radial_gradient("L").point(fall)
    step = ball.width / (2 * radius)
    across, down = (step * (radius - part) for part in centre)
    placed = (step, 0, across, 0, step, down)
    return ball.transform(size, Image.Transform.AFFINE, placed, Image.Resampling.BILINEAR)


def _ridge(width: int, dice: random.Random, *, rough: bool) -> list[float]:
    """Return heights of 0 to 1 along a line, by midpoint displacement."""
    points = [dice.random(), dice.random()]
    swing, decay = 0.6, 0.56 if rough else 0.4
    while len(points) < width:
        finer = []
        for left, right in pairwise(points):
            finer += [left, (left + right) / 2 + dice.uniform(-swing, swing)]
        points = [*finer, points[-1]]
        swing *= decay
    low, high = min(points), max(points)
    return [(point - low) / max(1e-6, high - low) for point in points[:width]]


def _ridge_mask(size: tuple[int, int], heights: list[float], top: float, rise: float) -> Image.Image:
    outline = [(x * 2, (top + rise * (1 - level)) * 2) for x, level in enumerate(heights)]
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    end = (size[0] * 2, outline[-1][1])
    ImageDraw.Draw(mask).polygon([*outline, end, (size[0] * 2, size[1] * 2), (0, size[1] * 2)], fill=255)
    return mask.reduce(2)


def _layer(
    picture: Image.Image, top: float, *, rise: float, rough: bool, colour: Colour, dice: random.Random
) -> Image.Image:
    mask = _ridge_mask(picture.size, _ridge(picture.width, dice, rough=rough), top, rise)
    start = max(0.0, top / picture.height)
    end = min(1.0, start + rise * 1.6 / picture.height)
    tone = gradient(
        picture.size, [(start, shade(colour, 0.9)), (end, mix(colour, WHITE, 0.12)), (1.0, colour)]
    )
    if rough:
        facets = clouds(dice, picture.size, cells=16, stretch=0.7)
        tone = ImageChops.overlay(tone, Image.merge("RGB", (facets, facets, facets)))
    return Image.composite(tone, picture, mask)


def _land(picture: Image.Image, horizon: int, mood: Mood, dice: random.Random) -> Image.Image:
    height = picture.height
    depth = height - horizon
    for index in range(4):
        near = (index + 1) / 4
        colour = shade(mix(mood.horizon, mood.land, 0.45 + 0.55 * near), 1.08 - 0.42 * near)
        if "dunes" in mood.things or "snow" in mood.things:
            colour = shade(mix(mood.horizon, mood.land, 0.5 + 0.5 * near), 1.04 - 0.14 * near)
        top = horizon - depth * 0.06 + depth * (index**1.4) * 0.2
        rise = depth * (0.14 + 0.16 * near)
        if "trees" in mood.things and index:
            picture = _plant_trees(picture, top + rise * 0.4, mood, dice, near=near)
        picture = _layer(picture, top, rise=rise, rough=False, colour=colour, dice=dice)
        if not ("dunes" in mood.things or "snow" in mood.things):
            picture = _textured(picture, round(top), dice, near=near)
    if "flowers" in mood.things:
        _sow(picture, horizon, mood, dice)
    return picture


def _textured(picture: Image.Image, top: int, dice: random.Random, *, near: float) -> Image.Image:
    ground = clouds(dice, picture.size, cells=26, stretch=2.4)
    low = round(34 * near)
    ground = ground.point([128 + round((level - 128) * low / 128) for level in range(256)])
    changed = ImageChops.overlay(picture, Image.merge("RGB", (ground, ground, ground)))
    mask = Image.new("L", picture.size)
    mask.paste(255, (0, min(picture.height, top + 12), picture.width, picture.height))
    return Image.composite(changed, picture, mask)


def _foreground(
    picture: Image.Image, top: int, mood: Mood, dice: random.Random, *, rise: float
) -> Image.Image:
    if "trees" in mood.things:
        picture = _plant_trees(picture, top + rise * 0.5, mood, dice, near=1.0)
    colour = shade(mood.land, 0.5 if "dunes" not in mood.things else 0.9)
    return _layer(picture, top, rise=rise, rough=False, colour=colour, dice=dice)


def _plant_trees(
    picture: Image.Image, base: float, mood: Mood, dice: random.Random, *, near: float
) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    count = round(90 - 58 * near)
    for _ in range(count):
        x = dice.uniform(-0.02, 1.02) * picture.width
        tall = picture.height * (0.05 + 0.17 * near) * dice.uniform(0.6, 1.15)
        foot = base + dice.uniform(0, tall * 0.25)
        green = mix(mood.land, (18, 44, 32) if not mood.dark else (4, 8, 14), 0.62)
        colour = shade(mix(mood.horizon, green, 0.5 + 0.5 * near), dice.uniform(0.75, 1.1))
        half = tall * dice.uniform(0.16, 0.24)
        for tier in range(5):
            peak = foot - tall * (1 - tier * 0.17)
            hem = foot - tall * (0.66 - tier * 0.17)
            spread = half * (0.36 + 0.16 * tier)
            draw.polygon(
                [(x, peak), (x - spread, hem), (x + spread, hem)], fill=shade(colour, 1.14 - tier * 0.07)
            )
        draw.rectangle((x - half * 0.08, foot - tall * 0.05, x + half * 0.08, foot), fill=shade(colour, 0.6))
    return picture


def _sow(picture: Image.Image, horizon: int, mood: Mood, dice: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    kinds = [(226, 62, 70), (250, 214, 92), (244, 240, 246), (178, 110, 214), (244, 134, 176)]
    kinds = dice.sample(kinds, 3)
    for _ in range(900):
        near = dice.random() ** 0.6
        y = horizon + (picture.height - horizon) * (0.3 + 0.7 * near)
        x = dice.uniform(0, picture.width)
        size = picture.height * 0.0065 * near + 0.4
        colour = shade(mix(mood.land, dice.choice(kinds), 0.55 + 0.45 * near), 0.45 if mood.dark else 1.0)
        draw.ellipse((x - size, y - size * 0.8, x + size, y + size * 0.8), fill=colour)


def _build_city(picture: Image.Image, horizon: int, mood: Mood, dice: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for row, (near, count) in enumerate(((0.35, 26), (0.7, 20), (1.0, 15))):
        x = -dice.uniform(0, 0.05) * picture.width
        while x < picture.width:
            wide = picture.width / count * dice.uniform(0.6, 1.5)
            tall = picture.height * dice.uniform(0.07, 0.36 - 0.06 * row)
            colour = shade(
                mix(mood.horizon, mix(mood.land, (34, 38, 52), 0.6), near), dice.uniform(0.85, 1.1)
            )
            foot = horizon + picture.height * 0.05 * row
            draw.rectangle((x, foot - tall, x + wide, picture.height), fill=colour)
            _light_windows(draw, (x, foot - tall, x + wide, foot), colour, mood, dice)
            x += wide * dice.uniform(0.9, 1.15)


def _light_windows(
    draw: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    wall: Colour,
    mood: Mood,
    dice: random.Random,
) -> None:
    left, top, right, bottom = box
    step = max(5.0, (right - left) / 7)
    lamp = (255, 214, 130)
    y = top + step * 0.6
    while y < bottom - step * 0.5:
        x = left + step * 0.5
        while x < right - step * 0.7:
            lit = dice.random() < (0.45 if mood.dark else 0.12)
            pane = mix(wall, lamp, dice.uniform(0.6, 1.0)) if lit else mix(wall, mood.horizon, 0.22)
            draw.rectangle((x, y, x + step * 0.45, y + step * 0.5), fill=pane)
            x += step
        y += step * 1.1


def _flood(
    picture: Image.Image, horizon: int, light: tuple[int, int], mood: Mood, dice: random.Random
) -> Image.Image:
    width, height = picture.size
    depth = height - horizon
    taken = picture.crop((0, max(0, horizon - depth), width, horizon))
    mirror = ImageOps.flip(taken).resize((width, depth)).filter(ImageFilter.GaussianBlur((6, 2)))
    deep = mix(mood.zenith, (10, 40, 66), 0.45)
    tint = gradient(
        (width, depth), [(0.0, mood.horizon), (0.25, mix(deep, mood.horizon, 0.35)), (1.0, shade(deep, 0.7))]
    )
    water = Image.blend(mirror, tint, 0.52)
    waves = clouds(dice, (width, depth), cells=10, stretch=9.0)
    waves = waves.point([128 + round((level - 128) * 0.9) for level in range(256)])
    water = ImageChops.soft_light(water, Image.merge("RGB", (waves, waves, waves)))
    draw = ImageDraw.Draw(water)
    for _ in range(640):
        near = dice.random() ** 1.1
        y = depth * near
        spread = width * (0.018 + 0.11 * near)
        x = dice.gauss(light[0], spread)
        half = width * (0.004 + 0.016 * near) * dice.uniform(0.4, 1.3)
        sparkle = dice.uniform(0.4, 1.0) * (1 - 0.3 * near)
        shine = mix(colour_at(tint, (0, y)), mood.light, sparkle)
        draw.line((x - half, y, x + half, y), fill=shine, width=1 + round(near))
    shown = picture.copy()
    shown.paste(water, (0, horizon))
    return shown


def _lay_mist(picture: Image.Image, horizon: int, mood: Mood, dice: random.Random) -> Image.Image:
    line = horizon / picture.height
    band = gradient(
        picture.size,
        [
            (0.0, (0,) * 3),
            (line - 0.18, (20,) * 3),
            (line, (190,) * 3),
            (line + 0.16, (90,) * 3),
            (1.0, (10,) * 3),
        ],
    ).getchannel(0)
    veil = ImageChops.multiply(
        band, noise(dice, (5, 9), picture.size).point([150 + level * 105 // 255 for level in range(256)])
    )
    return Image.composite(Image.new("RGB", picture.size, mix(mood.horizon, WHITE, 0.3)), picture, veil)
