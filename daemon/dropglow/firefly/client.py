"""Talk to Adobe Firefly: upload, submit, ask, cancel, download. One call is one attempt.

Nothing here tries again, but for a token that was renewed after a 401, when Adobe says that it took nothing. The
address of each call is checked before the token is attached to it.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar
from uuid import uuid4

import certifi
import httpx

from dropglow import __version__
from dropglow.clock import Clock
from dropglow.errors import RequestRefused, Unavailable, Verdict
from dropglow.firefly import custom_models, faults, lookup, wire
from dropglow.firefly.auth import AnyCredentials, Token, Tokens
from dropglow.firefly.custom_models import CustomModel
from dropglow.firefly.exchange import BeforeSending, Exchanger
from dropglow.firefly.faults import Answer, Broken, Call
from dropglow.firefly.hosts import Gate
from dropglow.firefly.lanes import Lanes
from dropglow.firefly.lookup import LookUp
from dropglow.firefly.picture import Picture
from dropglow.firefly.results import Downloaded, Results
from dropglow.firefly.settings import ApiSettings, Timeouts
from dropglow.firefly.stopwatch import Heard, Stopwatch, nobody
from dropglow.firefly.wire import RemoteStatus
from dropglow.model import Order, RemoteId, Submission, Upload

UPLOAD_LIFE: Final = timedelta(days=7)  # Adobe's OpenAPI document, StorageImage
_PATIENT: Final = Timeouts()
_PLAIN: Final = (("user-agent", f"dropglow/{__version__}"), ("accept-encoding", "identity"))
_NOBODY: Final = Submission(
    remote_id=RemoteId("urn:ff:jobs:none:00000000-0000-4000-8000-000000000000"), status_url=""
)
_JSON: Final = (*_PLAIN, ("accept", "application/json"))

_Headers = Sequence[tuple[str, str]]
_Body = Callable[[], Picture]
_Found = TypeVar("_Found")


class FireflyClient:
    """Hold the connections and the token. Made by ``app``, used by ``runtime``, in one event loop."""

    def __init__(
        self,
        settings: ApiSettings,
        credentials: AnyCredentials,
        clock: Clock,
        *,
        connections: int,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts = _PATIENT,
        look_up: LookUp | None = None,
        heard: Heard = nobody,
    ) -> None:
        """Keep what is needed; nothing is opened before the first call.

        Args:
            settings: Addresses and trust.
            credentials: Read at each fetch of a token.
            clock: For the token's age, for deadlines and ``retry_at``.
            connections: At most so many at once for orders, for other calls and for results each.
            transport: In place of the network, for tests; closed with the client.
            timeouts: How long to wait for what.
            look_up: Finds the addresses of hosts that give results; without one the system does, or *transport*.
            heard: Told of each exchange that ended, the requests for tokens included.

        Raises:
            ConfigError: An address in *settings* cannot be used.
        """
        self._gate = Gate(settings)
        self._base_url = settings.base_url.rstrip("/")
        self._clock = clock
        self._timeouts = timeouts
        self._stopwatch = Stopwatch(clock, heard)
        opener = _Opener(clock, connections=connections, given=transport)
        # Servers usually keep an idle connection for five seconds.
        self._orders = Exchanger(lambda: opener.open(idle_s=0.0), clock)
        self._calls = Exchanger(lambda: opener.open(idle_s=4.0), clock)
        self._fetches = Exchanger(lambda: opener.open(idle_s=4.0), clock)
        self._results = Results(
            self._fetches,
            self._gate,
            clock,
            headers=_PLAIN,
            timeouts=timeouts,
            stopwatch=self._stopwatch,
            look_up=look_up or (lookup.look_up if transport is None else None),
        )
        self._tokens = Tokens(settings, credentials, clock, post=self._post_form)
        self._heard: tuple[datetime, Answer | Broken] | None = (
            None  # the latest reply of the API, and when it came
        )

    async def check(self) -> None:
        """Fetch a new token, to learn whether the credentials work.

        Raises:
            AuthError: They are missing or not accepted.
            Throttled: The token endpoint asks for patience.
            Unavailable: The token endpoint cannot be reached.
        """
        await self._tokens.fetch()

    async def upload(self, path: str, media_type: str) -> tuple[str, datetime]:
        """Store the picture at *path* with Adobe; return its id and until when it is valid.

        It is free of charge and may be repeated. At most 15 MB (Adobe's OpenAPI document, ``/v2/storage/image``).

        Raises:
            DiskError: The file is gone or cannot be read.
            RequestRefused: Adobe does not take this picture.
            FireflyError: Any other, as for ``submit``; the upload may be tried again.
        """
        began_at = self._clock.now()
        upload_id = await self._call(
            Call.UPLOAD,
            "POST",
            self._base_url + wire.UPLOAD_PATH,
            headers=(("content-type", media_type),),
            body=functools.partial(Picture.open, path, self._clock, deadline_s=self._timeouts.upload_s),
            read=lambda answer: wire.upload_id(answer.body),
            deadline_s=self._timeouts.upload_s + self._timeouts.answer_s,
        )
        return upload_id, began_at + UPLOAD_LIFE

    async def submit(
        self,
        order: Order,
        uploads: Sequence[Upload],
        links: Mapping[str, str] = wire.NO_LINKS,
        *,
        before_sending: BeforeSending,
        request_id: str = "",
    ) -> Submission:
        """Place one order with Firefly and return its receipt.

        Costs credits. Connects first, then has the intent stored, then sends: what goes wrong before *before_sending*
        has returned leaves no doubt. Never repeats itself: whether to ask again is for the lifecycle to decide, since only the
        ledger knows what was promised. Cancelling the caller does not call the order back.

        Args:
            order: Rendered by a rule.
            uploads: One for each of its references that is no link.
            links: The address for each slot that has one.
            before_sending: Awaited once, by another task, when the connection stands and nothing is sent; stores the
                intent. What it raises comes out here, and nothing is sent then.
            request_id: By which Adobe's support may find it; a new one unless it is given.

        Raises:
            RequestRefused: Firefly read the order and said no.
            Throttled: Not accepted; ``retry_at`` says when to ask again.
            AuthError: Not accepted; no order will be, for now.
            Unavailable: No usable answer; its verdict says whether the order may stand.
            ProtocolError: An answer without a receipt. The order may stand.
        """
        slots = {upload.slot for upload in uploads} | links.keys()
        if missing := [reference.slot for reference in order.references if reference.slot not in slots]:
            raise Unavailable(
                f"the picture for {missing[0]} is not uploaded yet",
                hint="it is tried again by itself",
                code="upload_missing",
                verdict=Verdict.LATER,
            )
        request = wire.order_request(order, uploads, links)
        return await self._call(
            Call.SUBMIT,
            "POST",
            self._base_url + request.path,
            # On a connection of its own: an idle one may be closed just as the order is put on it, which makes a
            # doubt, and a surplus answer to somebody else's request would pass for this one's receipt.
            headers=(("content-type", "application/json"), ("connection", "close"), *request.headers),
            content=request.body,
            read=lambda answer: wire.submission(answer.headers, answer.body),
            through=self._orders,
            sent_id=request_id,
            before_sending=before_sending,
        )

    async def status(self, submission: Submission) -> RemoteStatus:
        """Return how the job stands.

        A refusal that tells of the job's end is no error.

        Raises:
            RequestRefused: Adobe does not know the job (any more); ``code`` says which.
            FireflyError: Any other; asking again is harmless.
        """
        url = self._gate.status_url(submission)
        try:
            return await self._call(Call.STATUS, "GET", url, read=lambda answer: wire.status(answer.body))
        except RequestRefused as refusal:
            if (ended := faults.ending(refusal)) is None:
                raise
            return ended

    async def cancel(self, submission: Submission) -> None:
        """Ask Adobe to cancel the job. Its status tells later whether that came in time.

        Raises:
            RequestRefused: Too late or unknown: ``job_completed``, ``job_already_canceled``,
                ``job_cancel_failed``, ``job_timeout`` or ``unknown_job_id`` is its ``code``.
            FireflyError: Any other; asking again is harmless.
        """
        await self._call(Call.CANCEL, "PUT", self._gate.cancel_url(submission), read=lambda _answer: True)

    async def custom_models(self) -> tuple[CustomModel, ...]:
        """Return every custom model that the account can see, published or not, the oldest first.

        Costs nothing. One question for each fifty of them (Adobe's OpenAPI document, ``/v3/custom-models``).

        Raises:
            AuthError: The account has no custom models at all, or the credentials are not accepted.
            FireflyError: Any other; asking again is harmless.
        """
        found: dict[str, CustomModel] = {}
        start = 0
        for _ in range(custom_models.PAGES_MAX):
            page = await self._call(
                Call.MODELS,
                "GET",
                self._base_url + custom_models.page_path(start),
                read=lambda answer: custom_models.page(answer.body),
            )
            known = len(found)
            found.update((model.id, model) for model in page.models)
            # Who gives the same page again does not know about pages.
            if page.ends_at(start) or len(found) == known:
                break
            start += page.entries
        return tuple(found.values())

    async def check_entitlement(self) -> None:
        """Ask whether the account may use Firefly, without buying anything.

        The question is for a job that cannot exist: Adobe looks at the account before it looks for the job.

        Raises:
            AuthError: It may not; ``code`` is Adobe's ``x-access-error``.
            RequestRefused: Somebody answered who does not speak like Firefly: the address is wrong.
            FireflyError: Any other; asking again is harmless.
        """
        try:
            await self.status(_NOBODY)
        except RequestRefused as refusal:
            if refusal.code == str(refusal.status):  # without a code of the API's
                raise

    def clock_ahead(self) -> timedelta | None:
        """Return how far this machine's clock is ahead of Adobe's, by the latest answer; None where none said.

        To the second, and less what the answer's way took.
        """
        heard_at, reply = self._heard or (None, None)
        if heard_at is None or not isinstance(reply, Answer):
            return None
        try:
            said_at = parsedate_to_datetime(reply.headers.get("date", ""))
        except ValueError:
            return None
        return heard_at - (said_at if said_at.tzinfo else said_at.replace(tzinfo=UTC))

    async def download(self, url: str, write: Callable[[bytes], None]) -> Downloaded:
        """Fetch a result through its link, giving each piece to *write*. No credentials are sent.

        Args:
            url: As Adobe gave it.
            write: Called in the event loop; what it raises comes out here. It is not called after this
                coroutine has ended, however it ended.

        Raises:
            RequestRefused: The link is dead (``link_dead``); the job's status gives a new one.
            ProtocolError: The link points to a host that is not trusted with results (``result_host``), or to an
                address inside a network (``result_address``).
            Unavailable: The result did not come, or not whole.
        """
        return await self._results.download(url, write)

    async def close(self, *, grace_s: float = 5.0) -> None:
        """Wait at most *grace_s* seconds for what is on the wire, then end it, and close every connection."""
        exchangers = (self._orders, self._calls, self._fetches)
        await asyncio.gather(*(exchanger.close(grace_s=grace_s) for exchanger in exchangers))

    async def _call(
        self,
        call: Call,
        method: str,
        url: str,
        *,
        read: Callable[[Answer], _Found | None],
        headers: _Headers = (),
        content: bytes = b"",
        body: _Body | None = None,
        through: Exchanger | None = None,
        deadline_s: float | None = None,
        sent_id: str = "",
        before_sending: BeforeSending | None = None,
    ) -> _Found:
        """Return what *read* finds in a good answer; raise what any other means."""
        exchanger = through or self._calls
        sent_id = sent_id or uuid4().hex  # Adobe's support may find a request by it

        async def attempt(token: Token, before_sending: BeforeSending | None = None) -> Answer | Broken:
            own = (*_JSON, ("x-request-id", sent_id), *_credential_headers(token), *headers)
            request = self._request(method, url, own, content, body)
            sending = exchanger.send(
                request, deadline_s=deadline_s or self._timeouts.answer_s, before_sending=before_sending
            )
            return await self._stopwatch.time(call, sending)

        token = await self._tokens.token()
        reply = await attempt(token, before_sending)
        self._heard = (self._clock.now(), reply)
        if _unauthorised(reply) and (renewed := await self._tokens.renew(token)) is not token:
            # What had to be done before is done; but of an order it still has to be known whether it left.
            again = None if before_sending is None else _nothing
            token, reply = renewed, await attempt(renewed, again)
            if _unauthorised(reply):
                self._tokens.distrust()
        answer = reply if isinstance(reply, Answer) else reply.begun  # a cut answer may hold a receipt
        found = read(answer) if answer is not None and 200 <= answer.status < 300 else None
        if found is None:
            secrets = (token.value, token.client_id)
            raise faults.fault(call, reply, now=self._clock.now(), sent_id=sent_id, secrets=secrets)
        return found

    async def _post_form(self, url: str, form: bytes) -> Answer | Broken:
        headers = (*_JSON, ("content-type", "application/x-www-form-urlencoded"))
        request = self._request("POST", url, headers, form, None)
        sending = self._calls.send(request, deadline_s=self._timeouts.answer_s)
        return await self._stopwatch.time(Call.TOKEN, sending)

    def _request(
        self, method: str, url: str, headers: _Headers, content: bytes, body: _Body | None
    ) -> httpx.Request:
        extensions = {"timeout": self._timeouts.of_httpx}
        if body is None:
            return httpx.Request(
                method, _parsed(url), headers=list(headers), content=content, extensions=extensions
            )
        # Opened beside the loop: between here and the exchange nothing may be cancelled, or the file stays open.
        picture = body()
        sized = [
            ("host", _parsed(url).netloc.decode("ascii")),
            *headers,
            ("content-length", str(picture.size_bytes)),
        ]
        return httpx.Request(method, _parsed(url), headers=sized, stream=picture, extensions=extensions)


class _Opener:
    """Open connections that share one set of trusted certificates."""

    def __init__(self, clock: Clock, *, connections: int, given: httpx.AsyncBaseTransport | None) -> None:
        self._clock = clock
        self._connections = connections
        self._given = given

    def open(self, *, idle_s: float) -> httpx.AsyncBaseTransport:
        """Return the given transport, or new lanes that keep idle connections for *idle_s* seconds."""
        if self._given is not None:
            return self._given
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_s)
        return Lanes(
            lambda: httpx.AsyncHTTPTransport(verify=self._trust, trust_env=False, limits=limits),
            self._clock,
            most=self._connections,
            idle_s=idle_s,
        )

    @functools.cached_property
    def _trust(self) -> ssl.SSLContext:
        # The machine's own certificates first: they include those of a company. A bare container may have none.
        context = ssl.create_default_context()
        if not context.cert_store_stats()["x509_ca"]:
            context.load_verify_locations(cafile=certifi.where())
        return context


@functools.lru_cache(maxsize=512)
def _parsed(url: str) -> httpx.URL:
    # A job is asked for again and again under one address, and httpx takes long to parse it.
    return httpx.URL(url)


def _unauthorised(reply: Answer | Broken) -> bool:
    return isinstance(reply, Answer) and reply.status == 401


def _credential_headers(token: Token) -> _Headers:
    return (("authorization", f"Bearer {token.value}"), ("x-api-key", token.client_id))


async def _nothing() -> None:
    """Do nothing before an order leaves: it is done already."""
