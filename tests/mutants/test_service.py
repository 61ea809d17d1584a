"""The whole program meets mutants: it lives, it leaves everything else alone, and every file ends as promised."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World
from tests.mutants.mutation import mutated_name, mutated_picture, mutated_prompt, pictures

CONFIGURATION: Final = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{requests_per_minute: off, requests_per_day: off, poll: {{min: 50ms, max: 500ms}}}}
rules:
  - {{name: sizes, inbox: inbox, outbox: outbox, settle: 200ms, give_up: 1s, match: {{kind: image}}, expand: {{size: 800x600}}}}
  - {{name: prompts, inbox: inbox, outbox: outbox, settle: 200ms, give_up: 1s, match: {{kind: prompt}}, generate: {{}}}}
"""
MUTANTS: Final = 3_000 if os.environ.get("TEST_MILLION") else 150
PATIENCE_S: Final = 270.0
NEIGHBOUR: Final = b"nobody touches this"

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def drop_mutants(inbox: Path) -> dict[Path, bytes]:
    """Drop mutants, a third of each kind, and return which file holds what."""
    dice, sound = random.Random(1), pictures()
    dropped: dict[Path, bytes] = {}
    for number in range(MUTANTS):
        path, data = inbox / f"{number}.jpg", mutated_picture(sound, dice)
        if number % 3 == 1:
            path, data = inbox / f"{number}.txt", mutated_prompt(dice)
        elif number % 3 == 2:
            path, data = inbox / mutated_name(dice), b"a fox %d" % number
        if _written(path, data, inbox):
            dropped[path] = data
    return dropped


def _written(path: Path, data: bytes, inbox: Path) -> bool:
    try:
        if not os.path.realpath(path).startswith(f"{inbox}/") or path.exists():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except (OSError, ValueError):
        return False
    return True


async def run_once(folder: Path) -> tuple[int, list[dict[str, object]]]:
    """Run the program until everything rests; return how it ended, and its log."""
    world = World(faults=parse_faults(["pictures=plain", "duration=0.1"]), seed=3)
    environ = {
        **os.environ,
        "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
        "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
    }
    async with Sandbox(world) as served:
        (folder / "dropglow.yaml").write_text(CONFIGURATION.format(url=served.url))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dropglow", "--config", str(folder), "run", "--once"),
            env=environ,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode or 0, [json.loads(line) for line in log.decode().splitlines()]


def test_the_service_survives_them_and_every_file_ends_as_promised(tmp_path: Path) -> None:
    """Delivered, failed with a reason, or still in the inbox; and nothing of anybody else's is touched."""
    folder = tmp_path / "site"
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    (tmp_path / "neighbour").write_bytes(NEIGHBOUR)
    dropped = drop_mutants(inbox)

    code, log = asyncio.run(run_once(folder))

    events = [str(record["event"]) for record in log]
    assert code in {0, 1}
    assert "service.bug" not in events
    assert "decoding.unprotected" not in events
    assert {"site", "neighbour"} == {path.name for path in tmp_path.iterdir()}
    assert {"inbox", "outbox", "state", "dropglow.yaml"} == {path.name for path in folder.iterdir()}
    assert NEIGHBOUR == (tmp_path / "neighbour").read_bytes()
    kept = sorted(path.read_bytes() for path in inbox.rglob("*") if path.is_file() and not _ours(path, inbox))
    assert kept == sorted(dropped.values())
    failed = [path for path in (inbox / "_failed").rglob("*") if path.is_file()]
    reports = [path for path in failed if path.name.endswith(".error.txt")]
    assert len(reports) * 2 == len(failed)
    assert min(events.count("drop.done"), events.count("drop.failed")) > len(dropped) // 10


def _ours(path: Path, inbox: Path) -> bool:
    return path.name.endswith(".error.txt") or ".dropglow" in path.relative_to(inbox).parts
