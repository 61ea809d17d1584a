"""How the network is in one life, and what it makes of requests and answers on their way."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import httpx
from starlette.responses import Response

if TYPE_CHECKING:
    from collections import Counter
    from random import Random

# With none of these anything was sent; after each of those it may have been.
_UNSENT: Final = (
    ("no connection", httpx.ConnectError("no connection")),
    ("no such name", httpx.ConnectError("[Errno -2] Name or service not known")),
    ("no valid certificate", httpx.ConnectError("certificate verify failed: self-signed certificate")),
    ("no connection in time", httpx.ConnectTimeout("")),
)
_BROKEN: Final = (
    httpx.ReadError("Connection reset by peer"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    httpx.WriteError("Broken pipe"),
    httpx.ReadTimeout(""),
)
_GATEWAYS: Final = (502, 503, 504, 520, 529)
_STRANGE: Final = (302, 404, 418, 421, 431, 507, 599)
_WAITS: Final = (b"-5", b"soon", b"", b"1e9", b"Thu, 01 Jan 1970 00:00:00 GMT", b"99999999999999999999")
_JOB_ID: Final = re.compile(rb"urn:ff:jobs:\w+:([\w-]+)")
_NO_IDS: Final = (b"../../../v3/cancel/all", b"", b"urn:ff:jobs:\xe2\x80\xae", b"x" * 300)
_NO_SEEDS: Final = ("../../drop0", -1, 1e300, None, {"a": [1]}, True)
_ENDLESS: Final = b" " * (1024 * 1024)  # more than anybody reads of an answer
_PRIVATE: Final = ("https://169.254.169.254/", "http://localhost/", "https://evil.example/")


@dataclass(slots=True, kw_only=True)
class Weather:
    """How the network is: shares of requests."""

    unreachable: float = 0.0  # no connection: nothing was sent
    swallowed: float = 0.0  # it was sent, and reached nobody
    refused: float = 0.0  # it reached a gateway, which answers by itself
    lost: float = 0.0  # it arrived, and the answer is lost on its way
    gateway: float = 0.0  # it arrived, and a gateway says something else
    silent: float = 0.0  # it arrived, and the answer never comes
    halved: float = 0.0  # half of the answer comes
    packed: float = 0.0  # it comes compressed, which nobody asked for
    swollen: float = 0.0  # it has no end
    misdirected: float = 0.0  # links of results lead elsewhere
    misnamed: float = 0.0  # an accepted job has an id that is none
    odd_seeds: float = 0.0  # results have seeds that are none
    doubled: float = 0.0  # results are named twice
    odd_wait: float = 0.0  # senseless times to wait
    meddled: float = 0.0  # somebody cancels a job while an answer about one is on its way
    slow_s: float = 0.05
    telling: bool = False  # the transport tells of connecting too, as the real one does

    def clear_up(self) -> None:
        """Let nothing go wrong any more."""
        telling = self.telling
        for each in fields(self):
            setattr(self, each.name, each.default)
        self.telling = telling


class Mischief:
    """What happens to the requests of one life and their answers, by a seed's dice."""

    def __init__(self, weather: Weather, dice: Random, counts: Counter[str]) -> None:
        """Do what *weather* says, and count it."""
        self._weather = weather
        self._dice = dice
        self._counts = counts
        self.unnamed: set[str] = set()  # accepted jobs whose id nobody was told

    def strikes(self, share: float, name: str = "") -> bool:
        """Return whether something that happens to such a *share* does, and count it by its *name*."""
        if not share or self._dice.random() >= share:
            return False
        if name:
            self._counts[name] += 1
        return True

    def before(self) -> None:
        """Let the request come to nobody.

        Raises:
            httpx.TransportError: No connection was made.
        """
        if self.strikes(self._weather.unreachable):
            name, error = self._dice.choice(_UNSENT)
            self._counts[name] += 1
            raise error

    def on_its_way(self) -> Response | None:
        """Let what was sent get lost, or be answered by somebody on the way.

        Raises:
            httpx.TransportError: It was lost.
        """
        if self.strikes(self._weather.swallowed, "request swallowed"):
            raise self._dice.choice(_BROKEN)
        if self.strikes(self._weather.refused):
            status = self._dice.choice(_STRANGE)
            self._counts[f"{status} by a gateway, for a request that it keeps"] += 1
            where = {"location": "http://169.254.169.254/"} if status < 400 else None
            return Response("<html>what?</html>", status, where, media_type="text/html")
        return None

    def on_its_way_back(self, answer: Response) -> Response:
        """Return what becomes of an answer.

        Raises:
            httpx.TransportError: It was lost.
        """
        if self.strikes(self._weather.lost, "answer lost on its way"):
            raise self._dice.choice(_BROKEN)
        if self.strikes(self._weather.gateway):
            status = self._dice.choice(_GATEWAYS)
            self._counts["a gateway's answer in place of Adobe's"] += 1
            return Response("<html>bad gateway</html>", status, media_type="text/html")
        if answer.status_code in {429, 503} and self.strikes(self._weather.odd_wait, "senseless retry-after"):
            _put(answer, b"retry-after", self._dice.choice(_WAITS))
        if b'"outputs"' in answer.body:
            self._tamper(answer)
        if b"/v3/status/" in answer.body and self.strikes(self._weather.misnamed, "an id that is none"):
            if "link" not in answer.headers:
                self.unnamed |= {each[1].decode() for each in _JOB_ID.finditer(answer.body)}
            _fill(answer, _JOB_ID.sub(self._dice.choice(_NO_IDS), answer.body))
        if answer.body and self.strikes(self._weather.packed, "answer compressed"):
            _fill(answer, gzip.compress(answer.body, mtime=0))
            _put(answer, b"content-encoding", b"gzip")
        elif answer.body[:1] == b"{" and self.strikes(self._weather.swollen, "answer without an end"):
            _fill(answer, bytes(answer.body) + _ENDLESS)
        elif len(answer.body) > 1 and self.strikes(self._weather.halved, "half an answer"):
            _fill(answer, bytes(answer.body[: len(answer.body) // 2]))
        return answer

    def _tamper(self, answer: Response) -> None:
        doubled = self.strikes(self._weather.doubled, "results named twice")
        misdirected = self.strikes(self._weather.misdirected, "links that lead elsewhere")
        odd = self.strikes(self._weather.odd_seeds, "seeds that are none")
        if not doubled and not misdirected and not odd:
            return
        document = json.loads(bytes(answer.body))
        outputs = document["result"]["outputs"]
        for output in outputs if odd else ():
            output["seed"] = self._dice.choice(_NO_SEEDS)
        if doubled:
            outputs += outputs
        text = json.dumps(document)
        if misdirected:
            text = text.replace(
                "https://firefly-api.adobe.io/results/", f"{self._dice.choice(_PRIVATE)}results/"
            )
        _fill(answer, text.encode())


def _fill(answer: Response, body: bytes) -> None:
    answer.body = body
    _put(answer, b"content-length", str(len(body)).encode())


def _put(answer: Response, name: bytes, value: bytes) -> None:
    answer.raw_headers = [each for each in answer.raw_headers if each[0] != name] + [(name, value)]
