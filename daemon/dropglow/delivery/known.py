"""Know a result again that has its final name: by what the ledger remembers of its file, or by the sidecar beside it.

Nothing is known by its bytes alone: two orders may bring the same picture, and each is owed its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from dropglow.delivery.place import folder_of
from dropglow.disk import Disk, Stat
from dropglow.errors import DiskError
from dropglow.model import Artifact, Job
from dropglow.naming import candidates, render
from dropglow.provenance import identify

SIDECAR: Final = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result of a job, and the names that it may have."""

    disk: Disk
    job: Job
    artifact: Artifact

    def search(self, passed_over: AbstractSet[str]) -> str | None:
        """Return where this very result stands under a final name, be it one that somebody gave it; None: nowhere.

        Costs a look at every file of its folder.

        Raises:
            DiskError: The file system does not tell.
        """
        folder = next(self.finals()).rpartition("/")[0]
        if self.disk.look(folder) is None:
            return None
        for name in self.disk.names(folder):
            path = f"{folder}/{name}"
            if name.startswith(".") or path in passed_over:
                continue
            found = self.disk.look(path)
            if found is not None and self.is_at(path, found):
                return path
        return None

    def is_at(self, path: str, found: Stat) -> bool:
        """Return whether this is the file that was fetched, and not merely one with equal bytes.

        Some network file systems number their files anew after a restart; there the name of a
        temporary file, or a sidecar, speaks instead of the inode. Device numbers change everywhere.

        Raises:
            DiskError: It cannot be read.
        """
        if not found.regular or found.size_bytes != self.artifact.size_bytes:
            return False
        known = (
            path == self.artifact.temporary
            or found.inode == self.artifact.inode
            or self.sidecar_is_ours(path)
        )
        return known and self.disk.digest(path) == self.artifact.sha256

    def finals(self) -> Iterator[str]:
        """Yield the absolute names that the result may get, best first; it never ends."""
        folder = folder_of(self.job)
        for name in candidates(render(self.job.order.delivery.name, self._values())):
            yield f"{folder}/{name}"

    def document(self, final: str) -> object:
        """Return what a sidecar beside *final* says; None when there is none that can be read."""
        try:
            return json.loads(self.disk.read(final + SIDECAR))
        except (DiskError, ValueError, RecursionError):
            return None

    def sidecar_is_ours(self, final: str) -> bool:
        """Return whether the sidecar beside *final* speaks of this result."""
        return identify(self.document(final)) == (self.job.key, self.artifact.index)

    def _values(self) -> dict[str, str]:
        artifact, receipt = self.artifact, self.job.submission
        measured: dict[str, str] = {}
        if artifact.width is not None and artifact.height is not None:
            width, height = str(artifact.width), str(artifact.height)
            measured = {"size": f"{width}x{height}", "width": width, "height": height}
        return {
            **measured,
            **self.job.order.tokens,
            "seed": "" if artifact.seed is None else str(artifact.seed),
            "ext": artifact.extension,
            "index": str(artifact.index + 1),
            "job_id": receipt.remote_id.rpartition(":")[2] if receipt else "",
        }
