"""Describe what should go wrong in the sandbox, and read that from ``NAME=VALUE`` words.

Plain values only: deciding whether a fault strikes now is for the world, which owns the dice and the counters.
Each fault is declared once, as a field of `Faults`; its reader and its help line stand in the field's metadata.
"""

# ruff: noqa: RUF009 - the calls in the defaults below make dataclass fields
from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FAULT_HELP", "NEVER", "Faults", "Rate", "Span", "parse_faults"]

ACCESS_ERRORS: Final = ("quota_exhausted", "user_non_entitled", "user_profile_denied", "invalid_ims_scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Say how often a fault strikes: a share of all calls, the first few calls, or every so many calls."""

    share: float = 0.0
    first: int = 0
    every: int = 0

    def strikes(self, *, call: int, roll: Callable[[], float]) -> bool:
        """Return whether the fault strikes at the given call, counted from one.

        The dice are rolled only where chance decides, so that an unused fault does not shift the others.
        """
        if call <= self.first:
            return True
        if self.every and call % self.every == 0:
            return True
        if self.share >= 1:
            return True
        return self.share > 0 and roll() < self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hold a range of seconds from which a duration is drawn evenly."""

    low_s: float
    high_s: float


NEVER: Final = Rate()


def _read_rate(text: str) -> Rate:
    kind, colon, number = text.partition(":")
    if colon:
        if kind not in {"first", "every"} or not number.isascii() or not number.isdigit():
            raise ValueError("a share from 0 to 1, first:N or every:N is needed")
        return Rate(first=int(number)) if kind == "first" else Rate(every=int(number))
    try:
        share = float(text)
    except ValueError:
        raise ValueError("a share from 0 to 1, first:N or every:N is needed") from None
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    return Rate(share=share)


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number is needed") from None
    if not -1e9 < number < 1e9:
        raise ValueError("a number of reasonable size is needed")
    return number


def _read_amount(text: str) -> float:
    number = _read_number(text)
    if number < 0:
        raise ValueError("a number from 0 up is needed")
    return number


def _read_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("a whole number from 1 up is needed")
    return int(text)


def _read_span(text: str) -> Span:
    low, dash, high = text.partition("-")
    span = Span(low_s=_read_amount(low), high_s=_read_amount(high if dash else low))
    if span.high_s < span.low_s:
        raise ValueError("the range begins above its end")
    return span


def _read_word(text: str) -> str:
    if not text:
        raise ValueError("a word is needed")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)} is needed")
        return text

    return read


def _status_of(*codes: int) -> Callable[[str], int]:
    read = _one_of(*(str(code) for code in codes))
    return lambda text: int(read(text))


# Any, because a dataclass field stands where the type checker expects the value.
def _fault(default: object, read: Callable[[str], object], meaning: str) -> Any:
    return field(default=default, metadata={"read": read, "meaning": meaning})


def _rate(meaning: str) -> Any:
    return _fault(NEVER, _read_rate, meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Hold everything that is to go wrong. The default is a service without faults.

    Rates count the calls that could have been struck. ``FAULT_HELP`` says what each field means.
    """

    # Time.
    duration: Span | None = _fault(None, _read_span, "seconds a job takes, as 3 or 2-4; else believable ones")
    latency: float = _fault(0.0, _read_amount, "seconds before any answer of the API")
    never: Rate = _rate("the job never ends")
    clock_skew: float = _fault(0.0, _read_number, "seconds by which the server's clock is ahead of yours")

    # Credentials.
    token_401: Rate = _rate("the token endpoint refuses the credentials")
    token_500: Rate = _rate("the token endpoint answers 500")
    token_life: float = _fault(86399.0, _read_amount, "seconds a token is valid")
    unauthorised: Rate = _rate("the API does not like the token (401)")
    forbidden: str = _fault(
        "", _one_of(*ACCESS_ERRORS), "submissions are answered 403 with this x-access-error"
    )
    forbidden_rate: Rate = _fault(
        Rate(share=1.0), _read_rate, "how often `forbidden` strikes; default always"
    )

    # Throttling.
    rate_limit: Rate = _rate("submissions and uploads are answered 429, retry-after in seconds")
    rate_limit_date: Rate = _rate("the same with retry-after as an HTTP date")
    rate_limit_bare: Rate = _rate("the same without retry-after")
    rate_limit_status: Rate = _rate("status questions are answered 429")
    retry_after: float = _fault(2.0, _read_amount, "seconds named in retry-after")
    per_minute: int = _fault(0, _read_count, "429 above this many submissions and uploads in 60 seconds")

    # Uploads.
    upload_413: Rate = _rate("the upload is too large for the gateway (413, HTML)")
    upload_500: Rate = _rate("the upload is answered 500")
    upload_lost: Rate = _rate("the upload is stored, but the connection is cut without an answer")
    upload_life: float = _fault(7 * 86400.0, _read_amount, "seconds an upload id is valid; default 7 days")

    # Submissions.
    submit_lost: Rate = _rate("the order is accepted and charged, the connection is cut without an answer")
    submit_500: Rate = _rate("the order is not accepted, the answer is 500 with an error_code")
    submit_502: Rate = _rate("the order is accepted, the gateway answers 502 with HTML")
    submit_garbled: Rate = _rate("the order is accepted, the answer is a 202 without a job id in its body")
    submit_no_link: Rate = _rate("the accepting answer comes without its Link header")
    redirect: Rate = _rate("the submission is answered 307")
    moderation: Rate = _rate("the order is refused by content policy (prompt_unsafe)")
    moderation_status: int = _fault(
        422, _status_of(422, 451), "HTTP status of such a refusal: 422 (seen live) or 451"
    )
    unsafe_word: str = _fault("", _read_word, "a prompt that contains this word is refused by content policy")
    shape: str = _fault(
        "A", _one_of("A", "B", "C"), "form of the accepting answer: A ids and urls, B links, C with a status"
    )
    accept_status: int = _fault(202, _status_of(200, 202), "HTTP status of the accepting answer: 200 or 202")
    status_host: str = _fault("", _read_word, "host (and port) named in statusUrl and cancelUrl")

    # Jobs.
    job_failed: Rate = _rate("the job ends as failed (HTTP 200 with an error_code)")
    job_failed_code: str = _fault("runtime_error", _read_word, "error_code of a failed job")
    timeout: Rate = _rate("the job ends as timeout")
    empty: Rate = _rate("the job succeeds without any output")
    fewer: Rate = _rate("the job succeeds with one output less than ordered")
    status_500: Rate = _rate("a status question is answered 500")
    status_404: Rate = _rate("a status question is answered 404 unknown_job_id")
    status_lost: Rate = _rate("the connection is cut instead of answering a status question")
    spelling: str = _fault(
        "cancelled", _one_of("canceled", "cancelled"), "how the status of a cancelled job is spelled"
    )
    cancel_takes: float = _fault(
        0.0, _read_amount, "seconds a job says cancel_pending after it was cancelled"
    )
    bare_ids: Rate = _rate("a running job is named by its bare UUID")
    progress: str = _fault("no", _one_of("yes", "no"), "whether running jobs tell their progress in percent")

    # Downloads.
    link_life: float = _fault(3600.0, _read_amount, "seconds a download link is valid")
    link_403: Rate = _rate("the download is answered 403")
    download_500: Rate = _rate("the download is answered 503, as S3 does when busy")
    cut_download: Rate = _rate("the connection is cut in the middle of the download")
    slow_download: float = _fault(0.0, _read_amount, "bytes per second of a download; 0 is full speed")
    wrong_type: Rate = _rate("the download is an HTML page under 200")
    pictures: str = _fault(
        "full", _one_of("full", "plain"), "full: painted; plain: one flat colour, for measuring"
    )


_FIELDS: Final = {entry.name: entry for entry in fields(Faults)}

FAULT_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {name: str(entry.metadata["meaning"]) for name, entry in _FIELDS.items()}
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
