"""Check a JSON value against a table of rules and name every fault at once.

Pure and small: the part of JSON Schema that Adobe's request bodies use, and sources of pictures. The wording of the complaints follows the
examples in Adobe's OpenAPI document (the 422 answers of GenerateImagesRequestV3). Unknown fields are not complained
about, because the real service ignores them in silence.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "UUID4",
    "Complaint",
    "Decimal",
    "Flag",
    "Items",
    "Loc",
    "Number",
    "Rule",
    "Shape",
    "Source",
    "Text",
    "complain",
    "complaint",
]

Loc: TypeAlias = "tuple[str | int, ...]"
Complaint: TypeAlias = "dict[str, Any]"

UUID4: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Ask for a string, of so many characters or out of a few choices."""

    shortest: int = 0
    longest: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Ask for an integer within bounds or out of a few choices; ``above`` is an exclusive lower bound."""

    least: int | None = None
    most: int | None = None
    above: int | None = None
    choices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimal:
    """Ask for a number within bounds."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Ask for true or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Ask for a list whose items follow one rule, and differ if they are to be ``unique``."""

    item: Rule
    fewest: int = 0
    most: int | None = None
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Ask for an object; fields that are not named here are let through."""

    fields: Mapping[str, Rule]
    required: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Ask for a picture's source: an upload id or an https URL on an allowed domain, exactly one of them.

    ``ports`` are those a URL may name. ``any_uuid`` lets ids of every version of UUID through, not of version 4 only.
    """

    domains: tuple[str, ...]
    ports: tuple[int, ...] = ()
    longest: int | None = None
    any_uuid: bool = False


Rule: TypeAlias = "Text | Number | Decimal | Flag | Items | Shape | Source"


def complain(value: object, rule: Rule, loc: Loc) -> Iterator[Complaint]:
    """Yield everything that is wrong with a value, each with its place in the body."""
    if value is None:
        yield complaint(loc, "none is not an allowed value", "type_error.none.not_allowed")
        return
    match rule:
        case Text():
            yield from _complain_text(value, rule, loc)
        case Number():
            yield from _complain_number(value, rule, loc)
        case Decimal():
            yield from _complain_decimal(value, rule, loc)
        case Flag():
            if not isinstance(value, bool):
                yield complaint(loc, "value could not be parsed to a boolean", "type_error.bool")
        case Items():
            yield from _complain_items(value, rule, loc)
        case Shape():
            yield from _complain_shape(value, rule, loc)
        case Source():
            yield from _complain_source(value, rule, loc)
        case _:
            assert_never(rule)


def complaint(loc: Loc, message: str, kind: str, **context: object) -> Complaint:
    """Return one entry of ``validation_errors`` (ValidationErrorMessage in Adobe's OpenAPI document)."""
    entry: Complaint = {"loc": list(loc), "msg": message, "type": kind}
    if context:
        entry["ctx"] = context
    return entry


def _complain_text(value: object, rule: Text, loc: Loc) -> Iterator[Complaint]:
    if rule.choices:
        if not isinstance(value, str) or value not in rule.choices:
            permitted = ", ".join(repr(choice) for choice in rule.choices)
            message = f"value is not a valid enumeration member; permitted: {permitted}"
            yield complaint(loc, message, "type_error.enum", enum_values=list(rule.choices))
        return
    if not isinstance(value, str):
        yield complaint(loc, "str type expected", "type_error.str")
        return
    if len(value) < rule.shortest:
        message = f"ensure this value has at least {rule.shortest} characters"
        yield complaint(loc, message, "value_error.any_str.min_length", limit_value=rule.shortest)
    if rule.longest is not None and len(value) > rule.longest:
        message = f"ensure this value has at most {rule.longest} characters"
        yield complaint(loc, message, "value_error.any_str.max_length", limit_value=rule.longest)


def _complain_number(value: object, rule: Number, loc: Loc) -> Iterator[Complaint]:
    # JSON's true is a Python integer; JSON Schema counts 2.0 as one as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        yield complaint(loc, "value is not a valid integer", "type_error.integer")
        return
    if rule.choices and value not in rule.choices:
        permitted = ", ".join(str(choice) for choice in rule.choices)
        message = f"value is not a valid enumeration member; permitted: {permitted}"
        yield complaint(loc, message, "type_error.enum", enum_values=list(rule.choices))
    yield from _complain_bounds(value, least=rule.least, most=rule.most, loc=loc)
    if rule.above is not None and value <= rule.above:
        message = f"ensure this value is greater than {rule.above}"
        yield complaint(loc, message, "value_error.number.not_gt", limit_value=rule.above)


def _complain_decimal(value: object, rule: Decimal, loc: Loc) -> Iterator[Complaint]:
    # Neither infinity nor "not a number" is JSON, but Python reads both.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield complaint(loc, "value is not a valid float", "type_error.float")
        return
    yield from _complain_bounds(value, least=rule.least, most=rule.most, loc=loc)


def _complain_bounds(
    value: float, *, least: float | None, most: float | None, loc: Loc
) -> Iterator[Complaint]:
    if least is not None and value < least:
        message = f"ensure this value is greater than or equal to {least}"
        yield complaint(loc, message, "value_error.number.not_ge", limit_value=least)
    if most is not None and value > most:
        message = f"ensure this value is less than or equal to {most}"
        yield complaint(loc, message, "value_error.number.not_le", limit_value=most)


def _complain_items(value: object, rule: Items, loc: Loc) -> Iterator[Complaint]:
    if not isinstance(value, list):
        yield complaint(loc, "value is not a valid list", "type_error.list")
        return
    if len(value) < rule.fewest:
        message = f"ensure this value has at least {rule.fewest} items"
        yield complaint(loc, message, "value_error.list.min_items", limit_value=rule.fewest)
    if rule.most is not None and len(value) > rule.most:
        message = f"ensure this value has at most {rule.most} items"
        yield complaint(loc, message, "value_error.list.max_items", limit_value=rule.most)
    if rule.unique and len({_identity(item) for item in value}) < len(value):
        yield complaint(loc, "the list has duplicated items", "value_error.list.unique_items")
    for index, item in enumerate(value):
        yield from complain(item, rule.item, (*loc, index))


def _identity(item: object) -> str:
    # JSON does not tell 2 from 2.0.
    return repr(int(item) if isinstance(item, float) and item.is_integer() else item)


def _complain_shape(value: object, rule: Shape, loc: Loc) -> Iterator[Complaint]:
    if not isinstance(value, dict):
        yield complaint(loc, "value is not a valid dict", "type_error.dict")
        return
    for name, inner in rule.fields.items():
        if name in value:
            yield from complain(value[name], inner, (*loc, name))
        elif name in rule.required:
            yield complaint((*loc, name), "field required", "value_error.missing")


def _complain_source(value: object, rule: Source, loc: Loc) -> Iterator[Complaint]:
    if not isinstance(value, dict):
        yield complaint(loc, "value is not a valid dict", "type_error.dict")
        return
    if ("uploadId" in value) == ("url" in value):
        yield complaint(loc, "exactly one of uploadId and url must be given", "value_error")
        return
    if "uploadId" in value:
        upload_id, form = value["uploadId"], UUID if rule.any_uuid else UUID4
        if not isinstance(upload_id, str) or not form.fullmatch(upload_id):
            yield complaint((*loc, "uploadId"), "value is not a valid uuid", "type_error.uuid")
        return
    url = value["url"]
    yield from complain(url, Text(shortest=1, longest=rule.longest), (*loc, "url"))
    if isinstance(url, str) and not _allowed(url, rule):
        message = f"the domain of the url is not allowed; permitted: {', '.join(rule.domains)}"
        yield complaint((*loc, "url"), message, "value_error.url.host")


def _allowed(url: str, rule: Source) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    return (
        parts.scheme == "https"
        and (port is None or port in rule.ports)
        and any(host == name or host.endswith(f".{name}") for name in rule.domains)
    )
