"""The side of a running service that faces whoever asks how it is: its address, what it answers, what is counted.

Loaded only where somebody wants it, since it brings a server and a library for metrics along.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dropglow import vocabulary
from dropglow.census import Census
from dropglow.clock import RealClock
from dropglow.ledger.place import LEDGER_FILE
from dropglow.ops.dashboard import Standing, page
from dropglow.ops.host_header import Place
from dropglow.ops.http import Front, Questions
from dropglow.ops.listening import Address, addresses, is_private, listen, passed_on
from dropglow.ops.metrics import CONTENT_TYPE, Metrics
from dropglow.runtime.health import Health
from dropglow.runtime.telling import log

PUBLIC: Final = "whoever reaches this address may read names of rules and how much is spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontage:
    """Where to answer, by which names besides, and what is counted for that."""

    address: Address | None = None  # None: only on what the service manager opened
    names: tuple[Place, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)

    @contextlib.asynccontextmanager
    async def open(self, health: Health, environ: Mapping[str, str]) -> AsyncIterator[None]:
        """Answer while the ``async with`` block lasts.

        Raises:
            AddressBusy: The address cannot be had now.
            ConfigError: It can never be had.
        """
        listeners = list(passed_on(environ, pid=os.getpid()))
        if self.address is not None:
            listeners.append(await asyncio.to_thread(listen, self.address))
        census = Census(health.state / LEDGER_FILE)
        questions = Questions(
            live=health.ailments,
            ready=health.hindrances,
            metrics=functools.partial(_text, health, self.metrics, census),
            metrics_type=CONTENT_TYPE,
            page=functools.partial(_page, health, census),
        )
        names = (
            self.names
            if self.address is None or self.address.name is None
            else (*self.names, self.address.name)
        )
        async with Front(questions, listeners, names=names):
            _announce(addresses(listeners), private=is_private(listeners))
            yield


async def _text(health: Health, metrics: Metrics, census: Census) -> bytes:
    reading = await health.reading(await census.latest())
    metrics.know([rule.name for rule in health.rules()])
    return await asyncio.to_thread(metrics.text, reading)  # some thousand lines, where there are many rules


async def _page(health: Health, census: Census) -> str:
    reading, hindrances = await health.reading(await census.latest()), await health.hindrances()
    return page(Standing(reading=reading, hindrances=hindrances, at=RealClock().now().astimezone()))


def _announce(urls: Sequence[str], *, private: bool) -> None:
    if private:
        log.info(vocabulary.HTTP_LISTENING, url=list(urls))
    else:
        log.warning(vocabulary.HTTP_LISTENING, url=list(urls), reason=PUBLIC)
