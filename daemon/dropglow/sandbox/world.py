"""Be the sandbox's world: its tokens, uploads, jobs, books and dice.

No sockets, no event loop, no threads: the HTTP surface asks, tests look and interfere. Everything random comes from
streams seeded once, in call order, so that the same calls have the same results; the fault dice have a stream of
their own. Times are seconds since 1970 as the given clock tells them.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dropglow.sandbox.books import job_entry, upload_entry
from dropglow.sandbox.faults import Faults, Rate
from dropglow.sandbox.jobs import Ending, Job, State
from dropglow.sandbox.orders import Order, Upload
from dropglow.sandbox.pace import believable_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dropglow.sandbox.uploads import Measures

__all__ = ["Token", "World"]

# An example shard from Adobe's guide to the asynchronous APIs.
SHARD: Final = "eso851211"
KEPT_BYTES: Final = 256 * 1024 * 1024
WINDOW_S: Final = 60.0
SEED_LIMIT: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Hold an access token and the seconds it lives."""

    text: str
    life_s: float


class World:
    """Keep everything the pretend service knows. Not for several threads at once.

    With ``client_id`` None any credentials are accepted. ``faults`` may be replaced while the world is in use.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        seed: int = 0,
        faults: Faults | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> None:
        """Begin with empty books."""
        self.faults = faults or Faults()
        self.client_id = client_id
        self.client_secret = client_secret
        self._now = now
        self._dice = random.Random(seed)
        self._names = random.Random(f"{seed} names")
        self._durations = random.Random(f"{seed} durations")
        self._calls: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._bodies: Counter[str] = Counter()
        self._tokens: dict[str, float] = {}
        self._uploads: dict[str, Upload] = {}
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._contents_bytes = 0
        self._jobs: dict[str, Job] = {}
        self._window: deque[float] = deque()
        self._refused = 0
        self._downloads = 0

    @classmethod
    def anew(cls) -> World:
        """Return one whose ids are of no other, as Adobe's are: a ledger may still know those of the last."""
        return cls(seed=random.SystemRandom().getrandbits(64))

    # Time and chance.

    def now(self) -> float:
        """Return the server's time, skewed if that is asked for."""
        return self._now() + self.faults.clock_skew

    def strikes(self, fault: str) -> bool:
        """Return whether the named fault strikes this time, and count the call."""
        rate: Rate = getattr(self.faults, fault)
        self._calls[fault] += 1
        return rate.strikes(call=self._calls[fault], roll=self._dice.random)

    def struck(self, fault: str) -> Any:
        """Return what the named fault says if it is set and its ``_rate`` strikes this time, else nothing."""
        said = getattr(self.faults, fault)
        return said if said and self.strikes(f"{fault}_rate") else None

    def count(self, route: str) -> None:
        """Write one request into the books."""
        self._requests[route] += 1

    def count_refusal(self) -> None:
        """Write one refused submission or upload into the books."""
        self._refused += 1

    # Credentials.

    def issue_token(self, client_id: str, client_secret: str) -> Token | None:
        """Return a new token, or None if the credentials are wrong."""
        if self.client_id is not None and client_id != self.client_id:
            return None
        if self.client_secret is not None and client_secret != self.client_secret:
            return None
        token = Token(text=f"sandbox-{self._names.getrandbits(256):064x}", life_s=self.faults.token_life)
        self._tokens[token.text] = self.now() + token.life_s
        return token

    def token_expires_at(self, text: str) -> float | None:
        """Return when a token of ours ends, or None if it is not ours."""
        return self._tokens.get(text)

    def revoke_tokens(self) -> None:
        """Forget all tokens, as if an administrator had done so."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    # Throttling.

    def wait_before_next(self) -> float | None:
        """Return the seconds until the next submission or upload is allowed; None if it is allowed now.

        An allowed one is counted at once.
        """
        if not self.faults.per_minute:
            return None
        now = self._now()
        while self._window and self._window[0] <= now - WINDOW_S:
            self._window.popleft()
        if len(self._window) >= self.faults.per_minute:
            return self._window[0] + WINDOW_S - now
        self._window.append(now)
        return None

    # Uploads.

    def store(self, content: bytes, measures: Measures) -> Upload:
        """Keep an uploaded picture and return its record.

        The bytes of the oldest pictures are forgotten once 256 MB are held; their ids stay good.
        """
        upload = Upload(
            id=self._uuid(),
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            width=measures.width,
            height=measures.height,
            transparent=measures.transparent,
            stored_at=self.now(),
        )
        self._uploads[upload.id] = upload
        self._contents[upload.id] = content
        self._contents_bytes += len(content)
        while self._contents_bytes > KEPT_BYTES:
            _, oldest = self._contents.popitem(last=False)
            self._contents_bytes -= len(oldest)
        return upload

    def find_upload(self, upload_id: str) -> Upload | None:
        """Return an upload that is known and not older than its life."""
        upload = self._uploads.get(upload_id)
        if upload is None or self.now() >= upload.stored_at + self.faults.upload_life:
            return None
        return upload

    def content(self, upload_id: str | None) -> bytes | None:
        """Return the bytes of an upload, or None if they are not held any more."""
        return self._contents.get(upload_id) if upload_id is not None else None

    # Jobs.

    def accept(self, order: Order) -> Job:
        """Take an order: from here on it is charged."""
        now = self.now()
        never = self.strikes("never")
        takes_s = self._duration(order)
        job = Job(
            id=f"urn:ff:jobs:{SHARD}:{self._uuid()}",
            order=order,
            seeds=order.seeds or self._choose_seeds(order.images),
            outputs=self._outputs(order.images),
            accepted_at=now,
            ends_at=None if never else now + takes_s,
            ending=self._ending(),
            error_code=self.faults.job_failed_code,
        )
        self._jobs[job.uuid] = job
        self._bodies[order.body_sha256] += 1
        return job

    def find_job(self, job_id: str) -> Job | None:
        """Return a job by its URN or its bare UUID."""
        return self._jobs.get(job_id.rpartition(":")[2])

    @property
    def jobs(self) -> Sequence[Job]:
        """Return all jobs in the order of their acceptance."""
        return tuple(self._jobs.values())

    def state(self, job: Job) -> State:
        """Return how a job stands now."""
        return job.state(self.now())

    def poll(self, job: Job) -> State:
        """Return how a job stands now, and count that somebody asked."""
        job.polls += 1
        return self.state(job)

    def cancel(self, job: Job) -> State:
        """Cancel a job that is not at its end; return how it stood before."""
        before = self.state(job)
        if before in {State.PENDING, State.RUNNING}:
            job.cancelled_at = self.now()
            job.cancel_takes_s = self.faults.cancel_takes
        return before

    def count_download(self, job: Job) -> None:
        """Write one download that was begun into the books."""
        job.downloads += 1
        self._downloads += 1

    # For tests.

    def finish(self, job_id: str) -> None:
        """Let a job end now.

        Raises:
            KeyError: There is no such job.
        """
        job = self._jobs[job_id.rpartition(":")[2]]
        job.held = False
        job.ends_at = self.now()

    def hold(self, job_id: str) -> None:
        """Keep a job running until `finish` is called.

        Raises:
            KeyError: There is no such job.
        """
        self._jobs[job_id.rpartition(":")[2]].held = True

    def forget(self, job_id: str) -> None:
        """Lose a job, so that its status is answered 404.

        Raises:
            KeyError: There is no such job.
        """
        del self._jobs[job_id.rpartition(":")[2]]

    # The books.

    def books(self) -> dict[str, Any]:
        """Return all that was counted, fit for JSON.

        ``images`` counts the operations charged, without those of failed and cancelled jobs: one for each picture
        ordered; 2, 5 or 10 for a clip with 540, 720 or 1080 lines.
        ``same_body_twice`` counts jobs whose operation, model and body equal those of an earlier one.
        """
        now = self.now()
        jobs = [job_entry(job, now=now) for job in self._jobs.values()]
        return {
            "tokens": len(self._tokens),
            "uploads": [upload_entry(upload) for upload in self._uploads.values()],
            "jobs": jobs,
            "accepted": sum(self._bodies.values()),
            "images": sum(job["images"] for job in jobs),
            "same_body_twice": sum(times - 1 for times in self._bodies.values()),
            "polls": sum(job["polls"] for job in jobs),
            "downloads": self._downloads,
            "requests": dict(sorted(self._requests.items())),
            "refused": self._refused,
            "cancelled": sum(job.cancelled_at is not None for job in self._jobs.values()),
        }

    def dump(self, path: Path) -> None:
        """Write the books to a file, for a look.

        Raises:
            OSError: The file cannot be written.
        """
        path.write_text(json.dumps(self.books(), indent=2) + "\n", encoding="utf-8")

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._names.getrandbits(128), version=4))

    def _choose_seeds(self, images: int) -> tuple[int, ...]:
        return tuple(self._names.sample(range(SEED_LIMIT), images))

    def _outputs(self, images: int) -> int:
        if self.strikes("empty"):
            return 0
        return images - 1 if self.strikes("fewer") else images

    def _ending(self) -> Ending:
        if self.strikes("job_failed"):
            return Ending.FAILED
        return Ending.TIMEOUT if self.strikes("timeout") else Ending.SUCCEEDED

    def _duration(self, order: Order) -> float:
        span = self.faults.duration
        if span is not None:
            return self._durations.uniform(span.low_s, span.high_s)
        return believable_s(order, self._durations)
