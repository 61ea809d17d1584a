"""Hear what is logged, for whoever tells it on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dropglow.notices import WAYS

Hear = Callable[[str, Mapping[str, Any]], None]
LOGGER: Final = "dropglow"


class _Ear(logging.Handler):
    """Pass on the events that matter, from any thread, to the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hear: Hear) -> None:
        super().__init__(logging.INFO)
        self._loop = loop
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        said = record.msg
        if not isinstance(said, Mapping) or said.get("event") not in WAYS:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is told any more
            self._loop.call_soon_threadsafe(self._hear, said["event"], dict(said))


@contextlib.contextmanager
def listening(hear: Hear) -> Iterator[None]:
    """Have *hear* called in the running loop with each event that is logged meanwhile and that people are told of."""
    ear = _Ear(asyncio.get_running_loop(), hear)
    logger = logging.getLogger(LOGGER)
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
