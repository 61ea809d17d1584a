"""The truth table of answers: what the client says to each answer of each call, over a real socket.

A case is named for its call, the answer, and what follows. NO: read and declined. LATER: certainly not accepted, or
harmless to ask again. UNKNOWN: the order may stand; it is held as in doubt and never repeated. What the answers mean
for a whole service is in ``tests/integration/stories/test_answers.py``; what connections do, in ``test_truth_lines.py``; whom the client
trusts, in ``test_truth_trust.py``.

Deliberately different from what one might expect:

* A 408, 499 or 5xx is UNKNOWN for an order, even with Adobe's own ``error_code``: nothing documented says that no
  job is left behind.
* A 409 is LATER nowhere: for an order it is UNKNOWN, for a cancellation it says that the job has ended.
* 402 is read like 403: it is about the account, and not about the order.
* A refusal of a download says that the link is dead, whatever its status: storage has its own opinion on which to use.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.errors import (
    AuthError,
    FireflyError,
    ProtocolError,
    RequestRefused,
    Throttled,
    Unavailable,
    Verdict,
)
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.custom_models import CustomModel
from dropglow.firefly.wire import EndedBadly, StillRunning, Succeeded
from dropglow.model import Output, RemoteId, Submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.contract.conftest import Asker, RawAdobe

    ClientMaker = Callable[..., AbstractAsyncContextManager[FireflyClient]]

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)  # where the clock of the tests stands
JOB = "urn:ff:jobs:eso851211:1"
HTML = b"<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"
RECEIPT = Submission(remote_id=RemoteId(JOB), status_url="")

NO, LATER, UNKNOWN = Verdict.NO, Verdict.LATER, Verdict.UNKNOWN


def answer(status: str, body: bytes | dict[str, Any] = b"", *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/json" if isinstance(body, dict) else "text/html"
    lines = [
        f"HTTP/1.1 {status}",
        f"content-type: {kind}",
        *headers,
        f"content-length: {len(content)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + content


def coded(status: str, code: str, *headers: str) -> bytes:
    return answer(status, {"error_code": code, "message": "In Adobe's words."}, *headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the client makes of an answer."""

    error: type[FireflyError] | None = None
    verdict: Verdict | None = None
    code: str = ""
    retry_s: float | None = None  # from now
    wide: bool = False  # every other order would meet the same
    value: Any = None


def fine(value: Any = None) -> Means:
    return Means(value=value)


def refused(code: str) -> Means:
    return Means(error=RequestRefused, verdict=NO, code=code)


def denied(code: str, *, retry_s: float | None = None) -> Means:
    return Means(error=AuthError, verdict=LATER, code=code, wide=True, retry_s=retry_s)


def throttled(retry_s: float, *, code: str = "rate_limited", wide: bool = True) -> Means:
    return Means(error=Throttled, verdict=LATER, code=code, retry_s=retry_s, wide=wide)


def troubled(verdict: Verdict, code: str, *, retry_s: float | None = None, wide: bool = False) -> Means:
    return Means(error=Unavailable, verdict=verdict, code=code, retry_s=retry_s, wide=wide)


def senseless(verdict: Verdict, code: str = "unreadable") -> Means:
    return Means(error=ProtocolError, verdict=verdict, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One cell of the table."""

    name: str
    call: str
    says: tuple[bytes, ...]
    means: Means
    tokens: int = 1
    times: int = 1  # how often the request itself is sent


def case(
    call: str, name: str, says: bytes | tuple[bytes, ...], means: Means, *, tokens: int = 1, times: int = 1
) -> Case:
    said = says if isinstance(says, tuple) else (says,)
    return Case(name=f"{call}: {name}", call=call, says=said, means=means, tokens=tokens, times=times)


def accepted(status: str, *headers: str, **body: Any) -> bytes:
    return answer(status, body, *headers)


HERE = "https://firefly-epo854211.adobe.io/v3"
LINK = f'link: <{HERE}/status/{JOB}>; rel="status", <{HERE}/cancel/{JOB}>; rel="cancel"'
BOTH = Submission(
    remote_id=RemoteId(JOB), status_url=f"{HERE}/status/{JOB}", cancel_url=f"{HERE}/cancel/{JOB}"
)
SHAPE_A = {"jobId": JOB, "statusUrl": BOTH.status_url, "cancelUrl": BOTH.cancel_url}
SHAPE_B = {"links": {"result": {"href": BOTH.status_url}, "cancel": {"href": BOTH.cancel_url}}, "progress": 0}

ACCEPTANCES = [
    *(
        case("submit", f"{status[:3]} with an id in shape {shape} -> ACCEPTED", answer(status, body), fine(BOTH))
        for status in ("200 OK", "201 Created", "202 Accepted")
        for shape, body in (("A", SHAPE_A), ("B", SHAPE_B), ("C", {"status": "running", **SHAPE_A}))
    ),
    case("submit", "2xx, id in Link only -> ACCEPTED", answer("202 Accepted", {}, LINK), fine(BOTH)),
    case("submit", "2xx, id in Link, body HTML -> ACCEPTED", answer("202 Accepted", HTML, LINK), fine(BOTH)),
    case("submit", "2xx, id in Link, body packed -> ACCEPTED",
         answer("202 Accepted", gzip.compress(b"{}"), LINK, "content-encoding: gzip"), fine(BOTH)),
    case("submit", "2xx, id but no address -> ACCEPTED", accepted("202 Accepted", jobId=JOB), fine(RECEIPT)),
    case("submit", "2xx, hostile id, good address -> ACCEPTED under the address' id",
         answer("202 Accepted", {**SHAPE_A, "jobId": "../../admin"}), fine(BOTH)),
    case("submit", "2xx, no id in body or Link -> UNKNOWN", answer("202 Accepted", {"message": "Thanks"}),
         senseless(UNKNOWN)),
    case("submit", "2xx, empty -> UNKNOWN", answer("202 Accepted"), senseless(UNKNOWN)),
    case("submit", "2xx, HTML -> UNKNOWN", answer("200 OK", HTML), senseless(UNKNOWN)),
    case("submit", "2xx, a list -> UNKNOWN", answer("200 OK", b"[1]"), senseless(UNKNOWN)),
    case("submit", "2xx, brackets without end -> UNKNOWN", answer("200 OK", b"[" * 100_000), senseless(UNKNOWN)),
    case("submit", "204 -> UNKNOWN", b"HTTP/1.1 204 No Content\r\n\r\n", senseless(UNKNOWN)),
    case("submit", "206 -> UNKNOWN", answer("206 Partial Content"), senseless(UNKNOWN)),
    case("submit", "2xx with an error in it -> UNKNOWN",
         coded("200 OK", "runtime_error"), senseless(UNKNOWN, "runtime_error")),
]  # fmt: skip

DECLINED_ORDERS = [
    case("submit", "400 -> REJECTED", coded("400 Bad Request", "bad_request"), refused("bad_request")),
    case("submit", "400 in HTML -> REJECTED", answer("400 Bad Request", HTML), refused("400")),
    case("submit", "404 -> REJECTED", answer("404 Not Found", HTML), refused("404")),
    case("submit", "405 -> REJECTED", answer("405 Method Not Allowed"), refused("405")),
    case("submit", "410 -> REJECTED", answer("410 Gone"), refused("410")),
    case("submit", "413 in HTML -> REJECTED", answer("413 Too Large", HTML), refused("413")),
    case("submit", "415 -> REJECTED", coded("415 Unsupported", "invalid_content_type"),
         refused("invalid_content_type")),
    case("submit", "422 -> REJECTED", coded("422 Unprocessable", "validation_error"),
         refused("validation_error")),
    case("submit", "422 cut -> REJECTED", b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 400\r\n\r\n{",
         refused("422")),
    case("submit", "422 of the credentials service -> REJECTED",
         coded("422 Unprocessable", "cai_assertion_violation_error"), refused("cai_assertion_violation_error")),
    case("submit", "501 -> REJECTED", coded("501 Not Implemented", "not_implemented"), refused("not_implemented")),
    *(
        case("submit", f"{status[:3]} {code} -> REJECTED by policy", coded(status, code), refused(code))
        for status in ("400 Bad Request", "403 Forbidden", "422 Unprocessable", "451 Unavailable")
        for code in ("prompt_unsafe", "prompt_entity_denied", "image_unsafe", "input_media_unsafe", "legal_error")
    ),
    case("submit", "451 without a code -> REJECTED", answer("451 Unavailable"), refused("451")),
]  # fmt: skip

ACCOUNT = [
    *(
        case(call, f"403 {word} -> queue paused", answer("403 Forbidden", {"error_code": "access_error"},
             f"x-access-error: {word}"), denied(word))
        for call in ("submit", "upload", "status", "cancel")
        for word in ("quota_exhausted", "user_non_entitled", "user_profile_denied", "invalid_ims_scope")
    ),
    case("submit", "403 with a date -> paused until then",
         coded("403 Forbidden", "access_error", "x-access-error: quota_exhausted", "retry-after: 900"),
         denied("quota_exhausted", retry_s=900)),
    case("submit", "403 of the gateway -> queue paused", coded("403 Forbidden", "403003"), denied("403003")),
    case("submit", "403 in HTML -> queue paused", answer("403 Forbidden", HTML), denied("403")),
    case("submit", "402 -> queue paused", answer("402 Payment Required"), denied("402")),
    *(
        case(call, "401 once -> renewed and sent again", (coded("401 Unauthorized", "401014"), good),
             fine(value), tokens=2, times=2)
        for call, good, value in (
            ("submit", accepted("202 Accepted", jobId=JOB), RECEIPT),
            ("status", answer("200 OK", {"status": "running"}), StillRunning(word="running")),
            ("cancel", answer("200 OK"), None),
            ("upload", answer("200 OK", {"images": [{"id": "510aabb4"}]}), "510aabb4"),
        )
    ),
    *(
        case(call, "401 twice -> queue paused", coded("401 Unauthorized", "401013"), denied("401013"),
             tokens=2, times=2)
        for call in ("submit", "status", "cancel", "upload")
    ),
    case("submit", "401, then cut -> UNKNOWN", (coded("401 Unauthorized", "401014"), b""),
         troubled(UNKNOWN, "no_answer"), tokens=2, times=2),
    case("submit", "401, then 502 -> UNKNOWN", (answer("401 Unauthorized"), answer("502 Bad Gateway", HTML)),
         troubled(UNKNOWN, "502"), tokens=2, times=2),
]  # fmt: skip

DOUBTS = [
    *(
        case("submit", f"{status[:3]} {how} -> UNKNOWN", answer(status, body), troubled(UNKNOWN, code or status[:3]))
        for status in (
            "408 Request Timeout", "499 Client Closed", "500 Internal", "502 Bad Gateway", "503 Unavailable",
            "504 Gateway Timeout", "529 Overloaded",
        )
        for how, body, code in (
            ("in HTML", HTML, ""),
            ("empty", b"", ""),
            ("without a code", {"message": "Sorry."}, ""),
            ("with a gateway's code", {"error_code": "504000", "message": "Sorry."}, "504000"),
            ("in a framework's words", {"status": 500, "error": "Gateway Timeout"}, "Gateway Timeout"),
        )
    ),
    case("submit", "499 with a code -> UNKNOWN", coded("499 Closed", "cancelled_error"),
         troubled(UNKNOWN, "cancelled_error")),
    case("submit", "500 with a code, cut -> UNKNOWN",
         b'HTTP/1.1 500 Internal\r\ncontent-length: 400\r\n\r\n{"error_code": "runtime_error"',
         troubled(UNKNOWN, "500")),
    case("submit", "700 with a code -> UNKNOWN", coded("700 Odd", "odd"), troubled(UNKNOWN, "odd")),
    case("submit", "409 -> UNKNOWN", coded("409 Conflict", "conflict"), senseless(UNKNOWN, "conflict")),
    *(
        case("submit", f"{status} -> UNKNOWN, not followed",
             answer(f"{status} Elsewhere", b"", "location: /v3/status/1"), senseless(UNKNOWN))
        for status in (300, 301, 302, 303, 307, 308)
    ),
    case("submit", "304 -> UNKNOWN", b"HTTP/1.1 304 Not Modified\r\n\r\n", senseless(UNKNOWN)),
    case("submit", "100 and no more -> UNKNOWN", b"HTTP/1.1 100 Continue\r\n\r\n",
         troubled(UNKNOWN, "no_answer")),
    case("submit", "103, then 202 -> ACCEPTED",
         b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n" + accepted("202 Accepted", jobId=JOB),
         fine(RECEIPT)),
    case("submit", "101 -> UNKNOWN", b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
         troubled(UNKNOWN, "no_answer")),
    *(
        case("submit", f"{status[:3]} {code} -> UNKNOWN", coded(status, code), troubled(UNKNOWN, code))
        for status, code in (
            ("408 Request Timeout", "timeout_error"), ("500 Internal", "runtime_error"),
            ("503 Unavailable", "model_not_loaded"),
        )
    ),
]  # fmt: skip

DATE = format_datetime(NOW + timedelta(seconds=45), usegmt=True)
PAST = format_datetime(NOW - timedelta(hours=1), usegmt=True)
FAR = format_datetime(NOW + timedelta(days=400), usegmt=True)
PATIENCE = [
    ("absent", (), 60),
    ("seconds", ("retry-after: 30",), 30),
    ("a date", (f"retry-after: {DATE}",), 45),
    ("a date by the server's clock", (f"retry-after: {DATE}", f"date: {format_datetime(NOW, usegmt=True)}"), 45),
    ("a date by a clock that is ahead",
     (f"retry-after: {FAR}", f"date: {format_datetime(NOW + timedelta(days=400, seconds=-20), usegmt=True)}"), 20),
    ("a past date", (f"retry-after: {PAST}",), 60),
    ("zero", ("retry-after: 0",), 60),
    ("negative", ("retry-after: -5",), 60),
    ("garbage", ("retry-after: soon",), 60),
    ("infinite", ("retry-after: inf",), 60),
    ("beyond all numbers", ("retry-after: " + "9" * 40,), 60),
    ("huge", ("retry-after: 999999999",), 3600),
    ("a date far away", (f"retry-after: {FAR}",), 3600),
    ("per organisation", ("retry-after: 30", "x-access-rate-limit-level: org"), 30),
]  # fmt: skip
THROTTLES = [
    *(
        case(call, f"429, retry-after {how} -> LATER", coded("429 Too Many", "rate_limited", *headers),
             throttled(delay_s))
        for call in ("submit", "status", "upload", "cancel")
        for how, headers, delay_s in PATIENCE
    ),
    case("submit", "429 of a gateway in HTML -> LATER", answer("429 Too Many", HTML), throttled(60, code="429")),
    case("submit", "429 backpressure -> LATER", coded("429 Too Many", "backpressure_limited"),
         throttled(60, code="backpressure_limited")),
    case("submit", "503 with retry-after -> UNKNOWN, and then for others",
         coded("503 Unavailable", "model_not_loaded", "retry-after: 20"),
         troubled(UNKNOWN, "model_not_loaded", retry_s=20)),
    case("status", "503 with retry-after -> LATER, then", answer("503 Unavailable", HTML, f"retry-after: {DATE}"),
         troubled(LATER, "503", retry_s=45)),
]  # fmt: skip


def output(**image: Any) -> dict[str, Any]:
    return {"seed": image.pop("seed", 7), "image": image}


def succeeded(*outputs: Any) -> bytes:
    return answer("200 OK", {"status": "succeeded", "jobId": JOB, "result": {"outputs": list(outputs)}})


def one(seed: int | None, url: str = "https://x/1") -> Succeeded:
    return Succeeded(outputs=(Output(index=0, seed=seed, url=url),))


QUESTIONS = [
    *(
        case("status", f"{word} -> still running", answer("200 OK", {"status": word, "jobId": "86ffe2ea"}),
             fine(StillRunning(word=word.lower())))
        for word in ("pending", "running", "cancel_pending", "RUNNING")
    ),
    case("status", "E9 an unknown word -> still running", answer("200 OK", {"status": "meditating"}),
         fine(StillRunning(word="meditating"))),
    case("status", "E9 no word at all -> still running", answer("200 OK", {}), fine(StillRunning())),
    case("status", "E9 a word that is no text -> still running", answer("200 OK", {"status": {"a": 1}}),
         fine(StillRunning())),
    *(
        case("status", f"{word} -> cancelled", answer("200 OK", {"status": word}), fine(EndedBadly(word="cancelled")))
        for word in ("cancelled", "canceled", "Canceled")
    ),
    case("status", "timeout -> ended", answer("200 OK", {"status": "timeout"}), fine(EndedBadly(word="timeout"))),
    case("status", "failed in a 200 -> ended",
         answer("200 OK", {"status": "failed", "error_code": "runtime_error", "message": "Sorry."}),
         fine(EndedBadly(word="failed", code="runtime_error", message="Sorry."))),
    case("status", "E14 no outputs -> an empty success", succeeded(), fine(Succeeded(outputs=()))),
    case("status", "E14 outputs are no list -> an empty success",
         answer("200 OK", {"status": "succeeded", "result": {"outputs": "none"}}), fine(Succeeded(outputs=()))),
    case("status", "E14 outputs without links -> what has one",
         succeeded({"seed": 1}, None, 7, output(url="https://x/1")),
         fine(Succeeded(outputs=(Output(index=3, seed=7, url="https://x/1"),)))),
    case("status", "E15 the same output twice -> two outputs",
         succeeded(output(url="https://x/1"), output(url="https://x/1")),
         fine(Succeeded(outputs=tuple(Output(index=index, seed=7, url="https://x/1") for index in (0, 1))))),
    *(
        case("status", f"E16 seed {seed!r} -> none", succeeded(output(seed=seed, url="https://x/1")), fine(one(None)))
        for seed in ("../../etc/passwd", "7", True, 1.5, 2**80, -(2**80), [7], {"a": 7}, None)
    ),
    case("status", "E16 a negative seed -> a seed", succeeded(output(seed=-1, url="https://x/1")), fine(one(-1))),
    case("status", "E16 names and texts of the API -> not read",
         succeeded({**output(url="https://x/1"), "name": "../../x", "id": "/etc/passwd", "altText": "\x1b[31m"}),
         fine(one(7))),
    case("status", "HTML in a 200 -> LATER", answer("200 OK", HTML), senseless(LATER)),
    case("status", "an empty 200 -> LATER", answer("200 OK"), senseless(LATER)),
    case("status", "404 unknown_job_id -> refused, for the runtime to count",
         coded("404 Not Found", "unknown_job_id"), refused("unknown_job_id")),
    case("status", "404 of a gateway -> refused", answer("404 Not Found", HTML), refused("404")),
    case("status", "422 -> refused", coded("422 Unprocessable", "validation_error"), refused("validation_error")),
    case("status", "410 job_timeout -> ended", coded("410 Gone", "job_timeout"),
         fine(EndedBadly(word="timeout", code="job_timeout",
                         message="Adobe refused the question how the job stands: In Adobe's words. (HTTP 410, "
                                 "job_timeout)"))),
    *(
        case("status", f"{status[:3]} {code} -> ended by moderation", coded(status, code),
             fine(EndedBadly(word="failed", code=code,
                             message=f"Adobe's content policy refused {what}: In Adobe's words. "
                                     f"(HTTP {status[:3]}, {code})")))
        for status in ("451 Unavailable", "422 Unprocessable")
        for code, what in (("prompt_unsafe", "the prompt"), ("video_unsafe", "the video"))
    ),
    *(
        case("status", f"{status} -> LATER", answer(f"{status} Odd", HTML), troubled(LATER, str(status)))
        for status in (408, 499, 500, 502, 503, 504, 529)
    ),
    *(
        case("status", f"{status} -> LATER, not followed",
             answer(f"{status} Odd", b"", "location: /v3/status/2"), senseless(LATER))
        for status in (301, 307)
    ),
]  # fmt: skip

CANCELLATIONS = [
    case("cancel", "200 -> done", answer("200 OK"), fine()),
    case("cancel", "202 -> done", answer("202 Accepted", {}), fine()),
    case("cancel", "204 -> done", b"HTTP/1.1 204 No Content\r\n\r\n", fine()),
    *(
        case("cancel", f"{status[:3]} {code} -> ended already", coded(status, code), refused(code))
        for status, code in (
            ("409 Conflict", "job_completed"), ("409 Conflict", "job_already_canceled"),
            ("409 Conflict", "job_cancel_failed"), ("410 Gone", "job_timeout"), ("404 Not Found", "unknown_job_id"),
        )
    ),
    *(
        case("cancel", f"{status} -> LATER", answer(f"{status} Odd", HTML), troubled(LATER, str(status)))
        for status in (408, 499, 500, 502, 503)
    ),
]  # fmt: skip

UPLOADS = [
    case("upload", "200 -> an id", answer("200 OK", {"images": [{"id": "510aabb4"}]}), fine("510aabb4")),
    case("upload", "200 without an id -> LATER", answer("200 OK", {"images": []}), senseless(LATER)),
    case("upload", "200 with a hostile id -> LATER", answer("200 OK", {"images": [{"id": "../x"}]}), senseless(LATER)),
    case("upload", "400 10075 -> REJECTED", coded("400 Bad Request", "10075"), refused("10075")),
    case("upload", "413 in HTML -> REJECTED", answer("413 Too Large", HTML), refused("413")),
    case("upload", "415 -> REJECTED", coded("415 Unsupported", "invalid_content_type"),
         refused("invalid_content_type")),
    case("upload", "451 10008 -> REJECTED by policy", coded("451 Unavailable", "10008"), refused("10008")),
    case("upload", "422 input_media_unsafe -> REJECTED by policy",
         coded("422 Unprocessable", "input_media_unsafe"), refused("input_media_unsafe")),
    case("upload", "500 10002 -> LATER", coded("500 Internal", "10002"), troubled(LATER, "10002")),
    case("upload", "502 in HTML -> LATER", answer("502 Bad Gateway", HTML), troubled(LATER, "502")),
    case("upload", "307 -> LATER, not followed", answer("307 Odd", b"", "location: /x"), senseless(LATER)),
]  # fmt: skip

TOKENS = [
    *(
        case("token", f"{status[:3]} {error} -> queue paused",
             answer(status, {"error": error, "error_description": "In Adobe's words."}), denied(error))
        for status, error in (
            ("400 Bad Request", "invalid_client"), ("401 Unauthorized", "invalid_client"),
            ("400 Bad Request", "invalid_scope"), ("403 Forbidden", "unauthorized_client"),
        )
    ),
    case("token", "404 -> queue paused", answer("404 Not Found", HTML), denied("404")),
    case("token", "429 -> LATER", answer("429 Too Many", b"", "retry-after: 12"), throttled(12, code="429")),
    *(
        case("token", f"{status} -> LATER", answer(f"{status} Odd", HTML), troubled(LATER, str(status), wide=True))
        for status in (301, 307, 408, 500, 502, 503)
    ),
    case("token", "200 without a token -> LATER", answer("200 OK", {}), troubled(LATER, "200", wide=True)),
    case("token", "200 with a token that no header can hold -> LATER",
         answer("200 OK", {"access_token": "a\r\nx-evil: 1"}), troubled(LATER, "200", wide=True)),
    case("token", "cut -> LATER", b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{", troubled(
        LATER, "no_answer", wide=True)),
]  # fmt: skip

DOWNLOADS = [
    case("download", "200 -> the bytes", answer("200 OK", b"bytes"), fine(b"bytes")),
    # The bytes are delivered only if they are a picture or a video: that is the spool's to prove.
    case("download", "E7 200 with HTML -> the bytes", answer("200 OK", HTML), fine(HTML)),
    *(
        case("download", f"{status} -> the link is dead", answer(f"{status} Odd", HTML), refused("link_dead"))
        for status in (400, 401, 403, 404, 405, 410, 416, 451)
    ),
    case("download", "429 -> LATER", answer("429 Slow", b"", "retry-after: 5"), throttled(5, code="429", wide=False)),
    *(
        case("download", f"{status} -> LATER", answer(f"{status} Odd", HTML), troubled(LATER, str(status)))
        for status in (408, 500, 502, 503)
    ),
    *(
        case("download", f"{status} -> LATER, not followed",
             answer(f"{status} Odd", b"", "location: http://169.254.169.254/latest/meta-data/"), senseless(LATER))
        for status in (301, 302, 307, 308)
    ),
    case("download", "206 -> LATER", answer("206 Partial Content", b"by"), senseless(LATER)),
    case("download", "204 -> LATER", b"HTTP/1.1 204 No Content\r\n\r\n", senseless(LATER)),
    case("download", "E6 cut -> LATER", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbytes",
         troubled(LATER, "no_answer")),
    case("download", "E6 cut in a chunk -> LATER",
         b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbytes\r\n", troubled(LATER, "no_answer")),
    case("download", "E5 packed -> LATER", answer("200 OK", gzip.compress(b"x" * 9_000_000), "content-encoding: gzip"),
         troubled(LATER, "no_answer")),
]  # fmt: skip

MODEL = CustomModel(id="urn:aaid:1", name="Mug")
LISTED = answer(
    "200 OK", {"custom_models": [{"assetId": "urn:aaid:1", "displayName": "Mug"}], "total_count": 1}
)
MODEL_LISTS = [
    case("models", "200 -> the list", LISTED, fine((MODEL,))),
    case("models", "200 and no models -> an empty list", answer("200 OK", {"custom_models": []}), fine(())),
    case("models", "200 without a list -> LATER", answer("200 OK", {"models": []}), senseless(LATER)),
    case("models", "HTML in a 200 -> LATER", answer("200 OK", HTML), senseless(LATER)),
    case("models", "401 once -> renewed and sent again", (answer("401 Unauthorized"), LISTED), fine((MODEL,)),
         tokens=2, times=2),
    case("models", "400 -> refused, by its reason",
         answer("400 Bad Request", {"reason": "bad_request", "message": "start is required"}), refused("bad_request")),
    case("models", "406 -> refused", answer("406 Odd", {"reason": "not_acceptable", "message": "No."}),
         refused("not_acceptable")),
    case("models", "403 -> denied, by its reason",
         answer("403 Forbidden", {"reason": "forbidden", "message": "No."}), denied("forbidden")),
    case("models", "403 with x-access-error -> denied by that",
         answer("403 Forbidden", {"reason": "forbidden", "message": "No."}, "x-access-error: user_non_entitled"),
         denied("user_non_entitled")),
    case("models", "429 -> LATER", coded("429 Too Many", "rate_limited", "retry-after: 9"), throttled(9)),
    *(
        case("models", f"{status} -> LATER", answer(f"{status} Odd", {"reason": "down", "message": "Sorry."}),
             troubled(LATER, "down"))
        for status in (500, 503)
    ),
]  # fmt: skip

CASES = [
    *ACCEPTANCES, *DECLINED_ORDERS, *ACCOUNT, *DOUBTS, *THROTTLES, *QUESTIONS, *CANCELLATIONS, *UPLOADS, *TOKENS,
    *DOWNLOADS, *MODEL_LISTS,
]  # fmt: skip


async def meaning(call: Awaitable[Any]) -> Means:
    """Return what came of *call*."""
    try:
        value = await call
    except FireflyError as error:
        retry_s = None if error.retry_at is None else (error.retry_at - NOW).total_seconds()
        return Means(
            error=type(error),
            verdict=error.verdict,
            code=error.code,
            wide=error.service_wide,
            retry_s=retry_s,
        )
    return Means(value=value)


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
async def test_an_answer_means_what_the_table_says(
    adobe: RawAdobe, client_of: ClientMaker, ask: Asker, clock: Any, row: Case
) -> None:
    """Each answer is told as its row says; only a 401 costs a second request, and nothing else repeats itself."""
    adobe.say(row.call, *row.says)
    async with client_of(adobe.address, clock=clock) as client:
        means = await meaning(ask(client, row.call))

    assert row.means == means
    assert row.times == len(adobe.asked(row.call))
    assert row.call == "download" or row.tokens == len(adobe.asked("token"))


def test_every_row_has_a_name_of_its_own() -> None:
    """A failing row can be found by its name."""
    names = [row.name for row in CASES]

    assert [] == [name for name in set(names) if names.count(name) > 1]
