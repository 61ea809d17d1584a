"""The model ``image5`` of ``generate``: another endpoint, with other parameters.

Fields and limits: Adobe's OpenAPI document, ImageGenerateRequestV3 below /v4.
A picture among the references turns a request into an edit by instruction.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from dropglow.rules.parameters import without_absent
from dropglow.rules.shape import Shape
from dropglow.rules.source import DOMAINS, Picture

MODEL: Final = "image5"
LONGEST_PROMPT: Final = 1500  # characters
REFERENCE_SLOT: Final = "referenceBlobs.0.source"
IMAGE5_DOMAINS: Final = (*DOMAINS, "frontdoor.prod.azure.cxp.adobe.com")

# What only this model has, and what it has not.
OWN: Final = (
    "aspect_ratio",
    "resolution_level",
    "image",
    "reference_blobs",
    "model_specific_payload",
    "model_id",
)
FOREIGN: Final = (
    "sizes",
    "size",
    "content_classes",
    "content_class",
    "negative_prompt",
    "visual_intensity",
    "style",
    "structure",
    "prompt_biasing_locale_code",
    "custom_model_id",
    "upsampler_type",
)

AspectRatio = Literal["1:1", "4:3", "3:4", "16:9", "9:16", "auto"]
ResolutionLevel = Literal["1MP", "2.4MP", "4MP"]


class ReferenceBlob(Shape):
    """A picture that is edited by the prompt."""

    source: Picture | None = Field(default=None, description="The picture; the drop itself if absent.")
    usage: Literal["general"] | None = Field(default=None, description="Always general.")


class ModelSpecificPayload(Shape):
    """What only this model reads."""

    locale_code: str | None = Field(
        default=None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="Language, like en-US."
    )
    prompt_reasoner: Literal["speed", "quality"] | None = Field(
        default=None, description="quality thinks longer about the prompt."
    )


def image5_body(
    *,
    prompt: str,
    aspect_ratio: str | None,
    resolution_level: str | None,
    model_id: str | None,
    payload: ModelSpecificPayload | None,
    edits: bool,
) -> dict[str, Any]:
    """Return an ImageGenerateRequestV3 without slots and seeds. ``edits``: a picture is to be edited."""
    specific = payload and without_absent(
        localeCode=payload.locale_code, prompt_reasoner=payload.prompt_reasoner
    )
    return without_absent(
        prompt=prompt,
        aspectRatio=aspect_ratio,
        resolutionLevel=resolution_level,
        modelId=model_id,
        modelSpecificPayload=specific or None,
        referenceBlobs=[{"usage": "general"}] if edits else None,
    )
