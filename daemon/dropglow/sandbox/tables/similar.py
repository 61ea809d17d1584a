"""Variations of a picture: POST /v3/images/generate-similar-async, GenerateSimilarImagesRequestV3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dropglow.sandbox.checks import Complaint, Shape
from dropglow.sandbox.orders import Operation, Role
from dropglow.sandbox.tables.pieces import SEEDS, SIZE, SOURCE, VARIATIONS, common_sizes, seeds_agree
from dropglow.sandbox.tables.table import Body, Spot, Table

__all__ = ["SIMILAR"]


def _clashes(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    return seeds_agree(body)


SIMILAR: Final = Table(
    operation=Operation.SIMILAR,
    shape=Shape(
        fields={
            "image": Shape(fields={"source": SOURCE}, required=frozenset({"source"})),
            "numVariations": VARIATIONS,
            "seeds": SEEDS,
            "size": SIZE,
        },
        required=frozenset({"image"}),
    ),
    spots=(Spot(role=Role.SOURCE, path=("image", "source")),),
    models=("image3", "image4_standard", "image4_ultra"),
    model="image3",
    sizes=common_sizes,
    clashes=_clashes,
)
