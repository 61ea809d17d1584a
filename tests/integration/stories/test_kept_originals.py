"""Originals that stay: an inbox that is only read, what was taken out of it, and what becomes of it later."""

from __future__ import annotations

import asyncio
import json
import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from PIL import Image

from dropglow.cli.main import main
from dropglow.ledger.mailbox import Verb
from dropglow.model import DropState

if TYPE_CHECKING:
    from tests.integration.stories.conftest import Daemon, DaemonMaker

KEEPING: Final = """
state: ./state
api: {base_url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9/ims/token/v3"}
limits: {in_flight: 8, requests_per_minute: off, requests_per_day: off, poll: {min: 10ms, max: 50ms}}
rules:
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    done: keep
    give_up: 200ms
    settle: 20ms
    rescan: 100ms
    match: {kind: image}
    expand: {sizes: [300x200, 320x200]}
"""


@pytest.fixture
def keeper(make_daemon: DaemonMaker) -> Daemon:
    """Return a daemon whose only inbox is only read."""
    return make_daemon(text=KEEPING)


def inbox_as_it_is(daemon: Daemon) -> dict[str, tuple[int, bytes]]:
    """Return everything in the inbox, hidden or not, with times and contents."""
    return {
        str(path.relative_to(daemon.photos)): (path.lstat().st_mtime_ns, path.read_bytes())
        for path in daemon.photos.rglob("*")
        if path.is_file()
    } | {
        str(path.relative_to(daemon.photos)): (path.lstat().st_mtime_ns, b"")
        for path in (daemon.photos, *daemon.photos.rglob("*"))
        if path.is_dir()
    }


def copies(daemon: Daemon) -> list[Path]:
    """Return every file that is left in the folder for copies."""
    return [path for path in (daemon.folder / "state" / "kept").rglob("*") if path.is_file()]


def saved_again(path: Path, data: bytes | None = None) -> None:
    """Write a file again, with the same content unless *data* says otherwise, and with another time."""
    path.write_bytes(path.read_bytes() if data is None else data)
    later_ns = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later_ns, later_ns))


def orders(daemon: Daemon) -> int:
    """Return how many orders the world took."""
    return int(daemon.books()["accepted"])


async def test_a_kept_inbox_is_left_as_it_was(keeper: Daemon) -> None:
    """Originals are delivered for, and nothing in their inbox is made, changed or removed; no copy is left."""
    keeper.photo()
    keeper.photo("more/hills.jpg", shade=30)
    before = inbox_as_it_is(keeper)

    await keeper.run_once()

    assert before == inbox_as_it_is(keeper)
    assert 4 == len(keeper.results())
    assert {DropState.DONE} == {drop.state for drop in await keeper.drops()}
    assert [] == copies(keeper)


async def test_what_was_taken_is_known_at_the_next_start(keeper: Daemon) -> None:
    """A file that was taken is not looked at again, after any number of restarts."""
    keeper.photo()
    await keeper.run_once()

    await keeper.run_once()
    await keeper.run_once()

    assert 1 == len(await keeper.drops())
    assert 2 == orders(keeper)


async def test_a_file_that_changed_is_a_new_drop(keeper: Daemon) -> None:
    """Another content under the same name is taken again, while the service runs."""
    photo = keeper.photo()
    await keeper.run_once()
    keeper.photo(shade=200)
    saved_again(photo)

    await keeper.run_once()

    assert 2 == len(await keeper.drops())
    assert 4 == orders(keeper)


async def test_a_file_that_was_saved_again_is_not_bought_again(keeper: Daemon) -> None:
    """Another time with the same content changes nothing but what is remembered."""
    photo = keeper.photo()
    await keeper.run_once()
    saved_again(photo)

    await keeper.run_once()

    assert 1 == len(await keeper.drops())
    assert 2 == orders(keeper)
    assert [] == copies(keeper)


async def test_a_changed_rule_does_not_buy_the_archive_again(keeper: Daemon) -> None:
    """What was taken is known under any rule, even when it is saved again."""
    photo = keeper.photo()
    await keeper.run_once()
    rules = keeper.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("320x200", "340x200"))
    await keeper.run_once()
    saved_again(photo)

    await keeper.run_once()

    assert 2 == orders(keeper)


async def test_duplicates_buy_buys_what_is_saved_again(keeper: Daemon) -> None:
    """A rule that wants another picture each time gets one for each saving."""
    rules = keeper.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("done: keep", "done: keep\n    duplicates: buy"))
    photo = keeper.photo()
    await keeper.run_once()
    saved_again(photo)

    await keeper.run_once()
    await keeper.run_once()

    assert 4 == orders(keeper)


async def test_a_failure_is_reported_in_the_outbox(keeper: Daemon) -> None:
    """The report lies below the outbox, in the same sub-folder, and says where the original is and what to do."""
    broken = keeper.photos / "more" / "broken.jpg"
    broken.parent.mkdir()
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture at all")

    await keeper.run_once()

    assert ["photos/_failed/more/broken.jpg.error.txt"] == keeper.results()
    text = (keeper.outbox / "photos/_failed/more/broken.jpg.error.txt").read_text()
    assert f"Original:      {broken}" in text
    assert "It was only read, and lies there as it was. Another content is taken as a new file." in text
    assert [] == copies(keeper)


async def test_a_mended_file_takes_its_report_along(keeper: Daemon) -> None:
    """When a file that could not be used was mended, it is taken again and its report goes."""
    broken = keeper.photos / "beach.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture at all")
    await keeper.run_once()
    keeper.photo()

    await keeper.run_once()

    assert 2 == len(keeper.results())
    assert all("_failed" not in name for name in keeper.results())


async def test_a_failed_drop_is_retried_by_command(keeper: Daemon) -> None:
    """A retry copies the original again, buys only what failed, and removes the report."""
    keeper.faults("job_failed=first:1")
    keeper.photo()
    await keeper.run_once()
    (drop,) = await keeper.drops(DropState.FAILED)
    keeper.faults()
    keeper.wish(Verb.RETRY, drop.key)

    await keeper.run_once()

    (drop,) = await keeper.drops()
    assert DropState.DONE is drop.state
    assert 2 == len(keeper.results())
    assert [] == copies(keeper)


async def test_a_failed_drop_is_retried_by_saving_it_again(keeper: Daemon) -> None:
    """Somebody without a terminal saves the file again; the same drop goes on."""
    keeper.faults("job_failed=first:1")
    photo = keeper.photo()
    await keeper.run_once()
    keeper.faults()
    saved_again(photo)

    await keeper.run_once()
    await keeper.run_once()

    (drop,) = await keeper.drops()
    assert DropState.DONE is drop.state
    assert 2 == len(keeper.results())
    assert [] == copies(keeper)


async def in_doubt(keeper: Daemon) -> Path:
    """Return an original whose two orders are in doubt, so that its drop is held."""
    keeper.faults("submit_lost=1")
    photo = keeper.photo()
    await keeper.run_once()
    keeper.faults()
    return photo


async def test_a_doubt_is_held_in_the_outbox(keeper: Daemon) -> None:
    """What a person has to decide about is told below the outbox; the original stays and no copy is kept."""
    await in_doubt(keeper)

    assert ["photos/_held/beach.jpg.held.txt"] == keeper.results()
    text = (keeper.outbox / "photos/_held/beach.jpg.held.txt").read_text()
    assert "Saving the file again changes nothing." in text
    assert [] == copies(keeper)


async def test_saving_a_doubtful_file_again_settles_nothing(keeper: Daemon) -> None:
    """The same content with another time is held again, under the same drop, and nothing is ordered."""
    photo = await in_doubt(keeper)
    saved_again(photo)

    await keeper.run_once()
    await keeper.run_once()

    (drop,) = await keeper.drops()
    assert DropState.HELD is drop.state
    assert 2 == orders(keeper)
    assert ["photos/_held/beach.jpg.held.txt"] == keeper.results()
    assert [] == copies(keeper)


async def test_renaming_a_doubtful_file_settles_nothing(keeper: Daemon) -> None:
    """Not even where the rule buys every copy, and another picture has its name by now."""
    rules = keeper.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("done: keep", "done: keep\n    duplicates: buy"))
    photo = await in_doubt(keeper)
    photo.rename(photo.with_name("shore.jpg"))
    keeper.photo(shade=10)

    await keeper.run_once()

    assert 2 + 2 == orders(keeper)
    assert 1 == len(await keeper.drops(DropState.HELD))


async def test_a_doubt_can_be_ordered_again(keeper: Daemon) -> None:
    """A person says so; the original is copied again, and the report goes with the doubt."""
    await in_doubt(keeper)
    (drop,) = await keeper.drops()
    keeper.wish(Verb.RESUBMIT, drop.key)

    await keeper.run_once()

    assert 2 == len(keeper.results())
    assert {DropState.DONE} == {drop.state for drop in await keeper.drops()}


async def test_a_doubt_can_be_given_up_without_its_original(keeper: Daemon) -> None:
    """Nothing is sent then, so the original need not be there any more."""
    photo = await in_doubt(keeper)
    photo.unlink()
    (drop,) = await keeper.drops()
    keeper.wish(Verb.ABANDON, drop.key)

    await keeper.run_once()

    assert {DropState.FAILED} == {drop.state for drop in await keeper.drops()}


@pytest.mark.parametrize("gone", [True, False])
async def test_what_is_not_there_as_it_was_is_not_retried(
    keeper: Daemon, log: StringIO, *, gone: bool
) -> None:
    """A retry without its original, or with another content in its place, is refused with the reason."""
    keeper.faults("job_failed=first:1")
    photo = keeper.photo()
    await keeper.run_once()
    keeper.faults()
    (drop,) = await keeper.drops()
    before = photo.stat()
    keeper.photo(shade=201)
    os.utime(photo, ns=(before.st_mtime_ns, before.st_mtime_ns))
    if gone:
        photo.unlink()
    keeper.wish(Verb.RETRY, drop.key)

    await keeper.run_once()

    wanted = "no longer there, and no copy" if gone else "another content than when it was taken"
    assert wanted in log.getvalue()
    assert [] == copies(keeper)


async def test_reports_of_two_inboxes_do_not_overwrite_each_other(keeper: Daemon) -> None:
    """Two originals of one name, from two inboxes with one outbox, have a report each; so has what was there."""
    rules = keeper.folder / "dropglow.yaml"
    second = (
        KEEPING.partition("rules:")[2].replace("sizes\n", "others\n").replace("inbox/photos", "inbox/prompts")
    )
    rules.write_text(rules.read_text() + second)
    mine = keeper.outbox / "photos" / "_failed" / "a.jpg.error.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("a note of somebody's")
    for inbox in (keeper.photos, keeper.prompts):
        (inbox / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture at all")

    await keeper.run_once()

    names = ["a.jpg.error.txt", "a_2.jpg.error.txt", "a_3.jpg.error.txt"]
    assert [f"photos/_failed/{name}" for name in names] == keeper.results()
    assert "a note of somebody's" == mine.read_text()


@pytest.mark.parametrize("whose", ["ours", "another's"])
async def test_what_was_claimed_before_originals_stayed_goes_back(
    make_daemon: DaemonMaker, whose: str
) -> None:
    """The service died between a claim and its admission, and then its rules were changed to `done: keep`."""
    daemon = make_daemon(text=KEEPING.replace("    done: keep\n", ""))
    await daemon.run_once()
    work = daemon.photos / ".dropglow" / "work"
    work.mkdir()
    daemon.photo().rename(claimed := work / "1sf8h4x5y9~beach.jpg")
    if whose != "ours":
        (work.parent / "owner").write_text("another ledger")
    (daemon.folder / "dropglow.yaml").write_text(KEEPING)

    await daemon.run_once()

    assert (whose == "ours") is (daemon.photos / "beach.jpg").is_file()
    assert (whose != "ours") is claimed.is_file()
    assert (2 if whose == "ours" else 0) == len(daemon.results())


async def test_a_copy_under_another_name_is_a_drop_of_its_own(keeper: Daemon) -> None:
    """The same content beside its original is taken, and kept from being bought by `duplicates: reuse`."""
    photo = keeper.photo()
    await keeper.run_once()
    photo.with_name("copy.jpg").write_bytes(photo.read_bytes())

    await keeper.run_once()

    assert 2 == len(await keeper.drops(DropState.DONE))
    assert 2 == orders(keeper)


async def test_rules_share_an_original_that_stays(keeper: Daemon) -> None:
    """With `also: true` the next rule has the original too, and it is copied and remembered once."""
    rules = keeper.folder / "dropglow.yaml"
    second = KEEPING.partition("rules:")[2].replace("sizes\n", "others\n")
    rules.write_text(rules.read_text().replace("done: keep", "done: keep\n    also: true") + second)
    keeper.photo()

    await keeper.run_once()
    await keeper.run_once()

    assert 4 == len(keeper.results())
    assert 1 == len(await keeper.drops(DropState.DONE))


PAIRED: Final = KEEPING.replace(
    "expand: {sizes: [300x200, 320x200]}",
    'patience: 300ms\n    expand: {size: 300x200, mask: {sidecar: "{stem}.mask.png"}}',
)


@pytest.fixture
def pairing(make_daemon: DaemonMaker) -> Daemon:
    """Return a daemon whose pictures come with masks, and stay."""
    return make_daemon(text=PAIRED)


def mask(daemon: Daemon, shade: int = 255) -> Path:
    """Put a mask beside the picture."""
    path = daemon.photos / "beach.mask.png"
    Image.new("L", (240, 160), shade).save(path)
    return path


async def test_a_pair_stays_and_is_known(pairing: Daemon) -> None:
    """A picture and its mask are copied together, and neither is anything else at the next start."""
    pairing.photo()
    mask(pairing)

    await pairing.run_once()
    await pairing.run_once()

    assert 1 == len(pairing.results())
    assert 1 == len(await pairing.drops())
    assert ["photos/beach.jpg", "photos/beach.mask.png"] == pairing.inbox()


async def test_another_mask_takes_its_picture_again(pairing: Daemon) -> None:
    """The same photo with another mask is another order; the same mask, saved again, is not."""
    pairing.photo()
    mask(pairing)
    await pairing.run_once()
    saved_again(mask(pairing))
    await pairing.run_once()
    assert 1 == orders(pairing)
    saved_again(mask(pairing, shade=100))

    await pairing.run_once()
    await pairing.run_once()

    assert 2 == orders(pairing)
    assert 2 == len(await pairing.drops(DropState.DONE))


async def test_another_picture_is_taken_with_the_mask_that_stayed(pairing: Daemon) -> None:
    """A mask that was taken before goes with the next content of its picture, too."""
    photo = pairing.photo()
    mask(pairing)
    await pairing.run_once()
    pairing.photo(shade=30)
    saved_again(photo)

    await pairing.run_once()

    assert 2 == len(await pairing.drops(DropState.DONE))


async def test_a_mask_that_comes_too_late_takes_its_picture_again(pairing: Daemon) -> None:
    """A picture that failed for want of its mask is taken with it as soon as that comes, and its report goes."""
    pairing.photo()
    await pairing.run_once()
    assert ["photos/_failed/beach.jpg.error.txt"] == pairing.results()
    mask(pairing)

    await pairing.run_once()

    assert 1 == len(await pairing.drops(DropState.DONE))
    assert [False] == ["_failed" in name for name in pairing.results()]


BESIDE: Final = KEEPING.replace(
    "match: {kind: image}", 'match: {kind: image, name: "*.jpg"}'
) + PAIRED.partition("rules:")[2].replace("sizes\n", "filled\n")


@pytest.mark.parametrize("duplicates", ["reuse", "buy"])
async def test_a_mask_of_another_rule_takes_no_picture_again(
    make_daemon: DaemonMaker, duplicates: str
) -> None:
    """A file beside a picture whose rule has no use for it is no reason to buy that again, nor is a restart."""
    text = BESIDE.replace("done: keep", f"done: keep\n    duplicates: {duplicates}")
    daemon = make_daemon("job_failed=1" if duplicates == "reuse" else "job_failed=0", text=text)
    daemon.photo()
    mask(daemon)

    for _ in range(3):
        await daemon.run_once()

    assert 2 == orders(daemon)


async def test_masks_that_come_too_late_wait_for_room(make_daemon: DaemonMaker) -> None:
    """More pictures that are to be taken again than the queue has room for are taken one after the other."""
    daemon = make_daemon(text=PAIRED.replace("in_flight: 8", "in_flight: 1"))
    pictures = [daemon.photo(f"beach{number}.jpg", shade=number) for number in range(20)]
    await daemon.run_once()
    for picture in pictures:
        Image.new("L", (240, 160), 255).save(picture.with_suffix(".mask.png"))

    await daemon.run_once()

    assert 20 == len(await daemon.drops(DropState.DONE))


MARKED: Final = KEEPING.replace("expand:", 'ready: "{name}.done"\n    expand:')


@pytest.fixture
def marking(make_daemon: DaemonMaker) -> Daemon:
    """Return a daemon whose pictures come with markers, and stay."""
    return make_daemon(text=MARKED, hurry=20)  # an empty file is looked at for half a minute


@pytest.mark.parametrize("word", ["", "the word of another program"])
async def test_a_marker_stays_and_is_not_looked_into(marking: Daemon, word: str) -> None:
    """Whatever is in a marker, it lets its picture in and stays beside it; both are known at the next start."""
    marking.photo()
    (marking.photos / "beach.jpg.done").write_text(word)
    before = inbox_as_it_is(marking)

    await marking.run_once()
    await marking.run_once()

    assert before == inbox_as_it_is(marking)
    assert {DropState.DONE} == {drop.state for drop in await marking.drops()}
    assert 2 == orders(marking)
    assert [] == copies(marking)


@pytest.mark.parametrize("gone", [True, False])
async def test_a_retry_needs_no_marker(marking: Daemon, *, gone: bool) -> None:
    """What failed is copied again although its marker went, or says something else by now."""
    marking.faults("job_failed=first:1")
    marking.photo()
    marker = marking.photos / "beach.jpg.done"
    marker.write_text("at noon")
    await marking.run_once()
    (drop,) = await marking.drops(DropState.FAILED)
    marking.faults()
    if gone:
        marker.unlink()
    else:
        marker.write_text("in the evening")
    marking.wish(Verb.RETRY, drop.key)

    await marking.run_once()

    assert {DropState.DONE} == {each.state for each in await marking.drops()}
    assert 2 == len(marking.results())
    assert [] == copies(marking)


BOTH: Final = KEEPING.replace(
    "expand:", 'also: true\n    ready: "{stem}.txt"\n    expand:'
) + PAIRED.partition("rules:")[2].replace("sizes\n", "filled\n").replace(
    'mask: {sidecar: "{stem}.mask.png"}', 'prompt: {sidecar: "{stem}.txt"}'
)


@pytest.mark.parametrize("keep", [True, False])
async def test_the_marker_of_one_rule_may_be_the_prompt_of_another(
    make_daemon: DaemonMaker, *, keep: bool
) -> None:
    """Two rules share a picture and the text beside it: one only waits for that, the other one sends it."""
    text = BOTH.replace("fill:", "expand:")
    daemon = make_daemon(text=text if keep else text.replace("    done: keep\n", ""))
    daemon.photo()
    (daemon.photos / "beach.txt").write_text("a quiet sea")

    await daemon.run_once()

    assert {DropState.DONE} == {drop.state for drop in await daemon.drops()}
    assert 3 == len(daemon.results())


def explained(daemon: Daemon, file: Path, *options: str) -> str:
    """Return what ``dropglow explain`` says about a file."""
    result = CliRunner().invoke(main, ["--config", str(daemon.folder), "explain", str(file), *options])
    assert 0 == result.exit_code, result.output
    return result.stdout


@pytest.mark.parametrize("state", [DropState.DONE, DropState.FAILED])
async def test_explain_knows_what_was_taken(keeper: Daemon, state: DropState) -> None:
    """Of an original that was taken it names the drop, and says that nothing more is bought until it changes."""
    photo = keeper.photo()
    before = await asyncio.to_thread(explained, keeper, photo)
    if state is DropState.FAILED:
        keeper.faults("job_failed=1")
    await keeper.run_once()
    (drop,) = await keeper.drops()

    after, document = await asyncio.to_thread(
        lambda: (explained(keeper, photo), json.loads(explained(keeper, photo, "--json")))
    )
    saved_again(photo)
    touched = await asyncio.to_thread(explained, keeper, photo)

    assert state is drop.state
    assert "The original stays where it is, and is remembered as taken" in before
    assert f"It was taken already as drop {drop.key}" in after
    assert "Price" not in after
    (inbox,) = document["inboxes"]
    assert (drop.key, True) == (inbox["known"], inbox["orders"][0]["kept"])
    assert "It was taken already" not in touched


@pytest.mark.parametrize("how", [Verb.ABANDON, Verb.CANCEL])
async def test_what_a_person_stopped_is_not_begun_by_a_new_time(keeper: Daemon, how: Verb) -> None:
    """A share whose files get new times all at once buys nothing that somebody cancelled or gave up."""
    photo = await in_doubt(keeper)
    (drop,) = await keeper.drops()
    keeper.wish(Verb.ABANDON, drop.key)
    if how is Verb.CANCEL:
        keeper.photo("other.jpg", shade=1)
        photo = keeper.photos / "other.jpg"
        keeper.faults("never=1")
        await keeper.run_until(lambda: orders(keeper) == 4)
        (drop,) = await keeper.drops(DropState.OPEN)
        keeper.faults()
        keeper.wish(Verb.CANCEL, drop.key)
    await keeper.run_once()
    before = orders(keeper)
    saved_again(photo)

    await keeper.run_once()

    assert before == orders(keeper)
    assert DropState.FAILED is next(each for each in await keeper.drops() if each.key == drop.key).state
    assert [] == copies(keeper)


async def test_after_a_new_rule_what_was_bought_in_part_waits_for_a_person(keeper: Daemon) -> None:
    """A drop of which some was delivered is not bought anew because its original was saved again."""
    keeper.faults("job_failed=first:1")
    photo = keeper.photo()
    await keeper.run_once()
    keeper.faults()
    rules = keeper.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("320x200", "340x200"))
    saved_again(photo)

    await keeper.run_once()

    assert 2 == orders(keeper)
    assert 1 == len(await keeper.drops())


async def test_what_waits_for_approval_is_copied_when_it_comes(keeper: Daemon) -> None:
    """Held for its price, an original has no copy and a report; saving it again changes nothing, approval does."""
    rules = keeper.folder / "dropglow.yaml"
    rules.write_text(rules.read_text().replace("done: keep", "done: keep\n    budget: {hold_over: 1}"))
    photo = keeper.photo()
    await keeper.run_once()
    saved_again(photo)
    await keeper.run_once()
    (drop,) = await keeper.drops(DropState.HELD)
    held = keeper.results(), copies(keeper), orders(keeper)
    keeper.wish(Verb.APPROVE, drop.key)

    await keeper.run_once()

    assert (["photos/_held/beach.jpg.held.txt"], [], 0) == held
    assert 2 == len(keeper.results())
    assert {DropState.DONE} == {each.state for each in await keeper.drops()}


@pytest.mark.parametrize("done", ["archive", "keep", "delete"])
async def test_another_last_folder_takes_nothing_out_of_the_former_one(
    make_daemon: DaemonMaker, done: str
) -> None:
    """What was done or failed before a rule changed its mind about `done` is nobody's drop afterwards."""
    daemon = make_daemon()
    rules = daemon.folder / "dropglow.yaml"
    text = rules.read_text().replace("give_up: 200ms", "give_up: 200ms\n    duplicates: buy")
    rules.write_text(text)
    daemon.photo("more/beach.jpg")
    daemon.photo("cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture at all")
    await daemon.run_once()
    before = daemon.inbox()
    rules.write_text(text.replace("duplicates: buy", f"duplicates: buy\n    done: {done}\n    failed: wrong"))

    await daemon.run_once()

    assert before == daemon.inbox()
    assert 2 == orders(daemon)
    assert 2 == len(await daemon.drops())
