"""The sidecar document: everything about a result, and nothing that anybody could fetch with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dropglow.model import (
    After,
    Artifact,
    Companion,
    DeliveryPlan,
    Drop,
    DropKey,
    Job,
    JobKey,
    Kind,
    Member,
    Order,
    Reference,
    RemoteId,
    RuleName,
    Submission,
    Upload,
)
from dropglow.provenance import build, identify, result_sha256

AT = datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)

DROP = Drop(
    key=DropKey("abcdefghij"),
    inbox="/in",
    path="sub/beach.txt",
    place="/in/.dropglow/work/abcdefghij/sub/beach.txt",
    rule=RuleName("art"),
    rule_digest="d1",
    sha256="50ce",
    size_bytes=5,
    device=1,
    inode=2,
    kind=Kind.PROMPT,
    after=After(done=None, failed="/in/_failed", held="/in/_held"),
    admitted_at=AT,
)
ARTIFACT = Artifact(
    index=1,
    seed=7,
    temporary="/out/.dropglow-abcdefghij.1-1-00.part",
    device=1,
    inode=3,
    size_bytes=9,
    sha256="2e5",
    media_type="image/jpeg",
    extension=".jpg",
    width=2048,
    height=1024,
    content_credentials=True,
)
JOB = Job(
    key=JobKey("abcdefghij.1"),
    drop=DROP.key,
    rule=DROP.rule,
    inbox="/in",
    source="sub/beach.txt",
    order=Order(
        operation="generate",
        model="image4_standard",
        body={
            "prompt": "a beach",
            "style": {"imageReference": {"source": {"url": "https://h/x?sig=secret"}}},
        },
        references=(Reference(slot="image.source", path=None),),
        prompt="a beach",
        delivery=DeliveryPlan(outbox="/out", folder="sub", name="{stem}{ext}"),
    ),
    submission=Submission(remote_id=RemoteId("urn:ff:jobs:1"), status_url="https://h/v3/status/1"),
    created_at=AT,
    begun_at=AT,
)


def document(job: Job = JOB) -> dict[str, Any]:
    return build(job, DROP, ARTIFACT, delivered_as="beach.jpg", at=AT)


def test_a_document_tells_where_a_result_came_from() -> None:
    """Source, rule, operation, model, prompt, seed, job id and result are all there."""
    told = document()

    assert {
        "path": "sub/beach.txt",
        "inbox": "/in",
        "kind": "prompt",
        "sha256": "50ce",
        "size_bytes": 5,
    } == told["source"]
    assert ("art", "generate", "image4_standard") == (told["rule"], told["operation"], told["model"])
    assert ("a beach", 7, "urn:ff:jobs:1") == (told["prompt"], told["seed"], told["job_id"])
    assert ("beach.jpg", "2e5", 9) == tuple(told["result"][key] for key in ("name", "sha256", "size_bytes"))
    assert told["content_credentials"] is True
    assert 1 == told["version"]


def test_times_are_written_in_utc() -> None:
    """Every time ends in Z; one that did not happen is null."""
    east = AT.astimezone(timezone(timedelta(hours=5)))
    times = document(replace(JOB, accepted_at=east))["times"]

    assert "2026-01-31T23:59:59.123Z" == times["accepted_at"] == times["submitted_at"]
    assert times["completed_at"] is None


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://h/y?sig=secret", "https://h/y"),
        ("https://h/y#secret", "https://h/y"),
        ("https://h/secret/scl/y.png?sig=secret", "https://h/…/y.png"),
        ("https://user:secret@h/y.png;secret", "https://h/y.png"),
        ("HTTP://h", "HTTP://h"),
        ("secret/y.png?sig=secret", "y.png"),
    ],
)
def test_links_are_cut_down_to_what_names_them(link: str, named: str) -> None:
    """A link keeps its host and the last part of its path; lists are searched, and links under any name."""
    body = {"images": [{"presignedUrl": link}], "url": 5, "prompt": "why? because of https://h/x?y"}
    told = document(replace(JOB, order=replace(JOB.order, body=body)))

    assert "secret" not in json.dumps([told, document()])
    assert {**body, "images": [{"presignedUrl": named}]} == told["request"]


def test_words_that_begin_with_a_link_are_kept() -> None:
    """A prompt is what somebody wrote."""
    body = {"prompt": "https://h/a/b?c as a boat"}

    assert body == document(replace(JOB, order=replace(JOB.order, body=body)))["request"]


def test_a_link_under_an_unknown_name_is_cut_down_as_well() -> None:
    """Whatever a later API calls its sources, an address is known by its beginning."""
    body = {"source": {"href": "https://h/secret/y.png?sig=secret"}}

    told = document(replace(JOB, order=replace(JOB.order, body=body)))

    assert {"source": {"href": "https://h/…/y.png"}} == told["request"]


def test_where_pictures_came_from_is_told() -> None:
    """The rule's own picture, a file beside the drop, and an address, which is not repeated."""
    references = (
        Reference(slot="image.source", path="/rules/back.png"),
        Reference(slot="mask.source", companion="sub/beach.mask.png"),
        Reference(slot="style.imageReference.source", linked=True),
    )
    told = document(replace(JOB, order=replace(JOB.order, references=references)))

    assert [("/rules/back.png", None, False), (None, "sub/beach.mask.png", False), (None, None, True)] == [
        (each["path"], each["companion"], each["linked"]) for each in told["references"]
    ]


def test_what_was_done_to_a_copy_is_told_with_its_picture() -> None:
    """A picture that went as it was has nothing to tell."""
    references = (Reference(slot="image.source"), Reference(slot="mask.source", path="/rules/mask.png"))
    sent = Upload(
        slot="image.source",
        sha256="a",
        upload_id="u",
        valid_until=AT,
        prepared="turned upright, JPEG, 2.0 MB",
    )
    told = document(replace(JOB, order=replace(JOB.order, references=references), uploads=(sent,)))

    assert ["turned upright, JPEG, 2.0 MB", None] == [each["prepared"] for each in told["references"]]


def test_files_that_were_dropped_beside_it_are_told() -> None:
    """A mask is as much a source as the picture that it belongs to."""
    mask = Companion(
        path="sub/beach.mask.png",
        place="/in/.dropglow/work/x",
        sha256="3a5c",
        size_bytes=7,
        device=1,
        inode=4,
        kind=Kind.IMAGE,
    )
    marker = replace(mask, path="sub/beach.jpg.done", kind=None)
    told = build(JOB, replace(DROP, companions=(mask, marker)), ARTIFACT, delivered_as="beach.jpg", at=AT)

    assert [{"path": "sub/beach.mask.png", "kind": "image", "sha256": "3a5c", "size_bytes": 7}] == told[
        "companions"
    ]


def test_an_order_without_receipt_and_prompt_has_nulls() -> None:
    """What is not known is null and not missing."""
    told = document(replace(JOB, submission=None, order=replace(JOB.order, prompt="")))

    assert told["job_id"] is None
    assert told["prompt"] is None


def test_a_document_is_recognised_when_it_is_read_back() -> None:
    """Through JSON and back, the document still names its job and its result."""
    read = json.loads(json.dumps(document()))

    assert (JOB.key, 1) == identify(read)
    assert "2e5" == result_sha256(read)


@pytest.mark.parametrize(
    "foreign", [None, [], "x", {}, {"format": "other", "job": "a.1", "index": 1}, {"result": {}}]
)
def test_somebody_elses_document_is_not_ours(foreign: object) -> None:
    """Any other JSON is left alone."""
    assert identify(foreign) is None
    assert result_sha256(foreign) is None


def test_a_result_of_a_folder_names_its_own_file() -> None:
    """And of the others only those that belong to it."""
    members = (
        Member(path="shoot/a.jpg", sha256="aa", size_bytes=1, kind=Kind.IMAGE),
        Member(path="shoot/a.txt", sha256="bb", size_bytes=2, kind=Kind.PROMPT),
        Member(path="shoot/notes.pdf", sha256="cc", size_bytes=3),
    )
    drop = replace(DROP, path="shoot", members=members)
    about = replace(JOB, source="shoot/a.jpg", members=("shoot/a.jpg", "shoot/notes.pdf"))

    document = build(about, drop, ARTIFACT, delivered_as="a.jpg", at=AT)

    assert ("image", "aa", 1) == tuple(document["source"][key] for key in ("kind", "sha256", "size_bytes"))
    assert [(None, "cc")] == [(each["kind"], each["sha256"]) for each in document["companions"]]
