"""Read a submission's body into an order, or say everything that is wrong with it.

Pure. What an operation asks for stands in its table under ``tables``; here the tables are applied, in Adobe's order:
the model and the fields first, then the sizes, then the pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dropglow.sandbox.checks import Complaint, complain, complaint
from dropglow.sandbox.orders import Input, Operation, Order, Role, Upload
from dropglow.sandbox.tables.blends import ADAPTIVE_COMPOSITE, PRECISE_COMPOSITE
from dropglow.sandbox.tables.composite import COMPOSITE
from dropglow.sandbox.tables.expand import EXPAND
from dropglow.sandbox.tables.fill import FILL
from dropglow.sandbox.tables.generate import GENERATE
from dropglow.sandbox.tables.image5 import IMAGE5
from dropglow.sandbox.tables.similar import SIMILAR
from dropglow.sandbox.tables.table import Spot, Submission, Table
from dropglow.sandbox.tables.upscale import UPSCALE
from dropglow.sandbox.tables.video import VIDEO

__all__ = ["TABLES", "BadBody", "read_order"]

TABLES: Final[Mapping[Operation, Table]] = {
    table.operation: table
    for table in (
        GENERATE, IMAGE5, SIMILAR, EXPAND, FILL, COMPOSITE, PRECISE_COMPOSITE, ADAPTIVE_COMPOSITE, UPSCALE, VIDEO
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BadBody:
    """Say why a body is refused: with complaints it is a 422, with a message alone a 400."""

    message: str
    complaints: tuple[Complaint, ...] = ()


def read_order(
    body: object,
    *,
    operation: Operation,
    model: str | None,
    find_upload: Callable[[str], Upload | None],
) -> Order | BadBody:
    """Return the order a body stands for, or what is wrong with it.

    ``model`` is the x-model-version header; ``find_upload`` returns an upload that is known and still good.
    """
    table = TABLES[operation]
    named = table.model if model is None else model
    if table.models and named not in table.models:
        return _wrong_model(table, named)
    named = named or ""
    complaints = [*complain(body, table.shape, ("body",))]
    if isinstance(body, Mapping):
        complaints += table.clashes(body, named)
    if complaints or not isinstance(body, Mapping):
        return BadBody(message="The request body is not valid.", complaints=tuple(complaints))
    pictures = []
    for spot in table.spots:
        for picture in _pictures(body, spot):
            upload = find_upload(picture.upload_id) if picture.upload_id is not None else None
            if picture.upload_id is not None and upload is None:
                message = f"The uploaded asset {picture.upload_id} does not exist or has expired."
                return BadBody(message=message)
            pictures.append((picture, upload))
    return _order(table, Submission(body=body, model=named, pictures=tuple(pictures)))


def _wrong_model(table: Table, named: str | None) -> BadBody:
    loc = ("header", "x-model-version")
    if named is None:
        message = f"The header x-model-version is needed. Must be one of: {list(table.models)}"
        return BadBody(message=message, complaints=(complaint(loc, "field required", "value_error.missing"),))
    message = f"Invalid x-model-version: {named}. Must be one of: {list(table.models)}"
    return BadBody(message=message, complaints=(complaint(loc, message, "value_error"),))


def _order(table: Table, submission: Submission) -> Order | BadBody:
    body = submission.body
    size, allowed = table.size(submission), table.sizes(submission.model)
    if allowed and size not in allowed:
        return BadBody(message=f"Size must be one of {{{', '.join(str(one) for one in allowed)}}}")
    complaints = tuple(table.limits(submission))
    if complaints:
        return BadBody(message="The request cannot be fulfilled.", complaints=complaints)
    images = table.images(body)
    return Order(
        operation=table.operation,
        model=submission.model,
        prompt=body.get("prompt", ""),
        width=size[0],
        height=size[1],
        seeds=table.seeds(body),
        images=images,
        operations=images * table.price(size),
        body_sha256=_digest(submission, table.operation),
        content_class=body.get("contentClass"),
        custom_model=body.get("customModelId"),
        alt_text_wanted=body.get("modelSpecificPayload", {}).get("prompt_reasoner") == "quality",
        inputs=tuple(picture for picture, _ in submission.pictures),
        manner=table.manner(body),
    )


def _pictures(body: Mapping[str, Any], spot: Spot) -> Iterator[Input]:
    """Yield the pictures that a body names at a spot; a body that fits its shape is needed."""
    for loc, holder, source in _walk(body, spot.path, ("body",), {}):
        upload_id = source.get("uploadId")
        yield Input(
            role=spot.role,
            upload_id=upload_id.lower() if upload_id is not None else None,
            loc=loc[1:],
            position=float(holder["placement"]["position"]) if spot.role is Role.FRAME else 0.0,
        )


def _walk(
    value: Any, path: tuple[str, ...], loc: tuple[str | int, ...], holder: Mapping[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each place that a path leads to: where it is, what holds it, and what stands there."""
    if not path:
        yield loc, holder, value
    elif path[0] == "*":
        for index, item in enumerate(value):
            yield from _walk(item, path[1:], (*loc, index), holder)
    elif path[0] in value:
        yield from _walk(value[path[0]], path[1:], (*loc, path[0]), value)


def _digest(submission: Submission, operation: Operation) -> str:
    told = [operation.value, submission.model, submission.body]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
