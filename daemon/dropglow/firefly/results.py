"""Fetch results: from hosts that are trusted with them, without credentials, and never from inside a network.

A signed link comes from an answer, and whoever may register a name below ``amazonaws.com`` may let it lead anywhere.
So a name is looked up once, what it leads to must be public, and the connection goes to that very address, while the
certificate is still asked for the name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from dropglow.clock import Clock
from dropglow.errors import ProtocolError, Verdict
from dropglow.firefly import faults
from dropglow.firefly.exchange import Exchanger
from dropglow.firefly.faults import Answer, Broken, Call
from dropglow.firefly.hosts import Gate, is_public, origin_of
from dropglow.firefly.lookup import LookUp
from dropglow.firefly.settings import Timeouts
from dropglow.firefly.stopwatch import Stopwatch

_ADDRESSES_MAX: Final = 4  # of one name, tried one after the other

_Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What came through a result link, byte for byte as it was sent."""

    size_bytes: int
    expected_bytes: int | None  # as announced
    media_type: str  # as announced; the bytes know better


class Results:
    """Fetch results for the client."""

    def __init__(
        self,
        exchanger: Exchanger,
        gate: Gate,
        clock: Clock,
        *,
        headers: Sequence[tuple[str, str]],
        timeouts: Timeouts,
        stopwatch: Stopwatch,
        look_up: LookUp | None,
    ) -> None:
        """Send through *exchanger* to whom *gate* lets; without *look_up* names are left to the transport."""
        self._exchanger = exchanger
        self._gate = gate
        self._clock = clock
        self._headers = headers
        self._timeouts = timeouts
        self._stopwatch = stopwatch
        self._look_up = look_up

    async def download(self, url: str, write: _Write) -> Downloaded:
        """Fetch what *url* leads to, as ``FireflyClient.download`` says.

        Raises:
            RequestRefused: The link is dead (``link_dead``).
            ProtocolError: The link leads to a host (``result_host``) or to an address (``result_address``) that is
                not trusted with results.
            Unavailable: The result did not come, or not whole.
        """
        if not self._gate.may_give_results(url):
            raise _foreign(url)
        reply = await self._fetch(url, write)
        if not isinstance(reply, Answer) or reply.status != 200:
            raise faults.fault(Call.DOWNLOAD, reply, now=self._clock.now())
        announced = reply.headers.get("content-length", "")
        expected_bytes = int(announced) if announced.isascii() and announced.isdigit() else None
        if expected_bytes is not None and expected_bytes != reply.size_bytes:
            broken = Broken(sent=True, why=f"{reply.size_bytes} of {expected_bytes} bytes came")
            raise faults.fault(Call.DOWNLOAD, broken, now=self._clock.now())
        return Downloaded(
            size_bytes=reply.size_bytes,
            expected_bytes=expected_bytes,
            media_type=reply.headers.get("content-type", "").partition(";")[0].strip().lower(),
        )

    async def _fetch(self, url: str, write: _Write) -> Answer | Broken:
        if self._look_up is None or not self._gate.must_be_public(url):
            return await self._send(httpx.URL(url), write)
        try:
            addresses = await self._addresses(url, self._look_up)
        except OSError as error:
            return Broken(sent=False, why=_unknown_name(error))
        if not addresses:
            raise _inward(url)
        reply: Answer | Broken = Broken(sent=False, why="no address")
        for address in addresses[:_ADDRESSES_MAX]:
            reply = await self._send(httpx.URL(url), write, address=address)
            if isinstance(reply, Answer) or reply.sent:
                break
        return reply

    async def _addresses(self, url: str, look_up: LookUp) -> list[str]:
        origin = origin_of(url)
        assert origin is not None, "the gate let it pass"
        async with asyncio.timeout(self._timeouts.connect_s):
            found = await look_up(origin.host, origin.port)
        return [address for address in found if is_public(address)]

    async def _send(self, url: httpx.URL, write: _Write, *, address: str = "") -> Answer | Broken:
        extensions: dict[str, object] = {"timeout": self._timeouts.of_httpx}
        headers = list(self._headers)
        if address:
            extensions["sni_hostname"] = url.host
            # Under one address many names live: the next of them must show its own certificate.
            headers += [("host", url.netloc.decode("ascii")), ("connection", "close")]
            url = url.copy_with(host=address)
        request = httpx.Request("GET", url, headers=headers, extensions=extensions)
        sending = self._exchanger.send(request, deadline_s=self._timeouts.download_s, write=write)
        return await self._stopwatch.time(Call.DOWNLOAD, sending)


def _unknown_name(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "its name could not be looked up in time"
    return f"its name could not be looked up ({error.strerror or error})"


def _where(url: str) -> str:
    origin = origin_of(url)
    return f"{origin.host}:{origin.port}" if origin is not None else "an address that makes no sense"


def _foreign(url: str) -> ProtocolError:
    return ProtocolError(
        f"Adobe's link to the result leads to {_where(url)}, which is not trusted with results",
        hint="if that host is right, add it to api.result_hosts",
        code="result_host",
        verdict=Verdict.LATER,
    )


def _inward(url: str) -> ProtocolError:
    return ProtocolError(
        f"Adobe's link to the result leads to {_where(url)}, which is no address of the public internet",
        hint="if your network is meant to answer for that host, add its full name to api.result_hosts",
        code="result_address",
        verdict=Verdict.LATER,
    )
