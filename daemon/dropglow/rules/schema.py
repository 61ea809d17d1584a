"""The typed shape of rule files, and its JSON Schema.

What a single value may be is said in ``notation.py``, and what values mean
together in ``contradictions.py``. Keys that the contract names but that are not built
yet are refused by name, through ``advice``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from dropglow.rules.adaptive_composite import AdaptiveComposite
from dropglow.rules.budget import BudgetBlock
from dropglow.rules.composite import Composite
from dropglow.rules.expand import Expand
from dropglow.rules.fill import Fill
from dropglow.rules.generate import Generate
from dropglow.rules.notation import (
    Amount,
    Duration,
    Expression,
    Formats,
    Globs,
    Marker,
    Mode,
    Name,
    Orientations,
    Period,
    SplitWord,
    Text,
)
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.precise_composite import PreciseComposite
from dropglow.rules.shape import Shape, Truth, Whole
from dropglow.rules.similar import Similar
from dropglow.rules.upscale import Upscale
from dropglow.rules.video import Video

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DONE_FOLDER: Final = "_done"
FAILED_FOLDER: Final = "_failed"


class MatchShape(Shape):
    """Which files a rule takes. What is not said always holds."""

    kind: Literal["image", "prompt"] | None = Field(
        default=None, description="What is dropped. Follows from the operation, if it is not said."
    )
    name: Globs | None = Field(
        default=None,
        description='Patterns on the path below the inbox: "*.jpg" in any folder, "shoes/*.jpg" in one, "**" for any depth.',
    )
    formats: Formats | None = Field(
        default=None, description="By the bytes, not by the name: jpeg, png, webp, tiff, jxl, gif, bmp, avif."
    )
    min_size: Amount | None = Field(default=None, description="Smallest file, for example 50KB.")
    max_size: Amount | None = Field(default=None, description="Largest file, for example 10MB.")
    orientation: Orientations | None = Field(
        default=None, description="landscape, portrait, square or several of them, as the picture is seen."
    )
    text: Expression | None = Field(
        default=None, description="A regular expression that is found in the prompt."
    )


class DeliveryShape(Shape):
    """How results appear in the outbox."""

    name: Text | None = Field(default=None, description='File name of results: "{stem}_{size}_{seed}{ext}".')
    collision: Literal["unique", "overwrite", "skip"] | None = Field(
        default=None, description="What if the name is taken."
    )
    mode: Mode | None = Field(default=None, description='Permissions of results, in quotes: "0664".')
    group: Text | None = Field(default=None, description="Group that owns results.")
    sidecar: Truth | None = Field(default=None, description="Write <result>.json beside each result.")


def _block(value: Any) -> Any:
    return {} if value is None else value


class RuleShape(Shape):
    """One rule: what it takes, what it orders, where everything goes."""

    advice: ClassVar[Mapping[str, str]] = {
        "after": "unknown key after; `done` and `failed` say where originals go, and `done: keep` leaves them in the inbox",
    }

    name: Name | None = Field(
        default=None, description="The rule's own name, in logs and in the list of jobs."
    )
    inbox: Text | None = Field(default=None, description="The watched folder, relative to this file.")
    outbox: Text | None = Field(default=None, description="Where results go, relative to this file.")
    match: MatchShape | None = Field(
        default=None, description="Which files the rule takes; all of its kind if absent."
    )
    generate: Annotated[Generate | None, BeforeValidator(_block)] = Field(
        default=None, description="Pictures from prompts."
    )
    similar: Annotated[Similar | None, BeforeValidator(_block)] = Field(
        default=None, description="More pictures like one."
    )
    expand: Annotated[Expand | None, BeforeValidator(_block)] = Field(
        default=None, description="More around a picture."
    )
    fill: Annotated[Fill | None, BeforeValidator(_block)] = Field(
        default=None, description="Another content for a part of a picture."
    )
    composite: Annotated[Composite | None, BeforeValidator(_block)] = Field(
        default=None, description="A scene from a prompt, around a picture."
    )
    precise_composite: Annotated[PreciseComposite | None, BeforeValidator(_block)] = Field(
        default=None, description="A picture in another one, as it is."
    )
    adaptive_composite: Annotated[AdaptiveComposite | None, BeforeValidator(_block)] = Field(
        default=None, description="A picture in another one, with the light of the place."
    )
    upscale: Annotated[Upscale | None, BeforeValidator(_block)] = Field(
        default=None, description="A picture with more pixels."
    )
    video: Annotated[Video | None, BeforeValidator(_block)] = Field(
        default=None, description="A clip from a prompt, a picture, or both."
    )
    split: SplitWord = Field(
        default=None,
        description="Make each line of a prompt file a prompt of its own, or each of its blocks between blank lines.",
    )
    prepare: Literal["auto", "never"] = Field(
        default="auto",
        description="auto: upload a copy that Firefly accepts where it would refuse the file; never: refuse it here.",
    )
    strip_metadata: Truth = Field(
        default=False, description="Leave EXIF and GPS data out of what is uploaded."
    )
    patience: Duration = Field(
        default=600.0, description="How long a file waits for the files that belong to it."
    )
    give_up: Duration = Field(
        default=600.0, description="How long a file that is not whole may lie still before it fails."
    )
    ready: Marker | None = Field(
        default=None,
        description='A file beside each drop that says that it is whole, and is waited for: "{name}.done".',
    )
    drop: Literal["file", "folder"] = Field(
        default="file",
        description="What is one drop: each file, or each sub-folder of the inbox with all that is in it.",
    )
    also: Truth = Field(default=False, description="Let the next rule that matches have the file too.")
    delivery: DeliveryShape | None = Field(default=None, description="How results appear in the outbox.")
    collision: Literal["unique", "overwrite", "skip"] | None = Field(
        default=None, description="As in delivery."
    )
    mode: Mode | None = Field(default=None, description="As in delivery.")
    group: Text | None = Field(default=None, description="As in delivery.")
    sidecar: Truth | None = Field(default=None, description="As in delivery.")
    done: Text = Field(
        default=DONE_FOLDER,
        description="Where the input goes afterwards, relative to the inbox; or `delete`; or `keep`, to only read the inbox.",
    )
    failed: Text = Field(
        default=FAILED_FOLDER,
        description="Where the input goes if something failed, relative to the inbox; with `done: keep` only a report, relative to the outbox.",
    )
    settle: Duration = Field(
        default=2.0,
        description="How long a file must be still before it is taken; a whole folder: 30s if it is not said.",
    )
    watch: Literal["auto", "notify", "poll"] = Field(default="auto", description="How arrivals are noticed.")
    rescan: Period = Field(default=30.0, description="How often the inbox is looked through in any case.")
    priority: Whole = Field(default=0, ge=-1000, le=1000, description="Higher goes first.")
    attempts: Whole = Field(
        default=3, ge=1, le=100, description="How often an order that Adobe turned away is tried."
    )
    on_doubt: Literal["hold", "resubmit"] = Field(
        default="hold",
        description="If nobody knows whether an order stands: ask a person, or risk paying twice.",
    )
    duplicates: Literal["reuse", "warn", "buy"] = Field(
        default="reuse",
        description="If the same content comes once more: keep what was bought, buy it again and say so, or just buy it.",
    )
    budget: BudgetBlock = Field(default=None, description="How much this rule may buy.")


class RulesShape(Shape):
    """A rule file."""

    rules: list[RuleShape] = Field(default_factory=list, description="The rules, in order.")


def rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rule file, for editors."""
    schema = exported(RulesShape, "Rules of Dropglow")
    rule = schema["$defs"]["RuleShape"]
    rule["required"] = ["name", "inbox", "outbox"]
    rule["oneOf"] = [{"required": [key]} for key in OPERATIONS]
    return schema


def exported(shape: type[Shape], title: str) -> dict[str, Any]:
    """Return the JSON Schema of a whole file."""
    return {"$schema": DIALECT, **shape.model_json_schema(by_alias=False), "title": title}
