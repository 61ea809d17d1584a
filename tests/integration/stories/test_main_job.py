"""Stories of the main job: what is dropped comes back, once, whatever happens."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dropglow.ledger.mailbox import Verb
from dropglow.model import DropState, Stage

if TYPE_CHECKING:
    from tests.integration.stories.conftest import DaemonMaker


async def test_a_photo_comes_back_in_every_size(make_daemon: DaemonMaker) -> None:
    """A photo is uploaded once, expanded to each size, and moved to _done."""
    daemon = make_daemon()
    daemon.photo()

    outcome = await daemon.run_once()

    books = daemon.books()
    assert not outcome.troubled
    assert 2 == len(daemon.results())
    assert ["photos/_done/beach.jpg"] == daemon.inbox()
    assert (1, 2) == (len(books["uploads"]), books["accepted"])


async def test_a_prompt_comes_back_as_a_picture(make_daemon: DaemonMaker) -> None:
    """A prompt file becomes one picture, its bytes exactly as Adobe sent them."""
    daemon = make_daemon()
    daemon.prompt()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    (result,) = daemon.results()
    digest = hashlib.sha256((daemon.outbox / result).read_bytes()).hexdigest()
    assert Stage.DELIVERED is job.stage
    assert job.artifacts[0].sha256 == digest


async def test_a_run_that_stops_in_the_middle_goes_on_by_job_id(make_daemon: DaemonMaker) -> None:
    """Stopping while remote jobs run loses nothing and buys nothing twice."""
    daemon = make_daemon()
    daemon.faults("duration=0.4")
    daemon.photo()
    await daemon.run_until(lambda: daemon.books()["accepted"] == 2)

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert 2 == len(daemon.results())
    assert ["photos/_done/beach.jpg"] == daemon.inbox()


async def test_a_lost_reply_is_never_ordered_again(make_daemon: DaemonMaker) -> None:
    """If Firefly took the order and the reply got lost, the job waits for a person."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()

    outcome = await daemon.run_once()

    (job,) = await daemon.jobs()
    assert outcome.troubled
    assert Stage.IN_DOUBT is job.stage
    assert 1 == daemon.books()["accepted"]
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()


async def test_an_abandoned_doubt_ends_in_failed(make_daemon: DaemonMaker) -> None:
    """Abandoning a job in doubt moves its file to _failed and buys nothing."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    (job,) = await daemon.jobs()
    daemon.wish(Verb.ABANDON, job.key)

    await daemon.run_until((daemon.prompts / "_failed/fox.txt.error.txt").exists)

    assert 1 == daemon.books()["accepted"]
    assert ["prompts/_failed/fox.txt", "prompts/_failed/fox.txt.error.txt"] == daemon.inbox()


async def test_a_resubmitted_doubt_is_delivered(make_daemon: DaemonMaker) -> None:
    """Resubmitting a job in doubt orders it once more and delivers it."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    (job,) = await daemon.jobs()
    daemon.wish(Verb.RESUBMIT, job.key)

    await daemon.run_until((daemon.prompts / "_done/fox.txt").exists)

    assert 2 == daemon.books()["accepted"]
    assert 1 == len(daemon.results())
    assert ["prompts/_done/fox.txt"] == daemon.inbox()


async def test_a_doubt_with_its_job_id_found_is_delivered(make_daemon: DaemonMaker) -> None:
    """Giving a job in doubt its id takes the results of the order that stands."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    (job,) = await daemon.jobs()
    daemon.wish(Verb.ATTACH, job.key, daemon.books()["jobs"][0]["id"])

    await daemon.run_until((daemon.prompts / "_done/fox.txt").exists)

    assert 1 == daemon.books()["accepted"]
    assert 1 == len(daemon.results())


async def test_moving_a_failed_file_back_does_only_what_failed(make_daemon: DaemonMaker) -> None:
    """One size fails, the other is delivered; moved back, only the failed one is bought again."""
    daemon = make_daemon("job_failed=first:1")
    daemon.photo()
    await daemon.run_once()
    before = daemon.results()
    (daemon.photos / "_failed/beach.jpg").rename(daemon.photos / "beach.jpg")

    await daemon.run_once()

    assert 1 == len(before)
    assert 3 == daemon.books()["accepted"]
    assert 2 == len(daemon.results())
    assert ["photos/_done/beach.jpg"] == daemon.inbox()
    assert 1 == len(await daemon.drops())


async def test_a_failed_file_that_got_another_name_comes_back_as_itself(make_daemon: DaemonMaker) -> None:
    """Where its name was taken in _failed, it is moved back under another one: still, only what failed is done again."""
    daemon = make_daemon("job_failed=every:2")
    rules = daemon.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("rescan:", "duplicates: buy\n    rescan:"))
    for shade in (10, 200):
        daemon.photo(shade=shade)
        await daemon.run_once()
    daemon.faults()
    (daemon.photos / "_failed/beach_2.jpg").rename(daemon.photos / "beach_2.jpg")

    await daemon.run_once()

    assert 5 == daemon.books()["accepted"]
    assert [DropState.DONE, DropState.FAILED] == sorted(drop.state for drop in await daemon.drops())
    left = ["photos/_done/beach.jpg", "photos/_failed/beach.jpg", "photos/_failed/beach.jpg.error.txt"]
    assert left == daemon.inbox()


async def test_retry_does_only_what_failed(make_daemon: DaemonMaker) -> None:
    """The command does the same as moving the file back."""
    daemon = make_daemon("job_failed=first:1")
    daemon.photo()
    await daemon.run_once()
    (drop,) = await daemon.drops(DropState.FAILED)
    daemon.wish(Verb.RETRY, drop.key)

    await daemon.run_until((daemon.photos / "_done/beach.jpg").exists)

    assert 3 == daemon.books()["accepted"]
    assert ["photos/_done/beach.jpg"] == daemon.inbox()


async def test_a_cancelled_job_is_cancelled_at_adobe(make_daemon: DaemonMaker) -> None:
    """Cancelling a running job ends it at Adobe, and its file goes to _failed with the reason."""
    daemon = make_daemon()
    daemon.faults("never=1")
    daemon.prompt()
    await daemon.run_until(lambda: daemon.books()["accepted"] == 1)
    (job,) = await daemon.jobs()
    daemon.wish(Verb.CANCEL, job.key)

    await daemon.run_until((daemon.prompts / "_failed/fox.txt.error.txt").exists)

    (job,) = await daemon.jobs()
    assert Stage.CANCELLED is job.stage
    assert 1 == daemon.books()["cancelled"]


async def test_what_no_rule_takes_stays_where_it_is(make_daemon: DaemonMaker) -> None:
    """A file that no rule takes is left alone, and the run is no failure."""
    daemon = make_daemon()
    (daemon.photos / "notes.pdf").write_bytes(b"%PDF-1.7 something")
    daemon.photo()

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["photos/_done/beach.jpg", "photos/notes.pdf"] == daemon.inbox()


async def test_a_broken_picture_is_reported_and_the_rest_goes_on(make_daemon: DaemonMaker) -> None:
    """A truncated JPEG fails with a report; nothing is sent for it; its neighbour is delivered."""
    daemon = make_daemon()
    whole = daemon.photo("whole.jpg").read_bytes()
    (daemon.photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])

    outcome = await daemon.run_once()

    assert outcome.troubled
    assert [
        "photos/_done/whole.jpg",
        "photos/_failed/cut.jpg",
        "photos/_failed/cut.jpg.error.txt",
    ] == daemon.inbox()
    assert 2 == daemon.books()["accepted"]


async def test_the_same_name_again_is_a_new_drop(make_daemon: DaemonMaker) -> None:
    """A second file of the same name is delivered as well, and replaces nothing."""
    daemon = make_daemon()
    daemon.photo()
    await daemon.run_once()
    daemon.photo(shade=30)

    await daemon.run_once()

    assert 4 == len(daemon.results())
    assert 2 == len([name for name in daemon.inbox() if name.startswith("photos/_done/")])


async def test_mirrored_sub_folders(make_daemon: DaemonMaker) -> None:
    """A file in a sub-folder is delivered into the same sub-folder, and archived in one."""
    daemon = make_daemon()
    daemon.photo("summer/day 1/beach.jpg")

    await daemon.run_once()

    assert all(name.startswith("photos/summer/day 1/beach_") for name in daemon.results())
    assert ["photos/_done/summer/day 1/beach.jpg"] == daemon.inbox()


async def test_moving_a_held_file_back_buys_nothing(make_daemon: DaemonMaker) -> None:
    """A file whose order is in doubt goes back to _held with its report; it can be settled from there."""
    daemon = make_daemon("submit_lost=first:1")
    prompt = daemon.prompt()
    await daemon.run_once()
    (daemon.prompts / "_held/fox.txt").rename(prompt)
    (daemon.prompts / "_held/fox.txt.held.txt").unlink()

    await daemon.run_once()

    (job,) = await daemon.jobs()
    bought = daemon.books()["accepted"]
    assert ["prompts/_held/fox.txt", "prompts/_held/fox.txt.held.txt"] == daemon.inbox()
    assert (1, Stage.IN_DOUBT) == (bought, job.stage)
    assert [] == await daemon.broken_promises(prompt)
    daemon.wish(Verb.RESUBMIT, job.key)
    await daemon.run_until((daemon.prompts / "_done/fox.txt").exists)
    assert 2 == daemon.books()["accepted"]


async def test_the_same_file_beside_a_held_one_is_a_new_drop(make_daemon: DaemonMaker) -> None:
    """Where the rule buys every copy, one that is dropped while the held file stays where it is gets its picture."""
    daemon = make_daemon("submit_lost=first:1")
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("generate:", "duplicates: buy\n    generate:"))
    daemon.prompt()
    await daemon.run_once()
    daemon.prompt()

    await daemon.run_once()

    assert 2 == daemon.books()["accepted"]
    assert (daemon.prompts / "_done/fox.txt").exists()
    assert (daemon.prompts / "_held/fox.txt").exists()


async def test_a_held_file_whose_name_another_one_has_by_now_buys_nothing(make_daemon: DaemonMaker) -> None:
    """Another file was held under its name while it was away: that one lies there, and not this one."""
    daemon = make_daemon("submit_lost=first:2")
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("generate:", "duplicates: buy\n    generate:"))
    prompt = daemon.prompt()
    await daemon.run_once()
    elsewhere = (daemon.prompts / "_held/fox.txt").rename(daemon.folder / "fox.txt")
    daemon.prompt(text="another fox")
    await daemon.run_once()
    elsewhere.rename(prompt)

    await daemon.run_once()

    held = {
        path.read_text() for path in (daemon.prompts / "_held").glob("fox*.txt") if "held" not in path.name
    }
    assert 2 == daemon.books()["accepted"] == len(await daemon.drops(DropState.HELD))
    assert {"a fox in the snow", "another fox"} == held
    assert [] == await daemon.broken_promises(prompt)


async def test_a_held_file_that_comes_back_renamed_under_a_changed_rule_buys_nothing(
    make_daemon: DaemonMaker,
) -> None:
    """What is in doubt stays in doubt, whatever its file is called and whatever the rule says by now."""
    daemon = make_daemon("submit_lost=first:1")
    daemon.prompt()
    await daemon.run_once()
    (daemon.prompts / "_held/fox.txt").rename(daemon.prompts / "vixen.txt")
    settings = daemon.folder / "dropglow.yaml"
    settings.write_text(settings.read_text().replace("size: 1024x1024", "size: 2048x2048"))

    await daemon.run_once()

    assert 1 == daemon.books()["accepted"]
    assert "prompts/_held/fox.txt" in daemon.inbox()


async def test_the_report_of_a_file_that_was_mended_goes(make_daemon: DaemonMaker) -> None:
    """A mended file is a new drop; the old report would be a riddle beside nothing."""
    daemon = make_daemon()
    daemon.prompt(text="too long " * 200)
    await daemon.run_once()
    (daemon.prompts / "_failed/fox.txt").unlink()
    daemon.prompt()

    outcome = await daemon.run_once()

    assert not outcome.troubled
    assert ["prompts/_done/fox.txt"] == daemon.inbox()


async def test_a_file_that_grew_after_it_was_taken_is_no_success(make_daemon: DaemonMaker) -> None:
    """A writer that pauses longer than the settle time is noticed, and the file says so in _failed."""
    daemon = make_daemon()
    daemon.faults("duration=0.3")
    with daemon.prompt(text="a red").open("a") as file:
        await daemon.run_until(lambda: daemon.books()["accepted"] == 1)
        file.write(" boat in the mist")

    outcome = await daemon.run_once()

    report = (daemon.prompts / "_failed/fox.txt.error.txt").read_text()
    assert outcome.troubled
    assert "went on writing this file" in report
    assert "a red boat in the mist" == (daemon.prompts / "_failed/fox.txt").read_text()
