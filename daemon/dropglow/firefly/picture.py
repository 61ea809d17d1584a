"""Stream a picture from disk into a request, in pieces and off the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

import httpx

from dropglow.clock import Clock
from dropglow.errors import DiskError, FileGone, Unavailable, Verdict

_PIECE_BYTES: Final = 512 * 1024


class Picture(httpx.AsyncByteStream):
    """The bytes of one open file, to be sent once."""

    def __init__(self, file: BinaryIO, path: str, clock: Clock, *, deadline_s: float) -> None:
        """Own *file*, which lies at *path*; sending it may take *deadline_s*, counted from now."""
        self._file = file
        self._path = path
        self._clock = clock
        self._until_s = clock.monotonic() + deadline_s
        self.size_bytes = os.fstat(file.fileno()).st_size

    @classmethod
    def open(cls, path: str, clock: Clock, *, deadline_s: float) -> Picture:
        """Open the regular file at *path*.

        Raises:
            FileGone: It is not there.
            DiskError: It cannot be read, or is no regular file.
        """
        return cls(_opened(path), path, clock, deadline_s=deadline_s)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the pieces.

        Raises:
            DiskError: The disk failed on the way, or the file is shorter than it was.
            Unavailable: The other side takes the pieces too slowly.
        """
        left_bytes = self.size_bytes
        while left_bytes > 0:
            if self._clock.monotonic() > self._until_s:
                raise Unavailable(
                    "Adobe takes the upload too slowly",
                    hint="it is tried again by itself",
                    code="too_slow",
                    verdict=Verdict.LATER,
                )
            piece = await asyncio.to_thread(self._read, min(_PIECE_BYTES, left_bytes))
            left_bytes -= len(piece)
            yield piece

    async def aclose(self) -> None:
        """Close the file; what a share that is just going says then changes nothing."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _read(self, size_bytes: int) -> bytes:
        try:
            piece = self._file.read(size_bytes)
        except OSError as error:
            raise DiskError(
                f"cannot read {self._path}: {error.strerror}", hint="is the disk well?"
            ) from error
        if not piece:
            raise DiskError(
                f"{self._path} became shorter while it was read", hint="drop it again once it is complete"
            )
        return piece


def _opened(path: str) -> BinaryIO:
    try:
        with contextlib.ExitStack() as undo:
            # A named pipe must not make us wait for its other end.
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            undo.callback(os.close, number)
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise DiskError(f"{path} is no regular file", hint="name a picture file")
            undo.pop_all()
            return os.fdopen(number, "rb")
    except FileNotFoundError as error:
        raise FileGone(f"{path} is gone", hint="drop it again") from error
    except OSError as error:
        raise DiskError(f"cannot open {path}: {error.strerror}", hint="check its permissions") from error
