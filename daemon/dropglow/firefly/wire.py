"""Translate between our nouns and Adobe's JSON: a strict writer, a tolerant reader.

Pure. Adobe documents three shapes of acceptance, four of results and two spellings of a status word, and the
service mixes them; so each reader looks for what it needs wherever it has been seen. A reader returns None where
the answer makes no sense, and never raises: whether that is a fault is for ``faults.py``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from dropglow.firefly.hosts import clean_id, job_id_like
from dropglow.model import Order, Output, RemoteId, Submission, Upload
from dropglow.rules.operations import OPERATIONS

NO_LINKS: Final[Mapping[str, str]] = {}
UPLOAD_PATH: Final = "/v2/storage/image"  # Adobe's OpenAPI document, like the paths of the operations

TOKEN_LIFE_S: Final = 86399.0  # as documented; some answers have given milliseconds

_SUCCEEDED: Final = frozenset({"succeeded", "done"})
_ENDINGS: Final[Mapping[str, str]] = {
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "timeout": "timeout",
}
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_NOT_OF_AN_ID: Final = re.compile(r"[^A-Za-z0-9:_.-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order as it goes over the wire."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StillRunning:
    """The job has not ended. ``progress`` is percent, where Adobe tells it."""

    progress: float | None = None
    word: str = ""  # Adobe's own, in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The job ended well. There may be fewer outputs than were asked for, even none."""

    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBadly:
    """The job ended without results. ``word`` is failed, cancelled or timeout."""

    word: str
    code: str = ""
    message: str = ""


RemoteStatus = StillRunning | Succeeded | EndedBadly


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What an error body says. Empty texts where it says nothing."""

    code: str = ""
    message: str = ""


def order_request(
    order: Order, uploads: Sequence[Upload], links: Mapping[str, str] = NO_LINKS
) -> OrderRequest:
    """Return the request for *order*, each reference slot filled with its upload id or its address from *links*.

    Raises:
        KeyError: A slot has neither, or the operation is unknown: a bug of the caller.
    """
    ids = {upload.slot: upload.upload_id for upload in uploads}
    body = copy.deepcopy(order.body) if order.references else order.body
    for reference in order.references:
        slot = reference.slot
        source = {"url": links[slot]} if reference.linked else {"uploadId": ids[slot]}
        _fill(body, slot.split("."), source)
    return OrderRequest(
        path=OPERATIONS[order.operation].path_of(order.model),
        headers=(("x-model-version", order.model),) if order.model else (),
        body=json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii"),
    )


def submission(headers: Mapping[str, str], body: bytes) -> Submission | None:
    """Return the receipt in an accepting answer, from its body or else from its ``Link`` header.

    Reads ``jobId, statusUrl, cancelUrl``, the same with a status, and ``links.result.href`` alone, as Adobe's
    OpenAPI document has them (AsyncAcceptResponseV3, AsyncJobResponse, AsyncTaskResponse).
    """
    found = _object(body)
    linked_status, linked_cancel = _link_header(headers.get("link", ""))
    status_url = _of_a_job(_text(found, "statusUrl"), _href(found, "result", "status", "self"), linked_status)
    cancel_url = _of_a_job(_text(found, "cancelUrl"), _href(found, "cancel"), linked_cancel)
    ids = (_text(found, "jobId"), _last_segment(status_url), _last_segment(cancel_url))
    remote_id = next(filter(clean_id, ids), "")
    if not remote_id and not status_url:
        return None
    return Submission(
        # A receipt whose id looks odd still is one: its address works, so the id is only made printable.
        remote_id=RemoteId(remote_id or _NOT_OF_AN_ID.sub("_", ids[0] or ids[1])[:200]),
        status_url=status_url,
        cancel_url=cancel_url,
    )


def status(body: bytes) -> RemoteStatus | None:
    """Return how the job stands, or None if *body* is no JSON object.

    A word that nobody knows means "not ended": only a documented ending ends a job.
    """
    found = _object(body)
    if found is None:
        return None
    word = _text(found, "status").strip().lower()
    outputs = _outputs(found)
    if word in _SUCCEEDED or (not word and outputs):
        return Succeeded(outputs=outputs)
    if word in _ENDINGS:
        told = trouble(body)
        return EndedBadly(word=_ENDINGS[word], code=told.code, message=told.message)
    return StillRunning(progress=_percent(found.get("progress")), word=word)


def upload_id(body: bytes) -> str | None:
    """Return the id in the answer to an upload (Adobe's OpenAPI document, StorageImageResponse)."""
    found = _object(body) or {}
    for image in _objects(found.get("images")):
        if clean_id(name := _text(image, "id")):
            return name
    return None


def token(body: bytes) -> tuple[str, float] | None:
    """Return the access token and its life in seconds, at most a day."""
    found = _object(body)
    value = _text(found, "access_token")
    if found is None or not value.isascii() or not value.isprintable() or not value.strip():
        return None
    life_s = _number(found.get("expires_in"))
    return value, min(life_s, TOKEN_LIFE_S) if life_s is not None and life_s > 0 else TOKEN_LIFE_S


def trouble(body: bytes) -> Trouble:
    """Return what an error body says, in any of the shapes that Adobe's services use."""
    found = _object(body)
    if found is None:
        return Trouble(message=_plain(body))
    message = _text(found, "message") or _text(found, "error_description")
    details = "; ".join(_details(found.get("validation_errors")) or _details(found.get("detail")))
    message = message or _text(found, "detail") or _text(found, "reason")
    return Trouble(
        code=_text(found, "error_code") or _text(found, "error"),
        message=f"{message.rstrip('. ')}: {details}" if message and details else message or details,
    )


def _fill(body: dict[str, Any], slot: list[str], source: dict[str, str]) -> None:
    *folders, last = slot
    place: Any = body
    for name in folders:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    place[last] = source


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # also a number of five thousand digits, and brackets without end
        return None
    return found if isinstance(found, dict) else None


def _objects(value: object) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _text(found: Mapping[str, Any] | None, key: str) -> str:
    value = found.get(key) if found is not None else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _href(found: Mapping[str, Any] | None, *names: str) -> str:
    links = found.get("links") if found is not None else None
    if not isinstance(links, dict):
        return ""
    entries = (links.get(name) for name in names)
    return next((href for entry in entries if isinstance(entry, dict) and (href := _text(entry, "href"))), "")


def _link_header(value: str) -> tuple[str, str]:
    """Return the status and the cancel address. Adobe documents neither order nor ``rel`` names."""
    status_url = cancel_url = ""
    for url, parameters in _LINK.findall(value):
        if "cancel" in parameters.lower() or "/cancel/" in url:
            cancel_url = cancel_url or url
        else:
            status_url = status_url or url
    return status_url, cancel_url


def _of_a_job(*urls: str) -> str:
    """Return the first address that ends in a job id; where none does, the first that there is."""
    found = [url for url in urls if url]
    return next((url for url in found if job_id_like(_last_segment(url))), found[0] if found else "")


def _last_segment(url: str) -> str:
    return unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2])


def _outputs(found: Mapping[str, Any]) -> tuple[Output, ...]:
    result = found.get("result")
    listed = result.get("outputs") if isinstance(result, dict) else found.get("outputs")
    if not isinstance(listed, list):
        return ()
    return tuple(
        Output(index=index, seed=_seed(entry.get("seed")), url=url)
        for index, entry in enumerate(listed)
        if isinstance(entry, dict) and (url := _result_url(entry))
    )


def _result_url(entry: Mapping[str, Any]) -> str:
    places = (entry.get("image"), entry.get("video"), entry)
    found = (place for place in places if isinstance(place, dict))
    return next((url for place in found if (url := _text(place, "url") or _text(place, "presignedUrl"))), "")


def _seed(value: object) -> int | None:
    usable = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if usable else None  # type: ignore[return-value]


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == number else None  # noqa: PLR0124 - NaN is the one number unlike itself


def _percent(value: object) -> float | None:
    number = _number(value)
    return None if number is None else min(100.0, max(0.0, number))


def _details(errors: object) -> list[str]:
    """Return complaints like ``size.width: must be greater than 0``."""
    return [
        f"{_place(error.get('loc'))}{_text(error, 'msg')}"
        for error in _objects(errors)
        if _text(error, "msg")
    ]


def _place(loc: object) -> str:
    if not isinstance(loc, list):
        return ""
    return ".".join(str(part) for part in _without_body(loc)) + ": "


def _without_body(loc: Iterable[object]) -> list[object]:
    parts = list(loc)
    return parts[1:] if len(parts) > 1 and parts[0] == "body" else parts


def _plain(body: bytes) -> str:
    """Return the words of a page that is not JSON, such as a gateway's HTML."""
    text = body[:4096].decode("utf-8", errors="replace")
    text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
