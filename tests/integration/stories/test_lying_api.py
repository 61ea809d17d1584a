"""An API that is slow, forgetful, greedy or lying: whatever it does, the promises hold.

Every fault that the sandbox knows strikes a whole run, over real connections; then the world is
well again, and everything has to come to rest. ``TEST_ALL_LIES=1`` tries every fault in several strengths.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dropglow.sandbox.faults import FAULT_HELP
from dropglow.sandbox.serve import Sandbox

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

ALL: Final = os.environ.get("TEST_ALL_LIES") == "1"
HURRY: Final = 150.0
PATIENCE_S: Final = 0.3  # how long a world that is broken for good is borne, in real seconds
USUAL: Final = ("duration=1-3",)
CANARY: Final = "canary-client-secret"
CONFIGURATION: Final = """
state: ./state
api: {base_url: "URL", token_url: "URL/ims/token/v3"}
limits:
  {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 500ms, max: 5s}, job_timeout: 20s}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 500ms
    rescan: 5s
    sidecar: true
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 500ms
    rescan: 5s
    sidecar: true
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""

# What is no rate has values of its own; "with" names the fault that it needs to be seen.
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "duration": ("0-60",),
    "latency": ("0.05",),
    "clock_skew": ("90000", "-90000"),
    "token_life": ("5", "0"),
    "forbidden": ("quota_exhausted", "user_non_entitled", "user_profile_denied", "invalid_ims_scope"),
    "forbidden_rate": ("first:2 forbidden=quota_exhausted",),
    "rate_limit_code": ("backpressure_limited rate_limit=first:4",),
    "rate_limit_level": ("account rate_limit=first:4",),
    "retry_after": ("30 rate_limit=first:4", "0 rate_limit_date=first:4"),
    "per_minute": ("4",),
    "upload_error": ("400", "403", "415", "451", "502", "503"),
    "upload_error_rate": ("first:2 upload_error=503",),
    "upload_life": ("1",),
    "submit_error": (
        "400",
        "408",
        "409",
        "410",
        "413",
        "415",
        "422",
        "499",
        "500",
        "501",
        "502",
        "503",
        "504",
        "529",
    ),
    "submit_error_rate": ("first:3 submit_error=529",),
    "submit_error_charged": ("1 submit_error=503", "1 submit_error=408", "0.5 submit_error=499"),
    "complaint_status": ("400",),
    "url_unreachable": ("1",),  # no rule here names a URL, a custom model, or cancels
    "unknown_model": ("1",),
    "moderation_status": ("451 moderation=first:2",),
    "moderation_code": ("legal_error moderation=first:2",),
    "unsafe_word": ("fox-3",),
    "shape": ("A", "B", "C"),
    "accept_status": ("200", "202"),
    "status_host": ("evil.example",),
    "job_failed_code": ("image_unsafe job_failed=first:2",),
    "status_error": ("403", "408", "409", "410", "451", "499", "501", "502", "503", "504", "529"),
    "status_error_rate": ("first:5 status_error=503",),
    "status_word": ("paused status_strange=first:5", "done status_strange=first:5"),
    "spelling": ("canceled",),
    "cancel_takes": ("5",),
    "cancel_error": ("job_cancel_failed",),
    "cancel_error_rate": ("first:1 cancel_error=job_cancel_failed",),
    "cancel_lost": ("1",),
    "models_error": ("500",),
    "models_error_rate": ("first:1 models_error=500",),
    "no_models": ("1",),
    "progress": ("yes",),
    "bare_ids": ("1 duration=20",),
    "link_life": ("0", "0.5"),
    "slow_download": ("20000",),
    "pictures": ("full",),
}
RATES: Final = ("first:3", "0.4", "1") if ALL else ("first:3", "1")


def lies() -> list[str]:
    """Return every fault in every strength, as the words that the sandbox reads."""
    return [f"{name}={value}" for name in FAULT_HELP for value in VALUES.get(name, RATES)]


async def run_for(daemon: Daemon, seconds: float) -> None:
    """Run until everything rests, at most so many real seconds, and stop as the system would."""
    stop = asyncio.Event()
    async with daemon.service() as service:
        running = asyncio.create_task(service.run(stop, once=True))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(running), seconds)
        stop.set()
        await asyncio.wait_for(running, 60)


def secrets_in(folder: Path, text: str, secrets: list[str]) -> list[str]:
    """Return where a secret stands: in *text*, which is the log, or in a file."""
    found = ["the log" for secret in secrets if secret in text]
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found += [str(path) for secret in secrets if secret.encode() in content]
    return found


@pytest.mark.parametrize("words", lies())
async def test_the_promises_hold(make_daemon: DaemonMaker, log: StringIO, words: str) -> None:
    """Nothing is lost, nothing bought twice, nothing torn, no secret told, whatever Firefly does."""
    daemon = make_daemon(*USUAL, *words.split(), text=CONFIGURATION, hurry=HURRY)
    inputs = [daemon.prompt(f"fox{n}.txt", f"fox-{n} in the snow") for n in range(6)]
    inputs += [daemon.photo(f"beach{n}.jpg", shade=40 * n) for n in range(2)]
    daemon.sockets = True
    async with Sandbox(daemon.world) as served:
        (daemon.folder / "dropglow.yaml").write_text(CONFIGURATION.replace("URL", served.url))
        await run_for(daemon, PATIENCE_S)
        daemon.faults(*USUAL, *(words.split() if words.startswith("clock_skew") else ()))  # no time travel
        for job in daemon.world.jobs:
            if job.ends_at is None:
                daemon.world.finish(job.id)
        await daemon.run_once()

    assert [] == await daemon.broken_promises(*inputs)
    assert [] == secrets_in(daemon.folder, log.getvalue(), [CANARY, "sandbox-", "X-Amz-Signature"])
    assert "service.bug" not in log.getvalue()
    assert words.partition("=")[0] in VALUES or daemon.world._calls[words.partition("=")[0]]


def test_every_fault_is_tried() -> None:
    """What is no rate stands in the table of values; a fault that is new to the sandbox is met here."""
    assert set(FAULT_HELP) == {lie.partition("=")[0] for lie in lies()}
