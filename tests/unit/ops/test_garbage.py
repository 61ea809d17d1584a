"""The collector of reference cycles, while the service runs and afterwards."""

from __future__ import annotations

import gc

from dropglow.ops.garbage import sparing


def test_what_is_there_is_not_searched_while_it_lasts() -> None:
    """What was there before the block is set aside, and comes back with its end."""
    gc.unfreeze()  # whoever ran before in this process may have set something aside
    before = gc.get_freeze_count()

    with sparing():
        during = gc.get_freeze_count()

    assert during > before
    assert before == gc.get_freeze_count()


def test_the_thresholds_come_back() -> None:
    """Inside the block the youngest may be many more; afterwards everything is as it was."""
    before = gc.get_threshold()

    with sparing():
        during = gc.get_threshold()

    assert during[0] > before[0]
    assert during[1:] == before[1:]
    assert before == gc.get_threshold()


def test_cycles_that_come_meanwhile_are_still_found() -> None:
    """Objects that hold each other are collected as before."""
    with sparing():
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle

        assert gc.collect() > 0
