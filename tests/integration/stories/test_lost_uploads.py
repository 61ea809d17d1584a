"""Stories of pictures that Adobe does not have any more, though seven days are not over: after a change of account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropglow.model import Billed, Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker

HURRY = 150.0
BUYING_AGAIN = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    duplicates: buy
    expand: {sizes: [300x200, 320x200]}
"""


async def test_a_lost_upload_is_brought_again(make_daemon: DaemonMaker) -> None:
    """The order that named it was refused, so that it may go again; nobody has to ask for it."""
    daemon = make_daemon(text=BUYING_AGAIN, hurry=HURRY)
    daemon.photo("first.jpg")
    await daemon.run_once()
    daemon.world._uploads.clear()
    daemon.photo("second.jpg")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 4 == len(daemon.results())
    assert 1 == len(daemon.books()["uploads"])  # once again, for both orders
    assert [] == await daemon.broken_promises()


async def test_uploads_that_are_lost_at_once_end_the_job(make_daemon: DaemonMaker) -> None:
    """It is tried as often as the rule says, and the reason is told."""
    daemon = make_daemon("upload_life=0", hurry=HURRY)
    daemon.photo()

    await daemon.run_once()

    for job in await daemon.jobs():
        assert (Stage.FAILED, 3) == (job.stage, job.attempt)
        assert job.failure is not None
        assert Billed.NO is job.failure.billed
        assert "Adobe no longer has a picture" in job.failure.what
