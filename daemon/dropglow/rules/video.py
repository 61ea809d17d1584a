"""The operation ``video``: a clip of five seconds from a prompt, a dropped picture, or both.

Fields and limits: Adobe's OpenAPI document, GenerateVideoRequestV3; sizes: its usage notes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from dropglow.model import Kind
from dropglow.rules.documented import unlisted_models, unlisted_sizes
from dropglow.rules.parameters import (
    SIZE_SCHEMA,
    Different,
    Model,
    NamedPicture,
    Parameters,
    Share,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.problem import Problem
from dropglow.rules.shape import Shape, Whole
from dropglow.rules.source import OrPicture, Picture, prompt_text, short_picture
from dropglow.rules.units import Size, picture_size

VIDEO_MODEL: Final = "video1_standard"
# Adobe's document sets no bound for the prompt of a clip; this is as much as a prompt file may have.
LONGEST_VIDEO_PROMPT: Final = 1024 * 1024
_LARGEST_SIDE: Final = 8192  # pixels; Adobe's OpenAPI document, ClinetoSize
_KNOWN_SIZES: Final = frozenset(
    {(1920, 1080), (1280, 720), (960, 540), (1080, 1920), (720, 1280), (540, 960)}
    | {(1080, 1080), (720, 720), (540, 540)}
)
# Clips are priced by their lines, see ``pricing``: up to the first of these, up to the second, and above.
_LINES: Final = (540, 720)
_MOST_LINES: Final = "1080"


def _size(value: Any) -> Size:
    return picture_size(value, largest=_LARGEST_SIDE)


ClipSize = Annotated[Size, PlainValidator(_size), PlainSerializer(str), WithJsonSchema(SIZE_SCHEMA)]
CameraMotion = Literal[
    "camera pan left",
    "camera pan right",
    "camera zoom in",
    "camera zoom out",
    "camera tilt up",
    "camera tilt down",
    "camera locked down",
    "camera handheld",
]
PromptStyle = Literal[
    "anime",
    "3d",
    "fantasy",
    "cinematic",
    "claymation",
    "line art",
    "stop motion",
    "2d",
    "vector art",
    "black and white",
]
ShotAngle = Literal["aerial shot", "eye_level shot", "high angle shot", "low angle shot", "top-down shot"]
ShotSize = Literal["close-up shot", "extreme close-up", "medium shot", "long shot", "extreme long shot"]


class FramePlacement(Shape):
    """When a picture is seen in the clip."""

    position: Share | None = Field(default=None, description="0 is the first frame, 1 the last.")


class Condition(Shape):
    """A picture that is seen in the clip."""

    source: Picture | None = Field(default=None, description="The picture; the drop itself if absent.")
    placement: FramePlacement | None = Field(default=None, description="When it is seen.")


class Frames(Shape):
    """The pictures that are seen in the clip."""

    conditions: Annotated[list[Condition], Field(min_length=1)] | None = Field(
        default=None, description="The pictures, each with its place; one without a source is the drop."
    )


def _written_out(value: Any) -> Any:
    if not short_picture(value) and not (isinstance(value, dict) and "source" in value):
        return value
    return {"conditions": [{"source": value, "placement": {"position": 0}}]}


class VideoSettings(Shape):
    """How the camera is held."""

    camera_motion: CameraMotion | None = Field(
        default=None, description="How the camera moves, like `camera zoom in`."
    )
    prompt_style: PromptStyle | None = Field(
        default=None, description="What the clip looks like, like `cinematic`."
    )
    shot_angle: ShotAngle | None = Field(default=None, description="From where it looks, like `aerial shot`.")
    shot_size: ShotSize | None = Field(default=None, description="How near it is, like `close-up shot`.")


class Video(Parameters):
    """Make a clip of five seconds."""

    most_variations: ClassVar[int] = 1

    prompt: prompt_text(LONGEST_VIDEO_PROMPT) | None = Field(  # type: ignore[valid-type]  # made for its length
        default=None, description="What happens in the clip. Wraps the dropped prompt, where `{text}` is."
    )
    sizes: Annotated[list[ClipSize], Field(min_length=1), Different] | None = Field(
        default=None, description="Sizes in pixels, like 1280x720. Each becomes a job."
    )
    size: ClipSize | None = Field(default=None, description="One size, like 1920x1080.")
    model: Model | None = Field(default=None, description=f"The model version; Adobe's is {VIDEO_MODEL}.")
    bit_rate_factor: Whole | None = Field(
        default=None,
        ge=0,
        le=63,
        description="0 is the best and largest, 63 the worst; Adobe suggests 17 to 23.",
    )
    image: Annotated[Frames, BeforeValidator(_written_out), OrPicture()] | None = Field(
        default=None,
        description="Pictures in the clip; one alone is the first frame, and so is a dropped one unless said here.",
    )
    video_settings: VideoSettings | None = Field(default=None, description="How the camera is held.")

    @property
    def _conditions(self) -> list[Condition]:
        return (self.image and self.image.conditions) or []

    @property
    def usual_kind(self) -> Kind:
        """Return prompts, unless a picture of the clip is left to the drop."""
        return Kind.IMAGE if self.places_left() else Kind.PROMPT

    @property
    def longest_prompt(self) -> int:
        """Return what a prompt file may have."""
        return LONGEST_VIDEO_PROMPT

    def prompt_needed(self, slots: Collection[str]) -> bool:
        """Return whether there is no picture to begin with."""
        return not slots

    def pictures(self) -> tuple[NamedPicture, ...]:
        """Return the pictures of the clip that the rule names."""
        return tuple(
            NamedPicture(slot=_slot(place), source=condition.source, at=_at(place))
            for place, condition in enumerate(self._conditions)
            if condition.source is not None
        )

    def places_left(self) -> Mapping[str, tuple[str | int, ...]]:
        """Return the conditions without a source."""
        return {
            _slot(place): _at(place)
            for place, condition in enumerate(self._conditions)
            if condition.source is None
        }

    def drop_slot(self) -> str | None:
        """Return the condition that is left to the drop; where there is none at all, the first."""
        return next(iter(self.places_left()), None if self._conditions else _slot(0))

    def variety(self, variant: Variant) -> str:
        """Return the lines that a clip is priced by; one of unknown size is counted as the dearest."""
        lines = min(variant.size.width, variant.size.height) if variant.size else _LARGEST_SIDE
        return next((str(most) for most in _LINES if lines <= most), _MOST_LINES)

    def variants(self) -> tuple[Variant, ...]:
        """Return the sizes: a request has room for several, and still gives one clip."""
        return tuple(Variant(size=size, model=self.model) for size in listed(self.sizes, self.size))

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:
        """Return a GenerateVideoRequestV3 without slots and seeds."""
        size = pixels(variant.size)
        settings = self.video_settings
        return without_absent(
            prompt=prompt or None,
            sizes=size and [size],
            bitRateFactor=self.bit_rate_factor,
            image={"conditions": self._frames()} if slots else None,
            videoSettings=settings
            and (
                without_absent(
                    cameraMotion=settings.camera_motion,
                    promptStyle=settings.prompt_style,
                    shotAngle=settings.shot_angle,
                    shotSize=settings.shot_size,
                )
                or None
            ),
        )

    def _frames(self) -> list[dict[str, Any]]:
        positions = [_position(condition) for condition in self._conditions]
        return [{"placement": {"position": position}} for position in positions or [0.0]]

    def seeding(self, seeds: tuple[int, ...]) -> dict[str, Any]:
        """Return the one seed."""
        return {"seeds": list(seeds)}

    def faults(self) -> Iterator[Problem]:
        """Yield pictures without a place in time."""
        yield from super().faults()
        for place, condition in enumerate(self._conditions):
            if condition.placement is None or condition.placement.position is None:
                message = "say when this picture is seen, as placement: {position: 0}; 0 is the first frame, 1 the last"
                yield Problem(path=_at(place)[:-1], message=message)

    def warnings(self) -> Iterator[Problem]:
        """Yield a model and sizes that Adobe's documents do not list."""
        yield from super().warnings()
        yield from unlisted_models(None, self.model, known=(VIDEO_MODEL,))
        yield from unlisted_sizes(self.sizes, self.size, known=_KNOWN_SIZES, maker=VIDEO_MODEL)


def _slot(place: int) -> str:
    return f"image.conditions.{place}.source"


def _at(place: int) -> tuple[str | int, ...]:
    return ("image", "conditions", place, "source")


def _position(condition: Condition) -> float:
    assert condition.placement is not None, "`faults` asks for it"
    assert condition.placement.position is not None, "`faults` asks for it"
    return condition.placement.position
