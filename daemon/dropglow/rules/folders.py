"""Say which folders of the rules get in each other's way, or are not there.

Looks at the disk, since one folder has many names: links, mounts, letter case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dropglow.rules.assemble import below
from dropglow.rules.load import Entry, Fault, Loaded, Source
from dropglow.rules.match import may_share
from dropglow.rules.places import Look, Place, device, lies_inside
from dropglow.rules.problem import Problem
from dropglow.rules.rule import Conditions, Rule
from dropglow.rules.schema import FAILED_FOLDER


def nesting_faults(entries: Sequence[Entry], *, source: Source, state: str, look: Look) -> Iterator[Fault]:
    """Yield what lies in an inbox and would be taken there, and inboxes that lie in an outbox.

    Args:
        entries: All rules.
        source: The configuration file.
        state: The folder of the ledger, absolute.
        look: Looks at a path.
    """
    inboxes = tuple(dict.fromkeys(entry.inbox for entry in entries if entry.inbox is not None))
    for entry in entries:
        yield from _outbox_faults(entry, inboxes, look)
        if entry.inbox is None:
            continue
        for inbox in inboxes:
            if inbox != entry.inbox and lies_inside(entry.inbox, inbox, seen=look):
                message = (
                    f"this inbox lies inside another, {inbox}: it would be unclear whose files these are"
                )
                yield entry.fault("inbox", message)
        if lies_inside(entry.source.file, entry.inbox, seen=look):
            yield entry.fault("inbox", "this file with its rules lies inside the inbox; keep rules elsewhere")
        for file in entry.files:
            if any(lies_inside(file, inbox, seen=look) for inbox in inboxes):
                yield entry.fault("inbox", f"{file} lies inside an inbox and would be taken as a drop")
    for inbox in inboxes:
        if lies_inside(state, inbox, seen=look):
            message = f"the state folder {state} lies inside the inbox {inbox}; keep it elsewhere"
            yield source.fault(Problem(path=("state",), message=message))
        if lies_inside(source.file, inbox, seen=look):
            message = f"this file lies inside the inbox {inbox}; keep the configuration elsewhere"
            yield source.fault(Problem(path=("rules",), message=message))


def _outbox_faults(entry: Entry, inboxes: tuple[str, ...], look: Look) -> Iterator[Fault]:
    if entry.outbox is None:
        return
    for inbox in inboxes:
        if lies_inside(entry.outbox, inbox, seen=look):
            message = (
                f"the outbox lies inside the inbox {inbox}: results would be taken as drops, again and again"
            )
            yield entry.fault("outbox", message)
        elif lies_inside(inbox, entry.outbox, seen=look):
            yield entry.fault("outbox", f"the inbox {inbox} lies inside this outbox; they must be apart")


def after_faults(rules: Sequence[Loaded], entries: Sequence[Entry], *, look: Look) -> Iterator[Fault]:
    """Yield last folders that originals cannot be moved to, or should not.

    Args:
        rules: Those without faults of their own.
        entries: All rules, for their outboxes.
        look: Looks at a path.
    """
    inboxes = tuple(dict.fromkeys(loaded.rule.inbox for loaded in rules))
    outboxes = tuple(dict.fromkeys(entry.outbox for entry in entries if entry.outbox is not None))
    for loaded in rules:
        after = loaded.rule.after
        if loaded.rule.keeps:
            if lies_inside(after.failed, loaded.rule.inbox, seen=look):
                message = (
                    "failed lies inside the inbox, which `done: keep` only reads: name a folder elsewhere"
                )
                yield loaded.entry.fault("failed", message)
            continue
        for key, folder in (("done", after.done), ("failed", after.failed)):
            fault = folder and _after_fault(
                folder, own=loaded.rule.inbox, inboxes=inboxes, outboxes=outboxes, look=look
            )
            if fault:
                yield loaded.entry.fault(key, f"{key} {fault}")


def _after_fault(
    folder: str, *, own: str, inboxes: tuple[str, ...], outboxes: tuple[str, ...], look: Look
) -> str | None:
    if lies_inside(own, folder, seen=look) and lies_inside(folder, own, seen=look):
        return "is the inbox itself: its files would be taken again"
    if any(lies_inside(folder, inbox, seen=look) for inbox in inboxes if inbox != own):
        return "lies inside another inbox: its files would be taken there"
    outbox = next((outbox for outbox in outboxes if lies_inside(folder, outbox, seen=look)), None)
    if outbox is not None:
        where = "is the outbox" if lies_inside(outbox, folder, seen=look) else "lies inside the outbox"
        return f"{where} {outbox}: originals would lie among the results"
    devices = {device(look(folder)), device(look(own))}
    if not lies_inside(folder, own, seen=look) and None not in devices and len(devices) > 1:
        return "is on another file system than the inbox; files can only be moved within one"
    return None


def keep_faults(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield where rules of one inbox disagree on whether originals stay in it.

    Where one of them takes whole folders, which never stay, something else is to be said: see ``whole_folders``.
    """
    whole = {loaded.rule.inbox for loaded in rules if loaded.rule.folders}
    first: dict[str, Loaded] = {}
    for loaded in rules:
        other = first.setdefault(loaded.rule.inbox, loaded).rule
        if other.keeps == loaded.rule.keeps or loaded.rule.inbox in whole:
            continue
        keeper, mover = (other, loaded.rule) if other.keeps else (loaded.rule, other)
        message = (
            f"{keeper.name} says `done: keep`, and {mover.name} moves originals of the same inbox: "
            "all rules of an inbox say keep, or none does"
        )
        yield loaded.entry.fault("done", message)


def unwritable_inboxes(rules: Sequence[Loaded], *, look: Look) -> Iterator[Fault]:
    """Yield inboxes, each once, that originals cannot be moved out of: read-only, or another user's."""
    told: set[str] = set()
    for loaded in rules:
        place = look(folder := loaded.rule.inbox)
        if loaded.rule.keeps or folder in told or place.found is None:
            continue
        told.add(folder)
        if not place.writable:
            message = (
                f"the inbox {folder} cannot be written to, so nothing can be taken out of it: "
                "`done: keep` leaves originals where they are; or make it writable for the service's user"
            )
            yield loaded.entry.fault("inbox", message)


def after_warnings(rules: Sequence[Loaded]) -> Iterator[Fault]:
    """Yield last folders that another rule, which has the same file first, does not let come true."""
    for place, loaded in enumerate(rules):
        first = next((one for one in _before(rules[:place], loaded.rule)), None)
        if first is None:
            continue
        for key in differing_after(first, loaded.rule):
            message = (
                f"{key} has no effect on files that {first.name} takes too:"
                " it comes first and decides where they go"
            )
            yield loaded.entry.fault(key, message)


def _before(earlier: Sequence[Loaded], rule: Rule) -> Iterator[Rule]:
    """Yield the rules that may have a file before *rule* has it too, and ask for another last folder."""
    sharing: list[Rule] = []
    for loaded in earlier:
        one = loaded.rule
        if one.inbox != rule.inbox or one.folders is not rule.folders:
            continue
        if one.also:
            sharing.append(one)
        elif one.conditions == Conditions(kind=rule.conditions.kind):
            return  # nothing of this kind gets past it
    for one in sharing:
        if may_share(one.conditions, rule.conditions) and differing_after(one, rule):
            yield one


def differing_after(first: Rule, later: Rule) -> tuple[str, ...]:
    """Return the keys in which *later* asks for another last folder than *first*."""
    if later.keeps and later.after.failed == below(later.outbox, FAILED_FOLDER):
        return ()  # it asks for nothing
    pairs = (
        ("done", first.after.done, later.after.done),
        ("failed", first.after.failed, later.after.failed),
    )
    return tuple(key for key, one, other in pairs if one != other)


def missing_folders(
    entries: Sequence[Entry], *, base: str, look: Look, kept: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield inboxes and outboxes that do not exist, each once: a slip of the pen looks like a new folder.

    *base* is the folder of the configuration; below it, folders above are made as well. The inboxes *kept* never are.
    """
    for entry, key, place in _places(entries, look):
        folder = place.path
        if place.there:
            continue
        if key == "inbox" and folder in kept:
            message = f"{folder} does not exist, and with `done: keep` it is not made: is the share mounted?"
        elif is_made_at_start(place, base=look(base)):
            message = f"{folder} does not exist yet; it will be made"
        else:
            message = f"{folder} does not exist, and neither does the folder it is in: is the share mounted?"
        yield entry.fault(key, f"the {key} {message}")


def silent_folders(entries: Sequence[Entry], *, look: Look) -> Iterator[Fault]:
    """Yield inboxes and outboxes that do not answer, each once: nothing can be said about them now."""
    for entry, key, place in _places(entries, look):
        if place.silent:
            yield entry.fault(key, f"the {key} {place.path} does not answer: is its server there?")


def _places(entries: Sequence[Entry], look: Look) -> Iterator[tuple[Entry, str, Place]]:
    """Yield each inbox and outbox once, with the rule that names it first, and by which key."""
    told: set[str] = set()
    for entry in entries:
        for key, folder in (("inbox", entry.inbox), ("outbox", entry.outbox)):
            if folder is not None and folder not in told:
                told.add(folder)
                yield entry, key, look(folder)


def is_made_at_start(place: Place, *, base: Place) -> bool:
    """Return whether a folder that is missing is made: beside existing ones, or anywhere below *base*.

    Elsewhere a missing folder above looks like a share that is not mounted.
    """
    return place.neighbours or place.real.startswith(base.real.rstrip("/") + "/")
