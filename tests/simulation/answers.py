"""What the whole service did after each answer of each call: the page ``daemon/answers.md``, from runs in virtual time.

``python -m tests.simulation.answers`` makes it anew. Each cell is a run of its own: one photo is dropped; the answer
comes once, or for an hour; then it is written down what became of the photo, of its order and of the request.
What the client alone makes of each answer is in ``tests/contract/test_truth_table.py``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import structlog

from dropglow.assembly import build
from dropglow.config import load_config
from dropglow.disk import RealDisk
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.ledger.base import Query
from dropglow.ledger.mailbox import Verb, Wish
from dropglow.ledger.memory import MemoryLedger
from dropglow.lifecycle import RESTING
from dropglow.model import Billed, Job, Stage
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.world import World
from tests.simulation.books import SimLedger, answered
from tests.simulation.loop import EPOCH, SimClock, SimLoop, WallClock
from tests.simulation.machine import Fate, Machine
from tests.simulation.mail import QuietStatus, SimDoorbell, SimMailbox
from tests.simulation.people import PHOTOS, picture
from tests.simulation.run import folder
from tests.simulation.weather import Weather
from tests.simulation.wire import Front, SimWire
from tests.telling import tell

if TYPE_CHECKING:
    from dropglow.runtime.service import Service

PAGE: Final = Path(__file__).parents[2] / "daemon" / "answers.md"
CALLS: Final = ("token", "upload", "order", "status", "cancel", "download")
HORIZON_S: Final = 3600.0  # so long a lasting answer lasts
LOOK_S: Final = 5.0
FEW: Final = 6  # beyond that, how often somebody asked is a matter of chance
NAMED_S: Final = 90.0  # what Retry-After says, in seconds or as a date
CONFIGURATION: Final = """
state: ./state
limits: {requests_per_minute: off, requests_per_day: off, poll: {min: 1s, max: 60s}}
rules:
  - name: photos
    inbox: in/photos
    outbox: out/photos
    settle: 1s
    rescan: 60s
    watch: poll
    match: {kind: image}
    expand: {sizes: [64x48]}
"""
NAMES: Final = {
    "token": "to the request for a token",
    "upload": "to the upload",
    "order": "to the order",
    "status": "to the question how the job stands",
    "cancel": "to the cancellation",
    "download": "to the download of the result",
}
HEAD: Final = """\
# What the service does after each answer

Made by `python -m tests.simulation.answers` from runs of the whole service, one a cell; do not edit by hand.

One photo is dropped under a rule with one size, and one kind of request meets one answer; everything else goes well.
Where the cancellation is tried, somebody asks for it while the job runs, and the job would take ten minutes. *In doubt*
means that the order counts as spent, its file lies in `_held`, and nothing is ordered again until `dropglow resolve`.
No order in these tables was bought twice: where that happened, the cell would say so.
"""
TABLES: Final = (
    ("Where it comes once", "After it, everything goes well.", 1),
    ("Where it lasts", "It comes for an hour, and then it is looked how things stand.", 10**9),
)
HTML: Final = b"<html><body><h1>Sorry</h1></body></html>"
JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What comes back instead of the world's answer; without a status, nothing does."""

    name: str
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    broken: str = ""  # how the line breaks: refused, cut, silent, cut in the body
    arrives: bool = False  # the request reaches Adobe, and does there what it should

    def bring(self, now_at: str) -> httpx.Response:
        """Return it as an answer; *now_at* is what a header says that names a date."""
        headers = {name: value.replace("DATE", now_at) for name, value in self.headers.items()}
        return httpx.Response(self.status, headers=headers, stream=_Bytes(self.body, cut=bool(self.broken)))


def coded(status: int, code: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"error_code": code, "message": "In Adobe's words."}).encode()
    also = "".join(f", `{name}: {value}`" for name, value in named.items())
    return Reply(name=f"{status} `{code}`{also}", status=status, body=body, headers=JSON | named)


def page_of(status: int) -> Reply:
    return Reply(name=f"{status} in HTML", status=status, body=HTML, headers={"content-type": "text/html"})


REPLIES: Final = (
    Reply(name="no connection", broken="refused"),
    Reply(name="cut before the answer, nothing arrived", broken="cut"),
    Reply(name="cut before the answer, all arrived", broken="cut", arrives=True),
    Reply(name="no answer in time", broken="silent", arrives=True),
    Reply(name="200 cut in its body", status=200, body=b'{"a": ', headers=JSON | {"content-length": "400"},
          broken="cut in the body", arrives=True),
    Reply(name="200 `{}`", status=200, body=b"{}", headers=JSON, arrives=True),
    Reply(name="200 in HTML", status=200, body=HTML, headers={"content-type": "text/html"}, arrives=True),
    Reply(name="307 elsewhere", status=307, headers={"location": "http://169.254.169.254/"}),
    coded(400, "bad_request"),
    coded(401, "401013"),
    page_of(402),
    coded(403, "access_error", x_access_error="quota_exhausted"),
    coded(403, "access_error", x_access_error="user_non_entitled"),
    page_of(403),
    page_of(404),
    coded(408, "timeout_error"),
    coded(409, "conflict"),
    page_of(410),
    page_of(413),
    coded(415, "invalid_content_type"),
    coded(422, "validation_error"),
    coded(422, "prompt_unsafe"),
    coded(429, "rate_limited"),
    coded(429, "rate_limited", retry_after=f"{NAMED_S:.0f}"),
    coded(429, "rate_limited", retry_after="DATE"),
    coded(451, "image_unsafe"),
    page_of(499),
    coded(500, "runtime_error"),
    page_of(500),
    coded(501, "not_implemented"),
    page_of(502),
    coded(503, "model_not_loaded"),
    coded(503, "model_not_loaded", retry_after=f"{NAMED_S:.0f}"),
    page_of(504),
    page_of(529),
)  # fmt: skip


class _Bytes(httpx.AsyncByteStream):
    """A body, and perhaps the end of the line after it."""

    def __init__(self, body: bytes, *, cut: bool) -> None:
        self._body = body
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        if self._cut:
            raise httpx.ReadError("the connection was closed in the middle of the answer")


def call_of(request: httpx.Request) -> str:
    """Return which of the calls this is."""
    path = request.url.path
    if path.startswith("/ims/"):
        return "token"
    if path.startswith("/v2/storage/"):
        return "upload"
    if path.startswith("/v3/status/"):
        return "status"
    if path.startswith("/v3/cancel/"):
        return "cancel"
    return "order" if request.method == "POST" else "download"


class Scripted(httpx.AsyncBaseTransport):
    """The way to the world, on which one kind of call gets the same reply for a while."""

    def __init__(self, inner: SimWire, clock: SimClock, call: str, reply: Reply, *, times: int) -> None:
        """Answer *call* by *reply* the first *times* times."""
        self._inner = inner
        self._clock = clock
        self._call = call
        self._reply = reply
        self._times = times
        self.asked_s: dict[str, list[float]] = {call: [] for call in CALLS}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, or let happen to it what the reply says."""
        call = call_of(request)
        self.asked_s[call].append(self._clock.monotonic())
        if call != self._call or len(self.asked_s[call]) > self._times:
            return await self._inner.handle_async_request(request)
        reply = self._reply
        if reply.broken == "refused":
            raise httpx.ConnectError("no connection")
        await tell(request)
        if reply.arrives:
            await self._inner.handle_async_request(request)
        if reply.broken == "silent":
            await asyncio.sleep(HORIZON_S)
        if not reply.status:
            raise httpx.ReadError("the connection broke")
        named_at = self._clock.now() + timedelta(seconds=NAMED_S)
        return reply.bring(named_at.strftime("%a, %d %b %Y %H:%M:%S GMT"))

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


@dataclass
class Cell:
    """One run: one photo or several, and one reply to one kind of call."""

    call: str
    reply: Reply
    root: Path
    times: int
    photos: int = 1
    now_s: float = 1000.0

    def __post_init__(self) -> None:
        """Lay out the folders and the world."""
        self.machine = Machine(self.root, random.Random(1))
        self.world = World(now=self._server_time, seed=1)
        # Nobody can cancel what has ended.
        self.world.faults = parse_faults(
            ["pictures=plain", f"duration={'600' if self.call == 'cancel' else '2'}"]
        )
        self.ledger = MemoryLedger(identity="ledger")
        self.mailbox = SimMailbox()
        self.mailbox.machine = self.machine
        self.loop = SimLoop(random.Random(1), start_s=self.now_s, shuffled=False)
        self.clock = SimClock(self.loop, WallClock())
        self.wire = Scripted(
            SimWire(Front(self.world), self.machine, random.Random(1), Weather(), lambda: None), self.clock, self.call,
            self.reply, times=self.times,
        )  # fmt: skip
        inbox = self.root / PHOTOS
        for path in (inbox, self.root / "out" / "photos", self.root / "state"):
            path.mkdir(parents=True)
        for number in range(self.photos):
            (inbox / f"photo{number}.png").write_bytes(picture(number))
        (self.root / "dropglow.yaml").write_text(CONFIGURATION, encoding="utf-8")

    def told(self) -> str:
        """Run, and return in words what happened to the one photo."""
        self.run()
        return self._words()

    def run(self) -> None:
        """Run until everything rests, or time is over."""
        with self.machine.installed(), SimDoorbell.installed(), _unheard():
            stop = asyncio.Event()
            self.machine.begin(Fate())
            life = self.loop.create_task(self._life(stop), name="life")
            until_s = self.now_s + HORIZON_S
            while self.loop.time() < until_s and not life.done() and not self._rests():
                self.loop.drive(life.done, until_s=self.loop.time() + LOOK_S)
                self._cancel()
            stop.set()
            self.loop.drive(life.done, until_s=self.loop.time() + 120)
            if life.done():
                life.result()
            self.machine.dead = True
            self.loop.wipe_out()
            self.machine.dead = False

    async def _life(self, stop: asyncio.Event) -> None:
        config = load_config(str(self.root), environ={}, cwd=str(self.root))
        client = FireflyClient(
            config.api,
            FixedCredentials(client_id="me", client_secret="secret"),
            self.clock,
            connections=16,
            transport=self.wire,
        )
        ledger: Any = SimLedger(self.ledger, self.machine, random.Random(1))
        service: Service = await build(
            config, ledger=ledger, client=client, clock=self.clock, disk=RealDisk(), storage="@simulated"
        )
        edges: Any = self.mailbox, QuietStatus()
        service.mailbox, service.status = edges
        try:
            await service.run(stop, once=False)
        finally:
            await client.close()

    def jobs(self) -> tuple[Job, ...]:
        """Return every job."""
        found: tuple[Job, ...] = answered(self.ledger.find(Query(limit=1000)))
        return found

    def _rests(self) -> bool:
        jobs = self.jobs()
        return len(jobs) == self.photos and all(job.stage in RESTING for job in jobs)

    def _cancel(self) -> None:
        """Ask for the job's end once it runs, where the cancellation is what is tried."""
        for job in self.jobs() if self.call == "cancel" and not self.mailbox.waiting else ():
            if job.stage is Stage.RUNNING and not job.cancel_wanted:
                self.mailbox.post(
                    Wish(
                        key="cancel", verb=Verb.CANCEL, target=job.key, argument="", asked_at=self.clock.now()
                    )
                )
                self.clock.call("wishes")

    def _server_time(self) -> float:
        return EPOCH.timestamp() + self.loop.time()

    # In words.

    def _words(self) -> str:
        (job,) = self.jobs()
        asked, orders = len(self.wire.asked_s[self.call]), len(self.wire.asked_s["order"])
        words = [self._again(asked), _became(job)]
        if self.call != "order" and orders > 1:
            words.append(f"**{orders} orders**")
        if len(self.world.jobs) > 1:
            words.append(f"**bought {len(self.world.jobs)} times**")
        return ", ".join(word for word in words if word)

    def _again(self, asked: int) -> str:
        if asked < 2:
            return "" if asked else "never asked"
        if asked > FEW:
            return "asked again and again"
        first_s, second_s = self.wire.asked_s[self.call][:2]
        patient = "retry-after" in self.reply.headers and second_s - first_s >= NAMED_S - 1
        return ("asked again" if asked == 2 else f"asked {asked} times") + (
            ", not before the time named" if patient else ""
        )


def _became(job: Job) -> str:
    match job.stage:
        case Stage.FAILED:
            billed = job.failure.billed if job.failure is not None else Billed.UNKNOWN
            return {Billed.NO: "failed, not billed", Billed.YES: "failed, billed"}.get(
                billed, "failed, perhaps billed"
            )
        case Stage.IN_DOUBT:
            return "in doubt, held"
        case Stage.QUEUED | Stage.SUBMITTING:
            return "waits in the queue"
        case Stage.RUNNING | Stage.CANCELLING | Stage.FETCHING | Stage.DELIVERING:
            return f"still {job.stage.value.replace('_', ' ')}"
        case _:
            return job.stage.value


@contextmanager
def _unheard() -> Iterator[None]:
    """Let the log go nowhere."""

    def drop(_logger: Any, _method: str, event: Any) -> Any:
        raise structlog.DropEvent

    structlog.configure(processors=[drop], wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.reset_defaults()


def column(call: str, *, times: int) -> list[str]:
    """Return what the service did after each reply to *call*, if it came so many times."""
    with folder() as root:
        return [Cell(call, reply, Path(root), times).told() for reply in REPLIES]


def table(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a row for each reply, and a column for each call."""
    lines = [
        f"| the answer | {' | '.join(NAMES[call] for call in columns)} |",
        "|---" * (1 + len(columns)) + "|",
    ]
    lines += [
        f"| {reply.name} | {' | '.join(cells)} |"
        for reply, *cells in zip(REPLIES, *columns.values(), strict=True)
    ]
    return lines


def columns_of(page: str, title: str) -> dict[str, list[str]]:
    """Return the columns of the table below *title* in *page*."""
    lines = page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [line.strip("| ").split(" | ")[1:] for line in lines if line.startswith("| ")]
    return {call: [row[at] for row in rows[1:]] for at, call in enumerate(CALLS)}


def page() -> str:
    """Return the whole page."""
    lines = [HEAD]
    for title, words, times in TABLES:
        lines += [
            f"## {title}",
            "",
            words,
            "",
            *table({call: column(call, times=times) for call in CALLS}),
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
