"""Find the file that a command line names: in an inbox, elsewhere, or not there yet; and say what it is.

A path is kept as it was written: links on the way are reasons to be ignored, and are not followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from dropglow.config import Config
from dropglow.disk import RealDisk
from dropglow.errors import DropglowError
from dropglow.intake.ignore import Ignored, is_ignored_file, is_ignored_folder
from dropglow.intake.inspect import (
    OTHER_EXTENSIONS,
    PROMPT_EXTENSIONS,
    RAW_EXTENSIONS,
    READABLE_EXTENSIONS,
    examine,
)
from dropglow.intake.lookout import Lookout
from dropglow.intake.plan import InboxPlan
from dropglow.intake.scan import MAX_DEPTH
from dropglow.intake.work import HIDDEN
from dropglow.model import Facts, Kind
from dropglow.rules.paths import resolved
from dropglow.rules.places import Look, lies_inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file lies below an inbox, or would lie."""

    inbox: str  # absolute
    path: str  # below the inbox
    dropped: bool  # True: it lies there now
    ignored: str = ""  # why it is not, or would not be, looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file that somebody asks about."""

    file: str  # absolute; of a file that does not exist, where it was looked for
    exists: bool
    size_bytes: int | None  # None: there is no file
    facts: Facts
    places: tuple[Place, ...]


def find_subject(config: Config, name: str, *, cwd: str, inbox: str | None) -> Subject:
    """Return what *name* means.

    Args:
        config: The inboxes.
        name: A path, relative to *cwd* or to an inbox; or a name that no file has yet.
        cwd: Absolute.
        inbox: The only inbox to think of, absolute; None: the one it lies in, else all of them.

    Raises:
        DropglowError: It is a folder, or cannot be read, or its share does not answer.
    """
    look = Lookout(silent=config.silent)
    file = found_path(config, name, cwd=cwd, look=look)
    if look(file).silent:
        raise DropglowError(f"{file} does not answer", hint="is its server there? ask again once it is")
    places = tuple(_places(config, file, name, inbox=inbox, look=look))
    if not look(file).there:
        return Subject(file=file, exists=False, size_bytes=None, facts=_guessed(name), places=places)
    # Whoever copies a link into an inbox copies what it leads to; in the inbox itself it stays a link.
    content = file if places[0].dropped else os.path.realpath(file)
    found = _look(content)
    if stat.S_ISDIR(found.st_mode):
        raise DropglowError(f"{file} is a folder", hint="name a file in it, or a file that could be dropped")
    if stat.S_ISREG(found.st_mode):
        facts = facts_of(content)
        return Subject(file=file, exists=True, size_bytes=found.st_size, facts=facts, places=places)
    if not places[0].dropped:
        raise DropglowError(f"{file} is not a regular file", hint="only such files can be dropped")
    return Subject(file=file, exists=True, size_bytes=None, facts=Facts(), places=places)


def found_path(config: Config, name: str, *, cwd: str, look: Look) -> str:
    """Return the absolute path meant by *name*: below *cwd*, or else below the one inbox that has it."""
    here = resolved(cwd, name)
    if look(here).there:
        return here
    below = (look(resolved(plan.folder, name)) for plan in config.inboxes)
    there = [place.path for place in below if place.there and not place.silent]
    return there[0] if len(there) == 1 else here


def _look(file: str) -> os.stat_result:
    try:
        return os.lstat(file)
    except OSError as error:
        raise DropglowError(
            f"{file} cannot be looked at: {error.strerror}", hint="is it spelled right, and may you read it?"
        ) from error


def facts_of(file: str) -> Facts:
    """Return what the whole of a file tells.

    Raises:
        DiskError: It cannot be opened.
        DropglowError: It cannot be read.
    """
    with RealDisk().open_read(file) as stream:
        try:
            return examine(stream, file)
        except OSError as error:
            raise DropglowError(
                f"{file} cannot be read: {error.strerror}", hint="try again; is the share still there?"
            ) from error


def _guessed(name: str) -> Facts:
    """Return what the name alone tells."""
    extension = PurePath(name).suffix.lower()
    if extension in PROMPT_EXTENSIONS:
        return Facts(kind=Kind.PROMPT)
    if extension in READABLE_EXTENSIONS | RAW_EXTENSIONS | OTHER_EXTENSIONS:
        return Facts(kind=Kind.IMAGE)
    return Facts()


def _places(config: Config, file: str, name: str, *, inbox: str | None, look: Look) -> Iterator[Place]:
    """Yield the place in the inbox that *file* lies in, or else one in every inbox that it could be dropped into."""
    exists = look(file).there
    for plan in config.inboxes:
        path = path_below(file, plan.folder, look) if inbox in {None, plan.folder} else None
        if path is not None:
            ignored = _ignored(plan, path, file=file if exists else None, look=look)
            yield Place(inbox=plan.folder, path=path, dropped=exists, ignored=ignored)
            return
    keeps_folders = not exists and not os.path.isabs(name) and ".." not in PurePath(name).parts  # noqa: PTH117
    path = os.path.normpath(name) if keeps_folders else PurePath(file).name
    for plan in config.inboxes:
        if inbox in {None, plan.folder}:
            ignored = _ignored(plan, path, file=None, look=look)
            yield Place(inbox=plan.folder, path=path, dropped=False, ignored=ignored)


def path_below(file: str, inbox: str, look: Look) -> str | None:
    """Return *file* as a path below *inbox*, or None if it does not lie there. Links below the inbox stay."""
    names: list[str] = []
    here = file
    while (parent := os.path.dirname(here)) != here:  # noqa: PTH120
        names.append(here[len(parent) :].strip("/"))
        here = parent
        if lies_inside(here, inbox, seen=look) and lies_inside(inbox, here, seen=look):
            return "/".join(reversed(names))
    return None


def _ignored(plan: InboxPlan, path: str, *, file: str | None, look: Look) -> str:
    """Return why *path* below the inbox is passed over, or nothing; *file* is what lies there."""
    *folders, name = path.split("/")
    here = plan.folder
    for folder in folders:
        here = f"{here}/{folder}"
        if reason := ignored_folder(plan, here, folder, look):
            return reason
        if Ignored(plan.ignore).by_globs(os.path.relpath(here, plan.folder)):
            return f"`ignore` in the configuration names the folder {folder}, and such folders are never looked into"
    if len(folders) >= MAX_DEPTH:
        return f"it lies more than {MAX_DEPTH} folders deep"
    if Ignored(plan.ignore).by_globs(path):
        return "`ignore` in the configuration names it, and what it names is never taken"
    if is_ignored_file(name):
        return f"{name} is a hidden, temporary or housekeeping name, and such files are never taken"
    mode = None if file is None else _look(file).st_mode
    if mode is not None and stat.S_ISLNK(mode):
        return "it is a link, and links are never followed"
    if mode is not None and not stat.S_ISREG(mode):
        return "it is not a regular file"
    return ""


def ignored_folder(plan: InboxPlan, folder: str, name: str, look: Look) -> str:
    """Return why the absolute *folder*, whose last part is *name*, is not looked into in the inbox of *plan*, or nothing."""
    if name == HIDDEN:
        return "it lies where Dropglow keeps what it works on; `dropglow jobs` shows how that stands"
    if folder in plan.reserved:
        return f"it lies in {folder}, where files go afterwards; move it back into the inbox to try it again"
    if is_ignored_folder(name):
        return f"the folder {name} is hidden or for housekeeping, and is never looked into"
    if not look(folder).silent and os.path.islink(folder):  # noqa: PTH114
        return f"the folder {name} is a link, and links are never followed"
    return ""
