"""Stories of folders that are one drop each: taken whole, bought by the file, reported once, and back again."""

from __future__ import annotations

import asyncio
import json
import shutil
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main
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
SHOOTS = """
  - name: shoots
    inbox: inbox/photos
    outbox: outbox/photos
    drop: folder
    settle: 20ms
    give_up: 300ms
    rescan: 100ms
    sidecar: true
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
"""
WORDS = """
  - name: words
    inbox: inbox/photos
    outbox: outbox/photos
    drop: folder
    settle: 20ms
    rescan: 100ms
    match: {kind: prompt}
    generate: {size: 1024x1024}
"""
SINGLES = """
  - name: singles
    inbox: inbox/photos
    outbox: outbox/singles
    settle: 20ms
    rescan: 100ms
    match: {kind: image}
    similar: {size: 1024x1024}
"""
MASKED = """
  - name: masked
    inbox: inbox/photos
    outbox: outbox/photos
    drop: folder
    settle: 20ms
    rescan: 100ms
    patience: PATIENCE
    match: {kind: image}
    expand:
      mask: {sidecar: "{stem}.mask.png"}
      size: 300x200
"""


def shoot(daemon: Daemon, name: str = "shoot") -> Path:
    """Make a folder with two pictures, a text that no rule takes, and what desktops leave behind."""
    daemon.photo(f"{name}/beach.jpg", shade=10)
    daemon.photo(f"{name}/raw/city.jpg", shade=20)
    folder = daemon.photos / name
    (folder / "notes.pdf").write_text("no picture")
    (folder / "Thumbs.db").write_text("x")
    return folder


def lines_of(log: StringIO, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == event]


def work(daemon: Daemon) -> list[str]:
    return [path.name for path in daemon.photos.glob(".dropglow/work/*")]


async def test_a_folder_is_one_drop_with_one_report(make_daemon: DaemonMaker, log: StringIO) -> None:
    """Its pictures are bought, the rest travels along, results are mirrored, and one report and one line tell of it."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    shoot(daemon)

    outcome = await daemon.run_once()

    (drop,), jobs = await daemon.drops(), await daemon.jobs()
    (done,) = lines_of(log, "drop.done")
    report = (daemon.photos / "_done" / "shoot.report.txt").read_text()
    assert not outcome.troubled
    assert (DropState.DONE, "shoot", 3) == (drop.state, drop.path, len(drop.members))
    assert ["shoot/beach.jpg"] * 2 + ["shoot/raw/city.jpg"] * 2 == sorted(job.source for job in jobs)
    assert [
        "photos/_done/shoot.report.txt",
        "photos/_done/shoot/Thumbs.db",
        "photos/_done/shoot/beach.jpg",
        "photos/_done/shoot/notes.pdf",
        "photos/_done/shoot/raw/city.jpg",
    ] == daemon.inbox()
    pictures = [name for name in daemon.results() if not name.endswith(".json")]
    assert [2, 2] == [
        sum(name.startswith(start) for name in pictures)
        for start in ("photos/shoot/beach_", "photos/shoot/raw/city_")
    ]
    assert (4, 3, 4) == (done["results"], done["files"], done["jobs"])
    assert "Files: 3; used: 2. Jobs: 4. Results: 4." in report
    assert "notes.pdf: left as it is; it takes pictures" in report
    assert all(f"{job.submission and job.submission.remote_id}" in report for job in jobs)
    assert not work(daemon)
    assert 2 == len(daemon.books()["uploads"])


async def test_a_sidecar_names_the_file_of_the_folder(make_daemon: DaemonMaker) -> None:
    """What a result was made of is its own picture, and not the folder."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    shoot(daemon)

    await daemon.run_once()

    (drop,) = await daemon.drops()
    found = {
        document["source"]["path"]: document["source"]["sha256"]
        for path in daemon.outbox.rglob("*.json")
        for document in [json.loads(path.read_text())]
    }
    assert {each.path: each.sha256 for each in drop.members if not each.passed_over} == found


async def test_files_beside_the_folders_are_another_rules(make_daemon: DaemonMaker) -> None:
    """A single file goes to a rule for single files, and a file in a folder never does."""
    daemon = make_daemon(text=HEAD + SINGLES + SHOOTS)
    daemon.photo("single.jpg", shade=99)
    shoot(daemon)

    outcome = await daemon.run_once()

    assert not outcome.troubled
    rules = {job.source: job.rule for job in await daemon.jobs()}
    assert {"single.jpg": "singles", "shoot/beach.jpg": "shoots", "shoot/raw/city.jpg": "shoots"} == rules


async def test_each_file_goes_to_the_rule_that_takes_it(make_daemon: DaemonMaker) -> None:
    """Two rules may share a folder: its pictures go to one, its prompts to the other."""
    daemon = make_daemon(text=HEAD + SHOOTS + WORDS)
    folder = shoot(daemon)
    (folder / "fox.txt").write_text("a fox in the snow")

    await daemon.run_once()

    (drop,) = await daemon.drops()
    rules = {job.source: job.rule for job in await daemon.jobs()}
    assert DropState.DONE is drop.state
    assert ("words", "shoots") == (rules["shoot/fox.txt"], rules["shoot/beach.jpg"])


async def test_what_is_no_drop_stays(make_daemon: DaemonMaker) -> None:
    """An empty folder, one that is still copied into, one without anything of use, and a file beside them cost nothing."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    (daemon.photos / "empty" / "sub").mkdir(parents=True)
    daemon.photo("copying/beach.jpg")
    (daemon.photos / "copying" / "city.jpg.part").write_bytes(b"half")
    (daemon.photos / "papers").mkdir()
    (daemon.photos / "papers" / "bill.pdf").write_text("no picture")
    daemon.photo("single.jpg")
    before = daemon.inbox()

    outcome = await daemon.run_once()

    assert (before, []) == (daemon.inbox(), daemon.books()["jobs"])
    assert (daemon.photos / "empty" / "sub").is_dir()
    assert not outcome.troubled


async def test_a_folder_that_was_being_copied_goes_once_it_is_whole(make_daemon: DaemonMaker) -> None:
    """When the temporary name is gone, the whole folder is taken, with what came last."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    daemon.photo("copying/beach.jpg")
    part = daemon.photo("copying/city.jpg", shade=3).rename(daemon.photos / "copying" / "city.jpg.part")
    await daemon.run_once()

    part.rename(daemon.photos / "copying" / "city.jpg")
    await daemon.run_once()

    (drop,) = await daemon.drops()
    assert (DropState.DONE, 2, 4) == (drop.state, len(drop.members), daemon.books()["accepted"])


async def test_a_damaged_file_fails_the_folder_and_nobody_else(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """The others are delivered, the report says which is damaged, and mended it costs only itself."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    folder = shoot(daemon)
    (folder / "bad.jpg").write_text("nonsense")
    await daemon.run_once()
    failed, report = daemon.photos / "_failed" / "shoot", daemon.photos / "_failed" / "shoot.error.txt"
    told = report.read_text()

    daemon.photo("mended.jpg", shade=200).rename(failed / "bad.jpg")
    failed.rename(folder)
    outcome = await daemon.run_once()

    (event,) = lines_of(log, "drop.failed")
    assert "1 of its 3 files" not in told
    assert "bad.jpg: cannot be used" in told
    assert "shoot/bad.jpg" in event["reason"]
    assert not outcome.troubled
    assert 6 == daemon.books()["accepted"]
    assert not report.exists()
    assert (daemon.photos / "_done" / "shoot" / "bad.jpg").exists()


async def test_a_folder_back_from_failed_buys_only_what_failed(make_daemon: DaemonMaker) -> None:
    """Same content, name and rule: it is the same drop, and one order of four is given again."""
    daemon = make_daemon("submit_error=422", "submit_error_rate=first:1", text=HEAD + SHOOTS)
    folder = shoot(daemon)
    await daemon.run_once()
    accepted = daemon.books()["accepted"]
    failed = daemon.photos / "_failed" / "shoot"
    daemon.faults()

    failed.rename(folder)
    outcome = await daemon.run_once()

    (drop,) = await daemon.drops()
    assert (3, 4) == (accepted, daemon.books()["accepted"])
    assert (DropState.DONE, False) == (drop.state, outcome.troubled)
    assert not (daemon.photos / "_failed" / "shoot.error.txt").exists()


async def test_retry_buys_only_what_failed(make_daemon: DaemonMaker) -> None:
    """The folder goes back into work and then to its new last place, in one piece."""
    daemon = make_daemon("submit_error=422", "submit_error_rate=first:1", text=HEAD + SHOOTS)
    shoot(daemon)
    await daemon.run_once()
    (drop,) = await daemon.drops()
    daemon.faults()

    daemon.wish(Verb.RETRY, drop.key)
    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert 4 == daemon.books()["accepted"]
    assert (daemon.photos / "_done" / "shoot" / "raw" / "city.jpg").exists()


async def test_cancel_stops_every_job_of_a_folder(make_daemon: DaemonMaker) -> None:
    """One word for the drop, and it fails as a whole."""
    daemon = make_daemon("duration=30-40", text=HEAD + SHOOTS)
    shoot(daemon)
    await daemon.run_until(lambda: daemon.books()["accepted"] == 4)
    (drop,) = await daemon.drops()
    daemon.faults()

    daemon.wish(Verb.CANCEL, drop.key)
    await daemon.run_once()

    assert {Stage.CANCELLED} == {job.stage for job in await daemon.jobs()}
    assert (daemon.photos / "_failed" / "shoot.error.txt").exists()


async def test_the_same_folder_again_buys_nothing(make_daemon: DaemonMaker) -> None:
    """By whatever name it comes, what was bought for its files stands for them."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    folder = shoot(daemon)
    shutil.copytree(folder, daemon.folder / "kept")
    await daemon.run_once()

    shutil.copytree(daemon.folder / "kept", daemon.photos / "again")
    outcome = await daemon.run_once()

    assert (False, 4) == (outcome.troubled, daemon.books()["accepted"])
    assert {DropState.DONE} == {drop.state for drop in await daemon.drops()}


async def test_a_file_that_is_in_two_folders_is_bought_once(make_daemon: DaemonMaker) -> None:
    """Even where the folders differ otherwise, and even twice in one of them."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    beach = daemon.photo("one/beach.jpg", shade=1)
    shutil.copy(beach, daemon.folder / "beach.jpg")
    shutil.copy(beach, beach.with_name("copy.jpg"))
    await daemon.run_once()
    once = daemon.books()["accepted"]

    daemon.photo("two/new.jpg", shade=60)
    shutil.copy(daemon.folder / "beach.jpg", daemon.photos / "two" / "other.jpg")
    await daemon.run_once()

    assert (2, 4) == (once, daemon.books()["accepted"])


async def test_partners_pair_inside_the_folder(make_daemon: DaemonMaker) -> None:
    """A picture finds its mask in its own folder, and the mask is no picture to be bought for."""
    daemon = make_daemon(text=HEAD + MASKED.replace("PATIENCE", "60s"))
    daemon.photo("shoot/raw/beach.jpg")
    Image.new("L", (240, 160), 255).save(daemon.photos / "shoot" / "raw" / "Beach.mask.png")

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert (1, 2) == (daemon.books()["accepted"], len(daemon.books()["uploads"]))


async def test_a_folder_waits_for_a_mask_as_long_as_a_picture_would(
    make_daemon: DaemonMaker, log: StringIO
) -> None:
    """When the patience ends, what is complete is bought, and the report says what was missing."""
    daemon = make_daemon(text=HEAD + MASKED.replace("PATIENCE", "300ms"))
    daemon.photo("shoot/beach.jpg")
    daemon.photo("shoot/city.jpg", shade=3)
    Image.new("L", (240, 160), 255).save(daemon.photos / "shoot" / "city.mask.png")

    outcome = await daemon.run_once()

    report = (daemon.photos / "_failed" / "shoot.error.txt").read_text()
    assert outcome.troubled
    assert 1 == daemon.books()["accepted"]
    assert "beach.mask.png is not in the folder" in report


async def test_a_mask_that_comes_late_completes_the_folder(make_daemon: DaemonMaker, log: StringIO) -> None:
    """It is said what the folder waits for, and nothing is taken before it is there."""
    daemon = make_daemon(text=HEAD + MASKED.replace("PATIENCE", "600s"), hurry=20)
    daemon.photo("shoot/beach.jpg")
    await daemon.run_until(lambda: lines_of(log, "drop.waiting"))
    taken_early = daemon.books()["accepted"]

    Image.new("L", (240, 160), 255).save(daemon.photos / "shoot" / "beach.mask.png")
    outcome = await daemon.run_once()

    (waiting,) = lines_of(log, "drop.waiting")
    assert ("shoot", ["shoot/beach.mask.png"]) == (waiting["source"], waiting["waits_for"])
    assert (0, 1, False) == (taken_early, daemon.books()["accepted"], outcome.troubled)


async def test_a_folder_that_nobody_finishes_is_said_once(make_daemon: DaemonMaker, log: StringIO) -> None:
    """A temporary name that stays behind holds a folder back for ever, so a person must hear of it."""
    daemon = make_daemon(text=HEAD + SHOOTS, hurry=60)
    daemon.photo("copying/beach.jpg")
    (daemon.photos / "copying" / "city.jpg.part").write_bytes(b"half")

    await daemon.run_until(lambda: lines_of(log, "inbox.trouble"))

    (trouble,) = lines_of(log, "inbox.trouble")
    assert "copying" == trouble["source"]
    assert "by its name, city.jpg.part in it is still being written" in trouble["reason"]


async def test_a_restart_resumes_a_folder(make_daemon: DaemonMaker) -> None:
    """Jobs at Adobe are not ordered again, and the folder ends whole."""
    daemon = make_daemon("duration=0.3-0.4", text=HEAD + SHOOTS)
    shoot(daemon)
    await daemon.run_until(lambda: daemon.books()["accepted"] >= 2)

    outcome = await daemon.run_once()

    assert (False, 4) == (outcome.troubled, daemon.books()["accepted"])
    assert not daemon.books()["same_body_twice"]
    assert (daemon.photos / "_done" / "shoot" / "notes.pdf").exists()


async def test_a_folder_written_to_after_it_was_taken_says_so(make_daemon: DaemonMaker) -> None:
    """What was ordered belongs to the file as it was, and a person should know."""
    daemon = make_daemon("duration=0.3-0.4", text=HEAD + SHOOTS)
    folder = shoot(daemon)
    with (folder / "beach.jpg").open("ab") as writer:
        await daemon.run_until(lambda: daemon.books()["accepted"] >= 4)
        writer.write(b"more")
    await daemon.run_once()

    report = (daemon.photos / "_failed" / "shoot.error.txt").read_text()
    assert "went on writing shoot/beach.jpg" in report


async def test_a_held_folder_is_held_again_wherever_it_is_moved(make_daemon: DaemonMaker) -> None:
    """Moving it settles no doubt."""
    daemon = make_daemon("submit_lost=first:1", text=HEAD + SHOOTS)
    folder = shoot(daemon)
    await daemon.run_once()
    accepted = daemon.books()["accepted"]

    (daemon.photos / "_held" / "shoot").rename(folder.with_name("elsewhere"))
    await daemon.run_once()

    (drop,) = await daemon.drops()
    assert (DropState.HELD, accepted) == (drop.state, daemon.books()["accepted"])
    assert (daemon.photos / "_held" / "shoot" / "beach.jpg").exists()
    assert (daemon.photos / "_held" / "shoot.held.txt").exists()


async def test_a_folder_that_asks_for_too_much_is_not_bought(make_daemon: DaemonMaker) -> None:
    """Five thousand jobs are one drop's most, whatever it consists of."""
    daemon = make_daemon(text=HEAD + WORDS.replace("match", "split: lines\n    match"))
    (daemon.photos / "texts").mkdir()
    for number in range(3):
        lines = "\n".join(f"fox {number} {line}" for line in range(1700))
        (daemon.photos / "texts" / f"{number}.txt").write_text(lines)

    await daemon.run_once()

    report = (daemon.photos / "_failed" / "texts.error.txt").read_text()
    assert "asks for more than 5,000 jobs" in report
    assert 0 == daemon.books()["accepted"]


async def test_commands_show_a_folder_as_one_drop(make_daemon: DaemonMaker) -> None:
    """With the file that each of its jobs is about, and what became of the others."""
    daemon = make_daemon(text=HEAD + SHOOTS)
    folder = shoot(daemon)
    (folder / "bad.jpg").write_text("nonsense")
    await daemon.run_once()
    (drop,) = await daemon.drops()
    command = ["--config", str(daemon.folder), "show", drop.key]

    told, document, status = await asyncio.to_thread(
        lambda: [
            CliRunner().invoke(main, line).stdout
            for line in (command, [*command, "--json"], [*command[:2], "status"])
        ]
    )

    found: Any = json.loads(document)
    assert "shoot/bad.jpg: cannot be used" in told
    assert "shoot/notes.pdf: left as it is" in told
    assert f"folder now  {daemon.photos}/_failed/shoot" in " ".join(told.split()).replace(
        "folder now ", "folder now  "
    )
    assert "shoot/raw/city.jpg" in told
    assert ["shoot/bad.jpg", "shoot/beach.jpg", "shoot/notes.pdf", "shoot/raw/city.jpg"] == [
        each["source"] for each in found["files"]
    ]
    assert "1 of its 4 files cannot be used" in " ".join(status.split())
