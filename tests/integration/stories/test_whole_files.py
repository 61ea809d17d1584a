"""What lies still and is not whole waits to be finished; what waits for its marker waits for that."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from dropglow.disk import RealDisk
from dropglow.model import DropState

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

LONG = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 1h
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
  - name: prompts
    inbox: inbox/prompts
    outbox: outbox/prompts
    settle: 20ms
    rescan: 100ms
    give_up: 1h
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""
MARKED = LONG.replace("expand:", 'ready: "{name}.done"\n    expand:')


def half(path: Path) -> bytes:
    """Cut the end off a picture, and return it."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    return whole[-40:]


def status(daemon: Daemon) -> dict[str, Any]:
    file = daemon.folder / "state" / "status.json"
    inboxes = json.loads(file.read_text())["inboxes"] if file.exists() else []
    return {
        key: value for each in inboxes if each["folder"].endswith("photos") for key, value in each.items()
    }


def lines_of(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


class CountingDisk(RealDisk):
    """A disk that knows how often a picture of a beach was opened."""

    def __init__(self) -> None:
        self.opened = 0

    def open_read(self, path: str) -> BinaryIO:
        self.opened += "beach." in path
        return super().open_read(path)


async def test_half_a_picture_waits_for_its_other_half(make_daemon: DaemonMaker, log: StringIO) -> None:
    """It is neither failed nor bought; it is counted, said once, not opened again, and taken when it is whole."""
    daemon = make_daemon(text=LONG, hurry=20)
    daemon.disk = disk = CountingDisk()
    photo = daemon.photo()
    rest = half(photo)
    opened: list[int] = []

    def finished() -> bool:
        said = [line for line in lines_of(log) if line["event"] == "drop.not_ready"]
        if not opened and said and status(daemon).get("unready") == 1:
            opened.append(disk.opened)
            with photo.open("ab") as file:
                file.write(rest)
        return bool((daemon.photos / "_done/beach.jpg").exists())

    await daemon.run_until(finished)

    said = [line for line in lines_of(log) if line["event"] == "drop.not_ready"]
    assert [1] == opened
    assert ["beach.jpg"] == [line["source"] for line in said]
    assert (3600, True) == (said[0]["give_up_s"], "cut off" in said[0]["reason"])
    assert 2 == len(daemon.results())
    assert 0 == status(daemon).get("unready", 0)


@pytest.mark.parametrize("kind", ["tiff", "gif", "bmp"])
async def test_what_only_the_decoder_finds_is_given_back(make_daemon: DaemonMaker, kind: str) -> None:
    """It was in work for a moment, lies in the inbox again, and is not decoded anew at each look."""
    daemon = make_daemon(text=LONG)
    daemon.disk = disk = CountingDisk()
    photo = daemon.photo(f"beach.{kind}")
    half(photo)
    looks: list[int] = []

    def looked() -> bool:
        if status(daemon).get("unready") == 1 and status(daemon).get("settling") == 0:
            looks.append(disk.opened)
        return len(looks) > 40

    await daemon.run_until(looked)

    assert [f"photos/beach.{kind}"] == daemon.inbox()
    assert 1 == len(set(looks[20:]))
    assert () == await daemon.drops()


async def test_a_file_that_is_never_finished_fails_at_last(make_daemon: DaemonMaker) -> None:
    """A single run waits for that, and the report reads as ever."""
    daemon = make_daemon()
    half(daemon.photo())

    outcome = await daemon.run_once()

    assert outcome.troubled
    assert "the picture is cut off" in (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert 0 == daemon.books()["accepted"]


async def test_what_will_never_be_good_fails_at_once(make_daemon: DaemonMaker) -> None:
    """Nobody waits an hour for a photo that is a web page."""
    daemon = make_daemon(text=LONG)
    (daemon.photos / "beach.jpg").write_text("<!DOCTYPE html>")
    (daemon.prompts / "fox.txt").write_bytes("ein Café am Meer".encode("latin-1"))

    await daemon.run_once()

    assert (daemon.photos / "_failed/beach.jpg.error.txt").exists()
    assert (daemon.prompts / "_failed/fox.txt.error.txt").exists()


async def test_half_a_partner_keeps_its_drop_waiting(make_daemon: DaemonMaker) -> None:
    """Both stay until the mask is whole."""
    masked = LONG.replace(
        "{sizes: [300x200, 320x200]}", '{size: 300x200, mask: {sidecar: "{stem}.mask.png"}}'
    )
    daemon = make_daemon(text=masked)
    daemon.photo()
    mask = daemon.photo("beach.mask.png")
    rest = half(mask)
    seen: list[list[str]] = []

    def finished() -> bool:
        if not seen and status(daemon).get("unready") == 1 and status(daemon).get("incomplete") == 1:
            seen.append(daemon.inbox())
            with mask.open("ab") as file:
                file.write(rest)
        return bool((daemon.photos / "_done/beach.jpg").exists())

    await daemon.run_until(finished)

    assert [["photos/beach.jpg", "photos/beach.mask.png"]] == seen
    assert 1 == len(daemon.results())


async def test_a_drop_waits_for_its_marker(make_daemon: DaemonMaker) -> None:
    """It is not taken before, is counted meanwhile, and the marker goes where it goes."""
    daemon = make_daemon(text=MARKED)
    daemon.photo()
    seen: list[list[str]] = []

    def finished() -> bool:
        if not seen and status(daemon).get("unmarked") == 1:
            seen.append(daemon.inbox())
            (daemon.photos / "beach.jpg.done").touch()
        return bool((daemon.photos / "_done/beach.jpg").exists())

    await daemon.run_until(finished)

    assert [["photos/beach.jpg"]] == seen
    assert ["photos/_done/beach.jpg", "photos/_done/beach.jpg.done"] == daemon.inbox()
    assert 2 == len(daemon.results())


async def test_no_single_run_waits_for_a_marker_or_takes_one(make_daemon: DaemonMaker) -> None:
    """A drop without its marker stays, a marker without its drop does, too, and neither costs anything."""
    daemon = make_daemon(text=MARKED)
    half(daemon.photo())
    (daemon.photos / "hill.jpg.done").write_text("the word of another program")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["photos/beach.jpg", "photos/hill.jpg.done"] == daemon.inbox()
    assert () == await daemon.drops()


async def test_a_file_that_failed_is_retried_with_any_marker(make_daemon: DaemonMaker) -> None:
    """What stands in a marker is no part of what is bought: only what failed is ordered again, and none is left over."""
    daemon = make_daemon("job_failed=first:1", text=MARKED)
    photo = daemon.photo()
    (daemon.photos / "beach.jpg.done").write_text("at noon")
    await daemon.run_once()
    failed = daemon.photos / "_failed"
    assert (failed / "beach.jpg.done").exists()
    daemon.faults()
    (failed / "beach.jpg").rename(photo)
    (daemon.photos / "beach.jpg.done").write_text("in the evening")
    (failed / "beach.jpg.done").unlink()

    await daemon.run_once()

    (drop,) = await daemon.drops()
    assert DropState.DONE is drop.state
    assert ["photos/_done/beach.jpg", "photos/_done/beach.jpg.done"] == daemon.inbox()
    assert [] == list(daemon.photos.glob(".dropglow/work/*"))


async def test_a_marker_does_not_make_another_order_of_the_same_content(make_daemon: DaemonMaker) -> None:
    """The same picture with another marker costs nothing."""
    daemon = make_daemon(text=MARKED)
    for text in ("first", "second"):
        daemon.photo()
        (daemon.photos / "beach.jpg.done").write_text(text)
        await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert 2 == len(await daemon.drops(DropState.DONE))


async def test_a_writer_that_goes_on_before_the_order_costs_nothing(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """A prompt that grew between its claim and its order is not bought, and the report says so."""
    daemon = make_daemon()
    daemon.faults("token_500=1")
    with daemon.prompt(text="a red").open("a") as file:
        await daemon.run_until(lambda: "drop.admitted" in log.getvalue())
        file.write(" boat in the mist")
    daemon.faults()

    await daemon.run_once()

    report = (daemon.prompts / "_failed/fox.txt.error.txt").read_text()
    assert "went on writing this file after it was taken: it had 5 bytes then, now it has 22" in report
    assert 0 == daemon.books()["accepted"]


class Overwriting(RealDisk):
    """A disk on which somebody writes into a picture while it is being sent: as long as before, and another."""

    def digest(self, path: str) -> str:
        with Path(path).open("r+b") as file:
            file.seek(200)
            file.write(b"\x00\x01\x02\x03")
        return super().digest(path)


async def test_a_picture_that_was_written_into_is_not_ordered(make_daemon: DaemonMaker) -> None:
    """What lies at Adobe is not what was looked through; an upload costs nothing."""
    daemon = make_daemon()
    daemon.disk = Overwriting()
    daemon.photo()

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "somebody wrote into it after it was taken" in report
    assert 0 == daemon.books()["accepted"]
