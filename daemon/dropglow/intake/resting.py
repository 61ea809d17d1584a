"""Know what of one inbox is left alone for now: single files, folders that are being filled, or all of it.

Files rest that the disk refused (``refused``) or that are not whole (``unready``), each until it changes or its time is
over. The whole inbox rests while its disk keeps nothing (``syncing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from dropglow.clock import Clock
from dropglow.errors import DiskError, FileGone
from dropglow.intake.claiming import Claimed, Party, Spoiled
from dropglow.intake.refused import Refused
from dropglow.intake.scan import Snag
from dropglow.intake.syncing import Syncing
from dropglow.intake.unready import NotReady, Unready
from dropglow.intake.wholes import Unfinished
from dropglow.model import FolderSighting, Sighting
from dropglow.settle import Watches


class Resting:
    """What rests in one inbox. Belongs to the inbox's thread; ``now_s`` is one and the same for all of a look."""

    def __init__(self, *, watches: Watches, syncing: Syncing, clock: Clock) -> None:
        """Start with nothing at rest; *watches* know what is there and since when."""
        self._watches = watches
        self._syncing = syncing
        self._clock = clock
        self._refused = Refused()
        self._unready = Unready()
        self._unfinished = Unfinished()

    def sift(self, sightings: Iterable[Sighting], *, now_s: float) -> Iterator[Sighting]:
        """Yield what may be whole; what is not need not lie still, either."""
        for seen in sightings:
            self._unready.see(seen)
            if isinstance(seen, FolderSighting) and seen.obstacle:
                self._unfinished.note(seen, now_s=now_s)
            else:
                yield seen

    def question(self, *, now_s: float) -> Callable[[Sighting], bool] | None:
        """Return what tells whether a file rests; None: none does."""
        return partial(self._rests, now_s=now_s) if self._refused or self._unready else None

    def keep_seen(self, *, now_s: float) -> None:
        """Forget what the look that just ended did not see."""
        self._refused.keep_only(self._watches)
        self._unready.keep_only(self._watches)
        self._unfinished.keep_seen(at_s=now_s)

    def unready(self, *, now_s: float) -> tuple[NotReady, ...]:
        """Return what lies still and is not whole."""
        return self._unready.told(now_s=now_s)

    def stuck(self, *, now_s: float) -> tuple[NotReady, ...]:
        """Return those of them that are for a while now, each once."""
        return self._unready.to_say(now_s=now_s)

    def next_look_s(self, *, now_s: float) -> float | None:
        """Return in how many seconds something happens to those, or None."""
        return self._unready.next_look_s(now_s=now_s)

    def snags(self, *, now_s: float) -> tuple[Snag, ...]:
        """Return what a person should know of, and why it rests."""
        return (*self._refused.snags(), *self._unfinished.snags(now_s=now_s))

    def refuse(self, sighting: Sighting, error: DiskError) -> None:
        """Let a file rest that the disk refused with *error*."""
        self._refused.add(sighting, error.message, now_s=self._clock.monotonic())

    def put_off(self, sighting: Sighting, reason: str, *, give_up_s: float) -> bool:
        """Let a file rest that is not whole, for this *reason*; return False where it lay like this for *give_up_s* seconds."""
        now_s, since_s = self._clock.monotonic(), self._watches.since_s(sighting)
        return self._unready.put_off(
            sighting, reason, since_s=now_s if since_s is None else since_s, give_up_s=give_up_s, now_s=now_s
        )

    def if_whole(self, party: Party, answer: Claimed | Spoiled) -> Claimed | Spoiled:
        """Return *answer*, or that the party has to go back, because a file of it is not whole and may be soon."""
        if isinstance(answer, Spoiled):
            return answer
        examined = [
            (answer.sighting, answer.facts),
            *((each.sighting, each.facts) for each in answer.partners),
            *((answer.sighting, each.facts) for each in answer.members),
        ]
        put_off = [
            self.put_off(sighting, facts.fault or "", give_up_s=party.give_up_s)
            for sighting, facts in examined
            if facts.unfinished
        ]
        return Spoiled(moved=tuple((party.key, each) for each in party.sightings)) if any(put_off) else answer

    def weigh(self, spoiled: Sequence[Spoiled], *, any_taken: bool) -> None:
        """Learn whether what the disk refused is for some files, which rest, or for the whole inbox."""
        refused = [
            each for each in spoiled if each.error is not None and not isinstance(each.error, FileGone)
        ]
        if not refused:
            if any_taken:
                self._syncing.worked()
            return
        again = self._syncing.failed(now_s=self._clock.monotonic())
        for each in refused:
            if not self._syncing.refuses and (again or not each.unsynced):
                self._refuse_culprit(each)

    def _refuse_culprit(self, spoiled: Spoiled) -> None:
        if spoiled.error is not None and spoiled.culprit is not None:
            self.refuse(spoiled.culprit, spoiled.error)

    def _rests(self, sighting: Sighting, *, now_s: float) -> bool:
        return self._refused.resting(sighting, now_s=now_s) or self._unready.waits(sighting, now_s=now_s)
