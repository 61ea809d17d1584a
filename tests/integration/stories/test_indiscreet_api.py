"""An API that repeats signed links in what it says of a job, and one that tells how far a job is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker

CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {requests_per_minute: off, requests_per_day: off, poll: {min: 1s, max: 300s}}
rules:
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 1s
    rescan: 5s
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""
SIGNED = "https://bucket.example/a.png?X-Amz-Signature=canary-signature"


async def test_a_signed_link_in_an_error_is_stored_nowhere(make_daemon: DaemonMaker) -> None:
    """Neither the ledger, nor the note beside the failed file, nor anything else repeats the signature."""
    daemon = make_daemon("job_failed=1", f"job_failed_code={SIGNED}")
    daemon.prompt()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    files = [path for path in daemon.folder.rglob("*") if path.is_file()]
    assert Stage.FAILED is job.stage
    assert job.failure is not None
    assert "https://bucket.example/a.png" in job.failure.code
    assert not [path for path in files if b"canary-signature" in path.read_bytes()]


async def test_progress_spares_questions(make_daemon: DaemonMaker) -> None:
    """A job that tells how far it is needs few questions, though nothing is known of its kind."""
    daemon = make_daemon("duration=100", "progress=yes", text=CONFIGURATION, hurry=60.0)
    daemon.prompt()

    await daemon.run_once()

    (job,) = daemon.books()["jobs"]
    assert job["polls"] <= 12  # over twenty without it
    assert 1 == len(daemon.results())
