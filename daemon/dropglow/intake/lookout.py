"""Look at the places that a configuration names, without waiting long for a share whose server is gone.

Every look is made in a thread of its own, which is left behind where nobody
answers: it ends with the program. Whatever else lies on the same mount is taken
for silent too, so that a hundred rules on one dead share wait for it once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from dropglow.intake.mounts import point_of
from dropglow.rules.places import Place, look, silence

# A sleeping disk may take longer; its inbox comes online a little later then.
PATIENCE_S: Final = 3.0
# A server that is gone often has more than one share.
LATER_S: Final = 1.0


class Ask(Protocol):
    """How a path is looked at."""

    def __call__(self, path: str, *, progress: Callable[[str], object]) -> Place:
        """Return what *path* is, and tell *progress* what its name without links is as far as that is known."""
        ...


class Lookout:
    """Look once at each path and remember what was seen. Made for one reading of the configuration."""

    def __init__(
        self, *, silent: Iterable[str] = (), patience_s: float = PATIENCE_S, ask: Ask = look
    ) -> None:
        """Wait *patience_s* seconds for an answer of *ask*; the mounts of what is *silent* are known to give none."""
        self._patience_s = patience_s
        self._ask = ask
        self._seen: dict[str, Place] = {}
        self._silent_points = {point_of(path) for path in silent} - {"/"}

    def __call__(self, path: str) -> Place:
        """Return what *path* (absolute) is, or that nobody answered."""
        place = self._seen.get(path)
        if place is None:
            place = self._seen[path] = self._looked(path)
        return place

    def _looked(self, path: str) -> Place:
        if point_of(path) in self._silent_points:
            return silence(path, real=path)
        progress = [path]
        answers: queue.SimpleQueue[Place] = queue.SimpleQueue()
        asked = partial(self._ask, path, progress=progress.append)
        threading.Thread(target=lambda: answers.put(asked()), name=f"look at {path}", daemon=True).start()
        try:
            return answers.get(timeout=self._patience_s)
        except queue.Empty:
            self._patience_s = min(self._patience_s, LATER_S)
            real = progress[-1]
            if (point := point_of(real)) != "/":
                self._silent_points.add(point)
            return silence(path, real=real)
