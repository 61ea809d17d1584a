"""The operation ``generate``: pictures from a prompt.

Fields, limits and sizes of the v3 models: Adobe's OpenAPI document,
GenerateImagesRequestV3. What the model image5 has instead is in ``image5.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from dropglow.model import Kind
from dropglow.rules.documented import (
    IMAGE3_SIZES,
    IMAGE4_SIZES,
    unlisted_models,
    unlisted_presets,
    unlisted_sizes,
)
from dropglow.rules.image5 import (
    FOREIGN,
    IMAGE5_DOMAINS,
    LONGEST_PROMPT,
    MODEL,
    OWN,
    REFERENCE_SLOT,
    AspectRatio,
    ModelSpecificPayload,
    ReferenceBlob,
    ResolutionLevel,
    image5_body,
)
from dropglow.rules.of_picture import DEFAULT_SIZE
from dropglow.rules.parameters import (
    Different,
    Model,
    NamedPicture,
    Parameters,
    PictureSize,
    Variant,
    listed,
    pixels,
    without_absent,
)
from dropglow.rules.problem import Problem
from dropglow.rules.shape import Shape, Whole
from dropglow.rules.source import Picture, prompt_text
from dropglow.rules.style import ContentClass, LocaleCode, Style
from dropglow.rules.units import Size

V3_MODELS: Final = ("image3", "image3_custom", "image4_standard", "image4_ultra", "image4_custom")
MODELS: Final = (*V3_MODELS, MODEL)
DEFAULT_MODEL: Final = "image3"

_CUSTOM: Final = "_custom"


class Structure(Shape):
    """What the pictures should be composed like."""

    image_reference: Picture | None = Field(
        default=None, description="A picture whose outline is followed, relative to the rule file."
    )
    strength: Whole | None = Field(
        default=None, ge=0, le=100, description="How closely to follow it, 0 to 100."
    )

    def body(self) -> dict[str, Any] | None:
        """Return a StructureReferenceV3 without its slot."""
        return without_absent(strength=self.strength) or None


class Generate(Parameters):
    """Make pictures from the dropped prompt."""

    twins: ClassVar[Mapping[str, str]] = {
        **Parameters.twins,
        "content_classes": "content_class",
        "models": "model",
        "reference_blobs": "image",
    }
    slots: ClassVar[Mapping[tuple[str, ...], str]] = {
        ("style", "image_reference"): "style.imageReference.source",
        ("structure", "image_reference"): "structure.imageReference.source",
    }
    drop_slots: ClassVar[tuple[str, ...]] = (REFERENCE_SLOT,)
    domains: ClassVar[tuple[str, ...]] = IMAGE5_DOMAINS

    prompt: prompt_text(LONGEST_PROMPT) | None = Field(  # type: ignore[valid-type]  # made for its length
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
    prompt_biasing_locale_code: LocaleCode | None = Field(
        default=None, description="Language and region, like en-US, that results lean to."
    )
    custom_model_id: str | None = Field(
        default=None, min_length=1, description="Which custom model; see `model`."
    )
    upsampler_type: Literal["default", "low_creativity"] | None = Field(
        default=None, description="For image4_custom only."
    )
    aspect_ratio: AspectRatio | None = Field(default=None, description="For image5 only: 16:9, and others.")
    resolution_level: ResolutionLevel | None = Field(
        default=None, description="For image5 only: 1MP, 2.4MP or 4MP."
    )
    image: Picture | None = Field(
        default=None, description="For image5 only: the picture to edit, if it is not the drop itself."
    )
    reference_blobs: Annotated[list[ReferenceBlob], Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="The same in the API's own words; the drop itself without a source."
    )
    model_specific_payload: ModelSpecificPayload | None = Field(
        default=None, description="For image5 only: locale_code, prompt_reasoner."
    )
    model_id: Literal["firefly_image"] | None = Field(
        default=None, description="For image5 only: always firefly_image."
    )

    @property
    def usual_kind(self) -> Kind:
        """Return prompts, unless a reference without a source stands for a dropped picture."""
        return Kind.IMAGE if self.places_left() else Kind.PROMPT

    @property
    def longest_prompt(self) -> int:
        """Return the model's limit."""
        return LONGEST_PROMPT if self.model == MODEL else super().longest_prompt

    def prompt_needed(self, slots: Collection[str]) -> bool:  # noqa: ARG002
        """Return true: it is all that Adobe has."""
        return True

    def pictures(self) -> tuple[NamedPicture, ...]:
        """Return the references of style and structure, and the picture to edit."""
        found = [(("reference_blobs", 0, "source"), blob.source) for blob in self.reference_blobs or ()]
        edited = tuple(
            NamedPicture(slot=REFERENCE_SLOT, source=source, at=at)
            for at, source in (*found, (("image",), self.image))
            if source is not None
        )
        return (*super().pictures(), *edited)

    def places_left(self) -> Mapping[str, tuple[str | int, ...]]:
        """Return the place of a picture to edit that the rule does not name."""
        left = any(blob.source is None for blob in self.reference_blobs or ())
        return {REFERENCE_SLOT: ("reference_blobs", 0, "source")} if left else {}

    def drop_slot(self) -> str | None:
        """Return the place of the picture to edit, if the model edits."""
        if self.model != MODEL or any(picture.slot == REFERENCE_SLOT for picture in self.pictures()):
            return None
        return REFERENCE_SLOT

    def expected_size(self, variant: Variant) -> Size | None:
        """Return the size asked for, or Adobe's default; image5 has sizes of its own, which are not documented."""
        return None if variant.model == MODEL else variant.size or DEFAULT_SIZE

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

    def body(self, variant: Variant, *, prompt: str, slots: Collection[str]) -> dict[str, Any]:
        """Return a GenerateImagesRequestV3, or image5's own, without slots and seeds."""
        if variant.model == MODEL:
            return image5_body(
                prompt=prompt,
                aspect_ratio=self.aspect_ratio,
                resolution_level=self.resolution_level,
                model_id=self.model_id,
                payload=self.model_specific_payload,
                edits=REFERENCE_SLOT in slots,
            )
        return without_absent(
            prompt=prompt,
            negativePrompt=self.negative_prompt,
            size=pixels(variant.size),
            contentClass=variant.content_class,
            visualIntensity=self.visual_intensity,
            style=self.style and self.style.body(),
            structure=self.structure and self.structure.body(),
            promptBiasingLocaleCode=self.prompt_biasing_locale_code,
            customModelId=self.custom_model_id,
            upsamplerType=self.upsampler_type,
        )

    def faults(self) -> Iterator[Problem]:
        """Yield contradictions between the parameters and the models."""
        yield from super().faults()
        if self.structure is not None and self.structure.image_reference is None:
            yield Problem(path=("structure",), message="structure needs an image_reference", of_key=True)
        models = [model or DEFAULT_MODEL for model in listed(self.models, self.model)]
        if self.models is not None and MODEL in models:
            message = f"{MODEL} has other parameters than the other models: give it a rule of its own, as model: {MODEL}"
            yield Problem(path=("models",), message=message)
            return
        if models == [MODEL]:
            yield from self._image5_faults()
            return
        for key in OWN:
            if getattr(self, key) is not None:
                message = f"{key} belongs to the model {MODEL}: write model: {MODEL}, or leave it out"
                yield Problem(path=(key,), message=message, of_key=True)
        if isinstance(self.prompt, str) and len(self.prompt) > self.longest_prompt:
            message = f"prompt may have at most {self.longest_prompt:,} characters, not {len(self.prompt):,}"
            yield Problem(path=("prompt",), message=message)
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

    def _image5_faults(self) -> Iterator[Problem]:
        for key in FOREIGN:
            if getattr(self, key) is not None:
                yield Problem(path=(key,), message=f"{key} is not possible with {MODEL}", of_key=True)
        if self.count > 1:
            key = next(key for key in ("variations", "num_variations", "seeds") if getattr(self, key))
            yield Problem(path=(key,), message=f"{key}: {MODEL} makes one picture at a time")
        if self.reference_blobs is not None or self.image is not None:
            yield from self._shape_faults()

    def drop_faults(self) -> Iterator[Problem]:
        """Yield a shape of the result beside a dropped picture, which gives the shape itself."""
        yield from super().drop_faults()
        if self.drop_slot() is not None and self.reference_blobs is None:
            yield from self._shape_faults()

    def _shape_faults(self) -> Iterator[Problem]:
        if self.aspect_ratio not in {None, "auto"}:
            message = "aspect_ratio follows from the picture that is edited: leave it out, or write auto"
            yield Problem(path=("aspect_ratio",), message=message)

    def warnings(self) -> Iterator[Problem]:
        """Yield models, sizes and presets that Adobe's documents do not list."""
        yield from super().warnings()
        yield from unlisted_models(self.models, self.model, known=MODELS)
        for model in listed(self.models, self.model):
            name = model or DEFAULT_MODEL
            if name == "image4_ultra" and self.count > 1:
                at = ("model",) if self.models is None else ("models", self.models.index(name))
                yield Problem(path=at, message="image4_ultra is said to give one variation only")
            if name in V3_MODELS:
                known = IMAGE4_SIZES if name.startswith("image4") else IMAGE3_SIZES
                yield from unlisted_sizes(self.sizes, self.size, known=known, maker=name)
        yield from unlisted_presets((self.style and self.style.presets) or ())
