"""Stories of files that belong together: a picture and its mask come, go and return as one."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main
from dropglow.disk import RealDisk, refusal
from dropglow.ledger.mailbox import Verb
from dropglow.model import DropState, Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

HEAD = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
"""
MASKED = """
  - name: masked
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    patience: PATIENCE
    match: {kind: image}
    expand:
      mask: {sidecar: "{stem}.mask.png"}
      size: 300x200
"""
PROMPTED = """
  - name: prompted
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    patience: PATIENCE
    match: {kind: image}
    expand: {prompt: {sidecar: "{stem}.txt"}, size: 300x200}
"""
OTHERS = """
  - name: others
    inbox: inbox/photos
    outbox: outbox/photos
    settle: 20ms
    rescan: 100ms
    give_up: 200ms
    match: {kind: KIND}
    OPERATION: {size: 1024x1024}
"""


def rules(*texts: str, patience: str = "60s") -> str:
    return HEAD + "".join(texts).replace("PATIENCE", patience)


def others(kind: str, operation: str) -> str:
    return OTHERS.replace("KIND", kind).replace("OPERATION", operation)


def mask(daemon: Daemon, name: str = "beach.mask.png", *, shade: int = 255) -> Path:
    path = daemon.photos / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (240, 160), shade).save(path)
    return path


class BlindDisk(RealDisk):
    """A disk on which one file cannot be read."""

    def __init__(self, blind: Path) -> None:
        self._blind = str(blind)

    def open_read(self, path: str) -> BinaryIO:
        if path == self._blind:
            raise refusal("open", path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        return super().open_read(path)


def lines_of(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def pair(daemon: Daemon) -> tuple[Path, Path]:
    return daemon.photo(), mask(daemon)


async def test_a_picture_and_its_mask_come_back_together(make_daemon: DaemonMaker) -> None:
    """Both are uploaded, one job is bought, and both are archived."""
    daemon = make_daemon(text=rules(MASKED))
    inputs = pair(daemon)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["photos/_done/beach.jpg", "photos/_done/beach.mask.png"] == daemon.inbox()
    assert (2, 1) == (len(daemon.books()["uploads"]), daemon.books()["accepted"])
    assert [] == await daemon.broken_promises(*inputs)


@pytest.mark.parametrize("late", ["beach.jpg", "beach.mask.png"])
@pytest.mark.parametrize("down", [True, False])
async def test_a_file_that_comes_after_a_restart_finds_the_other(
    make_daemon: DaemonMaker, late: str, *, down: bool
) -> None:
    """Whichever comes first waits through it, and the other may come while nobody is at home."""
    daemon = make_daemon(text=rules(MASKED))
    pair(daemon)
    (daemon.photos / late).rename(daemon.folder / late)
    status = daemon.folder / "state" / "status.json"
    wanted = '"lonely": 1' if late == "beach.jpg" else '"incomplete": 1'
    await daemon.run_until(lambda: status.exists() and wanted in status.read_text())

    if down:
        (daemon.folder / late).rename(daemon.photos / late)
        await daemon.run_once()
    else:
        await daemon.run_until(lambda: arrived(status, wanted, daemon.folder / late, daemon.photos))

    assert ["photos/_done/beach.jpg", "photos/_done/beach.mask.png"] == daemon.inbox()
    assert (1, 1) == (daemon.books()["accepted"], len(await daemon.drops()))


def arrived(status: Path, wanted: str, late: Path, inbox: Path) -> bool:
    """Let *late* arrive once the service knows of the other, and return whether both are done."""
    if late.exists() and status.exists() and wanted in status.read_text():
        late.rename(inbox / late.name)
    return all((inbox / "_done" / name).exists() for name in ("beach.jpg", "beach.mask.png"))


async def test_more_pairs_than_the_queue_has_room_for(make_daemon: DaemonMaker) -> None:
    """All are bought once, each with its own mask."""
    daemon = make_daemon(text=rules(MASKED))
    for number in range(30):
        daemon.photo(f"{number}.jpg", shade=number)
        mask(daemon, f"{number}.mask.png", shade=number)

    outcome = await daemon.run_once()

    jobs = await daemon.jobs()
    assert not outcome.troubled
    assert 30 == daemon.books()["accepted"]
    assert all(
        job.source.replace(".jpg", ".mask.png") in {each.companion for each in job.order.references}
        for job in jobs
    )
    assert 60 == len(daemon.inbox())


async def test_a_prompt_beside_a_picture_is_its_prompt(make_daemon: DaemonMaker) -> None:
    """The text of the partner is what is ordered."""
    daemon = make_daemon(text=rules(PROMPTED))
    daemon.photo()
    (daemon.photos / "beach.txt").write_text("more sand")

    await daemon.run_once()

    (job,) = await daemon.jobs()
    assert "more sand" == job.order.prompt
    assert ["photos/_done/beach.jpg", "photos/_done/beach.txt"] == daemon.inbox()


async def test_subfolders_keep_pairs_apart(make_daemon: DaemonMaker) -> None:
    """A mask belongs to the picture of its own folder."""
    daemon = make_daemon(text=rules(MASKED))
    for folder in ("a", "b/c"):
        daemon.photo(f"{folder}/beach.jpg")
        mask(daemon, f"{folder}/beach.mask.png", shade=len(folder))

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert [
        "photos/_done/a/beach.jpg",
        "photos/_done/a/beach.mask.png",
        "photos/_done/b/c/beach.jpg",
        "photos/_done/b/c/beach.mask.png",
    ] == daemon.inbox()


async def test_names_that_differ_in_case_only_belong_together(make_daemon: DaemonMaker) -> None:
    """Where the share does not care about case, its users do not either."""
    daemon = make_daemon(text=rules(MASKED))
    daemon.photo("Beach.JPG")
    mask(daemon, "BEACH.Mask.PNG")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 1 == daemon.books()["accepted"]


async def test_a_missing_partner_fails_readably_and_costs_nothing(make_daemon: DaemonMaker) -> None:
    """When the patience ends, the drop is in _failed, and its report says what was waited for."""
    daemon = make_daemon(text=rules(MASKED, patience="1s"))
    daemon.photo()

    outcome = await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert outcome.troubled
    assert "beach.jpg waited 1 second for beach.mask.png, which never came" in report
    assert 0 == daemon.books()["accepted"]
    assert ["photos/_failed/beach.jpg", "photos/_failed/beach.jpg.error.txt"] == daemon.inbox()


async def test_a_partner_that_came_too_late_is_enough_for_another_try(make_daemon: DaemonMaker) -> None:
    """With the mask in the inbox, moving the picture back from _failed orders it."""
    daemon = make_daemon(text=rules(MASKED, patience="1s"))
    photo = daemon.photo()
    await daemon.run_once()
    mask(daemon)
    (daemon.photos / "_failed/beach.jpg").rename(photo)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 1 == daemon.books()["accepted"]
    assert ["photos/_done/beach.jpg", "photos/_done/beach.mask.png"] == daemon.inbox()


@pytest.mark.parametrize("obstacle", ["folder", "link"])
async def test_what_is_no_file_is_no_partner(make_daemon: DaemonMaker, obstacle: str) -> None:
    """The report says what lies there instead."""
    daemon = make_daemon(text=rules(MASKED, patience="1s"))
    daemon.photo()
    place = daemon.photos / "beach.mask.png"
    if obstacle == "folder":
        place.mkdir()
    else:
        place.symlink_to(daemon.photo("../elsewhere.jpg"))

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert f"is a {obstacle}" in report


async def test_a_broken_partner_fails_its_drop_before_anything_is_paid(make_daemon: DaemonMaker) -> None:
    """Both end in _failed, and the report names the one that is broken."""
    daemon = make_daemon(text=rules(MASKED))
    daemon.photo()
    path = mask(daemon)
    path.write_bytes(path.read_bytes()[:-12])

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.mask.png: the picture is cut off" in report
    assert (daemon.photos / "_failed/beach.mask.png").exists()
    assert 0 == daemon.books()["accepted"]


async def test_a_partner_without_its_drop_stays_and_costs_nothing(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """A mask alone is no picture to be expanded; it is counted, and no run waits for it."""
    daemon = make_daemon(text=rules(MASKED))
    mask(daemon)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["photos/beach.mask.png"] == daemon.inbox()
    assert 0 == daemon.books()["accepted"]


async def test_a_partner_that_nobody_came_for_is_said_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """After its patience the log says why it stays."""
    daemon = make_daemon(text=rules(MASKED, patience="100ms"))
    mask(daemon)
    await daemon.run_until(lambda: "drop.unmatched" in log.getvalue())

    (said,) = [line for line in lines_of(log) if line["event"] == "drop.unmatched"]
    assert ["masked: by its name it belongs to beach.*, is waited for by that, and goes with it"] == said[
        "reasons"
    ]


async def test_a_partner_may_be_another_rules_drop_in_the_end(make_daemon: DaemonMaker) -> None:
    """A text whose picture does not come within the patience is what it would have been without it."""
    daemon = make_daemon(text=rules(PROMPTED, others("prompt", "generate"), patience="1s"))
    (daemon.photos / "beach.txt").write_text("a beach")

    outcome = await daemon.run_once()

    (job,) = await daemon.jobs()
    assert not outcome.troubled
    assert ("others", Stage.DELIVERED) == (job.rule, job.stage)
    assert ["photos/_done/beach.txt"] == daemon.inbox()


async def test_a_partner_is_a_partner_first(make_daemon: DaemonMaker) -> None:
    """A rule that takes every picture does not take the masks of another's."""
    daemon = make_daemon(text=rules(MASKED, others("image", "expand")))
    pair(daemon)

    await daemon.run_once()

    (drop,) = await daemon.drops()
    assert ("beach.jpg", "masked") == (drop.path, drop.rule)


async def test_of_two_drops_the_first_gets_the_partner(make_daemon: DaemonMaker) -> None:
    """The second waits in vain, and its report says where the partner went."""
    daemon = make_daemon(text=rules(PROMPTED, patience="2s"))
    daemon.photo("beach.jpg")
    daemon.photo("beach.png")
    (daemon.photos / "beach.txt").write_text("more sand")

    await daemon.run_once()

    failed = [name for name in daemon.inbox() if name.endswith(".error.txt")]
    report = (daemon.folder / "inbox" / failed[0]).read_text()
    assert 1 == daemon.books()["accepted"]
    assert "for beach.txt, which went with beach." in report
    assert {DropState.DONE, DropState.FAILED} == {drop.state for drop in await daemon.drops()}


async def test_two_rules_for_one_drop_wait_for_what_one_of_them_needs(make_daemon: DaemonMaker) -> None:
    """With ``also: true`` the drop is one thing: all of it is ordered, or nothing."""
    also = others("image", "expand").replace("match:", "also: true\n    match:")
    daemon = make_daemon(text=rules(also, MASKED))
    pair(daemon)

    await daemon.run_once()

    assert ["others", "masked"] == [job.rule for job in await daemon.jobs()]
    assert 1 == len(await daemon.drops())


async def test_moving_a_failed_pair_back_does_only_what_failed(make_daemon: DaemonMaker) -> None:
    """Both moved back are the drop that they were."""
    daemon = make_daemon("job_failed=first:1", text=rules(MASKED))
    photo, its_mask = pair(daemon)
    await daemon.run_once()
    for path in (its_mask, photo):
        (daemon.photos / "_failed" / path.name).rename(path)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 1 == len(await daemon.drops())
    assert ["photos/_done/beach.jpg", "photos/_done/beach.mask.png"] == daemon.inbox()


async def test_another_mask_is_another_order(make_daemon: DaemonMaker) -> None:
    """The mask is part of what is bought."""
    daemon = make_daemon("job_failed=first:1", text=rules(MASKED))
    photo, its_mask = pair(daemon)
    await daemon.run_once()
    (daemon.photos / "_failed/beach.jpg").rename(photo)
    mask(daemon, shade=7)

    await daemon.run_once()

    assert 2 == len(await daemon.drops())
    assert (daemon.photos / "_failed" / its_mask.name).exists()
    assert (daemon.photos / "_done" / its_mask.name).exists()


async def test_retry_brings_both_back(make_daemon: DaemonMaker) -> None:
    """The command takes the mask along."""
    daemon = make_daemon("job_failed=first:1", text=rules(MASKED))
    pair(daemon)
    await daemon.run_once()
    (drop,) = await daemon.drops(DropState.FAILED)
    daemon.wish(Verb.RETRY, drop.key)

    await daemon.run_until((daemon.photos / "_done/beach.mask.png").exists)

    assert ["photos/_done/beach.jpg", "photos/_done/beach.mask.png"] == daemon.inbox()


async def test_a_held_pair_moved_back_is_held_again(make_daemon: DaemonMaker) -> None:
    """Moving settles no doubt, whether both are moved or the picture alone."""
    daemon = make_daemon("submit_lost=first:1", text=rules(MASKED, patience="1s"))
    photo, its_mask = pair(daemon)
    held = ["photos/_held/beach.jpg", "photos/_held/beach.jpg.held.txt", "photos/_held/beach.mask.png"]
    await daemon.run_once()
    for path in (photo, its_mask):
        (daemon.photos / "_held" / path.name).rename(path)
    await daemon.run_once()
    both = daemon.inbox()
    (daemon.photos / "_held/beach.jpg").rename(photo)

    await daemon.run_once()

    assert held == both == daemon.inbox()
    assert 1 == daemon.books()["accepted"]


async def test_a_second_pair_of_the_same_name_keeps_its_names_together(make_daemon: DaemonMaker) -> None:
    """Archived beside the first, both get the same number, so that they can be moved back together."""
    daemon = make_daemon(text=rules(MASKED))
    pair(daemon)
    await daemon.run_once()
    daemon.photo(shade=20)
    mask(daemon, shade=20)

    await daemon.run_once()

    assert [
        "photos/_done/beach.jpg",
        "photos/_done/beach.mask.png",
        "photos/_done/beach_2.jpg",
        "photos/_done/beach_2.mask.png",
    ] == daemon.inbox()


async def test_both_are_deleted_where_the_rule_says_so(make_daemon: DaemonMaker) -> None:
    """``done: delete`` leaves no mask behind."""
    daemon = make_daemon(text=rules(MASKED.replace("patience:", "done: delete\n    patience:")))
    pair(daemon)

    await daemon.run_once()

    assert [] == daemon.inbox()
    assert 1 == len(daemon.results())


async def test_what_waits_is_counted_and_said_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """A picture without its mask and a mask without its picture each have a line, and stand in the status."""
    daemon = make_daemon(text=rules(MASKED, patience="1h"), hurry=50)
    daemon.photo("hill.jpg")
    mask(daemon)
    status = daemon.folder / "state" / "status.json"
    await daemon.run_until(
        lambda: (
            {"drop.waiting", "companion.waiting"} <= {line["event"] for line in lines_of(log)}
            and '"incomplete": 1' in status.read_text()
            and '"lonely": 1' in status.read_text()
        )
    )

    said = [line for line in lines_of(log) if line["event"].endswith(".waiting")]

    assert {("hill.jpg", "hill.mask.png", 3600), ("beach.mask.png", "beach.*", 3600)} == {
        (line["source"], *line["waits_for"], line["patience_s"]) for line in said
    }
    assert 2 == len(said)


async def test_a_partner_that_cannot_be_read_keeps_its_drop_in_the_inbox(make_daemon: DaemonMaker) -> None:
    """Nothing comes and goes meanwhile, and the report says so in the end."""
    daemon = make_daemon(text=rules(MASKED, patience="1s"))
    photo, its_mask = pair(daemon)
    daemon.disk = BlindDisk(its_mask)

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.mask.png, which is there, but never lay still, or cannot be had" in report
    assert ["photos/_failed/beach.jpg", "photos/_failed/beach.jpg.error.txt", "photos/beach.mask.png"] == (
        daemon.inbox()
    )
    assert not photo.exists()


async def test_a_mask_that_somebody_went_on_writing_is_no_success(make_daemon: DaemonMaker) -> None:
    """What was ordered belongs to its beginning, and the report says so."""
    daemon = make_daemon(text=rules(MASKED))
    daemon.faults("duration=0.3")
    daemon.photo()
    with mask(daemon).open("ab") as file:
        await daemon.run_until(lambda: daemon.books()["accepted"] == 1)
        file.write(b"more")

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "went on writing beach.mask.png after it was taken" in report


async def test_a_prompt_is_no_mask(make_daemon: DaemonMaker) -> None:
    """A text where a picture is to be sent is refused before anything is paid."""
    daemon = make_daemon(text=rules(MASKED.replace(".mask.png", ".txt")))
    daemon.photo()
    (daemon.photos / "beach.txt").write_text("more sand")

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.txt: it is a prompt, and the rule sends a picture there" in report
    assert 0 == daemon.books()["accepted"]


async def test_a_picture_is_no_prompt(make_daemon: DaemonMaker) -> None:
    """A picture where a text is to be read is refused before anything is paid."""
    daemon = make_daemon(text=rules(PROMPTED.replace(".txt", ".mask.png")))
    pair(daemon)

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.mask.png: it is a picture, and the rule reads a prompt there" in report
    assert 0 == daemon.books()["accepted"]


async def test_a_partner_that_is_neither_picture_nor_prompt_is_refused(make_daemon: DaemonMaker) -> None:
    """Before anything is sent, by its name."""
    daemon = make_daemon(text=rules(PROMPTED.replace(".txt", ".notes")))
    daemon.photo()
    (daemon.photos / "beach.notes").write_text("more sand")

    await daemon.run_once()

    report = (daemon.photos / "_failed/beach.jpg.error.txt").read_text()
    assert "beach.notes: it is neither a picture nor a prompt" in report
    assert 0 == daemon.books()["accepted"]


async def test_a_pair_of_another_ledger_is_held_together(make_daemon: DaemonMaker) -> None:
    """Whoever lost the state folder finds both, and nothing is bought again."""
    daemon = make_daemon(text=rules(MASKED))
    daemon.faults("never=1")
    pair(daemon)
    await daemon.run_until(lambda: daemon.books()["accepted"] == 1)
    (daemon.folder / "state").rename(daemon.folder / "lost")

    await daemon.run_once()

    held = [name for name in daemon.inbox() if not name.endswith(".txt")]
    assert ["photos/_held/beach.jpg", "photos/_held/beach.mask.png"] == held
    assert 1 == daemon.books()["accepted"]


async def test_show_names_what_belongs_to_a_drop(make_daemon: DaemonMaker) -> None:
    """For a person and for a script, with the place where each file is now."""
    daemon = make_daemon(text=rules(MASKED))
    pair(daemon)
    await daemon.run_once()
    (drop,) = await daemon.drops()
    command = ["--config", str(daemon.folder), "show", drop.key]

    text, document = await asyncio.to_thread(
        lambda: [CliRunner().invoke(main, [*command, *option]).stdout for option in ([], ["--json"])]
    )

    place = str(daemon.photos / "_done" / "beach.mask.png")
    (companion,) = find(json.loads(document), "companions")
    assert place in text
    assert ("beach.mask.png", place, "image") == tuple(companion[key] for key in ("source", "place", "kind"))


def find(document: Any, key: str) -> Any:
    """Return the value of *key*, however deep it stands."""
    if isinstance(document, dict):
        return document[key] if key in document else find(list(document.values()), key)
    return next(
        (found for each in document if isinstance(each, list | dict) and (found := find(each, key))), None
    )
