"""A running service with an inbox for each dropper, the files that are dropped, and what the service says of them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

OLD: Final = 1_245_000_000  # June 2009: cameras, archives and `cp -a` bring old times along
KINDS: Final = ((".jpg", "JPEG", (320, 240)), (".png", "PNG", (160, 120)), (".webp", "WEBP", (320, 240)))
START_S: Final = 60.0
STOP_S: Final = 30.0

HEAD: Final = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{in_flight: {in_flight}, requests_per_minute: off, requests_per_day: off, poll: {{min: 50ms, max: 2s}}}}
rules:
"""
RULE: Final = """
  - name: {name}
    inbox: inbox/{name}
    outbox: outbox/{name}
    settle: {settle}
    rescan: {rescan}
    watch: {watch}
    {what}
"""
PICTURES: Final = "match: {kind: image}\n    expand: {size: 640x480}"
PROMPTS: Final = "match: {kind: prompt}\n    generate: {size: 1024x1024}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to be dropped."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """Return the name that it keeps."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a dropper is asked to do: bring these files into that inbox."""

    sources: Sequence[Source]
    inbox: Path
    workshop: Path  # an empty folder on the inbox's file system, for whatever the dropper needs

    @property
    def paths(self) -> list[str]:
        """Return where the sources are, as arguments of a program."""
        return [str(source.path) for source in self.sources]


class Adobe:
    """The pretend Adobe as a process of its own."""

    def __init__(self, *faults: str) -> None:
        """Start it, and wait for its address."""
        words = [word for fault in ("pictures=plain", *faults) for word in ("--fault", fault)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dropglow", "sandbox", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def stop(self) -> None:
        """End it."""
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(STOP_S)
        self._process.stdout.close()


class Site:
    """A folder with a configuration, and the service to start, halt and ask."""

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        inboxes: Iterable[str],
        what: str = PICTURES,
        settle: str = "1s",
        rescan: str = "5s",
        watch: str = "auto",
        in_flight: int = 64,
    ) -> None:
        """Write a rule for each of the *inboxes*; nothing runs yet."""
        self.folder = folder
        self.log = folder / "log.jsonl"
        self._process: subprocess.Popen[bytes] | None = None
        text = HEAD.format(url=url, in_flight=in_flight)
        for name in inboxes:
            self.inbox(name).mkdir(parents=True, exist_ok=True)
            (folder / "outbox" / name).mkdir(parents=True)
            text += RULE.format(name=name, settle=settle, rescan=rescan, watch=watch, what=what)
        (folder / "dropglow.yaml").write_text(text, encoding="utf-8")

    def inbox(self, name: str) -> Path:
        """Return the inbox of this name."""
        return self.folder / "inbox" / name

    def start(self) -> None:
        """Start the service, and wait until it looks after every inbox."""
        self.begin()
        count = sum(1 for _ in (self.folder / "inbox").iterdir())
        self.until(lambda: sum(each["swept"] for each in self.inboxes()) == count, limit_s=START_S)

    def begin(self) -> None:
        """Start the service."""
        environ = {
            **os.environ,
            "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id",
            "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret",
        }
        command = [sys.executable, "-m", "dropglow", "--config", str(self.folder), "run"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stderr=log)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the service."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """Stop the service; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(STOP_S)

    def kill(self) -> None:
        """End what still runs: a test that failed stopped nothing."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_S)

    def memory_bytes(self) -> int:
        """Return the most that the service ever had in memory."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

    def until(self, seen: Callable[[], bool], *, limit_s: float) -> float:
        """Look until *seen* holds; return after how many seconds it did.

        Fails the test when the service ended, or time ran out, and shows the end of the log.
        """
        assert self._process is not None
        began_s = time.monotonic()
        while not seen():
            alive, early = self._process.poll() is None, time.monotonic() < began_s + limit_s
            if not (alive and early):
                pytest.fail(f"it never came to this; the log ends with:\n{self.tail()}")
            time.sleep(0.05)
        return time.monotonic() - began_s

    def tail(self) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-20:])

    def inboxes(self) -> list[dict[str, Any]]:
        """Return what the service says of its inboxes."""
        try:
            document = json.loads((self.folder / "state" / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return list(document["inboxes"])

    def found(self, name: str, *, settling: bool = True) -> int:
        """Return how many files of an inbox the service knows of; with *settling* also those that do not lie still yet.

        Its jobs must not end: what was admitted is counted by the log.
        """
        here = [each for each in self.inboxes() if Path(each["folder"]) == self.inbox(name)]
        known: int = sum(each["ready"] + (each["settling"] if settling else 0) for each in here)
        return known + len(self.events("drop.admitted", rule=name))

    def events(self, name: str, *, rule: str) -> list[dict[str, Any]]:
        """Return the log's records of this event under *rule*."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        records = (json.loads(line) for line in lines if f'"{name}"' in line)
        return [each for each in records if each["event"] == name and each.get("rule") == rule]

    def rested(self, rule: str) -> int:
        """Return how many drops of *rule* came to an end, good or bad."""
        return sum(len(self.events(name, rule=rule)) for name in ("drop.done", "drop.failed", "drop.held"))

    def taken(self, rule: str) -> Counter[tuple[str, str]]:
        """Return what was taken under *rule*: how often each name with each content."""
        return Counter(
            (each["source"].rpartition("/")[2], each["sha256"])
            for each in self.events("drop.admitted", rule=rule)
        )

    def kept(self, rule: str) -> Counter[tuple[str, str]]:
        """Return what lies in ``_done`` of *rule*, likewise."""
        done = self.inbox(rule) / "_done"
        return Counter((path.name, digest(path)) for path in done.rglob("*") if path.is_file())

    def left(self, rule: str) -> list[str]:
        """Return which files are still in the inbox of *rule*, those of its own hidden folder not counted."""
        inbox = self.inbox(rule)
        every = (path.relative_to(inbox) for path in inbox.rglob("*") if path.is_file())
        return sorted(str(path) for path in every if path.parts[0] not in {"_done", ".dropglow"})

    def prompts(self, rule: str) -> list[str]:
        """Return the names of all prompts in the inbox of *rule*, waiting or claimed."""
        return [path.name for path in self.inbox(rule).rglob("*.txt")]


def sources(folder: Path, count: int) -> list[Source]:
    """Make *count* pictures of some fifty kilobytes, no two alike, of several kinds, with old times."""
    made = []
    for number in range(count):
        extension, kind, size = KINDS[number % len(KINDS)]
        stem = f"Strand bei Föhr {number:04}" if number % 10 == 3 else f"IMG_{number:04}"
        stream = io.BytesIO()
        Image.effect_noise(size, 60 + number % 40).convert("RGB").save(stream, kind, quality=95)
        path = folder / f"{stem}{extension}"
        path.write_bytes(stream.getvalue())
        os.utime(path, (OLD + number, OLD + number))
        made.append(Source(path=path, sha256=hashlib.sha256(stream.getvalue()).hexdigest()))
    return made


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
