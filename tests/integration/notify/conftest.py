"""Receivers on this machine: a web server and a mail server that take, refuse or fall silent as they are told."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest

# Made up for these tests, for localhost; nobody else trusts it.
CERTIFICATE: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+Jcn/jdJ5OQQKVgH
olzhwGjrzboMmq6/Ykmrk5RK+0ahRANCAATGgzqzMUpH+QTyzgkT/PjQl9VrouUG
cOcwyxERzfOJuvc8udjTBGjdHeZLif9mF21ivPX2/qs3uTyQ9nvggZQD
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBljCCAT2gAwIBAgIUeZpsiAzjVYTy+Xc+HJ+f1qIIdOwwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKYSByZWNlaXZlcjAgFw0yNjExMjkwNzA1MjNaGA8yMTI2MTEw
NTA3MDUyM1owFTETMBEGA1UEAwwKYSByZWNlaXZlcjBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABMaDOrMxSkf5BPLOCRP8+NCX1Wui5QZw5zDLERHN84m69zy52NME
aN0d5kuJ/2YXbWK89fb+qze5PJD2e+CBlAOjaTBnMB0GA1UdDgQWBBSjP82Zq/mE
VWENndRkgzXylVB9YTAfBgNVHSMEGDAWgBSjP82Zq/mEVWENndRkgzXylVB9YTAP
BgNVHRMBAf8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAKBggqhkjOPQQD
AgNHADBEAiBGrjM9+NcZC5cZkJPJQc/1LcNDoc3u9AOQJNg2g0S0aQIgNDi2cEvp
TIhF9iADbyH47KrOMO1yA5wJSQ0mu8EuVLI=
-----END CERTIFICATE-----
"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Hook:
    """A web server. ``status`` is its answer; 0: it takes the request and falls silent."""

    status: int = 200
    more: str = ""  # further lines of the answer's head
    said: bytes = b""
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.calls.append(Call(path=head[0].split(" ")[1], headers=headers, body=body))
            if not self.status:
                await reader.read()
            answer = f"HTTP/1.1 {self.status} Said\r\n{self.more}content-length: {len(self.said)}\r\n\r\n"
            writer.write(answer.encode() + self.said)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def hooked() -> AsyncIterator[Hook]:
    """Open a web server that takes everything."""
    told = Hook()
    async with await asyncio.start_server(told.serve, "127.0.0.1", 0) as server:
        told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield told


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """Return a web server that takes everything."""
    async with hooked() as told:
        yield told


@dataclass(kw_only=True)
class PostOffice:
    """A mail server, which says goodbye in an odd way."""

    starttls: ssl.SSLContext | None = None
    login: tuple[str, str] = ("", "")
    refused: frozenset[str] = frozenset()
    busy: bool = False
    repeats: bool = False  # to who may not log in, what he said
    letters: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"421 too busy\r\n" if self.busy else b"220 here\r\n")
            private = False
            while line := (await reader.readline()).decode().strip():
                self.commands.append(line.split(" ")[0].upper())
                if line == "STARTTLS" and self.starttls is not None:
                    writer.write(b"220 go on\r\n")
                    await writer.start_tls(self.starttls)
                    private = True
                    continue
                writer.write(await self._answer(line, reader, writer, private=private))
                if line == "QUIT":
                    break
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, private: bool
    ) -> bytes:
        verb = line.upper().split(" ")[0]
        if verb == "EHLO":
            offers = ["STARTTLS"] if self.starttls is not None and not private else []
            offers += ["AUTH PLAIN"] if self.login[0] else []
            return "".join(f"250-{each}\r\n" for each in ("here", *offers)).encode() + b"250 HELP\r\n"
        if verb == "AUTH":
            said = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
            if tuple(said) == self.login:
                return b"235 welcome\r\n"
            return f"535 who said {line}\r\n".encode() if self.repeats else b"535 who are you\r\n"
        if verb == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            if address in self.refused:
                return b"550 nobody of that name\r\n"
            self.to.append(address)
        if verb == "DATA":
            writer.write(b"354 go on\r\n")
            return await self._letter(reader)
        return b"250 fine\r\n"

    async def _letter(self, reader: asyncio.StreamReader) -> bytes:
        text = await reader.readuntil(b"\r\n.\r\n")
        letter = message_from_bytes(text[:-3], policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return b"250 taken\r\n"


@asynccontextmanager
async def opened(office: PostOffice, context: ssl.SSLContext | None = None) -> AsyncIterator[PostOffice]:
    """Open *office* on a port of this machine; with *context*, behind TLS from the first byte."""
    async with await asyncio.start_server(office.serve, "localhost", 0, ssl=context) as server:
        office.port = server.sockets[0].getsockname()[1]
        yield office


@dataclass(kw_only=True)
class Tarpit:
    """A mail server whose greeting has no end."""

    calls: list[asyncio.StreamWriter] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.append(writer)
        writer.write(b"220-wait\r\n")
        self.called.set()


@asynccontextmanager
async def talking_for_ever() -> AsyncIterator[Tarpit]:
    """Open a tarpit; at the end whoever hangs in it is let go."""
    tarpit = Tarpit()
    async with await asyncio.start_server(tarpit.serve, "localhost", 0) as server:
        tarpit.port = server.sockets[0].getsockname()[1]
        try:
            yield tarpit
        finally:
            for writer in tarpit.calls:
                writer.close()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return what a server needs to speak TLS as localhost; this machine trusts it for the length of the test."""
    path = tmp_path / "key.pem"
    path.write_text(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
