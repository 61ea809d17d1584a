"""What people drop by mistake: every file ends as promised, with words that help, and the rest goes on.

One run of the real program meets all of them at once; each test looks at what became of one.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

pytestmark = pytest.mark.e2e

CONFIGURATION: Final = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{requests_per_minute: off, requests_per_day: off, poll: {{min: 50ms, max: 500ms}}}}
rules:
  - name: sizes
    inbox: inbox
    outbox: outbox
    settle: 200ms
    rescan: 1s
    match: {{kind: image}}
    expand: {{size: 800x600}}
  - name: prompts
    inbox: inbox
    outbox: outbox
    settle: 200ms
    rescan: 1s
    match: {{kind: prompt}}
    generate: {{size: 1024x1024}}
"""
EPS: Final = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
LONGEST: Final = "n" * (255 - len(".txt")) + ".txt"
TWO_LINES: Final = "two\nlines \x1b[31mred.txt"
ODD_BYTES: Final = os.fsdecode(b"caf\xe9.txt")
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What one run left behind."""

    folder: Path
    exit_code: int
    log: str
    books: dict[str, Any]

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def report(self, name: str) -> str:
        """Return the report beside a failed file, its file still being there."""
        assert (self.inbox / "_failed" / name).exists(), self.log[-3000:]
        return (self.inbox / "_failed" / f"{name}.error.txt").read_text(encoding="utf-8")

    def results(self) -> list[str]:
        found = (self.folder / "outbox").rglob("*")
        return sorted(path.name for path in found if path.is_file())

    def events(self, name: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self.log.splitlines()]
        return [record for record in records if record["event"] == name]


def drop_everything(inbox: Path) -> None:
    """Fill the inbox with what goes wrong, and with three files that are all right."""
    good_picture(inbox / "good.jpg")
    (inbox / "good.txt").write_text("a lighthouse in fog")
    whole = good_picture(inbox / "cut.jpg").read_bytes()
    (inbox / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (inbox / "eps.png").write_bytes(EPS)
    (inbox / "empty.jpg").touch()
    (inbox / "empty.txt").touch()
    (inbox / "long.txt").write_text("sea " * 375)
    (inbox / "latin1.txt").write_bytes("ein Café am Meer".encode("latin-1"))
    (inbox / "typo.txt").write_text("---\ncontent_clas: art\n---\na fox\n")
    Image.frombytes("RGB", (2400, 2400), random.Random(1).randbytes(2400 * 2400 * 3)).save(inbox / "huge.png")
    (inbox / TWO_LINES).write_text("a red fox")
    (inbox / ODD_BYTES).write_text("a black coffee")
    (inbox / LONGEST).write_bytes("für immer".encode("latin-1"))
    (inbox / "locked.txt").write_text("nobody may read this")
    (inbox / "locked.txt").chmod(0)
    drop_what_is_no_file(inbox)


def drop_what_is_no_file(inbox: Path) -> None:
    """Add what is never taken."""
    os.mkfifo(inbox / "pipe.jpg")
    (inbox / "link.txt").symlink_to(inbox.parent / "secret.txt")
    (inbox.parent / "secret.txt").write_text("not to be sent anywhere")
    (inbox / "folder.jpg").mkdir()
    (inbox / ".hidden.txt").write_text("hidden")
    (inbox / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (inbox / "upload.jpg.part").write_bytes(b"\xff\xd8\xff")


def good_picture(path: Path) -> Path:
    Image.effect_noise((240, 160), 50).convert("RGB").save(path)
    return path


def without_privileges() -> None:
    """Let file permissions count for this process, also where it belongs to root."""
    library = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


async def run_once(folder: Path) -> Aftermath:
    """Run the program over the filled inbox until everything rests."""
    world = World(faults=parse_faults(["pictures=plain", "duration=0.1"]), seed=3)
    environ = {**os.environ, "FIREFLY_SERVICES_CLIENT_ID": "me", "FIREFLY_SERVICES_CLIENT_SECRET": "s"}
    async with Sandbox(world) as served:
        (folder / "dropglow.yaml").write_text(CONFIGURATION.format(url=served.url))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dropglow", "--config", str(folder), "run", "--once"),
            env=environ,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            preexec_fn=without_privileges,
        )
        _, log = await asyncio.wait_for(process.communicate(), 60)
    return Aftermath(
        folder=folder, exit_code=process.returncode or 0, log=log.decode(), books=world.books()
    )


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Return what one run over all the bad files left."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "inbox").mkdir()
    drop_everything(folder / "inbox")
    yield asyncio.run(run_once(folder))
    for locked in folder.rglob("locked.txt"):
        locked.chmod(0o600)


def test_dump(aftermath):
    """x"""
    print(aftermath.exit_code)
    print(aftermath.log)
    for p in sorted(aftermath.folder.rglob("*")):
        print(repr(str(p.relative_to(aftermath.folder))))
    for p in sorted(aftermath.folder.rglob("*.error.txt")):
        print("=====", repr(p.name)[:60]); print(p.read_text())
    print(aftermath.books["requests"])
