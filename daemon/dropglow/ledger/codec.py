"""Turn drops and jobs into rows and back. Pure.

Times become microseconds since 1970, paths become bytes. The rest of a job is
two JSON documents: *fixed* is written once, *moving* at every step. JSON is
kept in ASCII, so that file names which are not text survive as they are.
"""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from dropglow.model import Drop, Job

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_dumps: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode

# What changes at every step; all else is written once. Stage and revision are columns only.
_MOVING: Final = {
    "duplicates",
    "reuses",
    "attempt",
    "declines",
    "doubts",
    "trips",
    "not_before",
    "uploads",
    "submission",
    "outputs",
    "artifacts",
    "delivered",
    "cancel_wanted",
    "cancel_sent",
    "late",
    "failure",
    "begun_at",
    "accepted_at",
    "completed_at",
    "ended_at",
}
_COLUMNS: Final = {"stage", "revision"}
_NO_URL: Final = {"outputs": {"__all__": {"url"}}}


# Made when the first is met, and pydantic loaded with it: a command that finds nothing to read answers sooner.
@functools.cache
def _jobs() -> TypeAdapter[Job]:
    from pydantic import TypeAdapter

    return TypeAdapter(Job)


@functools.cache
def _drops() -> TypeAdapter[Drop]:
    from pydantic import TypeAdapter

    return TypeAdapter(Drop)


def to_us(at: datetime) -> int:
    """Return *at* as whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    """Return the time that ``to_us`` was given."""
    return _EPOCH + timedelta(microseconds=at_us)


def maybe_us(at: datetime | None) -> int | None:
    """Return *at* as microseconds, or None where there is no time."""
    return None if at is None else to_us(at)


def path_bytes(path: str) -> bytes:
    """Return the bytes of a path whose undecodable ones are surrogates."""
    return path.encode("utf-8", "surrogateescape")


def searchable(text: str) -> str:
    """Return *text* as it is searched for: without case, and without what no database stores."""
    return text.casefold().encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def storable(text: str) -> str:
    """Return *text* so that it can be compared with what is stored, whatever a person typed."""
    return text.encode("utf-8", "replace").decode("utf-8")


def job_fixed(job: Job) -> str:
    """Return the document of what never changes about *job*."""
    return _dumps(_jobs().dump_python(job, mode="json", exclude=_MOVING | _COLUMNS))


def job_moving(job: Job) -> str:
    """Return the document of what changes about *job*, without the signed links."""
    return _dumps(
        _jobs().dump_python(job, mode="json", include=_MOVING, exclude=_NO_URL, exclude_defaults=True)
    )


def job_from(row: Row) -> Job:
    """Return the job of a row of ``JOB_COLUMNS``: fixed, moving, stage, revision."""
    fixed, moving, stage, revision = row
    document = {**json.loads(fixed), **json.loads(moving), "stage": stage, "revision": revision}
    for output in document.get("outputs", ()):
        output["url"] = ""
    # Ledgers of version 1 know one number only: an image was a result, and cost as much.
    document["order"].setdefault("results", document["order"]["images"])
    return _jobs().validate_python(document)


def drop_document(drop: Drop) -> str:
    """Return the document of *drop*. Its columns only repeat what is searched for."""
    return _dumps(_drops().dump_python(drop, mode="json", exclude={"state", "revision"}))


def drop_from(row: Row) -> Drop:
    """Return the drop of a row of ``DROP_COLUMNS``: document, state, revision."""
    document, state, revision = row
    return _drops().validate_python({**json.loads(document), "state": state, "revision": revision})


def order_of(fixed: str) -> dict[str, Any]:
    """Return the order in a fixed document, as plain JSON."""
    return cast("dict[str, Any]", json.loads(fixed)["order"])
