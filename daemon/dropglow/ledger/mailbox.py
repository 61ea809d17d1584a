"""Carry wishes of commands to the running service, and its answers back: small files in one folder.

A wish is written under a temporary name, synced and renamed, so the service
sees it whole or not at all. What the service has taken keeps a third name
until it is answered; after a service that died in between the next one takes it again,
marked as such: what was done already must not be done twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from dropglow.errors import LedgerError, LedgerUnavailable
from dropglow.ledger.belongings import hand_over, make_folder

WISHES_FOLDER: Final = "wishes"  # in the state folder
_WISH: Final = ".wish"
_TAKEN: Final = ".taken"
_ANSWER: Final = ".answer"
_PART: Final = ".part"
_UNREADABLE: Final = ".unreadable"
_SIZE_MAX_BYTES: Final = 16_384
_AT_ONCE: Final = 256
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Verb(StrEnum):
    """Name what an operator can ask."""

    CANCEL = "cancel"
    RETRY = "retry"
    RESUBMIT = "resubmit"
    ABANDON = "abandon"
    ATTACH = "attach"
    APPROVE = "approve"
    PAUSE = "pause"  # of spending as a whole, as the next one
    RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that an operator asks."""

    key: str  # letters, digits, ``-`` and ``_``; the asker makes it unique
    verb: Verb
    target: str  # what the operator typed: a drop, a job, or Adobe's job id; nothing for spending as a whole
    argument: str = ""  # Adobe's job id for ``attach``, a reason for ``pause``
    asked_at: datetime
    again: bool = False  # an earlier service took it and never answered: it may have been fulfilled


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a wish."""

    ok: bool
    text: str


class Mailbox:
    """One folder of wishes and answers. Blocks for a few file operations; never logs."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*, which is made when something is put into it."""
        self._folder = folder
        self._taken: set[str] = set()

    def post(self, wish: Wish) -> None:
        """Put *wish* where the service finds it; durable on return.

        Raises:
            LedgerError: The wish is too long to be one.
            LedgerUnavailable: The folder cannot be written.
        """
        document = {
            "verb": wish.verb.value,
            "target": wish.target,
            "argument": wish.argument,
            "asked_at": wish.asked_at.isoformat(),
        }
        self._put(wish.key, _WISH, document)

    def take(self) -> tuple[Wish, ...]:
        """Return the wishes that wait, oldest first, and mark them as taken.

        Those that an earlier service took and never answered are among them.
        What cannot be read is set aside under the ending ``.unreadable``.

        Raises:
            LedgerUnavailable: The folder cannot be read.
        """
        waiting = [path for path in self._files() if self._waits(path)]
        found = [wish for path in waiting[:_AT_ONCE] if (wish := self._take(path)) is not None]
        self._taken.update(wish.key for wish in found)
        return tuple(sorted(found, key=lambda wish: (wish.asked_at, wish.key)))

    def answer(self, wish: Wish, *, ok: bool, text: str) -> None:
        """Tell whoever asked what became of *wish*; it is not taken again.

        Raises:
            LedgerUnavailable: The folder cannot be written. Whoever asked has to look what became of the wish.
        """
        try:
            self._put(wish.key, _ANSWER, {"ok": ok, "text": text[: _SIZE_MAX_BYTES // 16]})
        finally:
            # Also on a full disk: a later life would fulfil it again, which may buy again.
            self._remove(wish.key, _TAKEN)
            self._taken.discard(wish.key)

    def read_answer(self, key: str) -> Answer | None:
        """Return the answer to the wish *key*; None while there is none.

        Raises:
            LedgerUnavailable: It cannot be read.
        """
        document = self._read(self._path(key, _ANSWER))
        if document is None:
            return None
        return Answer(ok=document.get("ok") is True, text=str(document.get("text", "")))

    def discard(self, key: str) -> None:
        """Remove an answer that was read.

        Raises:
            LedgerUnavailable: The folder cannot be written.
        """
        self._remove(key, _ANSWER)

    def withdraw(self, key: str) -> bool:
        """Take a wish back; return False where the service has it already.

        Raises:
            LedgerUnavailable: The folder cannot be written.
        """
        return self._remove(key, _WISH)

    def forget_old(self, before: datetime) -> None:
        """Remove answers written before *before*, and temporary files: nobody came for them.

        Raises:
            LedgerUnavailable: The folder cannot be read or written.
        """
        for path in self._files():
            if path.suffix not in {_ANSWER, _PART, _UNREADABLE}:
                continue
            with _translated(path), contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()

    def _waits(self, path: Path) -> bool:
        if not _KEY.fullmatch(path.stem):
            return False
        return path.suffix == _WISH or (path.suffix == _TAKEN and path.stem not in self._taken)

    def _take(self, path: Path) -> Wish | None:
        try:
            wish = _wish(path.stem, self._read(path))
        except (ValueError, KeyError, TypeError, LedgerUnavailable):
            self._rename(path, path.with_suffix(_UNREADABLE))
            return None
        if wish is None or not self._rename(path, path.with_suffix(_TAKEN)):
            return None  # withdrawn meanwhile
        return replace(wish, again=path.suffix == _TAKEN)

    def _files(self) -> list[Path]:
        try:
            return sorted(self._folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _trouble(self._folder, error) from error

    def _read(self, path: Path) -> dict[str, Any] | None:
        """Return the document at *path*; None where there is none, an empty one where it is no document."""
        try:
            with path.open("rb") as file:
                content = file.read(_SIZE_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _trouble(path, error) from error
        try:
            document = json.loads(content)
        except ValueError:
            return {}
        return document if isinstance(document, dict) and len(content) <= _SIZE_MAX_BYTES else {}

    def _put(self, key: str, ending: str, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        if len(content) > _SIZE_MAX_BYTES:
            raise LedgerError("this is too long to be asked of the service", hint="name one drop or job")
        path = self._path(key, ending)
        temporary = path.with_name(f"{path.name}{_PART}")
        with _translated(path):
            make_folder(self._folder)
            _write(temporary, content)
            temporary.replace(path)
            _sync(self._folder)

    def _remove(self, key: str, ending: str) -> bool:
        path = self._path(key, ending)
        with _translated(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def _rename(self, source: Path, target: Path) -> bool:
        with _translated(source):
            try:
                source.replace(target)
            except FileNotFoundError:
                return False
        return True

    def _path(self, key: str, ending: str) -> Path:
        if not _KEY.fullmatch(key):
            raise LedgerError(f"{key!r} cannot name a wish", hint="please report this as a bug")
        return self._folder / f"{key}{ending}"


def _wish(key: str, document: dict[str, Any] | None) -> Wish | None:
    if document is None:
        return None
    asked_at = datetime.fromisoformat(document["asked_at"])
    if asked_at.tzinfo is None:
        raise ValueError("a wish without its time zone")
    return Wish(
        key=key,
        verb=Verb(document["verb"]),
        target=str(document["target"]),
        argument=str(document.get("argument", "")),
        asked_at=asked_at,
    )


def _write(path: Path, content: bytes) -> None:
    # A left-over of a command that died is overwritten: the key is ours.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        hand_over(descriptor, path.parent)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _trouble(path, error) from error


def _trouble(path: Path, error: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"{path} cannot be used: {error.strerror}",
        hint="look at the state folder, its permissions and its disk",
    )
