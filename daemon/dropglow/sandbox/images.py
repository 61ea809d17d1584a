"""Paint the sandbox's pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping


def paint_prompt(prompt: str, *, seed: int, content_class: str, width: int, height: int) -> bytes:  # noqa: ARG001
    """Return a JPEG for a prompt."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (20, 90, 150)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def paint_expansion(
    source: bytes,  # noqa: ARG001
    *,
    width: int,
    height: int,
    alignment: tuple[str, str],  # noqa: ARG001
    inset: Mapping[str, int],  # noqa: ARG001
    mask: bytes | None,  # noqa: ARG001
    seed: int,
    prompt: str,
) -> bytes:
    """Return a JPEG for an expansion."""
    return paint_prompt(prompt, seed=seed, content_class="photo", width=width, height=height)
