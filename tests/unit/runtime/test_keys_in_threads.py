"""Keys made by several inboxes at once, each in its own thread."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dropglow.runtime.keys import EPOCH, KeyMaker


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Have the interpreter switch between threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless_threads")
def test_two_threads_never_get_the_same_key() -> None:
    """Two inboxes that take files in the same second never give two of them one key."""
    maker = KeyMaker(lambda: 0.5)

    def make(count: int) -> list[str]:
        return [maker.drop_key(EPOCH) for _ in range(count)]

    with ThreadPoolExecutor(4) as pool:
        made = [key for keys in pool.map(make, [5_000] * 4) for key in keys]

    assert len(made) == len(set(made))
