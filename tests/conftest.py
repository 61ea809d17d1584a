"""Make the world of every test: no network but this machine, no settings from outside, UTC, a clock that obeys."""

import asyncio
import gc
import heapq
import ipaddress
import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import hypothesis
import hypothesis.configuration
import pytest

SETTINGS_FROM_OUTSIDE: Final = ("DROPGLOW_", "FIREFLY_", "XDG_", "NOTIFY_", "WATCHDOG_")
DIRECTORIES_OF_SYSTEMD: Final = frozenset({
    "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "LOGS_DIRECTORY",
    "RUNTIME_DIRECTORY", "STATE_DIRECTORY",
})  # fmt: skip
TURNS_OF_THE_LOOP: Final = 50
# What tests give as credentials, a token of the sandbox, the signature of one of its links.
SECRETS: Final = re.compile(
    rb"canary-client-(?:id|secret)|sandbox-[0-9a-f]{64}|X-Amz-Signature(?:=|%3D)[0-9a-f]{64}"
)


class OutsideWorldError(AssertionError):
    """Tell that a test reached for the network; no code under test takes it for a network fault."""


def keep_off_the_network(event: str, details: tuple[Any, ...]) -> None:
    """Refuse to connect to, send to or look up anything but this machine.

    An audit hook and no replaced function: it sees every socket, in all threads, however it was made. It cannot be
    taken back, so it is set once for the whole run. Programs that a test starts are not covered.
    """
    if event in {"socket.connect", "socket.sendto"}:
        address = details[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = details[0]
    else:
        return
    if isinstance(host, str) and not is_this_machine(host):
        message = f"{event}: {host} is not this machine; tests talk to the sandbox on loopback"
        raise OutsideWorldError(message)


def is_this_machine(host: str) -> bool:
    """Return whether *host* is a name or an address of the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""}


def pytest_configure() -> None:
    """Close the network, forget the machine's own settings, and live in UTC from before the first import."""
    for name in list(os.environ):
        is_setting = name.startswith(SETTINGS_FROM_OUTSIDE) or name in DIRECTORIES_OF_SYSTEMD
        if is_setting or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.set_event_loop(None)  # whatever was made before the first test is not closed by anybody
    sys.addaudithook(keep_off_the_network)
    hypothesis.configuration.set_hypothesis_home_dir(
        Path(tempfile.gettempdir()) / f"hypothesis-{os.getuid()}"
    )
    hypothesis.settings.register_profile(
        "dropglow", database=None, deadline=None, derandomize="CI" in os.environ
    )
    hypothesis.settings.load_profile("dropglow")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the collector of garbage off seven thousand tests: they are there until the end, and it would look again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def home_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give all tests a home folder of their own, so that a forgotten ``state:`` touches nobody's files."""
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(home)
    yield home
    if before is not None:
        os.environ["HOME"] = before


class FakeClock:
    """Be a ``dropglow.clock.Clock`` whose time moves only when a test says so."""

    def __init__(self) -> None:
        """Begin at noon, UTC."""
        self._now = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return self._monotonic

    @property
    def sleepers(self) -> int:
        """Return how many coroutines wait for this clock."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def sleep(self, delay_s: float) -> None:
        """Wait until the test has moved the clock on by *delay_s* seconds."""
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + delay_s, next(self._order), woken))
        await woken

    def move(self, seconds: float) -> None:
        """Move the time on and wake nobody: for code that only asks what time it is."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall_clock(self, now: datetime) -> None:
        """Set the wall clock alone, as an administrator or a time server does."""
        self._now = now

    async def advance(self, seconds: float) -> None:
        """Move the time on; wake each sleeper at its own moment and let it run before the next one."""
        end = self._monotonic + seconds
        await self.let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end:
            moment, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self.move(moment - self._monotonic)
            woken.set_result(None)
            await self.let_others_run()
        self.move(end - self._monotonic)
        await self.let_others_run()

    async def let_others_run(self) -> None:
        """Give every task that needs no thread and no socket the time to reach its next wait."""
        for _ in range(TURNS_OF_THE_LOOP):
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still at noon until the test moves it."""
    return FakeClock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test after which a secret stands in anything that was printed or logged, or in a file that it left."""
    report = yield
    if (
        call.when == "teardown"
        and report.passed
        and (found := [*printed_secrets(item), *stored_secrets(item)])
    ):
        report.outcome = "failed"
        report.longrepr = "\n".join(("a secret was told:", *found))
    return report


def printed_secrets(item: pytest.Item) -> Iterator[str]:
    """Yield each stream of *item* that holds a secret."""
    for when, stream, text in item._report_sections:
        if SECRETS.search(text.encode("utf-8", "surrogateescape")):
            yield f"{stream} of {when}"


def stored_secrets(item: pytest.Item) -> Iterator[str]:
    """Yield each file in the folder of *item* that holds a secret."""
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if folder is None:
        return
    for path in folder.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        except OSError:
            continue  # a test took the right to read it away
        if SECRETS.search(content):
            yield str(path)
