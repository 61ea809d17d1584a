"""Results that are no plain pictures with seeds: videos, and upscaled pictures whose seeds Adobe does not repeat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dropglow.model import Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker

CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: clips
    inbox: inbox/prompts
    outbox: outbox/clips
    settle: 20ms
    rescan: 100ms
    sidecar: true
    match: {kind: prompt}
    video: {size: 960x540}
  - name: larger
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    sidecar: true
    match: {kind: image}
    upscale: {seeds: [5, 6]}
"""


async def test_a_prompt_comes_back_as_a_video(make_daemon: DaemonMaker) -> None:
    """A clip is delivered under its own extension, its sidecar tells size and kind, and holds no link."""
    daemon = make_daemon("progress=yes", text=CONFIGURATION)
    daemon.prompt()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    (clip,) = (daemon.outbox / "clips").glob("*.mp4")
    sidecar = clip.with_name(clip.name + ".json").read_text()
    told = json.loads(sidecar)
    assert Stage.DELIVERED is job.stage
    assert ("video", "video/mp4") == (told["operation"], told["result"]["media_type"])
    assert (960, 540) == (told["result"]["width"], told["result"]["height"])
    assert told["seed"] == job.order.seeds[0]
    assert "http" not in sidecar


async def test_upscaled_pictures_have_the_seeds_that_were_asked_for(make_daemon: DaemonMaker) -> None:
    """Adobe gives their links without seeds; names and sidecars tell those of the order."""
    daemon = make_daemon(text=CONFIGURATION)
    daemon.photo()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    names = sorted(path.name for path in (daemon.outbox / "photos").glob("*.jpg"))
    seeds = [
        json.loads(path.read_text())["seed"] for path in sorted((daemon.outbox / "photos").glob("*.json"))
    ]
    assert (5, 6) == tuple(artifact.seed for artifact in job.artifacts)
    assert [5, 6] == seeds
    assert ["5", "6"] == [name.removesuffix(".jpg").rpartition("_")[2] for name in names]
