"""Write a download under a temporary name in its outbox, and prove that it is complete.

In the folder where the result will stand, so that delivery is a rename. A
``SpoolFile`` that was finished is synced and verified; its ``Artifact`` is
what the ledger remembers. Nothing else makes an Artifact.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO, Final

from PIL import Image

from dropglow.delivery.chunks import ends_well, has_content_credentials
from dropglow.delivery.media import HEAD_BYTES, VIDEOS, Media, described, media_of
from dropglow.delivery.movie import Movie, examine
from dropglow.delivery.place import at_outbox, folder_of, is_temporary_of, open_outbox, temporary_of
from dropglow.disk import Disk, NewFile, Stat, translated
from dropglow.errors import DeliveryError, DiskError, DiskFull, FileGone
from dropglow.model import Artifact, Job, Output

# Whatever Pillow's readers raise at damaged bytes; its own classes derive from these.
_UNREADABLE: Final = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_AGAIN: Final = "the result is fetched again by itself"


class SpoolFile:
    """One download on its way to disk. Belongs to whoever opened it until finished or discarded."""

    def __init__(self, disk: Disk, file: NewFile, *, job: Job, output: Output) -> None:
        self._disk = disk
        self._file = file
        self._job = job
        self._output = output
        self._digest = hashlib.sha256()

    @property
    def path(self) -> str:
        """Return the temporary name (absolute)."""
        return self._file.path

    @property
    def size_bytes(self) -> int:
        """Return how much arrived so far."""
        return self._file.size_bytes

    def write(self, data: bytes) -> None:
        """Append *data* exactly as it came.

        Raises:
            DeliveryError: The outbox is full or refuses.
        """
        with at_outbox(self._job.order.delivery.outbox):
            self._file.write(data)
        self._digest.update(data)

    def finish(self, *, expected_bytes: int | None) -> Artifact:
        """Sync the file, prove it complete, and return what it is. Decodes it: call it in a thread.

        After an error the temporary file is gone.

        Args:
            expected_bytes: The length that the server announced, if it did.

        Raises:
            DeliveryError: It is cut off, it is no picture or video, or the outbox refuses.
            FileGone: Somebody removed the temporary file.
        """
        try:
            self._expect(expected_bytes)
            with at_outbox(self._job.order.delivery.outbox):
                artifact = self._artifact(self._finished())
        except DeliveryError:
            self._remove()
            raise
        return artifact

    def discard(self) -> None:
        """Remove the temporary file. Does nothing once it is finished; never raises."""
        self._file.discard()

    def _remove(self) -> None:
        """Remove the file although it may be finished; what refuses here is told by what went wrong before."""
        self._file.discard()
        with suppress(DiskError):
            self._disk.remove(self.path)

    def _expect(self, expected_bytes: int | None) -> None:
        if expected_bytes is not None and expected_bytes != self.size_bytes:
            raise DeliveryError(
                f"the download broke off: {self.size_bytes} of {expected_bytes} bytes came", hint=_AGAIN
            )
        if not self.size_bytes:
            raise DeliveryError("the download is empty", hint=_AGAIN)

    def _finished(self) -> Stat:
        plan = self._job.order.delivery
        stat = self._file.finish(mode=plan.mode, group=plan.group)
        if stat.size_bytes != self.size_bytes:
            raise DeliveryError(
                f"the outbox holds {stat.size_bytes} bytes of the {self.size_bytes} that came",
                hint="does another program write into it? the result is fetched again by itself",
            )
        return stat

    def _artifact(self, stat: Stat) -> Artifact:
        with self._disk.open_read(self.path) as file, translated("read", self.path):
            media = _recognised(file)
            size = _decoded(file, media)
            if not ends_well(file, media, stat.size_bytes):
                raise DeliveryError("the result is cut off", hint=_AGAIN)
            if media in VIDEOS:
                size = _filmed(file, stat.size_bytes)
            credentials = has_content_credentials(file, media, stat.size_bytes)
        return Artifact(
            index=self._output.index,
            seed=_seed(self._job, self._output),
            temporary=self.path,
            device=stat.device,
            inode=stat.inode,
            size_bytes=stat.size_bytes,
            sha256=self._digest.hexdigest(),
            media_type=media.media_type,
            extension=media.extension,
            width=size[0] if size else None,
            height=size[1] if size else None,
            content_credentials=credentials,
        )


class Spool:
    """Opens temporary files in outboxes, and clears away those that a crash left."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def open(self, job: Job, output: Output) -> SpoolFile:
        """Open a temporary file for one result of *job*; its folder is made when needed.

        Raises:
            DeliveryError: The outbox is missing, full or refuses.
        """
        plan = job.order.delivery
        # With permissions of the rule's own, nobody else reads along before they are set.
        mode = 0o666 if plan.mode is None else 0o600
        with at_outbox(plan.outbox):
            try:
                file = self._disk.create(temporary_of(job, output.index), mode=mode)
            except DiskFull:
                raise
            except DiskError:
                # Its folder may be missing. That is rare, so it is not asked for beforehand.
                open_outbox(self._disk, plan.outbox, make=False)
                self._disk.make_folder(folder_of(job), within=plan.outbox)
                file = self._disk.create(temporary_of(job, output.index), mode=mode)
        return SpoolFile(self._disk, file, job=job, output=output)

    def forget(self, job: Job) -> None:
        """Remove every temporary file of *job*, also those that it remembers: nobody will deliver them.

        Raises:
            DeliveryError: The outbox refuses.
        """
        self._clear(job, keep=frozenset())

    def sweep_leftovers(self, jobs: Iterable[Job]) -> None:
        """Remove what a crash left of these jobs' downloads; what they remember as fetched stays.

        For a start, before anything is fetched. Files of jobs that are not among *jobs* are left alone:
        another Dropglow may share the outbox.

        Raises:
            DeliveryError: An outbox refuses. One that is not there has nothing to sweep.
        """
        for job in jobs:
            self._clear(job, keep=frozenset(artifact.temporary for artifact in job.artifacts))

    def _clear(self, job: Job, *, keep: frozenset[str]) -> None:
        folder = folder_of(job)
        with at_outbox(job.order.delivery.outbox):
            for name in self._names(folder):
                path = f"{folder}/{name}"
                if is_temporary_of(job, name) and path not in keep:
                    self._disk.remove(path)

    def _names(self, folder: str) -> tuple[str, ...]:
        try:
            return self._disk.names(folder)
        except FileGone:
            return ()


def _seed(job: Job, output: Output) -> int | None:
    """Return the seed of *output*; where Adobe does not repeat it, the one that was asked for in its place.

    When fewer results came than were ordered, nobody knows which of them are missing.
    """
    asked = job.order.seeds
    if output.seed is not None or len(asked) != len(job.outputs):
        return output.seed
    return asked[output.index] if output.index < len(asked) else None


def _recognised(file: BinaryIO) -> Media:
    head = file.read(HEAD_BYTES)
    media = media_of(head)
    if media is None:
        raise DeliveryError(
            f"the result is no picture or video; it is {described(head)}",
            hint="does something between here and Adobe change downloads? the result is fetched again by itself",
        )
    return media


def _filmed(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Return width and height of a whole video in pixels."""
    movie = examine(file, size_bytes)
    if not isinstance(movie, Movie):
        raise DeliveryError("the result is a video file without pictures", hint=_AGAIN)
    return movie.width, movie.height


def _decoded(file: BinaryIO, media: Media) -> tuple[int, int] | None:
    """Return width and height in pixels after reading every pixel; None where no decoder is at hand."""
    if media.decoder is None:
        return None
    file.seek(0)
    try:
        with Image.open(file, formats=(media.decoder,)) as image:
            size = image.size
            # A JPEG is read to its end at an eighth of its size as well, for a fraction of the work.
            image.draft(None, (1, 1))
            image.load()
            return size
    except _UNREADABLE as error:
        # What the decoder says goes with the error as its cause; it speaks of buffers, not to people.
        raise DeliveryError(f"the result is a damaged or cut off {media.media_type}", hint=_AGAIN) from error
