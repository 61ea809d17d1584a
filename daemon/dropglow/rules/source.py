"""Say where a picture or a prompt besides the drop comes from: a file, a file beside the drop, an address.

The operator's rule names files, relative to itself, and files that are dropped
together. Whoever drops a prompt may give an address, on the domains that
Adobe reads from; it is signed, so it is looked up where it stands and kept nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import GetJsonSchemaHandler, PlainSerializer, PlainValidator, WithJsonSchema

from dropglow.rules.units import shown

# Adobe's OpenAPI document, PublicBinaryInputV3.
DOMAINS: Final = ("amazonaws.com", "windows.net", "dropboxusercontent.com", "storage.googleapis.com")
LONGEST_ADDRESS: Final = 2083  # characters; the same

_TOKEN: Final = re.compile(r"\{([^{}]*)\}")
_TOKENS: Final = ("stem", "name")
_EXAMPLE: Final = '{sidecar: "{stem}.mask.png"}'

_BESIDE_SCHEMA: Final = {
    "type": "object",
    "properties": {"sidecar": {"type": "string", "examples": ["{stem}.mask.png"]}},
    "required": ["sidecar"],
    "additionalProperties": False,
}
_PLACE_SCHEMA: Final[dict[str, Any]] = {"anyOf": [{"type": "string", "minLength": 1}, _BESIDE_SCHEMA]}
_PICTURE_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        *_PLACE_SCHEMA["anyOf"],
        {
            "type": "object",
            "properties": {"source": _PLACE_SCHEMA},
            "required": ["source"],
            "additionalProperties": False,
        },
    ]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSource:
    """One picture besides the drop. Exactly one of its fields says where it is."""

    path: str | None = None  # as written, or absolute
    sidecar: str | None = None  # template of a name beside the drop
    url: str | None = field(default=None, repr=False)

    def written(self) -> Any:
        """Return the value that stands for it in YAML."""
        return {"sidecar": self.sidecar} if self.sidecar is not None else self.path or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A prompt that stands in a file beside the drop."""

    sidecar: str  # template of its name

    def written(self) -> Any:
        """Return the value that stands for it in YAML."""
        return {"sidecar": self.sidecar}


def picture_source(value: Any) -> PictureSource:
    """Return what a picture parameter means. The API's own ``{source: …}`` may be written out.

    Raises:
        ValueError: It names no picture.
    """
    match value:
        case PictureSource():
            return value
        case {"source": inner, **others} if not others:
            return picture_source(inner)
        case {"sidecar": named, **others} if not others:
            return PictureSource(sidecar=template(named))
        case str() if value.lower().startswith(("http://", "https://")):
            return PictureSource(url=_address(value))
        case str() if value and "\x00" not in value:
            return PictureSource(path=value)
        case _:
            raise ValueError(
                f"should be the path of a picture, relative to the rule file, or {_EXAMPLE}, not {shown(value)}"
            )


def short_picture(value: Any) -> bool:
    """Return whether *value* is nothing but a picture, where a block of keys around it could stand as well."""
    return isinstance(value, str) or (isinstance(value, dict) and "sidecar" in value)


class OrPicture:
    """Tell editors, beside a type that reads it, that a picture alone is right as well."""

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the block of keys, or of a picture."""
        return {"anyOf": [handler(core), *_PICTURE_SCHEMA["anyOf"]]}


def prompt_text(longest: int) -> Any:
    """Return the type of a prompt in a rule: text of at most *longest* characters, or a file beside the drop."""

    def read(value: Any) -> str | Beside:
        match value:
            case {"sidecar": named, **others} if not others:
                return Beside(sidecar=template(named))
            case str() if not value:
                raise ValueError("should not be empty")
            case str() if len(value) > longest:
                raise ValueError(f"may have at most {longest:,} characters, not {len(value):,}")
            case str():
                return value
            case _:
                quotes = "; put it in quotes" if isinstance(value, (int, float)) else ""
                raise ValueError(f"should be text, or {_EXAMPLE}, not {shown(value)}{quotes}")

    text = {"type": "string", "minLength": 1, "maxLength": longest}
    return Annotated[
        str | Beside,
        PlainValidator(read),
        PlainSerializer(lambda value: value if isinstance(value, str) else value.written()),
        WithJsonSchema({"anyOf": [text, _BESIDE_SCHEMA]}),
    ]


def readable_address(url: str, domains: tuple[str, ...] = DOMAINS) -> bool:
    """Return whether Adobe reads from the host of *url*: one of *domains*, or below it, at the usual port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    plain = parts.scheme.lower() == "https" and port in {None, 443} and "@" not in parts.netloc
    return plain and any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _address(value: str) -> str:
    if not value.lower().startswith("https://"):
        raise ValueError("should be an https address: Adobe reads no other")
    if len(value) > LONGEST_ADDRESS:
        raise ValueError(f"may have at most {LONGEST_ADDRESS:,} characters, not {len(value):,}")
    if any(char.isspace() or not char.isprintable() for char in value) or not value.isascii():
        raise ValueError("should be an address without blanks and special characters, as a program writes it")
    return value


def template(value: Any, *, shown_as: str = _EXAMPLE, what: str = "sidecar") -> str:
    """Return *value*, the name of a file beside a drop with the drop's name in it.

    Args:
        value: As it stands in the rule.
        shown_as: How it may be written.
        what: How such a file is called.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"should name a file beside the drop, like {shown_as}, not {shown(value)}")
    unknown = [token for token in _TOKEN.findall(value) if token not in _TOKENS]
    if unknown:
        raise ValueError(f"knows {{stem}} and {{name}}, and not {{{unknown[0]}}}")
    if not _TOKEN.search(value):
        raise ValueError(
            f"should have {{stem}} in the {what}'s name, so that it belongs to one drop, like {shown_as}"
        )
    if "/" in value or value.startswith(".") or not _TOKEN.sub("", value):
        raise ValueError("should be a plain name beside the drop, and not the drop's own")
    return value


Picture = Annotated[
    PictureSource,
    PlainValidator(picture_source),
    PlainSerializer(lambda value: value.written()),
    WithJsonSchema(_PICTURE_SCHEMA),
]
