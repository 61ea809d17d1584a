"""Rows and back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from dropglow.ledger.codec import from_us, job_fixed, job_from, job_moving, path_bytes, searchable, to_us
from dropglow.model import (
    DeliveryPlan,
    DropKey,
    Job,
    JobKey,
    OnDoubt,
    Order,
    Output,
    Reference,
    RemoteId,
    RuleName,
    Submission,
    Upload,
)

T = TypeVar("T")

# What the file system gives us: undecodable bytes are lone surrogates.
file_names = st.binary(max_size=6).map(lambda name: name.decode("utf-8", "surrogateescape"))
names = st.sampled_from(("prompt", "size", "Grüße"))
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def some(one: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    """Return none, one or two of them."""
    return st.lists(one, max_size=2).map(tuple)


orders = st.builds(
    Order,
    operation=names,
    body=st.dictionaries(names, st.booleans() | st.integers(-(2**40), 2**40) | file_names, max_size=2),
    references=some(st.builds(Reference, slot=names, path=st.none() | file_names)),
    seeds=some(st.integers(0, 2**32)),
    prompt=file_names,
    tokens=st.dictionaries(names, file_names, max_size=2),
    delivery=st.builds(
        DeliveryPlan, outbox=file_names, folder=file_names, name=names, mode=st.none() | st.just(0o640)
    ),
)
jobs = st.builds(
    Job,
    key=st.just(JobKey("a.1")),
    drop=st.just(DropKey("a")),
    rule=names.map(RuleName),
    inbox=file_names,
    source=file_names,
    order=orders,
    on_doubt=st.sampled_from(OnDoubt),
    not_before=st.none() | moments,
    uploads=some(st.builds(Upload, slot=names, sha256=names, upload_id=names, valid_until=moments)),
    submission=st.none() | st.builds(Submission, remote_id=names.map(RemoteId), status_url=names),
    outputs=some(st.builds(Output, index=st.integers(0, 9), seed=st.none() | st.integers(), url=st.just(""))),
    delivered=some(file_names),
    created_at=moments,
)


@settings(max_examples=40)
@given(jobs)
def test_a_job_comes_back_from_its_row(job: Job) -> None:
    """Nothing of a job is lost in its documents, whatever its texts and file names hold."""
    assert job == job_from((job_fixed(job), job_moving(job), job.stage.value, job.revision))


@given(jobs)
@settings(max_examples=5)
def test_an_order_of_an_older_ledger_still_knows_how_many_results_it_asked_for(job: Job) -> None:
    """Where the number of results was not written, it is the price, as it was then."""
    job = replace(job, order=replace(job.order, images=4, results=4))
    fixed = json.loads(job_fixed(job))
    del fixed["order"]["results"]

    again = job_from((json.dumps(fixed), job_moving(job), job.stage.value, job.revision))

    assert 4 == again.order.results


@settings(max_examples=40)
@given(jobs)
def test_documents_are_plain_ascii(job: Job) -> None:
    """Any database can store the documents, and any tool can read them."""
    assert (job_fixed(job) + job_moving(job)).isascii()
    assert json.loads(job_moving(job)).keys().isdisjoint(json.loads(job_fixed(job)))


@given(moments)
def test_times_come_back_to_the_microsecond(moment: datetime) -> None:
    """A time survives as a whole number."""
    assert moment == from_us(to_us(moment))


def test_times_of_other_zones_are_the_same_moment() -> None:
    """An aware time of any zone is stored as the moment that it means."""
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert datetime(2026, 1, 1, tzinfo=UTC) == from_us(to_us(there))


@given(st.binary())
def test_paths_are_stored_as_their_bytes(name: bytes) -> None:
    """A file name that is no text is stored as the bytes that it has on disk."""
    assert name == path_bytes(name.decode("utf-8", "surrogateescape"))


def test_searching_ignores_case_and_what_is_no_text() -> None:
    """Search texts are folded, and storable in any case."""
    assert "strasse?" == searchable("STRAßE\udcff\0")
