"""The ground that every benchmark stands on: a remote and a daemon, each in a process of its own, and what they cost.

Synchronous on purpose: whoever measures sleeps, and takes nothing from the two that are measured.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx

HERE: Final = Path(__file__).resolve().parent
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
PATIENCE_S: Final = 600.0
_WAKEUPS: Final = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)

CONFIGURATION: Final = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{in_flight: {in_flight}, requests_per_minute: off, requests_per_day: off, poll: {poll}}}
rules:
  - name: prompts
    inbox: inbox
    outbox: outbox
    settle: {settle}
    match: {{kind: prompt}}
    generate: {{sizes: [{sizes}]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a daemon needs that has nothing to do but wait."""

    memory_bytes: int
    cpu_share: float  # of one core
    wakeups_per_s: float  # of all of its threads


class Remote:
    """A pretend Firefly in its own process, for a ``with`` block; its books are there afterwards."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Keep these arguments of ``remote.py``; nothing runs yet."""
        self._file = folder / "books.json"
        self._command = [sys.executable, str(HERE / "remote.py"), "--books", str(self._file), *arguments]
        self.url = ""
        self.books: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start it and wait for its address."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and read its books."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self.books = json.loads(self._file.read_text(encoding="utf-8"))

    def cpu_s(self) -> float:
        """Return the seconds of processor time that it took until now, user and system."""
        return cpu_s(self._process.pid)


class Daemon:
    """``dropglow run`` in its own process, over a folder of its own."""

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        in_flight: int = 32,
        settle: str = "200ms",
        sizes: Sequence[str] = ("1024x1024",),
        poll: str = "{min: 50ms, max: 2s}",
    ) -> None:
        """Write the configuration; nothing runs yet."""
        self.folder = folder
        self.inbox = folder / "inbox"
        self.outbox = folder / "outbox"
        self._log = folder / "log.jsonl"
        self._process: subprocess.Popen[bytes] | None = None
        for made in (self.inbox, self.outbox):
            made.mkdir(parents=True)
        text = CONFIGURATION.format(
            url=url, in_flight=in_flight, settle=settle, sizes=", ".join(sizes), poll=poll
        )
        (folder / "dropglow.yaml").write_text(text, encoding="utf-8")

    def drop(self, count: int) -> None:
        """Put *count* prompts into the inbox, each in its own file, no two alike."""
        for number in range(count):
            (self.inbox / f"{number:05}.txt").write_text(prompt(number), encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the program for a ``with`` block; its log goes to a file."""
        credentials = {
            "FIREFLY_SERVICES_CLIENT_ID": "benchmark",
            "FIREFLY_SERVICES_CLIENT_SECRET": "benchmark",
        }
        command = [sys.executable, "-m", "dropglow", "--config", str(self.folder), "run"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **credentials}, stderr=log)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def cpu_s(self) -> float:
        """Return the seconds of processor time that the process took until now, user and system."""
        assert self._process is not None
        return cpu_s(self._process.pid)

    def memory_bytes(self) -> int:
        """Return how much of the process is in memory now."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * PAGE_BYTES

    def wakeups(self) -> int:
        """Return how often its threads went to sleep by themselves so far, and so were woken."""
        assert self._process is not None
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/status")
        return sum(int(_WAKEUPS.findall(task.read_text(encoding="ascii"))[0]) for task in tasks)

    def load(self, watched_s: float) -> Load:
        """Return what it takes while it is watched for so long."""
        before, woken, before_s, began_s = self.memory_bytes(), self.wakeups(), self.cpu_s(), time.monotonic()
        time.sleep(watched_s)
        after, took_s = self.memory_bytes(), time.monotonic() - began_s
        return Load(
            memory_bytes=max(before, after),
            cpu_share=(self.cpu_s() - before_s) / took_s,
            wakeups_per_s=(self.wakeups() - woken) / took_s,
        )

    def done(self) -> int:
        """Return how many inputs ended in ``_done``."""
        try:
            return len(os.listdir(self.inbox / "_done"))  # noqa: PTH208 - a count is all that is wanted
        except FileNotFoundError:
            return 0

    def until_done(self, count: int) -> None:
        """Wait until *count* inputs ended in ``_done``."""
        self.until(lambda: self.done() == count)

    def until(self, seen: Callable[[], bool], *, every_s: float = 0.05) -> None:
        """Look every *every_s* seconds until *seen* holds.

        Raises:
            SystemExit: The process ended, or ten minutes passed; the end of the log is shown.
        """
        assert self._process is not None
        deadline_s = time.monotonic() + PATIENCE_S
        while not seen():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                tail = self._log.read_text(encoding="utf-8").splitlines()[-20:]
                raise SystemExit("\n".join(["it never came to that; the log ends with:", *tail]))
            time.sleep(every_s)

    def times_of(self, event: str) -> list[float]:
        """Return when this event was logged, in seconds since 1970, in order."""
        with self._log.open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if f'"{event}"' in line]
        return [
            datetime.fromisoformat(each["timestamp"]).timestamp()
            for each in records
            if event == each["event"]
        ]


def prompt(number: int) -> str:
    """Return the prompt with this number."""
    return f"lighthouse number {number} in fog"


@asynccontextmanager
async def signed_in(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for the API at *url* that has a token."""
    form = {
        "client_id": "a",
        "client_secret": "b",
        "grant_type": "client_credentials",
        "scope": "firefly_api",
    }
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        token = (await client.post("/ims/token/v3", data=form)).json()["access_token"]
        client.headers.update({"authorization": f"Bearer {token}", "x-api-key": "a"})
        yield client


def storage() -> httpx.AsyncClient:
    """Return a client for results: their links are signed, and storage refuses whoever shows a token besides."""
    return httpx.AsyncClient(timeout=30)


async def submit(client: httpx.AsyncClient, number: int, size: str = "1024x1024") -> dict[str, str]:
    """Order the picture with this number; return Adobe's receipt."""
    width, height = map(int, size.split("x"))
    order = {"prompt": prompt(number), "size": {"width": width, "height": height}}
    accepted: dict[str, str] = (await client.post("/v3/images/generate-async", json=order)).json()
    return accepted


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a process took until now, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder for one run, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="dropglow-benchmark-") as name:
        yield Path(name)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which *share* of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print *rows* in columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
