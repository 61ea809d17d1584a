"""The typed shape of the configuration file, and its JSON Schema.

What values mean together is said in ``dropglow.config``.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from dropglow.rules.budget import CommonBudgetBlock
from dropglow.rules.notation import Globs, Limit, Period, Text, Texts
from dropglow.rules.pricing import PricesShape
from dropglow.rules.receivers import NotifyShape
from dropglow.rules.schema import exported, rules_schema
from dropglow.rules.shape import NOT_YET, Shape, Whole, several


def _only_sqlite(value: Any) -> str:
    if value == "sqlite":
        return "sqlite"
    raise ValueError(f"other than sqlite {NOT_YET}")  # the value may hold a password


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
    budget: CommonBudgetBlock = Field(default=None, description="How much all rules together may buy.")
    prices: PricesShape | None = Field(
        default=None, description="What a result costs where your contract differs from the usual table."
    )
    ignore: Globs = Field(
        default=[],
        description='Patterns of what is never taken from any inbox, besides temporary and hidden files: ["*.psd", "proofs/**"].',
    )
    notify: NotifyShape | None = Field(
        default=None, description="Who is told of what goes wrong, and of what went well."
    )
    rules: Texts = Field(
        default=["rules/*.yaml"], description="Patterns of rule files, or the list of rules itself."
    )


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file, for editors."""
    schema = exported(ConfigurationShape, "Configuration of Dropglow")
    rules = rules_schema()
    schema["$defs"] |= rules["$defs"]
    field = schema["properties"]["rules"]
    field["anyOf"] = [*field["anyOf"], rules["properties"]["rules"]]
    return schema
