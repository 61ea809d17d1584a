"""What people drop by mistake: every file ends as promised, with words that help, and the rest goes on.

One run of the real program meets all of them at once; each test looks at what became of one.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import re
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
  - name: marked
    inbox: inbox
    outbox: outbox
    settle: 200ms
    rescan: 1s
    match: {{kind: image, name: "*.bmp"}}
    ready: "{{name}}.ready"
    expand: {{size: 800x600}}
  - name: sizes
    inbox: inbox
    outbox: outbox
    settle: 200ms
    rescan: 1s
    give_up: 1s
    match: {{kind: image}}
    expand: {{size: 800x600}}
  - name: prompts
    inbox: inbox
    outbox: outbox
    settle: 200ms
    rescan: 1s
    give_up: 1s
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
    (inbox / "room.jpg").write_bytes(whole[:500] + bytes(5000))
    (inbox / "half.txt").write_bytes("a black café".encode()[:-1])
    (inbox / "eps.png").write_bytes(EPS)
    (inbox / "long.txt").write_text("sea " * 375)
    (inbox / "latin1.txt").write_bytes("ein Café am Meer".encode("latin-1"))
    (inbox / "typo.txt").write_text("---\ncontent_clas: art\n---\na fox\n")
    frames = [Image.new("RGB", (200, 200), (shade, 0, 0)) for shade in (0, 120, 240)]
    frames[0].save(inbox / "dance.webp", save_all=True, append_images=frames[1:])
    (inbox / TWO_LINES).write_text("a red fox")
    (inbox / ODD_BYTES).write_text("a black coffee")
    (inbox / LONGEST).write_bytes("für immer".encode("latin-1"))
    (inbox / "locked.txt").write_text("nobody may read this")
    (inbox / "locked.txt").chmod(0)
    good_picture(inbox / "marked.bmp")
    (inbox / "marked.bmp.ready").touch()
    good_picture(inbox / "unmarked.bmp")
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
            preexec_fn=without_privileges,
        )
        _, log = await asyncio.wait_for(process.communicate(), 60)
    return Aftermath(folder=folder, exit_code=process.returncode or 0, log=log.decode(), books=world.books())


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Return what one run over all the bad files left."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "inbox").mkdir()
    drop_everything(folder / "inbox")
    yield asyncio.run(run_once(folder))
    for locked in folder.rglob("locked.txt"):
        locked.chmod(0o600)


def test_the_rest_of_the_queue_goes_on(aftermath: Aftermath) -> None:
    """Good files among the bad ones are delivered; the exit code says that something failed."""
    assert 1 == aftermath.exit_code
    assert 5 == len(aftermath.results()) == aftermath.books["accepted"]
    assert all((aftermath.inbox / "_done" / name).exists() for name in ("good.jpg", "good.txt"))
    assert all((aftermath.inbox / "_done" / name).exists() for name in ("marked.bmp", "marked.bmp.ready"))


def test_nothing_is_sent_for_a_bad_file(aftermath: Aftermath) -> None:
    """Two uploads, of the good pictures; not one order was refused by the API."""
    assert 2 == len(aftermath.books["uploads"])
    assert 0 == aftermath.books["refused"]


def test_nothing_ends_in_a_traceback(aftermath: Aftermath) -> None:
    """Whatever people drop is no fault of the program's."""
    assert "Traceback" not in aftermath.log
    assert [] == aftermath.events("service.bug")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut.jpg", "the picture is cut off"),
        ("room.jpg", "the picture is cut off"),
        ("half.txt", "line 1 is not UTF-8 text (byte 0xC3)"),
        ("eps.png", "this is an EPS file named .png"),
        ("long.txt", "the prompt is too long: 1,499 characters; Firefly reads at most 1,024"),
        (
            "latin1.txt",
            "line 1 is not UTF-8 text (byte 0xE9)\nWhat to do:    save it as UTF-8 and drop it again\n",
        ),
        ("typo.txt", "line 2: unknown key content_clas; did you mean content_class?"),
    ],
)
def test_the_report_names_the_reason(aftermath: Aftermath, name: str, words: str) -> None:
    """What happened, what to do and that it was not billed stand beside the file in _failed."""
    report = aftermath.report(name)

    assert report.startswith(f"{name} could not be used.\n\nWhat happened: ")
    assert words in report
    assert "What to do: " in report
    assert "Billed:        no" in report


def test_a_file_without_its_marker_stays(aftermath: Aftermath) -> None:
    """Nobody said that it is whole, and the run did not wait for it."""
    assert (aftermath.inbox / "unmarked.bmp").exists()


def test_an_animated_picture_is_refused_unpaid(aftermath: Aftermath) -> None:
    """Nobody can know which of its frames is meant, so no copy is made of any."""
    report = aftermath.report("dance.webp")

    assert "the picture is animated, and nobody can know which of its pictures is meant" in report
    assert re.search(r"Billed: +no", report)


def test_a_name_of_255_bytes_gets_a_report(aftermath: Aftermath) -> None:
    """There is no room for the report's ending behind such a name; it is cut for the report only."""
    failed = aftermath.inbox / "_failed"
    report = LONGEST[: 255 - len(".error.txt")] + ".error.txt"

    assert (failed / LONGEST).exists()
    assert "not UTF-8" in (failed / report).read_text()


@pytest.mark.parametrize("name", [TWO_LINES, ODD_BYTES])
def test_a_strange_name_is_no_obstacle(aftermath: Aftermath, name: str) -> None:
    """Control characters and bytes that are no UTF-8 are kept in the archive, and never reach a terminal."""
    assert (aftermath.inbox / "_done" / name).exists()
    assert "\x1b" not in aftermath.log
    assert all(result.isprintable() for result in aftermath.results())
    assert r"caf\xe9.txt" in {record["source"] for record in aftermath.events("drop.done")}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("locked.txt", "permission denied"),
        ("pipe.jpg", "not a regular file"),
        ("link.txt", "it is a link"),
    ],
)
def test_what_cannot_be_taken_is_told_and_left(aftermath: Aftermath, name: str, words: str) -> None:
    """It stays where it is, and the log says once why."""
    told = [record for record in aftermath.events("inbox.trouble") if record["source"] == name]

    assert os.path.lexists(aftermath.inbox / name)
    assert 1 == len(told)
    assert words in told[0]["reason"]


@pytest.mark.parametrize("name", ["folder.jpg", ".hidden.txt", "Thumbs.db", "upload.jpg.part"])
def test_what_is_no_drop_is_left_in_silence(aftermath: Aftermath, name: str) -> None:
    """Folders, hidden and temporary files and housekeeping stay, and the log has no word of them."""
    assert (aftermath.inbox / name).exists()
    assert name not in aftermath.log
