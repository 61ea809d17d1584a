"""Ask Adobe whether it is well again where no order does that: nothing waited any more when it fell ill.

Otherwise its trouble would be shown until the next file is dropped, which may be days.
"""

from __future__ import annotations

from typing import Final

from dropglow.clock import Clock
from dropglow.errors import FireflyError
from dropglow.firefly.client import FireflyClient
from dropglow.pacing import Gate
from dropglow.runtime.pulse import Pulse
from dropglow.runtime.setbacks import Setbacks

LOOK_S: Final = 15.0
_NOBODY: Final = ""  # no order is to blame


class Probing:
    """Try, now and then, what nothing else tries."""

    def __init__(
        self, *, client: FireflyClient, gate: Gate, setbacks: Setbacks, clock: Clock, pulse: Pulse
    ) -> None:
        """Ask by *client* what *gate* wants to know; *setbacks* tell it of bad answers."""
        self._client = client
        self._gate = gate
        self._setbacks = setbacks
        self._clock = clock
        self._pulse = pulse

    async def run(self) -> None:
        """Look whether to ask, until cancelled."""
        while True:
            if self._untried():
                await self._ask()
            await self._clock.sleep(self._pulse.back_within("probing", LOOK_S))

    def _untried(self) -> bool:
        return self._gate.untried(self._clock.monotonic())

    async def _ask(self) -> None:
        """Ask what buys nothing, and heed the answer."""
        try:
            await self._client.check_entitlement()
        except FireflyError as error:
            self._setbacks.heed(_NOBODY, error)
            return
        if self._untried():  # no order met anything worse meanwhile
            self._gate.answered()
