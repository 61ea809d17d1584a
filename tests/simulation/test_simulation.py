"""Seeds of the simulation, and whether it would notice: thousands more with ``python -m tests.simulation.run``."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from dropglow.sandbox.faults import Faults
from tests.simulation import mutants, trials
from tests.simulation.run import AGAIN, folder, run_all
from tests.simulation.story import run

SEEDS: Final = int(os.environ.get("TEST_SIMULATION_SEEDS", "1640"))
PARTS: Final = 8  # so that several workers share them
MANY: Final = range(9_000_000, 9_000_360)
# What has to happen in so many seeds, or it is not tried at all.
WANTED: Final = (
    "power cut", "process killed", "stopped", "name forgotten", "content forgotten", "answer lost", "no connection",
    "request swallowed", "answer never came", "short write", "ENOSPC at create", "EIO at fsync",
    "EIO at commit", "EIO at read", "EROFS at rename", "404 to GET", "429 to POST", "502 to POST",
    "died at connect", "died after connect", "died at send", "died after send", "died at answer", "died at commit", "died after commit", "died at rename",
    "died after rename", "died at fsync", "wish resubmit", "wish attach", "wish cancel", "wish retry",
    "took back from _failed", "remove_result", "foreign", "took a result's name", "took a file's name",
    "answer lost on its way", "a gateway's answer in place of Adobe's", "half an answer", "answer compressed", "no such name",
    "no valid certificate", "no connection in time", "meddled", "set_clock", "suspend", "pause", "wish approve", "folder",
    "came to rest without money", "got well without a restart",
    "share unmounted", "share missing", "share refusing", "share gone between two calls", "share gone at mkdir", "share gone at rename",
    "share back", "share back between two calls", "share back with other inodes", "share back with another device",
    "share numbering by name", "share that cannot rename without replacing", "ghost under a bare mount point",
    "dropped while its share was away", "share gone while all was well", "share back in a service that runs",
)  # fmt: skip
SAMPLE: Final = (
    "the intent is stored after",
    "an unknown outcome is queued again",
    "moving replaces what has the name",
)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_every_promise_is_kept(part: int) -> None:
    """Crashes, power cuts, faults of the disk and of Adobe, and people: nothing is lost and nothing is bought twice."""
    first, count = part * 1_000_000, SEEDS // PARTS

    tally = run_all(range(first, first + count))

    assert {} == {AGAIN.format(seed): broken for seed, broken in tally.broken.items()}


@pytest.mark.slow
def test_everything_that_can_go_wrong_does() -> None:
    """Each kind of crash, fault and deed comes up within a few hundred seeds."""
    tally = run_all(MANY)

    assert {} == tally.broken
    assert [] == [name for name in WANTED if not tally.counts[name]]


def test_a_seed_tells_the_same_story_twice() -> None:
    """The same seed has the same trace, wherever it runs: a failure can be looked at again."""
    with folder() as root, folder() as other:
        first = [run(seed, Path(root)).trace for seed in range(20)]
        again = [run(seed, Path(other)).trace for seed in range(20)]

    assert first == again
    assert len(set(first)) == len(first)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_broken_rule_is_noticed(name: str) -> None:
    """Without one of its rules the service breaks a promise, and a seed tells."""
    prey = next(each for each in mutants.MUTANTS if each.name.startswith(name))

    assert mutants.hunt(prey, most=400).seed is not None


def test_no_fault_of_adobe_is_forgotten() -> None:
    """Seeds choose every fault that the sandbox has, and every one of the few values that some of them take."""
    chosen: dict[str, set[object]] = defaultdict(set)
    for faults in trials.every((trials.SUBMISSIONS, trials.LOST, trials.EARLY, trials.LATE)):
        for name, value in faults.items():
            chosen[name].add(value)
    wanted = {each.name: getattr(each.metadata["read"], "words", ()) for each in fields(Faults)}
    values = {
        name: set(words) - {str(value) for value in {*chosen[name], getattr(Faults(), name)}}
        for name, words in wanted.items()
    }

    assert wanted.keys() - trials.LEFT_OUT == {name for name, values in chosen.items() if values}
    assert {} == {name: words for name, words in values.items() if words and name not in trials.LEFT_OUT}


def test_every_mutant_fits_the_product() -> None:
    """Each text that a mutant exchanges stands in the product once."""
    misfits = [
        (each.name, change.file)
        for each in mutants.MUTANTS
        for change in each.changes
        if (mutants.ROOT / change.file).read_text(encoding="utf-8").count(change.before) != 1
    ]

    assert [] == misfits
    assert len(mutants.MUTANTS) >= 25
