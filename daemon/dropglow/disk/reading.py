"""Read an ordinary file with as few calls of the system as that takes.

In a program of many threads each such call costs more than its own work: the
thread lets go of the interpreter for it, and has to wait for its turn again.
Where the file is read is remembered here, and so nothing asks the system for it.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from typing import TYPE_CHECKING, BinaryIO, Final

from dropglow.disk.descriptors import let_go

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE_BYTES: Final = 1 << 18


class Reading(io.RawIOBase):
    """An ordinary file that is open for reading; owns its descriptor.

    What a share that is just going says when it is closed changes nothing: nothing was written.
    """

    def __init__(self, descriptor: int) -> None:
        """Read *descriptor* from its beginning."""
        self._descriptor = descriptor
        self._at_bytes = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from anywhere."""
        return True

    def fileno(self) -> int:
        """Return the descriptor.

        Raises:
            ValueError: It is closed: by now the number may be another file's.
        """
        if self.closed:
            raise ValueError("the file is closed")
        return self._descriptor

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill *buffer* from where the file is read; return how many bytes came, 0 at its end.

        Raises:
            OSError: The file system refused.
        """
        count = os.preadv(self.fileno(), [buffer], self._at_bytes)
        self._at_bytes += count
        return count

    def readall(self) -> bytes:
        """Return what is still to come; what is inherited would ask for it in small pieces.

        Raises:
            OSError: The file system refused.
        """
        pieces: list[bytes] = []
        while piece := os.pread(self.fileno(), _PIECE_BYTES, self._at_bytes):
            pieces.append(piece)
            self._at_bytes += len(piece)
        return b"".join(pieces)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Read on from *offset* bytes after the beginning, the place it is read at, or the end; return where that is.

        Raises:
            OSError: The file system does not tell where the end is.
            ValueError: That would be before the beginning, or *whence* is none of the three.
        """
        at_bytes = self._start_bytes(whence) + offset
        if at_bytes < 0:
            raise ValueError(f"there is nothing before the beginning: {at_bytes}")
        self._at_bytes = at_bytes
        return at_bytes

    def tell(self) -> int:
        """Return where it is read, in bytes from its beginning."""
        return self._at_bytes

    def close(self) -> None:
        """Let go of the descriptor, once."""
        if not self.closed:
            super().close()
            let_go(self._descriptor)

    def _start_bytes(self, whence: int) -> int:
        match whence:
            case os.SEEK_SET:
                return 0
            case os.SEEK_CUR:
                return self._at_bytes
            case os.SEEK_END:
                return os.fstat(self.fileno()).st_size
            case _:
                raise ValueError(f"nobody can count from there: {whence}")

    def _dealloc_warn(self, reader: object) -> None:
        # What Python asks of the file below a reader that nobody closed.
        warnings.warn(f"unclosed file {reader!r}", ResourceWarning, stacklevel=2, source=reader)


def sha256_of(file: BinaryIO) -> str:
    """Return the SHA-256 of what *file* still holds as 64 hexadecimal digits, and leave it at its end.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
        if len(piece) < _PIECE_BYTES:
            break  # shorter than wanted is the last one
    return digest.hexdigest()
