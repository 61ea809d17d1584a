"""The nouns of Dropglow. Plain frozen data; no behaviour beyond derived facts.

This module imports nothing that touches the world, so that every other module
may import it. One word per thing: an *order* costs money, a *job* carries one
order from admission to the outbox, a *submission* is Adobe's receipt.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NewType

DropKey = NewType("DropKey", str)
JobKey = NewType("JobKey", str)
RuleName = NewType("RuleName", str)
RemoteId = NewType("RemoteId", str)


class Kind(StrEnum):
    """Say what a dropped file is."""

    IMAGE = "image"
    PROMPT = "prompt"


class Format(StrEnum):
    """Name an image format by its bytes, never by its file name."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    TIFF = "tiff"
    JXL = "jxl"
    GIF = "gif"  # this and those below: Firefly does not read them, and we can convert them
    BMP = "bmp"
    AVIF = "avif"


class Colours(StrEnum):
    """Say how a picture's pixels tell their colours."""

    GREY = "grey"
    RGB = "rgb"
    PALETTE = "palette"
    CMYK = "cmyk"  # YCCK included: a JPEG's way to write the same
    LAB = "lab"
    NUMBERS = "numbers"  # measurements of 32 bits, which have no black and no white


class Collision(StrEnum):
    """Say what happens when a result's name is taken."""

    UNIQUE = "unique"
    OVERWRITE = "overwrite"
    SKIP = "skip"


class OnDoubt(StrEnum):
    """Say what a rule wants when nobody knows whether an order stands."""

    HOLD = "hold"
    RESUBMIT = "resubmit"


class Duplicates(StrEnum):
    """Say what a rule wants when the same content comes once more."""

    REUSE = "reuse"  # what was bought stands for it
    WARN = "warn"  # it is bought again, and said
    BUY = "buy"


class Billed(StrEnum):
    """Say whether money was spent, as far as anybody can know."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Name where a job is in its life; see ``lifecycle.py`` for the arrows."""

    QUEUED = "queued"
    HELD = "held"
    SUBMITTING = "submitting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FETCHING = "fetching"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    IN_DOUBT = "in_doubt"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DropState(StrEnum):
    """Say how a drop stands as a whole; its jobs say why."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One look at one file below an inbox. Two equal sightings mean stillness."""

    path: str  # below the inbox, ``/`` between folders, undecodable bytes as surrogates
    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """Return what stays the same while nobody writes. Not the ctime: moving a file away and back changes it."""
        return self.device, self.inode, self.size_bytes, self.mtime_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSighting(Sighting):
    """One look at a whole sub-folder that is one drop. Equal ones mean that nothing in it moved.

    Its size is that of its members, its mtime the latest of all that is in it.
    """

    members: tuple[Sighting, ...]  # the files in it that may be of use, by path
    others: tuple[Sighting, ...] = ()  # all else in it, sub-folders included: nobody may be at it either
    obstacle: str = ""  # why it cannot be whole yet, as the end of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a look inside a file told: enough to match it and to refuse it.

    ``fault`` is a sentence for the file's owner, ``hint`` says what to do about
    it; a file with a fault still matches rules, so that it ends in ``_failed``
    with a reason.
    """

    kind: Kind | None = None
    format: Format | None = None
    width: int | None = None  # pixels, after EXIF rotation
    height: int | None = None
    size_bytes: int | None = None  # of a picture's file
    colours: Colours | None = None
    bits: int = 8  # of each channel of a pixel
    frames: int = 1  # 2 or more: it moves, or has pages; not every one is counted
    orientation: int = 1  # EXIF: 1 is upright, 6 lies on its side
    transparent: bool = False  # it has an alpha channel, or a colour that is none
    located: bool = False  # it tells where it was taken (GPS)
    text: str | None = None  # a prompt file's text, front matter and blank lines before it included
    fault: str | None = None
    hint: str = ""
    unfinished: bool = (
        False  # the fault is that something is missing yet: somebody may be writing the file still
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Where a drop's file goes when all of its jobs rest. Absolute folders.

    Where originals stay in their inbox, a copy is worked on and removed in any case: ``failed`` and ``held``
    are for reports then.
    """

    done: str | None  # None: what was worked on is deleted after success
    failed: str
    held: str
    workshop: str = ""  # where copies are worked on, while originals stay; empty: originals are moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A file that was dropped beside another one and belongs to it: its mask, its prompt.

    It is claimed with its drop, and goes wherever that goes. One without a kind is a marker: that it was there
    said that the drop is whole, and nobody looks into it.
    """

    path: str  # below the inbox, as it was dropped
    place: str  # absolute path where the file is now; empty once deleted
    sha256: str
    size_bytes: int
    device: int
    inode: int
    kind: Kind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of a folder that is one drop. It is wherever that is."""

    path: str  # below the inbox, as it was dropped
    sha256: str
    size_bytes: int
    kind: Kind | None = None  # None: neither a picture nor a prompt
    passed_over: str = ""  # why no rule orders anything for it; it travels along
    fault: str = ""  # why it cannot be used
    hint: str = ""  # what to do about the fault


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Drop:
    """A settled file that a rule took, from its claim to its last folder; or a whole folder."""

    key: DropKey
    inbox: str  # absolute folder
    path: str  # below the inbox, as it was dropped
    place: str  # absolute path where the file is now; empty once deleted
    rule: RuleName
    rule_digest: str
    sha256: str
    size_bytes: int
    device: int
    inode: int
    kind: Kind
    companions: tuple[Companion, ...] = ()
    members: tuple[Member, ...] = ()  # of a folder; a file has none, and a folder without any is no drop
    after: After
    state: DropState = DropState.OPEN
    reason: str = ""  # why it cannot be used
    hint: str = ""  # what to do about the reason; empty: nothing more than the reason says
    admitted_at: datetime
    closed_at: datetime | None = None
    revision: int = 0

    @property
    def contents(self) -> tuple[str, ...]:
        """Return the SHA-256 of those of its companions that are part of what is bought: of all but markers."""
        return tuple(each.sha256 for each in self.companions if each.kind is not None)

    @property
    def folder(self) -> bool:
        """Return whether it is a whole folder."""
        return bool(self.members)

    def place_of(self, member: Member) -> str:
        """Return the absolute path where *member* is now; empty once it is gone with its folder."""
        below = member.path.removeprefix(f"{self.path}/")
        return posixpath.join(self.place, below) if self.place else ""

    def whereabouts(self, file: Drop | Companion) -> str:
        """Return where people find *file* of this drop: the original, if it stays; empty once it is gone."""
        return f"{self.inbox.rstrip('/')}/{file.path}" if self.after.workshop else file.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A file that was taken and stays in its inbox, as it was then.

    Device, inode and ctime may change when a share is mounted again, and do not count.
    """

    inbox: str  # absolute folder
    path: str  # below the inbox
    size_bytes: int
    mtime_ns: int
    drop: DropKey  # that it belongs to

    def is_like(self, sighting: Sighting) -> bool:
        """Return whether the file that is there now was not written since."""
        return (self.size_bytes, self.mtime_ns) == (sighting.size_bytes, sighting.mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture that an order refers to: the drop itself, unless another field says which.

    ``slot`` is the place of the source object in the request body, with dots:
    ``image.source``, ``style.imageReference.source``, ``referenceBlobs.0.source``.
    """

    slot: str
    path: str | None = None  # absolute: a picture that the rule names
    companion: str | None = None  # below the inbox: a file that was dropped beside the drop
    linked: bool = False  # an address in the drop's own text; it is signed, so it is read there when needed

    @property
    def of_drop(self) -> bool:
        """Return whether the dropped file itself is meant."""
        return self.path is None and self.companion is None and not self.linked


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """How and where the results of an order are to appear."""

    outbox: str  # absolute folder
    folder: str  # below the outbox, mirrored from the inbox; empty for its root
    name: str  # template; see ``naming.py``
    collision: Collision = Collision.UNIQUE
    mode: int | None = None  # permission bits
    group: str | None = None
    sidecar: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request to Firefly, fully rendered but for its upload ids. It costs money.

    ``body`` is the JSON of the request without the reference slots; ``results``
    is the number of results that Adobe is asked for, ``images`` what they cost.
    """

    operation: str  # a key of ``rules.operations``
    model: str | None = None  # header x-model-version
    body: dict[str, Any]
    references: tuple[Reference, ...] = ()
    images: int = 1  # price, in operations as Adobe counts them: one for a picture, more for a video
    results: int = 1
    prepared: bool = True  # False: pictures are uploaded as they are, or refused
    stripped: bool = False  # True: EXIF and GPS data are left out of what is uploaded
    size: str = ""  # ``WIDTHxHEIGHT`` in pixels
    seeds: tuple[int, ...] = ()
    prompt: str = ""
    tokens: dict[str, str] = field(default_factory=dict)  # naming values that are known already
    delivery: DeliveryPlan

    @property
    def called(self) -> str:
        """Return what tells this order from others of its drop, as a person says it."""
        said = (self.operation, self.size, self.tokens.get("content_class"), self.model)
        part = self.tokens.get("part")
        return " ".join(each for each in said if each) + (f", prompt {part}" if part else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One picture's id in Adobe's storage. Valid seven days (Adobe's OpenAPI document, StorageImage)."""

    slot: str
    sha256: str
    upload_id: str
    valid_until: datetime
    prepared: str = ""  # what was done to a copy of the picture before, in words; empty: it went as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Adobe's receipt for one order."""

    remote_id: RemoteId
    status_url: str
    cancel_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One result as Adobe announces it. The link is pre-signed and lives an hour."""

    index: int
    seed: int | None
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One result's verified bytes under a temporary name in the outbox."""

    index: int
    seed: int | None
    temporary: str  # absolute path
    device: int
    inode: int
    size_bytes: int
    sha256: str
    media_type: str
    extension: str  # with its dot, from the bytes
    width: int | None = None
    height: int | None = None
    content_credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something ended or waits, in words for a person."""

    code: str
    what: str
    why: str = ""
    hint: str = ""
    billed: Billed = Billed.NO
    twin: JobKey | None = None  # the job that buys the same, and whose reason to wait this is


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One order of one drop, from admission to the outbox.

    At most one submission of it is alive at any time. ``attempt`` counts the
    submissions that were begun, whatever became of them.
    """

    key: JobKey
    drop: DropKey
    rule: RuleName
    inbox: str
    source: str  # the path below the inbox of the file that it is about, readable text
    members: tuple[str, ...] = ()  # of a folder: the paths of that file and of those that belong to it
    order: Order
    stage: Stage = Stage.QUEUED
    priority: int = 0
    attempts: int = 3
    on_doubt: OnDoubt = OnDoubt.HOLD
    duplicates: Duplicates = Duplicates.BUY  # whatever the rule says, what a person asks for again is bought
    reuses: JobKey | None = None  # the job that bought what this one delivers
    attempt: int = 0
    declines: int = 0
    doubts: int = 0
    trips: int = 0  # failures in a row at the present stage, for the back-off
    not_before: datetime | None = None
    uploads: tuple[Upload, ...] = ()
    submission: Submission | None = None
    outputs: tuple[Output, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    delivered: tuple[str, ...] = ()  # absolute paths
    cancel_wanted: bool = False
    cancel_sent: bool = False
    late: bool = False
    failure: Failure | None = None
    created_at: datetime
    begun_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 0

    @property
    def request_id(self) -> str:
        """Return the ``x-request-id`` of the order that was begun last, by which Adobe may find it; empty before.

        It comes of what is stored with the intent, so that it is known as well where the process died while sending.
        """
        if self.begun_at is None:
            return ""
        return sha256(f"{self.key} {self.attempt} {self.begun_at.isoformat()}".encode()).hexdigest()[:32]
