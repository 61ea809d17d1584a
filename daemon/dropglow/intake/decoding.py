"""Who decodes pictures: the contract, and its plainest keeper, which does so where it is called.

Decoders are large programs in C that strangers' files are fed to. ``darkroom`` keeps
the same contract in a process that may die; this one is for where no
process can be started, and for short commands.
"""

from __future__ import annotations

from typing import BinaryIO, Final, Protocol

from dropglow.errors import SourceFault
from dropglow.intake import copies, pictures
from dropglow.model import Facts, Format
from dropglow.preparing import Copy, Stripped


class Decoder(Protocol):
    """Whatever looks into pictures. It blocks, it may be used from several threads, and it only reads."""

    def look(self, stream: BinaryIO, picture: Format) -> Facts:
        """Return what the picture's header tells, as ``pictures.look`` does.

        Raises:
            SourceFault: The picture cannot be used.
            OSError: It cannot be read, or nobody is there to decode it now.
        """
        ...

    def decode(self, stream: BinaryIO, facts: Facts) -> None:
        """Decode the whole picture of which ``look`` told *facts*, and throw it away.

        Raises:
            SourceFault: The picture cannot be used.
            OSError: It cannot be read, or nobody is there to decode it now.
        """
        ...

    def copy(self, stream: BinaryIO, facts: Facts, wanted: Copy | Stripped) -> tuple[Format, bytes]:
        """Return the format and the bytes of the copy that was planned from *facts*.

        Raises:
            SourceFault: The picture cannot be used, or not be made small enough.
            OSError: It cannot be read, or nobody is there to decode it now.
        """
        ...


class InProcess:
    """Decode in the calling thread. What brings a decoder down brings down the service."""

    def look(self, stream: BinaryIO, picture: Format) -> Facts:
        """Return what the picture's header tells."""
        try:
            return pictures.look(stream, picture)
        except MemoryError as error:
            raise too_little_memory() from error

    def decode(self, stream: BinaryIO, facts: Facts) -> None:
        """Decode the whole picture and throw it away."""
        assert facts.format is not None, "only pictures are decoded"
        try:
            pictures.decode(stream, facts.format)
        except MemoryError as error:
            raise too_little_memory() from error

    def copy(self, stream: BinaryIO, facts: Facts, wanted: Copy | Stripped) -> tuple[Format, bytes]:
        """Return the format and the bytes of the copy."""
        try:
            return copies.copied(stream, facts, wanted)
        except MemoryError as error:
            raise too_little_memory() from error


IN_PROCESS: Final = InProcess()


def too_little_memory() -> SourceFault:
    """Return how a picture is refused for which there is not memory enough."""
    return SourceFault(
        "there is not enough memory here to decode the picture", hint="make it smaller and drop it again"
    )
