"""When people are told, and of how much at once: the first at once, the rest gathered, never a flood. Pure.

What is urgent goes in two lanes, files and troubles, so that a thousand failed files never
hold up the news that the service itself is ill. In each lane the first notice is told after a
breath, and what comes after it waits for a pause that grows for as long as there is more to
tell. Successes wait for their digest. A trouble that comes and goes is told as such, and then
only when it has come to rest. On top of all, an hour and a day have room for so many messages.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, assert_never

from dropglow.notices import DAY_S, TOPICS, Bounds, Kind, Message, Notice, Topic

BREATH_S: Final = 3.0  # a folder of bad files is one message and not two
PAUSES_S: Final = (60.0, 300.0, 900.0, 3600.0)
HOUR_S: Final = 3600.0
MOST_LINES: Final = 10
LONGEST_TITLE: Final = 120
MOST_REASONS: Final = 100
FLAPS: Final = 4  # changes within an hour: twice there and back
CALM_S: Final = 1800.0
_URGENT: Final = (Kind.ALARM, Kind.TROUBLE, Kind.FAILURE, Kind.HOLD, Kind.RECOVERY, Kind.SUCCESS)


@dataclass(slots=True)
class _Pace:
    """When a lane may speak again."""

    step: int = 0
    spoke_s: float | None = None

    def heard(self, now_s: float) -> None:
        """Note that there is something to tell; after twice its pause a lane is as good as new."""
        if self.spoke_s is not None and now_s - self.spoke_s > 2 * self._pause_s():
            self.step, self.spoke_s = 0, None

    def spoke(self, now_s: float) -> None:
        self.spoke_s, self.step = now_s, min(self.step + 1, len(PAUSES_S))

    def ready_s(self, since_s: float) -> float:
        """Return when what is known since *since_s* may be told."""
        after_breath_s = since_s + BREATH_S
        return after_breath_s if self.spoke_s is None else max(after_breath_s, self.spoke_s + self._pause_s())

    def _pause_s(self) -> float:
        return PAUSES_S[self.step - 1]


@dataclass(slots=True)
class _Files:
    """What happened to single files, and other things that happen and have no end."""

    pace: _Pace = field(default_factory=_Pace)
    since_s: float | None = None
    counts: Counter[Kind] = field(default_factory=Counter)
    first: list[Notice] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)  # by line, for what repeats itself

    def add(self, notice: Notice, now_s: float) -> None:
        self.pace.heard(now_s)
        self.since_s = now_s if self.since_s is None else self.since_s
        self.counts[notice.kind] += 1
        if notice.line in self.times:
            self.times[notice.line] += 1
        elif len(self.times) < MOST_REASONS:
            self.times[notice.line] = 1
            if len(self.first) < MOST_LINES:
                self.first.append(notice)

    def ready_s(self) -> float | None:
        return None if self.since_s is None else self.pace.ready_s(self.since_s)

    def clear(self) -> None:
        self.since_s = None
        self.counts.clear()
        self.first.clear()
        self.times.clear()

    def lines(self) -> Iterator[str]:
        """Yield a line for each, and what to do about it once where it is the same for several."""
        told = 0
        hints = [*(notice.hint for notice in self.first), ""]
        for notice, next_hint in zip(self.first, hints[1:], strict=True):
            times = self.times[notice.line]
            told += times
            yield notice.line if times == 1 else f"{notice.line} ({times} times)"
            if notice.hint not in {"", next_hint}:
                yield f"    {notice.hint}"
        if (more := self.counts.total() - told) > 0:
            yield f"and {more:,} more: dropglow status"


@dataclass(slots=True)
class _Subject:
    """Something that is in trouble, or is well again, and what has been told of it."""

    notice: Notice
    ill: bool = False
    news_s: float | None = None  # since when there is something to tell
    told_ill: bool = False
    told_line: str = ""
    changes: deque[float] = field(default_factory=deque)  # of the last hour
    changed_s: float = 0.0
    untold: int = 0  # changes since it was told
    flapping: bool = False
    resting: bool = False  # that it flaps has been told: now it is waited for its end

    def turn(self, notice: Notice, now_s: float) -> None:
        """Take in how it is now."""
        ill = notice.kind is Kind.TROUBLE
        self.notice = notice
        if ill != self.ill:
            self.ill = ill
            self.changed_s = now_s
            self.changes.append(now_s)
            self.untold += 1
        while self.changes and self.changes[0] <= now_s - HOUR_S:
            self.changes.popleft()
        if len(self.changes) >= FLAPS:
            self.flapping = True
        if self.untold or (ill and notice.line != self.told_line):
            self.news_s = now_s if self.news_s is None else self.news_s

    def ready_s(self, pace: _Pace) -> float | None:
        """Return from when on it may be told; None where there is nothing to tell."""
        if self.resting:
            return pace.ready_s(self.changed_s + CALM_S)
        return None if self.news_s is None else pace.ready_s(self.news_s)

    @property
    def is_news(self) -> bool:
        """Return whether there is something to tell that needs no waiting for it to come to rest."""
        return self.news_s is not None and not self.resting

    def line(self) -> str:
        """Return what is to be told now."""
        if self.resting:
            return f"{self.notice.name} has come to rest: {self.notice.line}"
        if self.flapping:
            return f"{self.notice.name} comes and goes: {len(self.changes)} changes within an hour; told again once it has come to rest"
        if not self.ill and not self.told_ill:
            return f"{self.notice.name} was in trouble for a while, and is well again"
        return self.notice.line

    def told(self) -> None:
        """Note that it was told."""
        self.resting = self.flapping and not self.resting
        self.flapping = self.resting
        self.told_ill, self.told_line = self.ill, self.notice.line
        self.untold, self.news_s = 0, None

    def forgettable(self, now_s: float) -> bool:
        """Return whether nothing of it matters any more."""
        return not (self.ill or self.flapping or self.news_s is not None) and self.changed_s <= now_s - HOUR_S


@dataclass(slots=True)
class _Digest:
    """What went well, by rule, and how much did not."""

    since_s: float | None = None
    files: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    others: Counter[Kind] = field(default_factory=Counter)

    def add(self, notice: Notice, now_s: float) -> None:
        if notice.kind is not Kind.SUCCESS:
            self.others[notice.kind] += 1
            return
        self.since_s = now_s if self.since_s is None else self.since_s
        self.files[notice.rule] += 1
        self.results[notice.rule] += notice.results

    def message(self) -> Message:
        files, results = self.files.total(), self.results.total()
        lines = [
            f"{rule}: {_counted(count, 'file')}, {_counted(self.results[rule], 'result')}"
            for rule, count in self.files.most_common(MOST_LINES)
        ]
        if (rest := len(self.files) - len(lines)) > 0:
            lines.append(f"and {_counted(rest, 'rule')} more: dropglow costs")
        besides = [
            f"{self.others[kind]:,} {kind.value}" for kind in (Kind.FAILURE, Kind.HOLD) if self.others[kind]
        ]
        if besides:
            lines.append(f"in the same time: {', '.join(besides)}")
        return Message(
            kind=Kind.SUCCESS,
            title=f"{_counted(files, 'file')} done, {_counted(results, 'result')}",
            lines=tuple(lines),
            counts={Kind.SUCCESS: files, **self.others},
        )


class Gatherer:
    """What one receiver is to be told, and when. Seconds are on one monotonic scale."""

    def __init__(self, bounds: Bounds, *, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Gather what belongs to *topics*, within *bounds*."""
        self.bounds = bounds
        self.topics = topics
        self._files = _Files()
        self._alarms = _Files()
        self._subjects: dict[str, _Subject] = {}
        self._digest = _Digest()
        self._sent_s: deque[float] = deque()
        self.lost = 0  # messages that were given up

    def add(self, notice: Notice, now_s: float) -> None:
        """Take *notice* in."""
        if notice.kind in {Kind.SUCCESS, Kind.FAILURE, Kind.HOLD} and self._digests():
            self._digest.add(notice, now_s)
        if notice.kind is Kind.SUCCESS or TOPICS[notice.kind] not in self.topics:
            return
        if notice.kind is Kind.ALARM:
            self._alarms.add(notice, now_s)
        elif notice.subject:
            self._turn(notice, now_s)
        else:
            self._files.add(notice, now_s)

    def _digests(self) -> bool:
        return self.bounds.digest_s is not None and Topic.DIGEST in self.topics

    def _turn(self, notice: Notice, now_s: float) -> None:
        subject = self._subjects.get(notice.subject)
        if subject is None:
            if notice.kind is Kind.RECOVERY:
                return  # of something that was never told
            subject = self._subjects[notice.subject] = _Subject(notice)
        self._alarms.pace.heard(now_s)
        subject.turn(notice, now_s)

    def due_s(self) -> float | None:
        """Return from when on there is a message to send; None where there is nothing to tell."""
        times = [
            time_s
            for time_s in (self._trouble_s(), self._files.ready_s(), self._digest_s())
            if time_s is not None
        ]
        return max(min(times), self._free_s()) if times else None

    def _trouble_s(self) -> float | None:
        pace = self._alarms.pace
        times = [self._alarms.ready_s(), *(each.ready_s(pace) for each in self._subjects.values())]
        return min((time_s for time_s in times if time_s is not None), default=None)

    def _digest_s(self) -> float | None:
        if self._digest.since_s is None or self.bounds.digest_s is None:
            return None
        return self._digest.since_s + self.bounds.digest_s

    def _free_s(self) -> float:
        """Return from when on the bounds of the hour and the day leave room."""
        free_s = float("-inf")
        for most, window_s in ((self.bounds.per_hour, HOUR_S), (self.bounds.per_day, DAY_S)):
            if len(self._sent_s) >= most:
                free_s = max(free_s, self._sent_s[-most] + window_s)
        return free_s

    def take(self, now_s: float) -> Message | None:
        """Return the message that is due, if one is: it counts as sent."""
        due_s = self.due_s()
        if due_s is None or now_s < due_s:
            return None
        if _is_past(self._trouble_s(), now_s):
            return self._taken(self._troubles(now_s), now_s)
        if _is_past(self._files.ready_s(), now_s):
            return self._taken(self._of_files(now_s), now_s)
        return self._taken(self._of_digest(), now_s)

    def rest(self, now_s: float) -> Message | None:
        """Return one of the urgent messages that would be due later, for a service that stops."""
        if now_s < self._free_s():
            return None
        if self._alarms.since_s is not None or any(each.is_news for each in self._subjects.values()):
            return self._taken(self._troubles(now_s, early=True), now_s)
        if self._files.since_s is not None:
            return self._taken(self._of_files(now_s), now_s)
        return None

    def _taken(self, message: Message, now_s: float) -> Message:
        self._sent_s.append(now_s)
        while len(self._sent_s) > self.bounds.per_day:
            self._sent_s.popleft()
        after = []
        if self.lost:
            after.append(f"{_counted(self.lost, 'message')} before this one could not be delivered")
            self.lost = 0
        if (free_s := self._free_s()) > now_s:
            after.append(f"this was the last for now: what follows is gathered for {_about(free_s - now_s)}")
        return replace(message, lines=(*message.lines, *after))

    def _troubles(self, now_s: float, *, early: bool = False) -> Message:
        """Return all that is ready in the lane of troubles; or, *early*, all that is not waited for to come to rest."""
        alarms, pace = self._alarms, self._alarms.pace
        ready = [
            each
            for each in self._subjects.values()
            if (each.is_news if early else _is_past(each.ready_s(pace), now_s))
        ]
        lines, notices, counts = [], [], Counter(alarms.counts)
        for subject in ready:
            lines.append(subject.line())
            if subject.ill and subject.notice.hint and not subject.flapping:
                lines.append(f"    {subject.notice.hint}")
            notices.append(subject.notice)
            counts[subject.notice.kind] += 1
            subject.told()
        lines += alarms.lines()
        message = _message(counts, lines, [*notices, *alarms.first])
        alarms.clear()
        pace.spoke(now_s)
        self._subjects = {key: each for key, each in self._subjects.items() if not each.forgettable(now_s)}
        return message

    def _of_files(self, now_s: float) -> Message:
        files = self._files
        message = _message(files.counts, [*files.lines()], files.first)
        files.clear()
        files.pace.spoke(now_s)
        return message

    def _of_digest(self) -> Message:
        message = self._digest.message()
        self._digest = _Digest()
        return message

    # ---------------------------------------------------------------- what outlives a restart

    def memory(self, now_s: float) -> dict[str, Any]:
        """Return what the next life has to know, as JSON-able data with ages in place of times."""
        digest = self._digest
        return {
            "sent_ago_s": [round(now_s - sent_s, 1) for sent_s in self._sent_s],
            "digest_ago_s": None if digest.since_s is None else round(now_s - digest.since_s, 1),
            "files": dict(digest.files),
            "results": dict(digest.results),
            "others": {kind.value: count for kind, count in digest.others.items()},
        }

    def remember(self, memory: Mapping[str, Any], now_s: float, *, asleep_s: float = 0.0) -> None:
        """Take up the *memory* of an earlier life that ended *asleep_s* seconds ago.

        Raises:
            KeyError, TypeError, ValueError: It is no such memory.
        """
        sent_s = sorted(now_s - asleep_s - float(ago_s) for ago_s in memory["sent_ago_s"])
        digest = _Digest(
            files=Counter({str(rule): int(count) for rule, count in memory["files"].items()}),
            results=Counter({str(rule): int(count) for rule, count in memory["results"].items()}),
            others=Counter({Kind(kind): int(count) for kind, count in memory["others"].items()}),
        )
        if memory["digest_ago_s"] is not None:
            digest.since_s = now_s - asleep_s - float(memory["digest_ago_s"])
        self._sent_s = deque(sent_s[-self.bounds.per_day :])
        if self._digests():
            self._digest = digest


def _is_past(time_s: float | None, now_s: float) -> bool:
    return time_s is not None and time_s <= now_s


def _message(counts: Mapping[Kind, int], lines: list[str], notices: Iterable[Notice]) -> Message:
    kind = next(kind for kind in _URGENT if counts.get(kind))
    total = sum(counts.values())
    title = (
        _shortened(lines[0])
        if total == 1
        else ", ".join(_titled(each, counts[each]) for each in _URGENT if counts.get(each))
    )
    return Message(kind=kind, title=title, lines=tuple(lines), counts=dict(counts), notices=tuple(notices))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def _titled(kind: Kind, count: int) -> str:
    match kind:
        case Kind.FAILURE | Kind.SUCCESS:
            return f"{_counted(count, 'file')} {kind.value}"
        case Kind.HOLD:
            return f"{_counted(count, 'file')} held"
        case Kind.ALARM | Kind.TROUBLE:
            return _counted(count, kind.value)
        case Kind.RECOVERY:
            return f"{count:,} well again"
        case _:
            assert_never(kind)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _about(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 90:
        return _counted(max(1, minutes), "minute")
    return _counted(round(minutes / 60), "hour")
