"""Where a job's results go, what their temporary files are called, and what an outbox says when it refuses."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dropglow.disk import Disk, shown
from dropglow.errors import DeliveryError, DiskError, DiskFull, FileGone
from dropglow.model import Job, JobKey
from dropglow.naming import places_folder, safe_folder

_PREFIX: Final = ".dropglow-"
_SUFFIX: Final = ".part"


def folder_of(job: Job) -> str:
    """Return the absolute folder that the job's names are relative to; its temporary files are there.

    Below the outbox as the drop was below its inbox, unless the name says itself what becomes of the folder.
    """
    plan = job.order.delivery
    below = "" if places_folder(plan.name) else safe_folder(plan.folder)
    return f"{plan.outbox}/{below}".rstrip("/")


def temporary_of(job: Job, index: int) -> str:
    """Return a new absolute name for a temporary file of one result; hidden, and recognisably this job's."""
    return f"{folder_of(job)}/{_prefix(job.key)}{index}-{secrets.token_hex(4)}{_SUFFIX}"


def is_temporary_of(job: Job, name: str) -> bool:
    """Return whether a file's *name* is one that ``temporary_of`` gives to this very job."""
    return name.startswith(_prefix(job.key)) and name.endswith(_SUFFIX)


def open_outbox(disk: Disk, outbox: str, *, make: bool) -> None:
    """Make sure that *outbox* is there. With *make*, it is made where only it is missing, not the folders above.

    Raises:
        DeliveryError: It is not there, which is what an unmounted share looks like.
    """
    if disk.look(f"{outbox}/.") is not None:  # the dot follows a link to a folder
        return
    parent = outbox.rpartition("/")[0] or "/"
    if not make or disk.look(f"{parent}/.") is None or disk.look(outbox) is not None:
        raise DeliveryError(
            f"the outbox {shown(outbox)} is not there", hint="is the share mounted? otherwise make the folder"
        )
    disk.make_folder(outbox, within=parent)


@contextmanager
def at_outbox(outbox: str) -> Iterator[None]:
    """Raise what the disk refuses as the outbox's refusal. A file that is gone stays ``FileGone``."""
    try:
        yield
    except FileGone:
        raise
    except DiskFull as error:
        raise DeliveryError(
            f"the outbox {shown(outbox)} is full",
            hint="free some space; the result is brought there again by itself",
        ) from error
    except DiskError as error:
        raise DeliveryError(
            f"the outbox {shown(outbox)} refuses the result: {error.message}", hint=error.hint
        ) from error


def _prefix(job: JobKey) -> str:
    return f"{_PREFIX}{job}-"
