"""Remember which files could not be moved or read, so that they rest for a while and are told."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from dropglow.intake.scan import Snag
from dropglow.model import Sighting

FIRST_REST_S: Final = 30.0
LONGEST_REST_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    reason: str
    identity: tuple[int, int, int, int]
    rest_s: float
    until_s: float


class Refused:
    """The files of one inbox that the file system would not give us. A changed file is a new one."""

    def __init__(self) -> None:
        """Start with none."""
        self._refusals: dict[str, _Refusal] = {}

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self._refusals)

    def add(self, sighting: Sighting, reason: str, *, now_s: float) -> None:
        """Let a file rest: half a minute at first, twice as long each time, ten minutes at most."""
        before = self._refusals.get(sighting.path)
        identity = sighting.identity
        rest_s = FIRST_REST_S
        if before is not None and before.identity == identity:
            rest_s = min(LONGEST_REST_S, 2 * before.rest_s)
        self._refusals[sighting.path] = _Refusal(
            reason=reason, identity=identity, rest_s=rest_s, until_s=now_s + rest_s
        )

    def resting(self, sighting: Sighting, *, now_s: float) -> bool:
        """Return whether this very file is to be left alone for now."""
        refusal = self._refusals.get(sighting.path)
        return refusal is not None and now_s < refusal.until_s and refusal.identity == sighting.identity

    def snags(self) -> tuple[Snag, ...]:
        """Return what is refused, and why."""
        return tuple(Snag(path=path, reason=refusal.reason) for path, refusal in self._refusals.items())

    def keep_only(self, paths: Container[str]) -> None:
        """Forget files that are no longer there."""
        self._refusals = {path: refusal for path, refusal in self._refusals.items() if path in paths}
