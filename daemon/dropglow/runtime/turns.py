"""Let those who act on the same thing act one after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Turns:
    """Give turns by name. A name that nobody uses is forgotten. Belongs to one event loop."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._busy: dict[str, tuple[asyncio.Lock, int]] = {}

    @contextlib.asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold off everybody else who wants a turn of this *name*. Not to be asked for again within."""
        lock, users = self._busy.get(name, (asyncio.Lock(), 0))
        self._busy[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._busy[name]
            if users == 1:
                del self._busy[name]
            else:
                self._busy[name] = (lock, users - 1)
