"""Keep results in the state folder while their outbox is away: links to results expire, shares may stay away for days.

What has its plain name here is complete and proven. It is a copy of a download
and no delivery: with the outbox back, it is brought there as if it had come
over the net just now.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from dropglow.delivery.spool import Spool, SpoolFile
from dropglow.disk import Disk, translated
from dropglow.errors import DiskError, FileGone
from dropglow.model import Artifact, Job, JobKey, Output

KEEP_FOLDER: Final = "results"
_PIECE_BYTES: Final = 1 << 20
_PRIVATE: Final = 0o700


class Keep:
    """The folder of kept results. Safe to use from several threads for different jobs."""

    def __init__(self, folder: str, *, disk: Disk, spool: Spool) -> None:
        """Keep in *folder* (absolute), which is made when it is needed, what *spool* proves."""
        self._folder = folder
        self._disk = disk
        self._spool = spool
        self._empty = False  # certainly: nobody else writes there, and most services never keep anything

    def has(self, job: Job, output: Output) -> bool:
        """Return whether this result is kept.

        Raises:
            DiskError: The state folder does not tell.
        """
        return not self._empty and self._disk.look(self._path(job.key, output.index)) is not None

    def open(self, job: Job, output: Output) -> SpoolFile:
        """Open a file to download one result of *job* into; hand its artifact to ``keep``.

        Raises:
            DeliveryError: The state folder is full or refuses.
        """
        self._empty = False
        with suppress(DiskError):  # the spool says what is wrong
            self._disk.make_folder(self._folder, mode=_PRIVATE)
        return self._spool.open(self._diverted(job), output)

    def keep(self, job: Job, artifact: Artifact) -> None:
        """Give a download that is whole its name.

        Raises:
            DiskError: The state folder refuses.
        """
        self._disk.publish(artifact.temporary, self._path(job.key, artifact.index), replace=True)

    def bring(self, job: Job, output: Output) -> Artifact:
        """Copy a kept result to a temporary name in its outbox, prove it, and return what it is.

        Raises:
            FileGone: It is not kept any more.
            DeliveryError: The outbox is missing, full or refuses.
        """
        path = self._path(job.key, output.index)
        file = self._spool.open(job, output)
        try:
            with self._disk.open_read(path) as stream, translated("read", path):
                while piece := stream.read(_PIECE_BYTES):
                    file.write(piece)
            return file.finish(expected_bytes=file.size_bytes)
        finally:
            file.discard()  # does nothing once it is finished

    def forget(self, job: JobKey, results: int) -> None:
        """Remove what is kept of a job with that many *results*; what refuses is removed at the next start."""
        if self._empty:
            return
        for index in range(results):
            with suppress(DiskError):
                self._disk.remove(self._path(job, index))

    def sweep_leftovers(self, jobs: Iterable[Job]) -> None:
        """Remove what is not owed to any of *jobs*, and what a crash left half done. For a start."""
        owed = {f"{job.key}-{output.index}" for job in jobs for output in job.outputs}
        try:
            names = self._disk.names(self._folder)
        except FileGone:
            names = ()
        except DiskError:
            return
        for name in names:
            if name not in owed:
                with suppress(DiskError):
                    self._disk.remove(f"{self._folder}/{name}")
        self._empty = not names

    def _path(self, job: JobKey, index: int) -> str:
        return f"{self._folder}/{job}-{index}"

    def _diverted(self, job: Job) -> Job:
        # Named whole, so that the folder of the drop is not mirrored here.
        plan = replace(job.order.delivery, outbox=self._folder, folder="", mode=0o600, group=None)
        return replace(job, order=replace(job.order, delivery=plan))
