"""Stories of the same content that comes once more: it is bought once, unless the rule or a person says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main
from dropglow.ledger.mailbox import Verb
from dropglow.model import DropState, Stage

if TYPE_CHECKING:
    from io import StringIO
    from pathlib import Path

    from dropglow.ledger.base import Ledger
    from dropglow.model import Drop
    from tests.integration.stories.conftest import DaemonMaker

CONFIGURATION = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""
WARNED = "match: {kind: prompt}\n    duplicates: warn"
STYLED = "generate: {size: 1024x1024, style: {image_reference: style.png}}"


async def test_what_is_there_is_kept(make_daemon: DaemonMaker) -> None:
    """The same picture under another name is not bought again while its results are in the outbox."""
    daemon = make_daemon()
    daemon.photo("one.jpg")
    await daemon.run_once()
    before = daemon.results()
    daemon.photo("two.jpg")

    outcome = await daemon.run_once()

    *_, third, fourth = await daemon.jobs()
    assert not outcome.troubled
    assert 2 == daemon.books()["accepted"]
    assert before == daemon.results()
    assert {Stage.DELIVERED} == {third.stage, fourth.stage}
    assert third.reuses is not None
    assert ["photos/_done/one.jpg", "photos/_done/two.jpg"] == daemon.inbox()


async def test_twins_in_one_moment_are_bought_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Copies that arrive together wait for the one that is bought, and say so once, however long it takes."""
    daemon = make_daemon(hurry=20)
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        daemon.photo(name)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 2 == daemon.books()["accepted"]
    assert 2 == len(daemon.results())
    assert 3 == len(await daemon.drops(DropState.DONE))
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    waited = [each["job"] for each in told if (each["event"], each["level"]) == ("job.postponed", "warning")]
    assert waited
    assert sorted(set(waited)) == sorted(waited)


class CountingLedger:
    """A ledger that counts how often it is asked for the same content."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def same_content(self, **content: Any) -> tuple[Drop, ...]:
        self.asked[content["sha256"]] += 1
        return await self._ledger.same_content(**content)


async def test_who_was_first_stays_first(make_daemon: DaemonMaker) -> None:
    """That nothing like a drop came before it is not asked again: not once more before its two orders are sent."""
    daemon = make_daemon()
    ledgers: list[CountingLedger] = []

    def counting(ledger: Ledger) -> CountingLedger:
        ledgers.append(CountingLedger(ledger))
        return ledgers[-1]

    daemon.ledger = counting
    daemon.photo("one.jpg")
    daemon.photo("two.jpg", shade=30)

    await daemon.run_once()

    assert 4 == daemon.books()["accepted"]
    assert 2 == len(ledgers[0].asked)
    assert max(ledgers[0].asked.values()) <= 2


async def test_what_is_gone_is_delivered_again(make_daemon: DaemonMaker) -> None:
    """A result that somebody took away is fetched once more by its receipt, under the new name, and bought no more."""
    daemon = make_daemon()
    daemon.photo("one.jpg")
    await daemon.run_once()
    for result in daemon.results():
        (daemon.outbox / result).unlink()
    daemon.photo("two.jpg")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 2 == daemon.books()["accepted"]
    assert ["two", "two"] == [_stem(name) for name in daemon.results()]


async def test_half_of_the_results_is_enough_to_fetch_half(make_daemon: DaemonMaker) -> None:
    """Of the same name, what still stands is left alone and what is missing returns."""
    daemon = make_daemon()
    daemon.photo("one.jpg")
    await daemon.run_once()
    before = daemon.results()
    (daemon.outbox / before[0]).unlink()
    daemon.photo("one.jpg")

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert before == daemon.results()


async def test_what_nobody_has_any_more_is_held(make_daemon: DaemonMaker) -> None:
    """Without results here and at Adobe a person decides; asked to try again, it is bought."""
    daemon = make_daemon(hurry=200)
    daemon.prompt("one.txt")
    await daemon.run_once()
    (daemon.outbox / daemon.results()[0]).unlink()
    daemon.world.forget(daemon.books()["jobs"][0]["id"])
    daemon.prompt("two.txt")

    outcome = await daemon.run_once()

    (held,) = await daemon.drops(DropState.HELD)
    report = (daemon.prompts / "_held/two.txt.held.txt").read_text()
    assert outcome.troubled
    assert 1 == daemon.books()["accepted"]
    assert f"dropglow retry {held.key}" in report
    daemon.wish(Verb.RETRY, held.key)
    await daemon.run_until((daemon.prompts / "_done/two.txt").exists)
    assert 2 == daemon.books()["accepted"]


async def test_content_in_doubt_is_not_bought_beside_it(make_daemon: DaemonMaker) -> None:
    """While nobody knows whether the first order stands, its twin is held as well."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt("one.txt")
    await daemon.run_once()
    daemon.prompt("two.txt")

    await daemon.run_once()

    report = (daemon.prompts / "_held/two.txt.held.txt").read_text()
    assert 1 == daemon.books()["accepted"]
    assert "in doubt" in report
    assert "dropglow resolve" in report


async def test_what_failed_is_bought_by_its_twin(make_daemon: DaemonMaker) -> None:
    """An order that failed has no results to reuse: the same content is ordered."""
    daemon = make_daemon("job_failed=first:1")
    daemon.prompt("one.txt")
    await daemon.run_once()
    daemon.prompt("two.txt")

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert ["two"] == [_stem(name) for name in daemon.results()]


async def test_a_rule_may_buy_again_and_say_so(make_daemon: DaemonMaker, log: StringIO) -> None:
    """With `duplicates: warn` the same content is bought again, and the log names the earlier drop."""
    daemon = make_daemon(text=CONFIGURATION.replace("match: {kind: prompt}", WARNED))
    daemon.prompt("one.txt")
    await daemon.run_once()
    daemon.prompt("two.txt")

    await daemon.run_once()

    second, first = await daemon.drops()
    assert 2 == daemon.books()["accepted"]
    (said,) = (line for line in log.getvalue().splitlines() if '"drop.duplicate"' in line)
    assert f'"earlier": ["{first.key}"]' in said
    assert second.key in said


async def test_another_style_is_another_order(make_daemon: DaemonMaker) -> None:
    """The same prompt with another picture behind the name that the rule gives is bought again."""
    daemon = make_daemon(text=CONFIGURATION.replace("generate: {size: 1024x1024}", STYLED))
    _style(daemon.folder, shade=10)
    daemon.prompt("one.txt")
    await daemon.run_once()
    _style(daemon.folder, shade=200)
    daemon.prompt("two.txt")
    await daemon.run_once()
    daemon.prompt("three.txt")

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]


async def test_it_is_told_before(make_daemon: DaemonMaker) -> None:
    """`explain` names the drop that the same content was before, and `show` the job that bought it."""
    daemon = make_daemon()
    daemon.prompt("one.txt")
    await daemon.run_once()
    two = daemon.prompt("two.txt")
    (first,) = await daemon.drops()

    explained = await asyncio.to_thread(_dropglow, daemon.folder, "explain", str(two))
    await daemon.run_once()
    second, _ = await daemon.drops()
    shown = await asyncio.to_thread(_dropglow, daemon.folder, "show", second.key)

    assert f"dropped before, as one.txt (drop {first.key}): prompts buys nothing again" in explained
    assert f"bought by {first.key}.1 for the same content" in shown


def _dropglow(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(main, ["--config", str(folder), *words])
    assert 0 == result.exit_code, result.output
    return result.output


def _style(folder: Path, *, shade: int) -> None:
    Image.new("RGB", (64, 64), (shade, 80, 80)).save(folder / "style.png")


def _stem(name: str) -> str:
    return name.partition("/")[2].partition("_")[0]
