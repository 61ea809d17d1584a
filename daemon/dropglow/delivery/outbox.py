"""Give verified results their final names: once, whole, and without touching anybody else's file.

Delivery may be interrupted anywhere and is then simply done again. What tells
the second run what the first one did is on the disk itself: a result that has
its final name is known by the inode and digest that the ledger remembers, a
sidecar by the job that it names. The sidecar comes first, so that whoever
waits for the picture finds it there.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from dropglow.delivery.known import SIDECAR, Result
from dropglow.delivery.place import at_outbox, open_outbox, temporary_of
from dropglow.disk import Disk, shown
from dropglow.errors import DeliveryError, DiskError, FileGone, NameTaken
from dropglow.model import Artifact, Collision, DeliveryPlan, Drop, Job
from dropglow.provenance import build, result_sha256


class Outbox:
    """Delivers fetched results. Safe to use from several threads for different jobs."""

    def __init__(self, disk: Disk, *, owner: str = "") -> None:
        """Deliver through *disk*. What *owner* leaves behind, it alone clears away; without one nobody does."""
        self._disk = disk
        self._owner = owner or secrets.token_hex(8)

    def deliver(self, job: Job, drop: Drop, *, now: datetime) -> tuple[str, ...]:
        """Give every result of *job* its final name and return the names (absolute), synced.

        Doing it again after an interruption finishes what is missing. A result whose
        name was taken is not among them when the rule says ``skip``.

        Raises:
            FileGone: A fetched result is neither under its temporary nor under a final name.
            DeliveryError: The outbox is missing, full or refuses.
        """
        plan = job.order.delivery
        placed: list[str] = []
        with at_outbox(plan.outbox):
            for artifact in job.artifacts:
                placing = _Placing(
                    disk=self._disk, job=job, drop=drop, artifact=artifact, now=now, mates=frozenset(placed)
                )
                final = placing.place()
                if final is not None:
                    placed.append(final)
        return tuple(placed)

    def standing(self, job: Job) -> tuple[Artifact, ...]:
        """Return those results of *job* that an interrupted delivery has given their final names, and which are still there.

        Raises:
            DeliveryError: The outbox does not tell.
            FileGone: One went while it was looked at.
        """
        found: dict[str, Artifact] = {}
        with at_outbox(job.order.delivery.outbox):
            for artifact in job.artifacts:
                final = Result(disk=self._disk, job=job, artifact=artifact).search(frozenset(found))
                if final is not None:
                    found[final] = artifact
        return tuple(found.values())

    def probe(self, outbox: str, *, needed_bytes: int = 0, make: bool = False) -> None:
        """Write, sync, rename and remove a small file in *outbox*, as a delivery would.

        Args:
            outbox: Absolute folder.
            needed_bytes: How much room is wanted.
            make: Whether it is made when only it is missing: one that was there before is on a share that is away.

        Raises:
            DeliveryError: The outbox is missing, full or refuses.
        """
        first, second = self._probes(outbox)
        try:
            with at_outbox(outbox):
                open_outbox(self._disk, outbox, make=make)
                self._write_probe(first)
                self._disk.publish(first, second)
                self._disk.remove(second)
        except FileGone as error:
            raise DeliveryError(
                f"the outbox {shown(outbox)} loses files: {error.message}",
                hint="does another program clear it up?",
            ) from error
        except DeliveryError:
            self.clear_probe(outbox)
            raise
        self._room(outbox, needed_bytes)

    def clear_probe(self, outbox: str) -> None:
        """Remove what a probe of ours that was interrupted left in *outbox*; what refuses is left to the next one."""
        for path in self._probes(outbox):
            with suppress(DiskError):
                self._disk.remove(path)

    def _probes(self, outbox: str) -> tuple[str, str]:
        stem = f"{outbox}/.dropglow-probe-{self._owner}"
        return f"{stem}-1.part", f"{stem}-2.part"

    def _write_probe(self, path: str) -> None:
        file = self._disk.create(path)
        try:
            file.write(b"Dropglow tries whether it can write here.\n")
            file.finish()
        finally:
            file.discard()  # does nothing once it is finished

    def _room(self, outbox: str, needed_bytes: int) -> None:
        with at_outbox(outbox):
            free_bytes = self._disk.free_bytes(outbox)
        if free_bytes < needed_bytes:
            raise DeliveryError(
                f"the outbox {shown(outbox)} is nearly full: {free_bytes} bytes are free, {needed_bytes} are needed",
                hint="free some space; work goes on by itself",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placing:
    """The delivery of one result."""

    disk: Disk
    job: Job
    drop: Drop
    artifact: Artifact
    now: datetime
    mates: frozenset[str]  # final names of this job's other results: never replaced, whatever the rule

    @property
    def result(self) -> Result:
        return Result(disk=self.disk, job=self.job, artifact=self.artifact)

    @property
    def plan(self) -> DeliveryPlan:
        return self.job.order.delivery

    def place(self) -> str | None:
        """Return the result's final name, given now or before; None if it was skipped."""
        temporary = self.disk.look(self.artifact.temporary)
        if temporary is None:
            # A file in an outbox says that this is there; a missing one says nothing.
            open_outbox(self.disk, self.plan.outbox, make=False)
            return self._placed_before()
        if not self.result.is_at(self.artifact.temporary, temporary):
            return self._placed_before()
        if temporary.links > 1 and (final := self.result.search(self.mates)) is not None:
            # Interrupted on a file system where moving is linking and unlinking.
            self.disk.remove(self.artifact.temporary)
            return self._settled(final)
        return self._publish()

    def _publish(self) -> str | None:
        for final in self.result.finals():
            if final in self.mates:
                continue
            if (folder := final.rpartition("/")[0]) != self.plan.outbox:
                self.disk.make_folder(folder, within=self.plan.outbox)
            if self.job.reuses is not None and self._stands(final):
                self.disk.remove(self.artifact.temporary)
                return self._settled(final)
            if self._try(final):
                return final
            if self.plan.collision is Collision.SKIP and self.disk.look(final) is not None:
                self.disk.remove(self.artifact.temporary)
                return None
        raise AssertionError  # pragma: no cover - there is no last candidate

    def _try(self, final: str) -> bool:
        """Return whether the result now stands at *final*; nothing of it is left there otherwise."""
        standing = self.disk.look(final)
        replace = self.plan.collision is Collision.OVERWRITE
        if standing is not None and not (replace and standing.regular):
            self._withdraw_sidecar(final)
            return False
        if self.plan.sidecar and not self._write_sidecar(final, about=self.artifact.temporary):
            return False
        try:
            self.disk.publish(self.artifact.temporary, final, replace=replace)
        except NameTaken:
            self._withdraw_sidecar(final)
            return False
        return True

    def _stands(self, final: str) -> bool:
        """Return whether the very same bytes have this name: a result that was delivered before, and never taken away."""
        found = self.disk.look(final)
        if found is None or not found.regular or found.size_bytes != self.artifact.size_bytes:
            return False
        return self.disk.digest(final) == self.artifact.sha256

    def _placed_before(self) -> str | None:
        final = self.result.search(self.mates)
        if final is not None:
            return self._settled(final)
        first = next(self.result.finals())
        if self.plan.collision is Collision.SKIP and self.disk.look(first) is not None:
            return None
        raise FileGone(
            f"the fetched result {shown(self.artifact.temporary)} is gone",
            hint="it is fetched again by itself; does another program clear the outbox up?",
        )

    def _settled(self, final: str) -> str:
        """Return *final* once it is certain that it and its sidecar survive a power cut."""
        if self.plan.sidecar:
            self._write_sidecar(final, about=final)
        self.disk.sync_folder(final.rpartition("/")[0])
        return final

    def _withdraw_sidecar(self, final: str) -> None:
        """Remove the sidecar that an earlier run wrote for a name which the result did not get."""
        if self.plan.sidecar and self.result.sidecar_is_ours(final):
            self.disk.remove(final + SIDECAR)

    def _write_sidecar(self, final: str, *, about: str) -> bool:
        """Return whether this result's own sidecar stands beside *final* now; the result itself stands at *about*."""
        path = final + SIDECAR
        standing = self.disk.look(path)
        ours = standing is not None and self.result.sidecar_is_ours(final)
        if ours and result_sha256(self.result.document(final)) == self.artifact.sha256:
            return True
        replace = ours or self.plan.collision is Collision.OVERWRITE
        if standing is not None and not (replace and standing.regular):
            return False
        try:
            self._put_sidecar(path, self._sidecar(final), about=about, replace=replace)
        except NameTaken:
            return False
        return True

    def _sidecar(self, final: str) -> bytes:
        name = final.rpartition("/")[2]
        document = build(self.job, self.drop, self.artifact, delivered_as=name, at=self.now)
        # What is no UTF-8 becomes an escape that JSON knows.
        return json.dumps(document, indent=2, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"

    def _put_sidecar(self, path: str, data: bytes, *, about: str, replace: bool) -> None:
        temporary = temporary_of(self.job, self.artifact.index)
        file = self.disk.create(temporary, mode=0o666 if self.plan.mode is None else 0o600)
        try:
            file.write(data)
            file.finish(mode=self.plan.mode, group=self.plan.group)
            self._prove(about)
            self.disk.publish(temporary, path, replace=replace)
        except DiskError:
            file.discard()
            with suppress(DiskError):
                self.disk.remove(temporary)
            raise

    def _prove(self, about: str) -> None:
        """Raise that the result at *about* is not there: its share went, and its sidecar is in what it was mounted over."""
        if self.disk.look(about) is None:
            raise DiskError(f"{shown(about)} is not there any more", hint="is the share mounted?")
