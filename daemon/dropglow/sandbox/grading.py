"""Change a photo's light, colour and weather without changing what it shows."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from dropglow.sandbox.brushes import clouds, gradient, mix, noise, screen, shade
from dropglow.sandbox.moods import Mood

__all__ = ["bend", "grade_photo", "relight"]

WHITE: Final = (255, 255, 255)
CELLS: Final = 18


def bend(photo: Image.Image, dice: random.Random, *, strength: float) -> Image.Image:
    """Return the photo with its parts gently moved, at most by a share ``strength`` of its smaller side."""
    width, height = photo.size
    reach = strength * min(width, height) / 2
    waves = [(dice.uniform(0.5, 1.6), dice.uniform(0.5, 1.6), dice.uniform(0, math.tau)) for _ in range(4)]

    def moved(x: int, y: int) -> tuple[float, float]:
        along, down = math.pi * x / width, math.pi * y / height
        shift = [math.sin(a * along + b * down + phase) for a, b, phase in waves]
        # Nothing moves at the edges, so that no empty corner comes into view.
        calm = math.sqrt(max(0.0, math.sin(along)) * max(0.0, math.sin(down)))
        return x + reach * calm * (shift[0] + shift[1]), y + reach * calm * (shift[2] + shift[3])

    xs = sorted({round(width * step / CELLS) for step in range(CELLS + 1)})
    ys = sorted({round(height * step / CELLS) for step in range(CELLS + 1)})
    cells = []
    for left, right in pairwise(xs):
        for top, bottom in pairwise(ys):
            corners = (moved(left, top), moved(left, bottom), moved(right, bottom), moved(right, top))
            cells.append(((left, top, right, bottom), tuple(part for corner in corners for part in corner)))
    return photo.transform(photo.size, Image.Transform.MESH, cells, Image.Resampling.BICUBIC)


def relight(photo: Image.Image, dice: random.Random) -> Image.Image:
    """Return the photo in a light that is a little different: warmer or cooler, from elsewhere, deeper or paler."""
    warm = dice.uniform(-1, 1)
    gains = 1 + 0.05 * warm, 1 + dice.uniform(-0.02, 0.02), 1 - 0.07 * warm
    channels = [
        channel.point([min(255, round(level * gain)) for level in range(256)])
        for channel, gain in zip(photo.split(), gains, strict=True)
    ]
    lit = ImageEnhance.Color(Image.merge("RGB", channels)).enhance(dice.uniform(0.9, 1.22))
    pattern = clouds(dice, photo.size, cells=2)
    pattern = pattern.point([128 + round((level - 128) * 0.55) for level in range(256)])
    return ImageChops.soft_light(lit, Image.merge("RGB", (pattern, pattern, pattern)))


def grade_photo(photo: Image.Image, mood: Mood, dice: random.Random) -> Image.Image:
    """Return the photo in a mood: its colours, its weather, its hour."""
    picture = _toned(photo, mood)
    if mood.dark:
        picture = _darkened(picture, mood, dice)
    else:
        picture = _lit(picture, mood, dice)
    if "mist" in mood.things:
        picture = _misted(picture, mood, dice)
    if "snow" in mood.things:
        picture = _snowed(picture, dice)
    return picture


def _toned(photo: Image.Image, mood: Mood) -> Image.Image:
    """Return the photo with the mood's colours in its shadows, its middle and its lights."""
    deep = shade(mix(mood.land, mood.zenith, 0.5), 0.3 if mood.dark else 0.35)
    middle = mix(mood.horizon, mood.zenith, 0.5 if mood.dark else 0.25)
    toned = ImageOps.colorize(photo.convert("L"), deep, mix(mood.light, mood.horizon, 0.3), mid=middle)
    return Image.blend(photo, toned, 0.5 if mood.dark else 0.6)


def _lit(photo: Image.Image, mood: Mood, dice: random.Random) -> Image.Image:
    side = dice.choice((0.12, 0.88))
    glow = Image.new("L", (64, 64))
    ImageDraw.Draw(glow).ellipse((64 * side - 26, -14, 64 * side + 26, 38), fill=200)
    glow = glow.filter(ImageFilter.GaussianBlur(13)).resize(photo.size, Image.Resampling.BICUBIC)
    return screen(photo, shade(mood.light, 0.85), glow)


def _darkened(photo: Image.Image, mood: Mood, dice: random.Random) -> Image.Image:
    """Return the photo as by night: dark and blue, but for what was brightest, and with stars above."""
    dim = photo.point([round(255 * (level / 255) ** 1.4 * 0.8) for level in range(256)] * 3)
    tint = Image.new("RGB", photo.size, mix(mood.zenith, mood.horizon, 0.5))
    dim = Image.blend(dim, ImageChops.overlay(dim, tint), 0.45)
    lamps = photo.convert("L").point([max(0, level - 190) * 3 for level in range(256)])
    dim = screen(dim, (120, 92, 48), lamps.filter(ImageFilter.GaussianBlur(max(photo.size) / 120)))
    sky = Image.new("RGB", photo.size)
    draw = ImageDraw.Draw(sky)
    for _ in range(220):
        spot = dice.uniform(0, photo.width), photo.height * 0.5 * dice.random() ** 1.4
        size = max(photo.size) * dice.uniform(0.0004, 0.0012)
        draw.ellipse(
            (spot[0] - size, spot[1] - size, spot[0] + size, spot[1] + size), fill=shade(WHITE, dice.random())
        )
    fade = gradient(photo.size, [(0.0, (255,) * 3), (0.5, (0,) * 3), (1.0, (0,) * 3)])
    return ImageChops.screen(dim, ImageChops.multiply(sky, fade))


def _misted(photo: Image.Image, mood: Mood, dice: random.Random) -> Image.Image:
    fade = gradient(photo.size, [(0.0, (110,) * 3), (0.5, (190,) * 3), (1.0, (40,) * 3)]).getchannel(0)
    veil = ImageChops.multiply(
        fade, noise(dice, (5, 8), photo.size).point([120 + level * 135 // 255 for level in range(256)])
    )
    return Image.composite(Image.new("RGB", photo.size, mix(mood.horizon, WHITE, 0.4)), photo, veil)


def _snowed(photo: Image.Image, dice: random.Random) -> Image.Image:
    pale = ImageEnhance.Brightness(ImageEnhance.Color(photo).enhance(0.5)).enhance(0.8)
    cover = gradient(photo.size, [(0.0, (0,) * 3), (0.45, (30,) * 3), (1.0, (190,) * 3)]).getchannel(0)
    cover = ImageChops.multiply(
        cover, photo.convert("L").point([min(255, 40 + level * 3 // 2) for level in range(256)])
    )
    picture = Image.composite(Image.new("RGB", photo.size, (240, 245, 252)), pale, cover)
    for count, share, soft in ((420, 0.0016, 0.6), (150, 0.0034, 1.6), (40, 0.008, 4.0)):
        flakes = Image.new("L", photo.size)
        draw = ImageDraw.Draw(flakes)
        for _ in range(count):
            x, y = dice.uniform(0, photo.width), dice.uniform(0, photo.height)
            size = max(photo.size) * share * dice.uniform(0.6, 1.3)
            draw.ellipse((x - size, y - size, x + size, y + size), fill=dice.randint(150, 245))
        picture = screen(
            picture, WHITE, flakes.filter(ImageFilter.GaussianBlur(soft * max(photo.size) / 1000))
        )
    return picture
