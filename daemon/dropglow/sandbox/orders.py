"""Hold what the sandbox understood of a submission, and what it keeps of an upload.

Pure data. An order names its pictures by what they are for, whatever their place in the body was; what only one
operation knows stands in its `Manner`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Adaptive",
    "Filming",
    "Input",
    "Manner",
    "Operation",
    "Order",
    "Placement",
    "Plain",
    "Precise",
    "Role",
    "Upload",
    "Upscaling",
]


class Operation(enum.Enum):
    """Name the operations the sandbox can do."""

    GENERATE = "generate"
    IMAGE5 = "image5"
    SIMILAR = "similar"
    EXPAND = "expand"
    FILL = "fill"
    COMPOSITE = "composite"
    PRECISE_COMPOSITE = "precise_composite"
    ADAPTIVE_COMPOSITE = "adaptive_composite"
    UPSCALE = "upscale"
    VIDEO = "video"


class Role(enum.Enum):
    """Name what a picture in a body is for."""

    SOURCE = "source"
    MASK = "mask"
    OBJECT = "object"
    OBJECT_MASK = "object_mask"
    FRAME = "frame"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Name one picture of an order: an upload, or a URL (``upload_id`` None), which is never fetched.

    ``loc`` is its place in the body. ``position`` is a frame's place in the clip, from 0 to 1.
    """

    role: Role
    upload_id: str | None
    loc: tuple[str | int, ...]
    position: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Say that an operation has nothing of its own that shows in its pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Say where the source lies in the picture: aligned, or inside margins in pixels of the target.

    Where a mask says it instead, ``mask_inverted`` says which side of it is painted anew.
    """

    horizontal: str = "center"
    vertical: str = "center"
    inset: Mapping[str, int] = field(default_factory=dict)
    mask_inverted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Precise:
    """Hold what a precise composite was told; ``blend`` from 0 (harmonised) to 1 (the object as it was)."""

    blend: float
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """Hold what an adaptive composite was told; the shares go from 0 to 1."""

    harmonization: float
    shadow_intensity: float
    preserve_background: bool
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaling:
    """Hold how many times as wide and high the picture becomes."""

    factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filming:
    """Hold how the camera moves, in Adobe's words; empty where nothing was said."""

    camera_motion: str = ""


Manner: TypeAlias = Plain | Placement | Precise | Adaptive | Upscaling | Filming


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Hold a submission that passed validation.

    ``seeds`` is empty where the caller left the choice to us. ``images`` counts results, clips as well;
    ``operations`` is what they cost. Width and height are those of the results, in pixels.
    """

    operation: Operation
    model: str
    prompt: str
    width: int
    height: int
    seeds: tuple[int, ...]
    images: int
    operations: int
    body_sha256: str
    content_class: str | None = None
    custom_model: str | None = None
    alt_text_wanted: bool = False
    inputs: tuple[Input, ...] = ()
    manner: Manner = Plain()

    def upload(self, role: Role) -> str | None:
        """Return the id of the first upload in this role, or None where there is none."""
        return next((one.upload_id for one in self.inputs if one.role is role), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Hold an uploaded picture. Width and height, as it is looked at, are 0 where the format cannot be read here."""

    id: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    transparent: bool
    stored_at: float
