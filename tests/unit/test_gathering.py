"""When people are told, and of how much at once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropglow.gathering import BREATH_S, CALM_S, HOUR_S, PAUSES_S, Gatherer
from dropglow.notices import DAY_S, Bounds, Kind, Message, Notice, Topic

NOON: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
WIDE: Final = Bounds(per_hour=1000, per_day=10000)


def failure(name: str = "a.jpg", hint: str = "mend it") -> Notice:
    return Notice(
        kind=Kind.FAILURE, event="drop.failed", line=f"{name} failed", hint=hint, rule="sizes", at=NOON
    )


def held() -> Notice:
    return replace(failure(), kind=Kind.HOLD, event="drop.held", line="a.jpg is held")


def done(rule: str = "sizes", results: int = 3) -> Notice:
    return Notice(
        kind=Kind.SUCCESS, event="drop.done", line="a.jpg is done", rule=rule, results=results, at=NOON
    )


def alarm(line: str = "the ledger cannot be used") -> Notice:
    return Notice(kind=Kind.ALARM, event="ledger.unavailable", line=line, at=NOON)


def ill(subject: str = "inbox /a", why: str = "gone", hint: str = "") -> Notice:
    return Notice(
        kind=Kind.TROUBLE, event="inbox.offline", line=f"{subject} is offline: {why}", subject=subject,
        name=subject, hint=hint, at=NOON,
    )  # fmt: skip


def well(subject: str = "inbox /a") -> Notice:
    return Notice(
        kind=Kind.RECOVERY,
        event="inbox.online",
        line=f"{subject} is back",
        subject=subject,
        name=subject,
        at=NOON,
    )


def sent(gatherer: Gatherer) -> tuple[float, Message]:
    """Return the next message and when it is taken, at the very moment that it is due."""
    due_s = gatherer.due_s()
    assert due_s is not None
    assert gatherer.take(due_s - 0.001) is None
    message = gatherer.take(due_s)
    assert message is not None
    return due_s, message


def test_the_first_failure_is_told_after_a_breath() -> None:
    """At once, but for a breath in which its siblings may fail too."""
    gatherer = Gatherer(WIDE)
    gatherer.add(failure("a.jpg"), 0.0)
    gatherer.add(failure("b.jpg"), 1.0)

    at_s, message = sent(gatherer)

    assert BREATH_S == at_s
    assert ("a.jpg failed", "b.jpg failed", "    mend it") == message.lines
    assert ("2 files failed", Kind.FAILURE, {Kind.FAILURE: 2}) == (
        message.title,
        message.kind,
        message.counts,
    )
    assert gatherer.due_s() is None


def test_one_failure_is_its_own_title() -> None:
    """Who sees only the title knows already; a long one is cut."""
    gatherer = Gatherer(WIDE)
    gatherer.add(failure("x" * 300, hint=""), 0.0)

    _, message = sent(gatherer)

    assert message.title.startswith("xxx")
    assert 120 == len(message.title)
    assert message.text == f"{'x' * 300} failed"


def test_what_goes_on_failing_is_gathered_for_longer_and_longer() -> None:
    """The pauses between two messages grow to an hour."""
    gatherer = Gatherer(WIDE)
    times = []
    at_s = 0.0
    for _ in range(6):
        gatherer.add(failure(), at_s)
        at_s, _ = sent(gatherer)
        times.append(at_s)

    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(times)]
    assert [*PAUSES_S, 3600.0] == pauses


def test_after_quiet_the_next_one_is_told_at_once_again() -> None:
    """Twice the pause without news makes a lane as good as new."""
    gatherer = Gatherer(WIDE)
    gatherer.add(failure(), 0.0)
    sent(gatherer)

    gatherer.add(failure(), 1000.0)

    assert 1000.0 + BREATH_S == gatherer.due_s()


def test_a_thousand_failures_are_counted_and_not_listed() -> None:
    """A message has ten lines and says how many more there are; what repeats itself is one line."""
    gatherer = Gatherer(WIDE)
    for number in range(1000):
        gatherer.add(failure(f"{number}.jpg", hint=""), 0.0)
    gatherer.add(failure("3.jpg", hint=""), 0.5)

    _, message = sent(gatherer)

    assert 11 == len(message.lines)
    assert "3.jpg failed (2 times)" in message.lines
    assert "and 990 more: dropglow status" == message.lines[-1]
    assert "1,001 files failed" == message.title
    assert 10 == len(message.notices)


def test_failures_do_not_hold_up_a_trouble() -> None:
    """Files and troubles have a pause of their own, and trouble goes first."""
    gatherer = Gatherer(WIDE)
    gatherer.add(failure(), 0.0)
    sent(gatherer)
    gatherer.add(failure(), 10.0)
    gatherer.add(ill(hint="mount it"), 10.0)

    at_s, message = sent(gatherer)

    assert 10.0 + BREATH_S == at_s
    assert ("inbox /a is offline: gone", "    mount it") == message.lines
    assert Kind.TROUBLE is message.kind


def test_several_kinds_are_counted_in_the_title() -> None:
    """The most urgent one comes first and gives the message its kind."""
    gatherer = Gatherer(WIDE)
    for notice in (ill("inbox /a"), ill("inbox /b"), alarm(), alarm()):
        gatherer.add(notice, 0.0)
    _, message = sent(gatherer)
    assert "2 alarms, 2 troubles" == message.title
    assert "the ledger cannot be used (2 times)" == message.lines[-1]
    gatherer.add(failure(), 0.0)
    gatherer.add(held(), 0.0)
    gatherer.add(held(), 0.0)

    _, message = sent(gatherer)

    assert "1 file failed, 2 files held" == message.title


def test_trouble_and_recovery_are_told() -> None:
    """The end of what was told is told; the end of what nobody knew of is not."""
    gatherer = Gatherer(WIDE)
    gatherer.add(well("inbox /b"), 0.0)
    gatherer.add(ill(), 0.0)
    sent(gatherer)
    gatherer.add(well(), 500.0)
    gatherer.add(well(), 501.0)

    _, message = sent(gatherer)

    assert ("inbox /a is back",) == message.lines
    assert (Kind.RECOVERY, "inbox /a is back") == (message.kind, message.title)
    assert gatherer.due_s() is None


def test_several_recoveries_are_counted() -> None:
    """A share with five inboxes comes back as one message."""
    gatherer = Gatherer(WIDE)
    for name in ("a", "b"):
        gatherer.add(ill(name), 0.0)
    sent(gatherer)
    for name in ("a", "b"):
        gatherer.add(well(name), 500.0)

    _, message = sent(gatherer)

    assert "2 well again" == message.title


def test_a_trouble_that_is_over_before_it_was_told_is_one_line() -> None:
    """Within a pause, trouble and recovery become what they were: a while of trouble."""
    gatherer = Gatherer(WIDE)
    gatherer.add(ill(), 0.0)
    gatherer.add(well(), 1.0)

    _, message = sent(gatherer)

    assert ("inbox /a was in trouble for a while, and is well again",) == message.lines


def test_the_same_trouble_for_another_reason_is_told() -> None:
    """That Adobe throttles and that it refuses the credentials is not the same; a repetition is no news."""
    gatherer = Gatherer(WIDE)
    gatherer.add(ill(why="throttled"), 0.0)
    sent(gatherer)
    gatherer.add(ill(why="throttled"), 100.0)
    assert gatherer.due_s() is None
    gatherer.add(ill(why="refused"), 100.0)

    _, message = sent(gatherer)

    assert ("inbox /a is offline: refused",) == message.lines


def test_what_comes_and_goes_is_told_as_that_and_then_once_it_rests() -> None:
    """Of forty changes three messages remain: the trouble, that it flaps, and how it ended."""
    gatherer = Gatherer(WIDE)
    messages = []
    now_s = 0.0
    for number in range(40):
        gatherer.add(well() if number % 2 else ill(), now_s)
        if (message := gatherer.take(now_s + 50.0)) is not None:
            messages.append(message)
        now_s += 60.0

    assert ["inbox /a is offline: gone"] == list(messages[0].lines)
    assert 3 >= len(messages)
    assert "comes and goes" in messages[-1].lines[0]
    at_s, message = sent(gatherer)
    assert ("inbox /a has come to rest: inbox /a is back",) == message.lines
    assert at_s >= now_s - 60.0 + CALM_S
    assert gatherer.due_s() is None


def test_flapping_is_of_the_last_hour() -> None:
    """Four changes over a day are four changes."""
    gatherer = Gatherer(WIDE)
    for number in range(6):
        gatherer.add(well() if number % 2 else ill(hint="mount it"), number * HOUR_S)

        _, message = sent(gatherer)

        assert "comes and goes" not in message.text


def test_what_rests_ill_says_so() -> None:
    """The end of flapping may be a trouble that stays."""
    gatherer = Gatherer(WIDE)
    for number in range(5):
        gatherer.add(well() if number % 2 else ill(hint="mount it"), float(number))
    _, flapping = sent(gatherer)
    assert "5 changes" in flapping.text

    _, message = sent(gatherer)

    assert ("inbox /a has come to rest: inbox /a is offline: gone",) == message.lines


def test_an_hour_and_a_day_have_bounds() -> None:
    """What is over is gathered, and the last message before says so."""
    gatherer = Gatherer(Bounds(per_hour=2, per_day=3, digest_s=None))
    gatherer.add(failure(), 0.0)
    sent(gatherer)
    gatherer.add(ill(), 0.0)
    _, second = sent(gatherer)
    assert "this was the last for now: what follows is gathered for 60 minutes" == second.lines[-1]
    gatherer.add(failure(), 100.0)

    third_s, third = sent(gatherer)

    assert BREATH_S + HOUR_S == third_s
    assert "this was the last for now: what follows is gathered for 23 hours" == third.lines[-1]
    gatherer.add(failure(), 2 * HOUR_S)
    fourth_s, _ = sent(gatherer)
    assert BREATH_S + DAY_S == fourth_s


@given(
    st.lists(
        st.tuples(
            st.floats(0, 600),
            st.sampled_from(
                [failure(), held(), done(), alarm(), ill(), well(), ill("b"), well("b"), ill(why="x")]
            ),
        ),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_no_story_exceeds_the_bounds_and_every_trouble_is_told(
    story: list[tuple[float, Notice]], most: int
) -> None:
    """Whatever happens, no hour has more messages than allowed; in the end the last word on each subject is true."""
    gatherer = Gatherer(Bounds(per_hour=most, per_day=1000, digest_s=HOUR_S))
    now_s, times, told = 0.0, [], []
    for wait_s, notice in story:
        now_s += wait_s
        while (message := gatherer.take(now_s)) is not None:
            times.append(now_s)
            told.append(message)
        gatherer.add(notice, now_s)
    while gatherer.due_s() is not None:
        at_s, message = sent(gatherer)
        times.append(max(at_s, now_s))
        told.append(message)

    for index, first_s in enumerate(times):
        assert most >= sum(first_s <= at_s < first_s + HOUR_S - 0.01 for at_s in times[index:])
    failures = sum(notice.kind is Kind.FAILURE for _, notice in story)
    assert failures == sum(
        message.counts.get(Kind.FAILURE, 0) for message in told if message.kind is not Kind.SUCCESS
    )
    for name in ("inbox /a", "b"):
        mine = [notice for _, notice in story if notice.subject == name]
        while mine and mine[0].kind is Kind.RECOVERY:
            mine.pop(0)
        if mine:
            last = [line for message in told for line in message.lines if line.startswith(name)][-1]
            is_ill = mine[-1].kind is Kind.TROUBLE
            assert is_ill == ("offline" in last)


def test_successes_wait_for_their_digest() -> None:
    """By rule, the busiest first, with what did not go well in the same time."""
    gatherer = Gatherer(replace(WIDE, digest_s=HOUR_S))
    for notice in (done("art", 1), done("sizes", 3), done("sizes", 2), failure()):
        gatherer.add(notice, 0.0)
    sent(gatherer)

    at_s, message = sent(gatherer)

    assert HOUR_S == at_s
    assert "3 files done, 6 results" == message.title
    assert (
        "sizes: 2 files, 5 results",
        "art: 1 file, 1 result",
        "in the same time: 1 failed",
    ) == message.lines
    assert Kind.SUCCESS is message.kind
    assert gatherer.due_s() is None


def test_a_digest_of_many_rules_is_short() -> None:
    """Ten rules are named."""
    gatherer = Gatherer(WIDE)
    for number in range(12):
        gatherer.add(done(f"rule {number}"), 0.0)

    _, message = sent(gatherer)

    assert 11 == len(message.lines)
    assert "and 2 rules more: dropglow costs" == message.lines[-1]


@pytest.mark.parametrize(
    "topics", [frozenset({Topic.FAILURES}), frozenset({Topic.TROUBLE}), frozenset({Topic.DIGEST})]
)
def test_a_receiver_hears_of_its_topics_only(topics: frozenset[Topic]) -> None:
    """What somebody did not ask for is not gathered either."""
    gatherer = Gatherer(WIDE, topics=topics)
    for notice in (failure(), held(), done(), alarm(), ill()):
        gatherer.add(notice, 0.0)

    _, message = sent(gatherer)

    kinds = {
        Topic.FAILURES: {Kind.FAILURE},
        Topic.TROUBLE: {Kind.ALARM, Kind.TROUBLE},
        Topic.DIGEST: {Kind.SUCCESS, Kind.FAILURE, Kind.HOLD},
    }
    (topic,) = topics
    assert kinds[topic] == set(message.counts)
    assert gatherer.due_s() is None


def test_without_a_digest_successes_are_nothing() -> None:
    """`digest: off`."""
    gatherer = Gatherer(replace(WIDE, digest_s=None))

    gatherer.add(done(), 0.0)

    assert gatherer.due_s() is None


def test_a_digest_that_is_turned_off_is_not_sent() -> None:
    """A reload counts at once."""
    gatherer = Gatherer(WIDE)
    gatherer.add(done(), 0.0)

    gatherer.bounds = replace(WIDE, digest_s=None)

    assert gatherer.due_s() is None


def test_a_stop_tells_what_is_urgent() -> None:
    """Nothing urgent waits for its pause any more; what flaps is told already; the digest is for the next life."""
    gatherer = Gatherer(WIDE)
    for number in range(4):
        gatherer.add(well("c") if number % 2 else ill("c"), 0.0)
    sent(gatherer)
    for notice in (failure(), ill(), ill("c"), alarm(), done()):
        gatherer.add(notice, 5.0)

    messages = [gatherer.rest(5.0), gatherer.rest(5.0)]

    assert all(message is not None for message in messages)
    texts = [message.text for message in messages if message is not None]
    assert ["inbox /a is offline: gone\nthe ledger cannot be used", "a.jpg failed\n    mend it"] == texts
    assert gatherer.rest(5.0) is None


def test_a_stop_keeps_to_the_bounds() -> None:
    """Who is restarted every minute makes no flood."""
    gatherer = Gatherer(Bounds(per_hour=1, per_day=10))
    gatherer.add(failure(), 0.0)
    sent(gatherer)
    gatherer.add(failure(), 5.0)

    assert gatherer.rest(5.0) is None


def test_what_was_given_up_is_said_with_the_next_message() -> None:
    """Nobody has to find out by himself that something is missing."""
    gatherer = Gatherer(WIDE)
    gatherer.lost = 2
    gatherer.add(failure(hint=""), 0.0)

    _, message = sent(gatherer)

    assert ("a.jpg failed", "2 messages before this one could not be delivered") == message.lines
    assert 0 == gatherer.lost


def test_a_restart_changes_neither_bounds_nor_digest() -> None:
    """The next life knows what was sent, and goes on counting."""
    earlier = Gatherer(Bounds(per_hour=1, per_day=10, digest_s=3 * HOUR_S))
    for notice in (failure(), done()):
        earlier.add(notice, 0.0)
    sent(earlier)
    memory = earlier.memory(100.0)
    later = Gatherer(earlier.bounds)

    later.remember(memory, 5000.0, asleep_s=60.0)

    later.add(failure(), 5000.0)
    assert 5000.0 - 60.0 - (100.0 - BREATH_S) + HOUR_S == pytest.approx(later.due_s())
    sent(later)
    at_s, message = sent(later)
    assert 5000.0 - 160.0 + 3 * HOUR_S == pytest.approx(at_s)
    assert ("1 file done, 3 results", "in the same time: 2 failed") == (message.title, message.lines[-2])


def test_a_restart_keeps_no_digest_that_nobody_wants_any_more() -> None:
    """The configuration may have changed in between; an empty memory is one, too."""
    earlier = Gatherer(WIDE)
    empty = earlier.memory(0.0)
    earlier.add(done(), 0.0)
    later = Gatherer(replace(WIDE, digest_s=None))

    later.remember(earlier.memory(0.0), 0.0)
    assert later.due_s() is None

    later.remember(empty, 0.0)
    assert later.due_s() is None


def test_who_is_well_for_long_is_forgotten() -> None:
    """Memory does not grow with what once was ill."""
    gatherer = Gatherer(WIDE)
    for number in range(50):
        gatherer.add(ill(f"inbox {number}"), 0.0)
    sent(gatherer)
    for number in range(50):
        gatherer.add(well(f"inbox {number}"), 1000.0)
    sent(gatherer)
    gatherer.add(ill("z"), 10000.0)
    sent(gatherer)

    assert {"z"} == set(gatherer._subjects)
