"""Say where the name of a marker (``ready``) swallows files that should be drops. Pure.

A marker is never a drop, under any rule of its inbox; so a name that usual drops have keeps them all out.
"""

from __future__ import annotations

from typing import Final

from dropglow.model import Kind
from dropglow.rules.beside import owners
from dropglow.rules.globs import folded
from dropglow.rules.rule import Rule

_USUAL_STEM: Final = "beach"
_USUAL_EXTENSIONS: Final = {
    Kind.IMAGE: ("jpg", "jpeg", "png", "webp", "tif", "tiff", "jxl", "gif", "bmp", "avif"),
    Kind.PROMPT: ("txt", "prompt"),
}


def usual_names(kind: Kind) -> list[str]:
    """Return how drops of this kind are usually called."""
    return [f"{_USUAL_STEM}.{extension}" for extension in _USUAL_EXTENSIONS[kind]]


def mistaken(ready: str, kind: Kind) -> str | None:
    """Return a usual name of a drop of this kind that would be a marker by *ready*; None where there is none."""
    return next((name for name in usual_names(kind) if owners([ready], name)), None)


def taken_for_marker(ready: str, marking: Rule, other: Rule) -> str | None:
    """Return a usual name that *other* takes and *marking* keeps for its markers."""
    if other.inbox != marking.inbox or other.folders:
        return None
    pattern = other.conditions.name_pattern
    for name in usual_names(other.conditions.kind):
        if owners([ready], name) and (pattern is None or pattern.fullmatch(folded(name))):
            return name
    return None
