"""Somebody asks whether Adobe is well again, where no order does."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dropglow.errors import AuthError, FireflyError, RequestRefused, Unavailable
from dropglow.pacing import UNTRIED_S, Gate
from dropglow.runtime.probing import LOOK_S, Probing
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.setbacks import Setbacks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import FakeClock

DOWN = Unavailable("it is down", code="503")


class Adobe:
    """Answer the one question, and count how often it came."""

    def __init__(self, error: FireflyError | None = None) -> None:
        self.error = error
        self.asked = 0

    async def check_entitlement(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


class Scene(SimpleNamespace):
    """A gate, who tells it of bad answers, and who tries whether it is well."""

    gate: Gate
    setbacks: Setbacks


@pytest.fixture
async def scene(clock: FakeClock) -> AsyncIterator[Scene]:
    """Return the parts, with somebody who tries at work."""
    adobe: Any = Adobe()
    gate = Gate.of(per_minute=None, per_day=None)
    setbacks = Setbacks(gate=gate, clock=clock, chance=lambda: 0.0)
    probing = Probing(client=adobe, gate=gate, setbacks=setbacks, clock=clock, pulse=Pulse(clock))
    running = asyncio.create_task(probing.run())
    yield Scene(adobe=adobe, gate=gate, setbacks=setbacks)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_service_that_is_well_is_not_asked(clock: FakeClock, scene: Scene) -> None:
    """A quiet day costs no question."""
    await clock.advance(10 * UNTRIED_S)

    assert 0 == scene.adobe.asked


async def test_a_good_answer_ends_the_trouble(clock: FakeClock, scene: Scene) -> None:
    """Where nobody had a try for long, one question is enough."""
    scene.setbacks.heed("a.1", DOWN)
    await clock.advance(UNTRIED_S - LOOK_S)
    before = scene.adobe.asked, scene.gate.trouble(clock.monotonic())
    await clock.advance(3 * LOOK_S)

    assert (0, "it is down") == before
    assert (1, "") == (scene.adobe.asked, scene.gate.trouble(clock.monotonic()))


async def test_a_bad_answer_is_one_more_setback(clock: FakeClock, scene: Scene) -> None:
    """The trouble stays, and it is asked again as slowly."""
    scene.adobe.error = DOWN
    scene.setbacks.heed("a.1", DOWN)

    await clock.advance(2 * UNTRIED_S + 3 * LOOK_S)

    assert (2, "it is down") == (scene.adobe.asked, scene.gate.trouble(clock.monotonic()))


async def test_a_refusal_is_an_answer(clock: FakeClock, scene: Scene) -> None:
    """Somebody who says no is there."""
    scene.adobe.error = RequestRefused("no")
    scene.setbacks.heed("a.1", DOWN)

    await clock.advance(UNTRIED_S + 3 * LOOK_S)

    assert "" == scene.gate.trouble(clock.monotonic())


async def test_an_order_that_fails_meanwhile_is_believed_more(clock: FakeClock, scene: Scene) -> None:
    """The question was answered well, but an order was not, just then: the trouble goes on."""
    scene.setbacks.heed("a.1", DOWN)

    async def answered_too_late() -> None:
        scene.setbacks.heed("a.2", DOWN)

    scene.adobe.check_entitlement = answered_too_late
    await clock.advance(UNTRIED_S + 3 * LOOK_S)

    assert (2, "it is down") == (scene.gate.setbacks, scene.gate.trouble(clock.monotonic()))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Unavailable("503 (id 1)", code="503"), Unavailable("502 (id 2)", code="502"), True),
        (AuthError("no (id 1)", code="quota"), AuthError("no (id 2)", code="quota"), True),
        (AuthError("no", code="quota"), AuthError("no", code="invalid_client"), False),
        (Unavailable("503", code="503"), AuthError("no", code="503"), False),
    ],
)
async def test_what_somebody_has_to_do_makes_the_kind_of_trouble(
    clock: FakeClock, scene: Scene, first: FireflyError, second: FireflyError, *, same: bool
) -> None:
    """Adobe being down is one trouble whatever it answers; another thing to do at Adobe is another trouble."""
    kinds = []
    for error in (first, second):
        scene.setbacks.heed("a.1", error)
        kinds.append(scene.gate.kind)
        clock.move(UNTRIED_S)

    assert same is (kinds[0] == kinds[1])
