"""Who is told when: the task that sends, its patience, and its end. A fake clock, and receivers that do as they are told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog

from dropglow import vocabulary
from dropglow.errors import NotTold
from dropglow.notices import Bounds, Topic
from dropglow.notify.ear import listening
from dropglow.notify.settings import NotifySettings, Receiver, Webhook
from dropglow.ops.logging import set_up
from dropglow.runtime.notifying import FILE_NAME, GIVE_UP_S, NotifiedFile, Notifier
from dropglow.runtime.pulse import Pulse
from dropglow.secrecy import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dropglow.notices import Message
    from tests.conftest import FakeClock

FAILED: Final = {"source": "a.jpg", "reason": "cut off", "rule": "r"}
REFUSED: Final = NotTold("it answered with HTTP 503")


def receiver(name: str, *topics: Topic) -> Receiver:
    way = Webhook(address=Secret("http://localhost/canary-client-secret"))
    return Receiver(name=name, way=way, topics=frozenset(topics or Topic))


class Post:
    """Takes messages, or refuses them, by receiver."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.tries: list[str] = []
        self.refusals: dict[str, Exception] = {}
        self.silent: set[str] = set()

    async def send(self, receiver: Receiver, message: Message) -> None:
        self.tries.append(receiver.name)
        if receiver.name in self.silent:
            await asyncio.get_running_loop().create_future()
        if (refusal := self.refusals.get(receiver.name)) is not None:
            raise refusal
        self.taken.append((receiver.name, message.text))


class Hands(ThreadPoolExecutor):
    """The threads of a test, which know whether all that they were given is done."""

    def __init__(self) -> None:
        super().__init__(max_workers=2)
        self._given: list[Future[Any]] = []

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        given = super().submit(function, *args, **kwargs)
        self._given.append(given)
        return given

    def at_work(self) -> bool:
        """Return whether they were given something since the last time, or are at it still."""
        done = [each.done() for each in self._given]
        if all(done):
            self._given.clear()
        return bool(done)


class Bench:
    """A notifier in a state folder."""

    def __init__(self, state: Path, clock: FakeClock) -> None:
        self.state = state
        self.clock = clock
        self.post = Post()
        self.hands = Hands()

    def notifier(
        self, *receivers: Receiver, bounds: Bounds | None = None, patience_s: float = 5.0
    ) -> Notifier:
        return Notifier(
            NotifySettings(receivers=receivers, bounds=bounds or Bounds()),
            send=self.post.send,
            clock=self.clock,
            pulse=Pulse(self.clock),
            chance=lambda: 0.5,
            file=NotifiedFile(self.state),
            attempt_s=patience_s,
            goodbye_s=patience_s,
        )

    @asynccontextmanager
    async def running(self, notifier: Notifier) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(self.hands)
        task = asyncio.create_task(notifier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def later(self, seconds: float) -> None:
        """Let time pass, and let threads end what they do."""
        await self.clock.advance(seconds)
        while self.hands.at_work():
            await asyncio.sleep(0.001)
            await self.clock.advance(0)


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Bench:
    return Bench(tmp_path, clock)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Log into memory, and leave logging as it was."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    out = StringIO()
    set_up(stream=out, json=True)
    yield out
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def events(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_everybody_hears_of_what_they_asked_for(bench: Bench) -> None:
    """Who wants holds only hears of no failure."""
    notifier = bench.notifier(receiver("phone"), receiver("ops", Topic.HOLDS))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        notifier.hear(vocabulary.JOB_SUBMITTED, {"job": "d.1"})

        await bench.later(5)

    assert [("phone", "a.jpg failed: cut off")] == bench.post.taken


async def test_one_that_is_silent_holds_up_nobody(bench: Bench) -> None:
    """Neither the others, nor the next news to them."""
    bench.post.silent = {"dead"}
    notifier = bench.notifier(receiver("dead"), receiver("phone"))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
        notifier.hear(vocabulary.SERVICE_TROUBLE, {"reason": "throttled"})
        await bench.later(5)

    assert ["a.jpg failed: cut off", "throttled\n    dropglow status"] == [
        text for _, text in bench.post.taken
    ]
    assert 1 == bench.post.tries.count("dead")


async def test_a_dead_receiver_is_said_once_tried_again_and_told_that_something_is_missing(
    bench: Bench, log: StringIO
) -> None:
    """With growing pauses, for a day; then the message is given up, and the next one that arrives says so."""
    bench.post.refusals = {"phone": REFUSED}
    notifier = bench.notifier(receiver("phone"))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
        assert {"phone": "it answered with HTTP 503"} == notifier.troubles()
        first_hour = len(bench.post.tries)
        for _ in range(30):
            await bench.later(3600)
        tries = len(bench.post.tries)
        notifier.hear(vocabulary.DROP_HELD, {"source": "b.jpg", "reason": "in doubt", "drop": "d"})
        bench.post.refusals = {}
        await bench.later(4000)

    assert 1 == first_hour
    assert 30 < tries < 150
    names = [record["event"] for record in events(log)]
    assert ["notify.failed", "notify.dropped", "notify.recovered"] == names
    assert "1 message before this one could not be delivered" in bench.post.taken[0][1]
    assert {} == notifier.troubles()
    assert 24 * 3600 == GIVE_UP_S


async def test_what_does_not_answer_is_not_waited_for(bench: Bench) -> None:
    """An attempt has an end."""
    bench.post.silent = {"phone"}
    notifier = bench.notifier(receiver("phone"), patience_s=0.01)
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
        async with asyncio.timeout(60):
            while not notifier.troubles():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    assert {"phone": "no answer came within 0.01 s"} == notifier.troubles()


async def test_a_fault_of_a_library_ends_nothing(bench: Bench) -> None:
    """Whatever an attempt raises is a message that did not arrive, and is tried again later."""
    bench.post.refusals = {"phone": ZeroDivisionError()}
    notifier = bench.notifier(receiver("phone"))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
        assert {"phone": "a fault of the program's own: ZeroDivisionError"} == notifier.troubles()
        bench.post.refusals = {}
        await bench.later(600)

    assert [("phone", "a.jpg failed: cut off")] == bench.post.taken


async def test_other_receivers_are_told_after_a_reload(bench: Bench) -> None:
    """Who stays keeps what is gathered, who goes is not waited for, who comes begins anew."""
    bench.post.silent = {"old"}
    notifier = bench.notifier(receiver("old"), receiver("phone"))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
        notifier.hear(vocabulary.DROP_FAILED, {**FAILED, "source": "b.jpg"})
        notifier.allow(NotifySettings(receivers=(receiver("phone"), receiver("new"))))
        notifier.hear(vocabulary.DROP_FAILED, {**FAILED, "source": "c.jpg"})
        await bench.later(100)

    assert {
        ("phone", "a.jpg failed: cut off"),
        ("phone", "b.jpg failed: cut off\nc.jpg failed: cut off"),
        ("new", "c.jpg failed: cut off"),
    } == set(bench.post.taken)


async def test_a_stop_sends_what_is_left(bench: Bench, log: StringIO) -> None:
    """Nobody waits for a pause that never ends; what cannot be sent then is in the log; the digest is for the next life."""
    notifier = bench.notifier(receiver("phone"), receiver("dead"))
    bench.post.refusals = {"dead": REFUSED}
    notifier.hear(vocabulary.DROP_DONE, {"source": "z.jpg", "rule": "r", "results": 2})
    notifier.hear(vocabulary.DROP_FAILED, FAILED)
    notifier.hear(vocabulary.SERVICE_FAILED, {"reason": "disk"})

    await notifier.farewell()

    assert [("phone", "the service ended: disk"), ("phone", "a.jpg failed: cut off")] == bench.post.taken
    dropped = [record for record in events(log) if record["event"] == "notify.dropped"]
    assert [("dead", "the service ended: disk")] == [
        (record["receiver"], record["title"]) for record in dropped
    ]
    later = bench.notifier(receiver("phone"))
    async with bench.running(later):
        await bench.later(2 * 86400)
    assert ("phone", "r: 1 file, 2 results\nin the same time: 1 failed") == bench.post.taken[-1]


async def test_a_stop_takes_seconds(bench: Bench) -> None:
    """A receiver that is silent does not keep the service from ending."""
    bench.post.silent = {"phone"}
    notifier = bench.notifier(receiver("phone"), patience_s=0.01)
    notifier.hear(vocabulary.DROP_FAILED, FAILED)

    await asyncio.wait_for(notifier.farewell(), 5)

    assert [] == bench.post.taken


async def test_what_was_on_its_way_at_a_stop_is_sent_again(bench: Bench) -> None:
    """Rather twice than never."""
    bench.post.silent = {"phone"}
    notifier = bench.notifier(receiver("phone"))
    async with bench.running(notifier):
        notifier.hear(vocabulary.DROP_FAILED, FAILED)
        await bench.later(5)
    bench.post.silent = set()

    await notifier.farewell()

    assert [("phone", "a.jpg failed: cut off")] == bench.post.taken


async def test_restarts_make_no_flood(bench: Bench) -> None:
    """A service that fails every minute is told of as often as the bounds allow."""
    for _ in range(30):
        notifier = bench.notifier(receiver("phone"), bounds=Bounds(per_hour=3, per_day=10))
        notifier.hear(vocabulary.SERVICE_FAILED, {"reason": "disk"})
        await notifier.farewell()
        bench.clock.move(60)

    assert 3 == len(bench.post.taken)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"at": "x", "receivers": {}}',
        '{"at": "2026-11-02T12:00:00+00:00", "receivers": {"phone": 5}}',
    ],
)
async def test_a_memory_that_cannot_be_read_is_none(bench: Bench, content: str) -> None:
    """It is a convenience."""
    (bench.state / FILE_NAME).write_text(content)
    notifier = bench.notifier(receiver("phone"))
    notifier.hear(vocabulary.DROP_FAILED, FAILED)

    await notifier.farewell()

    assert 1 == len(bench.post.taken)


async def test_without_receivers_nothing_is_written(bench: Bench) -> None:
    """Who tells nobody leaves nothing."""
    notifier = bench.notifier()
    notifier.hear(vocabulary.DROP_FAILED, FAILED)

    await notifier.farewell()

    assert [] == [*bench.state.iterdir()]


async def test_what_is_logged_is_heard(log: StringIO) -> None:
    """From any thread; what is no news is not passed on, and after the end nothing is."""
    heard: list[tuple[str, Any]] = []
    logger = structlog.stdlib.get_logger("dropglow")
    with listening(lambda event, fields: heard.append((event, fields["source"]))):
        await asyncio.to_thread(logger.error, vocabulary.DROP_FAILED, source="a.jpg")
        logger.info(vocabulary.JOB_SUBMITTED, source="a.jpg")
        logging.getLogger("dropglow").error("of a library")
        await asyncio.sleep(0)
    logger.error(vocabulary.DROP_FAILED, source="b.jpg")
    await asyncio.sleep(0)

    assert [(vocabulary.DROP_FAILED, "a.jpg")] == heard
