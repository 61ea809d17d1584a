"""What lies in an inbox, told apart by names and times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dropglow.intake.scan import Snag
from dropglow.intake.sweep import Sweep
from dropglow.intake.unready import NotReady
from dropglow.model import FolderSighting, Sighting
from dropglow.rules.assemble import Folders, assemble
from dropglow.rules.positions import parse
from dropglow.rules.review import review
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape
from dropglow.runtime.sorting import Sorted, Sorter
from dropglow.runtime.waits import SAY_AFTER_S
from dropglow.settle import MOST_TOLD, Watches

MASKED = 'expand: {mask: {sidecar: "{stem}.mask.png"}}\npatience: 60s'
PROMPTED = 'expand: {prompt: {sidecar: "{stem}.txt"}}\npatience: 30s'
NOW_S = 1000.0


def a_rule(text: str) -> Rule:
    raw = parse(f"name: test\ninbox: in\noutbox: out\n{text}", environ={}).value
    folders = Folders(base="/etc/rules", inbox="/srv/in", outbox="/srv/out")
    return assemble(review(RuleShape, raw).value, file="/etc/rules/a.yaml", line=2, folders=folders)


def sighting(path: str, *, mtime_ns: int = 1) -> Sighting:
    return Sighting(path=path, device=1, inode=2, size_bytes=7, mtime_ns=mtime_ns, ctime_ns=3)


def a_sweep(
    *settled: str | Sighting,
    settling: Sequence[str | Sighting] = (),
    snags: Sequence[Snag] = (),
    after: Sweep | None = None,
    known: Sequence[str] = (),
) -> Sweep:
    """Return what a sweep in full tells, where need be *after* another one of the same inbox."""
    files = [sighting(each) if isinstance(each, str) else each for each in (*settled, *settling, *known)]
    watches = after.seen if after else Watches()
    watches.observe(files, now_s=0, settle_s=2)
    return Sweep(
        settled=tuple(files[: len(settled)]),
        settling=tuple(files[len(settled) :]),
        seen=watches,
        paths=tuple(each.path for each in files if not isinstance(each, FolderSighting)),
        snags=tuple(snags),
        known=len(known),
        stayed=tuple(sighting(each) for each in known),
    )


def ready(found: Sorted) -> list[str]:
    return [each.path for each in found.ready]


@pytest.fixture
def rule() -> Rule:
    return a_rule(MASKED)


@pytest.fixture
def sorter(rule: Rule) -> Sorter:
    return Sorter([rule])


def waiting(sorter: Sorter, rule: Rule, *names: str, now_s: float = NOW_S) -> None:
    """Let ``a.jpg`` wait, with these files around it."""
    sorter.sort(a_sweep("a.jpg", *names), now_s=now_s)
    sorter.wait(sighting("a.jpg"), [rule], now_s=now_s)


def test_without_companions_all_is_ready_that_is_told() -> None:
    """Other inboxes go on as ever, and their sweeps need not be in full: what was left, they do not tell."""
    sorter, sweep = Sorter([a_rule("expand: {}")]), a_sweep("a.jpg", "b.mask.png")

    found = sorter.sort(sweep, now_s=NOW_S)
    sorter.leave(sighting("a.jpg"))

    assert not sorter.pairs
    assert (["a.jpg", "b.mask.png"], 1, None) == (ready(found), sorter.left, sorter.due_at_s)
    assert sweep.seen.is_left("a.jpg")


def test_a_partner_beside_its_drop_is_not_ready_by_itself(sorter: Sorter) -> None:
    """It goes with its drop, even with one that does not lie still yet."""
    found = sorter.sort(a_sweep("a.jpg", "a.mask.png", "b.mask.png", settling=["b.jpg"]), now_s=NOW_S)

    assert (["a.jpg"], 0) == (ready(found), sorter.lonely)


def test_partners_are_found(sorter: Sorter, rule: Rule) -> None:
    """What lies still beside a drop is its, what does not is missing."""
    sorter.sort(a_sweep("a.jpg", "a.mask.png", "b.jpg", settling=["b.mask.png"]), now_s=NOW_S)

    first, second = (sorter.match(sighting(name), [rule]) for name in ("a.jpg", "b.jpg"))

    assert (["a.mask.png"], ()) == ([each.path for each in first.partners], first.missing)
    assert ((), ("b.mask.png",)) == (second.partners, second.missing)


def test_a_partner_of_another_spelling_is_found_by_the_name_of_the_rule(sorter: Sorter, rule: Rule) -> None:
    """Orders speak of it as the rule spells it."""
    sorter.sort(a_sweep("a.jpg", "A.Mask.PNG"), now_s=NOW_S)

    (found,) = sorter.match(sighting("a.jpg"), [rule]).partners

    assert ("a.mask.png", "A.Mask.PNG") == (found.path, found.sighting.path)


def test_where_two_drops_differ_in_case_only_spelling_counts(sorter: Sorter, rule: Rule) -> None:
    """Neither gets the other's mask."""
    sorter.sort(a_sweep("a.jpg", "A.jpg", "a.mask.png"), now_s=NOW_S)

    assert ("A.mask.png",) == sorter.match(sighting("A.jpg"), [rule]).missing
    assert () == sorter.match(sighting("a.jpg"), [rule]).missing


def test_two_spellings_of_a_partner_are_one_too_many(sorter: Sorter, rule: Rule) -> None:
    """Nobody knows which is meant, so the drop waits."""
    sorter.sort(a_sweep("a.jpg", "A.mask.png", "a.Mask.png"), now_s=NOW_S)

    assert ("a.mask.png",) == sorter.match(sighting("a.jpg"), [rule]).missing


def test_a_waiting_drop_is_not_ready_until_its_partner_is(sorter: Sorter, rule: Rule) -> None:
    """Nobody looks into it in vain, and it is ready at once when the partner lies still."""
    waiting(sorter, rule)
    before = sorter.sort(a_sweep("a.jpg", settling=["a.mask.png"]), now_s=NOW_S + 1)
    count = sorter.incomplete

    after = sorter.sort(a_sweep("a.jpg", "a.mask.png"), now_s=NOW_S + 2)

    assert ([], 1) == (ready(before), count)
    assert (["a.jpg"], 0) == (ready(after), sorter.incomplete)


def test_a_waiting_drop_is_ready_when_its_patience_ends(sorter: Sorter, rule: Rule) -> None:
    """Then it cannot wait again."""
    waiting(sorter, rule)

    found = sorter.sort(a_sweep("a.jpg"), now_s=NOW_S + 60)

    assert ["a.jpg"] == ready(found)
    assert not sorter.wait(sighting("a.jpg"), [rule], now_s=NOW_S + 60)


def test_a_drop_that_was_given_back_has_waited_all_the_while(sorter: Sorter, rule: Rule) -> None:
    """A partner that cannot be moved does not make its drop wait for ever."""
    waiting(sorter, rule)
    back = replace(sighting("a.jpg"), ctime_ns=9)

    sorter.sort(a_sweep(settling=[back]), now_s=NOW_S + 50)
    sorter.sort(a_sweep(back), now_s=NOW_S + 52)

    assert not sorter.wait(back, [rule], now_s=NOW_S + 60)


def test_a_drop_that_changed_begins_to_wait_anew(sorter: Sorter, rule: Rule) -> None:
    """It is another file."""
    waiting(sorter, rule)
    changed = sighting("a.jpg", mtime_ns=2)

    found = sorter.sort(a_sweep(changed), now_s=NOW_S + 59)

    assert ["a.jpg"] == ready(found)
    assert sorter.wait(changed, [rule], now_s=NOW_S + 61)


def test_a_drop_that_vanished_waits_no_more(sorter: Sorter, rule: Rule) -> None:
    """Whoever dropped it took it back."""
    waiting(sorter, rule)

    sorter.sort(a_sweep(), now_s=NOW_S + 1)

    assert (0, None, False) == (sorter.incomplete, sorter.due_at_s, sorter.unsettled)


def test_nothing_is_forgotten_while_the_inbox_is_away(sorter: Sorter, rule: Rule) -> None:
    """A share that comes back finds everything waiting as before."""
    waiting(sorter, rule)

    away = sorter.sort(Sweep(offline="it is away"), now_s=NOW_S + 30)
    alarm = sorter.due_at_s
    sorter.sort(a_sweep("a.jpg"), now_s=NOW_S + 40)

    assert (Sorted(), None) == (away, alarm)
    assert (1, NOW_S + 60) == (sorter.incomplete, sorter.due_at_s)


def test_what_waits_is_said_once_and_not_at_once(sorter: Sorter, rule: Rule) -> None:
    """Files that are copied together are not worth a line."""
    waiting(sorter, rule, "b.mask.png")
    alarm = sorter.due_at_s
    times = (1, SAY_AFTER_S, SAY_AFTER_S + 1)

    said = [sorter.sort(a_sweep("a.jpg", "b.mask.png"), now_s=NOW_S + at_s).to_say for at_s in times]

    assert NOW_S + SAY_AFTER_S == alarm
    assert [[], ["a.jpg", "b.mask.png"], []] == [[each.sighting.path for each in some] for some in said]


def test_a_partner_alone_is_looked_into_once(sorter: Sorter) -> None:
    """Whether it is something to another rule does not change while it lies there."""
    first = sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S)
    sorter.judge(first.unjudged[0], wanted=False)
    second = sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S + 1)

    assert (1, 0) == (len(first.unjudged), len(second.unjudged))
    assert (1, False) == (sorter.lonely, sorter.unsettled)


def test_a_partner_that_nobody_comes_for_is_given_up_once(sorter: Sorter) -> None:
    """It stays, and is counted."""
    first = sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S)
    sorter.judge(first.unjudged[0], wanted=False)

    second, third = (sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S + at_s) for at_s in (60, 61))

    assert ([], []) == (ready(second), ready(third))
    assert (["a.mask.png"], []) == ([each.sighting.path for each in second.given_up], list(third.given_up))
    assert (1, None) == (sorter.lonely, sorter.due_at_s)


def test_a_partner_that_was_given_up_is_not_said_to_wait() -> None:
    """Its rule is so impatient that nothing was said of it before."""
    sorter = Sorter([a_rule(MASKED.replace("60s", "3s"))])
    first = sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S)
    sorter.judge(first.unjudged[0], wanted=False)
    sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S + 3)

    assert () == sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S + SAY_AFTER_S).to_say


def test_a_partner_that_another_rule_wants_is_ready_after_the_patience(sorter: Sorter) -> None:
    """Until then its drop could still come."""
    first = sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S)
    sorter.judge(first.unjudged[0], wanted=True)
    busy = sorter.unsettled

    second, third = (sorter.sort(a_sweep("a.mask.png"), now_s=NOW_S + at_s) for at_s in (59, 60))

    assert busy
    assert ([], ["a.mask.png"]) == (ready(second), ready(third))


def test_a_file_that_no_rule_took_is_nobodys_drop(sorter: Sorter) -> None:
    """A mask beside a PDF of its name waits for a picture."""
    sweep = a_sweep("a.pdf", "a.mask.png")
    sorter.sort(sweep, now_s=NOW_S)
    sorter.leave(sighting("a.pdf"))

    sorter.sort(sweep, now_s=NOW_S)

    assert (1, 1) == (sorter.left, sorter.lonely)


def test_a_file_that_no_rule_took_is_looked_at_again_when_it_changes(sorter: Sorter) -> None:
    """Somebody may have mended it."""
    sweep = a_sweep("a.jpg")
    sorter.sort(sweep, now_s=NOW_S)
    sorter.leave(sighting("a.jpg"))
    before = sorter.sort(sweep, now_s=NOW_S)

    after = sorter.sort(a_sweep(sighting("a.jpg", mtime_ns=2), after=sweep), now_s=NOW_S)

    assert ([], ["a.jpg"]) == (ready(before), ready(after))


def test_a_partner_of_another_partner_makes_no_drop_of_it() -> None:
    """A mask goes with its picture, although another rule would see a drop in it."""
    noted = a_rule('expand: {prompt: {sidecar: "{name}.txt"}}')
    sorter = Sorter([a_rule(MASKED), noted])

    found = sorter.sort(a_sweep("a.jpg", "a.mask.png", "a.mask.png.txt"), now_s=NOW_S)

    assert (["a.jpg"], 1) == (ready(found), sorter.lonely)


def test_a_partner_that_was_taken_in_vain_can_be_had_again(sorter: Sorter, rule: Rule) -> None:
    """It was given back with its drop, and the next sweep sees it."""
    sorter.sort(a_sweep("a.jpg", "a.mask.png"), now_s=NOW_S)
    sorter.take(sighting("a.jpg"), sorter.match(sighting("a.jpg"), [rule]).partners, now_s=NOW_S)

    sorter.sort(a_sweep("a.jpg", "a.mask.png"), now_s=NOW_S)

    assert sorter.free(sighting("a.mask.png"))
    assert () == sorter.match(sighting("a.jpg"), [rule]).missing


def test_a_partner_that_was_taken_is_gone() -> None:
    """A second drop does not get it, and hears where it went."""
    prompted = a_rule(PROMPTED)
    sorter = Sorter([prompted])
    sorter.sort(a_sweep("a.jpg", "a.png", "a.txt"), now_s=NOW_S)
    sorter.take(sighting("a.jpg"), sorter.match(sighting("a.jpg"), [prompted]).partners, now_s=NOW_S)

    assert ("a.txt",) == sorter.match(sighting("a.png"), [prompted]).missing
    assert "which went with a.jpg" == sorter.whereabouts("a.txt", sighting("a.png"), now_s=NOW_S + 30)
    assert not sorter.free(sighting("a.txt"))


def test_only_the_latest_partners_are_remembered(sorter: Sorter, rule: Rule) -> None:
    """A long life does not fill the memory."""
    for number in range(1002):
        sorter.sort(a_sweep(f"{number}.jpg", f"{number}.mask.png"), now_s=NOW_S)
        drop = sighting(f"{number}.jpg")
        sorter.take(drop, sorter.match(drop, [rule]).partners, now_s=NOW_S)
    another = sighting("another.jpg")

    told = [sorter.whereabouts(f"{number}.mask.png", another, now_s=NOW_S) for number in (0, 1001)]

    assert ["which never came", "which went with 1001.jpg"] == told


def test_a_partner_that_went_long_ago_is_no_excuse(sorter: Sorter, rule: Rule) -> None:
    """Yesterday's mask of the same name explains nothing about today's."""
    drop = sighting("a.jpg")
    sorter.sort(a_sweep(drop, "a.mask.png"), now_s=NOW_S)
    sorter.take(drop, sorter.match(drop, [rule]).partners, now_s=NOW_S)
    sorter.sort(a_sweep(), now_s=NOW_S + 1)
    sorter.sort(a_sweep(drop), now_s=NOW_S + 2)

    assert "which never came" == sorter.whereabouts("a.mask.png", drop, now_s=NOW_S + 62)


def test_the_report_says_what_is_wrong_with_a_partner(sorter: Sorter) -> None:
    """One that is there, and cannot be had, is told from one that never came."""
    sorter.sort(
        a_sweep("a.jpg", settling=["a.mask.png"], snags=[Snag(path="b.mask.png", reason="it is a link")]),
        now_s=NOW_S,
    )

    told = [sorter.whereabouts(f"{stem}.mask.png", sighting("a.jpg"), now_s=NOW_S) for stem in "abc"]

    assert [
        "which is there, but never lay still, or cannot be had",
        "which is not taken: it is a link",
        "which never came",
    ] == told


def test_the_longest_patience_of_a_drops_rules_counts(rule: Rule) -> None:
    """A drop of two rules is one thing."""
    rules = [rule, a_rule(PROMPTED)]
    sorter = Sorter(rules)
    sorter.sort(a_sweep("a.jpg"), now_s=NOW_S)

    assert sorter.wait(sighting("a.jpg"), rules, now_s=NOW_S + 59)
    assert not sorter.wait(sighting("a.jpg"), rules, now_s=NOW_S + 60)


def test_of_two_rules_that_want_each_others_drops_the_first_has_its_way() -> None:
    """Neither file waits for the other for ever."""
    pictures, prompts = (
        a_rule(PROMPTED),
        a_rule('generate: {structure: {image_reference: {sidecar: "{stem}.jpg"}}}'),
    )

    found = [
        ready(Sorter(rules).sort(a_sweep("a.jpg", "a.txt"), now_s=NOW_S))
        for rules in ([pictures, prompts], [prompts, pictures])
    ]

    assert [["a.jpg"], ["a.txt"]] == found


def test_the_second_rule_has_its_way_where_the_first_takes_nothing() -> None:
    """A picture that the first rule leaves alone is the partner of the second rule's prompt."""
    prompts = a_rule('generate: {structure: {image_reference: {sidecar: "{stem}.jpg"}}}')
    sorter = Sorter([a_rule(PROMPTED), prompts])
    sweep = a_sweep("a.jpg", "a.txt")
    sorter.sort(sweep, now_s=NOW_S)
    sorter.leave(sighting("a.jpg"))

    found = sorter.sort(sweep, now_s=NOW_S)

    assert ["a.txt"] == ready(found)
    assert () == sorter.match(sighting("a.txt"), [prompts]).missing


def test_no_more_are_ready_at_once_than_one_look_tells(sorter: Sorter) -> None:
    """The others wait in the folder for a later sweep."""
    found = sorter.sort(a_sweep(*(f"{number}.jpg" for number in range(MOST_TOLD + 3))), now_s=NOW_S)

    assert (MOST_TOLD, 3) == (len(found.ready), found.beyond)


@pytest.mark.slow
def test_four_times_as_many_pairs_take_about_four_times_as_long(rule: Rule) -> None:
    """Nothing compares every file with every other."""
    times = []
    for count in (5_000, 20_000):
        names = [name for number in range(count) for name in (f"{number}.jpg", f"{number}.mask.png")]
        sorter, sweep = Sorter([rule]), a_sweep(*names)
        began_s = time.process_time()
        found = sorter.sort(sweep, now_s=NOW_S)
        for each in sweep.settled[::2]:
            sorter.take(each, sorter.match(each, [rule]).partners, now_s=NOW_S)
        times.append(time.process_time() - began_s)
        assert count == len(found.ready) + found.beyond

    assert times[1] < 12 * times[0]


MARKED = 'expand: {mask: {sidecar: "{stem}.mask.png"}}\npatience: 60s\nready: "{name}.done"'


def unmarked(sorter: Sorter, rule: Rule, *, now_s: float = NOW_S) -> None:
    """Let ``a.jpg`` wait for its marker."""
    sorter.sort(a_sweep("a.jpg"), now_s=now_s)
    sorter.await_marker(sighting("a.jpg"), [rule], now_s=now_s)


def test_a_marker_need_not_lie_still() -> None:
    """That it is there says all; an empty file would take half a minute to settle."""
    rule = a_rule(MARKED)
    sorter = Sorter([rule])
    sorter.sort(a_sweep("a.jpg", settling=["A.jpg.DONE"]), now_s=NOW_S)

    marks = sorter.marks(sighting("a.jpg"), [rule])

    assert (["A.jpg.DONE"], ()) == ([each.sighting.path for each in marks.found], marks.missing)
    assert all(each.marker for each in marks.found)
    assert ("b.jpg.done",) == sorter.marks(sighting("b.jpg"), [rule]).missing


def test_a_drop_waits_for_its_marker_without_end() -> None:
    """It is counted and said once, no run waits for it, and it is ready when the marker is there."""
    rule = a_rule(MARKED)
    sorter = Sorter([rule])
    unmarked(sorter, rule)
    due_at_s = sorter.due_at_s
    soon = sorter.sort(a_sweep("a.jpg"), now_s=NOW_S + SAY_AFTER_S)
    later = sorter.sort(a_sweep("a.jpg"), now_s=NOW_S + 100_000)
    count = sorter.unmarked
    marked = sorter.sort(a_sweep("a.jpg", settling=["a.jpg.done"]), now_s=NOW_S + 100_001)

    assert NOW_S + SAY_AFTER_S == due_at_s
    assert (1, 0) == (len(soon.to_say), len(later.to_say))
    assert (1, False, None) == (count, sorter.unsettled, sorter.due_at_s)
    assert ([], [], ["a.jpg"]) == (ready(soon), ready(later), ready(marked))
    assert 0 == sorter.unmarked


def test_a_drop_that_waits_for_long_is_due_for_nothing() -> None:
    """It was said already, or is old enough to be said by the sweep that comes anyway."""
    rule = a_rule(MARKED)
    sorter = Sorter([rule])
    sorter.sort(a_sweep("a.jpg"), now_s=NOW_S)
    sorter.await_marker(sighting("a.jpg"), [rule], now_s=NOW_S + 50)

    assert sorter.due_at_s is None


def test_a_drop_that_changed_is_looked_at_again_for_its_marker() -> None:
    """Other rules may take it now."""
    rule = a_rule(MARKED)
    sorter = Sorter([rule])
    unmarked(sorter, rule)

    found = sorter.sort(a_sweep(sighting("a.jpg", mtime_ns=2)), now_s=NOW_S + 1)

    assert (["a.jpg"], 0) == (ready(found), sorter.unmarked)


def test_patience_begins_with_the_marker() -> None:
    """What was copied with it needs to settle yet, however long ago the drop did."""
    rule = a_rule(MARKED)
    sorter = Sorter([rule])
    sorter.sort(a_sweep("a.jpg"), now_s=NOW_S)
    sweep = a_sweep("a.jpg", settling=["a.jpg.done"])
    sweep.seen.forget("a.jpg.done")
    sweep.seen.observe(sweep.settled + sweep.settling, now_s=NOW_S + 500, settle_s=2)
    sorter.sort(sweep, now_s=NOW_S + 500)

    assert sorter.wait(sighting("a.jpg"), [rule], now_s=NOW_S + 559)
    assert not sorter.wait(sighting("a.jpg"), [rule], now_s=NOW_S + 560)


def test_a_marker_without_its_drop_is_nobodys_drop() -> None:
    """It waits for one, and stays."""
    sorter = Sorter([a_rule(MARKED)])

    found = sorter.sort(a_sweep("a.jpg.done"), now_s=NOW_S)

    assert ([], 1) == (ready(found), sorter.lonely)


def test_a_partner_that_is_not_whole_is_named_so(sorter: Sorter, rule: Rule) -> None:
    """It is there, and what is missing is known."""
    half = NotReady(path="a.mask.png", reason="cut off", since_s=0, until_s=9, identity=(1, 2, 3, 4))
    sorter.sort(replace(a_sweep("a.jpg", "a.mask.png"), settled=(), unready=(half,)), now_s=NOW_S)

    told = sorter.whereabouts("a.mask.png", sighting("a.jpg"), now_s=NOW_S)

    assert "which is there, and is not whole: cut off" == told


def test_a_pair_that_was_taken_and_stays_is_left_alone(sorter: Sorter) -> None:
    """Nothing of it is ready, lonely or waiting."""
    found = sorter.sort(a_sweep(known=["a.jpg", "a.mask.png"]), now_s=NOW_S)

    assert Sorted() == found
    assert (0, 0, None) == (sorter.lonely, sorter.incomplete, sorter.due_at_s)


def test_a_new_partner_wakes_what_stayed_until_they_are_taken(sorter: Sorter, rule: Rule) -> None:
    """The picture that was taken before is ready again for as long as the queue has no room for it."""
    sweep = a_sweep("a.mask.png", known=["a.jpg", "b.jpg"])

    first, second = (sorter.sort(sweep, now_s=NOW_S) for _ in range(2))
    due = sorter.due(sighting("a.jpg"), sorter.match(sighting("a.jpg"), [rule]).partners)
    third = sorter.sort(a_sweep(known=["a.jpg", "a.mask.png", "b.jpg"]), now_s=NOW_S)

    assert (["a.jpg"], ["a.jpg"], []) == (ready(first), ready(second), ready(third))
    assert due


def test_a_partner_of_no_use_wakes_what_stayed_once(sorter: Sorter) -> None:
    """A picture that was taken before by a rule without companions is not taken again for another rule's mask."""
    sweep = a_sweep("a.mask.png", known=["a.jpg"])
    first = sorter.sort(sweep, now_s=NOW_S)
    due = sorter.due(sighting("a.jpg"), ())

    second = sorter.sort(sweep, now_s=NOW_S)

    assert (["a.jpg"], False, []) == (ready(first), due, ready(second))


def test_what_is_new_needs_no_new_partner(sorter: Sorter) -> None:
    """A picture that was not taken before is due whatever lies beside it."""
    sorter.sort(a_sweep("a.jpg", "a.mask.png", known=["b.jpg"]), now_s=NOW_S)

    assert sorter.due(sighting("a.jpg"), ())


def test_what_stayed_and_waits_for_more_is_not_ready() -> None:
    """A picture that waits for the second of two partners is not looked into at each look."""
    rule = a_rule('fill: {mask: {sidecar: "{stem}.mask.png"}, prompt: {sidecar: "{stem}.txt"}}')
    sorter, sweep = Sorter([rule]), a_sweep("a.mask.png", known=["a.jpg"])
    sorter.sort(sweep, now_s=NOW_S)
    waits = sorter.wait(sighting("a.jpg"), [rule], now_s=NOW_S)

    found = sorter.sort(sweep, now_s=NOW_S)

    assert waits
    assert [] == ready(found)
    assert 1 == sorter.incomplete


def test_what_stayed_and_no_rule_takes_is_not_ready(sorter: Sorter) -> None:
    """A new partner wakes it once, and its rules leave it."""
    sweep = a_sweep("a.mask.png", known=["a.jpg"])
    sorter.sort(sweep, now_s=NOW_S)
    sorter.leave(sighting("a.jpg"))

    found = sorter.sort(sweep, now_s=NOW_S)

    assert [] == ready(found)


def test_a_partner_that_changes_once_more_wakes_it_again(sorter: Sorter) -> None:
    """Each content of a mask makes another order of its picture."""
    sorter.sort(a_sweep("a.mask.png", known=["a.jpg"]), now_s=NOW_S)

    found = sorter.sort(a_sweep(sighting("a.mask.png", mtime_ns=2), known=["a.jpg"]), now_s=NOW_S)

    assert ["a.jpg"] == ready(found)


def test_what_stayed_is_matched_with_a_partner_that_stayed(sorter: Sorter, rule: Rule) -> None:
    """A new picture goes with the mask that an earlier one went with."""
    sorter.sort(a_sweep("a.jpg", known=["a.mask.png"]), now_s=NOW_S)

    match = sorter.match(sighting("a.jpg"), [rule])

    assert ["a.mask.png"] == [each.path for each in match.partners]


def a_folder(*names: str) -> FolderSighting:
    members = tuple(sighting(f"shoot/{name}") for name in names)
    return FolderSighting(
        path="shoot", device=1, inode=3, size_bytes=7, mtime_ns=1, ctime_ns=3, members=members
    )


def test_a_folder_waits_for_what_its_files_miss() -> None:
    """As long as it stays as it is; when something comes, or the patience ends, it is ready again."""
    rule = a_rule(f"drop: folder\n{MASKED}")
    sorter = Sorter([rule])
    before = a_sweep(a_folder("a.jpg"))
    whole = a_folder("a.jpg", "a.mask.png")

    first = sorter.sort(before, now_s=NOW_S)
    waits = sorter.wait_for_members(a_folder("a.jpg"), [rule], ["shoot/a.mask.png"], now_s=NOW_S)
    second = sorter.sort(a_sweep(a_folder("a.jpg"), after=before), now_s=NOW_S + SAY_AFTER_S)
    changed = sorter.sort(a_sweep(whole, after=before), now_s=NOW_S + 20)
    patient = sorter.wait_for_members(whole, [rule], ["shoot/b.png"], now_s=NOW_S + 81)

    assert (["shoot"], True, [], ["shoot"]) == (ready(first), waits, ready(second), ready(changed))
    assert [("shoot/a.mask.png",)] == [each.missing for each in second.to_say]  # type: ignore[union-attr]
    assert not patient


def test_a_folder_is_nobodys_partner() -> None:
    """Whatever it is called: what belongs to single files are files."""
    sorter = Sorter([a_rule(MASKED), a_rule("drop: folder\nexpand: {}")])

    found = sorter.sort(a_sweep("shoot.mask.png", a_folder("a.jpg")), now_s=NOW_S)

    assert ["shoot"] == ready(found)
    assert 1 == sorter.lonely
