"""The typed shape of the configuration and of rule files, and their JSON Schemas.

What a single value may be is said here; what values mean together is said in
``assemble.py`` and in ``dropglow.config``. Keys that the contract names but
that are not built yet are refused by name, through ``advice``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from dropglow.rules.adaptive_composite import AdaptiveComposite
from dropglow.rules.composite import Composite
from dropglow.rules.expand import Expand
from dropglow.rules.fill import Fill
from dropglow.rules.generate import Generate
from dropglow.rules.globs import glob_fault
from dropglow.rules.operations import OPERATIONS
from dropglow.rules.precise_composite import PreciseComposite
from dropglow.rules.prompts import Split
from dropglow.rules.shape import NOT_YET, Shape, Truth, Whole, several
from dropglow.rules.similar import Similar
from dropglow.rules.units import (
    AMOUNT_PATTERN,
    DURATION_PATTERN,
    MODE_PATTERN,
    OFF,
    permission_bits,
    seconds,
    shown,
    size_bytes,
)
from dropglow.rules.upscale import Upscale
from dropglow.rules.video import Video

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SHORTEST_PERIOD_S: Final = 0.01  # what is done again and again without a pause would keep a processor busy
_FORMAT_SPELLINGS: Final = {"jpg": "jpeg", "tif": "tiff"}


def _spelled(value: Any) -> Any:
    word = value.lower() if isinstance(value, str) else value
    return _FORMAT_SPELLINGS.get(word, word) if isinstance(word, str) else word


def _globs(values: list[str]) -> list[str]:
    for value in values:
        if fault := glob_fault(value):
            raise ValueError(fault)
    return values


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _off(value: Any) -> Any:
    return None if _is_off(value) else value


def _is_off(value: Any) -> bool:
    return value is False or value == OFF  # and not 0, which equals False


def _only_off(value: Any) -> str:
    if value is None or _is_off(value):
        return OFF
    raise ValueError(f"other than off {NOT_YET}")


def _no_budget(value: Any) -> Any:
    return {} if _is_off(value) else value


def _only_sqlite(value: Any) -> str:
    if value == "sqlite":
        return "sqlite"
    raise ValueError(f"other than sqlite {NOT_YET}")  # the value may hold a password


def _split(value: Any) -> Any:
    if value is None or value in {Split.LINES.value, Split.BLOCKS.value}:
        return None if value is None else Split(value)
    raise ValueError(f"should be lines or blocks, not {shown(value)}")


def _not_keep(value: Any) -> Any:
    if value == "keep":
        raise ValueError(f"with keep {NOT_YET}; name a folder, or write delete")
    return value


def _block(value: Any) -> Any:
    return {} if value is None else value


def _period(value: float) -> float:
    if value < SHORTEST_PERIOD_S:
        raise ValueError(f"should be at least {SHORTEST_PERIOD_S * 1000:g}ms")
    return value


def _rule_name(value: str) -> str:
    if not value.isprintable() or not value.strip() or "/" in value:
        raise ValueError(f"should be a short plain name, not {shown(value)}")
    return value


def _one_or_more_of(*words: str) -> dict[str, Any]:
    word = {"enum": list(words)}
    return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


_ONE_OR_MORE: Final = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}

Duration = Annotated[
    float,
    PlainValidator(seconds),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["2s", "500ms", "10m", "1h"]}),
]
Period = Annotated[Duration, AfterValidator(_period)]
Amount = Annotated[
    int,
    PlainValidator(size_bytes),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": AMOUNT_PATTERN}, {"type": "integer"}],
            "examples": ["5MB", "300KB"],
        }
    ),
]
Mode = Annotated[
    int,
    PlainValidator(permission_bits),
    WithJsonSchema({"type": "string", "pattern": MODE_PATTERN, "examples": ["0664"]}),
]
Limit = Annotated[
    Annotated[Whole, Field(ge=1)] | None,
    BeforeValidator(_off),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": OFF}]}),
]
NoLimit = Annotated[str, PlainValidator(_only_off), WithJsonSchema({"const": OFF})]
Text = Annotated[str, Field(min_length=1)]
Globs = Annotated[
    list[Text],
    BeforeValidator(several),
    Field(min_length=1),
    AfterValidator(_globs),
    WithJsonSchema(_ONE_OR_MORE),
]
Texts = Annotated[list[Text], BeforeValidator(several), Field(min_length=1), WithJsonSchema(_ONE_OR_MORE)]
FormatName = Annotated[Literal["jpeg", "png", "webp", "tiff", "jxl"], BeforeValidator(_spelled)]
Formats = Annotated[
    list[FormatName],
    BeforeValidator(several),
    Field(min_length=1),
    WithJsonSchema(_one_or_more_of("jpeg", "png", "webp", "tiff", "jxl", *_FORMAT_SPELLINGS)),
]
Orientations = Annotated[
    list[Literal["landscape", "portrait", "square"]],
    BeforeValidator(several),
    Field(min_length=1),
    WithJsonSchema(_one_or_more_of("landscape", "portrait", "square")),
]


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
        default=None, description="By the bytes, not by the name: jpeg, png, webp, tiff, jxl."
    )
    min_size: Amount | None = Field(default=None, description="Smallest file, for example 50KB.")
    max_size: Amount | None = Field(default=None, description="Largest file, for example 10MB.")
    orientation: Orientations | None = Field(
        default=None, description="landscape, portrait, square or several of them, as the picture is seen."
    )
    text: Annotated[Text, AfterValidator(_expression)] | None = Field(
        default=None, description="A regular expression that is found in the prompt."
    )


class BudgetShape(Shape):
    """How much may be bought."""

    per_day: NoLimit | None = Field(default=None, description="Only off, at present.")
    per_month: NoLimit | None = Field(default=None, description="Only off, at present.")
    hold_over: NoLimit | None = Field(default=None, description="Only off, at present.")


Budget = Annotated[BudgetShape | None, BeforeValidator(_no_budget)]


class DeliveryShape(Shape):
    """How results appear in the outbox."""

    name: Text | None = Field(default=None, description='File name of results: "{stem}_{size}_{seed}{ext}".')
    collision: Literal["unique", "overwrite", "skip"] | None = Field(
        default=None, description="What if the name is taken."
    )
    mode: Mode | None = Field(default=None, description='Permissions of results, in quotes: "0664".')
    group: Text | None = Field(default=None, description="Group that owns results.")
    sidecar: Truth | None = Field(default=None, description="Write <result>.json beside each result.")


class RuleShape(Shape):
    """One rule: what it takes, what it orders, where everything goes."""

    advice: ClassVar[Mapping[str, str]] = {
        key: f"{key} {NOT_YET}" for key in ("duplicates", "drop", "ready", "give_up", "after")
    }

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_rule_name)] | None = Field(
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
    split: Annotated[Split | None, BeforeValidator(_split), WithJsonSchema({"enum": ["lines", "blocks"]})] = (
        Field(
            default=None,
            description="Make each line of a prompt file a prompt of its own, or each of its blocks between blank lines.",
        )
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
    also: Truth = Field(default=False, description="Let the next rule that matches have the file too.")
    delivery: DeliveryShape | None = Field(default=None, description="How results appear in the outbox.")
    collision: Literal["unique", "overwrite", "skip"] | None = Field(
        default=None, description="As in delivery."
    )
    mode: Mode | None = Field(default=None, description="As in delivery.")
    group: Text | None = Field(default=None, description="As in delivery.")
    sidecar: Truth | None = Field(default=None, description="As in delivery.")
    done: Annotated[Text, BeforeValidator(_not_keep)] = Field(
        default="_done", description="Where the input goes afterwards, relative to the inbox; or `delete`."
    )
    failed: Text = Field(
        default="_failed", description="Where the input goes if something failed, relative to the inbox."
    )
    settle: Duration = Field(default=2.0, description="How long a file must be still before it is taken.")
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
    budget: Budget = Field(default=None, description="Only off, at present.")


class RulesShape(Shape):
    """A rule file."""

    rules: list[RuleShape] = Field(default_factory=list, description="The rules, in order.")


class ApiShape(Shape):
    """Where Adobe is, and whom to trust."""

    base_url: Text | None = Field(
        default=None, description="The API's address. $DROPGLOW_API_URL goes before it."
    )
    token_url: Text | None = Field(
        default=None, description="Where tokens come from. $DROPGLOW_TOKEN_URL goes before it."
    )
    scopes: Texts | None = Field(default=None, description="What the token is for.")
    trusted_hosts: Annotated[list[Text], BeforeValidator(several)] | None = Field(
        default=None, description="Hosts besides base_url's own that may see the token."
    )
    result_hosts: Annotated[list[Text], BeforeValidator(several)] | None = Field(
        default=None, description="Hosts besides base_url's own that results may come from."
    )


class PollShape(Shape):
    """How often a running job is asked about."""

    min: Period | None = Field(default=None, description="Never more often than this.")
    max: Period | None = Field(default=None, description="Never more rarely than this.")


class LimitsShape(Shape):
    """How much at once, and how fast."""

    in_flight: Whole = Field(default=16, ge=1, le=1000, description="Jobs at Adobe at once.")
    requests_per_minute: Limit = Field(default=4, description="Submissions and uploads; off for no limit.")
    requests_per_day: Limit = Field(default=9000, description="Submissions and uploads; off for no limit.")
    poll: PollShape | None = Field(default=None, description="How often a running job is asked about.")
    job_timeout: Period = Field(
        default=1800.0, description="After this a job is reported as late, and still awaited."
    )


class ConfigurationShape(Shape):
    """The configuration file."""

    state: Text | None = Field(default=None, description="Folder of the ledger, relative to this file.")
    ledger: Annotated[str, PlainValidator(_only_sqlite), WithJsonSchema({"const": "sqlite"})] = Field(
        default="sqlite", description="Where the books are kept."
    )
    api: ApiShape | None = Field(default=None, description="Where Adobe is, and whom to trust.")
    limits: LimitsShape | None = Field(default=None, description="How much at once, and how fast.")
    budget: Budget = Field(default=None, description="Only off, at present.")
    rules: Texts = Field(
        default=["rules/*.yaml"], description="Patterns of rule files, or the list of rules itself."
    )


def rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rule file, for editors."""
    schema = _exported(RulesShape, "Rules of Dropglow")
    rule = schema["$defs"]["RuleShape"]
    rule["required"] = ["name", "inbox", "outbox"]
    rule["oneOf"] = [{"required": [key]} for key in OPERATIONS]
    return schema


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file, for editors."""
    schema = _exported(ConfigurationShape, "Configuration of Dropglow")
    rules = rules_schema()
    schema["$defs"] |= rules["$defs"]
    field = schema["properties"]["rules"]
    field["anyOf"] = [*field["anyOf"], rules["properties"]["rules"]]
    return schema


def _exported(shape: type[Shape], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **shape.model_json_schema(by_alias=False), "title": title}
