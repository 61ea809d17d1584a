"""Guess from a prompt's words what its picture should look like.

Pure. A prompt without any known word gets one of the moods by its hash, so that every prompt has a look of its own.
"""

from __future__ import annotations

import colorsys
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from dropglow.sandbox.brushes import Colour, mix

__all__ = ["Mood", "read_mood"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """Hold the colours of a scene and the names of its things, which are the keys of `THINGS`."""

    zenith: Colour
    horizon: Colour
    light: Colour
    land: Colour
    dark: bool = False
    things: frozenset[str] = frozenset()


DAY: Final = Mood(zenith=(58, 118, 190), horizon=(206, 226, 238), light=(255, 246, 220), land=(74, 104, 66))
DAWN: Final = Mood(zenith=(96, 122, 178), horizon=(252, 205, 182), light=(255, 226, 190), land=(86, 104, 84))
SUNSET: Final = Mood(zenith=(60, 58, 120), horizon=(255, 160, 84), light=(255, 214, 130), land=(58, 38, 56))
NIGHT: Final = Mood(
    zenith=(8, 12, 34), horizon=(46, 64, 112), light=(226, 234, 255), land=(14, 20, 34), dark=True
)
STORM: Final = Mood(zenith=(56, 66, 82), horizon=(158, 168, 174), light=(214, 220, 226), land=(56, 66, 60))
AUTUMN: Final = Mood(
    zenith=(108, 146, 186), horizon=(246, 224, 188), light=(255, 232, 180), land=(150, 82, 32)
)
SPRING: Final = Mood(
    zenith=(92, 158, 214), horizon=(226, 240, 240), light=(255, 250, 226), land=(98, 146, 68)
)
MOODS: Final = (DAY, DAWN, SUNSET, AUTUMN, SPRING)

# The first of these that the prompt names decides the light: the hour before the weather before the season.
LIGHTS: Final[Mapping[str, Mood]] = {
    "night": NIGHT, "moon": NIGHT, "moonlight": NIGHT, "star": NIGHT, "space": NIGHT, "midnight": NIGHT,
    "galaxy": NIGHT, "neon": NIGHT, "dark": NIGHT, "cyberpunk": NIGHT, "aurora": NIGHT, "lantern": NIGHT,
    "sunset": SUNSET, "dusk": SUNSET, "evening": SUNSET, "golden": SUNSET, "fire": SUNSET, "lava": SUNSET,
    "sunrise": DAWN, "dawn": DAWN, "morning": DAWN, "pastel": DAWN, "pink": DAWN,
    "day": DAY, "noon": DAY, "sunny": DAY,
    "storm": STORM, "rain": STORM, "cloudy": STORM, "moody": STORM, "thunder": STORM,
    "autumn": AUTUMN, "fall": AUTUMN, "october": AUTUMN, "harvest": AUTUMN, "desert": AUTUMN,
    "spring": SPRING, "garden": SPRING, "meadow": SPRING, "flower": SPRING, "summer": SPRING, "picnic": SPRING,
    "winter": DAY, "blue": DAY,
}  # fmt: skip
THINGS: Final[Mapping[str, frozenset[str]]] = {
    "water": frozenset((
        "sea", "ocean", "lake", "beach", "river", "coast", "harbor", "harbour", "ship", "boat", "island", "wave",
        "fjord", "lighthouse", "pond", "bay", "surf", "whale", "sail", "water",
    )),
    "trees": frozenset(("forest", "wood", "jungle", "tree", "pine", "fir", "fox", "bear", "deer", "owl", "park", "cabin")),
    "city": frozenset(("city", "street", "town", "skyline", "building", "tokyo", "paris", "london", "york", "cyberpunk", "village")),
    "dunes": frozenset(("desert", "dune", "sand", "sahara", "camel", "mars", "egypt", "beach")),
    "snow": frozenset(("snow", "snowy", "winter", "ice", "arctic", "glacier", "penguin", "frost", "alps", "ski", "christmas")),
    "mist": frozenset(("fog", "mist", "misty", "foggy", "dream", "haze", "steam", "rain")),
    "flowers": frozenset(("flower", "meadow", "garden", "spring", "rose", "tulip", "lavender", "poppy", "picnic", "bee")),
    "peaks": frozenset(("mountain", "alps", "peak", "volcano", "fjord", "valley", "castle", "cliff", "hike", "dragon")),
}  # fmt: skip
TINTS: Final[Mapping[str, Colour]] = {
    "red": (214, 48, 44), "orange": (240, 132, 36), "yellow": (248, 208, 66), "gold": (230, 180, 70),
    "golden": (230, 180, 70), "green": (58, 150, 84), "emerald": (20, 132, 96), "teal": (28, 148, 148),
    "turquoise": (64, 200, 196), "blue": (44, 100, 204), "purple": (122, 66, 178), "violet": (138, 86, 206),
    "pink": (244, 136, 176), "magenta": (214, 50, 140), "lavender": (174, 150, 218), "neon": (236, 50, 200),
}  # fmt: skip


def read_mood(prompt: str, dice: random.Random) -> Mood:
    """Return the mood of a prompt; the dice decide what the words leave open."""
    words = [_singular(word) for word in re.findall(r"[a-z]+", prompt.casefold())]
    mood = next((light for word, light in LIGHTS.items() if word in words), None) or dice.choice(MOODS)
    things = {thing for thing, names in THINGS.items() if not names.isdisjoint(words)}
    if not things:
        things = {dice.choice(("water", "trees", "peaks", "dunes", "flowers"))}
        things |= {"peaks"} if dice.random() < 0.4 else set()
    mood = replace(_turned(mood, dice), things=frozenset(things))
    for word in words:
        if word in TINTS:
            mood = _tinted(mood, TINTS[word])
    if "snow" in things:
        mood = replace(mood, land=mix(mood.land, (232, 240, 250), 0.3 if mood.dark else 0.82))
    if "dunes" in things:
        mood = replace(mood, land=mix(mood.land, (206, 148, 84), 0.3 if mood.dark else 0.8))
    return mood


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _turned(mood: Mood, dice: random.Random) -> Mood:
    """Return the mood with its hues shifted a little, so that no two prompts share their colours."""
    shift = dice.uniform(-0.035, 0.035)
    return replace(
        mood,
        zenith=_hue(mood.zenith, shift),
        horizon=_hue(mood.horizon, shift / 2),
        land=_hue(mood.land, shift * 1.5),
    )


def _hue(colour: Colour, shift: float) -> Colour:
    hue, light, depth = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = colorsys.hls_to_rgb((hue + shift) % 1.0, light, depth)
    return round(red * 255), round(green * 255), round(blue * 255)


def _tinted(mood: Mood, tint: Colour) -> Mood:
    return replace(
        mood,
        zenith=mix(mood.zenith, tint, 0.25),
        horizon=mix(mood.horizon, tint, 0.35),
        land=mix(mood.land, tint, 0.25),
    )
