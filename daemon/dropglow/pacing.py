"""Who may start, and who waits until when: sliding windows over requests, and pauses.

Pure: the time comes in as seconds on one steady scale, the answers are values.
Adobe's default entitlement is 4 requests a minute and 9,000 a day for the whole
organisation (Firefly API usage notes); which calls count is not stated, so
submissions and uploads are counted and polls are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

MINUTE_S = 60.0
DAY_S = 86_400.0
# So long whoever asks is put off while spending is stopped; who lets it go on wakes them all.
STOPPED_S = 60.0
# So long at most everybody waits for the one order that tries whether the service is well again.
PROBE_S = 90.0
# Where nobody had a try for so long, nobody is going to: no order waits longer after a failure than five minutes.
UNTRIED_S = 600.0
# Fewer failures in a row prove nothing, unless the service itself asks for so long a pause: it may name an hour.
TRIES = 3
LONG_PAUSE_S = 300.0


@dataclass(slots=True)
class Window:
    """At most ``limit`` requests in any span of ``span_s`` seconds; None means no limit.

    A sliding window rather than a bucket: Adobe counts real minutes, and a
    bucket lets twice the limit through around its edge.
    """

    limit: int | None
    span_s: float
    _taken: deque[float] = field(default_factory=deque)

    def wait_s(self, now_s: float) -> float:
        """Return how many seconds until one more request fits; 0.0 if it fits now."""
        if self.limit is None:
            return 0.0
        self._forget(now_s)
        if len(self._taken) < self.limit:
            return 0.0
        # With a lowered limit the window may be over-full: the one that must age out is not the oldest.
        return max(0.0, self._taken[len(self._taken) - self.limit] + self.span_s - now_s)

    def free(self, now_s: float, *, wanted: int) -> int:
        """Return how many of *wanted* requests fit at *now_s*."""
        if self.limit is None:
            return wanted
        return max(0, min(wanted, self.limit - self.used(now_s)))

    def take(self, now_s: float) -> None:
        """Count one request at *now_s*."""
        if self.limit is not None:
            self._taken.append(now_s)

    def used(self, now_s: float) -> int:
        """Return how many requests the current span holds."""
        self._forget(now_s)
        return len(self._taken)

    def _forget(self, now_s: float) -> None:
        while self._taken and self._taken[0] <= now_s - self.span_s:
            self._taken.popleft()


@dataclass(slots=True)
class Gate:
    """Everything that can forbid a request just now: both windows, a pause, a person, and a service that is unwell.

    After a setback of the service nothing goes out for a while, then one
    request alone as a probe; only its success lets the others follow. So an
    outage costs the queue a few questions and not its files.
    """

    minute: Window
    day: Window
    paused_until_s: float = 0.0
    reason: str = ""  # of the latest pause
    hint: str = ""  # what to do about it
    kind: str = ""  # of trouble: another reason of the same kind is no news
    needs_person: bool = False  # waiting alone will not end the pause
    setbacks: int = 0  # of the service, in a row
    culprit: str = ""  # whose request met the first of them
    probing_until_s: float = 0.0
    stopped: bool = False  # a person, or the brake, stopped all orders
    _unwell_since_s: float = 0.0
    _unwell_at_s: float = 0.0  # as of the latest setback

    @classmethod
    def of(cls, *, per_minute: int | None, per_day: int | None, past_s: Iterable[float] = ()) -> Gate:
        """Return a gate that remembers the requests made at *past_s*, oldest first."""
        gate = cls(minute=Window(per_minute, MINUTE_S), day=Window(per_day, DAY_S))
        for at_s in past_s:
            gate.take(at_s)
        return gate

    def limit(self, *, per_minute: int | None, per_day: int | None, past_s: Iterable[float]) -> None:
        """Change both limits; *past_s* is what was requested so far, oldest first. Pauses and setbacks stand."""
        self.minute, self.day = Window(per_minute, MINUTE_S), Window(per_day, DAY_S)
        for at_s in past_s:
            self.count(at_s)

    def wait_s(self, now_s: float) -> float:
        """Return how many seconds until one more request is allowed; 0.0 if it is now."""
        return max(
            self.minute.wait_s(now_s),
            self.day.wait_s(now_s),
            self.paused_until_s - now_s,
            self.probing_until_s - now_s,
            STOPPED_S if self.stopped else 0.0,
        )

    def free(self, now_s: float, *, wanted: int) -> int:
        """Return how many of *wanted* requests are allowed at *now_s*."""
        if self.stopped or max(self.paused_until_s, self.probing_until_s) > now_s:
            return 0
        allowed = min(wanted, 1) if self.setbacks else wanted
        return self.day.free(now_s, wanted=self.minute.free(now_s, wanted=allowed))

    def take(self, now_s: float) -> None:
        """Count one order at *now_s* in both windows. While the service is unwell it is the probe."""
        self.count(now_s)
        if self.setbacks:
            self.probing_until_s = now_s + PROBE_S

    def count(self, now_s: float) -> None:
        """Count one request at *now_s* that is no order, and so no probe: an upload."""
        self.minute.take(now_s)
        self.day.take(now_s)

    def answered(self) -> None:
        """Note that the service gave an order a proper answer: it is well."""
        self.setbacks = 0
        self.culprit = ""
        self.probing_until_s = 0.0

    def setback(
        self,
        now_s: float,
        *,
        pause_s: float,
        reason: str,
        who: str,
        hint: str = "",
        kind: str = "",
        needs_person: bool = False,
    ) -> bool:
        """Note that the service failed a request of *who*, and pause; return whether it counts against *who*.

        The first setback in a row counts against its order, and so does each further one of the same
        order: it may be the order that is bad. Others fail with the service, not by themselves. Requests
        that were out together fail together; they make one setback.
        """
        counts = self.setbacks == 0 or who == self.culprit
        self.probing_until_s = 0.0
        if not self.setbacks:
            self._unwell_since_s = now_s
        self._unwell_at_s = now_s
        if self.paused_until_s <= now_s:
            self.setbacks += 1
        if not self.culprit:
            self.culprit = who
        self.pause(now_s + pause_s, reason, hint=hint, kind=kind, needs_person=needs_person)
        return counts

    def pause(
        self, until_s: float, reason: str, *, hint: str = "", kind: str = "", needs_person: bool = False
    ) -> None:
        """Let nothing through before *until_s*. A longer pause that stands already is kept."""
        if until_s <= self.paused_until_s:
            return
        self.paused_until_s = until_s
        self.reason, self.hint = reason, hint
        self.kind = kind
        self.needs_person = needs_person

    def trouble(self, now_s: float) -> str:
        """Return why the service as a whole pauses, or did and was not found well since; or an empty text."""
        if not self.setbacks and self.paused_until_s <= now_s:
            return ""
        return f"{self.reason} ({self.hint})" if self.hint else self.reason

    def unwell_s(self, now_s: float) -> float:
        """Return for how many seconds nothing but failures came, if that is proved and it is not tried just now; else 0.0."""
        if not self.setbacks or self.paused_until_s <= now_s:
            return 0.0
        proved = self.setbacks >= TRIES or self.paused_until_s - self._unwell_at_s >= LONG_PAUSE_S
        return now_s - self._unwell_since_s if proved else 0.0

    def untried(self, now_s: float) -> bool:
        """Return whether the service is unwell, as far as is known, and no order tried for long whether it still is."""
        return bool(self.setbacks) and max(self.paused_until_s, self.probing_until_s) + UNTRIED_S <= now_s
