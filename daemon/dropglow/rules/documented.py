"""Warn where a rule goes beyond what Adobe's documents list, and say what was probably meant.

Only warnings: which sizes and models Adobe accepts depends on the organisation, and
the lists of styles grow. Sizes: Adobe's OpenAPI document, in the descriptions of ``size``.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

from dropglow.rules.presets import STYLE_PRESETS
from dropglow.rules.problem import Problem
from dropglow.rules.units import Size

_ALL_MODELS: Final = frozenset({(2048, 2048), (2304, 1792), (1792, 2304), (2688, 1536)})
PICTURE_SIZES: Final = _ALL_MODELS | {(1024, 1024), (1344, 768), (1152, 896), (896, 1152)}
IMAGE3_SIZES: Final = PICTURE_SIZES | {(2688, 1512), (1344, 756)}
IMAGE4_SIZES: Final = _ALL_MODELS | {(1440, 2560)}

T = TypeVar("T")


def unlisted_models(
    many: Sequence[str] | None, one: str | None, *, known: tuple[str, ...]
) -> Iterator[Problem]:
    """Yield the models of either spelling that are not among the *known*."""
    for at, model in _spelled(("models", "model"), many, one):
        if model not in known:
            message = f"Adobe's documents name no model {model}{_hint(model, known)}"
            yield Problem(path=at, message=message)


def unlisted_sizes(
    many: Sequence[Size] | None, one: Size | None, *, known: Collection[tuple[int, int]], maker: str
) -> Iterator[Problem]:
    """Yield the sizes of either spelling that *maker*, a model or an operation, is not *known* to make."""
    for at, size in _spelled(("sizes", "size"), many, one):
        if (size.width, size.height) not in known:
            listing = ", ".join(f"{width}x{height}" for width, height in sorted(known))
            yield Problem(path=at, message=f"{maker} is not known to make {size}; Adobe lists {listing}")


def unlisted_presets(presets: Sequence[str]) -> Iterator[Problem]:
    """Yield the style presets that Adobe's documents do not name."""
    for place, preset in enumerate(presets):
        if preset not in STYLE_PRESETS:
            message = f"Adobe's documents name no style preset {preset}{_hint(preset, STYLE_PRESETS)}"
            yield Problem(path=("style", "presets", place), message=message)


def _spelled(
    keys: tuple[str, str], many: Sequence[T] | None, one: T | None
) -> Iterator[tuple[tuple[str | int, ...], T]]:
    """Yield each value and where it stands."""
    for place, value in enumerate(many or ()):
        yield (keys[0], place), value
    if many is None and one is not None:
        yield (keys[1],), one


def _hint(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
