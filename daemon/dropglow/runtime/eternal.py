"""Run what must never end: an eternal task that ends by itself ends the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dropglow.errors import DropglowError


async def for_ever(body: Callable[[], Awaitable[None]], name: str) -> None:
    """Run *body*, which is not to return.

    Raises:
        DropglowError: It did.
    """
    await body()
    raise ended_by_itself(name)


def ended_by_itself(name: str) -> DropglowError:
    """Return the error that ends a service of which a part, *name*, ended without being asked to."""
    return DropglowError(f"the task '{name}' ended by itself", hint="this is a fault of Dropglow's own")
