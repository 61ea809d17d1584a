"""What an answer, or none, means for an order and for every other call."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

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
from dropglow.firefly.faults import Answer, Broken, Call, ending, fault, retry_at

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
NO, LATER, UNKNOWN = Verdict.NO, Verdict.LATER, Verdict.UNKNOWN
HTML = b"<html><h1>Sorry</h1></html>"


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=raw, size_bytes=len(raw))


def coded(status: int, code: str, message: str = "Sorry.") -> Answer:
    return answer(status, {"error_code": code, "message": message})


def of(call: Call, reply: Answer | Broken) -> FireflyError:
    return fault(call, reply, now=NOW, sent_id="ours")


@pytest.mark.parametrize(
    ("reply", "kind", "verdict", "service_wide"),
    [
        # Read and declined.
        (coded(400, "bad_request"), RequestRefused, NO, False),
        (answer(404), RequestRefused, NO, False),
        (answer(405), RequestRefused, NO, False),
        (answer(406), RequestRefused, NO, False),
        (answer(410), RequestRefused, NO, False),
        (answer(413, HTML), RequestRefused, NO, False),
        (coded(415, "invalid_content_type"), RequestRefused, NO, False),
        (coded(422, "validation_error"), RequestRefused, NO, False),
        (coded(422, "prompt_unsafe"), RequestRefused, NO, False),
        (coded(451, "image_unsafe"), RequestRefused, NO, False),
        (coded(403, "prompt_unsafe"), RequestRefused, NO, False),
        (answer(451), RequestRefused, NO, False),
        (coded(501, "not_implemented"), RequestRefused, NO, False),
        # Certainly not accepted.
        (coded(401, "401013"), AuthError, LATER, True),
        (answer(402), AuthError, LATER, True),
        (coded(403, "403000"), AuthError, LATER, True),
        (answer(403, HTML), AuthError, LATER, True),
        (coded(429, "rate_limited"), Throttled, LATER, True),
        (answer(429), Throttled, LATER, True),
        (Broken(sent=False, why="refused"), Unavailable, LATER, True),
        # It may stand.
        (coded(408, "timeout_error"), Unavailable, UNKNOWN, False),
        (coded(500, "runtime_error"), Unavailable, UNKNOWN, False),
        (coded(503, "model_not_loaded"), Unavailable, UNKNOWN, False),
        (answer(408), Unavailable, UNKNOWN, False),
        (answer(500, HTML), Unavailable, UNKNOWN, False),
        (answer(502, HTML), Unavailable, UNKNOWN, False),
        (answer(503, {"message": "no code"}), Unavailable, UNKNOWN, False),
        (coded(504, "504000"), Unavailable, UNKNOWN, False),
        (answer(529), Unavailable, UNKNOWN, False),
        (coded(499, "cancelled_error"), Unavailable, UNKNOWN, False),
        (coded(409, "conflict"), ProtocolError, UNKNOWN, False),
        (answer(100), ProtocolError, UNKNOWN, False),
        (answer(307, location="https://evil.example/"), ProtocolError, UNKNOWN, False),
        (answer(202, {"message": "accepted"}), ProtocolError, UNKNOWN, False),
        (Broken(sent=True, why="cut"), Unavailable, UNKNOWN, False),
    ],
)
def test_the_fate_of_an_order(
    reply: Answer | Broken, kind: type[FireflyError], verdict: Verdict, service_wide: bool
) -> None:
    """Asking again is allowed only where nothing can have been bought."""
    error = of(Call.SUBMIT, reply)

    assert (kind, verdict, service_wide) == (type(error), error.verdict, error.service_wide)
    assert error.hint


@pytest.mark.parametrize("call", [Call.UPLOAD, Call.STATUS, Call.CANCEL, Call.TOKEN, Call.DOWNLOAD])
@pytest.mark.parametrize(
    "reply",
    [
        *(
            answer(status)
            for status in (100, 200, 301, 400, 401, 403, 404, 408, 409, 410, 429, 499, 500, 501, 502)
        ),
        Broken(sent=True, why="cut"),
        Broken(sent=False, why="refused"),
    ],
)
def test_nothing_but_an_order_is_ever_in_doubt(call: Call, reply: Answer | Broken) -> None:
    """Every other call may be repeated, unless it was declined."""
    assert of(call, reply).verdict is not UNKNOWN


@pytest.mark.parametrize(
    ("call", "reply", "kind", "code"),
    [
        (Call.STATUS, coded(404, "unknown_job_id"), RequestRefused, "unknown_job_id"),
        (Call.STATUS, coded(410, "job_timeout"), RequestRefused, "job_timeout"),
        (Call.STATUS, coded(422, "validation_error"), RequestRefused, "validation_error"),
        (Call.STATUS, answer(200, b"<html>"), ProtocolError, "unreadable"),
        (Call.CANCEL, coded(409, "job_completed"), RequestRefused, "job_completed"),
        (Call.CANCEL, coded(409, "job_already_canceled"), RequestRefused, "job_already_canceled"),
        (Call.CANCEL, answer(409), RequestRefused, "409"),
        (Call.UPLOAD, coded(451, "10008"), RequestRefused, "10008"),
        (Call.UPLOAD, coded(500, "10002"), Unavailable, "10002"),
        (Call.TOKEN, answer(400, {"error": "invalid_scope"}), AuthError, "invalid_scope"),
        (Call.TOKEN, answer(401, {"error": "invalid_client"}), AuthError, "invalid_client"),
        (Call.TOKEN, answer(404), AuthError, "404"),
        (Call.TOKEN, answer(429), Throttled, "429"),
        (Call.TOKEN, answer(503), Unavailable, "503"),
        (Call.TOKEN, answer(200), Unavailable, "200"),
        (Call.DOWNLOAD, answer(400), RequestRefused, "link_dead"),
        (Call.DOWNLOAD, answer(403), RequestRefused, "link_dead"),
        (Call.DOWNLOAD, answer(404), RequestRefused, "link_dead"),
        (Call.DOWNLOAD, answer(410), RequestRefused, "link_dead"),
        (Call.DOWNLOAD, answer(408), Unavailable, "408"),
        (Call.DOWNLOAD, answer(429), Throttled, "429"),
        (Call.DOWNLOAD, answer(503), Unavailable, "503"),
        (Call.DOWNLOAD, answer(302), ProtocolError, "unreadable"),
        (Call.DOWNLOAD, answer(206), ProtocolError, "unreadable"),
    ],
)
def test_other_calls_tell_what_to_do(call: Call, reply: Answer, kind: type[FireflyError], code: str) -> None:
    """The class says what now, the code says why."""
    error = of(call, reply)

    assert (kind, code, reply.status) == (type(error), error.code, error.status)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (coded(451, "prompt_unsafe"), "failed"),
        (coded(422, "video_unsafe"), "failed"),
        (coded(410, "job_timeout"), "timeout"),
        (coded(404, "unknown_job_id"), None),
        (answer(410), None),
    ],
)
def test_some_refusals_of_a_question_tell_the_end(reply: Answer, word: str | None) -> None:
    """Moderation and a time-out end the job; a job that is not known may only be forgotten for a moment."""
    error = of(Call.STATUS, reply)
    assert isinstance(error, RequestRefused)

    ended = ending(error)

    assert word == (None if ended is None else ended.word)


def test_a_forbidden_call_is_told_by_its_header() -> None:
    """Adobe's x-access-error says more than its code, and has a hint of its own."""
    error = of(Call.SUBMIT, answer(403, {"error_code": "access_error"}, x_access_error="quota_exhausted"))

    assert "quota_exhausted" == error.code
    assert "quota" in error.hint


def test_a_refused_prompt_is_told_in_plain_words() -> None:
    """The owner of the file learns that it was the prompt, in Adobe's words and code."""
    error = of(Call.SUBMIT, coded(422, "prompt_unsafe", "The prompt did not pass."))

    assert (
        "Adobe's content policy refused the prompt: The prompt did not pass. (HTTP 422, prompt_unsafe)"
        == str(error)
    )


def test_a_lost_order_can_be_named_to_support() -> None:
    """Our own request id stands in the message, and Adobe's where there is one."""
    assert "x-request-id ours" in str(of(Call.SUBMIT, Broken(sent=True, why="cut")))
    assert "x-request-id theirs" in str(of(Call.SUBMIT, answer(502, HTML, x_request_id="theirs")))
    assert "x-request-id" not in str(of(Call.SUBMIT, answer(502, HTML, x_request_id="odd one")))


def test_a_long_or_odd_body_is_cut_to_a_readable_piece() -> None:
    """A page of text does not fill the log, and control characters do not reach the terminal."""
    error = of(Call.SUBMIT, answer(502, b"\x1b[31m" + b"word " * 1000))

    assert len(str(error)) < 700
    assert str(error).isprintable()


def test_secrets_are_taken_out_of_adobe_s_words() -> None:
    """A body that repeats what we sent does not give it away."""
    reply = coded(403, "403003", "Api Key a-client is invalid for Bearer abc.def-g")

    error = fault(Call.SUBMIT, reply, now=NOW, secrets=("a-client", "abc.def-g"))

    assert "a-client" not in str(error)
    assert "abc" not in str(error)


@pytest.mark.parametrize(
    ("value", "date", "delay_s"),
    [
        ("30", "", 30),
        (" 1.5 ", "", 1.5),
        ("999999999", "", 3600),
        ("Tue, 01 Jan 2030 12:00:30 GMT", "", 30),
        ("Tue, 01 Jan 2030 12:00:30 -0000", "", 30),
        ("Tue, 01 Jan 2030 13:00:30 GMT", "Tue, 01 Jan 2030 13:00:00 GMT", 30),
        ("Tue, 01 Jan 2030 12:00:30 GMT", "garbage", 30),
        ("Tue, 01 Jan 2030 11:00:00 GMT", "", 60),
        ("Wed, 01 Jan 2070 11:00:00 GMT", "", 3600),
        ("0", "", 60),
        ("-5", "", 60),
        ("inf", "", 60),
        ("soon", "", 60),
        ("99999999999999999999", "", 60),
        ("Tue, 01 Jan 99999 12:00:00 GMT", "", 60),
    ],
)
def test_patience_is_asked_for_in_seconds_or_as_a_date(value: str, date: str, delay_s: float) -> None:
    """The server's date counts from the server's clock; nonsense is a minute, and an hour is the most."""
    assert NOW + timedelta(seconds=delay_s) == retry_at({"retry-after": value, "date": date}, now=NOW)


def test_without_a_word_on_patience_a_throttled_call_waits_a_minute() -> None:
    """A 429 always says when to ask again; other trouble only if Adobe does."""
    assert retry_at({}, now=NOW) is None
    assert NOW + timedelta(seconds=60) == of(Call.SUBMIT, answer(429)).retry_at
    assert of(Call.STATUS, answer(503)).retry_at is None
    assert NOW + timedelta(seconds=5) == of(Call.STATUS, answer(503, retry_after="5")).retry_at
