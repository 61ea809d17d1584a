"""The operation ``generate``: pictures from a prompt, with the v3 models.

Fields, limits and sizes: Adobe's OpenAPI document, GenerateImagesRequestV3.
"""

from __future__ import annotations

import difflib
import itertools
import os.path
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field

from dropglow.rules.parameters import (
    Different,
    FileName,
    NamedFile,
    Parameters,
    PictureSize,
    Prompt,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.presets import STYLE_PRESETS
from dropglow.rules.shape import NOT_YET, Problem, Shape, Whole
from dropglow.rules.units import Size

MODELS: Final = ("image3", "image3_custom", "image4_standard", "image4_ultra", "image4_custom")
DEFAULT_MODEL: Final = "image3"

_COMMON: Final = frozenset({(2048, 2048), (2304, 1792), (1792, 2304), (2688, 1536)})
_IMAGE3_SIZES: Final = _COMMON | {
    (1024, 1024),
    (2688, 1512),
    (1344, 768),
    (1344, 756),
    (1152, 896),
    (896, 1152),
}
_IMAGE4_SIZES: Final = _COMMON | {(1440, 2560)}
_CUSTOM: Final = "_custom"


def _version(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("image5"):
        raise ValueError(f"{value} {NOT_YET}; leave it out, or use one of {', '.join(MODELS)}")
    return value


Model = Annotated[str, BeforeValidator(_version), Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
ContentClass = Literal["photo", "art"]


class Style(Shape):
    """How the pictures should look."""

    presets: Annotated[list[str], Different] | None = Field(
        default=None, description="Names of Adobe's styles, for example `watercolor`."
    )
    image_reference: FileName | None = Field(
        default=None, description="A picture whose style is taken, relative to the rule file."
    )
    strength: Whole | None = Field(
        default=None, gt=0, le=100, description="How closely to follow the style, 1 to 100."
    )


class Structure(Shape):
    """What the pictures should be composed like."""

    image_reference: FileName | None = Field(
        default=None, description="A picture whose outline is followed, relative to the rule file."
    )
    strength: Whole | None = Field(
        default=None, ge=0, le=100, description="How closely to follow it, 0 to 100."
    )


class Generate(Parameters):
    """Make pictures from the dropped prompt."""

    twins: ClassVar[Mapping[str, str]] = {
        **Parameters.twins,
        "content_classes": "content_class",
        "models": "model",
    }
    advice: ClassVar[Mapping[str, str]] = {
        key: f"{key} belongs to the model image5, which {NOT_YET}"
        for key in (
            "aspect_ratio",
            "resolution_level",
            "reference_blobs",
            "model_specific_payload",
            "model_id",
        )
    }

    prompt: Prompt | None = Field(
        default=None,
        description="Wraps the dropped prompt, which stands where `{text}` is: `A watercolour of {text}`.",
    )
    negative_prompt: str | None = Field(
        default=None, max_length=1024, description="What should not be in the pictures."
    )
    sizes: Annotated[list[PictureSize], Field(min_length=1), Different] | None = Field(
        default=None, description="Sizes in pixels, like 2048x2048. Each becomes a job."
    )
    size: PictureSize | None = Field(default=None, description="One size. Adobe's default is 2048x2048.")
    content_classes: Annotated[list[ContentClass], Field(min_length=1), Different] | None = Field(
        default=None, description="Several of photo and art. Each becomes a job."
    )
    content_class: ContentClass | None = Field(default=None, description="photo or art.")
    models: Annotated[list[Model], Field(min_length=1), Different] | None = Field(
        default=None, description="Several model versions. Each becomes a job."
    )
    model: Model | None = Field(default=None, description="The model version; Adobe's default is image3.")
    visual_intensity: Whole | None = Field(
        default=None, ge=2, le=10, description="Contrast, shadow and hue, 2 to 10."
    )
    style: Style | None = Field(default=None, description="How the pictures should look.")
    structure: Structure | None = Field(
        default=None, description="What the pictures should be composed like."
    )
    prompt_biasing_locale_code: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z]{2,3}-[A-Za-z]{2}$",
        description="Language and region, like en-US, that results lean to.",
    )
    custom_model_id: str | None = Field(
        default=None, min_length=1, description="Which custom model; see `model`."
    )
    upsampler_type: Literal["default", "low_creativity"] | None = Field(
        default=None, description="For image4_custom only."
    )

    def variants(self) -> tuple[Variant, ...]:
        """Return sizes times content classes times models."""
        return tuple(
            Variant(size=size, content_class=content_class, model=model)
            for size, content_class, model in itertools.product(
                listed(self.sizes, self.size),
                listed(self.content_classes, self.content_class),
                listed(self.models, self.model),
            )
        )

    def files(self) -> tuple[NamedFile, ...]:
        """Return the style's and the structure's reference pictures."""
        return tuple(
            NamedFile(
                slot=f"{name}.imageReference.source", path=block.image_reference, at=(name, "image_reference")
            )
            for name, block in (("style", self.style), ("structure", self.structure))
            if block is not None and block.image_reference is not None
        )

    def body(self, variant: Variant, *, prompt: str) -> dict[str, Any]:
        """Return a GenerateImagesRequestV3 without slots and seeds."""
        return without_absent(
            prompt=prompt,
            negativePrompt=self.negative_prompt,
            size=pixels(variant.size),
            contentClass=variant.content_class,
            visualIntensity=self.visual_intensity,
            style=self.style
            and (without_absent(presets=self.style.presets, strength=self.style.strength) or None),
            structure=self.structure and (without_absent(strength=self.structure.strength) or None),
            promptBiasingLocaleCode=self.prompt_biasing_locale_code,
            customModelId=self.custom_model_id,
            upsamplerType=self.upsampler_type,
        )

    def located(self, folder: str) -> Self:
        """Return the same with absolute reference pictures."""
        changes = {
            name: block.model_copy(update={"image_reference": os.path.normpath(os.path.join(folder, path))})  # noqa: PTH118  # a path is text here
            for name, block in (("style", self.style), ("structure", self.structure))
            if block is not None and (path := block.image_reference) is not None
        }
        return self.model_copy(update=changes)

    def faults(self) -> Iterator[Problem]:
        """Yield contradictions between the parameters and the models."""
        yield from super().faults()
        if self.structure is not None and self.structure.image_reference is None:
            yield Problem(path=("structure",), message="structure needs an image_reference", of_key=True)
        models = [model or DEFAULT_MODEL for model in listed(self.models, self.model)]
        custom = [model for model in models if model.endswith(_CUSTOM)]
        for field, refused, words in (
            (
                "custom_model_id",
                len(custom) < len(models),
                "goes with the models image3_custom and image4_custom only",
            ),
            ("negative_prompt", bool(custom), "is not possible with custom models"),
            ("visual_intensity", "image4_custom" in models, "is not possible with image4_custom"),
            ("upsampler_type", set(models) != {"image4_custom"}, "goes with the model image4_custom only"),
        ):
            if refused and getattr(self, field) is not None:
                yield Problem(path=(field,), message=f"{field} {words}", of_key=True)
        if custom and self.custom_model_id is None:
            at = "model" if self.models is None else "models"
            yield Problem(
                path=(at,), message=f"{custom[0]} needs a custom_model_id, which says which model is yours"
            )

    def warnings(self) -> Iterator[Problem]:
        """Yield models, sizes and presets that Adobe's documents do not list."""
        many = self.models is not None
        for place, model in enumerate(listed(self.models, self.model)):
            at: tuple[str | int, ...] = ("models", place) if many else ("model",)
            if model is not None and model not in MODELS:
                yield Problem(
                    path=at, message=f"Adobe's documents name no model {model}{_hint(model, MODELS)}"
                )
            if model == "image4_ultra" and self.count > 1:
                yield Problem(path=at, message="image4_ultra is said to give one variation only")
            yield from self._size_warnings(model or DEFAULT_MODEL)
        for place, preset in enumerate((self.style and self.style.presets) or ()):
            if preset not in STYLE_PRESETS:
                message = f"Adobe's documents name no style preset {preset}{_hint(preset, STYLE_PRESETS)}"
                yield Problem(path=("style", "presets", place), message=message)

    def _size_warnings(self, model: str) -> Iterator[Problem]:
        known = _IMAGE4_SIZES if model.startswith("image4") else _IMAGE3_SIZES
        many = self.sizes is not None
        for place, size in enumerate(listed(self.sizes, self.size)):
            if size is None or model not in MODELS or (size.width, size.height) in known:
                continue
            at: tuple[str | int, ...] = ("sizes", place) if many else ("size",)
            listing = ", ".join(str(Size(width=width, height=height)) for width, height in sorted(known))
            yield Problem(path=at, message=f"{model} is not known to make {size}; Adobe lists {listing}")


def _hint(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
