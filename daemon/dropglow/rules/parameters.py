"""What all operations have in common: variants, variations, seeds, references.

An operation's parameters are a shape with the API's own field names in
snake_case. It can say its faults and warnings, its variants (what multiplies
into jobs), and the body of the request for one variant. Limits come from
Adobe's OpenAPI document; what depends on the organisation is a warning only.
"""

from __future__ import annotations

import os.path
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from dropglow.model import Kind
from dropglow.rules.problem import Problem
from dropglow.rules.shape import Shape, Whole
from dropglow.rules.source import DOMAINS, Beside, PictureSource, prompt_text
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
class NamedPicture:
    """A picture besides the drop: its slot in the body, where it is, and where that stands."""

    slot: str
    source: PictureSource
    at: tuple[str | int, ...]  # among the parameters


def _size(value: Any) -> Size:
    return picture_size(value, largest=LARGEST_SIDE)


def _expanded_size(value: Any) -> Size:
    return picture_size(value, largest=LARGEST_EXPANDED_SIDE)


def _different(values: list[Any]) -> list[Any]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ValueError(f"should not hold {twice} twice")
    return values


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"should be a number from 0 to 1, not {shown(value)}")
    return float(value)


PictureSize = Annotated[Size, PlainValidator(_size), PlainSerializer(str), WithJsonSchema(SIZE_SCHEMA)]
ExpandedSize = Annotated[
    Size, PlainValidator(_expanded_size), PlainSerializer(str), WithJsonSchema(SIZE_SCHEMA)
]
Prompt = prompt_text(LONGEST_PROMPT)
# Adobe's document sets no bounds for a seed; these are what every JSON reader agrees on.
Seed = Annotated[Whole, Field(ge=-(2**53) + 1, le=2**53 - 1)]
Seeds = Annotated[list[Seed], Field(min_length=1, max_length=4), AfterValidator(_different)]
Variations = Annotated[Whole, Field(ge=1, le=4)]
Different = AfterValidator(_different)
Model = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Share = Annotated[
    float,
    PlainValidator(_share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]


class Parameters(Shape, ABC):
    """The parameters that every operation has."""

    # Two names of one thing: a list and its single value, our word and the API's.
    twins: ClassVar[Mapping[str, str]] = {"sizes": "size", "variations": "num_variations"}
    # Where pictures may stand among the parameters, and the slots in the body that they fill.
    slots: ClassVar[Mapping[tuple[str, ...], str]] = {}
    drop_slots: ClassVar[tuple[str, ...]] = ()  # for a dropped picture: the first that no other picture fills
    needed_slots: ClassVar[tuple[str, ...]] = ()  # what Adobe requires
    domains: ClassVar[tuple[str, ...]] = DOMAINS  # from which Adobe reads pictures by their address
    most_variations: ClassVar[int] = 4

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
        """Return how many results one request asks for."""
        return self.variations or self.num_variations or len(self.seeds or ()) or 1

    @property
    def usual_kind(self) -> Kind:
        """Return what a rule takes that does not say so."""
        return Kind.IMAGE

    @property
    def longest_prompt(self) -> int:
        """Return how many characters Adobe reads of a prompt; 0: the operation has none."""
        return LONGEST_PROMPT

    def prompt_needed(self, slots: Collection[str]) -> bool:  # noqa: ARG002  # of some it depends on the pictures
        """Return whether Adobe refuses a request without a prompt, where pictures fill *slots*."""
        return False

    @property
    def said_prompt(self) -> str | Beside | None:
        """Return the prompt that the rule says, if the operation has one."""
        return getattr(self, "prompt", None)

    def pictures(self) -> tuple[NamedPicture, ...]:
        """Return the pictures besides the drop that a request refers to."""
        found = ((at, slot, _at(self, at)) for at, slot in self.slots.items())
        return tuple(
            NamedPicture(slot=slot, source=source, at=at) for at, slot, source in found if source is not None
        )

    def drop_slot(self) -> str | None:
        """Return the slot that a dropped picture fills; None: there is no place for one."""
        filled = {picture.slot for picture in self.pictures()}
        return next((slot for slot in self.drop_slots if slot not in filled), None)

    def places_left(self) -> Mapping[str, tuple[str | int, ...]]:
        """Return the slots whose picture is expressly left to the drop, each with where that stands."""
        return {}

    def filled_slots(self, kind: Kind) -> tuple[str, ...]:
        """Return the slots that have a picture, if a drop of this kind has its place."""
        dropped = self.drop_slot() if kind is Kind.IMAGE else None
        return (*(() if dropped is None else (dropped,)), *(picture.slot for picture in self.pictures()))

    def empty_places(self, kind: Kind) -> tuple[tuple[str | int, ...], ...]:
        """Return where a picture is missing that Adobe requires, or that was left to a drop of another kind."""
        filled = self.filled_slots(kind)
        places = {slot: at for at, slot in self.slots.items() if slot in self.needed_slots}
        return tuple(at for slot, at in {**places, **self.places_left()}.items() if slot not in filled)

    def drop_faults(self) -> Iterator[Problem]:
        """Yield what does not go with a dropped picture: one that has no place, first of all."""
        if self.drop_slot() is not None:
            return
        taken = next((each for each in self.pictures() if each.slot in self.drop_slots), None)
        if taken is not None:
            message = (
                f"{spelled(taken.at)} is said, so that a dropped picture has no place: leave it out, or take prompts"
                " (match: {kind: prompt})"
            )
            yield Problem(path=taken.at, message=message)

    def expected_size(self, variant: Variant) -> Size | None:
        """Return the size of the results; None where only Adobe knows it."""
        return variant.size

    def variety(self, variant: Variant) -> str:
        """Return what the price of a result depends on, besides its operation: the model, unless said otherwise."""
        return variant.model or ""

    @abstractmethod
    def variants(self) -> tuple[Variant, ...]:
        """Return every combination that becomes a job of its own, in the order written."""

    @abstractmethod
    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:
        """Return the JSON of the request for *variant*, without seeds and their number.

        Pictures are filled into *slots* later; only lists that hold slots must be there already.
        """

    def seeding(self, seeds: tuple[int, ...]) -> dict[str, Any]:
        """Return the part of the request that says how many results are wanted, and by which seeds."""
        return {"numVariations": len(seeds), "seeds": list(seeds)}

    def located(self, folder: str) -> Self:
        """Return the same with every file path made absolute, relative to *folder*."""
        return _located(self, folder)

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
        if self.count > self.most_variations:
            key = next(key for key in ("variations", "num_variations", "seeds") if getattr(self, key))
            results = "result" if self.most_variations == 1 else "results"
            message = (
                f"{key}: one request makes at most {self.most_variations} {results} here, not {self.count}"
            )
            yield Problem(path=(key,), message=message)

    def warnings(self) -> Iterator[Problem]:
        """Yield what may be refused by Adobe, depending on the organisation."""
        yield from ()


def _at(shape: Shape, place: tuple[str, ...]) -> PictureSource | None:
    value: Any = shape
    for name in place:
        value = None if value is None else getattr(value, name)
    assert value is None or isinstance(value, PictureSource)
    return value


B = TypeVar("B", bound=Shape)


def _located(shape: B, folder: str) -> B:
    found = {name: getattr(shape, name) for name in type(shape).model_fields}
    moved = {name: _moved(value, folder) for name, value in found.items()}
    return shape.model_copy(update={name: value for name, value in moved.items() if value is not found[name]})


def _moved(value: Any, folder: str) -> Any:
    match value:
        case PictureSource(path=str(path)):
            return PictureSource(path=os.path.normpath(os.path.join(folder, path)))  # noqa: PTH118  # a path is text here
        case Shape():
            return _located(value, folder)
        case [Shape(), *_]:
            return [_moved(item, folder) for item in value]
        case _:
            return value


def spelled(at: Sequence[str | int]) -> str:
    """Return the name of the parameter at a place: ``background.image``; the API's own ``source`` goes without saying."""
    return ".".join(str(step) for step in at if step != "source")


def listed(many: list[Any] | None, one: Any) -> list[Any]:
    """Return what either spelling gives; one None where neither does, for the API's default."""
    return many if many is not None else [one]


def without_absent(**fields: Any) -> dict[str, Any]:
    """Return the fields that are there: Adobe reads no nulls."""
    return {name: value for name, value in fields.items() if value is not None}


def pixels(size: Size | None) -> dict[str, int] | None:
    """Return *size* as Adobe's documents write it."""
    return None if size is None else {"width": size.width, "height": size.height}
