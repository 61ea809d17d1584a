"""Say which folders of the rules get in each other's way, or are not there.

Looks at the disk, since one folder has many names: links, mounts, letter case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from dropglow.rules.load import Entry, Fault, Loaded, Source
from dropglow.rules.match import may_share
from dropglow.rules.rule import Conditions, Rule
from dropglow.rules.shape import Problem


def nesting_faults(entries: Sequence[Entry], *, source: Source, state: str) -> Iterator[Fault]:
    """Yield what lies in an inbox and would be taken there, and inboxes that lie in an outbox.

    Args:
        entries: All rules.
        source: The configuration file.
        state: The folder of the ledger, absolute.
    """
    inboxes = tuple(dict.fromkeys(entry.inbox for entry in entries if entry.inbox is not None))
    for entry in entries:
        yield from _outbox_faults(entry, inboxes)
        if entry.inbox is None:
            continue
        for inbox in inboxes:
            if inbox != entry.inbox and lies_inside(entry.inbox, inbox):
                message = (
                    f"this inbox lies inside another, {inbox}: it would be unclear whose files these are"
                )
                yield entry.fault("inbox", message)
        if lies_inside(entry.source.file, entry.inbox):
            yield entry.fault("inbox", "this file with its rules lies inside the inbox; keep rules elsewhere")
        for file in entry.files:
            if any(lies_inside(file, inbox) for inbox in inboxes):
                yield entry.fault("inbox", f"{file} lies inside an inbox and would be taken as a drop")
    for inbox in inboxes:
        if lies_inside(state, inbox):
            message = f"the state folder {state} lies inside the inbox {inbox}; keep it elsewhere"
            yield source.fault(Problem(path=("state",), message=message))
        if lies_inside(source.file, inbox):
            message = f"this file lies inside the inbox {inbox}; keep the configuration elsewhere"
            yield source.fault(Problem(path=("rules",), message=message))


def _outbox_faults(entry: Entry, inboxes: tuple[str, ...]) -> Iterator[Fault]:
    if entry.outbox is None:
        return
    for inbox in inboxes:
        if lies_inside(entry.outbox, inbox):
            message = (
                f"the outbox lies inside the inbox {inbox}: results would be taken as drops, again and again"
            )
            yield entry.fault("outbox", message)
        elif lies_inside(inbox, entry.outbox):
            yield entry.fault("outbox", f"the inbox {inbox} lies inside this outbox; they must be apart")


def after_faults(rules: Sequence[Loaded], entries: Sequence[Entry]) -> Iterator[Fault]:
    """Yield last folders that originals cannot be moved to, or should not.

    Args:
        rules: Those without faults of their own.
        entries: All rules, for their outboxes.
    """
    inboxes = tuple(dict.fromkeys(loaded.rule.inbox for loaded in rules))
    outboxes = tuple(dict.fromkeys(entry.outbox for entry in entries if entry.outbox is not None))
    for loaded in rules:
        after = loaded.rule.after
        for key, folder in (("done", after.done), ("failed", after.failed)):
            fault = folder and _after_fault(folder, own=loaded.rule.inbox, inboxes=inboxes, outboxes=outboxes)
            if fault:
                yield loaded.entry.fault(key, f"{key} {fault}")


def _after_fault(folder: str, *, own: str, inboxes: tuple[str, ...], outboxes: tuple[str, ...]) -> str | None:
    if lies_inside(own, folder) and lies_inside(folder, own):
        return "is the inbox itself: its files would be taken again"
    if any(lies_inside(folder, inbox) for inbox in inboxes if inbox != own):
        return "lies inside another inbox: its files would be taken there"
    outbox = next((outbox for outbox in outboxes if lies_inside(folder, outbox)), None)
    if outbox is not None:
        where = "is the outbox" if lies_inside(outbox, folder) else "lies inside the outbox"
        return f"{where} {outbox}: originals would lie among the results"
    if not lies_inside(folder, own) and _device(folder) != _device(own):
        return "is on another file system than the inbox; files can only be moved within one"
    return None


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
        if one.inbox != rule.inbox:
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
    pairs = (
        ("done", first.after.done, later.after.done),
        ("failed", first.after.failed, later.after.failed),
    )
    return tuple(key for key, one, other in pairs if one != other)


def missing_folders(entries: Sequence[Entry], *, base: str) -> Iterator[Fault]:
    """Yield inboxes and outboxes that do not exist, each once: a slip of the pen looks like a new folder.

    *base* is the folder of the configuration; below it, folders above are made as well.
    """
    told: set[str] = set()
    for entry in entries:
        for key, folder in (("inbox", entry.inbox), ("outbox", entry.outbox)):
            if folder is None or folder in told or os.path.lexists(folder):
                continue
            told.add(folder)
            if is_made_at_start(folder, base=base):
                message = f"{folder} does not exist yet; it will be made"
            else:
                message = (
                    f"{folder} does not exist, and neither does the folder it is in: is the share mounted?"
                )
            yield entry.fault(key, f"the {key} {message}")


def is_made_at_start(folder: str, *, base: str) -> bool:
    """Return whether a folder that is missing is made: beside existing ones, or anywhere below *base*.

    Elsewhere a missing folder above looks like a share that is not mounted.
    """
    below = os.path.realpath(folder).startswith(os.path.realpath(base).rstrip("/") + "/")
    return below or os.path.isdir(os.path.dirname(folder))  # noqa: PTH112, PTH120  # a path is text here


def lies_inside(path: str, folder: str) -> bool:
    """Return whether *path* is *folder* or lies below it, however either is spelled.

    By name with links resolved, and by device and inode, which also see
    through bind mounts and file systems that do not mind case.
    """
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    if path == folder or path.startswith(folder.rstrip("/") + "/"):
        return True
    wanted = _identity(folder)
    while wanted is not None:
        if _identity(path) == wanted:  # pragma: no cover - a test can neither mount nor ignore letter case
            return True
        if path == (path := os.path.dirname(path)):  # noqa: PTH120
            return False
    return False


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _device(path: str) -> int:
    """Return the device of *path*, or of the nearest folder above it that exists."""
    while (identity := _identity(path)) is None:
        path = os.path.dirname(path)  # noqa: PTH120
    return identity[0]
