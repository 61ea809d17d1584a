"""Rules that change while the service runs: taken up whole or not at all, without a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dropglow.model import Stage

if TYPE_CHECKING:
    from io import StringIO
    from pathlib import Path

    from tests.integration.stories.conftest import Daemon, DaemonMaker

HEAD = """
state: {state}
api: {{base_url: "http://127.0.0.1:{port}", token_url: "http://127.0.0.1:9/ims/token/v3"}}
limits: {{in_flight: {in_flight}, requests_per_minute: off, requests_per_day: off, poll: {{min: 10ms, max: 50ms}}}}
"""
RULE = """
  - name: {name}
    inbox: inbox/{name}
    outbox: outbox/{name}
    settle: 20ms
    rescan: 100ms
    match: {{kind: prompt, name: "{glob}"}}
    generate: {{size: {size}}}
"""


def configuration(
    *rules: str, in_flight: int = 8, port: int = 9, state: str = "./state", size: str = "1024x1024"
) -> str:
    """Return a configuration with rules of these names, each for the files of a glob: ``prompts=*.txt``."""
    told = [each.partition("=") for each in rules]
    texts = [RULE.format(name=name, glob=glob or "*.txt", size=size) for name, _, glob in told]
    return HEAD.format(in_flight=in_flight, port=port, state=state) + "rules:" + "".join(texts)


class Running:
    """A daemon that runs, with its log and its report."""

    def __init__(self, daemon: Daemon, log: StringIO, task: asyncio.Task[Any]) -> None:
        self.daemon = daemon
        self._log = log
        self._task = task

    def edit(self, text: str) -> None:
        (self.daemon.folder / "dropglow.yaml").write_text(text)

    def drop(self, name: str, text: str = "a fox in the snow") -> Path:
        path = self.daemon.folder / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def results(self, folder: str) -> int:
        return sum(name.startswith(f"{folder}/") for name in self.daemon.results())

    def told(self, name: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [record for record in records if record["event"] == name]

    def report(self) -> dict[str, Any]:
        """Return what the service says of itself to ``status``."""
        try:
            return dict(json.loads((self.daemon.folder / "state" / "status.json").read_text()))
        except (OSError, ValueError):
            return {}

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not seen():
                assert not self._task.done(), self._task
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(daemon: Daemon, log: StringIO) -> AsyncIterator[Running]:
    """Run *daemon* until the test has seen enough."""
    stop = asyncio.Event()
    async with daemon.service() as service:
        task = asyncio.create_task(service.run(stop, once=False))
        try:
            story = Running(daemon, log, task)
            await story.until(story.report)
            yield story
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)


async def test_an_edited_file_is_taken_up_by_itself(make_daemon: DaemonMaker, log: StringIO) -> None:
    """A new rule brings a new inbox with its outbox, which work without a restart; the old one goes on."""
    daemon = make_daemon(text=configuration("prompts"), hurry=10)
    async with running(daemon, log) as story:
        story.edit(configuration("prompts", "posters"))
        await story.until(lambda: story.told("config.reloaded"))
        story.drop("posters/fox.txt")
        story.drop("prompts/owl.txt", "an owl")
        await story.until(lambda: story.results("posters") and story.results("prompts"))

    (told,) = story.told("config.reloaded")
    assert ([str(daemon.folder / "inbox" / "posters")], [], []) == (
        told["begun"],
        told["ended"],
        told["changed"],
    )


async def test_a_reload_that_is_asked_for_happens_at_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """The bell needs no changed file, and no patience; what did not change is left alone."""
    daemon = make_daemon(text=configuration("prompts"))
    async with running(daemon, log) as story:
        daemon.reload.ring()
        await story.until(lambda: story.told("config.reloaded"))

    (told,) = story.told("config.reloaded")
    assert [[], [], [], []] == [told[name] for name in ("begun", "ended", "changed", "limits")]


async def test_a_broken_edit_keeps_the_old_rules_and_is_loud(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Nothing of it is taken up; the faults stand in the report until they are mended, and once in the log."""
    daemon = make_daemon(text=configuration("prompts"), hurry=10)
    async with running(daemon, log) as story:
        story.edit(configuration("prompts", "posters").replace("match", "mtach"))
        await story.until(lambda: story.told("config.broken"))
        await story.until(lambda: story.report().get("config_faults"))
        broken = story.report()
        story.drop("prompts/fox.txt")
        await story.until(lambda: story.results("prompts"))
        story.edit(configuration("prompts"))
        await story.until(lambda: story.told("config.reloaded"))
        await story.until(lambda: not story.report()["config_faults"])

    (told,) = story.told("config.broken")
    assert 2 == len(broken["config_faults"]) == len(told["faults"])
    assert all("did you mean match" in fault for fault in told["faults"])
    assert broken["config_faults_since"] is not None
    assert not (daemon.folder / "outbox" / "posters").exists()


async def test_a_configuration_that_is_gone_keeps_the_old_rules(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """Somebody who removes the file stops nothing."""
    daemon = make_daemon(text=configuration("prompts"), hurry=10)
    async with running(daemon, log) as story:
        (daemon.folder / "dropglow.yaml").unlink()
        await story.until(lambda: story.told("config.broken"))
        story.drop("prompts/fox.txt")
        await story.until(lambda: story.results("prompts"))

    (told,) = story.told("config.broken")
    assert "there is no configuration file" in told["reason"]


async def test_a_file_that_no_rule_took_is_looked_at_again(make_daemon: DaemonMaker, log: StringIO) -> None:
    """It lay in the inbox; the changed rule takes it."""
    daemon = make_daemon(text=configuration("prompts=*.md"), hurry=10)
    async with running(daemon, log) as story:
        story.drop("prompts/fox.txt")
        await story.until(lambda: story.told("drop.unmatched"))
        story.edit(configuration("prompts=*.txt"))
        await story.until(lambda: story.told("drop.done"))

    assert [str(daemon.folder / "inbox" / "prompts")] == story.told("config.reloaded")[0]["changed"]
    assert ["prompts/_done/fox.txt"] == daemon.inbox()


async def test_jobs_that_run_finish_under_the_rules_they_began_with(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """Their inbox vanishes from the rules, and their results still come to where they were promised."""
    daemon = make_daemon("duration=0.5-0.6", text=configuration("prompts", "posters"), hurry=1.01)
    async with running(daemon, log) as story:
        story.drop("prompts/fox.txt")
        await story.until(lambda: story.told("job.submitted"))
        story.edit(configuration("posters"))
        daemon.reload.ring()
        await story.until(lambda: story.told("config.reloaded"))
        early = story.results("prompts")
        await story.until(lambda: story.told("drop.done"))
        story.drop("prompts/owl.txt", "an owl")
        story.drop("posters/owl.txt", "an owl")
        await story.until(lambda: 2 == len(story.told("drop.done")))

    assert (0, 1) == (early, story.results("prompts"))
    assert {"prompts/_done/fox.txt", "prompts/owl.txt", "posters/_done/owl.txt"} == set(daemon.inbox())
    assert [str(daemon.folder / "inbox" / "prompts")] == story.told("config.reloaded")[0]["ended"]


async def test_a_hundred_files_survive_rules_that_keep_changing(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """However often an inbox changes hands in full swing, every file is ordered once and delivered."""
    daemon = make_daemon(text=configuration("prompts"), hurry=1.01)
    files = [daemon.folder / "inbox" / "prompts" / f"p{number:03}.txt" for number in range(100)]
    async with running(daemon, log) as story:
        for number, file in enumerate(files):
            story.drop(f"prompts/{file.name}", f"prompt {number}")
            if number % 10 == 5:
                story.edit(configuration("prompts", in_flight=8 + number))
                daemon.reload.ring()
                await asyncio.sleep(0.05)
        await story.until(lambda: len(story.told("drop.done")) == len(files))

    assert 100 == daemon.books()["accepted"] == story.results("prompts")
    assert [] == await daemon.broken_promises(*files)
    assert {Stage.DELIVERED} == {job.stage for job in await daemon.jobs()}
    assert len(story.told("config.reloaded")) > 1


async def test_limits_change_at_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Fewer jobs at once are allowed from the next one on, and the report says so."""
    daemon = make_daemon(text=configuration("prompts", in_flight=8), hurry=10)
    async with running(daemon, log) as story:
        story.edit(configuration("prompts", in_flight=2))
        await story.until(lambda: 2 == story.report()["in_flight_limit"])

    assert ["in_flight"] == story.told("config.reloaded")[0]["limits"]


async def test_a_raised_budget_lets_go_what_waited(make_daemon: DaemonMaker, log: StringIO) -> None:
    """The second order does not fit today's budget; with another budget it is placed, without a restart."""
    sound = configuration("prompts")
    daemon = make_daemon(text=f"budget: {{per_day: 1}}{sound}", hurry=10)
    async with running(daemon, log) as story:
        story.drop("prompts/fox.txt")
        await story.until(lambda: story.told("drop.done"))
        story.drop("prompts/owl.txt", "an owl")
        await story.until(lambda: story.told("budget.spent"))
        story.edit(f"budget: {{per_day: 2}}{sound}")
        await story.until(lambda: 2 == len(story.told("drop.done")))

    assert [] == story.told("config.needs_restart")
    assert 2 == daemon.books()["accepted"]


async def test_what_needs_a_restart_is_said_and_left_as_it_was(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """Another state folder and another address wait for the next start; rules of the same edit do not."""
    daemon = make_daemon(text=configuration("prompts"), hurry=10)
    async with running(daemon, log) as story:
        story.edit(configuration("prompts", "posters", port=10, state="./elsewhere"))
        await story.until(lambda: story.report().get("restart_for"))
        story.drop("posters/fox.txt")
        await story.until(lambda: story.results("posters"))

    assert ["state", "api.base_url"] == story.told("config.needs_restart")[0]["keys"]
    assert not (daemon.folder / "elsewhere").exists()
