"""What people read when the program cannot start: what, why and what to do, and never a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

pytestmark = pytest.mark.e2e

CONFIGURATION: Final = """
state: {state}
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
rules:
  - name: art
    inbox: in
    outbox: out
    settle: 100ms
    match: {{kind: prompt}}
    {operation}: {{size: 1024x1024}}
"""
CREDENTIALS: Final = {
    "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
    "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How one command ended."""

    exit_code: int
    log: tuple[str, ...]
    text: tuple[str, ...]  # the lines that are no log
    message: tuple[str, ...]  # the same, and why the service ended as its log has it


def lines_of(end: dict[str, Any]) -> list[str]:
    """Return why the service ended as a terminal would show it."""
    return [f"Error: {end['reason']}", *end.get("faults", ()), f"  {end['hint']}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder to run the program in."""

    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: {**os.environ, **CREDENTIALS})

    def configure(
        self, *, url: str = "http://127.0.0.1:9", state: str = "./state", operation: str = "generate"
    ) -> Place:
        (self.folder / "in").mkdir(exist_ok=True)
        text = CONFIGURATION.format(url=url, state=state, operation=operation)
        (self.folder / "dropglow.yaml").write_text(text)
        return self

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dropglow", *arguments),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> Said:
        process = await self.start(*arguments)
        try:
            _, told = await asyncio.wait_for(process.communicate(), 60)
        except TimeoutError:
            process.kill()
            raise
        lines = told.decode().splitlines()
        log = [line for line in lines if line.startswith("{")]
        text = [line for line in lines if not line.startswith("{")]
        events = [json.loads(line) for line in log]
        ends = [event for event in events if event["event"] == "service.failed"]
        message = [*text, *(line for end in ends for line in lines_of(end))]
        return Said(
            exit_code=process.returncode or 0, log=tuple(log), text=tuple(text), message=tuple(message)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Run the service in here during the block; yield its process id."""
        process = await self.start("run")
        assert process.stderr is not None
        while b"inbox.watched" not in (line := await asyncio.wait_for(process.stderr.readline(), 60)):
            assert line, "it ended before it began"
        try:
            yield process.pid
        finally:
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and kill it when it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return an empty folder, with credentials in the environment."""
    return Place(folder=tmp_path)


def assert_plain(said: Said, exit_code: int, *words: str) -> None:
    """Assert that it was said in a few lines, with these words and no traceback."""
    text = "\n".join(said.message)
    assert exit_code == said.exit_code, text
    assert "Traceback" not in text
    assert "canary" not in "\n".join((text, *said.log))
    assert said.message[0].startswith("Error: ")
    assert len(said.message) <= 4
    for word in words:
        assert word in text


async def test_a_rule_with_a_typo(place: Place) -> None:
    """The line and column are named, with what was meant; exit 78."""
    place.configure(operation="generat")

    said = await place.run("run", "--once")

    assert_plain(
        said, 78, "dropglow.yaml:10:5: unknown key generat; did you mean generate?", "dropglow check"
    )


async def test_no_configuration_file(place: Place) -> None:
    """Where it was looked for, and how to begin; exit 78."""
    assert_plain(await place.run("run"), 78, f"no dropglow.yaml was found in {place.folder}", "dropglow demo")


async def test_a_configuration_file_that_is_not_there(place: Place) -> None:
    """A wrong --config is said as such; exit 78."""
    said = await place.run("--config", "nowhere.yaml", "run")

    assert_plain(said, 78, "there is no configuration file", "nowhere.yaml", "--config names it")


async def test_missing_credentials(place: Place) -> None:
    """Every place is named where they may be; exit 78, before anything is claimed."""
    for name in CREDENTIALS:
        del place.environ[name]
    place.configure()
    (place.folder / "in" / "fox.txt").write_text("a fox")

    said = await place.run("run", "--once")

    assert_plain(said, 78, "there is no client id for Adobe", *CREDENTIALS)
    assert (place.folder / "in" / "fox.txt").exists()


async def test_unreadable_credentials(place: Place) -> None:
    """A file of credentials that cannot be read is named, with the reason; exit 78."""
    place.environ["FIREFLY_SERVICES_CLIENT_SECRET_FILE"] = str(place.folder)
    place.configure()

    assert_plain(await place.run("run"), 78, f"cannot read {place.folder}: Is a directory")


async def test_the_end_of_a_log_is_an_event_of_it(place: Place) -> None:
    """Where the log is JSON, why the service ended is JSON too, once, with all faults; there is no other text."""
    place.configure(operation="generat")

    said = await place.run("run")

    (end,) = (json.loads(line) for line in said.log)
    assert () == said.text
    assert ("service.failed", 78, "critical") == (end["event"], end["exit_code"], end["level"])
    assert any("unknown key generat" in fault for fault in end["faults"])


async def test_on_a_terminal_the_end_is_a_few_lines(place: Place) -> None:
    """A person reads what, why and what to do, and no event."""
    place.configure(operation="generat")
    terminal, other_end = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dropglow", "run"),
        cwd=place.folder,
        env=place.environ,
        stdin=subprocess.DEVNULL,
        stderr=other_end,
    )
    os.close(other_end)
    exit_code = await asyncio.wait_for(process.wait(), 60)
    lines = os.read(terminal, 10_000).decode().splitlines()
    os.close(terminal)

    assert 78 == exit_code
    assert lines[0].startswith("Error: the configuration ")
    assert not any(line.startswith("{") for line in lines)


async def test_wrong_credentials(place: Place) -> None:
    """Adobe's refusal ends a run with --once: waiting longer helps nobody; exit 75, and nothing is lost."""
    async with Sandbox(World(faults=parse_faults(["token_401=1"]))) as served:
        place.configure(url=served.url)
        (place.folder / "in" / "fox.txt").write_text("a fox")

        said = await place.run("run", "--once")

    assert_plain(said, 75, "check client id and secret", "nothing is lost: mend that")


async def test_a_second_daemon_on_the_same_state(place: Place) -> None:
    """The process that has it is named; exit 75."""
    place.configure()
    async with place.running() as pid:
        said = await place.run("run", "--once")

    assert_plain(
        said, 75, f"another Dropglow (pid {pid}) runs on {place.folder}/state", "stop that one first"
    )


async def test_a_second_daemon_on_the_same_inbox(place: Place) -> None:
    """With a state folder of its own it is refused by the inbox, which names the other process."""
    place.configure()
    async with place.running() as pid:
        place.configure(state="./elsewhere")

        said = await place.run("run", "--once")

    assert_plain(said, 75, f"another service works on the inbox {place.folder}/in: process {pid} on ")


@pytest.mark.parametrize("state", ["/dev/null/state", "/proc/dropglow", "./dropglow.yaml"])
async def test_a_state_folder_that_cannot_be_made(place: Place, state: str) -> None:
    """The folder and the reason are named; exit 78."""
    place.configure(state=state)

    assert_plain(await place.run("run", "--once"), 78, "the state folder", "cannot be made", "`state:`")


@pytest.mark.parametrize("arguments", [("rnu",), ("run", "--onec")])
async def test_a_command_that_does_not_exist(place: Place, arguments: tuple[str, ...]) -> None:
    """What was meant is guessed; exit 2."""
    said = await place.run(*arguments)

    assert 2 == said.exit_code
    assert "Did you mean" in said.message[-1]


async def test_the_configuration_is_named_before_the_command(place: Place) -> None:
    """Who names it after the command is told where it goes; exit 2."""
    said = await place.run("check", "--config", "dropglow.yaml")

    assert 2 == said.exit_code
    assert "--config goes before the command" in said.message[-1]
