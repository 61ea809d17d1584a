"""Say what an answer, or its absence, means: our error with its verdict, a readable message and a hint.

Pure. The verdict carries the product: LATER only where the order was certainly not accepted, UNKNOWN wherever it
may stand. Statuses and codes are those of Adobe's OpenAPI document; where live answers differ from it (a refused
prompt is 422 instead of 451), the code decides and not the status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, assert_never

from dropglow.errors import (
    AuthError,
    FireflyError,
    ProtocolError,
    RequestRefused,
    Throttled,
    Unavailable,
    Verdict,
)
from dropglow.firefly import custom_models, wire
from dropglow.firefly.redaction import redact, shortened
from dropglow.firefly.wire import EndedBadly

PAUSE_S_DEFAULT: Final = 60.0  # four requests a minute are Adobe's default, so a minute clears any window
PAUSE_S_MAX: Final = 3600.0


class Call(StrEnum):
    """Name what was asked; the value is how a message calls it."""

    TOKEN = "the request for a token"  # noqa: S105 - a phrase
    UPLOAD = "the upload"
    SUBMIT = "the order"
    STATUS = "the question how the job stands"
    CANCEL = "the cancellation"
    DOWNLOAD = "the download"
    MODELS = "the question for custom models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer, redirects and errors included. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size_bytes: int  # of the body, also where it was written elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """No complete answer. ``sent`` is False only where nothing of the request can have left.

    ``begun`` is as much of the answer as came: a receipt may stand in its headers.
    """

    sent: bool
    why: str
    begun: Answer | None = None


_MODERATION: Final[Mapping[str, str]] = {
    "prompt_unsafe": "the prompt",
    "prompt_entity_denied": "a name in the prompt",
    "image_unsafe": "the picture",
    "input_media_unsafe": "the picture",
    "reference_image_unsafe_error": "the reference picture",
    "output_media_unsafe": "the result",
    "video_unsafe": "the video",
    "legal_error": "the request",
    "10008": "the picture",
}

_ACCESS_HINTS: Final[Mapping[str, str]] = {
    "quota_exhausted": "the organisation's quota is used up: wait for its renewal, or ask Adobe for more",
    "user_non_entitled": "the project in Adobe's developer console needs the Firefly Services entitlement",
    "user_profile_denied": "the credential's product profile does not include Firefly Services",
    "invalid_ims_scope": "compare api.scopes with those of the credential in Adobe's developer console",
    "10007": "compare api.scopes with those of the credential in Adobe's developer console",
    "403000": "the client id belongs to no project with the Firefly API: check it in Adobe's developer console",
    "403003": "the project in Adobe's developer console needs the Firefly Services entitlement",
    "invalid_scope": "compare api.scopes with those of the credential in Adobe's developer console",
}
_CREDENTIALS_HINT: Final = (
    "check client id and secret in Adobe's developer console; dropglow doctor tells which are used"
)
_POLICY_HINT: Final = "change it and drop the file again: nothing is reworded or repeated by itself"
_DOUBT_HINT: Final = "nobody can tell whether Adobe took the order; settle it with: dropglow resolve"

_REQUEST_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?", re.ASCII)


def fault(
    call: Call, reply: Answer | Broken, *, now: datetime, sent_id: str = "", secrets: Sequence[str] = ()
) -> FireflyError:
    """Return what *reply* to *call* means.

    An answer with a good status comes here only if it could not be understood.

    Args:
        call: What was asked.
        reply: What came back.
        now: For ``retry_at``; aware, UTC.
        sent_id: Our own ``x-request-id``, by which Adobe's support may find an order.
        secrets: Texts that must not show in the message.
    """
    match reply:
        case Broken():
            return _of_silence(call, reply, sent_id=sent_id, secrets=secrets)
        case Answer():
            return _of_answer(_Reading.of(call, reply, now=now, secrets=secrets))
        case _:
            assert_never(reply)


def _of_silence(call: Call, reply: Broken, *, sent_id: str, secrets: Sequence[str]) -> FireflyError:
    why = redact(reply.why, secrets)
    if not reply.sent:
        return Unavailable(
            f"cannot reach Adobe for {call.value}: {why}",
            hint="check the network and api.base_url; it is tried again by itself",
            code="unreachable",
            verdict=Verdict.LATER,
            service_wide=call is not Call.DOWNLOAD,
        )
    doubtful = call is Call.SUBMIT
    mark = f" (x-request-id {sent_id})" if sent_id and doubtful else ""
    return Unavailable(
        f"no complete answer to {call.value}: {why}{mark}",
        hint=_DOUBT_HINT if doubtful else "it is tried again by itself",
        code="no_answer",
        verdict=Verdict.UNKNOWN if doubtful else Verdict.LATER,
        service_wide=call is Call.TOKEN,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """An answer, read once."""

    call: Call
    status: int
    code: str
    told: str  # Adobe's words, safe and short; or the status
    raw: str  # the beginning of the body, likewise
    access: str
    mark: str
    retry_at: datetime | None
    now: datetime

    @classmethod
    def of(cls, call: Call, answer: Answer, *, now: datetime, secrets: Sequence[str]) -> _Reading:
        trouble = wire.trouble(answer.body)
        code = trouble.code or custom_models.reason(answer.body)
        words = shortened(redact(trouble.message, secrets))
        request_id = answer.headers.get("x-request-id", "")
        return cls(
            call=call,
            status=answer.status,
            code=shortened(redact(code, secrets), 100),
            told=words or f"HTTP {answer.status}",
            raw=shortened(redact(answer.body[:4096].decode("utf-8", errors="replace"), secrets)),
            access=shortened(redact(answer.headers.get("x-access-error", ""), secrets), 100),
            mark=f" (Adobe's x-request-id {request_id})" if _REQUEST_ID.fullmatch(request_id) else "",
            retry_at=retry_at(answer.headers, now=now),
            now=now,
        )

    @property
    def sentence(self) -> str:
        """Return Adobe's words with status and code."""
        facts = [f"HTTP {self.status}"] if self.told != f"HTTP {self.status}" else []
        if self.code and self.code not in self.told:
            facts.append(self.code)
        return f"{self.told} ({', '.join(facts)})" if facts else self.told


def _of_answer(reading: _Reading) -> FireflyError:
    match reading.call:
        case Call.TOKEN:
            return _token_fault(reading)
        case Call.DOWNLOAD:
            return _download_fault(reading)
        case Call.UPLOAD | Call.SUBMIT | Call.STATUS | Call.CANCEL | Call.MODELS:
            return _api_fault(reading)
        case _:
            assert_never(reading.call)


def _token_fault(reading: _Reading) -> FireflyError:
    if reading.status == 429:
        return _throttled(reading)
    if 400 <= reading.status < 500 and reading.status != 408:
        return AuthError(
            f"Adobe gives no token for these credentials: {reading.sentence}",
            hint=_ACCESS_HINTS.get(reading.code, _CREDENTIALS_HINT),
            code=reading.code or str(reading.status),
            status=reading.status,
            service_wide=True,
        )
    return _unavailable(reading, Verdict.LATER, service_wide=True)


def _download_fault(reading: _Reading) -> FireflyError:
    if reading.status == 429:
        return _throttled(reading)
    if 400 <= reading.status < 500 and reading.status != 408:
        # Storage answers an expired link with 400, 401, 403 or 404, each in its own way.
        return RequestRefused(
            f"the link to the result is dead: HTTP {reading.status}",
            hint="links live an hour; the job's status gives new ones",
            code="link_dead",
            status=reading.status,
        )
    if reading.status >= 500 or reading.status == 408:
        return _unavailable(reading, Verdict.LATER)
    return _senseless(reading, Verdict.LATER)


def _api_fault(reading: _Reading) -> FireflyError:
    status = reading.status
    if status >= 400 and reading.code in _MODERATION:
        return _refused_by_policy(reading)
    if status == 401:
        return AuthError(
            f"Adobe does not accept the token: {reading.sentence}{reading.mark}",
            hint=_CREDENTIALS_HINT,
            code=reading.code or "401",
            status=status,
            service_wide=True,
        )
    if status in {402, 403}:
        code = reading.access or reading.code
        return AuthError(
            f"Adobe does not allow {reading.call.value}: {reading.access or reading.told} (HTTP {status}){reading.mark}",
            hint=_ACCESS_HINTS.get(
                code, "ask the administrator of the organisation in Adobe's Admin Console"
            ),
            code=code or str(status),
            status=status,
            retry_at=reading.retry_at,
            service_wide=True,
        )
    if status == 429:
        return _throttled(reading)
    if status in {408, 499} or (status >= 500 and status != 501):
        return _unavailable(reading, _verdict_of_trouble(reading))
    if status == 409 and reading.call is Call.SUBMIT:
        return _senseless(reading, Verdict.UNKNOWN)
    if status >= 400:
        return _refused(reading)
    return _senseless(reading, Verdict.UNKNOWN if reading.call is Call.SUBMIT else Verdict.LATER)


def _verdict_of_trouble(reading: _Reading) -> Verdict:
    """Return what trouble at Adobe's side means: an order may have gone through, whatever the answer calls it.

    Adobe documents nowhere that a 5xx with an ``error_code`` leaves no job behind.
    """
    return Verdict.UNKNOWN if reading.call is Call.SUBMIT else Verdict.LATER


def _refused_by_policy(reading: _Reading) -> FireflyError:
    return RequestRefused(
        f"Adobe's content policy refused {_MODERATION[reading.code]}: {reading.sentence}",
        hint=_POLICY_HINT,
        code=reading.code,
        status=reading.status,
    )


def _refused(reading: _Reading) -> FireflyError:
    too_large = reading.status == 413
    why = "it is too large (HTTP 413)" if too_large else reading.sentence
    return RequestRefused(
        f"Adobe refused {reading.call.value}: {why}{reading.mark}",
        hint=_hint_of_refusal(reading),
        code=reading.code or str(reading.status),
        status=reading.status,
    )


def _hint_of_refusal(reading: _Reading) -> str:
    if reading.call is Call.MODELS:
        return "is api.base_url the address of Firefly's API?"
    if reading.status == 413 and reading.call is Call.UPLOAD:
        return "the limit for a picture is 15 MB"
    return "correct the rule or the file, then retry"


def _throttled(reading: _Reading) -> FireflyError:
    until = reading.retry_at or reading.now + timedelta(seconds=PAUSE_S_DEFAULT)
    return Throttled(
        f"Adobe asks for patience with {reading.call.value}: {reading.sentence}",
        hint="limits.requests_per_minute should not exceed what the organisation is entitled to",
        code=reading.code or "429",
        status=reading.status,
        retry_at=until,
        service_wide=reading.call is not Call.DOWNLOAD,
    )


def _unavailable(reading: _Reading, verdict: Verdict, *, service_wide: bool = False) -> FireflyError:
    doubtful = verdict is Verdict.UNKNOWN
    return Unavailable(
        f"Adobe has trouble with {reading.call.value}: {reading.sentence}{reading.mark}",
        hint=_DOUBT_HINT if doubtful else "it is tried again by itself",
        code=reading.code or str(reading.status),
        status=reading.status,
        verdict=verdict,
        retry_at=reading.retry_at,
        service_wide=service_wide,
    )


def _senseless(reading: _Reading, verdict: Verdict) -> FireflyError:
    excerpt = f": {reading.raw}" if reading.raw else ""  # whoever settles a doubt has nothing else to go by
    return ProtocolError(
        f"Adobe's answer to {reading.call.value} makes no sense (HTTP {reading.status}){reading.mark}{excerpt}",
        hint=_DOUBT_HINT if verdict is Verdict.UNKNOWN else "it is tried again by itself",
        code=reading.code or "unreadable",
        status=reading.status,
        verdict=verdict,
    )


def ending(refusal: RequestRefused) -> EndedBadly | None:
    """Return how a job ended, where *refusal* of the question about it says just that; None where it does not.

    The API tells as an error here what it tells as a status there: 410 ``job_timeout``, and moderation with 451
    (Adobe's OpenAPI document of the video API, 2025).
    """
    if refusal.code in _MODERATION:
        return EndedBadly(word="failed", code=refusal.code, message=refusal.message)
    if refusal.code == "job_timeout":
        return EndedBadly(word="timeout", code=refusal.code, message=refusal.message)
    return None


def retry_at(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Return when ``retry-after`` allows another request, or None if it is absent.

    Adobe's document calls the value a date, its notes link to a page that knows seconds too; both are read. What
    is past or garbage becomes a minute; nothing is longer than an hour.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    delay_s = _delay_s(value, headers.get("date", ""), now)
    return now + timedelta(seconds=min(delay_s, PAUSE_S_MAX) if delay_s > 0 else PAUSE_S_DEFAULT)


def _delay_s(value: str, server_date: str, now: datetime) -> float:
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _http_date(value)
    if until is None:
        return 0.0
    # The server's date is measured against the server's clock, which may differ from ours.
    return (until - (_http_date(server_date) or now)).total_seconds()


def _http_date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
