"""The doorbell: watchdog's events make the next scan come sooner, and do nothing else.

Events are lost on overflow, on network shares, when a folder is renamed or
unmounted, and when the kernel has no watches left, mostly without a word; the
timer of the inbox is what finds the file then. The handlers run in watchdog's
threads, where one exception would end all watching: they note a name and wake the loop.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from dropglow.disk import refusal, shown
from dropglow.errors import DiskError
from dropglow.intake.capacity import watches_left
from dropglow.intake.ignore import is_ignored_file, is_ignored_folder

# Without opening and reading: our own looks would ring the bell.
_EVENTS: Final[list[type[FileSystemEvent]]] = [
    FileClosedEvent,
    FileMovedEvent,
    FileCreatedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
# Its own thread races with itself when a folder comes and goes. Harmless, but a terminal should not show it,
# and it ends the thread where warnings are errors.
warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)

_JOIN_S: Final = 5.0
_WATCHDOG_LOG: Final = "watchdog.observers.inotify_c"
_EMITTER_LOG: Final = "watchdog.observers.inotify"
_RACE: Final = "called when the thread is inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    watch: ObservedWatch
    identity: tuple[int, int]  # device and inode of the root when it was scheduled


class Doorbell:
    """One observer for all inboxes. ``ring`` is called on the loop with the inbox's folder, once for many events."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[str], None]) -> None:
        """Prepare; nothing is watched before ``start``."""
        self._loop = loop
        self._ring = ring
        self._observer: BaseObserver = Observer()
        self._watched: dict[str, _Watched] = {}
        self._rung: set[str] = set()
        self._lock = threading.Lock()
        self._overflow = _OverflowEar(self._note_all)

    async def start(self) -> None:
        """Start watchdog's threads."""
        logging.getLogger(_WATCHDOG_LOG).addHandler(self._overflow)
        await asyncio.to_thread(self._observer.start)

    async def stop(self) -> None:
        """Stop them; waits five seconds at most."""
        logging.getLogger(_WATCHDOG_LOG).removeHandler(self._overflow)
        if self._observer.is_alive():
            self._observer.stop()
            await asyncio.to_thread(self._observer.join, _JOIN_S)
        self._watched.clear()

    async def watch(
        self,
        folder: str,
        *,
        reserved: tuple[str, ...] = (),
        in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        """Ring for arrivals in *folder* and below, but not in *reserved* (absolute). Again: watch it afresh.

        What is there already rings nothing: sweep once after this. For local file systems only. The tree is
        walked by *in_thread*.

        Raises:
            DiskError: It cannot be watched, or not wholly; poll it.
        """
        await self.unwatch(folder, in_thread=in_thread)
        self._watched[folder] = await in_thread(self._schedule, folder, reserved)

    async def unwatch(
        self, folder: str, *, in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread
    ) -> None:
        """Ring no longer for *folder*. One that is not watched is fine."""
        watched = self._watched.pop(folder, None)
        if watched is not None:
            await in_thread(self._observer.unschedule, watched.watch)

    def alive(self) -> bool:
        """Return whether every thread that should watch still lives. It says nothing about lost events."""
        return self._observer.is_alive() and all(
            emitter.is_alive() for emitter in set(self._observer.emitters)
        )

    def deaf(self) -> tuple[str, ...]:
        """Return the folders that were removed or exchanged since they were watched: watch them afresh.

        Nothing else tells of an unmounted or renamed folder. Blocks like any look at a folder.
        """
        return tuple(folder for folder in tuple(self._watched) if self.is_deaf(folder))

    def is_deaf(self, folder: str) -> bool:
        """Return whether *folder* was removed or exchanged since it was watched."""
        watched = self._watched.get(folder)
        return watched is not None and _identity(folder) != watched.identity

    def is_short(self, folder: str) -> bool:
        """Return whether *folder* is watched, and a new folder in it could not be: the kernel has no watches left."""
        return folder in self._watched and not watches_left(folder)

    def _schedule(self, folder: str, reserved: tuple[str, ...]) -> _Watched:
        # Without these rights the kernel reports nothing, and watchdog no error.
        if not os.access(folder, os.R_OK | os.X_OK):
            raise DiskError(
                f"cannot watch {shown(folder)}: it is missing or may not be read",
                hint="give the service's user the right to read it",
            )
        identity = _identity(folder)
        handler = _Handler(folder, frozenset(reserved), self._note)
        try:
            watch = self._observer.schedule(handler, folder, recursive=True, event_filter=_EVENTS)
        except OSError as error:
            if error.errno == errno.EMFILE:
                raise DiskError(
                    f"cannot watch {shown(folder)}: this user has too many watchers",
                    hint="raise fs.inotify.max_user_instances; until then it is polled",
                ) from error
            raise refusal("watch", folder, error) from error
        if identity is None or not watches_left(folder):
            self._observer.unschedule(watch)
            raise DiskError(
                f"cannot watch all of {shown(folder)}: the kernel has no watches left",
                hint="raise fs.inotify.max_user_watches; until then it is polled",
            )
        return _Watched(watch=watch, identity=identity)

    def _note_all(self) -> None:
        for folder in tuple(self._watched):
            self._note(folder)

    def _note(self, folder: str) -> None:
        """Remember that the bell was rung, from any thread, and wake the loop once."""
        with self._lock:
            first = not self._rung
            self._rung.add(folder)
        if first:
            self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            return  # the loop is closed: nobody is at home any more

    def _drain(self) -> None:
        with self._lock:
            rung, self._rung = self._rung, set()
        for folder in rung:
            self._ring(folder)


class _Handler(FileSystemEventHandler):
    """Tell arrivals in one inbox from our own moves and other programs' temporary files."""

    def __init__(self, folder: str, reserved: frozenset[str], note: Callable[[str], None]) -> None:
        self._folder = folder
        self._prefix = folder.rstrip("/") + "/"
        self._reserved = tuple(path.rstrip("/") + "/" for path in reserved)
        self._note = note

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        if self._matters(path, is_folder=event.is_directory):
            self._note(self._folder)

    def _matters(self, path: str, *, is_folder: bool) -> bool:
        if (path + "/").startswith(self._reserved):
            return False
        *folders, name = path.removeprefix(self._prefix).split("/")
        if any(is_ignored_folder(folder) for folder in folders):
            return False
        return not (is_ignored_folder(name) if is_folder else is_ignored_file(name))


class _OverflowEar(logging.Handler):
    """Hear what watchdog says of a full queue, which it tells its log and nobody else."""

    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._overflowed = overflowed

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._overflowed()


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of watchdog's is news: at each stop its thread complains of having been stopped."""
    return _RACE not in record.getMessage()


logging.getLogger(_EMITTER_LOG).addFilter(_is_news)


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)  # noqa: PTH116 - names that are no UTF-8
    except OSError:
        return None
    return found.st_dev, found.st_ino
