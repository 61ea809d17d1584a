"""Our own ids: short, sortable, never the same twice."""

from __future__ import annotations

from datetime import timedelta

from dropglow.model import DropKey
from dropglow.runtime.keys import ALPHABET, EPOCH, SPAN, KeyMaker, job_key


def test_keys_sort_by_time() -> None:
    """A later second gives a greater key, whatever the counter says."""
    maker = KeyMaker(lambda: 0.999999)
    keys = [maker.drop_key(EPOCH + timedelta(seconds=second)) for second in (1, 2, 40, 5000, 10**9)]

    assert sorted(keys) == keys


def test_keys_of_one_second_differ() -> None:
    """Twenty thousand files in one second get twenty thousand keys."""
    maker = KeyMaker(lambda: 0.5)
    keys = {maker.drop_key(EPOCH) for _ in range(20_000)}

    assert 20_000 == len(keys)


def test_the_counter_goes_round() -> None:
    """The counter begins again after its last value."""
    maker = KeyMaker(lambda: (SPAN - 1) / SPAN)

    assert "0000000000" == maker.drop_key(EPOCH)


def test_a_key_can_be_read_aloud() -> None:
    """Ten characters, none that is mistaken for another."""
    key = KeyMaker(lambda: 0.3).drop_key(EPOCH + timedelta(days=700))

    assert 10 == len(key)
    assert set(key) <= set(ALPHABET)


def test_a_job_is_named_after_its_drop() -> None:
    """The job's number stands behind the drop's key."""
    assert "abcdefghjk.3" == job_key(DropKey("abcdefghjk"), 3)
