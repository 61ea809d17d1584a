"""What the rules of one inbox make of it together, and where they contradict each other about that."""

from __future__ import annotations

from collections.abc import Iterator

from dropglow.intake.ignore import Ignored
from dropglow.intake.plan import InboxPlan, WatchMode, workshop
from dropglow.rules.assemble import USUAL_FOLDERS, below
from dropglow.rules.beside import partner
from dropglow.rules.load import Fault, Loaded
from dropglow.rules.places import Look, lies_inside
from dropglow.rules.rule import Rule


def plans(rules: tuple[Rule, ...], ignore: tuple[str, ...], state: str, look: Look) -> tuple[InboxPlan, ...]:
    """Return how each inbox of *rules* is attended, in the order of their first rules."""
    gathered: dict[str, list[Rule]] = {}
    for rule in rules:
        gathered.setdefault(rule.inbox, []).append(rule)
    return tuple(_plan(inbox, sharing, ignore, state, look) for inbox, sharing in gathered.items())


def _plan(inbox: str, rules: list[Rule], ignore: tuple[str, ...], state: str, look: Look) -> InboxPlan:
    said = [
        folder for rule in rules for folder in (rule.after.done, rule.after.failed, rule.after.held) if folder
    ]
    reserved = (*(below(inbox, name) for name in USUAL_FOLDERS), *said)
    chosen = [rule.watch for rule in rules if rule.watch != WatchMode.AUTO]
    return InboxPlan(
        folder=inbox,
        settle_s=max(rule.settle_s for rule in rules),
        watch=WatchMode(chosen[0]) if chosen else WatchMode.AUTO,
        rescan_s=min(rule.rescan_s for rule in rules),
        reserved=tuple(dict.fromkeys(folder for folder in reserved if lies_inside(folder, inbox, seen=look))),
        folders=any(rule.folders for rule in rules),
        ignore=ignore,
        workshop=workshop(state, inbox) if all(rule.keeps for rule in rules) else "",
    )


def folders(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Return all inboxes and outboxes of *rules*, once each."""
    return tuple(dict.fromkeys(folder for rule in rules for folder in (rule.inbox, rule.outbox)))


def watch_faults(rules: list[Loaded]) -> Iterator[Fault]:
    """Yield which rules would have their inbox watched in another way than an earlier rule."""
    first: dict[str, Loaded] = {}
    for loaded in rules:
        if loaded.rule.watch == WatchMode.AUTO:
            continue
        other = first.setdefault(loaded.rule.inbox, loaded)
        if other.rule.watch != loaded.rule.watch:
            message = f"{other.rule.name} watches the same inbox by {other.rule.watch}; an inbox is watched in one way"
            yield loaded.entry.fault("watch", message)


def belonging_faults(rules: list[Loaded], ignore: tuple[str, ...]) -> Iterator[Fault]:
    """Yield which markers and other files beside a drop would never be seen, so that it would wait for ever."""
    ignored = Ignored(ignore)
    for rule, entry in ((each.rule, each.entry) for each in rules):
        for template in rule.belongings:
            key, what = ("ready", "ready") if template == rule.ready else (rule.operation, "sidecar")
            if why := ignored.why(partner(template, "beach.jpg")):
                yield entry.fault(key, f"{what}: {template} {why}")
