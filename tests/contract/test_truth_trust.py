"""The truth table of trust: to whom the client talks, what it shows them, and from where it takes results.

Deliberately different from what one might expect: the path of a trusted status address is not looked at, since Adobe
says to follow it as it is; a result host that the operator named in full may be anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from dropglow.clock import RealClock
from dropglow.errors import AuthError, FireflyError, ProtocolError, Unavailable, Verdict
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import FixedCredentials
from dropglow.firefly.lookup import look_up
from dropglow.firefly.settings import ApiSettings, Timeouts
from dropglow.model import RemoteId, Submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.contract.conftest import Asker, RawAdobe

    ClientMaker = Callable[..., AbstractAsyncContextManager[FireflyClient]]

LATER, UNKNOWN = Verdict.LATER, Verdict.UNKNOWN
JOB: Final = "urn:ff:jobs:eso851211:1"
CALLS: Final = ("submit", "status", "cancel", "upload", "download", "token")
# Long enough for a busy machine to do what does not hang.
HASTY: Final = Timeouts(connect_s=1.0, read_s=1.0, write_s=1.0, answer_s=1.5, upload_s=1.5, download_s=1.5)
BUCKET: Final = "https://bucket.s3.amazonaws.com/a%20b/urn:1/x.jpg?X-Amz-Signature=s%2B&~tilde='()*!"
PUBLIC: Final = "9.9.9.9"
# Made up for these tests, for bucket.s3.amazonaws.com; nobody trusts it.
CERTIFICATE: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3lM6l97E1oAiDnBx
PrMIgtKPMkvpazmGo5IcOMphzsWhRANCAARFXrHcJJJBHfgcmv9VU8RpGzL8ZFLI
F7ejnVaj4l3kUGnrcXUPQhu5NgssyNhFeU7nSad0CKchvtPh4xv4baT1
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBoDCCAUegAwIBAgIUFHJF5cCH8bHn8utibAA1ww0CdaYwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIYSBidWNrZXQwIBcNMjYxMTIyMjAwNjA1WhgPMjEyNjEwMjky
MDA2MDVaMBMxETAPBgNVBAMMCGEgYnVja2V0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAERV6x3CSSQR34HJr/VVPEaRsy/GRSyBe3o51Wo+Jd5FBp63F1D0IbuTYL
LMjYRXlO50mndAinIb7T4eMb+G2k9aN3MHUwHQYDVR0OBBYEFIyplIEzFTVS+JpG
78isaG1fTvP4MB8GA1UdIwQYMBaAFIyplIEzFTVS+JpG78isaG1fTvP4MA8GA1Ud
EwEB/wQFMAMBAf8wIgYDVR0RBBswGYIXYnVja2V0LnMzLmFtYXpvbmF3cy5jb20w
CgYIKoZIzj0EAwIDRwAwRAIgMWZK3fXVLmWDJRkH8/amTimfG/vfqaXr1+Hs9B54
PSICIH3zXkjixB9QJwoMWDVk21yyO0Ce933ERPV25EtvgsZf
-----END CERTIFICATE-----
"""


def verdict_of(call: str) -> Verdict:
    return UNKNOWN if call == "submit" else LATER


def answer(status: str, body: bytes | dict[str, Any] = b"", *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


ACCEPTED: Final = answer("202 Accepted", {"jobId": JOB})
RUNNING: Final = answer("200 OK", {"status": "running"})
UNAUTHORISED: Final = answer("401 Unauthorized", {"error_code": "401013"})


@pytest.fixture
def keys(tmp_path: Path) -> ssl.SSLContext:
    """Return what a server needs to speak TLS as bucket.s3.amazonaws.com."""
    path = tmp_path / "key.pem"
    path.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


# ---------------------------------------------------------------- E2: TLS


@pytest.mark.parametrize("call", ["submit", "status", "cancel", "upload"])
async def test_e2_a_server_without_tls_gets_no_request(
    adobe: RawAdobe, ask: Asker, call: str, client_of: ClientMaker
) -> None:
    """The handshake fails before anything is sent, so that nothing is in doubt."""
    plain = (await adobe.listen()).replace("http:", "https:")
    async with client_of(plain, token_address=adobe.address, timeouts=HASTY) as client:
        with pytest.raises(Unavailable) as caught:
            await ask(client, call)

    assert (LATER, "unreachable", True) == (
        caught.value.verdict,
        caught.value.code,
        caught.value.service_wide,
    )
    assert not adobe.asked(call)


@pytest.mark.parametrize("call", ["submit", "status", "cancel", "upload"])
async def test_e2_a_certificate_that_nobody_vouches_for_gets_no_request(
    adobe: RawAdobe, ask: Asker, call: str, keys: ssl.SSLContext, client_of: ClientMaker
) -> None:
    """Trust is never waved through: neither the token nor the order is shown."""
    secure = await adobe.listen(keys)
    async with client_of(secure, token_address=adobe.address) as client:
        with pytest.raises(Unavailable, match="certificate") as caught:
            await ask(client, call)

    assert (LATER, "unreachable") == (caught.value.verdict, caught.value.code)
    assert ["token"] == [request.kind for request in adobe.requests]


# ---------------------------------------------------------------- E10: addresses in answers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v3/status/1",
        "http://firefly-api.adobe.io/v3/status/1",
        "https://firefly-api.adobe.io:8443/v3/status/1",
        "https://firefly-api.adobe.io@evil.example/v3/status/1",
        "https://firefly-api.adobe.io\\@evil.example/v3/status/1",
        "//evil.example/v3/status/1",
        "http://127.0.0.1:1/v3/status/1",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("call", ["status", "cancel"])
async def test_e10_a_strange_address_in_a_receipt_is_not_asked(
    adobe: RawAdobe, call: str, url: str, ask: Asker, client_of: ClientMaker
) -> None:
    """The documented path on the API's own host is asked instead, with the id."""
    adobe.say("submit", answer("202 Accepted", {"jobId": JOB, "statusUrl": url, "cancelUrl": url}))
    adobe.say(call, RUNNING)
    async with client_of(adobe.address) as client:
        submission = await ask(client, "submit")
        await (client.status(submission) if call == "status" else client.cancel(submission))

    assert [f"/v3/{call}/{JOB}"] == [request.target for request in adobe.asked(call)]


async def test_e10_neither_address_nor_id_is_told(adobe: RawAdobe, client_of: ClientMaker) -> None:
    """What can be asked nowhere is said, and the token stays here."""
    submission = Submission(remote_id=RemoteId("../admin"), status_url="https://evil.example/1")
    async with client_of(adobe.address) as client:
        with pytest.raises(ProtocolError) as caught:
            await client.status(submission)

    assert "untrusted_host" == caught.value.code
    assert not adobe.requests


# ---------------------------------------------------------------- E11: redirects


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_e11_a_redirect_leads_nowhere(
    adobe: RawAdobe, other: RawAdobe, ask: Asker, call: str, code: int, client_of: ClientMaker
) -> None:
    """Nobody at the new address is spoken to, with or without credentials."""
    adobe.say(call, answer(f"{code} Elsewhere", b"", f"location: {other.address}/v3/status/1"))
    async with client_of(adobe.address) as client:
        with pytest.raises(FireflyError) as caught:
            await ask(client, call)

    assert (verdict_of(call), 0) == (caught.value.verdict, other.connections)


# ---------------------------------------------------------------- E12: where results come from


@dataclass(slots=True, kw_only=True)
class Names:
    """A directory of names that says what it is told."""

    addresses: Sequence[str] = ()
    error: OSError | None = None
    asked: int = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.addresses


@dataclass(slots=True, kw_only=True)
class Wire:
    """Stand in for the network: remember each request, and let those to *dead* addresses find nobody."""

    dead: tuple[str, ...] = ()
    requests: list[httpx.Request]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.dead:
            raise httpx.ConnectError("nobody is there")
        return httpx.Response(200, content=b"bytes")


def fetcher(names: Names, wire: Wire, **settings: Any) -> FireflyClient:
    return FireflyClient(
        ApiSettings(**settings),
        FixedCredentials(client_id="a-client-id", client_secret="a-client-secret"),
        RealClock(),
        connections=1,
        transport=httpx.MockTransport(wire),
        timeouts=HASTY,
        look_up=names,
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - not bound, but connected to
        "198.18.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.8",
        "64:ff9b::a00:8", "2002:a00:8::1", "2001:db8::1",
    ],
)  # fmt: skip
async def test_e12_a_result_is_not_fetched_from_inside_a_network(address: str) -> None:
    """A name that leads to this machine, its network, or nobody's is not followed; Adobe's link is told without query."""
    wire = Wire(requests=[])

    with pytest.raises(ProtocolError) as caught:
        await fetcher(Names(addresses=[address]), wire).download(BUCKET, bytearray().extend)

    assert ("result_address", LATER, False) == (
        caught.value.code,
        caught.value.verdict,
        caught.value.service_wide,
    )
    assert "Signature" not in str(caught.value)
    assert not wire.requests


async def test_e12_the_address_that_was_looked_at_is_the_one_that_is_used() -> None:
    """One look-up, and no second one between looking and connecting; the name stays in Host and certificate."""
    names, wire, received = Names(addresses=["10.0.0.8", PUBLIC]), Wire(requests=[]), bytearray()

    await fetcher(names, wire).download(BUCKET, received.extend)

    request = wire.requests[0]
    assert (1, 1, b"bytes") == (names.asked, len(wire.requests), bytes(received))
    assert (PUBLIC, "bucket.s3.amazonaws.com") == (request.url.host, request.headers["host"])
    assert "bucket.s3.amazonaws.com" == request.extensions["sni_hostname"]
    assert BUCKET.partition(".com")[2].encode() == request.url.raw_path
    assert {"authorization", "x-api-key"}.isdisjoint(request.headers)


async def test_e12_the_next_address_is_tried_where_nobody_is_at_the_first() -> None:
    """A name with a dead address gives its results all the same, over IPv6 too."""
    wire = Wire(dead=("2620:fe::9",), requests=[])

    await fetcher(Names(addresses=["2620:fe::9", PUBLIC]), wire).download(BUCKET, bytearray().extend)

    assert ["2620:fe::9", PUBLIC] == [request.url.host for request in wire.requests]


@pytest.mark.parametrize(
    "error", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), TimeoutError()]
)
async def test_e12_a_name_that_cannot_be_looked_up_is_tried_again(error: OSError) -> None:
    """The directory of names may be well again later; other orders are not held back for it."""
    with pytest.raises(Unavailable, match="looked up") as caught:
        await fetcher(Names(error=error), Wire(requests=[])).download(BUCKET, bytearray().extend)

    assert (LATER, False) == (caught.value.verdict, caught.value.service_wide)


async def test_e12_a_host_that_is_named_in_full_may_be_inside() -> None:
    """A private endpoint of a company is trusted by its whole name, and is not looked up by us."""
    names, wire = Names(addresses=["10.0.0.8"]), Wire(requests=[])

    await fetcher(names, wire, result_hosts=("bucket.s3.amazonaws.com",)).download(BUCKET, bytearray().extend)

    assert (0, "bucket.s3.amazonaws.com") == (names.asked, wire.requests[0].url.host)


async def test_e12_beside_an_api_on_this_machine_nothing_is_looked_up() -> None:
    """Whoever tries things out against a local server may give results from where he likes."""
    names, wire = Names(addresses=["127.0.0.1"]), Wire(requests=[])
    local = fetcher(names, wire, base_url="http://127.0.0.1:9", token_url="http://127.0.0.1:9/ims")

    await local.download(BUCKET, bytearray().extend)

    assert 0 == names.asked


async def test_e12_names_are_looked_up_as_the_system_does() -> None:
    """Each address comes once, in the system's order."""
    found = list(await look_up("localhost", 443))

    assert found
    assert len(found) == len(set(found))
    assert {"127.0.0.1", "::1"} >= set(found)


class Detour(httpx.AsyncBaseTransport):
    """Carry what is meant for the public internet to this machine, and trust one certificate."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=trust, trust_env=False)
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.mark.parametrize("name", ["bucket.s3.amazonaws.com", "another.s3.amazonaws.com"])
async def test_e12_the_certificate_must_be_that_of_the_name(
    adobe: RawAdobe, keys: ssl.SSLContext, name: str
) -> None:
    """Connected to an address, the server still has to prove the name of the link."""
    port = int((await adobe.listen(keys)).rpartition(":")[2])
    adobe.say("download", answer("200 OK", b"bytes"))
    client = FireflyClient(
        ApiSettings(),
        FixedCredentials(client_id="a-client-id", client_secret="a-client-secret"),
        RealClock(),
        connections=1,
        transport=Detour(port, ssl.create_default_context(cadata=CERTIFICATE)),
        look_up=Names(addresses=[PUBLIC]),
    )
    received = bytearray()

    with contextlib.suppress(Unavailable):
        await client.download(BUCKET.replace("bucket.s3.amazonaws.com", name), received.extend)
    await client.close()

    assert (b"bytes" if name.startswith("bucket") else b"") == bytes(received)
    assert (1 if name.startswith("bucket") else 0) == len(adobe.asked("download"))


# ---------------------------------------------------------------- E18, 401: tokens


@pytest.mark.parametrize(
    "trouble", [answer("503 Down", b"<html>"), answer("400 Bad", {"error": "invalid_client"}), b""]
)
async def test_e18_a_good_token_outlives_its_endpoint(
    adobe: RawAdobe, clock: Any, trouble: bytes, ask: Asker, client_of: ClientMaker
) -> None:
    """From four fifths of its life on a token is renewed; where that fails, it serves to its end."""
    adobe.say("submit", ACCEPTED)
    async with client_of(adobe.address, clock=clock) as client:
        await ask(client, "submit")
        adobe.say("token", trouble)
        clock.move(0.9 * 86399)
        await ask(client, "submit")

    assert ["Bearer token-1"] * 2 == [request.headers["authorization"] for request in adobe.asked("submit")]
    assert 2 == len(adobe.asked("token"))


async def test_e18_a_dead_token_is_not_sent(
    adobe: RawAdobe, clock: Any, ask: Asker, client_of: ClientMaker
) -> None:
    """After its life nothing goes out before there is another; so nothing is in doubt."""
    adobe.say("submit", ACCEPTED)
    async with client_of(adobe.address, clock=clock) as client:
        await ask(client, "submit")
        adobe.say("token", answer("503 Down", b"<html>"))
        clock.move(86399)
        with pytest.raises(Unavailable) as caught:
            await ask(client, "submit")

    assert (LATER, True, 1) == (caught.value.verdict, caught.value.service_wide, len(adobe.asked("submit")))


async def test_401_many_at_once_cost_one_token(adobe: RawAdobe, ask: Asker, client_of: ClientMaker) -> None:
    """Twenty questions with a token that died renew it once, and are each sent once more."""
    adobe.say("status", *[UNAUTHORISED] * 20, RUNNING)
    async with client_of(adobe.address) as client:
        await asyncio.gather(*(ask(client, "status") for _ in range(20)))

    assert 2 == len(adobe.asked("token"))
    assert {"Bearer token-1", "Bearer token-2"} == {
        request.headers["authorization"] for request in adobe.asked("status")
    }


async def test_401_for_ever_costs_a_token_each_half_minute(
    adobe: RawAdobe, clock: Any, ask: Asker, client_of: ClientMaker
) -> None:
    """Where even a new token is refused, none is fetched for each question of each job."""
    adobe.say("status", UNAUTHORISED)
    async with client_of(adobe.address, clock=clock) as client:
        for _ in range(10):
            with pytest.raises(AuthError):
                await ask(client, "status")
        soon = len(adobe.asked("token"))
        clock.move(31)
        with pytest.raises(AuthError):
            await ask(client, "status")

    assert (2, 3) == (soon, len(adobe.asked("token")))
    assert 10 + 1 + 2 == len(adobe.asked("status"))


# ---------------------------------------------------------------- E19: the environment


async def test_e19_proxies_and_netrc_of_the_environment_are_not_asked(
    adobe: RawAdobe,
    other: RawAdobe,
    ask: Asker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    client_of: ClientMaker,
) -> None:
    """Tokens, orders and results go to Adobe directly, and with our credentials only."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, other.address)
        monkeypatch.setenv(name.upper(), other.address)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    adobe.say("submit", ACCEPTED)
    adobe.say("status", RUNNING)
    adobe.say("cancel", RUNNING)
    adobe.say("upload", answer("200 OK", {"images": [{"id": "510aabb4"}]}))
    adobe.say("download", answer("200 OK", b"bytes"))
    async with client_of(adobe.address) as client:
        for call in CALLS:
            await ask(client, call)

    assert 0 == other.connections
    assert {None, "Bearer token-1"} == {request.headers.get("authorization") for request in adobe.requests}
    assert "authorization" not in adobe.asked("download")[0].headers


# ---------------------------------------------------------------- what is told


@pytest.mark.parametrize("call", ["submit", "status", "upload", "token"])
@pytest.mark.parametrize("head", ["200 OK", "400 Bad Request", "403 Forbidden", "500 Internal"])
async def test_what_an_answer_repeats_of_us_is_not_told(
    adobe: RawAdobe, ask: Asker, call: str, head: str, client_of: ClientMaker
) -> None:
    """A server that quotes our credentials, or a signed link, puts neither into our messages."""
    secrets = ["token-1", "a-client-id", *(["a-client-secret"] if call == "token" else [])]
    link = "https://x.amazonaws.com/1?X-Amz-Signature=abcdef"
    adobe.say(call, answer(head, f"<html>Bearer {' '.join(secrets)} {link}</html>".encode()))
    async with client_of(adobe.address) as client:
        with pytest.raises(FireflyError) as caught:
            await ask(client, call)

    assert [] == [secret for secret in secrets if secret in str(caught.value) + caught.value.hint]
