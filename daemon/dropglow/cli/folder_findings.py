"""Look at the folders of a configuration for ``doctor``: state, ledger, inboxes, outboxes. A share that hangs is told.

What a delivery or a claim will do is tried where that leaves nothing behind: in the state folder, in outboxes,
and in the hidden folder of an inbox, unless that is only read. Nothing is made that is not there.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dropglow.cli.findings import Finding, advice, fine, wrong
from dropglow.delivery.outbox import Outbox
from dropglow.disk import Disk, RealDisk, shown
from dropglow.errors import DropglowError
from dropglow.intake.capacity import watches_left
from dropglow.intake.mounts import watching_mode
from dropglow.ledger.backup import latest_copy
from dropglow.ledger.health import damage
from dropglow.ledger.place import LEDGER_FILE, refuse_network
from dropglow.rules import places
from dropglow.rules.folders import is_made_at_start

if TYPE_CHECKING:
    from dropglow.config import Config
    from dropglow.intake.plan import InboxPlan

_PATIENCE_S: Final = 5.0
_LITTLE_BYTES: Final = 2 * 1024**3
_TOO_LITTLE_BYTES: Final = 256 * 1024**2
_GIGABYTE: Final = 1024**3
_OWNER: Final = "doctor"
_HIDDEN: Final = ".dropglow"


def folders(config: Config) -> Iterator[Finding]:
    """Yield what is to be told of each folder, in the order of the configuration."""
    disk = RealDisk()
    base = posixpath.dirname(config.path)
    yield _within("state", config.state, lambda: _state(disk, config.state))
    yield from _ledger(Path(config.state) / LEDGER_FILE)
    for plan in config.inboxes:
        yield _within("inbox", plan.folder, lambda plan=plan: _inbox(disk, plan, base=base))  # type: ignore[misc]
    for folder in dict.fromkeys(rule.outbox for rule in config.rules):
        yield _within("outbox", folder, lambda folder=folder: _outbox(disk, folder, base=base))  # type: ignore[misc]


def _within(subject: str, folder: str, look: Callable[[], Finding]) -> Finding:
    """Return what *look* finds, or that the folder does not answer: the thread that hangs ends with the program."""
    found: list[Finding] = []

    def tried() -> None:
        try:
            found.append(look())
        except (DropglowError, OSError) as error:
            message = (
                error.message if isinstance(error, DropglowError) else f"{shown(folder)}: {error.strerror}"
            )
            hint = error.hint if isinstance(error, DropglowError) else ""
            found.append(
                wrong(subject, message, hint or "look at its rights, and whether its share is mounted")
            )

    thread = threading.Thread(target=tried, name=f"look at {subject}", daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    return found[0] if found else wrong(subject, f"{shown(folder)} does not answer", "is its server there?")


def _state(disk: Disk, folder: str) -> Finding:
    path = Path(folder)
    refuse_network(path)
    if not path.is_dir():
        return fine("state", f"{shown(folder)} does not exist yet; it is made at the first start")
    Outbox(disk, owner=_OWNER).probe(folder)
    return _room("state", folder, disk.free_bytes(folder), "written and synced")


def _ledger(path: Path) -> Iterator[Finding]:
    try:
        faults = damage(path)
    except FileNotFoundError:
        return
    except OSError as error:
        yield wrong(
            "ledger", f"{shown(str(path))} cannot be read: {error.strerror}", "run this as the service's user"
        )
        return
    if faults:
        what = f"{shown(str(path))} is damaged: {'; '.join(faults[0].splitlines())}"
        todo = "stop the service and keep a copy of the state folder before anything else"
        if (copy := latest_copy(path.parent)) is not None:
            todo += f"; then put {shown(str(copy))} in its place, as README.md says"
        yield wrong("ledger", what, todo)
    else:
        size = path.stat().st_size
        yield fine("ledger", f"{shown(str(path))} is sound ({size / 1024**2:.1f} MB)")


def _inbox(disk: Disk, plan: InboxPlan, *, base: str) -> Finding:
    folder = plan.folder
    if not os.path.isdir(folder):  # noqa: PTH112 - names that are no UTF-8
        return _missing("inbox", folder, base=base, kept=plan.keeps)
    if not os.access(folder, os.R_OK | os.X_OK):
        return wrong(
            "inbox", f"{shown(folder)} may not be read", "give the service's user the right to read it"
        )
    watching = watching_mode(plan)
    how = f"{'watched' if watching.notify else f'polled every {watching.every_s:g} s'}: {watching.reason}"
    if not plan.keeps and not os.access(folder, os.W_OK):
        return wrong(
            "inbox",
            f"{shown(folder)} may not be written to: files in it cannot be taken ({how})",
            "give the service's user the right to write there, or say `done: keep` in its rules",
        )
    hidden = posixpath.join(folder, _HIDDEN)
    if not plan.keeps and os.path.isdir(hidden):  # noqa: PTH112
        Outbox(disk, owner=_OWNER).probe(hidden)
    if watching.notify and not watches_left(folder):
        return advice(
            "inbox",
            f"{shown(folder)} will be polled: the kernel has no watches left",
            "raise fs.inotify.max_user_watches (sysctl)",
        )
    read = "only read, and " if plan.keeps else ""
    return fine("inbox", f"{shown(folder)} is {read}{how}")


def _outbox(disk: Disk, folder: str, *, base: str) -> Finding:
    if not os.path.isdir(folder):  # noqa: PTH112
        return _missing("outbox", folder, base=base)
    Outbox(disk, owner=_OWNER).probe(folder)
    return _room("outbox", folder, disk.free_bytes(folder), "written, synced and renamed")


def _missing(subject: str, folder: str, *, base: str, kept: bool = False) -> Finding:
    if kept:
        what = f"{shown(folder)} does not exist, and with `done: keep` it is not made"
        return wrong(subject, what, "mount the share, or correct the rule")
    if is_made_at_start(places.look(folder), base=places.look(base)):
        return fine(subject, f"{shown(folder)} does not exist yet; it is made at the start")
    return wrong(
        subject,
        f"{shown(folder)} does not exist, and neither does the folder it is in",
        "mount the share, make the folder, or correct the rule",
    )


def _room(subject: str, folder: str, free_bytes: int, tried: str) -> Finding:
    what = f"{shown(folder)} can be {tried}; {free_bytes / _GIGABYTE:.1f} GB are free"
    if free_bytes < _TOO_LITTLE_BYTES:
        return wrong(subject, f"{what}: too little for results", "make room")
    if free_bytes < _LITTLE_BYTES:
        return advice(subject, what, "make room soon")
    return fine(subject, what)
