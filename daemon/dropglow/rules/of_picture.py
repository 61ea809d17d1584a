"""What the operations have in common that make something of one picture: the drop, or one that the rule names."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from dropglow.rules.documented import PICTURE_SIZES, unlisted_sizes
from dropglow.rules.parameters import Different, Parameters, PictureSize, Variant
from dropglow.rules.problem import Problem
from dropglow.rules.source import Picture
from dropglow.rules.units import Size

DEFAULT_SIZE = Size(
    width=2048, height=2048
)  # Adobe's OpenAPI document, ``size`` of every operation below /v3/images


class OfPicture(Parameters, ABC):
    """The parameters of an operation on one picture."""

    slots: ClassVar[Mapping[tuple[str, ...], str]] = {("image",): "image.source"}
    drop_slots: ClassVar[tuple[str, ...]] = ("image.source",)
    needed_slots: ClassVar[tuple[str, ...]] = ("image.source",)

    image: Picture | None = Field(
        default=None,
        description="The picture, where the dropped file is something else; else it is the drop.",
    )


class OfSizedPicture(OfPicture, ABC):
    """The parameters of an operation on one picture whose results have one of Adobe's usual sizes."""

    sizes: Annotated[list[PictureSize], Field(min_length=1), Different] | None = Field(
        default=None, description="Sizes in pixels, like 2048x2048. Each becomes a job."
    )
    size: PictureSize | None = Field(default=None, description="One size. Adobe's default is 2048x2048.")

    def expected_size(self, variant: Variant) -> Size | None:
        """Return the size asked for, or Adobe's default."""
        return variant.size or DEFAULT_SIZE

    def warnings(self) -> Iterator[Problem]:
        """Yield sizes that Adobe's documents do not list."""
        yield from super().warnings()
        name = "this operation"
        yield from unlisted_sizes(self.sizes, self.size, known=PICTURE_SIZES, maker=name)
