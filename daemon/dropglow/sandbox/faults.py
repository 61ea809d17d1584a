"""Describe what should go wrong in the sandbox, and read that from ``NAME=VALUE`` words.

Plain values only: deciding whether a fault strikes now is for the world, which owns the dice and the counters.
Each fault is declared once, as a field of `Faults`; its reader and its help line stand in the field's metadata.
"""

# ruff: noqa: RUF009 - the calls in the defaults below make dataclass fields
from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

from dropglow.sandbox.fault_values import (
    NEVER,
    Choice,
    Rate,
    Span,
    StatusChoice,
    one_of,
    read_amount,
    read_count,
    read_number,
    read_rate,
    read_span,
    read_word,
    status_of,
)

__all__ = ["FAULT_HELP", "NEVER", "Faults", "Rate", "Span", "parse_faults"]

ACCESS_ERRORS: Final = ("quota_exhausted", "user_non_entitled", "user_profile_denied", "invalid_ims_scope")
POLICY_CODES: Final = (
    "prompt_unsafe", "prompt_entity_denied", "legal_error", "image_unsafe", "video_unsafe",
    "reference_image_unsafe_error", "input_media_unsafe",
)  # fmt: skip
CANCEL_ERRORS: Final = (
    "unknown_job_id", "job_already_canceled", "job_cancel_failed", "job_completed", "job_timeout", "rate_limited",
    "runtime_error", "model_not_loaded",
)  # fmt: skip


# Any, because a dataclass field stands where the type checker expects the value.
def _fault(default: object, read: Callable[[str], object], meaning: str) -> Any:
    return field(default=default, metadata={"read": read, "meaning": meaning})


def _told(meaning: str, read: object) -> str:
    """Return the meaning, with the words that may be said where it does not name them itself."""
    words = read.words if isinstance(read, Choice | StatusChoice) else ()
    return meaning if all(word in meaning for word in words) else f"{meaning} ({', '.join(words)})"


def _rate(meaning: str) -> Any:
    return _fault(NEVER, read_rate, meaning)


def _how_often(fault: str) -> Any:
    return _fault(Rate(share=1.0), read_rate, f"how often `{fault}` strikes; default always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Hold everything that is to go wrong. The default is a service without faults.

    Rates count the calls that could have been struck. ``FAULT_HELP`` says what each field means.
    """

    # Time.
    duration: Span | None = _fault(None, read_span, "seconds a job takes, as 3 or 2-4; else believable ones")
    latency: float = _fault(0.0, read_amount, "seconds before any answer of the API")
    never: Rate = _rate("the job never ends")
    clock_skew: float = _fault(0.0, read_number, "seconds by which the server's clock is ahead of yours")

    # Credentials.
    token_401: Rate = _rate("the token endpoint refuses the credentials")
    token_500: Rate = _rate("the token endpoint answers 500")
    token_life: float = _fault(86399.0, read_amount, "seconds a token is valid")
    unauthorised: Rate = _rate("the API does not like the token (401)")
    forbidden: str = _fault(
        "", one_of(*ACCESS_ERRORS), "submissions are answered 403 with this x-access-error"
    )
    forbidden_rate: Rate = _how_often("forbidden")

    # Throttling.
    rate_limit: Rate = _rate("submissions and uploads are answered 429, retry-after in seconds")
    rate_limit_date: Rate = _rate("the same with retry-after as an HTTP date")
    rate_limit_bare: Rate = _rate("the same without retry-after")
    rate_limit_status: Rate = _rate("status questions are answered 429")
    rate_limit_code: str = _fault(
        "rate_limited",
        one_of("rate_limited", "backpressure_limited"),
        "error_code of a 429: rate_limited, or backpressure_limited",
    )
    rate_limit_level: str = _fault(
        "org", one_of("org", "account"), "x-access-rate-limit-level of a 429: org or account"
    )
    retry_after: float = _fault(2.0, read_amount, "seconds named in retry-after")
    per_minute: int = _fault(0, read_count, "429 above this many submissions and uploads in 60 seconds")

    # Uploads.
    upload_413: Rate = _rate("the upload is too large for the gateway (413, HTML)")
    upload_500: Rate = _rate("the upload is answered 500")
    upload_lost: Rate = _rate("the upload is stored, but the connection is cut without an answer")
    upload_error: int = _fault(
        0,
        status_of(400, 403, 415, 451, 502, 503),
        "uploads are refused with this HTTP status, and the error_code that belongs to it",
    )
    upload_error_rate: Rate = _how_often("upload_error")
    upload_life: float = _fault(7 * 86400.0, read_amount, "seconds an upload id is valid; default 7 days")

    # Submissions.
    submit_lost: Rate = _rate("the order is accepted and charged, the connection is cut without an answer")
    submit_500: Rate = _rate("the order is not accepted, the answer is 500 with an error_code")
    submit_502: Rate = _rate("the order is accepted, the gateway answers 502 with HTML")
    submit_error: int = _fault(
        0,
        status_of(400, 408, 409, 410, 413, 415, 422, 499, 500, 501, 502, 503, 504, 529),
        "orders are answered with this HTTP status: 413, 502, 504, 529 in HTML, else with an error_code",
    )
    submit_error_rate: Rate = _how_often("submit_error")
    submit_error_charged: Rate = _rate("an order that is answered by `submit_error` is accepted all the same")
    submit_garbled: Rate = _rate(
        "the order is accepted, the answer has no job id in its body (its Link header stays)"
    )
    submit_empty: Rate = _rate("the order is accepted, the answer has no body at all")
    submit_no_link: Rate = _rate("the accepting answer comes without its Link header")
    redirect: Rate = _rate("the submission is answered 307")
    complaint_status: int = _fault(
        422, status_of(400, 422), "HTTP status of a body that is wrong: 422 as documented, 400 as seen live"
    )
    url_unreachable: Rate = _rate("a source by URL cannot be fetched (422)")
    unknown_model: Rate = _rate("a customModelId is not known (400)")
    moderation: Rate = _rate("the order is refused by content policy")
    moderation_status: int = _fault(
        422, status_of(422, 451), "HTTP status of such a refusal: 422 (seen live) or 451"
    )
    moderation_code: str = _fault("prompt_unsafe", one_of(*POLICY_CODES), "error_code of such a refusal")
    unsafe_word: str = _fault("", read_word, "a prompt that contains this word is refused by content policy")
    shape: str = _fault(
        "",
        one_of("A", "B", "C"),
        "form of the accepting answer: A ids and urls, B links, C with a status; default as documented",
    )
    accept_status: int = _fault(
        0, status_of(200, 202), "HTTP status of the accepting answer: 200 or 202; default as documented"
    )
    status_host: str = _fault("", read_word, "host (and port) named in statusUrl and cancelUrl")

    # Jobs.
    job_failed: Rate = _rate("the job ends as failed (HTTP 200 with an error_code)")
    job_failed_code: str = _fault("runtime_error", read_word, "error_code of a failed job")
    timeout: Rate = _rate("the job ends as timeout")
    empty: Rate = _rate("the job succeeds without any output")
    fewer: Rate = _rate("the job succeeds with one output less than ordered")
    status_500: Rate = _rate("a status question is answered 500")
    status_404: Rate = _rate("a status question is answered 404 unknown_job_id")
    status_lost: Rate = _rate("the connection is cut instead of answering a status question")
    status_error: int = _fault(
        0,
        status_of(403, 408, 409, 410, 451, 499, 501, 502, 503, 504, 529),
        "status questions are answered with this HTTP status: 502, 504, 529 in HTML, else with an error_code",
    )
    status_error_rate: Rate = _how_often("status_error")
    status_html: Rate = _rate("a status question is answered 200 with a page of HTML")
    status_strange: Rate = _rate("a status question is answered with the word of `status_word`")
    status_word: str = _fault("waiting", read_word, "the word that `status_strange` says")
    spelling: str = _fault(
        "cancelled", one_of("canceled", "cancelled"), "how the status of a cancelled job is spelled"
    )
    cancel_takes: float = _fault(0.0, read_amount, "seconds a job says cancel_pending after it was cancelled")
    cancel_error: str = _fault(
        "",
        one_of(*CANCEL_ERRORS),
        "cancelling is refused with this error_code, under the HTTP status that belongs to it",
    )
    cancel_error_rate: Rate = _how_often("cancel_error")
    cancel_lost: Rate = _rate("the job is cancelled, the connection is cut without an answer")
    bare_ids: Rate = _rate("a running job is named by its bare UUID")
    progress: str = _fault(
        "", one_of("yes", "no"), "whether running jobs tell their progress in percent; default videos only"
    )

    # Custom models.
    models_error: int = _fault(
        0,
        status_of(400, 401, 403, 406, 500, 503),
        "the list of custom models is refused with this HTTP status",
    )
    models_error_rate: Rate = _how_often("models_error")
    no_models: Rate = _rate("the list of custom models is empty")

    # Downloads.
    link_life: float = _fault(3600.0, read_amount, "seconds a download link is valid")
    link_403: Rate = _rate("the download is answered 403")
    download_500: Rate = _rate("the download is answered 503, as S3 does when busy")
    cut_download: Rate = _rate("the connection is cut in the middle of the download")
    slow_download: float = _fault(0.0, read_amount, "bytes per second of a download; 0 is full speed")
    wrong_type: Rate = _rate("the download is an HTML page under 200")
    pictures: str = _fault(
        "full", one_of("full", "plain"), "full: painted; plain: one flat colour, for measuring"
    )


_FIELDS: Final = {entry.name: entry for entry in fields(Faults)}

FAULT_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {name: _told(entry.metadata["meaning"], entry.metadata["read"]) for name, entry in _FIELDS.items()}
)
"""What each fault means, in one line, by name."""


def parse_faults(words: Iterable[str]) -> Faults:
    """Read ``NAME=VALUE`` words. The last one of a name counts.

    Raises:
        ValueError: A name is unknown or a value makes no sense; the message is fit for a user.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        if name not in _FIELDS:
            raise ValueError(f"there is no fault called {name!r}{_suggest(name)}")
        if not equals:
            raise ValueError(f"the fault {name!r} needs a value: {name}=VALUE ({FAULT_HELP[name]})")
        try:
            values[name] = _FIELDS[name].metadata["read"](text)
        except ValueError as error:
            raise ValueError(f"{text!r} does not fit the fault {name!r}: {error}") from None
    return Faults(**values)


def _suggest(name: str) -> str:
    near = difflib.get_close_matches(name, _FIELDS, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
