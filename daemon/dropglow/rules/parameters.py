"""What all operations have in common: variants, variations, seeds, references.

An operation's parameters are a shape with the API's own field names in
snake_case. It can say its faults and warnings, its variants (what multiplies
into jobs), and the body of the request for one variant. Limits come from
Adobe's OpenAPI document; what depends on the organisation is a warning only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from dropglow.rules.shape import NOT_YET, Problem, Shape, Whole
from dropglow.rules.units import SIZE_PATTERN, Size, picture_size, shown

LONGEST_PROMPT: Final = 1024  # characters; Adobe's OpenAPI document, GenerateImagesRequestV3
LARGEST_SIDE: Final = 4096  # pixels; Adobe's OpenAPI document, Size
LARGEST_EXPANDED_SIDE: Final = 3999  # pixels; Adobe's OpenAPI document, ExpandImageRequestV3

SIZE_SCHEMA: Final = {
    "anyOf": [
        {"type": "string", "pattern": SIZE_PATTERN, "examples": ["2048x2048"]},
        {
            "type": "object",
            "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}},
            "required": ["width", "height"],
            "additionalProperties": False,
        },
    ]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One combination of what multiplies into jobs. None: left to Adobe's default."""

    size: Size | None = None
    content_class: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A picture besides the drop: its slot in the body, and its file."""

    slot: str
    path: str
    at: tuple[str, ...]  # where it stands among the parameters


def _size(value: Any) -> Size:
    return picture_size(value, largest=LARGEST_SIDE)


def _expanded_size(value: Any) -> Size:
    return picture_size(value, largest=LARGEST_EXPANDED_SIDE)


def _file(value: Any) -> Any:
    if isinstance(value, dict) and "sidecar" in value:
        raise ValueError(f"as a sidecar {NOT_YET}; give the path of a picture, relative to the rule file")
    if isinstance(value, str) and value.lower().startswith(("http://", "https://")):
        raise ValueError(f"as a web address {NOT_YET}; give the path of a picture, relative to the rule file")
    if not isinstance(value, str) or not value or "\x00" in value:
        raise ValueError(f"should be the path of a picture, relative to the rule file, not {shown(value)}")
    return value


def _different(values: list[Any]) -> list[Any]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ValueError(f"should not hold {twice} twice")
    return values


PictureSize = Annotated[Size, PlainValidator(_size), PlainSerializer(str), WithJsonSchema(SIZE_SCHEMA)]
ExpandedSize = Annotated[
    Size, PlainValidator(_expanded_size), PlainSerializer(str), WithJsonSchema(SIZE_SCHEMA)
]
FileName = Annotated[str, BeforeValidator(_file)]
Prompt = Annotated[str, Field(min_length=1, max_length=LONGEST_PROMPT)]
# Adobe's document sets no bounds for a seed; these are what every JSON reader agrees on.
Seed = Annotated[Whole, Field(ge=-(2**53) + 1, le=2**53 - 1)]
Seeds = Annotated[list[Seed], Field(min_length=1, max_length=4), AfterValidator(_different)]
Variations = Annotated[Whole, Field(ge=1, le=4)]
Different = AfterValidator(_different)


class Parameters(Shape, ABC):
    """The parameters that every image operation has."""

    # Two names of one thing: a list and its single value, our word and the API's.
    twins: ClassVar[Mapping[str, str]] = {"sizes": "size", "variations": "num_variations"}
    default_size: ClassVar[Size] = Size(width=2048, height=2048)  # Adobe's OpenAPI document

    prompt: Prompt | None = None
    variations: Variations | None = Field(
        default=None, description="How many pictures of each size, 1 to 4. Every one costs."
    )
    num_variations: Variations | None = Field(default=None, description="The API's name of `variations`.")
    seeds: Seeds | None = Field(
        default=None,
        description="Numbers that make a picture repeatable, one for each variation. Chosen for you if absent.",
    )

    @property
    def count(self) -> int:
        """Return how many pictures one request asks for."""
        return self.variations or self.num_variations or len(self.seeds or ()) or 1

    @abstractmethod
    def variants(self) -> tuple[Variant, ...]:
        """Return every combination that becomes a job of its own, in the order written."""

    @abstractmethod
    def files(self) -> tuple[NamedFile, ...]:
        """Return the pictures besides the drop that a request refers to."""

    @abstractmethod
    def body(self, variant: Variant, *, prompt: str) -> dict[str, Any]:
        """Return the JSON of the request for *variant*, without reference slots, seeds and their number."""

    @abstractmethod
    def located(self, folder: str) -> Self:
        """Return the same with every file path made absolute, relative to *folder*."""

    @classmethod
    def twice(cls, written: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what stands in both of its spellings, be its values right or not."""
        for many, one in cls.twins.items():
            if written.get(many) is not None and written.get(one) is not None:
                yield Problem(path=(one,), message=f"give {many} or {one}, not both", of_key=True)

    def faults(self) -> Iterator[Problem]:
        """Yield what contradicts itself or Adobe's limits, beyond single values and their spelling."""
        asked = self.variations or self.num_variations
        if asked and self.seeds and asked != len(self.seeds):
            message = f"seeds has {len(self.seeds)} for {asked} variations: Adobe asks for one seed for each"
            yield Problem(path=("seeds",), message=message)

    def warnings(self) -> Iterator[Problem]:
        """Yield what may be refused by Adobe, depending on the organisation."""
        yield from ()


def listed(many: list[Any] | None, one: Any) -> list[Any]:
    """Return what either spelling gives; one None where neither does, for the API's default."""
    return many if many is not None else [one]


def without_absent(**fields: Any) -> dict[str, Any]:
    """Return the fields that are there: Adobe reads no nulls."""
    return {name: value for name, value in fields.items() if value is not None}


def pixels(size: Size | None) -> dict[str, int] | None:
    """Return *size* as Adobe's documents write it."""
    return None if size is None else {"width": size.width, "height": size.height}
