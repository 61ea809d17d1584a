"""How the block ``notify`` is written: who is told of what.

What values mean together is said in ``dropglow.notify.reading``. No complaint repeats an
address: it may be a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dropglow.notices import Topic
from dropglow.rules.notation import Period, Text, Texts, is_off
from dropglow.rules.shape import Shape, Whole, several
from dropglow.rules.units import DURATION_PATTERN, OFF, shown

SECRET: Final = "secret"  # in place of an address: it is where secrets are  # noqa: S105
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        message = f"should be a short name like phone or ops_mail, in small letters, not {shown(value)}"
        raise ValueError(message)
    return value


def _off(value: Any) -> Any:
    return None if is_off(value) else value


def _tls(value: Any) -> Any:
    return OFF if is_off(value) else value


def _only_secret(value: Any) -> Any:
    if value is None or value == SECRET:
        return value
    raise ValueError("can only be the word secret: apprise's addresses hold passwords, and stand elsewhere")


def _blocks(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("should be a list of blocks like {name: phone, ntfy: ADDRESS}")
    return value


ReceiverName = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$", "examples": ["phone", "ops_mail"]}),
]
Gathering = Annotated[
    Period | None,
    BeforeValidator(_off),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": OFF}]}),
]
Topics = Annotated[
    list[Literal["failures", "holds", "trouble", "digest"]],
    BeforeValidator(several),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [topic.value for topic in Topic]},
                {"type": "array", "items": {"enum": [topic.value for topic in Topic]}, "minItems": 1},
            ]
        }
    ),
]


class MailShape(Shape):
    """A mail server, and whom to write to."""

    server: Text | None = Field(default=None, description="The mail server's name.")
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = Field(
        default=None, description="587 with starttls, 465 with implicit, 25 with off, unless said."
    )
    tls: Annotated[
        Literal["starttls", "implicit", "off"],
        BeforeValidator(_tls),
        WithJsonSchema({"enum": ["starttls", "implicit", "off"]}),
    ] = Field(
        default="starttls", description="How the connection is kept private; off in your own network only."
    )
    user: Text | None = Field(default=None, description="Who logs in; the receiver's secret is the password.")
    sender: Text | None = Field(default=None, description="The address that it comes from.")
    to: Texts | None = Field(default=None, description="One address, or several.")


class ReceiverShape(Shape):
    """One receiver of notifications: a name, one way, and what it is told."""

    name: ReceiverName | None = Field(
        default=None, description="Your name for it. Its secret is notify_NAME, or $DROPGLOW_NOTIFY_NAME."
    )
    webhook: Text | None = Field(
        default=None, description="Address that gets JSON documents; `secret`: its secret is the address."
    )
    ntfy: Text | None = Field(
        default=None, description="Address of a topic of ntfy's; `secret`: its secret is the address."
    )
    mail: MailShape | None = Field(default=None, description="A mail server, and whom to write to.")
    apprise: Annotated[
        Literal["secret"] | None, BeforeValidator(_only_secret), WithJsonSchema({"const": SECRET})
    ] = Field(
        default=None,
        description="`secret`: its secret holds addresses for apprise, one a line (extra `notify`).",
    )
    tell: Topics | None = Field(
        default=None, description="failures, holds, trouble, digest; all unless said."
    )


class NotifyShape(Shape):
    """Who is told of what goes wrong, and of what went well."""

    digest: Gathering = Field(
        default=86400.0, description="How long what went well is gathered; off: it is not told."
    )
    per_hour: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        default=12, description="Messages an hour for each receiver, at most."
    )
    per_day: Annotated[Whole, Field(ge=1, le=10000)] = Field(
        default=60, description="Messages a day for each receiver, at most."
    )
    receivers: Annotated[list[ReceiverShape], BeforeValidator(_blocks)] = Field(
        default=[], description="Who is told."
    )
